"""Money that does not add up, or that somebody else moved: raised with both values, never paid or counted silently."""

from typing import Any

import pytest
from msgspec.structs import replace

from schemas.commands import Exchange, Refund, StoreCredit
from schemas.facts import ObservedEffect, RefundedTender
from schemas.money import Money
from tests.unit.domain.factories import (
    Run,
    asked,
    covers,
    event,
    inspected,
    line,
    order,
    payment,
    refunded,
    result,
    transaction,
    unit,
)


def pays(run: Run) -> list[int]:
    return [r.amount_minor for r in run.commands(Refund)]


def figures(run: Run, kind: str) -> tuple[str | None, str | None]:
    raised = run.raised(kind)
    return raised.expected, raised.actual


def returned(*, snapshot: Any = None, merchant: Any = None) -> Run:
    """One unit of an order is returned and inspected."""
    run = Run(merchant)
    run.feed(snapshot or order(line(quantity=2)), *asked(unit()), inspected(unit()))
    return run


@pytest.mark.req("MON-13")
def test_a_refund_by_others_in_another_currency_holds_every_payment_of_the_order() -> None:
    run = Run()
    run.feed(order(line(quantity=2)), *asked(unit()), refunded("R9", 500, hours=-50, currency="USD"), inspected(unit()))
    assert (pays(run), run.open) == ([], ["currency_mismatch", "currency_mismatch"])
    assert run.waits() == {"u1": "money_counted"}
    assert ("EUR", "5.00 USD") in {(r.expected, r.actual) for r in run.records(type(run.raised("currency_mismatch")))}
    run.feed(refunded("R9", 450, hours=-49))
    assert (pays(run), run.open) == ([1000], [])


@pytest.mark.req("MON-13", "MON-6")
def test_an_answer_in_another_currency_is_raised_and_not_taken_for_the_amount() -> None:
    run = returned()
    run.feed(result(run.commands(Refund)[0].command_id, "refund", amount=Money(minor=5, currency="USD")))
    assert run.open == ["currency_mismatch"]
    assert figures(run, "currency_mismatch") == ("10.00 EUR", "0.05 USD")


@pytest.mark.req("MON-13", "MON-3")
def test_a_late_request_in_another_currency_is_raised_and_never_answered() -> None:
    run = returned()
    run.feed(transaction(1000, currency="USD"))
    assert figures(run, "currency_mismatch") == ("10.00 EUR", "10.00 USD")


@pytest.mark.req("MON-11")
def test_a_refund_or_a_payment_of_less_than_nothing_is_raised_with_its_value() -> None:
    run = Run()
    run.feed(order(), *asked(unit()), refunded("R9", -5000, hours=-50))
    assert figures(run, "contradicting_fact") == ("0 or more", "-50.00 EUR")
    odd = returned(snapshot=order(payments=(payment("P1", "card", 1000), payment("P2", "card", -300))))
    assert pays(odd) == []
    assert figures(odd, "contradicting_fact") == ("0 or more", "-3.00 EUR")


@pytest.mark.req("ELG-1")
def test_a_refund_of_a_line_that_is_not_on_the_order_is_raised() -> None:
    run = returned()
    run.feed(refunded("R9", 10, covers("L7"), hours=7))
    assert figures(run, "unknown_line") == ("L1", "L7")


@pytest.mark.req("MON-11")
def test_more_paid_back_than_was_captured_is_raised_with_both_sums() -> None:
    run = Run()
    run.feed(order(), *asked(unit()), refunded("R8", 800, hours=4), refunded("R9", 700, hours=4.5))
    assert figures(run, "amount_mismatch") == ("at most 10.00 EUR", "15.00 EUR")
    assert "refund R8 8.00 EUR, refund R9 7.00 EUR" in run.raised("amount_mismatch").detail
    assert pays(run) == []


@pytest.mark.req("MON-11")
def test_units_that_were_paid_back_before_are_not_paid_again_by_another_return() -> None:
    """The money half of more units returned than bought: two returns of the one unit that there is."""
    run = Run()
    run.feed(order(), *asked(unit("u1"), rma="101"), inspected(unit("u1"), rma="101"))
    assert pays(run) == [1000]
    run.feed(*asked(unit("u2"), rma="102"), inspected(unit("u2"), rma="102"))
    assert (pays(run), "over_quantity" in run.open) == ([1000], True)


@pytest.mark.req("MON-10")
def test_a_refund_that_moved_nothing_pays_for_no_unit_though_nothing_is_left_to_pay_with() -> None:
    run = Run()
    units = unit("u1"), unit("u2", "L2", "CAP")
    run.feed(order(line(), line("L2", "CAP")), *asked(*units), refunded("R8", 2000, covers(), hours=3))
    run.feed(refunded("R9", 0, hours=4, tenders=()), *(inspected(u) for u in units))
    assert (pays(run), run.waits()["u2"]) == ([], "captured")
    assert "amount_mismatch" in run.open


@pytest.mark.req("MON-12")
def test_taxes_that_differ_are_raised_though_the_amounts_agree() -> None:
    run = Run()
    one = replace(unit(paid=1000), paid_tax=Money(minor=70, currency="EUR"))
    run.feed(order(line(tax_minor=160)), *asked(one), inspected(one))
    assert (pays(run), run.open) == ([1000], ["tax_mismatch"])
    assert figures(run, "tax_mismatch") == ("1.60 EUR", "0.70 EUR")


@pytest.mark.req("MON-12")
def test_a_tax_that_returngo_tells_after_the_payment_is_compared_too() -> None:
    run = returned(snapshot=order(line(tax_minor=160)))
    told = replace(unit(paid=1000), paid_tax=Money(minor=70, currency="EUR"))
    run.feed(event("requested", told, hours=8))
    assert figures(run, "tax_mismatch") == ("1.60 EUR", "0.70 EUR")
    assert run.raised("tax_mismatch").detail == "the order gives a tax of 1.60 EUR, ReturnGO says 0.70 EUR"


@pytest.mark.req("MON-12")
@pytest.mark.parametrize(("tax", "raised"), [(160, []), (161, []), (162, ["tax_mismatch"]), (0, ["tax_mismatch"])])
def test_the_tax_on_the_record_of_the_paying_system_is_compared(tax: int, raised: list[str]) -> None:
    run = returned(snapshot=order(line(tax_minor=160)))
    run.feed(result(run.commands(Refund)[0].command_id, "refund", tax_minor=tax))
    assert run.open == raised


def in_shop_currency(refund_id: str, minor: int, shop: int, currency: str = "EUR") -> ObservedEffect:
    tender = RefundedTender(
        transaction_id=refund_id, payment_id="P1", tender="card", amount_minor=minor, status="success",
        shop_amount_minor=shop,
    )  # fmt: skip
    return refunded(refund_id, minor, covers(), tenders=(tender,), currency=currency)


def in_thirds(captured: int, currency: str, *shop: int) -> Run:
    """100.00 that were `captured` in the shop's currency, and refunds of 33.34, 33.33 and 33.33 so far."""
    run = Run()
    paid = replace(payment("P1", "card", 10000), shop_amount_minor=captured)
    sold = order(line(quantity=3, price=3334, order_discount_minor=2), currency=currency, payments=(paid,))
    run.feed(sold, *asked(*(unit(f"u{i}") for i in range(3))))
    for n, (minor, each) in enumerate(zip((3334, 3333, 3333), shop, strict=False)):
        run.feed(in_shop_currency(f"R{n}", minor, each, currency))
    return run


@pytest.mark.req("MON-13")
@pytest.mark.parametrize(("last", "raised"), [(3333, []), (3334, ["currency_rounding"]), (2900, ["currency_rounding"])])
def test_what_rounding_leaves_in_one_currency_is_raised(last: int, raised: list[str]) -> None:
    run = in_thirds(10000, "EUR", 3335, 3332)
    assert "currency_rounding" not in run.open
    run = in_thirds(10000, "EUR", 3335, 3332, last)
    assert [kind for kind in run.open if kind == "currency_rounding"] == raised
    if raised:
        assert figures(run, "currency_rounding") == ("100.00 EUR", f"{(3335 + 3332 + last) / 100:.2f} EUR")


@pytest.mark.req("MON-13")
@pytest.mark.parametrize(("second", "raised"), [(3334, False), (3336, True)])
def test_every_refund_of_a_part_may_be_off_by_one_in_one_currency(second: int, raised: bool) -> None:
    assert ("currency_rounding" in in_thirds(10000, "EUR", 3335, second).open) is raised


@pytest.mark.req("MON-13")
@pytest.mark.parametrize("shop", [(3077, 3077, 3077), (4000, 2000, 3077), (3500, 3500, 3500), (1, 1, 1)])
@pytest.mark.parametrize("refunds", [1, 2, 3])
def test_a_rate_that_moved_since_the_sale_is_no_fault(shop: tuple[int, ...], refunds: int) -> None:
    assert "currency_rounding" not in in_thirds(9231, "USD", *shop[:refunds]).open


@pytest.mark.req("MON-13")
def test_our_own_refund_at_another_days_rate_is_no_fault() -> None:
    """100.00 USD were 85.00 EUR when they were paid, and 110.00 EUR when they go back."""
    run = Run()
    paid = replace(payment("P1", "card", 10000), shop_amount_minor=8500)
    run.feed(order(line(price=10000), currency="USD", payments=(paid,)), *asked(unit()), inspected(unit()))
    run.restock()
    (command,) = run.commands(Refund)
    run.feed(result(command.command_id, "refund", external_ids={"refund_id": "R1"}))
    run.feed(in_shop_currency("R1", 10000, 11000, "USD"))
    assert (run.open, run.stages()) == ([], {"u1": "closed"})


@pytest.mark.req("MON-13")
@pytest.mark.parametrize("code", ["", "eur", "Eur", "EURO", "XXX", "ABC", "€", " EUR", "978"])
def test_an_order_in_no_currency_is_raised_and_never_paid(code: str) -> None:
    run = Run()
    run.feed(order(currency=code), *asked(unit()), inspected(unit()))
    run.restock()
    assert (run.open, run.payments) == (["currency_mismatch"], [])
    assert figures(run, "currency_mismatch") == ("an ISO-4217 code such as EUR", repr(code))
    run.feed(order(currency="EUR", hours=9))
    assert run.payments == []  # it began as something else


@pytest.mark.req("MON-13")
@pytest.mark.parametrize("newest_first", [True, False])
def test_an_order_whose_currency_changes_is_raised_and_not_paid_while_it_does(newest_first: bool) -> None:
    run = Run()
    euros, yen = order(currency="EUR"), order(currency="JPY", hours=3)
    run.feed(*([yen, euros] if newest_first else [euros, yen]), *asked(unit(paid=1000)), inspected(unit(paid=1000)))
    run.restock()
    assert (run.open, run.payments) == (["currency_mismatch"], [])
    assert figures(run, "currency_mismatch") == ("EUR", "JPY")
    run.feed(order(currency="EUR", hours=9))
    assert [(each.currency, each.amount_minor) for each in run.commands(Refund)] == [("EUR", 1000)]
    assert run.open == []


@pytest.mark.req("MON-13")
def test_a_currency_that_changes_after_the_refund_is_raised() -> None:
    run = Run()
    run.feed(order(), *asked(unit()), inspected(unit()))
    run.restock()
    run.feed(result(run.commands(Refund)[0].command_id, "refund"), order(currency="JPY", hours=12))
    assert run.open == ["currency_mismatch"]


@pytest.mark.req("MON-13")
@pytest.mark.parametrize("field", ["fees", "exchange_price"])
def test_every_figure_of_the_return_must_be_in_the_orders_currency(field: str) -> None:
    run = Run()
    dollars = Money(minor=100, currency="USD")
    one = replace(unit(resolution="exchange" if field == "exchange_price" else "refund"), **{field: dollars})
    run.feed(order(), *asked(one), inspected(one))
    assert (pays(run), run.commands(Exchange)) == ([], [])
    assert field == "exchange_price" or figures(run, "currency_mismatch") == ("EUR", "USD")


@pytest.mark.req("MON-10", "MON-11")
def test_what_returngo_says_it_paid_counts_before_the_shop_shows_it() -> None:
    run = Run()
    units = unit("u1", "L1"), unit("u2", "L2", "CAP")
    run.feed(order(line(), line("L2", "CAP"), paid=1500), *asked(*units))
    run.feed(transaction(1000, "success", units=("u1",), external_id="R7"), *(inspected(u) for u in units))
    assert (pays(run), "amount_mismatch" in run.open) == ([], True)
    assert run.raised("amount_mismatch").actual == "5.00 EUR"


@pytest.mark.req("MON-10", "MON-11")
def test_the_unit_of_a_cancelled_return_that_staff_paid_is_not_paid_by_the_next_return() -> None:
    run = Run()
    run.feed(order(line(), line("L2", "CAP")), *asked(unit("u1"), rma="101"))
    run.feed(refunded("R9", 1000, covers(), hours=3), event("cancelled", unit("u1"), rma="101", hours=4))
    run.feed(*asked(unit("u2"), rma="102", hours=5), inspected(unit("u2"), rma="102", hours=6))
    assert pays(run) == []
    assert "1 unit too many" in run.raised("amount_mismatch").detail


def test_a_return_that_is_edited_to_another_means_after_it_was_paid_is_raised() -> None:
    run = returned()
    edited = unit(resolution="store_credit")
    run.feed(event("requested", edited, hours=7))
    assert (pays(run), run.commands(StoreCredit)) == ([1000], [])
    assert figures(run, "contradicting_fact") == ("refund", "store_credit")
    shown = run.raised("contradicting_fact")
    assert "from refund to store_credit" in shown.detail
    assert (shown.unit_ids, shown.command_id) == (("u1",), run.commands(Refund)[0].command_id)


@pytest.mark.req("MON-11")
def test_a_refund_of_ours_that_is_seen_without_its_payments_took_from_those_that_were_decided() -> None:
    run = Run()
    paid = payment("P1", "card", 500), payment("P2", "gift_card", 1500)
    run.feed(order(line(), line("L2", "CAP"), payments=paid), *asked(unit("u1"), rma="101"))
    run.feed(inspected(unit("u1"), rma="101"))
    (first,) = run.commands(Refund)
    run.feed(refunded("R1", 1000, covers(), tenders=(), command_id=first.command_id, actor="returnflow"))
    other = unit("u2", "L2", "CAP")
    run.feed(*asked(other, rma="102"), inspected(other, rma="102"))
    second = run.commands(Refund)[1]
    assert [(t.payment_id, t.amount_minor) for t in second.tenders] == [("P2", 500), ("P1", 500)]


@pytest.mark.req("MON-11")
def test_more_than_was_captured_is_raised_as_soon_as_returngo_says_it_paid_it() -> None:
    run = Run()
    run.feed(order(), *asked(unit()), transaction(5000, "success", ("u1",), "R7"), inspected(unit()))
    assert run.open == ["amount_mismatch"]
    said = run.raised("amount_mismatch")
    assert (said.expected, said.actual) == ("at most 10.00 EUR", "50.00 EUR")
    assert said.detail == "more was paid back than was captured: refund R7 50.00 EUR by ReturnGO"
