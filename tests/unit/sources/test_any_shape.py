"""Whatever stands anywhere in a system's answer: it is read, or malformed, and never a fault of ours."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from schemas.codec import Codec
from schemas.text import held
from streams.sources import returngo, shopify_items, shopify_orders
from streams.sources.fields import Malformed
from streams.sources.memory import LONGEST_NAME, LONGEST_SLOT, shortened
from streams.sources.publishing import address, slot
from streams.sources.shopify_effects import effects
from streams.sources.source_returngo import names_of
from streams.sources.work import Fact
from tests.unit.sources.payloads import (
    disposition,
    native_return,
    nodes,
    order,
    refund,
    rma,
    rma_item,
    shipment,
    transaction,
    validated,
    variant,
)

AT = 1_777_900_000_000
CODEC = Codec()
NAME = "Jane Doe"
PART = {"quantity": 1, "productVariant": {"id": "7", "sku": "SOAP", "inventoryItem": {"id": "8"}}}
ANYTHING: list[Any] = [
    None, True, False, 0, -1, 7, 10**30, 1.5, Decimal("1e30"), Decimal("NaN"), Decimal("-Infinity"), "", "0", NAME,
    "9" * 5000, "2026-13-45T99:00:00Z", "0001-01-01T00:00:00+14:00", "gid://shopify/Order/x", [], {}, [None], [[]],
    "A\x00", "\x00", "\ud800", "2026-05-04T10:00:00Z\x00", "gid://shopify/Order/1\x00",
    [NAME], {"nodes": None}, {"nodes": NAME}, {"nodes": [NAME]}, {"amount": NAME}, {"id": {}},
]  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every value of a payload."""
    if path:
        yield path
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inside:
        yield from places(each, (*path, key))


def changed(value: Any, path: tuple[Any, ...], other: Any) -> Any:
    """The payload with something else at one place."""
    if not path:
        return other
    key, *rest = path
    made = dict(value) if isinstance(value, dict) else list(value)
    made[key] = changed(value[key], tuple(rest), other)
    return made


def rmas(body: Any) -> int:
    """Reads an RMA as its source does; how many facts it makes."""
    facts = returngo.events(body, merchant="shop-a", read_at_ms=AT, before=None)
    returngo.now(body)
    kept(facts, names_of(body, "1"))
    return len(facts)


def orders(body: Any) -> int:
    found = shopify_orders.snapshot(body, merchant="shop-a")
    return kept([found, *effects(body, merchant="shop-a")], {})


def items(body: Any) -> int:
    found = shopify_items.item(body, merchant="shop-a", read_at_ms=AT)
    return kept([found, *shopify_items.levels(body, merchant="shop-a", read_at_ms=AT)], {})


def kept(facts: Sequence[Fact], notes: Mapping[str, str | None]) -> int:
    """How many facts, all of which Kafka, the ledger and whoever reads them can hold."""
    for fact in facts:
        CODEC.encode(fact)  # refuses halves of surrogate pairs
        assert b"\\u0000" not in msgspec.json.encode(fact)
        assert held(shortened(slot(fact), LONGEST_SLOT) + address(fact)[1].decode())
    assert all(held(shortened(name, LONGEST_NAME) + (value or "")) for name, value in notes.items())
    return len(facts)


RMA = rma(
    items=[rma_item("31", itemValidationStatusResponse=validated("31")), rma_item("32")],
    shipments=[shipment("Received")], transactions=[transaction(returnItemIds=[31])],
)  # fmt: skip
ORDER = order(refunds=[refund()], returns=nodes(native_return(disposition("1"))))
BUNDLE = variant(productVariantComponents=nodes(PART))


@pytest.mark.parametrize(("payload", "read"), [(RMA, rmas), (ORDER, orders), (BUNDLE, items)])
def test_anything_anywhere_is_read_or_malformed(payload: Any, read: Callable[[Any], int]) -> None:
    told = []
    assert read(payload) > 1
    for path in places(payload):
        for other in ANYTHING:
            try:
                read(changed(payload, path, other))
            except Malformed as error:
                told.append(str(error))
            except Exception as error:
                raise AssertionError(f"{path} = {other!r}") from error
    assert len(told) > len(list(places(payload)))
    assert [each for each in told if NAME in each] == []
