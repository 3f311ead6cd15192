"""What is sent instead of returned units: its price as ReturnGO tells it, for each unit or for the return."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.facts import ReturnedUnit
from schemas.money import Money
from streams.sources.fields import Malformed
from streams.sources.returngo import events
from tests.unit.sources.payloads import money, not_validated, rma, rma_item, validated

READ_AT = 1_777_900_000_000


def sent(price: object = 8, currency: str = "EUR", **changes: Any) -> dict[str, Any]:
    """A row of `exchangeItems`; without a price ReturnGO tells none."""
    return {
        "productId": "602", "variantId": "702", "sku": "CUP", "quantity": 1, "itemPriceMethod": "PaidPrice",
        "freeExchangePriceRange": {"min": 100, "max": 100}, "catalogPrice": money(9),
        "effectivePrice": None if price is None else money(price, currency),  # type: ignore[arg-type]
        **changes,
    }  # fmt: skip


def swapped(name: str, *goods: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A unit of 10.00 that is exchanged."""
    return rma_item(name, resolutionType="VariantExchange", exchangeItems=list(goods), **changes)


def units(*items: dict[str, Any], goods: tuple[dict[str, Any], ...] = ()) -> tuple[ReturnedUnit, ...]:
    body = rma(items=list(items), exchangeItems=list(goods))
    return events(body, merchant="shop-a", read_at_ms=READ_AT)[0].units


def prices(*items: dict[str, Any], goods: tuple[dict[str, Any], ...] = ()) -> list[str | None]:
    found = units(*items, goods=goods)
    return [None if each.exchange_price is None else str(each.exchange_price) for each in found]


@pytest.mark.req("EXG-6")
@pytest.mark.parametrize(
    ("goods", "price"),
    [
        ((), None),
        ((sent(8),), "8.00 EUR"),
        ((sent(3, quantity=2),), "6.00 EUR"),
        ((sent(3), sent("4.50", quantity=2)), "12.00 EUR"),
        ((sent(8), sent(None)), None),
        ((sent(8), sent(None, quantity=0)), "8.00 EUR"),
        ((sent(None),), None),
        ((sent(0),), None),
        ((sent("8.335"),), "8.34 EUR"),
        ((sent(8, "USD"),), "8.00 USD"),
    ],
)
def test_the_price_is_of_all_that_is_sent_for_the_unit_or_unknown(
    goods: tuple[dict[str, Any], ...], price: str | None
) -> None:
    assert prices(swapped("31", *goods)) == [price]


@pytest.mark.req("EXG-6")
@pytest.mark.parametrize(
    ("price", "changes", "meant"),
    [
        (9, {"freeExchangePriceRange": {"min": 90, "max": 110}}, "10.00 EUR"),
        (11, {"freeExchangePriceRange": {"min": 90, "max": 110}}, "10.00 EUR"),
        ("11.01", {"freeExchangePriceRange": {"min": 90, "max": 110}}, "11.01 EUR"),
        (9, {"freeExchangePriceRange": {"min": 90, "max": None}}, "9.00 EUR"),
        (9, {"freeExchangePriceRange": None}, "9.00 EUR"),
        (9, {"freeExchangePriceRange": {"min": 90, "max": 110}, "itemPriceMethod": "CatalogPrice"}, "9.00 EUR"),
    ],
)
def test_a_price_within_the_free_range_of_what_was_paid_makes_no_difference(
    price: object, changes: dict[str, Any], meant: str
) -> None:
    assert prices(swapped("31", sent(price, **changes))) == [meant]


@pytest.mark.req("EXG-6")
@pytest.mark.parametrize(
    ("price", "tax", "meant"),
    [(10, money(2), "12.00 EUR"), (9, money(2), None), (10, None, None), (9, money(0), "9.00 EUR")],
)
def test_where_taxes_come_on_top_only_an_even_exchange_has_a_known_price(
    price: object, tax: object, meant: str | None
) -> None:
    assert prices(swapped("31", sent(price), taxIncluded=False, paidTax=tax)) == [meant]


@pytest.mark.req("EXG-6")
def test_what_the_return_lists_as_a_whole_is_shared_by_what_was_paid() -> None:
    items = (
        swapped("31", paidPrice=money(30)),
        rma_item("32"),
        swapped("33", paidPrice=money(10)),
        swapped("34", sent(5)),
    )
    assert prices(*items, goods=(sent("20.01"),)) == ["15.01 EUR", None, "5.00 EUR", "5.00 EUR"]
    assert prices(swapped("31", paidPrice=None), swapped("32"), goods=(sent("5.01"),)) == ["2.51 EUR", "2.50 EUR"]
    assert prices(rma_item("31"), goods=(sent(8),)) == [None]


@given(paid=st.lists(st.integers(0, 50_000), min_size=1, max_size=6), price=st.integers(1, 10_000_000))
def test_shares_of_a_price_always_add_up_to_it(paid: list[int], price: int) -> None:
    items = [swapped(str(n), paidPrice=money(f"{minor / 100:.2f}")) for n, minor in enumerate(paid, 31)]
    found = [each.exchange_price for each in units(*items, goods=(sent(f"{price / 100:.2f}"),))]
    assert sum(each.minor for each in found if each is not None) == price


@pytest.mark.req("EXG-6")
def test_the_inspection_and_the_draft_keep_the_price() -> None:
    item = swapped("31", sent(8), itemValidationStatusResponse=validated("31"))
    body = rma(items=[item], exchangeOrders=[{"draftOrderId": 71, "orderId": None, "type": "Exchange"}])
    told = {event.kind: event.units[0].exchange_price for event in events(body, merchant="shop-a", read_at_ms=READ_AT)}
    assert told["inspected"] == told["exchange"] == told["requested"] == Money(minor=800, currency="EUR")


def test_a_price_is_only_of_a_unit_that_is_exchanged() -> None:
    refunded = rma_item("31", exchangeItems=[sent(8)], itemValidationStatusResponse=not_validated("31"))
    assert prices(refunded) == [None]


@pytest.mark.parametrize(
    "goods",
    [
        sent(-1), sent(8, quantity=-1), sent(8, quantity="2"), sent("1e12", quantity=1_000_000), sent(8, "XX"),
        sent(9, freeExchangePriceRange={"min": "a lot", "max": 110}),
        sent(9, freeExchangePriceRange={"min": True, "max": 110}),
    ],
)  # fmt: skip
def test_an_absurd_price_refuses_the_whole_return(goods: dict[str, Any]) -> None:
    with pytest.raises(Malformed, match="expected"):
        units(swapped("31", goods))


def test_prices_in_two_currencies_are_no_price() -> None:
    with pytest.raises(Malformed, match="one currency"):
        units(swapped("31", sent(8), sent(8, "USD")))
