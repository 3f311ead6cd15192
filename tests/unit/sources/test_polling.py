"""Polls, sweeps, subscriptions and reads of the ReturnGO source, on the real transport and quota."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast
from unittest.mock import ANY

import pytest

from schemas.exceptions import ExceptionCleared, ExceptionRaised
from schemas.facts import ReturnEvent
from schemas.merchant import Merchant, ReturnGo
from sinks.systems.page import Page
from streams.sources import poll_returngo
from streams.sources.again import LEFT_OUT_MS, Again
from streams.sources.poll_returngo import RmaPoll, Sweep, TransactionPoll
from streams.sources.polling import Changed
from streams.sources.subscriptions import ReturnGoSubscriptions, Watch
from streams.sources.work import Resource, Unread
from tests.unit.sources.doubles import Source, returngo_source
from tests.unit.sources.merchants import shop
from tests.unit.sources.payloads import (
    ORDER_ID,
    RMA_ID,
    money,
    rma,
    rma_item,
    shipment,
    transaction,
    validated,
    with_status,
)

HOUR_MS = 3_600_000
RMA = Resource(merchant="shop-a", kind="rma", name=RMA_ID)


def settings(merchant: Merchant) -> ReturnGo:
    assert merchant.systems.returngo is not None
    return merchant.systems.returngo


@pytest.fixture
async def source(tmp_path: Path) -> AsyncIterator[Source]:
    """A source of a shop with one RMA."""
    async with returngo_source(tmp_path, shop()) as made:
        made.store.rmas[RMA_ID] = rma()
        yield made


def rmas(source: Source) -> RmaPoll:
    return RmaPoll("shop-a", settings(shop()), source.transport, source.memory)


def transactions(source: Source) -> TransactionPoll:
    return TransactionPoll("shop-a", settings(shop()), source.transport, source.memory)


def events(source: Source) -> list[ReturnEvent]:
    return [each for each in source.log.records("return-events") if isinstance(each, ReturnEvent)]


def kinds(source: Source) -> list[str]:
    return [each.kind for each in events(source)]


@pytest.mark.req("INV-13")
async def test_what_was_sent_is_not_sent_again(source: Source) -> None:
    await source.desk.read(RMA, "effect", "signal")
    await source.desk.read(RMA, "effect", "signal")
    source.store.rmas[RMA_ID] = rma(shipments=[shipment("Received")])
    await source.desk.read(RMA, "effect", "signal")
    assert kinds(source) == ["requested", "approved", "received"]


async def test_a_crash_before_it_was_remembered_sends_the_same_facts_again(source: Source) -> None:
    source.log.broken = OSError("gone")
    with pytest.raises(OSError, match="gone"):
        await source.desk.read(RMA, "effect", "signal")
    source.log.broken = None
    await source.desk.read(RMA, "effect", "signal")
    assert kinds(source) == ["requested", "approved"]


async def test_a_poll_reads_what_changed_and_the_next_one_looks_back_to_it(source: Source) -> None:
    source.store.changed = [{"rmaId": RMA_ID, "status": "Approved", "events": []}]
    poll = rmas(source)
    assert await source.poller.once(poll)
    source.clock.ms += 300_000
    assert await source.poller.once(poll)
    assert (kinds(source), source.store.read(RMA_ID)) == (["requested", "approved"], 2)


async def test_a_poll_that_failed_half_way_is_taken_up_where_it_failed(source: Source) -> None:
    source.store.changed = [{"rmaId": RMA_ID}, {"rmaId": "99"}]
    source.store.rmas["99"] = rma(rmaSummary={**rma()["rmaSummary"], "rmaId": "99"})
    poll = rmas(source)
    source.store.status = 503
    assert not await source.poller.once(poll)
    source.store.status = 200
    await source.desk.read(RMA, "news", "signal")  # meanwhile a webhook came for one of them
    assert await source.poller.once(poll)
    assert (source.store.read(RMA_ID), source.store.read("99")) == (1, 1)


async def test_a_row_that_cannot_be_read_holds_up_nobody(source: Source) -> None:
    source.store.changed = [{"rmaId": None}, "nonsense", {"rmaId": RMA_ID}]
    assert await source.poller.once(rmas(source))
    raised = [each for each in source.log.records("exceptions") if isinstance(each, ExceptionRaised)]
    assert {each.type for each in raised} == {"malformed_delivery"}
    assert (len(raised), kinds(source)) == (2, ["requested", "approved"])


async def test_a_transaction_is_a_fact_by_its_row_and_its_rma_is_not_read_again(source: Source) -> None:
    """The same fact as the RMA would have given: what comes twice is one."""
    await source.desk.read(RMA, "news", "signal")
    step = transaction(returnItemIds=[31])
    source.store.transactions = [step, transaction(id=1, returnItemIds=["not ours"[:3]])]
    source.store.rmas[RMA_ID] = rma(transactions=[step])
    for _ in range(2):
        source.clock.ms += 300_000
        assert await source.poller.once(transactions(source))
    assert (kinds(source)[2:], source.store.read(RMA_ID)) == (["transaction"], 1)
    told = events(source)[-1]
    assert (told.order_id, [each.sku for each in told.units]) == (ORDER_ID, ["MUG"])
    await source.desk.read(RMA, "news", "signal")
    assert kinds(source)[2:] == ["transaction"]


async def test_a_transaction_whose_row_is_absurd_holds_up_no_other(source: Source) -> None:
    await source.desk.read(RMA, "news", "signal")
    source.store.transactions = [transaction(amount=money(1e30)), transaction(id=4002)]
    assert await source.poller.once(transactions(source))
    assert kinds(source)[2:] == ["transaction"]
    assert len([each for each in source.log.records("exceptions") if isinstance(each, ExceptionRaised)]) == 1


def row(status: str, *events: tuple[str, str]) -> Any:
    """An RMA as the list of changes has it."""
    named = [{"eventName": name, "eventDate": at} for name, at in events]
    return {"rmaId": RMA_ID, "status": status, "order_name": "1001", "events": named}


@pytest.mark.parametrize(
    ("before", "status", "calls", "added"),
    [
        (rma(), "Received", 1, ["received"]), (rma(), "Validated", 2, []), (rma(), "Canceled", 2, []),
        (rma(), "Done", 2, []), (rma(items=[rma_item("31", itemValidationStatusResponse=validated("31"))]), "Done", 1,
                                 ["resolved"]),
    ],
)  # fmt: skip
async def test_what_a_row_tells_by_itself_is_not_read(
    source: Source, before: Any, status: str, calls: int, added: list[str]
) -> None:
    source.store.rmas[RMA_ID] = before
    await source.desk.read(RMA, "effect", "signal")
    known = kinds(source)
    source.clock.ms += 1_000
    source.store.changed = [row(status)]
    assert await source.poller.once(rmas(source))
    assert (source.store.read(RMA_ID), kinds(source)[len(known) :]) == (calls, added)
    source.clock.ms += 900_000
    assert await source.poller.once(rmas(source))  # in the overlap it is listed once more
    assert kinds(source)[len(known) :] == added


@pytest.mark.parametrize(
    ("status", "ships", "calls"),
    [("Pending", False, 0), ("Canceled", False, 0), ("Approved", True, 0), ("Approved", False, 1), ("Done", True, 1),
     ("Validated", True, 1)],
)  # fmt: skip
async def test_a_row_of_an_rma_that_nobody_read(source: Source, status: str, ships: bool, calls: int) -> None:
    if ships:
        await source.memory.keep("shop-a", {f"ships:{RMA_ID}": "1"})
    source.store.changed = [row(status)]
    assert await source.poller.once(rmas(source))
    assert source.store.read(RMA_ID) == calls


async def test_a_change_that_the_last_read_has_seen_is_not_read_again(source: Source) -> None:
    """The list shows everything since the last poll, also what a webhook brought meanwhile; an edit is read."""
    poll, now_ms = rmas(source), source.clock()
    assert await source.poller.once(poll)
    at = datetime.fromtimestamp(now_ms / 1000 + 60, UTC).isoformat()
    source.store.rmas[RMA_ID] = with_status(rma(), "Validated", at)
    source.store.changed = [row("Validated")]
    source.clock.ms += 100_000
    await source.desk.read(RMA, "effect", "signal")
    source.clock.ms += 100_000
    assert await source.poller.once(poll)
    assert source.store.read(RMA_ID) == 1
    source.clock.ms += 900_000
    assert await source.poller.once(poll)  # still listed, though its last read knows of no such change
    assert source.store.read(RMA_ID) == 2


async def test_a_sweep_takes_open_rmas_within_its_share_those_not_read_for_longest_first(source: Source) -> None:
    for number, status in enumerate(("Approved", "Received", "Done", "Approved")):
        name = str(100 + number)
        body = with_status(rma(), status)
        source.store.rmas[name] = {**body, "rmaSummary": {**body["rmaSummary"], "rmaId": name}}
        await source.desk.read(Resource(merchant="shop-a", kind="rma", name=name), "effect", "signal")
        source.clock.ms += 1_000
    sweep = Sweep("shop-a", settings(shop()), source.memory)
    assert await sweep.due(source.clock()) == []  # all were read just now
    source.clock.ms += 7 * HOUR_MS
    assert [each.name for each in await sweep.due(source.clock())] == ["101"]  # goods that are here may be inspected
    source.clock.ms += 72 * HOUR_MS
    assert [each.name for each in await sweep.due(source.clock())] == ["100", "101", "103"]


async def test_a_sweep_without_calls_saved_up_takes_one_at_most(source: Source) -> None:
    for name in ("100", "101"):
        source.store.rmas[name] = {**rma(), "rmaSummary": {**rma()["rmaSummary"], "rmaId": name}}
        await source.desk.read(Resource(merchant="shop-a", kind="rma", name=name), "effect", "signal")
    source.clock.ms += 80 * HOUR_MS
    assert len(await Sweep("shop-a", settings(shop()), source.memory).due(source.clock())) == 1


async def test_the_reserve_is_left_to_what_may_lead_to_a_command(tmp_path: Path) -> None:
    poor = shop(daily_calls=100, money_reserve=98)
    async with returngo_source(tmp_path, poor) as source:
        source.store.rmas[RMA_ID] = rma()
        for _ in range(3):
            await source.desk.read(RMA, "news", "poll")
        assert source.store.read(RMA_ID) == 2
        again = Again(source.memory)
        assert await again.due("shop-a", source.clock() + LEFT_OUT_MS, left_out=True) == [RMA]
        await source.desk.read(RMA, "effect", "signal")
        assert source.store.read(RMA_ID) == 3
        assert await again.due("shop-a", source.clock() + LEFT_OUT_MS) == []  # it was read after all


@pytest.mark.req("EXC-4")
async def test_an_absurd_rma_is_raised_once_and_cleared_by_a_sound_one(source: Source) -> None:
    source.store.rmas[RMA_ID] = rma(items=[rma_item("31", paidPrice=money(1e30))])
    await source.desk.read(RMA, "effect", "signal")
    assert kinds(source) == []
    (raised,) = source.log.records("exceptions")
    source.store.rmas[RMA_ID] = rma()
    await source.desk.read(RMA, "effect", "signal")
    await source.desk.read(RMA, "effect", "signal")
    _, cleared = source.log.records("exceptions")
    assert isinstance(raised, ExceptionRaised)
    assert isinstance(cleared, ExceptionCleared)
    assert (cleared.exception_id, cleared.type) == (raised.exception_id, "malformed_delivery")


async def test_a_wrong_key_is_raised_once_and_cleared_when_it_works(source: Source) -> None:
    source.store.status = 401
    for _ in range(3):
        with pytest.raises(Unread):
            await source.desk.read(RMA, "effect", "signal")
    source.store.status = 200
    await source.desk.read(RMA, "effect", "signal")
    raised, cleared = source.log.records("exceptions")
    assert isinstance(raised, ExceptionRaised)
    assert isinstance(cleared, ExceptionCleared)
    assert (raised.type, raised.exception_id) == ("misconfigured", cleared.exception_id)


async def test_an_rma_that_is_gone_is_no_fact(source: Source) -> None:
    await source.desk.read(Resource(merchant="shop-a", kind="rma", name="404"), "effect", "signal")
    assert source.log.written == []


async def test_subscriptions_are_made_watched_and_made_again(source: Source) -> None:
    mine = ReturnGoSubscriptions("shop-a", "https://gateway", "token", source.transport)
    watch = Watch(mine, source.outbox, source.memory, source.clock)
    await watch.look()
    assert {each["url"] for each in source.store.webhooks} == {"https://gateway/returngo/shop-a/token"}
    assert {each["eventName"] for each in source.store.webhooks} == mine.wanted
    await watch.look()
    assert source.log.written == []
    lost = source.store.webhooks.pop()
    await watch.look()
    assert source.store.webhooks[-1] == lost
    raised, cleared = source.log.records("exceptions")
    assert isinstance(raised, ExceptionRaised)
    assert isinstance(cleared, ExceptionCleared)
    assert (raised.type, lost["eventName"] in raised.detail, "token" in raised.detail) == (
        "subscription_lost",
        True,
        False,
    )


async def test_a_lost_subscription_stays_raised_until_it_is_there_again(source: Source) -> None:
    mine = ReturnGoSubscriptions("shop-a", "https://gateway", "token", source.transport)
    watch = Watch(mine, source.outbox, source.memory, source.clock)
    await watch.look()
    source.store.webhooks.clear()
    source.store.status = 500
    await watch.look()
    assert source.log.written == []  # not seen is not lost
    source.store.status = 200
    await watch.look()
    assert [type(each).__name__ for each in source.log.records("exceptions")] == ["ExceptionRaised", "ExceptionCleared"]


async def test_a_sweep_finds_the_open_rmas_behind_any_number_of_ended_ones(
    source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(poll_returngo, "MOST_OPEN", 3)
    for number in range(5):
        ended, name = with_status(rma(), "Done"), str(100 + number)
        source.store.rmas[name] = {**ended, "rmaSummary": {**ended["rmaSummary"], "rmaId": name}}
        await source.desk.read(Resource(merchant="shop-a", kind="rma", name=name), "effect", "signal")
        source.clock.ms += 1_000
    await source.desk.read(RMA, "effect", "signal")
    source.clock.ms += 80 * HOUR_MS
    assert await Sweep("shop-a", settings(shop()), source.memory).due(source.clock()) == [RMA]


class TwoPages:
    """A poll that finds one RMA a page."""

    name, merchant, overlap_seconds, first_look_back_ms = "pages", "shop-a", 0.0, 0

    async def pages(self, since_ms: int, cursor: str | None) -> Page:
        return Page(rows=[{"id": cursor or "1"}], next_cursor=None if cursor else "2")

    async def changed(self, page: Page, since_ms: int, begun_ms: int) -> Changed:
        return Changed(resources=tuple(Resource(merchant="shop-a", kind="rma", name=row["id"]) for row in page.rows))


async def test_a_resource_that_cannot_be_read_holds_up_no_later_page(source: Source) -> None:
    source.store.broken = {"1"}
    source.store.rmas["2"] = {**rma(), "rmaSummary": {**rma()["rmaSummary"], "rmaId": "2"}}
    assert not await source.poller.once(TwoPages())
    assert source.store.read("2") == 1
    assert await source.memory.notes("shop-a", ["rma:1", "rma:2"]) == {"rma:2": ANY}


@pytest.mark.parametrize("answer", [5, "maintenance", []])
async def test_an_answer_of_another_shape_is_no_answer_and_ends_nothing(source: Source, answer: Any) -> None:
    source.store.rmas["1"] = answer
    with pytest.raises(Unread, match="unexpected_answer"):
        await source.desk.read(Resource(merchant="shop-a", kind="rma", name="1"), "effect", "signal")


async def test_a_list_of_another_shape_ends_nothing(source: Source) -> None:
    source.store.transactions = cast(Any, ["nonsense", transaction()])
    assert await source.poller.once(transactions(source))
    source.store.webhooks = cast(Any, ["nonsense"])
    await Watch(
        ReturnGoSubscriptions("shop-a", "https://gateway", "token", source.transport), source.outbox, source.memory,
        source.clock,
    ).look()  # fmt: skip
    assert [each for each in source.store.calls if each.startswith("POST")] == []
