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
from ops.sandbox.shopify.values import amount_text, parse_gid, places

CURRENCIES = st.sampled_from(["ZAR", "JPY", "KWD"])


def line(total: Decimal, quantity: int, currency: str, tax: Decimal = Decimal(0)) -> Any:
    """As much of an order line as the sums look at."""
    order = SimpleNamespace(presentment_currency_code=currency)
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


@given(CURRENCIES, st.integers(0, 10**6), st.integers(1, 9), st.data())
def test_units_of_a_line_add_up_in_any_pieces(currency: str, units: int, quantity: int, data: st.DataObject) -> None:
    bought = line(in_units(units, currency), quantity, currency, tax=in_units(units // 7, currency))
    done, subtotal, tax = 0, Decimal(0), Decimal(0)
    while done < quantity:
        piece = data.draw(st.integers(1, quantity - done))
        part = share(bought, done, piece)
        done, subtotal, tax = done + piece, subtotal + part.subtotal, tax + part.tax
    assert (subtotal, tax) == (bought.discounted_total, bought.tax)


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
