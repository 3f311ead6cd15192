"""The order of work of a batch: nothing is stored before it is delivered, nothing is settled before it is stored."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import msgspec
import pytest
from faust.types import TP
from prometheus_client import CollectorRegistry

from streams.shell.agent import BatchAgent
from streams.shell.batch import Decider
from streams.shell.consumer import Batch
from streams.shell.metrics import Metrics
from streams.shell.settings import ShellSettings
from streams.shell.timer import Timer
from tests.unit.shell.fakes import EVERYTHING, EchoCore, Ended, Failure, HeldProducer, Raw

CHANGELOG = "unit-rows-changelog"


class DictStore:
    def __init__(self) -> None:
        self.applied: set[int] = set()
        self.kept: dict[bytes, bytes | None] = {}
        self.at: int | None = None

    def reader(self, partition: int) -> Any:
        return self.kept.get

    def write(self, partition: int, rows: Any, offset: int) -> None:
        self.kept.update(rows)
        self.at = offset

    def offset(self, partition: int) -> int | None:
        return self.at

    def rows(self, partition: int) -> Iterator[tuple[bytes, bytes]]:
        return iter((key, row) for key, row in self.kept.items() if row is not None)


class Event(msgspec.Struct):
    message: Batch


class Bench:
    """An agent with its neighbours in memory. `give` hands it a batch, `acked` lists what it has settled."""

    def __init__(self, settings: ShellSettings) -> None:
        self.producer, self.data, self.acked = HeldProducer(), DictStore(), list[Event]()
        self.registry = CollectorRegistry()
        metrics = Metrics(self.registry, "unit")
        decider = Decider(EchoCore(), "dead-{}".format, unexpected_limit=5, max_bytes=1000, clock=lambda: 0)
        self.agent = BatchAgent(settings, decider, self.producer, metrics)
        self.timer = Timer(settings, EchoCore(), self.producer, metrics, lambda: 0)
        self.one_more = asyncio.Event()
        self._events: asyncio.Queue[Event] = asyncio.Queue()
        self._offset = 0
        self.tasks = [
            asyncio.create_task(self.agent.decide_all(self, self, self.timer)),
            asyncio.create_task(self.agent.write_all()),
            asyncio.create_task(self.agent.settle_all(self, self)),
        ]

    def noack(self) -> "Bench":
        return self

    async def events(self) -> AsyncIterator[Event]:
        while True:
            yield await self._events.get()

    async def ack(self, event: Event) -> None:
        assert event.message.done
        self.acked.append(event)
        self.one_more.set()

    async def give(self, **values: bytes) -> None:
        """A batch of one record per key."""
        records = [
            Raw("facts", 0, self._offset + n, key.encode(), value) for n, (key, value) in enumerate(values.items())
        ]
        self._offset += len(records)
        self._events.put_nowait(Event(Batch(TP("facts", 0), records, 1)))
        await asyncio.sleep(0.01)

    async def give_and_end(self, **values: bytes) -> None:
        await self.give(**values)
        async with asyncio.timeout(2):
            await asyncio.gather(*self.tasks)

    async def settled(self, count: int) -> None:
        async with asyncio.timeout(2):
            while len(self.acked) < count:
                self.one_more.clear()
                await self.one_more.wait()

    def sent(self, topic: str) -> list[tuple[bytes, bytes | None, int]]:
        return [(each.key, each.value, each.partition) for each in self.producer.taken if each.topic == topic]

    def value(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(f"returnflow_agent_{name}", {"agent": "unit", **labels})


@pytest.fixture
async def bench(settings: ShellSettings) -> AsyncIterator[Bench]:
    made = Bench(settings)
    await asyncio.sleep(0)
    yield made
    for task in made.tasks:
        task.cancel()
    await asyncio.gather(*made.tasks, return_exceptions=True)


async def test_rows_wait_for_outputs_and_settling_for_rows(bench: Bench) -> None:
    bench.producer.acknowledging = 0
    await bench.give(a=b"1", b=b"2")
    assert bench.sent("answers") == [(b"a", b"->1", -1), (b"b", b"->2", -1)]
    bench.producer.acknowledging = 1
    await asyncio.sleep(0.01)
    assert bench.sent(CHANGELOG) == []  # a row that knows what nobody was told would keep it from being told for good
    bench.producer.acknowledging = 1
    await asyncio.sleep(0.01)
    assert bench.sent(CHANGELOG) == [(b"a", b"1", 0), (b"b", b"2", 0)]
    assert (bench.data.kept, bench.acked) == ({}, [])
    bench.producer.acknowledging = EVERYTHING
    await bench.settled(1)
    assert bench.data.kept == {b"a": b"1", b"b": b"2"}
    assert bench.data.at == 1


async def test_the_next_batch_sees_rows_that_are_not_stored_yet(bench: Bench) -> None:
    bench.producer.acknowledging = 0
    await bench.give(a=b"1")
    await bench.give(a=b"2")
    assert bench.sent("answers")[1] == (b"a", b"1>2", -1)
    bench.producer.acknowledging = EVERYTHING
    await bench.settled(2)
    await bench.give(a=b"3")
    assert bench.sent("answers")[2] == (b"a", b"2>3", -1)


async def test_the_window_is_bounded(bench: Bench, settings: ShellSettings) -> None:
    bench.producer.acknowledging = 0
    for _ in range(settings.window_batches + 5):
        await bench.give(a=b"1")
    # the window, one batch that is being settled and one that waits to enter
    assert len(bench.sent("answers")) == settings.window_batches + 2


async def test_a_full_producer_queue_is_waited_for(bench: Bench) -> None:
    bench.producer.full = 3
    await bench.give(a=b"1")
    await bench.settled(1)
    assert bench.sent("answers") == [(b"a", b"->1", -1)]


async def test_what_was_settled_is_counted(bench: Bench) -> None:
    await bench.give(a=b"1", b=b"2")
    await bench.settled(1)
    assert bench.value("facts_total", topic="facts") == 2
    assert bench.value("outputs_total", topic="answers") == 2
    assert bench.value("batch_records_sum") == 2


async def test_a_failed_delivery_ends_the_process_and_settles_nothing(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    bench.producer.failure = Failure("Local: Message timed out")
    with pytest.raises(Ended) as ended:
        await bench.give_and_end(a=b"1")
    assert ended.value.args == (70,)
    assert "Kafka did not take a record for answers: Local: Message timed out" in caplog.text
    assert bench.acked == []


async def test_records_of_another_writer_in_the_changelog_end_the_process(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    await bench.give(a=b"1")
    await bench.settled(1)
    bench.producer.next_offset[CHANGELOG] += 1  # somebody else has written
    with pytest.raises(Ended):
        await bench.give_and_end(a=b"2")
    assert "has records of another worker: expected offset 1 for the last of 1 rows, got 2" in caplog.text
    assert bench.data.kept == {b"a": b"1"}


async def test_a_worker_that_was_frozen_sends_nothing_more(
    settings: ShellSettings, caplog: pytest.LogCaptureFixture
) -> None:
    bench = Bench(msgspec.structs.replace(settings, session_timeout_seconds=0.5, heartbeat_seconds=0.1))
    pulse = asyncio.create_task(bench.agent.pulse())
    await bench.give(a=b"1")
    time.sleep(0.45)  # noqa: ASYNC251  # the fault itself: nothing runs, the pulse neither
    with pytest.raises(Ended):
        await bench.give_and_end(a=b"2")
    pulse.cancel()
    assert "the partitions may belong to another worker" in caplog.text
    assert bench.sent("answers") == [(b"a", b"->1", -1)]


async def test_a_worker_without_work_notices_its_freeze_too(
    settings: ShellSettings, caplog: pytest.LogCaptureFixture
) -> None:
    bench = Bench(msgspec.structs.replace(settings, session_timeout_seconds=0.5, heartbeat_seconds=0.1))
    pulse = asyncio.create_task(bench.agent.pulse())
    await asyncio.sleep(0.01)
    time.sleep(0.45)  # noqa: ASYNC251  # the fault itself
    with pytest.raises(Ended):
        await pulse
    assert "frozen for 0." in caplog.text


async def test_a_store_that_cannot_be_written_ends_the_process(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def disk_full(*_: object) -> None:
        raise Exception("IO error: No space left on device: While appending")  # noqa: TRY002  as RocksDB says it

    monkeypatch.setattr(bench.data, "write", disk_full)
    with pytest.raises(Ended) as ended:
        await bench.give_and_end(a=b"1")
    assert ended.value.args == (74,)
    assert "settling: the disk that holds" in caplog.text
    assert bench.acked == []
