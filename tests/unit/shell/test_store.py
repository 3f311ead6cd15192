"""Both stores: rows and the offset of their last changelog record go together and come back together."""

import gc
import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from faust.types import TP

from streams.shell.settings import ShellSettings
from streams.shell.store import RowStore

BuildApp = Callable[[ShellSettings], Any]


class Change(msgspec.Struct):
    key: bytes
    value: bytes | None


class Message(msgspec.Struct):
    partition: int
    offset: int
    value: list[Change]


class Event(msgspec.Struct):
    message: Message


@pytest.fixture(params=["memory", "rocksdb"])
async def store(request: pytest.FixtureRequest, build_app: BuildApp, settings: ShellSettings) -> RowStore:
    app = build_app(msgspec.structs.replace(settings, store=request.param))
    made: RowStore = app.tables["rows"].data
    return made


def rocks(build_app: BuildApp, settings: ShellSettings) -> Any:
    return build_app(msgspec.structs.replace(settings, store="rocksdb")).tables["rows"].data


def changelog(*events: tuple[int, int, list[tuple[bytes, bytes | None]]]) -> Iterable[Event]:
    return [
        Event(Message(partition, offset, [Change(*change) for change in changes]))
        for partition, offset, changes in events
    ]


def test_rows_are_read_back_with_their_offset(store: RowStore) -> None:
    assert store.offset(2) is None
    store.write(2, {b"a": b"1", b"b": b"2"}, 7)
    assert store.reader(2)(b"a") == b"1"
    assert store.reader(2)(b"z") is None
    assert dict(store.rows(2)) == {b"a": b"1", b"b": b"2"}
    assert store.offset(2) == 7


def test_none_deletes_a_row(store: RowStore) -> None:
    store.write(0, {b"a": b"1", b"b": b"2"}, 1)
    store.write(0, {b"a": None, b"never": None}, 3)
    assert dict(store.rows(0)) == {b"b": b"2"}
    assert store.offset(0) == 3


def test_partitions_are_apart(store: RowStore) -> None:
    store.write(0, {b"a": b"1"}, 1)
    store.write(1, {b"a": b"2"}, 9)
    assert (store.reader(0)(b"a"), store.offset(0)) == (b"1", 1)
    assert (store.reader(1)(b"a"), store.offset(1)) == (b"2", 9)


def test_the_changelog_is_applied_in_order_and_named(store: Any) -> None:
    batches = changelog(
        (0, 4, [(b"a", b"1"), (b"b", b"1")]), (0, 9, [(b"a", b"2"), (b"b", None)]), (3, 0, [(b"c", b"3")])
    )
    store.apply_changelog_batch(batches, to_key=None, to_value=None)
    assert dict(store.rows(0)) == {b"a": b"2"}
    assert store.persisted_offset(TP("unit-rows-changelog", 0)) == 9
    assert store.applied == {0, 3}


async def test_memory_keeps_rows_over_a_rebalance_unless_they_are_revoked(
    build_app: BuildApp, settings: ShellSettings
) -> None:
    store = build_app(settings).tables["rows"].data
    for partition in (0, 1):
        store.write(partition, {b"a": b"1"}, 5)
    await store.on_rebalance(set(), {TP("unit-rows-changelog", 0), TP("facts", 1)}, set(), 1)
    assert store.offset(0) is None
    assert dict(store.rows(0)) == {}
    assert store.offset(1) == 5


async def test_rocksdb_keeps_rows_over_a_restart(build_app: BuildApp, settings: ShellSettings) -> None:
    store = rocks(build_app, settings)
    store.write(0, {b"a": b"1"}, 5)
    await store.stop()
    del store
    gc.collect()
    again = rocks(build_app, settings)
    assert again.offset(0) == 5
    assert dict(again.rows(0)) == {b"a": b"1"}


def age(path: Path, seconds: float) -> None:
    long_ago = time.time() - seconds
    for entry in path.iterdir():
        os.utime(entry, (long_ago, long_ago))


async def test_rocksdb_older_than_the_changelogs_tombstones_starts_anew(
    build_app: BuildApp, settings: ShellSettings
) -> None:
    store = rocks(build_app, settings)
    store.write(0, {b"a": b"1"}, 5)
    path: Path = store.partition_path(0)
    await store.stop()
    del store
    gc.collect()
    age(path, settings.store_max_age_seconds + 60)
    assert rocks(build_app, settings).offset(0) is None
