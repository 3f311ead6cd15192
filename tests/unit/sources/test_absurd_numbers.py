"""Absurd numbers in any place of what systems and doors send: refused with what was expected, or read as what fits."""

import copy
import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.codec import Codec
from schemas.facts import Delivery
from streams.sources import carrier, returngo, shopify_items, shopify_orders, warehouse
from streams.sources.fields import Malformed
from streams.sources.shopify_effects import effects
from tests.unit.sources.payloads import native_return, order, refund, rma, rma_item, transaction, validated

CODEC = Codec()
ABSURD = st.sampled_from([
    -1, -(10**15), 10**9, 10**15, 10**18, 2**63, 10**30, Decimal("1e400"), Decimal("NaN"), Decimal("-0.01"),
    Decimal("Infinity"), float("inf"), float("nan"), 1e300, "1e400", "-5.00", "NaN", "99999999999999999999.99",
    "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00", "1969-12-31T23:59:59Z", True, "",
])  # fmt: skip


def places(body: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where a number, an amount or a date stands."""
    if isinstance(body, dict):
        for key, each in body.items():
            yield from places(each, (*path, key))
    elif isinstance(body, list):
        for i, each in enumerate(body):
            yield from places(each, (*path, i))
    elif isinstance(body, int | float | Decimal) or (isinstance(body, str) and body[:1].isdigit()):
        yield path


def with_value(body: Any, path: tuple[Any, ...], value: Any) -> Any:
    changed = copy.deepcopy(body)
    at = changed
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value
    return changed


def _sale() -> Any:
    return order(refunds=[refund()], returns={"nodes": [native_return()]})


def _return() -> Any:
    item = rma_item("31", itemValidationStatusResponse=validated("31"), restockingFee=1, returnFee=1)
    return rma(items=[item, rma_item("32")], transactions=[transaction()])


def _item() -> Any:
    level = {
        "isActive": True, "updatedAt": "2026-05-04T12:00:00Z", "location": {"id": "gid://shopify/Location/71",
        "isActive": True}, "quantities": [{"name": "available", "quantity": 3}],
    }  # fmt: skip
    part = {"quantity": 2, "productVariant": {"sku": "PART", "inventoryItem": {"id": "gid://shopify/InventoryItem/5"}}}
    return {
        "id": "gid://shopify/ProductVariant/701", "product": {"id": "gid://shopify/Product/601", "status": "ACTIVE"},
        "inventoryItem": {"id": "gid://shopify/InventoryItem/751", "tracked": True,
                          "inventoryLevels": {"nodes": [level]}},
        "productVariantComponents": {"nodes": [part], "pageInfo": {"hasNextPage": False}},
    }  # fmt: skip


def _told(body: Any) -> Delivery:
    return Delivery(
        delivery_id="d", merchant="shop-a", system="warehouse", event="", resource_id="", headers={},
        body=json.dumps(body, default=str).encode(), received_at_ms=1_777_000_000_000,
    )  # fmt: skip


def _warehouse(body: Any) -> list[Any]:
    delivery = _told(body)
    read = warehouse.read(delivery)
    named = warehouse.named(read)
    return [warehouse.event(delivery, read, order_id=named.order_id, rma_id=named.rma_id)]


def _carrier(body: Any) -> list[Any]:
    delivery = _told(body)
    read = carrier.read(delivery)
    return [carrier.event(delivery, read, order_id=carrier.named(read).order_id, rma_id="1")]


NOW = 1_778_000_000_000
DOORS: dict[str, tuple[Any, Callable[[Any], list[Any]]]] = {
    "order": (_sale(), lambda b: [shopify_orders.snapshot(b, merchant="shop-a"), *effects(b, merchant="shop-a")]),
    "return": (_return(), lambda b: returngo.events(b, merchant="shop-a", read_at_ms=NOW)),
    "item": (_item(), lambda b: [shopify_items.item(b, merchant="shop-a", read_at_ms=NOW),
                                 *shopify_items.levels(b, merchant="shop-a", read_at_ms=NOW)]),
    "warehouse": ({"type": "inspection", "rma": "1", "order": "2", "inspected_at": "2026-03-02T10:40:51+00:00",
                   "lines": [{"sku": "TEE", "quantity": 1, "grade": "sellable"}]}, _warehouse),
    "carrier": ({"type": "tracking", "tracking_number": "T", "status": "in_transit", "order": "2",
                 "scanned_at": "2026-03-02T10:40:51+00:00"}, _carrier),
}  # fmt: skip


@pytest.mark.req("EXC-6")
@pytest.mark.parametrize("door", sorted(DOORS))
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_what_no_record_holds_is_refused_where_it_is_read(door: str, data: st.DataObject) -> None:
    body, read = DOORS[door]
    changed = with_value(body, data.draw(st.sampled_from(list(places(body)))), data.draw(ABSURD))
    try:
        facts = read(changed)
    except Malformed:
        return  # raised to people, with what was expected and where
    for fact in facts:
        assert CODEC.decode(CODEC.encode(fact)) == fact


@pytest.mark.parametrize("door", sorted(DOORS))
def test_each_door_reads_what_is_sound(door: str) -> None:
    body, read = DOORS[door]
    assert all(CODEC.decode(CODEC.encode(fact)) == fact for fact in read(body))
