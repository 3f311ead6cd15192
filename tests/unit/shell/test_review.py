"""Rows that were decided on by rules that hold no more are decided on anew: all of them, some a second."""

import pytest
from prometheus_client import CollectorRegistry

from streams.shell.contract import Output
from streams.shell.metrics import Metrics
from streams.shell.review import Review
from streams.shell.settings import ShellSettings
from streams.shell.timer import Timer
from tests.unit.shell.fakes import EchoCore, HeldProducer
from tests.unit.shell.test_agent import DictStore


class Versions:
    """Rules with a version; a row says the one that it was decided by, as `<version>` or `closed`."""

    def __init__(self) -> None:
        self.version, self._seen = b"1", b"1"
        self.wrong: list[Output] = []

    def look(self) -> bool:
        changed, self._seen = self.version != self._seen, self.version
        return changed

    def news(self) -> list[Output]:
        return list(self.wrong)

    def told(self) -> None:
        self.wrong.clear()

    def stale(self, key: bytes, row: bytes) -> bool:
        if row == b"unreadable":
            raise ValueError(row)
        return row not in (b"closed", self.version)

    def again(self, key: bytes, row: bytes) -> Output | None:
        return Output(topic="again", key=key, value=self.version)


class Reviewing:
    def __init__(self, settings: ShellSettings) -> None:
        self.producer, self.store, self.registry = HeldProducer(), DictStore(), CollectorRegistry()
        self.rules, self.on_their_way = Versions(), list[tuple[bytes, bytes | None]]()
        metrics = Metrics(self.registry, "unit")
        self.timer = Timer(settings, EchoCore(), self.producer, metrics, lambda: 0)
        self.review = Review(settings.table, self.rules, self.producer, metrics, 2, self.timer.found)
        self.timer.tell(self.review.seen)
        self.active = {0}

    async def tick(self) -> list[tuple[str, bytes]]:
        before = len(self.producer.taken)
        await self.review.tick(
            self.store, lambda *_: {**self.store.kept, **dict(self.on_their_way)}.get, lambda _: self.on_their_way,
            lambda: self.active,
        )  # fmt: skip
        return [(each.topic, each.key) for each in self.producer.taken[before:]]

    def waiting(self) -> float | None:
        return self.registry.get_sample_value("returnflow_agent_to_review", {"agent": "unit"})


@pytest.fixture
def reviewing(settings: ShellSettings) -> Reviewing:
    return Reviewing(settings)


async def test_a_change_has_every_open_row_decided_on_anew_some_a_second(reviewing: Reviewing) -> None:
    reviewing.store.kept = {b"a": b"1", b"b": b"closed", b"c": b"1", b"d": b"unreadable", b"e": b"1"}
    assert await reviewing.tick() == []
    reviewing.rules.version = b"2"
    assert await reviewing.tick() == [("again", b"a"), ("again", b"c")]
    assert reviewing.waiting() == 1
    assert await reviewing.tick() == [("again", b"e")]
    assert await reviewing.tick() == []
    assert reviewing.registry.get_sample_value("returnflow_agent_reviews_total", {"agent": "unit"}) == 3


async def test_a_row_that_was_decided_on_meanwhile_is_left_alone(reviewing: Reviewing) -> None:
    reviewing.store.kept = {b"a": b"1", b"b": b"1", b"c": b"1"}
    reviewing.rules.version = b"2"
    await reviewing.tick()
    reviewing.store.kept[b"c"] = b"2"
    assert await reviewing.tick() == []


async def test_a_row_that_is_not_stored_yet_is_not_forgotten(reviewing: Reviewing) -> None:
    reviewing.on_their_way = [(b"new", b"1"), (b"gone", None)]
    reviewing.rules.version = b"2"
    assert await reviewing.tick() == [("again", b"new")]


async def test_who_takes_a_partition_over_finds_what_was_decided_by_old_rules(reviewing: Reviewing) -> None:
    reviewing.store.kept = {b"a": b"0", b"b": b"1"}
    await reviewing.timer.recovered(reviewing.store, {0})
    assert await reviewing.tick() == [("again", b"a")]


async def test_nothing_is_said_about_partitions_that_went(reviewing: Reviewing) -> None:
    reviewing.store.kept = {b"a": b"0"}
    await reviewing.timer.recovered(reviewing.store, {0})
    reviewing.active = {1}
    reviewing.store.kept = {}
    assert await reviewing.tick() == []
    assert reviewing.waiting() == 0


async def test_a_deadline_that_was_dropped_for_want_of_rules_is_taken_up_again(reviewing: Reviewing) -> None:
    reviewing.store.kept = {b"a": b"100"}
    await reviewing.timer.recovered(reviewing.store, {0})
    reviewing.timer.deadlines.drop(0, b"a")
    reviewing.rules.version = b"100"
    await reviewing.tick()
    assert [key for _, key, _ in reviewing.timer.deadlines.reached(100, 10)] == [b"a"]


async def test_what_is_wrong_with_rules_is_told_once(reviewing: Reviewing) -> None:
    reviewing.rules.wrong = [Output(topic="exceptions", key=b"x", value=b"broken")]
    assert await reviewing.tick() == [("exceptions", b"x")]
    assert await reviewing.tick() == []
