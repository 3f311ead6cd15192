"""What a shop's webhooks and what returns make the Shopify source read, and when it asks again."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest

from schemas.facts import Delivery, ReturnedUnit, ReturnEvent
from schemas.stock import RestockIntent
from sinks.systems.page import Page
from streams.sources.fields import instant
from streams.sources.goods import GoodsNote
from streams.sources.memory import Memory
from streams.sources.poll_shopify import ABSENT_GIVE_UP_MS, MOST, Leftovers, OrderPoll
from streams.sources.source_shopify import AbsentNote, ShopifySource
from streams.sources.work import Resource, Routed
from tests.unit.sources.doubles import Source, returngo_source
from tests.unit.sources.merchants import shop
from tests.unit.sources.payloads import order


class Shop(msgspec.Struct):
    """The Shopify side of a source; nothing here reads anything."""

    base: Source
    memory: Memory
    source: ShopifySource


@pytest.fixture
async def made(tmp_path: Path) -> AsyncIterator[Shop]:
    async with returngo_source(tmp_path, shop()) as base:
        memory = Memory(base.ledger, "shopify", base.clock)
        yield Shop(base, memory, ShopifySource({"shop-a": shop()}, base.transport, memory, base.clock))


def delivery(topic: str, body: bytes, name: str = "w1") -> Delivery:
    return Delivery(
        delivery_id=name, merchant="shop-a", system="shopify", event=topic, resource_id="", body=body,
        headers={"x-shopify-topic": topic}, received_at_ms=1,
    )  # fmt: skip


def event(kind: Any = "requested", *skus: str) -> ReturnEvent:
    units = tuple(ReturnedUnit(unit_id=str(n), line_id=None, sku=sku) for n, sku in enumerate(skus))
    return ReturnEvent(
        fact_id="f",
        merchant="shop-a",
        order_id="5001",
        rma_id="17",
        system="returngo",
        kind=kind,
        occurred_at_ms=1,
        units=units,
    )


def names(routed: Routed) -> list[str]:
    return [str(each.resource) for each in routed.wanted]


def sku(name: str, read_ms: int, *, sound: bool = True) -> dict[str, str | None]:
    return note("sku", name, read_ms, sound=sound)


def note(kind: Any, name: str, read_ms: int, *, sound: bool = True) -> dict[str, str | None]:
    kept = GoodsNote(kind=kind, name=name, read_ms=read_ms, sound=sound)
    return {f"goods:{kind}:{name.lower()}": msgspec.json.encode(kept).decode()}


def intent(**more: Any) -> RestockIntent:
    fields: dict[str, Any] = {"sku": "MUG", "item_id": "751", "variant_id": "701", "system": "shopify"}
    return RestockIntent(
        intent_id="i1", merchant="shop-a", order_id="5001", rma_id="17", unit_ids=("u1",), line_id="801",
        location_id="71", quantity=1, stock_status="available", generation=0, decided_at_ms=1, **(fields | more),
    )  # fmt: skip


async def test_an_order_webhook_is_read_once_per_delivery(made: Shop) -> None:
    first = await made.source.route(delivery("orders/updated", b'{"id": 5001}'))
    again = await made.source.route(delivery("orders/updated", b'{"id": 5001}'))
    assert (names(first), first.wanted[0].after_seconds, again.result) == (["order:5001"], 1.0, "repeat")
    made.source.revoked()
    assert (await made.source.route(delivery("orders/updated", b'{"id": 5001}'))).result == "read"


async def test_an_item_webhook_matters_only_for_items_that_returns_have_named(made: Shop) -> None:
    assert (await made.source.route(delivery("inventory_items/update", b'{"id": 751}'))).result == "ignored"
    await made.memory.keep("shop-a", note("item", "751", 1))
    assert names(await made.source.route(delivery("inventory_items/update", b'{"id": 751}', "w2"))) == ["item:751"]


async def test_a_change_of_a_location_makes_us_look_at_every_item_again(made: Shop) -> None:
    await made.memory.keep("shop-a", {**note("item", "751", 1), **note("item", "752", 1), **sku("MUG", 1)})
    routed = await made.source.route(delivery("locations/deactivate", b'{"id": 11}'))
    assert sorted(names(routed)) == ["item:751", "item:752"]


async def test_a_webhook_of_an_unknown_topic_is_a_complaint(made: Shop) -> None:
    routed = await made.source.route(delivery("app/uninstalled", b'{"id": 1}'))
    assert (routed.result, routed.wanted, routed.complaint is not None) == ("malformed", (), True)


@pytest.mark.req("ELG-2", "INV-7")
async def test_a_return_makes_us_read_its_order_and_its_items_unless_we_have_them(made: Shop) -> None:
    assert names(await made.source.triggered(event("requested", "MUG", "CUP", "MUG", ""))) == [
        "order:5001",
        "sku:CUP",
        "sku:MUG",
    ]
    await made.memory.keep("shop-a", {"order:5001": "v1", **sku("MUG", made.base.clock())})
    assert names(await made.source.triggered(event("requested", "MUG", "CUP"))) == ["sku:CUP"]
    made.base.clock.ms += 30_000
    assert names(await made.source.triggered(event("approved", "MUG"))) == []
    assert names(await made.source.triggered(event("approved", " mug "))) == []


@pytest.mark.req("INV-7", "INV-19")
async def test_goods_that_are_about_to_move_are_read_by_the_name_that_their_intent_waits_under(made: Shop) -> None:
    asked: list[tuple[dict[str, Any], list[str]]] = [
        ({}, ["item:751"]),
        ({"item_id": None}, ["sku:MUG"]),
        ({"item_id": None, "sku": ""}, ["variant:701"]),
        ({"item_id": None, "sku": "", "variant_id": None}, []),
        ({"part_of": "i0"}, []),
        ({"system": "lightspeed-x"}, []),
    ]
    for more, wanted in asked:
        assert names(await made.source.triggered(intent(**more))) == wanted
    await made.memory.keep("shop-a", {**note("item", "751", made.base.clock()), **sku("MUG", made.base.clock())})
    assert names(await made.source.triggered(intent())) == []
    assert names(await made.source.triggered(intent(item_id=None, sku="Mug "))) == []
    made.base.clock.ms += 30_000
    assert names(await made.source.triggered(intent())) == ["item:751"]


async def test_a_return_of_another_systems_merchant_is_none_of_ours(made: Shop) -> None:
    other = msgspec.structs.replace(event("requested", "MUG"), merchant="shop-z")
    source = ShopifySource({"shop-a": shop()}, made.base.transport, made.memory, made.base.clock, elsewhere={"shop-z"})
    assert (await source.triggered(other)).result == "ignored"
    lost = msgspec.structs.replace(other, merchant="shop-without-a-file")
    assert names(await source.triggered(lost)) == ["order:5001", "sku:MUG"]


async def test_a_poll_reads_only_orders_whose_version_is_new(made: Shop) -> None:
    store = shop().systems.shopify
    assert store is not None
    poll = OrderPoll("shop-a", store, made.base.transport, made.memory)
    await made.memory.keep("shop-a", {"order:1": "2026-05-04T10:00:00Z", "order:2": "2026-05-04T10:00:00Z or later"})
    rows: list[dict[str, Any]] = [
        {"id": f"gid://shopify/Order/{n}", "updatedAt": "2026-05-04T10:00:00Z"} for n in (1, 2, 3)
    ]
    found = await poll.changed(Page(rows=[*rows, {"id": None, "updatedAt": 7}], next_cursor=None), 0, 0)
    assert ([each.name for each in found.resources], len(found.problems)) == (["2", "3"], 1)


async def test_what_was_missing_is_asked_for_again_in_time_and_not_for_ever(made: Shop) -> None:
    now = made.base.clock()

    def absent(first_ms: int, due_ms: int) -> str:
        return msgspec.json.encode(AbsentNote(tries=2, due_ms=due_ms, first_ms=first_ms)).decode()

    notes: dict[str, str | None] = {
        "absent:1": absent(now, now - 1), "absent:2": absent(now, now + 60_000),
        "absent:3": absent(now - ABSENT_GIVE_UP_MS - 1, now - 1),
    }  # fmt: skip
    await made.memory.keep("shop-a", {**notes, **sku("GONE", now - 700_000, sound=False), **sku("MUG", now - 700_000)})
    due = await Leftovers("shop-a", made.memory).due(now)
    assert [str(each) for each in due] == ["order:1", "sku:GONE"]
    assert "absent:3" not in await made.memory.listed("shop-a", "absent:", 9)


async def test_an_item_that_stands_in_the_way_is_found_behind_any_number_of_sound_ones(made: Shop) -> None:
    now = made.base.clock()
    for number in range(MOST):
        await made.memory.keep("shop-a", sku(f"S{number}", now - 800_000))
    made.base.clock.ms += 1_000
    await made.memory.keep("shop-a", sku("GONE", now - 700_000, sound=False))
    assert [str(each) for each in await Leftovers("shop-a", made.memory).due(now)] == ["sku:GONE"]


class Asked:
    """A transport whose answer is an order as it was when it was asked for; the answer takes its time."""

    def __init__(self, made: Shop, takes_ms: int) -> None:
        self._made = made
        self._takes_ms = takes_ms
        self.order = order()

    def connection(self, _: str) -> None:
        return None

    async def drive(self, flow: Any, **_: Any) -> dict[str, Any]:
        flow.close()
        answer = self.order
        self._made.base.clock.ms += self._takes_ms
        return answer


async def read_at(made: Shop, transport: Asked, at_ms: int) -> str | None:
    made.base.clock.ms = at_ms
    source = ShopifySource({"shop-a": shop()}, cast(Any, transport), made.memory, made.base.clock)
    learnt = await source.read(Resource(merchant="shop-a", kind="order", name="5001"), "effect", at_ms)
    return learnt.notes["order:5001"]


async def test_an_order_whose_answer_took_long_may_have_changed_meanwhile(made: Shop) -> None:
    changed_ms = instant(order()["updatedAt"], "updatedAt")
    version = await read_at(made, Asked(made, takes_ms=5_000), changed_ms + 300)
    assert version == f"{order()['updatedAt']} or later"  # a poll will not take it for read
    version = await read_at(made, Asked(made, takes_ms=5_000), changed_ms + 3_000)
    assert version == order()["updatedAt"]
