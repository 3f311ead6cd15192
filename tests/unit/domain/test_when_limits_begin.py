"""From when on a limit runs, and that somebody is woken for it."""

import pytest
from msgspec.structs import replace

from schemas.commands import Refund
from tests.unit.domain.factories import (
    HOUR,
    Run,
    asked,
    at,
    covers,
    deadline,
    event,
    inspected,
    line,
    order,
    put_back,
    result,
    rules,
    unit,
    verdict,
)
from tests.unit.domain.judged import judged
from tests.unit.domain.merchants import merchant


def woken(run: Run) -> tuple[int, ...]:
    """When the case wants to be looked at again."""
    assert run.case is not None
    return tuple(judged(run.case, run.rules).due_ms)


@pytest.mark.req("INV-17")
def test_a_restock_that_was_refused_is_no_drift() -> None:
    run = Run(merchant("linnworks"))
    run.feed(replace(order(), system="linnworks"), *asked(unit()), inspected(unit()))
    (intent,) = run.intents
    run.feed(verdict(intent), result(intent.intent_id, "restock", "rejected", hours=8), deadline(8 + 24))
    assert "stock_drift" not in run.open


@pytest.mark.req("EXC-1")
def test_a_unit_to_keep_is_ready_to_be_paid_from_its_approval_on() -> None:
    run = Run(rules(refunding={"needs_transaction": True}))
    kept = unit(resolution="keep", ships=False)
    run.feed(order(), event("requested", kept, hours=1), event("approved", kept, hours=5))
    run.feed(event("requested", kept, hours=7))  # an edit begins nothing anew
    due = at(5) + int(run.rules.hours["refund"] * HOUR)
    run.feed(replace(deadline(0), fact_id="early", due_at_ms=due - 1))
    assert run.open == []
    run.feed(replace(deadline(0), fact_id="due", due_at_ms=due))
    assert run.open == ["stuck_refund"]


@pytest.mark.req("EXC-1", "MON-1")
def test_units_that_wait_for_others_wake_up_when_their_time_is_over() -> None:
    run = Run()
    units = unit("u1"), unit("u2")
    run.feed(order(line(quantity=2)), *asked(*units), inspected(units[0], hours=5))
    due = at(5) + int(run.rules.hours["inspection"] * HOUR)
    assert due in woken(run)
    run.feed(replace(deadline(0), due_at_ms=due))
    assert [r.unit_ids for r in run.commands(Refund)] == [("u1",)]


@pytest.mark.req("EXC-1", "INV-13")
def test_a_unit_that_staff_put_back_uninspected_waits_for_the_others_from_its_approval_on() -> None:
    run = Run()
    units = unit("u1"), unit("u2", "L2", "CAP")
    run.feed(order(line(), line("L2", "CAP")), event("requested", *units, hours=1), event("approved", *units, hours=2))
    run.feed(put_back("D9", covers(), hours=4), event("requested", *units, hours=7))
    due = at(2) + int(run.rules.hours["inspection"] * HOUR)
    assert due in woken(run)
    run.feed(replace(deadline(0), due_at_ms=due))
    assert [r.unit_ids for r in run.commands(Refund)] == [("u1",)]
