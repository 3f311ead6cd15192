"""A charge-back: a bank takes money back, nobody says for what, and it may be won."""

from typing import Any

import pytest
from msgspec.structs import replace

from schemas.commands import Refund, StoreCredit
from schemas.facts import ObservedEffect
from tests.unit.domain.factories import Run, asked, covers, inspected, line, order, paid, refunded, rules, unit


def chargeback(amount: int, *lines: Any, hours: float = 4) -> ObservedEffect:
    return replace(refunded("C1", amount, *lines, hours=hours), kind="chargeback")


@pytest.mark.req("MON-10")
def test_a_charge_back_of_everything_pays_for_every_unit_and_none_is_paid_again() -> None:
    run = Run()
    units = unit("u1"), unit("u2", resolution="store_credit")
    run.feed(order(line(quantity=2)), *asked(*units), chargeback(2000), *(inspected(u) for u in units))
    run.restock()
    assert (paid(run), run.commands(StoreCredit)) == ([], [])
    assert run.stages() == {"u1": "closed", "u2": "closed"}
    assert run.open == ["refund_outside_workflow"]
    assert run.raised("refund_outside_workflow").unit_ids == ("u1", "u2")


@pytest.mark.req("MON-10", "MON-11")
def test_a_charge_back_of_what_was_left_is_for_the_units_that_we_did_not_pay() -> None:
    run = Run()
    units = unit("u1"), unit("u2"), unit("u3", resolution="none")
    run.feed(order(line(quantity=3), paid=2000), *asked(units[0], rma="101"), inspected(units[0], rma="101"))
    run.feed(refunded("R1", 1000, covers(), command_id=run.commands(Refund)[0].command_id, actor="returnflow"))
    run.feed(*asked(units[1], rma="102"), *asked(units[2], rma="103"), chargeback(1000, hours=10))
    assert run.raised("refund_outside_workflow").unit_ids == ("u2",)


@pytest.mark.req("MON-10")
@pytest.mark.parametrize("hours", [-50, 4])
def test_a_charge_back_of_a_part_stops_the_refund_whenever_it_came(hours: float) -> None:
    run = Run()
    run.feed(order(line(quantity=2)), *asked(unit()), chargeback(700, hours=hours), inspected(unit()))
    assert paid(run) == []
    assert run.raised("amount_mismatch").detail.endswith("may have paid it: C1")
    run.feed(replace(refunded("R9", 5, hours=5), actor="staff"))
    assert run.raised("amount_mismatch").detail.endswith("may have paid it: C1, R9")


@pytest.mark.req("MON-10")
def test_a_charge_back_is_raised_even_where_others_pay() -> None:
    run = Run(rules(refunding={"actor": "returngo"}))
    run.feed(order(), *asked(unit()), chargeback(1000, covers()))
    assert "refund_outside_workflow" in run.open


@pytest.mark.req("MON-10")
def test_a_charge_back_that_was_won_makes_the_money_refundable_again() -> None:
    run = Run()
    run.feed(order(), *asked(unit()), chargeback(1000), inspected(unit()))
    assert paid(run) == []
    lost = chargeback(0, hours=9)
    run.feed(replace(lost, tenders=(), total_minor=0))
    assert paid(run) == [1000]
