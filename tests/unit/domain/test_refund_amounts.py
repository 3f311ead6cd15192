"""How much a refund is, and from which payments it is taken."""

import pytest

from schemas.commands import Annotate, Refund
from schemas.facts import ReturnEvent
from schemas.money import Money
from tests.unit.domain.factories import (
    Run,
    asked,
    inspected,
    line,
    order,
    paid,
    payment,
    result,
    rules,
    transaction,
    unit,
)


@pytest.mark.req("MON-2")
def test_discounts_of_line_and_order_are_shared_to_the_last_cent() -> None:
    run = Run()
    sold = line(quantity=3, price=1000, discount_minor=100, order_discount_minor=200)  # 2700 - … = 2700 / 3
    odd = line("L2", "CAP", 3, price=334, order_discount_minor=1)  # 1001 / 3 = 334 + 334 + 333
    run.feed(order(sold, odd))
    for i, (rma, one) in enumerate([("101", "L1"), ("102", "L2"), ("103", "L2"), ("104", "L2")]):
        each = unit(f"u{i}", one, "TEE" if one == "L1" else "CAP")
        run.feed(*asked(each, rma=rma), inspected(each, rma=rma))
    run.pay()
    assert paid(run) == [900, 334, 334, 333]


@pytest.mark.req("MON-2")
@pytest.mark.parametrize(("included", "amount"), [(True, 1000), (False, 1190)])
def test_tax_on_top_is_paid_back_tax_inside_is_in_the_price(included: bool, amount: int) -> None:
    run = Run()
    run.feed(order(line(tax_minor=190), taxes_included=included), *asked(unit()), inspected(unit()))
    assert paid(run) == [amount]


@pytest.mark.req("MON-2")
def test_fees_are_kept_back_and_named() -> None:
    run = Run()
    one = unit(fees=Money(minor=250, currency="EUR"))
    run.feed(order(), *asked(one), inspected(one))
    (refund,) = run.commands(Refund)
    assert (refund.amount_minor, refund.fees_minor, refund.lines[0].amount_minor) == (750, 250, 1000)


@pytest.mark.req("MON-2")
def test_nothing_is_due_when_fees_eat_the_price_and_the_unit_closes() -> None:
    run = Run()
    one = unit(fees=Money(minor=5000, currency="EUR"))
    run.feed(order(), *asked(one), inspected(one))
    run.restock()
    assert (paid(run), run.stages(), run.open) == ([], {"u1": "closed"}, ["amount_mismatch"])


@pytest.mark.req("MON-2")
def test_shipping_is_paid_back_once_with_the_last_unit_of_the_order() -> None:
    run = Run(rules(refunding={"shipping": "full_return"}))
    run.feed(order(line(quantity=2), shipping_minor=490))
    run.feed(*asked(unit("u1"), rma="101"), inspected(unit("u1"), rma="101"))
    run.feed(*asked(unit("u2"), rma="102"), inspected(unit("u2"), rma="102"))
    assert [(r.amount_minor, r.shipping_minor) for r in run.commands(Refund)] == [(1000, 0), (1490, 490)]


@pytest.mark.req("MON-13")
@pytest.mark.parametrize(
    ("currency", "price", "units", "amounts"), [("JPY", 1001, 2, [501, 500]), ("KWD", 1000, 3, [334, 333, 333])]
)
def test_currencies_without_and_with_three_decimals_are_whole_minor_units(
    currency: str, price: int, units: int, amounts: list[int]
) -> None:
    run = Run()
    sold = line(quantity=units, price=price, order_discount_minor=price * units - price)
    run.feed(order(sold, currency=currency, shop_currency="EUR"))
    for i in range(units):
        one = unit(f"u{i}", paid=None)
        run.feed(*asked(one, rma=f"10{i}"), inspected(one, rma=f"10{i}"))
    run.pay()
    assert [(r.amount_minor, r.currency) for r in run.commands(Refund)] == [(a, currency) for a in amounts]


@pytest.mark.req("MON-3")
@pytest.mark.parametrize(
    ("paid_price", "tolerance", "sent"), [(1000, 0, True), (999, 0, False), (999, 1, True), (998, 1, False)]
)
def test_returngos_price_and_ours_must_agree_within_tolerance(paid_price: int, tolerance: int, sent: bool) -> None:
    run = Run(rules(refunding={"tolerance_minor": tolerance}))
    one = unit(paid=paid_price)
    run.feed(order(), *asked(one), inspected(one))
    assert paid(run) == ([1000] if sent else [])
    assert run.open == ([] if sent else ["amount_mismatch"])


@pytest.mark.req("MON-3", "EXC-1")
def test_a_mismatch_shows_both_figures_and_clears_when_they_agree() -> None:
    run = Run()
    run.feed(order(), *asked(unit(paid=1000)), inspected(unit(paid=1000)), transaction(1200))
    assert paid(run) == [1000]
    late = Run()
    late.feed(transaction(1200), order(), *asked(unit()), inspected(unit()))
    assert paid(late) == []
    raised = late.raised("amount_mismatch")
    assert (raised.expected, raised.actual, raised.owner) == ("10.00 EUR", "12.00 EUR", "finance")
    assert "1 of 1 × TEE 10.00 EUR (price 10.00 EUR)" in raised.detail
    late.feed(transaction(1000, hours=9))
    assert (paid(late), late.open) == ([1000], [])


@pytest.mark.req("MON-13")
def test_figures_in_another_currency_hold_the_refund() -> None:
    run = Run()
    one = unit(paid=1000, currency="USD")
    run.feed(order(), *asked(one), inspected(one))
    assert (paid(run), run.open) == ([], ["currency_mismatch"])
    assert (run.raised("currency_mismatch").expected, run.raised("currency_mismatch").actual) == ("EUR", "USD")


SPLIT = (payment("P1", "card", 600), payment("P2", "gift_card", 300), payment("P3", "voucher", 100))


@pytest.mark.req("MON-11")
@pytest.mark.parametrize(
    ("tenders", "shares"),
    [
        (("gift_card", "*"), [("P2", 300), ("P1", 600), ("P3", 100)]),
        (("*",), [("P1", 600), ("P2", 300), ("P3", 100)]),
        (("voucher", "card", "gift_card"), [("P3", 100), ("P1", 600), ("P2", 300)]),
    ],
)
def test_split_tenders_are_repaid_in_the_merchants_order(
    tenders: tuple[str, ...], shares: list[tuple[str, int]]
) -> None:
    run = Run(rules(refunding={"tenders": tenders}))
    run.feed(order(payments=SPLIT), *asked(unit()), inspected(unit()))
    (refund,) = run.commands(Refund)
    assert [(t.payment_id, t.amount_minor) for t in refund.tenders] == shares


@pytest.mark.req("MON-11")
def test_a_tender_gives_back_no_more_than_it_took() -> None:
    run = Run()
    run.feed(order(line(quantity=2, price=500), payments=SPLIT))
    for i in (1, 2):
        run.feed(*asked(unit(f"u{i}"), rma=f"10{i}"), inspected(unit(f"u{i}"), rma=f"10{i}"))
    first, second = run.commands(Refund)
    assert [(t.payment_id, t.amount_minor) for t in first.tenders] == [("P2", 300), ("P1", 200)]
    assert [(t.payment_id, t.amount_minor) for t in second.tenders] == [("P1", 400), ("P3", 100)]


@pytest.mark.req("MON-11")
@pytest.mark.parametrize("status", ["pending", "failed"])
def test_money_that_was_not_captured_is_not_paid_back(status: str) -> None:
    run = Run()
    run.feed(order(payments=(payment("P1", "card", 400), payment("P2", "card", 600, status))))
    run.feed(*asked(unit()), inspected(unit()))
    assert (paid(run), run.open) == ([], ["amount_mismatch"])
    assert run.raised("amount_mismatch").actual == "4.00 EUR"


def test_a_tender_without_a_rule_is_raised() -> None:
    run = Run(rules(refunding={"tenders": ["gift_card"]}))
    run.feed(order(), *asked(unit()), inspected(unit()))
    assert (paid(run), run.open) == ([], ["unmapped_tender"])
    run.feed(order(hours=6, payments=(payment("P1", "card", 500), payment("P2", "voucher", 500))))
    assert run.raised("unmapped_tender").detail == "no rule says when to repay card, voucher"


@pytest.mark.req("MON-2", "MON-11")
def test_shipping_is_not_paid_back_while_the_refund_of_another_unit_was_refused() -> None:
    run = Run(rules(refunding={"shipping": "full_return"}))
    run.feed(order(line(quantity=2), shipping_minor=490))
    run.feed(*asked(unit("u1"), rma="101"), inspected(unit("u1"), rma="101"))
    (first,) = run.commands(Refund)
    run.feed(result(first.command_id, "refund", "rejected", code="rejected_by_system"))
    run.feed(*asked(unit("u2"), rma="102"), inspected(unit("u2"), rma="102"))
    assert [(r.amount_minor, r.shipping_minor) for r in run.commands(Refund)] == [(1000, 0), (1000, 0)]


@pytest.mark.req("MON-2", "MON-11")
def test_shipping_is_paid_back_once_however_often_an_order_grows_and_comes_back_whole() -> None:
    run = Run(rules(refunding={"shipping": "full_return"}))
    for number in (1, 2, 3):
        lines = [line(f"L{n}", f"S{n}") for n in range(1, number + 1)]
        one = unit(f"u{number}", f"L{number}", f"S{number}")
        run.feed(order(*lines, hours=number * 10, shipping_minor=490))
        run.feed(
            *asked(one, rma=f"10{number}", hours=number * 10), inspected(one, rma=f"10{number}", hours=number * 10 + 1)
        )
    assert [(r.amount_minor, r.shipping_minor) for r in run.commands(Refund)] == [(1490, 490), (1000, 0), (1000, 0)]


def test_where_no_shipping_was_paid_none_is_paid_back() -> None:
    run = Run(rules(refunding={"shipping": "full_return"}))
    run.feed(order(paid=5000), *asked(unit()), inspected(unit()))
    assert [(r.amount_minor, r.shipping_minor) for r in run.commands(Refund)] == [(1000, 0)]


def _asks_for_each(first: int, second: int) -> list[ReturnEvent]:
    return [
        transaction(first, units=("u1",), number="T1"), transaction(second, units=("u2",), number="T2", hours=6.1),
    ]  # fmt: skip


@pytest.mark.req("MON-3", "STA-3")
@pytest.mark.parametrize("late", [False, True])
def test_requests_for_parts_of_one_refund_are_compared_together(*, late: bool) -> None:
    run, units = Run(), (unit("u1"), unit("u2", "L2", "CAP"))
    goods, asks = [inspected(each) for each in units], _asks_for_each(1000, 1000)
    run.feed(order(line(), line("L2", "CAP")), *asked(*units), *(goods + asks if late else asks + goods))
    assert (paid(run), run.open) == ([2000], [])
    run.feed(result(run.commands(Refund)[0].command_id, "refund", external_ids={"refund_id": "R1"}))
    told = [m.transaction for m in run.commands(Annotate) if m.transaction is not None]
    assert [(t.transaction_id, t.status, t.external_id) for t in told] == [
        ("T1", "success", "R1"),
        ("T2", "success", "R1"),
    ]


@pytest.mark.req("MON-3")
def test_requests_for_parts_that_come_to_another_amount_hold_the_refund() -> None:
    run, units = Run(), (unit("u1"), unit("u2", "L2", "CAP"))
    run.feed(order(line(), line("L2", "CAP")), *asked(*units), *_asks_for_each(700, 1000))
    run.feed(*(inspected(each) for each in units))
    assert (paid(run), run.open) == ([], ["amount_mismatch"])
    assert (run.raised("amount_mismatch").expected, run.raised("amount_mismatch").actual) == ("20.00 EUR", "17.00 EUR")
    run.feed(transaction(1000, units=("u1",), number="T3", hours=7))
    assert (paid(run), run.open) == ([2000], [])
