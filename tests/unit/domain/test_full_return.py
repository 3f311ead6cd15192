"""Original shipping goes back once everything came back: by what is still there, however and whenever it came."""

import itertools
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.commands import Exchange, Journal, Refund, StoreCredit
from schemas.facts import OrderSnapshot
from streams.domain.learn import Fact
from tests.unit.domain.factories import (
    Run,
    applied,
    asked,
    covers,
    event,
    inspected,
    line,
    order,
    paid,
    refunded,
    result,
    rules,
    transaction,
    unit,
)

FULL: dict[str, Any] = {"shipping": "full_return"}


def back(unit_id: str, line_id: str = "L1", sku: str = "TEE", *, rma: str, hours: float = 1, **more: Any) -> list[Fact]:
    """Requested, approved and inspected."""
    one = unit(unit_id, line_id, sku, **more)
    return [*asked(one, rma=rma, hours=hours), inspected(one, rma=rma, hours=hours + 1)]


def total(run: Run) -> int:
    return sum(paid(run)) + sum(c.amount_minor for c in run.commands(StoreCredit))


def settle(run: Run) -> None:
    """Everything that is wanted is done, until nothing is wanted any more."""
    done: set[str] = set()
    while waiting := [p for p in run.payments if p.command_id not in done]:
        for each in waiting:
            done.add(each.command_id)
            run.feed(applied(each))


def orders_of(facts: list[list[Fact]]) -> Any:
    """Every sequence of these parts."""
    return ([fact for part in sequence for fact in part] for sequence in itertools.permutations(facts))


@pytest.mark.req("MON-2")
def test_free_items_bring_the_shipping_back_in_one_return_or_two() -> None:
    sold: list[Fact] = [order(line(price=0), line("L2", "CAP", price=0), shipping_minor=500)]
    units = (unit("u1"), unit("u2", "L2", "CAP"))
    one: list[list[Fact]] = [[*asked(*units)], [inspected(each) for each in units]]
    for parts in ([sold, *one], [sold, back("u1", rma="101"), back("u2", "L2", "CAP", rma="102")]):
        for facts in orders_of(parts):
            run = Run(rules(refunding=FULL))
            run.feed(*facts)
            settle(run)
            assert ([(r.amount_minor, r.shipping_minor) for r in run.commands(Refund)], run.open) == ([(500, 500)], [])


def edited(**more: Any) -> OrderSnapshot:
    """A 2 × 20.00, B 1 × 12.00, C 1 × 9.00 of which C was taken off the order, and 5.00 shipping."""
    lines = (line("A", "A", 2, 2000), line("B", "B", 1, 1200), line("C", "C", 1, 900, removed_quantity=1))
    return order(*lines, paid=5700, shipping_minor=500, **more)


@pytest.mark.req("MON-2", "MON-11")
@pytest.mark.parametrize("split", [("1", "1", "1"), ("1", "1", "2"), ("1", "2", "2"), ("1", "2", "3"), ("2", "1", "2")])
def test_a_line_that_was_taken_off_the_order_keeps_no_shipping_back(split: tuple[str, str, str]) -> None:
    units = [unit("a1", "A", "A"), unit("a2", "A", "A"), unit("b1", "B", "B")]
    rmas = {name: [u for u, to in zip(units, split, strict=True) if to == name] for name in set(split)}
    parts: list[list[Fact]] = [[edited()]]
    for name, mine in rmas.items():
        parts.append([*asked(*mine, rma=name), *(inspected(each, rma=name) for each in mine)])
    for facts in orders_of(parts):
        run = Run(rules(refunding=FULL))
        run.feed(*facts)
        settle(run)
        assert (total(run), sum(r.shipping_minor for r in run.commands(Refund)), run.open) == (5700, 500, [])


@pytest.mark.req("MON-2", "MON-11")
def test_shipping_is_paid_by_itself_where_the_last_line_is_taken_off_after_all_else_was_paid() -> None:
    run = Run(rules(refunding=FULL, books="linnworks"))
    whole = order(line("A", "A"), line("C", "C", 1, 900), shipping_minor=500, shipping_tax_minor=80)
    run.feed(whole, *back("a1", "A", "A", rma="1"))
    assert paid(run) == [1000]
    gone = (line("A", "A"), line("C", "C", 1, 900, removed_quantity=1))
    edit = order(*gone, shipping_minor=500, shipping_tax_minor=80, hours=20)
    run.feed(edit)
    assert paid(run) == [1000]  # its own result is still to come
    settle(run)
    run.feed(edit, order(*gone, shipping_minor=500, hours=21))
    refund = run.commands(Refund)[-1]
    assert [(r.amount_minor, r.shipping_minor) for r in run.commands(Refund)] == [(1000, 0), (500, 500)]
    assert (refund.unit_ids, refund.lines, refund.fees_minor, refund.tax_minor) == ((), (), 0, 80)
    assert [(j.amount_minor, j.shipping_minor) for j in run.commands(Journal)] == [(1000, 0), (500, 500)]
    assert run.open == []


def test_shipping_by_itself_that_is_refused_is_raised_and_not_tried_again() -> None:
    run = Run(rules(refunding=FULL))
    run.feed(order(line(), shipping_minor=500), *back("u1", rma="1", resolution="store_credit"))
    run.feed(applied(run.commands(StoreCredit)[0]))
    (refund,) = run.commands(Refund)
    run.feed(result(refund.command_id, "refund", "rejected", code="amount_mismatch", detail="no"))
    run.feed(order(line(), shipping_minor=500, hours=30))
    assert ([r.command_id for r in run.commands(Refund)], run.open) == ([refund.command_id], ["amount_mismatch"])


@pytest.mark.req("MON-2")
@pytest.mark.parametrize("sold", [{"ships": False}, {"ships": False, "fulfilled_quantity": 0}])
def test_a_tip_keeps_no_shipping_back(sold: dict[str, Any]) -> None:
    run = Run(rules(refunding=FULL))
    run.feed(order(line(), line("TIP", "", price=300, **sold), shipping_minor=500), *back("u1", rma="1"))
    assert paid(run) == [1500]


def test_where_nothing_at_all_can_come_back_every_line_counts() -> None:
    run = Run(rules(refunding=FULL))
    run.feed(order(line(ships=False), line("L2", "CAP", ships=False), shipping_minor=500))
    run.feed(*back("u1", rma="1", ships=False))
    assert paid(run) == [1000]


@pytest.mark.req("MON-2", "MON-11")
def test_a_unit_taken_as_credit_keeps_no_shipping_back_whichever_is_paid_first() -> None:
    sold: list[Fact] = [order(line(quantity=2), shipping_minor=500)]
    for facts in orders_of([sold, back("u1", rma="1"), back("u2", rma="2", resolution="store_credit")]):
        run = Run(rules(refunding=FULL))
        run.feed(*facts)
        settle(run)
        assert (sum(paid(run)), [c.amount_minor for c in run.commands(StoreCredit)]) == (1500, [1000])
        assert sum(r.shipping_minor for r in run.commands(Refund)) == 500


@pytest.mark.req("MON-2", "MON-11")
def test_a_unit_that_others_paid_keeps_no_shipping_back_whichever_is_paid_first() -> None:
    sold: list[Fact] = [order(line(quantity=2), shipping_minor=500)]
    theirs = refunded("R9", 1000, covers(), hours=9)
    for facts in orders_of([sold, back("u1", rma="1"), [*back("u2", rma="2")[:2], theirs, back("u2", rma="2")[2]]]):
        run = Run(rules(refunding=FULL))
        run.feed(*facts)
        settle(run)
        assert sum(r.shipping_minor for r in run.commands(Refund)) <= 500
    run = Run(rules(refunding=FULL))
    run.feed(*sold, *back("u2", rma="2")[:2], theirs, *back("u1", rma="1", hours=10))
    assert paid(run) == [1500]


@pytest.mark.req("MON-2", "MON-11")
@pytest.mark.parametrize("hours", [-5, 1.5])
@pytest.mark.parametrize(("theirs", "ours"), [(0, 1500), (200, 1300), (500, 1000), (700, 1000)])
def test_shipping_that_others_gave_back_before_is_not_given_back_again(theirs: int, ours: int, hours: float) -> None:
    facts: list[list[Fact]] = [
        [order(line(), shipping_minor=500, paid=2000)], [refunded("R9", theirs, hours=hours, shipping_minor=theirs)],
        back("u1", rma="1"),
    ]  # fmt: skip
    for sequence in orders_of(facts[:2]):
        run = Run(rules(refunding=FULL))
        run.feed(*sequence, *facts[2])
        settle(run)
        assert paid(run) == [ours]


def test_a_refund_of_shipping_whose_money_failed_gave_nothing_back() -> None:
    run = Run(rules(refunding=FULL))
    failed = refunded("R9", 0, hours=-5, shipping_minor=500)
    run.feed(order(line(), shipping_minor=500), failed, *back("u1", rma="1"))
    assert paid(run) == [1500]


@pytest.mark.parametrize("means", ["exchange", "none"])
def test_an_exchanged_unit_keeps_the_shipping_back_and_one_that_came_back_for_nothing_does_not(means: str) -> None:
    run = Run(rules(refunding=FULL))
    run.feed(order(line(quantity=2), shipping_minor=500), *back("u2", rma="2", resolution=means))
    run.feed(event("exchange", hours=3, rma="2", exchange_draft_order_id="77"))
    settle(run)
    run.feed(*back("u1", rma="1", hours=5))
    assert (paid(run), len(run.commands(Exchange))) == ([1000] if means == "exchange" else [1500], means == "exchange")


@pytest.mark.parametrize("lost", ["damaged", "missing"])
def test_goods_that_came_back_damaged_are_back_and_missing_ones_are_not(lost: str) -> None:
    run = Run(rules(refunding=FULL | {"damaged_is_refunded": False}))
    run.feed(order(line(quantity=2), shipping_minor=500), *asked(unit("u2"), rma="2"))
    run.feed(inspected(unit("u2"), lost, rma="2"), *back("u1", rma="1", hours=5))
    assert paid(run) == ([1500] if lost == "damaged" else [1000])


@pytest.mark.req("MON-13")
@pytest.mark.parametrize("currency", ["JPY", "", "eur"])
def test_shipping_by_itself_is_not_paid_in_a_currency_that_is_none_or_changed(currency: str) -> None:
    run = Run(rules(refunding=FULL))
    run.feed(order(line(), shipping_minor=500), *back("u1", rma="1", resolution="store_credit"))
    run.feed(order(line(), shipping_minor=500, currency=currency, hours=3))
    run.feed(applied(run.commands(StoreCredit)[0]))
    assert (run.commands(Refund), run.open) == ([], ["currency_mismatch"])
    run.feed(order(line(), shipping_minor=500, hours=4))
    assert ([r.amount_minor for r in run.commands(Refund)], run.open) == ([500], [])


def test_shipping_by_itself_waits_for_a_person_where_somebody_may_have_paid_it_by_hand() -> None:
    run = Run(rules(refunding=FULL))
    run.feed(order(line(), shipping_minor=500, paid=3000), *back("u1", rma="1", resolution="store_credit"))
    run.feed(refunded("R9", 500, hours=9))
    settle(run)
    assert (paid(run), "amount_mismatch" in run.open) == ([], True)


def test_a_request_by_returngo_says_nothing_of_shipping_that_was_paid_by_itself() -> None:
    run = Run(rules(refunding=FULL))
    run.feed(order(line(), shipping_minor=500), *back("u1", rma="1", resolution="store_credit"))
    settle(run)
    run.feed(transaction(1000, rma="1", kind="refund", hours=30))
    assert (paid(run), run.open) == ([500], [])


@st.composite
def bought(draw: st.DrawFn) -> tuple[OrderSnapshot, list[tuple[str, list[tuple[str, str, str]]]]]:
    """An order, some of it taken off, and its returns: (RMA, its units as (id, line, means))."""
    lines, units = [], []
    for place in range(draw(st.integers(1, 4))):
        quantity = draw(st.integers(1, 3))
        gone = draw(st.integers(0, quantity if place else 0))
        price = draw(st.sampled_from([0, 1, 333, 1000]))
        lines.append(line(f"L{place}", f"S{place}", quantity, price=price, removed_quantity=gone))
        units += [(f"{place}-{n}", f"L{place}", draw(st.sampled_from(["refund", "store_credit", "keep"])))
                  for n in range(quantity - gone)]  # fmt: skip
    if draw(st.booleans()):
        lines.append(line("TIP", "", price=200, ships=False))
    due = sum(each.unit_price_minor * (each.quantity - each.removed_quantity) for each in lines)
    rmas: dict[str, list[tuple[str, str, str]]] = {}
    for each in units:
        rmas.setdefault(str(draw(st.integers(100, 103))), []).append(each)
    return order(*lines, paid=due + 500, shipping_minor=500), draw(st.permutations(sorted(rmas.items())))


@pytest.mark.req("MON-2", "MON-11")
@given(bought(), st.booleans())
@settings(max_examples=60, deadline=None)
def test_whatever_the_split_the_means_and_the_order_a_full_return_comes_to_all_that_was_paid(
    sold: tuple[OrderSnapshot, list[tuple[str, list[tuple[str, str, str]]]]], at_the_end: bool
) -> None:
    snapshot, returns = sold
    run = Run(rules(refunding=FULL))
    run.feed(snapshot)
    for hours, (rma, mine) in enumerate(returns, 1):
        units = [unit(u, on, f"S{on[1:]}", resolution=means, ships=means != "keep") for u, on, means in mine]
        run.feed(*asked(*units, rma=rma, hours=hours))
        run.feed(*(inspected(each, rma=rma, hours=hours + 10) for each in units if each.ships))
        if not at_the_end:
            settle(run)
    settle(run)
    tip = sum(each.unit_price_minor for each in snapshot.lines if not each.ships)
    came = sum(p.amount_minor for p in snapshot.payments) - tip
    assert (total(run), sum(r.shipping_minor for r in run.commands(Refund)), run.open) == (came, 500, [])
