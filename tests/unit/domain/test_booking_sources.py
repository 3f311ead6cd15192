"""Of which refund a booking is, and what of it: one of ours, one by others, or ReturnGO's word alone."""

import pytest
from msgspec.structs import replace

from schemas.commands import Journal, Refund, StoreCredit
from schemas.money import Money
from tests.unit.domain.factories import (
    Run,
    asked,
    covers,
    deadline,
    event,
    inspected,
    line,
    order,
    refunded,
    result,
    rules,
    transaction,
    unit,
)

BY_RETURNGO = rules(books="linnworks", refunding={"actor": "returngo"})


def booked(run: Run) -> list[tuple[str, int, int]]:
    """(refund, amount, tax) of every booking."""
    return sorted((j.refund_id, j.amount_minor, j.tax_minor) for j in run.commands(Journal))


@pytest.mark.req("MON-6", "MON-9")
def test_two_refunds_of_one_return_that_are_booked_together_are_still_two_bookings() -> None:
    run = Run(rules(books="linnworks", books_seconds=3600))
    units = unit("u1"), unit("u2", resolution="store_credit")
    run.feed(order(line(quantity=2)), *asked(*units), *(inspected(u) for u in units))
    (refund,), (credit,) = run.commands(Refund), run.commands(StoreCredit)
    paid = Money(minor=1000, currency="EUR")
    run.feed(result(refund.command_id, "refund", hours=8.1, external_ids={"refund_id": "R1"}, amount=paid))
    run.feed(result(credit.command_id, "store_credit", hours=8.2, external_ids={"refund_id": "R2"}, amount=paid))
    assert booked(run) == []
    run.feed(deadline(10))
    assert booked(run) == [("R1", 1000, 0), ("R2", 1000, 0)]


@pytest.mark.req("MON-6", "MON-10")
def test_two_refunds_by_staff_that_are_known_before_the_return_are_two_bookings() -> None:
    run = Run(BY_RETURNGO)
    run.feed(order(line(quantity=2)), refunded("R1", 1000, covers(), hours=7), refunded("R2", 990, covers(), hours=8))
    run.feed(*asked(unit("u1"), unit("u2")))
    assert booked(run) == [("R1", 1000, 0), ("R2", 990, 0)]


@pytest.mark.req("MON-6", "MON-13")
def test_a_refund_that_returngo_reports_in_another_currency_is_not_booked() -> None:
    run = Run(BY_RETURNGO)
    run.feed(order(), *asked(unit()), inspected(unit()), transaction(1000, "success", currency="USD"))
    assert booked(run) == []


@pytest.mark.req("MON-6", "MON-2")
def test_a_refund_that_returngo_reports_without_an_amount_is_booked_with_what_the_units_are_worth() -> None:
    run = Run(BY_RETURNGO)
    one = replace(unit(), fees=Money(minor=150, currency="EUR"))
    run.feed(order(line(quantity=2)), *asked(one), inspected(one), transaction(None, "success", external_id="R7"))
    assert booked(run) == [("R7", 850, 0)]
    (journal,) = run.commands(Journal)
    assert (journal.currency, [share.amount_minor for share in journal.lines]) == ("EUR", [850])


@pytest.mark.req("MON-7", "MON-12")
@pytest.mark.parametrize(("paid", "tax"), [(1000, 160), (500, 80), (1200, 160)])
def test_the_tax_of_a_refund_by_others_is_the_lines_own_and_never_more_than_it_cost(paid: int, tax: int) -> None:
    run = Run(BY_RETURNGO)
    run.feed(order(line(tax_minor=160)), *asked(unit()), refunded("R9", paid, covers(), hours=5, actor="staff"))
    assert booked(run) == [("R9", paid, tax)]


@pytest.mark.req("MON-6", "MON-11")
def test_a_unit_added_after_a_refund_of_the_whole_return_was_booked_is_not_booked_again() -> None:
    run = Run(BY_RETURNGO)
    run.feed(order(line(quantity=2)), *asked(unit("u1")), inspected(unit("u1")))
    run.feed(transaction(1000, "success", external_id="R7"))
    assert booked(run) == [("R7", 1000, 0)]
    run.feed(event("requested", unit("u1"), unit("u2"), hours=9))
    assert booked(run) == [("R7", 1000, 0)]


@pytest.mark.req("MON-6", "MON-11")
def test_a_refund_by_others_that_names_a_line_twice_is_shared_over_all_its_units() -> None:
    run = Run(BY_RETURNGO)
    run.feed(order(line(quantity=2)), *asked(unit("u1"), rma="101"), *asked(unit("u2"), rma="102"))
    run.feed(refunded("R9", 1800, covers(), covers(), hours=5, actor="staff"))
    assert booked(run) == [("R9", 900, 0), ("R9", 900, 0)]


@pytest.mark.req("MON-6", "MON-11")
def test_one_refund_for_three_returns_is_booked_in_parts_that_add_up() -> None:
    run = Run(BY_RETURNGO)
    for number in (1, 2, 3):
        run.feed(order(line(quantity=3, price=334)), *asked(unit(f"u{number}"), rma=f"10{number}"))
    run.feed(refunded("R7", 1001, covers(quantity=3), hours=5, actor="staff"))
    assert [j.amount_minor for j in run.commands(Journal)] == [334, 334, 333]


@pytest.mark.req("MON-6", "ELG-1")
def test_a_refund_that_names_an_unknown_line_too_is_booked_in_full_on_the_known_one() -> None:
    run = Run(BY_RETURNGO)
    run.feed(order(line(quantity=2)), *asked(unit()))
    run.feed(refunded("R9", 1000, covers(), covers("L9"), hours=5, actor="staff"))
    assert booked(run) == [("R9", 1000, 0)]
