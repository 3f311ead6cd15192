"""What is paid: to the last minor unit, in any currency, with everything that adds to it or is kept back."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from schemas.commands import Refund, StoreCredit
from schemas.merchant_model import Cash
from schemas.money import Money, split
from streams.domain import amounts
from streams.domain.decided import Repaid
from tests.unit.domain.factories import Run, asked, event, inspected, line, order, payment, rules, transaction, unit


def back(run: Run, *units: str, rma: str = "100", **more: object) -> None:
    """These units of the first line are returned and found sellable."""
    each = [unit(u, **more) for u in units]  # type: ignore[arg-type]
    run.feed(*asked(*each, rma=rma), *(inspected(u, rma=rma) for u in each))


@pytest.mark.req("MON-2")
@given(total=st.integers(-(10**9), 10**9), quantity=st.integers(1, 40), cuts=st.lists(st.integers(0, 40), max_size=4))
def test_however_a_line_is_split_over_refunds_its_parts_add_up(total: int, quantity: int, cuts: list[int]) -> None:
    places = sorted({0, quantity, *(c for c in cuts if c <= quantity)})
    parts = [
        amounts.first_units(total, quantity, b) - amounts.first_units(total, quantity, a) for a, b in pairwise(places)
    ]
    assert sum(parts) == total
    assert amounts.first_units(total, quantity, 1) == split(total, [1] * quantity)[0]


@pytest.mark.req("MON-2", "MON-13")
@pytest.mark.parametrize("currency", ["JPY", "EUR", "KWD"])
@given(
    price=st.integers(1000, 10**6), quantity=st.integers(1, 5), line_off=st.integers(0, 99),
    order_off=st.integers(0, 99), tax=st.integers(0, 999), included=st.booleans(), data=st.data(),
)  # fmt: skip
@settings(deadline=None, max_examples=40)
def test_refunds_of_all_units_come_to_what_the_line_cost_in_any_currency(
    currency: str,
    price: int,
    quantity: int,
    line_off: int,
    order_off: int,
    tax: int,
    included: bool,
    data: st.DataObject,
) -> None:
    sold = line(
        quantity=quantity, price=price, discount_minor=min(line_off, price * quantity),
        order_discount_minor=min(order_off, max(price * quantity - line_off, 0)), tax_minor=tax,
    )  # fmt: skip
    cost = price * quantity - sold.discount_minor - sold.order_discount_minor + (0 if included else tax)
    run = Run()
    run.feed(order(sold, currency=currency, shop_currency="EUR", taxes_included=included))
    names = [f"u{i}" for i in range(quantity)]
    cut = data.draw(st.integers(0, quantity))
    for rma, mine in (("101", names[:cut]), ("102", names[cut:])):
        if mine:
            back(run, *mine, rma=rma)
    run.pay()
    refunds = run.commands(Refund)
    assert sum(r.amount_minor for r in refunds) == cost
    assert sum(r.tax_minor for r in refunds) == tax
    assert {r.currency for r in refunds} <= {currency}
    assert all(sum(t.amount_minor for t in r.tenders) == r.amount_minor for r in refunds)


@pytest.mark.req("MON-2")
@pytest.mark.parametrize(("duties", "amount"), [("never", 2000), ("with_goods", 2067)])
def test_duties_go_back_with_the_goods_where_the_merchant_pays_them_back(duties: str, amount: int) -> None:
    run = Run(rules(refunding={"duties": duties}))
    run.feed(order(line(quantity=3, duty_minor=100), paid=3100))
    back(run, "u1", "u2")
    (refund,) = run.commands(Refund)
    assert (refund.amount_minor, refund.duties_minor, refund.lines[0].amount_minor) == (amount, amount - 2000, 2000)
    assert refund.amount_minor + refund.fees_minor == 2000  # what the shop suggests for the goods


@pytest.mark.req("MON-2", "MON-8")
def test_a_bonus_on_credit_is_the_merchants_own_money() -> None:
    run = Run(rules(refunding={"bonus_percent": {"store_credit": 10}}))
    run.feed(order(line(price=1005)))
    back(run, "u1", resolution="store_credit", fees=Money(minor=100, currency="EUR"))
    (credit,) = run.commands(StoreCredit)
    assert (credit.amount_minor, credit.bonus_minor) == (1005 + 101 - 100, 101)
    assert run.open == []


@pytest.mark.req("MON-2")
def test_a_gift_card_gets_no_bonus_that_is_meant_for_store_credit() -> None:
    run = Run(rules(refunding={"bonus_percent": {"store_credit": 10}}))
    run.feed(order())
    back(run, "u1", resolution="gift_card")
    assert [c.amount_minor for c in run.commands(StoreCredit)] == [1000]


@pytest.mark.req("MON-3", "MON-8")
def test_a_credit_that_returngo_asks_for_is_compared_too() -> None:
    run = Run()
    one = unit(resolution="store_credit")
    run.feed(order(), transaction(1100, kind="store_credit"), *asked(one), inspected(one))
    assert (run.commands(StoreCredit), run.open) == ([], ["amount_mismatch"])
    run.feed(transaction(1000, kind="store_credit", hours=7))
    assert [c.amount_minor for c in run.commands(StoreCredit)] == [1000]


COINS = Cash(tenders=("cash",), smallest_minor=5)


@pytest.mark.req("MON-13")
@pytest.mark.parametrize(
    ("due", "before", "handed", "most", "paid"),
    [
        (1002, 0, 0, 9999, 1000), (1003, 0, 0, 9999, 1005), (1000, 0, 0, 1000, 1000), (998, 0, 0, 999, 995),
        (998, 0, 0, 1000, 1000), (2, 0, 0, 99, 0), (2, 2, 0, 99, 5), (1, 1003, 1005, 9999, 0),
    ],
)  # fmt: skip
def test_cash_is_paid_in_whole_coins_and_never_above_what_was_taken(
    due: int, before: int, handed: int, most: int, paid: int
) -> None:
    share = amounts.in_coins(Repaid(payment_id="P1", tender="cash", amount_minor=due), COINS, before, handed, most)
    assert (share.amount_minor, share.rounding_minor) == (paid, paid - due)


@pytest.mark.req("MON-13", "MON-4")
def test_a_cash_part_that_rounds_to_nothing_holds_no_other_part_up() -> None:
    run = Run(rules(refunding={"tenders": ["cash", "*"], "cash": {"tenders": ["cash"], "smallest_minor": 5}}))
    run.feed(order(payments=(payment("P1", "cash", 2), payment("P2", "card", 998))), *asked(unit()), inspected(unit()))
    (refund,) = run.commands(Refund)
    assert [(t.tender, t.amount_minor) for t in refund.tenders] == [("card", 998)]
    assert (refund.amount_minor, refund.rounding_minor) == (998, -2)


@pytest.mark.req("MON-13", "EXG-6")
def test_cash_that_went_into_an_exchange_is_not_handed_out_again() -> None:
    run = Run(rules(refunding={"cash": {"tenders": ["cash"], "smallest_minor": 5}}))
    exchanged, refunded = unit("u1", resolution="exchange"), unit("u2")
    run.feed(order(line(quantity=2, price=503), payments=(payment("P1", "cash", 1006),)), *asked(exchanged, refunded))
    run.feed(inspected(exchanged), event("exchange", exchanged, hours=6, exchange_draft_order_id="D1"))
    run.feed(inspected(refunded, hours=7))
    assert [r.amount_minor for r in run.commands(Refund)] == [500]  # 5.05 would be more than is left


@pytest.mark.req("MON-11", "MON-13")
@given(prices=st.lists(st.integers(3, 2000), min_size=1, max_size=5), coin=st.sampled_from([5, 10, 50]))
@settings(deadline=None, max_examples=40)
def test_refunds_in_coins_add_up_and_never_come_to_more_than_was_taken(prices: list[int], coin: int) -> None:
    run = Run(rules(refunding={"cash": {"tenders": ["cash"], "smallest_minor": coin}}))
    taken = sum(prices) // coin * coin + coin * (2 * (sum(prices) % coin) >= coin)  # a till rounds the sale as well
    lines = [line(f"L{i}", f"S{i}", price=price) for i, price in enumerate(prices)]
    run.feed(order(*lines, payments=(payment("P1", "cash", taken),)))
    back = 0
    for i in range(len(prices)):
        one = unit(f"u{i}", f"L{i}", f"S{i}")
        run.feed(*asked(one, rma=f"10{i}"), inspected(one, rma=f"10{i}"))
        back = sum(r.amount_minor for r in run.commands(Refund))
        due = sum(r.amount_minor - r.rounding_minor for r in run.commands(Refund))
        assert back <= taken
        assert back % coin == 0
        assert abs(back - due) <= coin
    if taken >= sum(prices) and all(price >= coin for price in prices):
        assert back == taken


@pytest.mark.req("MON-13")
def test_only_cash_is_rounded_and_the_difference_is_named() -> None:
    run = Run(rules(refunding={"cash": {"tenders": ["cash"], "smallest_minor": 5}, "tenders": ["cash", "*"]}))
    paid = (payment("P1", "cash", 500), payment("P2", "card", 1503))
    run.feed(order(line(quantity=2, price=1001, order_discount_minor=0), payments=paid))
    back(run, "u1")
    (first,) = run.commands(Refund)
    assert [(t.payment_id, t.amount_minor) for t in first.tenders] == [("P1", 500), ("P2", 501)]
    assert first.rounding_minor == 0
    only = Run(run.rules)
    only.feed(order(line(price=998), payments=(payment("P1", "cash", 1000),)))
    back(only, "u1")
    (refund,) = only.commands(Refund)
    assert (refund.amount_minor, refund.rounding_minor, refund.fees_minor) == (1000, 2, -2)


@pytest.mark.req("MON-12")
@pytest.mark.parametrize("theirs", [840, 1000 - 160])
def test_a_difference_of_taxes_alone_says_so(theirs: int) -> None:
    run = Run()
    sold = line(price=1000, tax_minor=160)
    one = replace(unit(paid=theirs), paid_tax=Money(minor=0, currency="EUR"))
    run.feed(order(sold), *asked(one), inspected(one))
    assert (run.commands(Refund), run.open) == ([], ["tax_mismatch"])
    raised = run.raised("tax_mismatch")
    assert (raised.expected, raised.actual) == ("1.60 EUR", "0.00 EUR")
    assert "tax 1.60 EUR inside" in raised.detail


@pytest.mark.req("MON-3", "EXC-1")
def test_a_difference_is_explained_line_by_line_from_both_sides() -> None:
    run = Run()
    sold = line(quantity=3, price=1000, discount_minor=100, order_discount_minor=200, tax_minor=431)
    units = [replace(unit(f"u{i}", paid=1000), paid_tax=Money(minor=144, currency="EUR")) for i in (1, 2)]
    run.feed(order(sold), *asked(*units), *(inspected(u) for u in units))
    raised = run.raised("amount_mismatch")
    assert (raised.expected, raised.actual) == ("18.00 EUR", "20.00 EUR")
    assert raised.detail == (
        "the order gives 18.00 EUR: 2 of 3 × TEE 18.00 EUR (price 30.00 EUR, discount -1.00 EUR, "
        "order discount -2.00 EUR, tax 4.31 EUR inside) | ReturnGO's prices give 20.00 EUR: u1 10.00 EUR "
        "(tax 1.44 EUR); u2 10.00 EUR (tax 1.44 EUR) | paid 27.00 EUR, paid back before 0.00 EUR"
    )
