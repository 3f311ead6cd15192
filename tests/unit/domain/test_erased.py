"""An order that is erased is forgotten, stays forgotten, and nothing of it is done a second time."""

import pytest

from schemas.exceptions import ExceptionCleared, ExceptionRaised
from schemas.facts import OrderErased
from streams.domain import erased, row
from streams.domain.learn import Fact
from streams.domain.state import Case
from tests.unit.domain.factories import (
    MERCHANT,
    ORDER,
    Run,
    asked,
    at,
    event,
    inspected,
    of,
    order,
    unit,
)

pytestmark = pytest.mark.req("OPS-10")
REQUEST = OrderErased(fact_id="e", merchant=MERCHANT, order_id=ORDER, erased_at_ms=at(50), by="ann")
FACTS: tuple[Fact, ...] = (order(), *asked(unit()), inspected(unit()))


def forgotten(run: Run) -> Case:
    """The case once it is erased."""
    run.case, made = erased.erase(run.case, REQUEST, None)
    run.outputs += made
    return run.case


def done(run: Run) -> Run:
    """Put into stock, paid back and marked."""
    run.feed(*FACTS)
    run.restock()
    run.pay()
    run.marked()
    return run


def test_of_an_erased_order_only_that_is_left() -> None:
    run = done(Run())
    case = forgotten(run)
    left = row.dump(case)
    assert (case.learnt.rmas, case.learnt.order, case.decided) == ({}, None, {})
    assert not [name for name in (b"RMA", b"#1001", b"TEE", b"C1", b"u1") if name in left]
    assert row.load(left) == case
    assert not row.stale(left, "another")


def test_its_facts_again_make_nothing_anew_and_pay_nothing() -> None:
    run = done(Run())
    before, moved = len(run.payments), len(run.intents)
    case = forgotten(run)
    assert run.feed(*FACTS, event("resolved", unit(), hours=9)) == []
    assert (run.case, len(run.payments), len(run.intents)) == (case, before, moved)


def test_what_comes_back_afterwards_is_told_to_a_person_once() -> None:
    run = done(Run())
    forgotten(run)
    later = [event("requested", unit("u2"), hours=60, rma="R-2"), event("received", unit("u2"), hours=61, rma="R-2")]
    told = of(ExceptionRaised, run.feed(*later))
    assert {(each.type, each.rma_id) for each in told} == {("orphan_return", "R-2")}
    assert len({each.exception_id for each in told}) == 1


def test_nothing_is_forgotten_while_money_is_under_way() -> None:
    run = Run()
    run.feed(*FACTS)
    before = run.case
    assert before is not None
    assert erased.under_way(before)
    assert erased.erase(before, REQUEST, None) == (before, [])


def test_open_exceptions_are_cleared_for_nobody_could_clear_them_later() -> None:
    run = Run()
    run.feed(order(), *asked(unit()), inspected(unit(), location="nowhere"))
    run.pay()
    run.marked()
    assert run.open == ["unmapped_location"]
    forgotten(run)
    assert [each.type for each in run.records(ExceptionCleared)] == ["unmapped_location"]


def test_asked_twice_or_of_an_order_nobody_knows_it_is_the_same() -> None:
    unknown, made = erased.erase(None, REQUEST, None)
    assert (unknown.erased_ms, made) == (at(50), [])
    assert erased.erase(unknown, REQUEST, None) == (unknown, [])
