"""From consumed records to settled ones: what is routed, set aside, and what a rebalance makes void."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiokafka import TopicPartition
from aiokafka.structs import ConsumerRecord

from schemas import ids
from schemas.codec import Codec
from schemas.endpoints import Joined
from schemas.exceptions import ExceptionCleared, ExceptionRaised
from schemas.facts import Delivery
from sinks.ledger.ledger import Unstorable
from streams.sources.again import Again
from streams.sources.bad_deliveries import BadDeliveries
from streams.sources.consuming import MOST_FAILURES, Consuming
from streams.sources.progress import Progress
from streams.sources.signals import Signals
from streams.sources.strangers import Strangers
from streams.sources.troubles import Troubles
from streams.sources.work import Routed, Unexpected
from tests.unit.sources.doubles import Source, returngo_source
from tests.unit.sources.merchants import shop
from tests.unit.sources.payloads import RMA_ID, rma

TOPIC = "returngo-deliveries"
MINE = TopicPartition(TOPIC, 0)


class Consumer:
    """Kafka's consumer as far as it is asked: hands out what a test puts in, remembers what was committed."""

    def __init__(self) -> None:
        self.coming: asyncio.Queue[list[Any]] = asyncio.Queue()
        self.mine = {MINE}
        self.committed: dict[Any, int] = {}

    async def getmany(self, timeout_ms: int, max_records: int) -> dict[Any, list[Any]]:
        return {MINE: await self.coming.get()}

    async def commit(self, offsets: dict[Any, int]) -> None:
        self.committed |= offsets

    def assignment(self) -> set[TopicPartition]:
        return self.mine

    def paused(self) -> set[TopicPartition]:
        return set()


class Running(msgspec.Struct):
    """A source that consumes."""

    base: Source
    consumer: Consumer
    consuming: Consuming
    progress: Progress
    work: list[asyncio.Task[None]]

    async def settled(self, left: int = 0) -> None:
        async with asyncio.timeout(10):
            while self.progress.unsettled > left or not self.consumer.coming.empty():  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        await self.consuming.commit()


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Running]:
    async with returngo_source(tmp_path, shop(coalesce_seconds=0.0)) as base:
        base.store.rmas[RMA_ID] = rma()
        consumer, progress = Consumer(), Progress()
        strangers = Strangers("returngo", Again(base.memory), Troubles(base.outbox, base.memory, base.clock))
        bad = BadDeliveries(base.outbox, base.memory, base.clock)
        signals = Signals("returngo", base.desk, progress, base.clock)
        consuming = Consuming(
            consumer=consumer, source=base.reader, trigger=None, signals=signals, outbox=base.outbox,
            progress=progress, strangers=strangers, bad=bad, codec=Codec(), now_ms=base.clock,
            joined=Joined(),
        )  # fmt: skip
        work = [asyncio.create_task(each) for each in (consuming.run(), signals.run())]
        yield Running(base, consumer, consuming, progress, work)
        for each in work:
            each.cancel()
        await asyncio.gather(*work, return_exceptions=True)
        await signals.drain(0)


def delivery(rma_id: str = RMA_ID, merchant: str = "shop-a") -> Delivery:
    body = b'{"eventName": "RMA_STATUS_UPDATED", "rmaId": "%s"}' % rma_id.encode()
    return Delivery(
        delivery_id=ids.digest(body), merchant=merchant, system="returngo", event="RMA_STATUS_UPDATED",
        resource_id=rma_id, headers={}, body=body, received_at_ms=1,
    )  # fmt: skip


def record(offset: int, value: Delivery | bytes | None, **changed: Any) -> Any:
    data = Codec().encode(value) if isinstance(value, Delivery) else value
    fields = {"timestamp": 1, "key": b"k", "headers": (("kept", b"yes"),)} | changed
    return ConsumerRecord(
        topic=TOPIC, partition=0, offset=offset, timestamp_type=0, value=data, checksum=None, serialized_key_size=1,
        serialized_value_size=1, **fields,
    )  # fmt: skip


async def test_a_delivery_is_read_and_committed(running: Running) -> None:
    running.consumer.coming.put_nowait([record(4, delivery())])
    await running.settled()
    assert [each.topic for each in running.base.log.written] == ["return-events"] * 2
    assert running.consumer.committed == {MINE: 5}


@pytest.mark.req("EXC-6")
@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, b"undecodable"),
        (b"\x07", b"undecodable"),
        (b"\x00\x00\x0f\x42\x3fxx", b"undecodable"),  # a schema id that nobody knows
        (msgspec.structs.replace(delivery(), system="shopify"), b"wrong_system"),
    ],
)
async def test_what_is_no_delivery_is_set_aside_and_the_next_one_read(
    running: Running, value: Any, reason: bytes
) -> None:
    running.consumer.coming.put_nowait([record(4, value), record(5, delivery())])
    await running.settled()
    (letter,) = [each for each in running.base.log.written if each.topic == "returngo-dead-letters"]
    bytes_of_it = record(4, value).value
    assert (letter.key, letter.value, dict(letter.headers)["reason"]) == (b"k", bytes_of_it, reason)
    assert dict(letter.headers)["kept"] == b"yes"
    assert (running.base.store.read(RMA_ID), running.consumer.committed) == (1, {MINE: 6})


@pytest.mark.req("EXC-6")
async def test_a_record_that_makes_our_code_raise_is_set_aside_and_told_without_what_it_holds(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def bug(delivery: Delivery) -> Routed:
        raise KeyError("Jane Doe")

    with monkeypatch.context() as patched:
        patched.setattr(running.base.reader, "route", bug)
        running.consumer.coming.put_nowait([record(4, delivery())])
        await running.settled()
    running.consumer.coming.put_nowait([record(5, delivery())])
    await running.settled()
    (letter,) = [each for each in running.base.log.written if each.topic == "returngo-dead-letters"]
    (raised,) = running.base.log.records("exceptions")
    assert isinstance(raised, ExceptionRaised)
    headers = dict(letter.headers)
    assert (letter.value, headers["reason"]) == (record(4, delivery()).value, b"unexpected")
    assert headers["error"].startswith(b"KeyError at consuming.py:")
    assert "Jane" not in raised.detail + str(headers)
    assert (running.base.store.read(RMA_ID), running.consumer.committed) == (1, {MINE: 6})


async def test_a_release_that_fails_on_everything_ends_and_does_not_empty_the_topic(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def bug(delivery: Delivery) -> Routed:
        raise TypeError

    monkeypatch.setattr(running.base.reader, "route", bug)
    running.consumer.coming.put_nowait([record(each, delivery()) for each in range(4, 104)])
    async with asyncio.timeout(10):
        with pytest.raises(Unexpected, match="unexpected"):
            await running.work[0]
    await running.consuming.commit()
    letters = [each for each in running.base.log.written if each.topic == "returngo-dead-letters"]
    assert (len(letters), running.consumer.committed[MINE]) == (MOST_FAILURES - 1, 4 + MOST_FAILURES - 1)


@pytest.mark.req("EXC-4", "OPS-3")
async def test_what_comes_for_a_merchant_without_a_file_waits_for_the_file_and_is_told_once(running: Running) -> None:
    lost = [record(4 + each, delivery(str(100 + each % 3), "shop-lost")) for each in range(30)]
    running.consumer.coming.put_nowait([*lost, record(34, delivery())])
    await running.settled()
    base = running.base
    assert (running.consumer.committed, base.store.read(RMA_ID)) == ({MINE: 35}, 1)
    raised = [each for each in base.log.records("exceptions") if isinstance(each, ExceptionRaised)]
    assert [(each.type, each.merchant) for each in raised] == [("misconfigured", "shop-lost")]
    assert [each for each in base.log.written if each.topic == "returngo-dead-letters"] == []
    again = Again(base.memory)
    waiting = await again.due("shop-lost", base.clock())
    assert {each.name for each in waiting} == {"100", "101", "102"}
    # its file is there again
    await Strangers("returngo", again, Troubles(base.outbox, base.memory, base.clock)).known(["shop-a", "shop-lost"])
    cleared = base.log.records("exceptions")[-1]
    assert isinstance(cleared, ExceptionCleared)
    assert cleared.exception_id == raised[0].exception_id


async def test_a_dead_letter_that_cannot_be_written_ends_the_worker_and_holds_the_offset(running: Running) -> None:
    running.base.log.broken = OSError("gone")
    running.consumer.coming.put_nowait([record(4, b"\x07")])
    async with asyncio.timeout(10):
        with pytest.raises(OSError, match="gone"):
            await running.work[0]
    await running.consuming.commit()
    assert running.consumer.committed.get(MINE, 4) == 4


async def test_what_was_under_way_when_its_partition_went_is_consumed_again_before_it_is_committed(
    running: Running,
) -> None:
    running.base.store.broken = {RMA_ID}
    running.consumer.coming.put_nowait([record(4, delivery())])
    await running.settled(left=1)
    await running.consuming.on_partitions_revoked([MINE])
    await running.consuming.on_partitions_assigned([MINE])
    assert running.progress.unsettled == 0
    running.consumer.coming.put_nowait([record(4, delivery())])
    await running.settled(left=1)
    assert running.consumer.committed.get(MINE, 4) == 4
    running.base.store.broken = set()
    await running.settled()
    assert (running.consumer.committed, running.base.log.written[0].topic) == ({MINE: 5}, "return-events")


async def test_records_that_a_rebalance_overtakes_are_left_to_the_next_owner(running: Running) -> None:
    await asyncio.sleep(0)  # it waits for records now
    running.consumer.coming.put_nowait([record(4, delivery())])
    await asyncio.create_task(running.consuming.on_partitions_revoked([MINE]))  # before its turn to be routed
    await running.settled()
    assert (running.base.store.calls, running.consumer.committed.get(MINE, 4)) == ([], 4)
    running.consumer.coming.put_nowait([record(4, delivery())])
    await running.settled()
    assert (running.base.store.read(RMA_ID), running.consumer.committed) == (1, {MINE: 5})


@pytest.mark.req("EXC-4", "EXC-6")
async def test_a_record_of_which_nothing_is_told_but_its_place_is_set_aside_now(running: Running) -> None:
    headers = (("first-seen-ms", None), ("attempts", None), ("own", None))
    bare = record(4, None, timestamp=-1, key=None, headers=headers)
    running.consumer.coming.put_nowait([bare, record(5, delivery())])
    before = running.base.clock()
    await running.settled()
    (letter,) = [each for each in running.base.log.written if each.topic == "returngo-dead-letters"]
    told = dict(letter.headers)
    assert (letter.key, letter.value, told["own"], told["source-timestamp-ms"]) == (None, None, b"", b"-1")
    assert before <= int(told["first-seen-ms"]) <= int(told["last-seen-ms"])
    (raised,) = running.base.log.records("exceptions")
    assert isinstance(raised, ExceptionRaised)
    assert raised.since_ms >= before
    assert running.consumer.committed == {MINE: 6}


@pytest.mark.req("EXC-4", "EXC-6")
@pytest.mark.parametrize("place", ["route", "facts"])
async def test_however_many_records_hold_what_the_ledger_refuses_each_is_set_aside(
    running: Running, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    async def refuses(*_: object, **__: object) -> Any:
        raise Unstorable("expected values that the ledger can hold, it refused one (DataError)")

    noted = Routed(result="waits", merchant="shop-a", notes={"waiting:1": "{}"})

    async def routed(delivery: Delivery) -> Routed:
        return noted if delivery.merchant == "shop-a" else await refuses()

    many = MOST_FAILURES + 5
    with monkeypatch.context() as patched:
        if place == "route":
            patched.setattr(running.base.reader, "route", refuses)
        else:
            patched.setattr(running.base.reader, "route", routed)
            patched.setattr(running.base.outbox, "facts", refuses)
        running.consumer.coming.put_nowait([record(4 + each, delivery()) for each in range(many)])
        await running.settled()
    running.consumer.coming.put_nowait([record(4 + many, delivery())])
    await running.settled()
    letters = [each for each in running.base.log.written if each.topic == "returngo-dead-letters"]
    assert [dict(each.headers)["reason"] for each in letters] == [b"unstorable"] * many
    assert (running.base.store.read(RMA_ID), running.consumer.committed) == (1, {MINE: 5 + many})
