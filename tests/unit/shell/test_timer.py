"""Deadlines as records, and the end of a worker that is stuck."""

import pytest
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from streams.shell.metrics import Metrics
from streams.shell.settings import ShellSettings
from streams.shell.timer import Timer
from tests.unit.shell.fakes import EchoCore, Ended, HeldProducer
from tests.unit.shell.test_agent import DictStore


class Ticking:
    def __init__(self, settings: ShellSettings) -> None:
        self.now_ms = 0
        self.producer, self.store, self.registry = HeldProducer(), DictStore(), CollectorRegistry()
        self.timer = Timer(
            settings,
            EchoCore(),
            self.producer,
            Metrics(self.registry, "unit"),
            lambda: self.now_ms,
        )

    async def tick(self, now_ms: int) -> list[tuple[str, bytes, bytes | None]]:
        self.now_ms, before = now_ms, len(self.producer.taken)
        await self.timer.tick(self.store, lambda store, partition: store.reader(partition), {0})
        return [(each.topic, each.key, each.value) for each in self.producer.taken[before:]]

    def value(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(f"returnflow_agent_{name}", {"agent": "unit", **labels})


@pytest.fixture
def ticking(settings: ShellSettings) -> Ticking:
    return Ticking(settings)


async def test_deadlines_of_recovered_rows_are_produced_when_due(ticking: Ticking) -> None:
    ticking.store.kept = {b"a": b"100", b"b": b"200", b"c": b"never"}
    ticking.timer.assigned()
    await ticking.timer.recovered(ticking.store, {0})
    assert await ticking.tick(99) == []
    assert await ticking.tick(150) == [("deadlines", b"a", b"100")]
    assert await ticking.tick(200) == [("deadlines", b"b", b"200")]
    assert ticking.value("rows") == 3
    assert ticking.value("deadlines_total") == 2
    assert ticking.value("recovery_seconds_count") == 1


async def test_a_deadline_of_a_row_that_is_gone_is_dropped(ticking: Ticking) -> None:
    ticking.store.kept = {b"a": b"100"}
    await ticking.timer.recovered(ticking.store, {0})
    ticking.store.kept.clear()
    assert await ticking.tick(150) == []
    assert len(ticking.timer.deadlines) == 0


async def test_an_unreadable_row_does_not_stop_the_others_and_is_told_and_counted(ticking: Ticking) -> None:
    ticking.store.kept = {b"a": b"unreadable", b"b": b"100", b"c": b"100"}
    with capture_logs() as lines:
        await ticking.timer.recovered(ticking.store, {0})
        ticking.store.kept[b"b"] = b"unreadable"
        assert await ticking.tick(150) == [("deadlines", b"c", b"100")]
    assert [(line["event"], line["key"], line["asked"]) for line in lines] == [
        ("row_failed", "a", "due"), ("row_failed", "b", "reached"),
    ]  # fmt: skip
    assert ticking.value("row_failures_total", asked="due") == 1
    assert ticking.value("row_failures_total", asked="reached") == 1


async def test_rows_that_another_worker_changed_are_taken_up_again(ticking: Ticking) -> None:
    ticking.store.kept = {b"a": b"100"}
    await ticking.timer.recovered(ticking.store, {0})
    ticking.store.kept = {b"a": b"300"}
    ticking.store.applied = {0, 7}
    await ticking.timer.recovered(ticking.store, {0})
    assert await ticking.tick(299) == []
    assert await ticking.tick(300) == [("deadlines", b"a", b"300")]


@pytest.mark.parametrize(
    ("unsettled", "uncommitted", "says"),
    [(121.0, 0.0, "a batch is unsettled for 121 s"), (0.0, 121.0, "settled work is uncommitted for 121 s")],
)
def test_a_worker_that_is_stuck_ends(
    ticking: Ticking, unsettled: float, uncommitted: float, says: str, caplog: pytest.LogCaptureFixture
) -> None:
    ticking.timer.stop_if_stuck(119.0, 119.0)
    with pytest.raises(Ended):
        ticking.timer.stop_if_stuck(unsettled, uncommitted)
    assert says in caplog.text
