"""Sums that must come out whatever the numbers: shares of a discount, shares of a line, the sandbox's clock."""

from datetime import UTC, datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops.sandbox.clock import Clock
from ops.sandbox.shopify.amounts import share
from ops.sandbox.shopify.ordering import spread_by_weight
from ops.sandbox.shopify.rounding import check
from ops.sandbox.shopify.values import amount_text, parse_gid, places

CURRENCIES = st.sampled_from(["ZAR", "JPY", "KWD"])
ADDING_UP = ("cumulative", "last_unit", "first_unit")


def line(total: Decimal, quantity: int, currency: str, tax: Decimal = Decimal(0), rounding: str = "cumulative") -> Any:
    """As much of an order line as the sums look at."""
    order = SimpleNamespace(presentment_currency_code=currency, rounding=rounding)
    return SimpleNamespace(order=order, discounted_total=total, quantity=quantity, tax=tax)


def in_units(units: int, currency: str) -> Decimal:
    """So many of the smallest unit."""
    return Decimal(units).scaleb(-places(currency))


@given(CURRENCIES, st.integers(0, 10**7), st.lists(st.integers(1, 10**6), min_size=1, max_size=8))
def test_shares_of_a_discount_add_up(currency: str, units: int, weights: list[int]) -> None:
    lines = [line(in_units(weight, currency), 1, currency) for weight in weights]
    amount = in_units(min(units, sum(weights)), currency)
    parts = spread_by_weight(amount, lines)
    assert sum(parts) == amount
    assert all(part >= 0 for part in parts)


@given(CURRENCIES, st.integers(0, 10**6), st.integers(1, 9), st.sampled_from(ADDING_UP), st.data())
def test_units_of_a_line_add_up_in_any_pieces(
    currency: str, units: int, quantity: int, rounding: str, data: st.DataObject
) -> None:
    bought = line(in_units(units, currency), quantity, currency, in_units(units // 7, currency), rounding)
    done, subtotal, tax = 0, Decimal(0), Decimal(0)
    while done < quantity:
        piece = data.draw(st.integers(1, quantity - done))
        part = share(bought, done, piece)
        done, subtotal, tax = done + piece, subtotal + part.subtotal, tax + part.tax
    assert (subtotal, tax) == (bought.discounted_total, bought.tax)


@pytest.mark.parametrize(
    ("rounding", "each"),
    [
        ("cumulative", ["3.33", "3.34", "3.33"]),
        ("last_unit", ["3.33", "3.33", "3.34"]),
        ("first_unit", ["3.34", "3.33", "3.33"]),
        ("each_unit", ["3.33", "3.33", "3.33"]),
    ],
)
def test_the_odd_cent_goes_where_the_shops_rule_says(rounding: str, each: list[str]) -> None:
    bought = line(Decimal("10.00"), 3, "EUR", Decimal("2.00"), rounding)
    assert [str(share(bought, done, 1).subtotal) for done in range(3)] == each


def test_taxes_that_are_rounded_apart_need_not_come_to_the_tax_of_the_line() -> None:
    bought = line(Decimal("10.00"), 3, "EUR", Decimal("2.00"), "tax_apart")
    assert share(bought, 0, 3) == (Decimal("10.00"), Decimal("2.01"))


def test_a_rule_that_nobody_knows_is_refused() -> None:
    with pytest.raises(ValueError, match=r"expected one of cumulative, last_unit.*got 'bankers'"):
        check("bankers")


@pytest.mark.parametrize(
    ("amount", "text"),
    [("15", "15.0"), ("8.34", "8.34"), ("338.00", "338.0"), ("0", "0.0"), ("-49.50", "-49.5"), ("1E+3", "1000.0")],
)
def test_amounts_are_written_without_padding(amount: str, text: str) -> None:
    assert amount_text(Decimal(amount)) == text


def test_ids_keep_their_query_part_out_of_the_number() -> None:
    assert parse_gid("gid://shopify/InventoryLevel/12?inventory_item_id=34") == ("InventoryLevel", 12)
    assert parse_gid("gid://shopify/Order/x") is None
    assert parse_gid("17") is None


async def test_sleepers_wake_when_time_is_moved() -> None:
    clock = Clock(datetime(2026, 3, 2, tzinfo=UTC), 0)
    clock.change(None, None, 3600)
    await clock.sleep_until(datetime(2026, 3, 2, 1, tzinfo=UTC))
    assert clock.now() == datetime(2026, 3, 2, 1, tzinfo=UTC)
