"""A delivery that nobody can use is told once, and closed when what it was about has been read since."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from schemas.exceptions import ExceptionCleared, ExceptionRaised
from streams.sources import envelope
from streams.sources.again import Again
from streams.sources.bad_deliveries import BadDeliveries
from streams.sources.poll_returngo import RmaPoll, TransactionPoll
from streams.sources.work import Complaint, Resource
from tests.unit.sources.doubles import Source, returngo_source
from tests.unit.sources.merchants import shop
from tests.unit.sources.payloads import RMA_ID, rma

pytestmark = pytest.mark.req("EXC-4")
RMA = Resource(merchant="shop-a", kind="rma", name=RMA_ID)


@pytest.fixture
async def source(tmp_path: Path) -> AsyncIterator[Source]:
    async with returngo_source(tmp_path, shop(coalesce_seconds=0.0)) as made:
        made.store.rmas[RMA_ID] = rma()
        yield made


def bad(source: Source) -> BadDeliveries:
    """As after a restart: all that is known is in the ledger."""
    return BadDeliveries(source.outbox, source.memory, source.clock)


def complaint(source: Source, about: Resource | None, subject: str = "d1", merchant: str = "shop-a") -> Complaint:
    return Complaint(merchant=merchant, subject=subject, detail="no JSON", at_ms=source.clock(), resource=about)


def told(source: Source) -> list[str]:
    return [type(each).__name__.removeprefix("Exception") for each in source.log.records("exceptions")]


async def test_the_next_good_read_of_its_resource_closes_it(source: Source) -> None:
    await bad(source).told("malformed_delivery", complaint(source, RMA), ask=True)
    assert [each.name for each in await Again(source.memory).due("shop-a", source.clock())] == [RMA_ID]
    source.clock.ms += 1
    await source.desk.read(RMA, "effect", "again")
    raised, cleared = source.log.records("exceptions")
    assert isinstance(raised, ExceptionRaised)
    assert isinstance(cleared, ExceptionCleared)
    assert (raised.resolvable, cleared.exception_id, cleared.by) == (True, raised.exception_id, "")
    assert cleared.why == f"rma:{RMA_ID} was read since"
    await source.desk.read(RMA, "effect", "signal")
    assert told(source) == ["Raised", "Cleared"]


async def test_neither_a_read_of_another_nor_one_that_began_before_does(source: Source) -> None:
    began_ms = source.clock() - 1
    await bad(source).told("malformed_delivery", complaint(source, RMA), ask=False)
    await bad(source).read(RMA, began_ms)
    await bad(source).read(Resource(merchant="shop-a", kind="rma", name=f"{RMA_ID}1"), source.clock() + 1)
    await bad(source).read(Resource(merchant="shop-b", kind="rma", name=RMA_ID), source.clock() + 1)
    assert told(source) == ["Raised"]


async def test_what_is_not_there_was_not_read(source: Source) -> None:
    source.store.rmas.clear()
    await bad(source).told("malformed_delivery", complaint(source, RMA), ask=False)
    source.clock.ms += 1
    await source.desk.read(RMA, "effect", "signal")
    assert told(source) == ["Raised"]


async def test_one_that_names_nothing_is_closed_when_every_poll_has_read_what_had_changed(source: Source) -> None:
    store = shop().systems.returngo
    assert store is not None
    rmas = RmaPoll("shop-a", store, source.transport, source.memory)
    transactions = TransactionPoll("shop-a", store, source.transport, source.memory)
    for each in (rmas, transactions):
        assert await source.poller.once(each)
    await bad(source).told("malformed_delivery", complaint(source, None), ask=True)
    source.clock.ms += 1
    assert await source.poller.once(rmas)
    assert told(source) == ["Raised"]  # the other list may have what it told of
    assert await source.poller.once(transactions)
    assert told(source) == ["Raised", "Cleared"]


async def test_one_of_no_merchant_waits_for_a_person(source: Source) -> None:
    await bad(source).told("undecodable", complaint(source, None, merchant=""), ask=True)
    await bad(source).polled("")
    assert told(source) == ["Raised"]


@pytest.mark.parametrize(
    ("system", "body", "named"),
    [
        ("shopify", b'{"id": 5001, "admin_graphql_api_id": "gid://shopify/Order/5001", "note": "cut o', "5001"),
        ("shopify", rb'{"admin_graphql_api_id":"gid:\/\/shopify\/Order\/5001","line_items":[', "5001"),
        ("shopify", b'{"id": {}, "admin_graphql_api_id": "gid://shopify/Order/5001"}', "5001"),
        ("shopify", b'{"id": 5001, "note": "cut o', ""),
        ("shopify", b"\xff\xfe", ""),
        ("returngo", b'{"eventName": "RMA_CREATED", "rmaId": "RMA9001", "x', "9001"),
        ("returngo", b'{"rma_id": 9001, ', "9001"),
        ("returngo", b"[9001]", ""),
        ("warehouse", b'{"rma": "9001', ""),
    ],
)
def test_a_broken_body_may_still_say_what_it_was_about(system: str, body: bytes, named: str) -> None:
    found = envelope.envelope(system, {"x-shopify-topic": "orders/updated"}, body)
    assert (found.problem is not None, found.resource_id) == (True, named)


def test_only_what_can_be_read_by_its_number_is_a_resource() -> None:
    assert envelope.resource("shopify", "m", "5001") == Resource(merchant="m", kind="order", name="5001")
    assert envelope.resource("returngo", "m", "9001") == Resource(merchant="m", kind="rma", name="9001")
    for system, named in (("shopify", "item:5"), ("shopify", ""), ("returngo", "shipment:1"), ("warehouse", "9001")):
        assert envelope.resource(system, "m", named) is None
