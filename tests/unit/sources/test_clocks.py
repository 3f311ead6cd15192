"""A clock that was set back or ahead stops no poll, no read that waits, and no message of a warehouse."""

import base64
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from prometheus_client import REGISTRY
from standardwebhooks.webhooks import Webhook

from schemas.merchant import ReturnGo
from sinks.systems.page import Page
from streams.sources import polling
from streams.sources.again import Again, AgainNote
from streams.sources.doors import Doors, Secrets
from streams.sources.goods import GoodsNote
from streams.sources.poll_returngo import RmaPoll, Sweep, TransactionPoll
from streams.sources.poll_shopify import Leftovers
from streams.sources.polling import Poller
from streams.sources.source_shopify import AbsentNote
from streams.sources.work import Resource
from tests.unit.sources.doubles import Source, returngo_source
from tests.unit.sources.merchants import shop
from tests.unit.sources.payloads import RMA_ID, rma

HOUR_MS = 3_600_000
RMA = Resource(merchant="shop-a", kind="rma", name=RMA_ID)
BACK, AHEAD = -2 * HOUR_MS, 2 * HOUR_MS


def store_of() -> ReturnGo:
    store = shop().systems.returngo
    assert store is not None
    return store


@pytest.fixture
async def source(tmp_path: Path) -> AsyncIterator[Source]:
    """A source of a shop with one RMA."""
    async with returngo_source(tmp_path, shop()) as made:
        made.store.rmas[RMA_ID] = rma()
        yield made


class Asked(RmaPoll):
    """The poll, and since when it asked."""

    since: int | None = None

    async def pages(self, since_ms: int, cursor: str | None) -> Page:
        self.since = since_ms
        return await super().pages(since_ms, cursor)


def poll_of(source: Source) -> Asked:
    return Asked("shop-a", store_of(), source.transport, source.memory)


def age(poll: str) -> float | None:
    labels = {"system": "returngo", "merchant": "shop-a", "poll": poll}
    return REGISTRY.get_sample_value("returnflow_source_poll_age_seconds", labels)


def encoded(note: msgspec.Struct) -> str:
    return msgspec.json.encode(note).decode()


async def test_a_clock_set_back_stops_no_poll(source: Source) -> None:
    source.store.changed = [{"rmaId": RMA_ID, "status": "Approved", "events": []}]
    poll = poll_of(source)
    assert await source.poller.once(poll)
    source.clock.ms += BACK
    source.store.rmas[RMA_ID] = rma(status="Received")
    assert await source.poller.once(poll)
    assert poll.since is not None
    # by the steady clock the last one began a moment ago
    assert source.clock() - int(poll.overlap_seconds * 1000) - 60_000 < poll.since <= source.clock()
    assert source.store.read(RMA_ID) == 2


async def test_a_process_that_starts_behind_its_cursor_looks_back_a_day(source: Source) -> None:
    assert await source.poller.once(poll_of(source))
    source.clock.ms += BACK
    poll = poll_of(source)
    again = Poller("returngo", source.desk, source.outbox, source.memory, source.clock)
    assert await again.once(poll)
    assert poll.since is not None
    assert poll.since == pytest.approx(source.clock() - polling.DAY_MS - int(poll.overlap_seconds * 1000), abs=10_000)


async def test_a_poll_that_was_begun_in_the_future_is_begun_now(source: Source) -> None:
    """A read since then would count, and there is none."""
    source.store.status = 503
    poll = poll_of(source)
    assert not await source.poller.once(poll)
    source.clock.ms += BACK
    source.store.status, source.store.changed = 200, [{"rmaId": RMA_ID}]
    assert await source.poller.once(poll)
    assert source.store.read(RMA_ID) == 1


@pytest.mark.parametrize("moved", [BACK, AHEAD])
async def test_the_age_of_a_poll_is_no_matter_of_the_wall_clock(source: Source, moved: int) -> None:
    assert await source.poller.once(poll_of(source))
    source.clock.ms += moved
    found = age("rmas")
    assert found is not None
    assert 0 <= found < 60
    await source.poller._begin(poll_of(source))
    found = age("rmas")
    assert found is not None
    assert 0 <= found < 60


async def test_a_shop_that_is_a_minute_old_has_no_poll_that_is_older(source: Source) -> None:
    source.store.status = 503
    assert not await source.poller.once(TransactionPoll("shop-a", store_of(), source.transport, source.memory))
    found = age("transactions")
    assert found is not None
    assert 0 <= found < 60
    source.clock.ms += 3 * HOUR_MS  # and none has been complete since
    restarted = Poller("returngo", source.desk, source.outbox, source.memory, source.clock)
    assert not await restarted.once(TransactionPoll("shop-a", store_of(), source.transport, source.memory))
    found = age("transactions")
    assert found is not None
    assert 3 * 3600 <= found < 3 * 3600 + 60


async def test_an_rma_that_was_read_in_the_future_is_swept(source: Source) -> None:
    source.store.rmas[RMA_ID] = rma(rmaSummary={**rma()["rmaSummary"], "status": "Received"})
    await source.desk.read(RMA, "effect", "signal")
    sweep = Sweep("shop-a", store_of(), source.memory)
    assert await sweep.due(source.clock()) == []
    source.clock.ms += BACK
    assert [each.name for each in await sweep.due(source.clock())] == [RMA_ID]
    assert await sweep.due(source.clock()) == []  # its credit did not grow, and it is owed nothing
    assert sweep._credit >= 0


async def test_what_waits_to_be_read_again_waits_no_longer_than_it_was_to(source: Source) -> None:
    again, now = Again(source.memory), source.clock()
    later = Resource(merchant="shop-a", kind="rma", name="2")
    await source.memory.keep("shop-a", await again.later(RMA, now))
    await source.memory.keep("shop-a", again.left_out(later, now))
    assert await again.due("shop-a", now) == []
    assert [each.name for each in await again.due("shop-a", now + BACK)] == [RMA_ID, "2"]
    assert AgainNote(kind="rma", name="1", tries=3, due_ms=120_000).due(-4_000) is False


async def test_orders_and_items_of_the_future_are_looked_at_now(source: Source) -> None:
    now = source.clock()
    absent = AbsentNote(tries=1, due_ms=now + AHEAD, first_ms=now + AHEAD)
    item = GoodsNote(kind="sku", name="MUG", read_ms=now + AHEAD, sound=False)
    await source.memory.keep("shop-a", {"absent:7": encoded(absent), "goods:sku:MUG": encoded(item)})
    due = await Leftovers("shop-a", source.memory).due(now)
    assert [each.name for each in due] == ["7", "MUG"]


def signed(sent: datetime) -> dict[str, str]:
    signature = Webhook(SECRET).sign("1", sent, "{}")
    return {"webhook-id": "1", "webhook-timestamp": str(int(sent.timestamp())), "webhook-signature": signature}


SECRET = base64.b64encode(b"warehouse").decode()


@pytest.mark.parametrize("moved", [BACK, AHEAD])
def test_a_message_is_taken_by_either_time_after_the_clock_was_set(moved: int) -> None:
    now = datetime.now(UTC)
    now_ms = int(now.timestamp() * 1000)
    secrets = {"shop-a": Secrets(warehouse=(SECRET,))}

    def taken(sent_ms: int, *times: int) -> Any:
        sent = datetime.fromtimestamp(sent_ms / 1000, UTC)
        return Doors(secrets, lambda: times).warehouse("shop-a", b"{}", signed(sent))

    assert taken(now_ms, now_ms + moved, now_ms)  # ours is wrong now
    assert taken(now_ms + moved, now_ms + moved, now_ms)  # ours was wrong before
    assert taken(now_ms, now_ms)
    assert not taken(now_ms - 301_000, now_ms)
    assert not taken(now_ms + 302_000, now_ms)
    assert not taken(now_ms - HOUR_MS, now_ms, now_ms + moved)  # by neither
