"""The table's stores: per partition, exactly the rows of a prefix of its changelog. Touches the data directory.

Faust's own stores write a row before its changelog record is acknowledged, so after a crash a row may be there that
Kafka never got. Here rows and the offset of their last changelog record go in together, after the acknowledgement.
"""

import math
import shutil
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

import faust
import rocksdict
from faust.stores.memory import Store as FaustMemory
from faust.stores.rocksdb import Store as FaustRocksDB
from faust.types import TP

from schemas import clock, disks
from schemas.startup import DiskFull
from streams.shell.batch import Read
from streams.shell.stop import stop

Rows = Mapping[bytes, bytes | None]


class RowStore(Protocol):
    """What the shell needs of a store. `applied` names partitions whose rows came from the changelog, not from us."""

    applied: set[int]

    def reader(self, partition: int) -> Read:
        """Row of a key, or None."""

    def write(self, partition: int, rows: Rows, offset: int) -> None:
        """Rows (None deletes) and the offset of their last changelog record, atomically."""

    def offset(self, partition: int) -> int | None:
        """Offset of the last changelog record that is in the store."""

    def rows(self, partition: int) -> Iterator[tuple[bytes, bytes]]:
        """All rows of a partition."""


def _apply(store: RowStore, events: Iterable[Any]) -> None:
    """Recovery and standbys: a changelog batch is one event; its rows and its last offset go in together."""
    for event in events:
        message = event.message
        store.write(message.partition, {record.key: record.value for record in message.value}, message.offset)
        store.applied.add(message.partition)


class MemoryRows(FaustMemory[bytes, bytes]):
    """Rows in memory. Remembers its offsets while the process lives, so a rebalance re-reads only what is new."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.applied: set[int] = set()
        self._rows: dict[int, dict[bytes, bytes]] = defaultdict(dict)
        self._offsets: dict[int, int] = {}

    def reader(self, partition: int) -> Read:
        return self._rows[partition].get

    def write(self, partition: int, rows: Rows, offset: int) -> None:
        mine = self._rows[partition]
        for key, row in rows.items():
            if row is None:
                mine.pop(key, None)
            else:
                mine[key] = row
        self._offsets[partition] = offset

    def offset(self, partition: int) -> int | None:
        return self._offsets.get(partition)

    def rows(self, partition: int) -> Iterator[tuple[bytes, bytes]]:
        return iter(self._rows[partition].items())

    def apply_changelog_batch(self, batch: Iterable[Any], to_key: object, to_value: object) -> None:  # noqa: ARG002
        _apply(self, batch)

    def persisted_offset(self, tp: TP) -> int | None:
        return self.offset(tp.partition)

    async def on_rebalance(self, assigned: set[TP], revoked: set[TP], *_: object) -> None:  # noqa: ARG002
        for tp in revoked:
            if tp.topic in self.table.changelog_topic.topics:
                self._rows.pop(tp.partition, None)
                self._offsets.pop(tp.partition, None)

    async def on_recovery_completed(self, active_tps: set[TP], standby_tps: set[TP]) -> None:
        """Rows are ready as they are."""


class RocksRows(FaustRocksDB):
    """Rows in one RocksDB per partition; Faust opens, locks and closes them."""

    def __init__(self, *args: Any, max_age_seconds: float, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.applied: set[int] = set()
        self._max_age_seconds = max_age_seconds

    def reader(self, partition: int) -> Read:
        get: Read = self._db_for_partition(partition).get
        return get

    def write(self, partition: int, rows: Rows, offset: int) -> None:
        batch = rocksdict.WriteBatch(raw_mode=True)
        for key, row in rows.items():
            if row is None:
                batch.delete(key)
            else:
                batch.put(key, row)
        batch.put(self.offset_key, b"%d" % offset)
        self._db_for_partition(partition).write(batch)

    def offset(self, partition: int) -> int | None:
        value = self._db_for_partition(partition).get(self.offset_key)
        return None if value is None else int(value)

    def rows(self, partition: int) -> Iterator[tuple[bytes, bytes]]:
        for key, row in self._db_for_partition(partition).items():
            if key != self.offset_key:
                yield key, row

    def apply_changelog_batch(self, batch: Iterable[Any], to_key: object, to_value: object) -> None:  # noqa: ARG002
        _apply(self, batch)

    def _open_for_partition(self, partition: int) -> Any:
        path = self.partition_path(partition)
        if _age_seconds(path) > self._max_age_seconds:  # it may lack deletions that compaction has dropped since
            shutil.rmtree(path)
        with _Room(path):
            return super()._open_for_partition(partition)


class _Room:
    """Ends the process when there is no room for a store: Faust would try to open it again, and say nothing of why."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        """Nothing to prepare."""

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if error is not None and disks.no_room(error, self._path):
            stop(f"opening its tables: {disks.told(self._path, 'RETURNFLOW_DATA_DIR')}", DiskFull.status)


def _age_seconds(path: Path) -> float:
    """Since it was written last. A time ahead of now says that the clock was set back since: then nobody knows, and it
    is older than any limit."""
    written = [entry.stat().st_mtime for entry in path.iterdir()] if path.is_dir() else []
    if not written:
        return 0.0
    age = clock.wall_ms() / 1000 - max(written)
    return age if age > -clock.TOLERANCE_MS / 1000 else math.inf


class BatchTable(faust.Table[bytes, bytes]):
    """A Faust table on one of the stores above."""

    def __init__(self, *args: Any, max_age_seconds: float, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._max_age_seconds = max_age_seconds

    def info(self) -> Mapping[str, Any]:
        return {**super().info(), "max_age_seconds": self._max_age_seconds}

    def _new_store(self) -> Any:
        url = self._store or self.app.conf.store
        same = {"table_name": self.name, "key_type": bytes, "value_type": bytes}
        raw = {"key_serializer": "raw", "value_serializer": "raw"}
        if url.scheme == "memory":
            return MemoryRows(url, self.app, self, **same, **raw)
        # the store takes options out of the mapping that it is given: a copy
        options = dict(self.options or {})
        return RocksRows(url, self.app, self, **same, **raw, options=options, max_age_seconds=self._max_age_seconds)
