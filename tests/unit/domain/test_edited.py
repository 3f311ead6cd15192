"""A return that is edited after its money went out: what was paid stays paid, and finance is told of the difference."""

import pytest

from schemas.commands import Exchange, Refund, StoreCredit
from schemas.facts import OrderSnapshot, ReturnedUnit
from schemas.money import Money
from tests.unit.domain.factories import (
    Run,
    applied,
    asked,
    event,
    inspected,
    line,
    order,
    paid,
    rules,
    transaction,
    unit,
)

SOLD = order(line(quantity=2), line("L2", "CAP", price=300))


def eur(minor: int, currency: str = "EUR") -> Money:
    return Money(minor=minor, currency=currency)


def _paid(*units: ReturnedUnit, sold: OrderSnapshot = SOLD, run: Run | None = None) -> Run:
    run = run or Run()
    run.feed(sold, *asked(*units), *(inspected(each) for each in units))
    run.restock()
    run.feed(*(applied(c) for c in run.payments))
    return run


@pytest.mark.req("MON-3")
@pytest.mark.parametrize(
    ("edit", "raised", "actual"),
    [
        (unit(), [], ""),
        (unit(reason="Too small"), [], ""),
        (unit(paid=1000), [], ""),
        (unit(paid=800), ["amount_mismatch"], "8.00 EUR"),
        (unit(fees=eur(200)), ["amount_mismatch"], "8.00 EUR"),
        (unit(paid=1200, fees=eur(200)), [], ""),
        (unit(paid=1000, fees=eur(1200)), ["amount_mismatch"], "0.00 EUR"),
        (unit(paid=1000, currency="USD"), ["currency_mismatch"], "USD"),
        (unit("u1", "L2", "CAP"), ["contradicting_fact"], "1 of line L2"),
        (unit(quantity=2), ["contradicting_fact"], "2 of line L1"),
    ],
)
def test_an_edit_that_would_have_come_to_another_payment_is_raised(
    edit: ReturnedUnit, raised: list[str], actual: str
) -> None:
    run = _paid(unit())
    run.feed(event("requested", edit, hours=10))
    assert (paid(run), run.open) == ([1000], raised)
    if raised:
        assert run.raised(raised[0]).actual == actual
    run.feed(event("requested", unit(), hours=11))
    assert (paid(run), run.open) == ([1000], [])


@pytest.mark.req("MON-3")
@pytest.mark.parametrize("tolerance", [0, 200])
def test_a_price_within_the_tolerance_is_no_other_price(tolerance: int) -> None:
    run = _paid(unit(), run=Run(rules(refunding={"tolerance_minor": tolerance})))
    run.feed(event("requested", unit(paid=800), hours=10))
    assert run.open == ([] if tolerance else ["amount_mismatch"])


@pytest.mark.req("MON-3")
@pytest.mark.parametrize("status", ["requested", "success"])
def test_the_prices_of_a_refund_that_returngo_asked_for_say_nothing_beside_its_request(status: str) -> None:
    run = Run()
    run.feed(SOLD, *asked(unit(paid=800)), transaction(1000), inspected(unit(paid=800)))
    run.restock()
    (refund,) = run.commands(Refund)
    run.feed(applied(refund), transaction(1000, status, hours=10))
    assert run.open == []


@pytest.mark.req("MON-3", "MON-8")
def test_a_credit_is_compared_with_later_prices_and_requests_too() -> None:
    one = unit(resolution="store_credit")
    run = _paid(one)
    assert [c.amount_minor for c in run.commands(StoreCredit)] == [1000]
    run.feed(transaction(900, kind="store_credit", hours=10))
    assert (run.open, run.raised("amount_mismatch").actual) == (["amount_mismatch"], "9.00 EUR")
    later = _paid(one)
    later.feed(event("requested", unit(resolution="store_credit", paid=900), hours=10))
    assert later.open == ["amount_mismatch"]


@pytest.mark.req("EXG-6", "MON-3")
@pytest.mark.parametrize(("before", "after", "raised"), [
    (None, 1000, []), (None, 700, ["amount_mismatch"]), (700, 500, ["amount_mismatch"]), (1300, 1300, []),
])  # fmt: skip
def test_what_exchanged_goods_cost_is_compared_when_it_is_told_later(
    before: int | None, after: int, raised: list[str]
) -> None:
    run = Run()
    one = unit(resolution="exchange", exchange_price=None if before is None else eur(before))
    run.feed(SOLD, *asked(one), inspected(one), event("exchange", one, hours=6, exchange_draft_order_id="D1"))
    assert len(run.commands(Exchange)) == 1
    run.feed(event("requested", unit(resolution="exchange", exchange_price=eur(after)), hours=10))
    assert (run.open, len(run.commands(Exchange))) == (raised, 1)


@pytest.mark.req("MON-3", "STA-4")
def test_a_unit_taken_out_after_it_was_paid_is_one_conflict_and_no_other() -> None:
    run = _paid(unit("u1"), unit("u2"))
    run.feed(event("requested", unit("u1", paid=900), hours=10))
    assert (paid(run), run.open) == ([2000], ["status_conflict"])
