"""Deliveries of the doors that wait for their return: joined when it is known, raised when it takes too long."""

import base64
import json
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from schemas.codec import Codec
from schemas.exceptions import ExceptionCleared, ExceptionRaised
from schemas.facts import Delivery, ReturnEvent
from streams.sources import waiting
from streams.sources.memory import Memory
from streams.sources.publishing import Outbox
from streams.sources.returngo_rows import RmaNote
from streams.sources.source_doors import GIVE_UP_MS, DoorSource, WaitingNote
from streams.sources.waiting import HOUR_MS, WaitingRoom
from tests.unit.sources.doubles import Source, returngo_source
from tests.unit.sources.merchants import shop

BODY = {"type": "inspection", "rma": "17", "lines": [{"sku": "MUG", "quantity": 1, "grade": "sellable"}]}


class Room(msgspec.Struct):
    """A waiting room with one delivery in it."""

    base: Source
    memory: Memory
    room: WaitingRoom

    async def looks(self, later_ms: int) -> list[str]:
        """What was written by a look that much later."""
        self.base.clock.ms += later_ms
        before = len(self.base.log.written)
        await self.room.look()
        return [each.topic for each in self.base.log.written[before:]]


@pytest.fixture
async def made(tmp_path: Path) -> AsyncIterator[Room]:
    async with returngo_source(tmp_path, shop()) as base:
        memory = Memory(base.ledger, "warehouse", base.clock)
        outbox = Outbox(kafka=base.log, codec=Codec(), memory=memory, system="warehouse", now_ms=base.clock)
        source = DoorSource("warehouse", {"shop-a": shop()}, memory, Codec(), base.clock)
        delivery = Delivery(
            delivery_id="w1", merchant="shop-a", system="warehouse", event="inspection", resource_id="17", headers={},
            body=json.dumps(BODY).encode(), received_at_ms=base.clock(),
        )  # fmt: skip
        routed = await source.route(delivery)
        await outbox.facts("shop-a", routed.facts, routed.notes)
        yield Room(base, memory, WaitingRoom(source, outbox, memory, Codec(), base.clock))


async def known(made: Room) -> None:
    note = msgspec.json.encode(RmaNote(order_id="5001", read_ms=1, status="Received", units="")).decode()
    await made.base.memory.keep("shop-a", {"rma:17": note})


@pytest.mark.req("ELG-2", "INV-18")
async def test_it_joins_its_return_once_that_is_known(made: Room) -> None:
    assert await made.looks(60_000) == []
    await known(made)
    assert await made.looks(60_000) == ["return-events"]
    (fact,) = made.base.log.records("return-events")
    assert isinstance(fact, ReturnEvent)
    assert (fact.order_id, fact.rma_id) == ("5001", "17")
    assert await made.looks(60_000) == []


@pytest.mark.req("ELG-2", "EXC-4")
async def test_after_its_time_limit_it_is_raised_once_and_cleared_when_it_joins(made: Room) -> None:
    assert await made.looks(25 * HOUR_MS) == ["exceptions"]
    assert await made.looks(HOUR_MS) == []
    await known(made)
    assert await made.looks(HOUR_MS) == ["return-events", "exceptions"]
    raised, cleared = made.base.log.records("exceptions")
    assert isinstance(raised, ExceptionRaised)
    assert isinstance(cleared, ExceptionCleared)
    assert (raised.type, raised.exception_id) == ("orphan_return", cleared.exception_id)


@pytest.mark.req("EXC-6")
async def test_after_two_weeks_it_is_a_dead_letter(made: Room) -> None:
    assert await made.looks(GIVE_UP_MS + HOUR_MS) == ["warehouse-dead-letters"]
    (letter,) = [each for each in made.base.log.written if each.topic == "warehouse-dead-letters"]
    assert dict(letter.headers)["reason"] == b"unknown_return"
    assert Codec().decode_as(Delivery, letter.value).delivery_id == "w1"
    assert await made.looks(HOUR_MS) == []


@pytest.mark.req("ELG-2", "INV-18")
async def test_no_number_of_unknown_returns_holds_up_one_that_became_known(
    made: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "MOST", 2)
    first = await made.memory.listed("shop-a", "waiting:", 9)
    await made.memory.keep("shop-a", dict.fromkeys(("waiting:x", "waiting:y"), strangers()))
    made.base.clock.ms += 1
    await made.memory.keep("shop-a", dict(first))
    await known(made)
    assert [await made.looks(5_000), await made.looks(5_000)] == [[], ["return-events"]]


def strangers() -> str:
    """A delivery of a return that nobody ever heard of."""
    delivery = Delivery(
        delivery_id="w9", merchant="shop-a", system="warehouse", event="inspection", resource_id="99", headers={},
        body=json.dumps({**BODY, "rma": "99"}).encode(), received_at_ms=1_700_000_000_000,
    )  # fmt: skip
    encoded = base64.b64encode(Codec().encode(delivery)).decode()
    return msgspec.json.encode(WaitingNote(delivery=encoded, first_ms=10**13)).decode()
