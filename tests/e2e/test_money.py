"""Money: the right amount, to the order it came from, after the inspection, never twice and never more than came in."""

import re
from decimal import Decimal

import pytest

from ops.demo.story import Body
from ops.demo.words import back, line
from tests.e2e.day import played
from tests.e2e.shops import Order, Shop, returned
from tests.e2e.world import CALM, World

CARD = "shopify_payments"


def one_of(sku: str, order: Order) -> Order:
    """One piece of a line has come back and was inspected."""
    order.asked(back(sku)).received().inspected("sellable")
    return order


@pytest.mark.req("MON-2", "MON-4")
@played
def test_the_amount_is_the_orders_own_to_the_cent_and_goes_back_to_its_payment(world: World) -> None:
    shop = Shop(world, CALM)
    a, b, c, d, e, f = (shop.goods(price) for price in ("199.00", "100.00", "149.00", "149.00", "89.00", "50.00"))
    yen: Body = {"currency": "JPY", "rate": "0.12"}
    dinar: Body = {"currency": "KWD", "rate": "58"}
    due = {
        "169.00 ZAR": one_of(a, shop.sold(line(a, 2, discount="60.00"))),
        "90.00 ZAR": one_of(b, shop.sold(line(b, 2), line(shop.goods("300.00")), order_discount="50.00")),
        "171.35 ZAR": one_of(c, shop.sold(line(c, tax_rate="0.15"), taxes_included=False)),
        "149.00 ZAR": one_of(d, shop.sold(line(d, tax_rate="0.15"), shipping="50.00")),
        "1500 JPY": one_of(e, shop.sold(line(e, unit_price="1500"), **yen)),
        "4.125 KWD": one_of(f, shop.sold(line(f, 2, unit_price="4.125"), **dinar)),
    }
    for amount, order in due.items():
        (paid,) = order.ended().paid
        assert f"{paid['amount']} {paid['currency']}" == amount
        assert (paid["order"], paid["parent_id"]) == (order.name, order.transactions[0]["id"])


@pytest.mark.req("MON-11")
@played
def test_a_split_tender_gets_back_what_each_gave_and_no_more(world: World) -> None:
    shop = Shop(world, CALM)
    sku = shop.goods("59.00")
    payments = [{"gateway": "gift_card", "amount": "50.00"}, {"gateway": CARD, "amount": "68.00"}]
    order = one_of(sku, shop.sold(line(sku, 2), payments=payments))
    assert order.ended().amounts == ["50.00 ZAR gift_card", f"9.00 ZAR {CARD}"]
    one_of(sku, order)
    everything = order.until(lambda now: len(now.paid) > 2)
    assert everything.amounts == ["50.00 ZAR gift_card", f"59.00 ZAR {CARD}", f"9.00 ZAR {CARD}"]


@pytest.mark.req("MON-3", "EXC-2")
@played
def test_an_amount_that_returngo_sees_otherwise_is_held_with_both_figures(world: World) -> None:
    order = returned(Shop(world, CALM), paid_price="250.00")
    raised = order.raises("amount_mismatch")
    assert (raised.owner, raised.expected, raised.actual) == ("finance", "199.00 ZAR", "250.00 ZAR")
    now = order.until(lambda now: now.moved)
    assert now.paid == []  # the goods are back all the same


@pytest.mark.req("MON-8")
@played
def test_credit_instead_of_money_has_the_exact_value_and_goes_to_the_customer(world: World) -> None:
    shop = Shop(world, CALM)
    credit = returned(shop, "149.00", resolution="RefundToStoreCredit")
    card = returned(shop, "89.00", resolution="RefundByNewGiftCard")
    assert credit.ended().amounts == ["149.00 ZAR store_credit"]
    (issued,) = card.ended().paid
    assert (issued["kind"], issued["amount"], issued["customer_id"]) == ("gift_card", "89.00", card.customer_id)


@pytest.mark.req("EXG-6")
@played
def test_an_exchange_for_cheaper_goods_pays_back_the_difference_alone(world: World) -> None:
    shop = Shop(world, CALM)
    dear, cheap = shop.goods("199.00"), shop.goods("150.00")
    order = shop.sold(line(dear))
    rma = order.asked(back(dear, resolution="VariantExchange")).received()
    rma.step("exchange", sku=cheap, effective_price="150.00", unit=0).inspected("sellable")
    end = order.ended()
    assert (end.amounts, end.moved) == ([f"49.00 ZAR {CARD}"], {"101.available": 1})
    assert [(each["order"], each["parent_id"]) for each in end.paid] == [(order.name, order.transactions[0]["id"])]
    assert order.exceptions() == {}


@pytest.mark.req("MON-8", "EXC-2")
@played
def test_credit_that_can_go_to_nobody_is_raised(world: World) -> None:
    shop = Shop(world, CALM)
    sku = shop.goods()
    order = shop.sold(line(sku), customer=False)
    order.asked(back(sku, resolution="RefundToStoreCredit")).received().inspected("sellable")
    assert order.raises("credit_not_issued").owner == "finance"
    assert order.until(lambda now: now.moved).paid == []


@pytest.mark.req("MON-10", "MON-11")
@played
def test_a_refund_by_staff_is_told_to_finance_and_the_line_never_paid_again(world: World) -> None:
    shop = Shop(world, CALM)
    sku = shop.goods()
    order = shop.sold(line(sku))
    rma = order.asked(back(sku)).received()
    order.until(lambda now: "return-received" in now.tags)
    lines = [{"sku": sku, "quantity": 1, "restock_type": "NO_RESTOCK"}]
    shop.staff("refund", {"order": order.name, "lines": lines, "amount": "199.00"})
    assert order.raises("refund_outside_workflow").owner == "finance"
    rma.inspected("sellable")
    end = order.ended()
    assert (end.moved, end.amounts) == ({"101.available": 1}, [f"199.00 ZAR {CARD}"])
    assert [each["actor"] for each in end.paid] == ["staff"]


@pytest.mark.req("MON-11", "MON-10")
@played
def test_what_is_left_of_the_captured_money_is_all_that_can_go_out(world: World) -> None:
    shop = Shop(world, CALM)
    sku = shop.goods()
    order = shop.sold(line(sku))
    rma = order.asked(back(sku)).received()
    order.until(lambda now: "return-received" in now.tags)
    shop.staff("refund", {"order": order.name, "lines": [], "amount": "150.00"})
    order.raises("refund_outside_workflow")
    rma.inspected("sellable")
    raised = order.raises("amount_mismatch")
    assert (raised.expected, raised.actual) == ("199.00 ZAR", "49.00 ZAR")
    now = order.until(lambda now: now.moved)
    assert sum(Decimal(each["amount"]) for each in now.paid) == Decimal("150.00")


@pytest.mark.req("MON-1", "MON-11")
@played
def test_returngos_own_refund_is_not_repeated(world: World) -> None:
    shop = Shop(world, CALM)
    sku = shop.goods("59.00")
    order = shop.sold(line(sku))
    rma = order.asked(back(sku)).received()
    rma.step("transaction", amount="59.00", act=True)
    rma.inspected("sellable")
    end = order.ended()
    assert (end.amounts, end.moved) == ([f"59.00 ZAR {CARD}"], {"101.available": 1})
    assert re.search("returngo", str(end.paid[0]["actor"]), re.IGNORECASE)
