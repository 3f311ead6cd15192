"""Faults of our own code while reading: seen by people, counted, tried again, and no trouble for the neighbours."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import REGISTRY

from schemas.exceptions import ExceptionCleared, ExceptionRaised
from sinks.ledger.ledger import Unstorable
from sinks.publish import TooLarge
from streams.sources import returngo
from streams.sources.again import FIRST_MS, Again
from streams.sources.desk import MOST_SET_ASIDE, Desk
from streams.sources.poll_returngo import RmaPoll
from streams.sources.work import Learnt, Resource, Unexpected
from tests.unit.sources.doubles import Source, returngo_source
from tests.unit.sources.merchants import shop
from tests.unit.sources.payloads import RMA_ID, rma

RMA = Resource(merchant="shop-a", kind="rma", name=RMA_ID)


@pytest.fixture
async def source(tmp_path: Path) -> AsyncIterator[Source]:
    async with returngo_source(tmp_path, shop()) as made:
        made.store.rmas[RMA_ID] = rma()
        yield made


def bug(*_: object, **__: object) -> Any:
    """What a slip in a normaliser does with what a customer wrote."""
    raise KeyError("Jane Doe")


def counted() -> float:
    return REGISTRY.get_sample_value("returnflow_source_unexpected_total", {"system": "returngo"}) or 0.0


@pytest.mark.req("EXC-1", "EXC-4")
async def test_a_fault_is_told_once_with_its_place_and_over_when_the_resource_is_read(
    source: Source, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    again, before = Again(source.memory), counted()
    with monkeypatch.context() as patched:
        patched.setattr(returngo, "events", bug)
        await source.desk.read(RMA, "effect", "signal")  # settles its record: it waits in the ledger
        assert await again.due("shop-a", source.clock()) == []
        source.clock.ms += FIRST_MS
        assert await again.due("shop-a", source.clock()) == [RMA]
        await source.desk.read(RMA, "news", "again")
    source.clock.ms += FIRST_MS
    assert await again.due("shop-a", source.clock()) == []  # twice as long this time
    (raised,) = source.log.records("exceptions")
    assert isinstance(raised, ExceptionRaised)
    assert (raised.type, raised.owner, raised.merchant) == ("undecodable", "integration", "shop-a")
    assert f"rma {RMA_ID}" in raised.detail
    assert "KeyError at source_returngo.py:" in raised.detail
    assert counted() - before == 2
    told = capsys.readouterr().out
    assert "KeyError at source_returngo.py:" in told
    assert "Jane" not in told + raised.detail
    await source.desk.read(RMA, "news", "again")
    _, cleared = source.log.records("exceptions")
    assert isinstance(cleared, ExceptionCleared)
    assert (cleared.exception_id, len(source.log.records("return-events"))) == (raised.exception_id, 2)
    source.clock.ms += 10 * FIRST_MS
    assert await again.due("shop-a", source.clock()) == []


async def test_a_release_that_can_read_nothing_leaves_the_records_unsettled_and_floods_nobody(
    source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    resources = [Resource(merchant="shop-a", kind="rma", name=str(number)) for number in range(MOST_SET_ASIDE + 3)]
    for each in resources:
        source.store.rmas[each.name] = {**rma(), "rmaSummary": {**rma()["rmaSummary"], "rmaId": each.name}}
    with monkeypatch.context() as patched:
        patched.setattr(returngo, "events", bug)
        for each in resources[:MOST_SET_ASIDE]:
            await source.desk.read(each, "effect", "signal")
        for each in resources[MOST_SET_ASIDE:]:
            with pytest.raises(Unexpected):
                await source.desk.read(each, "effect", "signal")
        assert len(source.log.records("exceptions")) == MOST_SET_ASIDE
    for each in resources:  # rolled back
        await source.desk.read(each, "effect", "signal")
    assert len(source.log.records("exceptions")) == 2 * MOST_SET_ASIDE
    assert len(source.log.records("return-events")) == 2 * len(resources)


@pytest.mark.req("EXC-1")
async def test_a_fault_in_a_poll_is_told_once_and_the_poll_begins_again_where_it_began(
    source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = shop().systems.returngo
    assert store is not None
    poll = RmaPoll("shop-a", store, source.transport, source.memory)
    source.store.changed = [{"rmaId": RMA_ID}]
    with monkeypatch.context() as patched:
        patched.setattr(poll, "changed", bug)
        assert [await source.poller.once(poll), await source.poller.once(poll)] == [False, False]
    (raised,) = source.log.records("exceptions")
    assert isinstance(raised, ExceptionRaised)
    assert (raised.type, "list of rmas" in raised.detail) == ("undecodable", True)
    assert await source.poller.once(poll)
    assert [type(each).__name__ for each in source.log.records("exceptions")] == ["ExceptionRaised", "ExceptionCleared"]
    assert source.store.read(RMA_ID) == 1


@pytest.mark.req("EXC-1", "EXC-4")
async def test_a_fact_that_kafka_takes_in_no_size_of_its_topic_is_set_aside_and_its_neighbours_go_on(
    source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish = source.log.publish

    async def refuses(topic: str, *rest: Any) -> None:
        if topic == "return-events":
            raise TooLarge("expected a record that return-events takes, got one of 4000000 bytes")
        await publish(topic, *rest)

    with monkeypatch.context() as patched:
        patched.setattr(source.log, "publish", refuses)
        await source.desk.read(RMA, "effect", "signal")
    (raised,) = source.log.records("exceptions")
    assert isinstance(raised, ExceptionRaised)
    assert raised.type == "undecodable"
    source.clock.ms += FIRST_MS
    assert await Again(source.memory).due("shop-a", source.clock()) == [RMA]
    await source.desk.read(RMA, "news", "again")
    assert len(source.log.records("return-events")) == 2


@pytest.mark.req("EXC-4")
async def test_what_the_ledger_cannot_hold_of_a_resource_is_raised_as_a_malformed_one(
    source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuses(*_: object) -> Any:
        raise Unstorable("expected values that the ledger can hold, it refused one (DataError)")

    with monkeypatch.context() as patched:
        patched.setattr(source.reader, "read", refuses)
        await source.desk.read(RMA, "effect", "signal")
    (raised,) = source.log.records("exceptions")
    assert isinstance(raised, ExceptionRaised)
    assert (raised.type, "DataError" in raised.detail) == ("malformed_delivery", True)


async def test_a_read_of_a_merchant_whose_file_is_gone_waits_and_is_no_fault_of_ours(source: Source) -> None:
    known = {"shop-a"}
    desk = Desk(source.reader, source.outbox, source.memory, source.clock, 2, serves=known.__contains__)
    known.clear()
    await desk.read(RMA, "effect", "signal")
    await source.transport.give_up("shop-a")
    known.add("shop-a")

    async def gone(*_: object) -> Learnt:
        known.clear()
        raise Unexpected("KeyError at transport.py:97")

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(source.reader, "read", gone)
        await desk.read(RMA, "effect", "signal")
    assert source.log.records("exceptions") == []
    assert await Again(source.memory).due("shop-a", source.clock()) == [RMA]
