"""Units that were taken off the order, or never sent: nothing is put into stock or paid for them as for a return."""

import itertools
from typing import Any

import pytest

from schemas.commands import Refund
from schemas.facts import RefundedLine
from streams.domain.learn import Fact
from tests.unit.domain.factories import (
    Run,
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
    unit,
)

CANCELLED = RefundedLine(line_id="L1", quantity=1, unsent=True, restocked=True)


def come(*units: str, rma: str = "100", **more: Any) -> list[Fact]:
    """Requested, approved and inspected."""
    mine = [unit(each, **more) for each in units]
    return [*asked(*mine, rma=rma), *(inspected(each, rma=rma) for each in mine)]


@pytest.mark.req("INV-5")
@pytest.mark.parametrize(
    ("sold", "told"),
    [
        ({"quantity": 1, "removed_quantity": 1}, "more units of the line are returned than the 1 bought less 1 that"),
        ({"quantity": 1, "removed_quantity": 1, "fulfilled_quantity": 0}, "more units of the line are returned than"),
        ({"quantity": 1, "fulfilled_quantity": 0}, "never left the shop: 1 bought, 0 sent"),
        ({"quantity": 3, "fulfilled_quantity": 1}, "never left the shop: 3 bought, 1 sent"),
        ({"quantity": 4, "fulfilled_quantity": 1, "removed_quantity": 2}, "4 bought less 2 that were taken off"),
    ],
)
def test_what_was_removed_or_never_sent_is_neither_put_back_nor_paid_but_raised(sold: Any, told: str) -> None:
    facts = [order(line(**sold)), *(come("u1", "u2") if sold["quantity"] > 1 else come("u1"))]
    for sequence in (facts, facts[::-1]):
        run = Run()
        run.feed(*sequence)
        assert (run.intents, paid(run), run.open) == ([], [], ["over_quantity"])
        assert told in run.raised("over_quantity").detail


@pytest.mark.req("INV-5")
def test_goods_that_are_here_move_once_the_shop_shows_that_they_were_sent() -> None:
    run = Run()
    run.feed(order(line(fulfilled_quantity=0)), *come("u1"))
    assert (run.intents, paid(run)) == ([], [])
    run.feed(order(line(fulfilled_quantity=1), hours=9))
    assert ([i.quantity for i in run.intents], paid(run), run.open) == ([1], [1000], [])


@pytest.mark.parametrize("sold", [{}, {"fulfilled_quantity": 0}])
def test_a_shop_that_does_not_know_what_was_sent_goes_on_as_before(sold: dict[str, Any]) -> None:
    run = Run(rules(inspecting={"sent_first": not sold}))
    run.feed(order(line(**sold)), *come("u1"))
    assert (len(run.intents), paid(run), run.open) == (1, [1000], [])


@pytest.mark.req("MON-4")
def test_the_unit_that_left_is_paid_and_put_back_beside_one_that_was_cancelled_before_it_was_sent() -> None:
    """Staff cancels the unsent one of two while the other is on its way back."""
    sold = order(line(quantity=2, fulfilled_quantity=1))
    facts: list[Fact] = [sold, *come("u1"), refunded("R9", 1000, CANCELLED, hours=3)]
    for sequence in itertools.permutations(facts):
        run = Run()
        run.feed(*sequence)
        assert (len(run.intents), paid(run)) == (1, [1000])
        assert run.open == []


@pytest.mark.req("MON-4", "INV-12")
def test_a_return_of_a_unit_that_was_cancelled_instead_is_over_with_that() -> None:
    run = Run()
    run.feed(order(line(fulfilled_quantity=1)), *asked(unit()))
    run.feed(order(line(fulfilled_quantity=0), hours=3), refunded("R9", 1000, CANCELLED, hours=3))
    run.feed(inspected(unit()))
    assert (run.intents, paid(run)) == ([], [])


@pytest.mark.req("MON-4", "INV-12")
def test_of_two_units_one_of_which_never_left_one_moves_after_the_other_was_cancelled() -> None:
    run = Run()
    run.feed(order(line(quantity=2, fulfilled_quantity=1)), *asked(unit("u2"), rma="101"), *come("u1"))
    assert (len(run.intents), paid(run), run.open) == (0, [], ["over_quantity"] * 2)
    run.feed(refunded("R9", 1000, CANCELLED, hours=6))
    assert (len(run.intents), paid(run)) == (1, [1000])
    assert "over_quantity" not in run.open


def test_a_refund_of_ours_does_not_make_the_other_unit_one_that_never_left() -> None:
    run = Run()
    run.feed(order(line(quantity=2, fulfilled_quantity=2)), *come("u1"))
    run.feed(result(run.commands(Refund)[0].command_id, "refund", external_ids={"refund_id": "R1"}))
    run.feed(refunded("R1", 1000, covers()), order(line(quantity=2, fulfilled_quantity=2), hours=9))
    run.feed(*come("u2", rma="101"))
    assert (paid(run), run.open) == ([1000, 1000], [])


def test_what_the_customer_keeps_is_not_paid_either_while_it_never_left() -> None:
    run = Run()
    run.feed(order(line(fulfilled_quantity=0)), *asked(unit(resolution="keep", ships=False)))
    assert (paid(run), run.open) == ([], ["over_quantity"])
    run.feed(event("received", unit(resolution="keep", ships=False), hours=4))
    assert paid(run) == []
