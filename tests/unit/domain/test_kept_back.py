"""Fees follow their units whenever these are paid: together and one after the other come to the same, or it is told."""

import itertools
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.commands import Exchange, Refund, StoreCredit
from schemas.facts import ReturnedUnit
from schemas.money import Money
from streams.domain.learn import Fact
from tests.unit.domain.factories import (
    Run,
    applied,
    asked,
    deadline,
    event,
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


def eur(minor: int) -> Money:
    return Money(minor=minor, currency="EUR")


DEAR = unit("u1", "L1", "TEE")  # 10.00
CHEAP = unit("u2", "L2", "CAP", fees=eur(495))  # 3.00
SOLD = order(line(), line("L2", "CAP", price=300))


def late(*ready: ReturnedUnit, of: tuple[ReturnedUnit, ...]) -> Run:
    """Of these units of one return some are inspected, and paid once the others were waited for long enough."""
    run = Run()
    run.feed(SOLD, *asked(*of), *(inspected(each) for each in ready), deadline(24 * 30))
    return run


def given_back(run: Run) -> list[int]:
    """Everything that was decided, and done."""
    done: set[str] = set()
    while waiting := [p for p in run.payments if p.command_id not in done]:
        for each in waiting:
            done.add(each.command_id)
            run.feed(applied(each))
    return paid(run) + [credit.amount_minor for credit in run.commands(StoreCredit)]


@pytest.mark.req("MON-2", "MON-11")
def test_a_fee_greater_than_its_price_is_kept_from_what_is_paid_beside_it() -> None:
    run = Run()
    run.feed(SOLD, *asked(DEAR, CHEAP), inspected(DEAR), inspected(CHEAP))
    assert (paid(run), run.open) == ([805], [])


@pytest.mark.req("MON-2", "MON-11")
def test_the_rest_of_the_fee_of_an_early_unit_is_kept_from_the_late_one() -> None:
    run = late(CHEAP, of=(DEAR, CHEAP))
    assert (paid(run), "amount_mismatch" in run.open) == ([], False)
    run.feed(inspected(DEAR, hours=24 * 31))
    assert (paid(run), "amount_mismatch" in run.open) == ([805], False)


@pytest.mark.req("MON-2", "MON-11")
def test_the_rest_of_the_fee_of_a_late_unit_is_raised_once_nothing_is_left_to_keep_it_from() -> None:
    run = late(DEAR, of=(DEAR, CHEAP))
    assert (paid(run), "amount_mismatch" in run.open) == ([1000], False)
    run.feed(inspected(CHEAP, hours=24 * 31))
    raised = run.raised("amount_mismatch")
    assert (paid(run), raised.expected, raised.actual) == ([1000], "1.95 EUR", "0.00 EUR")
    assert (raised.owner, raised.unit_ids) == ("finance", ("u2",))


def test_a_fee_greater_than_all_that_is_returned_is_raised() -> None:
    run = Run()
    run.feed(SOLD, *asked(CHEAP), inspected(CHEAP))
    assert (paid(run), run.open, run.raised("amount_mismatch").expected) == ([], ["amount_mismatch"], "1.95 EUR")
    run.feed(event("requested", unit("u2", "L2", "CAP", fees=eur(300)), hours=30))
    assert (paid(run), run.open) == ([], [])


@pytest.mark.req("MON-2", "MON-11")
def test_it_is_carried_to_another_means_and_never_kept_twice() -> None:
    """Cheap goods for a refund, dear ones for credit, and more for a refund later."""
    credit, more = unit("u1", "L1", "TEE", resolution="store_credit"), unit("u3", "L3", "MUG")
    sold = order(line(), line("L2", "CAP", price=300), line("L3", "MUG", price=2000))
    run = Run()
    run.feed(sold, *asked(credit, CHEAP), inspected(CHEAP), inspected(credit))
    assert (given_back(run), run.open) == ([805], [])
    run.feed(*asked(credit, CHEAP, more, hours=20), inspected(more, hours=22))
    assert (given_back(run), run.open) == ([2000, 805], [])


def test_what_was_carried_to_a_payment_that_was_refused_is_still_to_be_kept() -> None:
    credit = unit("u1", "L1", "TEE", resolution="store_credit")
    run = Run()
    run.feed(SOLD, *asked(credit, CHEAP), inspected(CHEAP), inspected(credit))
    (command,) = run.commands(StoreCredit)
    assert command.amount_minor == 805
    run.feed(result(command.command_id, "store_credit", "rejected", code="credit_not_issued"))
    assert run.open == ["amount_mismatch", "credit_not_issued"]


def test_an_amount_that_returngo_asks_for_without_the_fee_of_another_unit_is_for_a_person() -> None:
    keep, credit = unit("u1", "L1", "TEE", resolution="store_credit"), CHEAP
    run = Run()
    run.feed(SOLD, *asked(keep, credit), transaction(1000, units=("u1",), kind="store_credit", hours=2))
    run.feed(inspected(CHEAP), inspected(keep))
    assert (run.commands(StoreCredit), run.open) == ([], ["amount_mismatch"])


@pytest.mark.req("MON-11")
@given(
    st.lists(
        st.tuples(st.integers(0, 900), st.integers(0, 1200), st.sampled_from(["refund", "store_credit"])),
        min_size=1, max_size=4,
    ),
    st.randoms(use_true_random=False),
)  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_whatever_is_paid_apart_comes_to_prices_less_fees_and_what_is_told(goods: Any, random: Any) -> None:
    sold = order(*(line(f"L{i}", f"S{i}", price=price) for i, (price, _, _) in enumerate(goods)), paid=9999)
    units = [unit(f"u{i}", f"L{i}", f"S{i}", fees=eur(fee), resolution=kind) for i, (_, fee, kind) in enumerate(goods)]
    run = Run()
    run.feed(sold, *asked(*units), deadline(24 * 30))
    coming = [inspected(each, hours=24 * 31 + n) for n, each in enumerate(units)]
    random.shuffle(coming)
    for n, each in enumerate(coming):
        run.feed(each, deadline(24 * 60 + n))
        given_back(run)
    lost = 0
    if "amount_mismatch" in run.open:
        lost = round(float((run.raised("amount_mismatch").expected or "0").split()[0]) * 100)
    worth, fees = sum(p for p, _, _ in goods), sum(f for _, f, _ in goods)
    assert sum(given_back(run)) == worth - fees + lost


@pytest.mark.req("EXG-6")
@pytest.mark.parametrize("price", [None, 1000])
@pytest.mark.parametrize(
    ("fee", "duty", "difference"), [(0, 0, 0), (100, 0, 100), (0, 200, -200), (100, 200, -100), (1200, 0, 1000)]
)
def test_an_exchange_without_a_told_price_has_the_fees_and_duties_of_an_even_one(
    price: int | None, fee: int, duty: int, difference: int
) -> None:
    run = Run(rules(refunding={"duties": "with_goods"}))
    wanted = None if price is None else eur(price)
    one = unit(resolution="exchange", exchange_price=wanted, fees=eur(fee))
    run.feed(order(line(duty_minor=duty), paid=1000 + duty), *asked(one), inspected(one))
    run.feed(event("exchange", one, hours=6, exchange_draft_order_id="D1"))
    (command,) = run.commands(Exchange)
    assert command.difference_minor == difference
    assert run.open == (["amount_mismatch"] if fee > 1000 else [])


def to_be_exchanged(captured: int, price: int, merchant: Any = None, *tenders: Any) -> Run:
    run = Run(merchant)
    one = unit(resolution="exchange", exchange_price=eur(price))
    more: Any = {"payments": tenders} if tenders else {}
    run.feed(order(line(), paid=captured, **more), *asked(one), inspected(one))
    run.feed(event("exchange", one, hours=6, exchange_draft_order_id="D1"))
    return run


@pytest.mark.req("EXG-6", "MON-10")
@pytest.mark.parametrize(
    ("captured", "price", "released"), [(700, 600, False), (999, 600, False), (1000, 600, True), (700, 700, False)]
)
def test_an_exchange_whose_difference_can_never_be_repaid_is_held_before_its_release(
    captured: int, price: int, *, released: bool
) -> None:
    run = to_be_exchanged(captured, price)
    assert (len(run.commands(Exchange)), run.open) == (released, [] if released else ["amount_mismatch"])
    if not released:
        raised = run.raised("amount_mismatch")
        assert (raised.expected, raised.actual) == ("10.00 EUR", f"{captured / 100:.2f} EUR")


@pytest.mark.req("EXG-6", "MON-10")
def test_an_exchange_leaves_the_payments_for_its_difference_that_refunds_go_to() -> None:
    merchant = rules(refunding={"tenders": ["card"]})
    both = (payment("P1", "card", 600), payment("P2", "cash", 400))
    run = to_be_exchanged(1000, 600, merchant, *both)
    run.feed(applied(run.commands(Exchange)[0]))
    assert [[(t.tender, t.amount_minor) for t in r.tenders] for r in run.commands(Refund)] == [[("card", 400)]]
    run = to_be_exchanged(1000, 600, merchant, payment("P1", "card", 300), payment("P2", "cash", 700))
    assert (run.commands(Exchange), run.open) == ([], ["unmapped_tender"])


@pytest.mark.req("EXG-6", "MON-10")
def test_what_is_spoken_for_by_a_difference_is_not_paid_for_other_goods_meanwhile() -> None:
    run = Run()
    one, other = unit("u1", resolution="exchange", exchange_price=eur(600)), unit("u2", "L2", "CAP")
    run.feed(order(line(), line("L2", "CAP"), paid=1500), *asked(one), inspected(one))
    run.feed(event("exchange", one, hours=6, exchange_draft_order_id="D1"))
    run.feed(*asked(other, rma="200"), inspected(other, rma="200"))
    assert (len(run.commands(Exchange)), paid(run), run.open) == (1, [], ["amount_mismatch"])
    run.feed(applied(run.commands(Exchange)[0]))
    assert (paid(run), run.open) == ([400], ["amount_mismatch"])


def test_facts_in_any_order_come_to_the_same_fee() -> None:
    parts: list[list[Fact]] = [[SOLD], [*asked(DEAR, CHEAP)], [inspected(DEAR)], [inspected(CHEAP)]]
    for sequence in itertools.permutations(parts):
        run = Run()
        run.feed(*(fact for part in sequence for fact in part))
        assert (paid(run), run.open) == ([805], [])


@pytest.mark.req("MON-2", "MON-3")
@pytest.mark.parametrize("resolution", ["refund", "store_credit", "exchange"])
@pytest.mark.parametrize("beside", [0, 495])
def test_a_fee_of_less_than_nothing_pays_nothing_and_says_so(resolution: str, beside: int) -> None:
    odd, other = unit(fees=eur(-200), resolution=resolution), unit("u2", "L2", "CAP", resolution=resolution)
    both = (odd, unit("u2", "L2", "CAP", resolution=resolution, fees=eur(beside)) if beside else other)
    run = Run()
    run.feed(SOLD, *asked(*both), event("exchange", hours=2, exchange_draft_order_id="D1"))
    run.feed(*(inspected(each) for each in both))
    assert (run.payments, run.open) == ([], ["amount_mismatch"])
    told = run.raised("amount_mismatch")
    assert (told.expected, told.actual) == ("0 or more", "fees -2.00 EUR")
    assert "no payment is made of less than nothing" in (told.detail or "")
