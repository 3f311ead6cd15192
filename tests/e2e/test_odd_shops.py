"""Shops as they are: money promised and taken later, rates that move, shipping with taxes, edited orders, goods without
SKUs; and every shop rounds in its own way."""

from decimal import Decimal

import pytest

from ops.demo.story import Body
from ops.demo.words import back, line
from tests.e2e.day import played
from tests.e2e.shops import Order, Shop
from tests.e2e.world import CALM, World, until

ABROAD, APART, PROMISING = "abroad", "apart", "promising"
CARD = "shopify_payments"


def promised(amount: str) -> list[Body]:
    """A payment that is not captured yet."""
    return [{"kind": "AUTHORIZATION", "amount": amount}]


def captured(order: Order, amount: str | None = None) -> int:
    """(A part of) the money is taken; the payment's id."""
    given = {} if amount is None else {"amount": amount}
    path = f"/shopify/{order.shop.domain}/staff/capture"
    return int(order.shop.world.post(path, {"order": order.name, **given})["transaction_id"])


def one_back(order: Order, sku: str, quantity: int = 1) -> None:
    """Units have come back and were inspected."""
    order.asked(back(sku, quantity)).received().inspected(*["sellable"] * quantity)


@pytest.mark.req("MON-2", "MON-11")
@played
def test_promised_money_is_paid_back_only_once_it_was_captured_and_to_the_capture(world: World) -> None:
    shop = Shop(world, PROMISING)
    sku = shop.goods("80.00")
    order = shop.sold(line(sku, tax_rate="0.25"), taxes_included=False, payments=promised("100.00"))
    one_back(order, sku)
    assert order.raises("amount_mismatch").actual == "0.00 ZAR"
    assert order.until(lambda now: now.moved).paid == []
    capture = captured(order)
    (paid,) = order.ended().paid
    assert (paid["amount"], paid["parent_id"]) == ("100.00", capture)
    assert until(order.exceptions, lambda found: not found) == {}


@pytest.mark.req("MON-11")
@played
def test_each_capture_gives_back_what_it_took_and_what_was_given_up_nothing(world: World) -> None:
    shop = Shop(world, PROMISING)
    sku = shop.goods("30.00")
    order = shop.sold(line(sku, 3, fulfilled=2), payments=promised("90.00"))
    captures = [captured(order, amount) for amount in ("20.00", "40.00")]
    shop.staff("edit-order", {"order": order.name, "remove": [{"sku": sku}]})
    shop.staff("void", {"order": order.name})
    one_back(order, sku, 2)
    given = sorted((each["parent_id"], each["amount"]) for each in order.ended().paid)
    assert given == [(captures[0], "20.00"), (captures[1], "40.00")]


@pytest.mark.req("MON-2")
@played
def test_a_transfer_that_came_later_is_what_gives_the_money_back(world: World) -> None:
    shop = Shop(world, PROMISING)
    sku = shop.goods("45.50")
    waits = [{"gateway": "Bank Deposit", "status": "PENDING", "amount": "45.50"}]
    order = shop.sold(line(sku), payments=waits)
    shop.staff("mark-paid", {"order": order.name})
    one_back(order, sku)
    assert order.ended().amounts == ["45.50 ZAR Bank Deposit"]


@played
def test_an_order_that_was_edited_and_sent_in_parts_is_paid_back_as_it_is_now(world: World) -> None:
    shop = Shop(world, ABROAD)
    kept, off, added = shop.goods("12.34"), shop.goods("99.00"), shop.goods("7.66")
    order = shop.sold(line(kept, 2, fulfilled=1), line(off, fulfilled=0))
    shop.staff("edit-order", {"order": order.name, "remove": [{"sku": off}], "add": [line(added, fulfilled=0)]})
    shop.staff("send", {"order": order.name, "lines": [{"sku": added}]})
    order.lines.append({"sku": added})
    order.asked(back(kept), back(added)).received().inspected("sellable", "sellable")
    now = order.ended()
    assert (now.amounts, now.moved) == ([f"20.00 EUR {CARD}"], {"101.available": 2})
    assert order.exceptions() == {}


@pytest.mark.req("MON-13")
@played
def test_money_goes_back_at_the_rate_of_its_day_and_that_is_no_fault(world: World) -> None:
    shop = Shop(world, ABROAD)
    sku = shop.goods("40.00")
    order = shop.sold(line(sku, unit_price="66.67"), currency="USD", rate="0.9")
    shop.staff("rate", {"currency": "USD", "rate": "0.8"})
    one_back(order, sku)
    (paid,) = order.ended().paid
    assert (paid["amount"], paid["currency"], paid["shop_amount"]) == ("66.67", "USD", "53.34")
    order.until(lambda now: "return-attention" not in now.tags)
    assert order.exceptions() == {}


@pytest.mark.req("MON-2", "MON-6")
@played
def test_a_line_that_does_not_divide_is_paid_back_to_the_cent_however_the_shop_rounds(world: World) -> None:
    orders = []
    for merchant in (CALM, ABROAD, PROMISING, APART):
        shop = Shop(world, merchant)
        sku = shop.goods("16.67")
        order = shop.sold(line(sku, 3, discount="0.01", tax_rate="0.25"), taxes_included=False)
        one_back(order, sku)
        orders.append((order, sku))
    for paid in (1, 2):
        for order, sku in orders:
            order.until(lambda now, times=paid: len(now.paid) == times)  # type: ignore[misc]
            one_back(order, sku)
    for order, _ in orders:
        order.until(lambda now: len(now.paid) == 3)
        now = order.ended()
        assert sum(Decimal(each["amount"]) for each in now.paid) == Decimal("62.50"), (order.name, now.amounts)
        assert order.exceptions() == {}


@pytest.mark.req("MON-2")
@played
def test_shipping_comes_back_with_its_taxes_when_everything_is_back_however_it_was_split(world: World) -> None:
    shop = Shop(world, PROMISING)
    sku = shop.goods("20.00")
    shipping = [{"price": "9.00", "discount": "1.00", "tax_rate": "0.19"}, {"price": "2.00", "tax_rate": "0.19"}]
    order = shop.sold(line(sku, 2, tax_rate="0.19"), shipping_lines=shipping, taxes_included=False)
    one_back(order, sku)
    order.until(lambda now: now.paid)
    one_back(order, sku)
    now = order.until(lambda now: sum(Decimal(each["amount"]) for each in now.paid) >= Decimal("59.50"))
    assert sum(Decimal(each["amount"]) for each in now.paid) == Decimal("59.50")
    assert order.exceptions() == {}
