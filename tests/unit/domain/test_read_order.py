"""Words on one thing under one time: the one that was read last holds, in whatever sequence the facts come."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from schemas.facts import RecordedRefund, RefundedTender
from schemas.journal import CaseStep
from streams.domain.learn import Fact, learn
from streams.domain.learnt import Learnt
from streams.domain.stock import StockFact, decide_stock
from tests.unit.domain.factories import (
    Run,
    asked,
    at,
    covers,
    event,
    inspected,
    item,
    order,
    place,
    refunded,
    result,
    rules,
    transaction,
    unit,
)

Made = Callable[[Any], Fact]
Seen = Callable[[Learnt], Any]
STATUSES = ("success", "pending", "failed")


def tender(amount: int, status: Any, number: str = "t1") -> RefundedTender:
    return RefundedTender(transaction_id=number, payment_id="P1", tender="card", amount_minor=amount, status=status)


def in_state(status: Any, amount: int = 1000, **more: Any) -> Any:
    return replace(refunded("R1", amount, covers(), **more), tenders=(tender(amount, status),))


def in_list(status: Any) -> Fact:
    made = RecordedRefund(
        refund_id="R1", created_at_ms=at(3), total_minor=1000, tenders=(tender(1000, status),), lines=(covers(),)
    )
    return order(refunds=(made,))


def _step(found: Learnt) -> Any:
    return found.rmas["100"].steps["T1"]


def _refund(found: Learnt) -> Any:
    return found.effects["shopify:refund:R1"].failed_minor


def _requested(skus: Any) -> Fact:
    return event("requested", *(unit(f"u{n}", sku=sku) for n, sku in enumerate(skus)), hours=1)


# how a state of the thing is told, its states, and what shows which of them holds
THINGS: list[tuple[Made, list[Any], Seen]] = [
    (lambda s: order(tags=(s,)), ["a", "b", "c"], lambda k: k.order and k.order.tags[0]),
    (lambda s: in_state(s), list(STATUSES), _refund),
    (lambda s: in_list(s), list(STATUSES), _refund),
    (lambda s: inspected(unit(), s, hours=5), ["sellable", "damaged", "missing"],
     lambda k: k.rmas["100"].units["u1"].inspections["returngo"].disposition),
    (lambda s: transaction(1000, s), ["success", "failed"], lambda k: _step(k).status),
    (lambda s: transaction(s), [1000, 1200, 900], lambda k: _step(k).amount_minor),
    (_requested, [("TEE",), ("TEE", "CAP"), ("MUG",)], lambda k: k.rmas["100"].units["u0"].said.sku),
    (_requested, [("TEE",), ("TEE", "CAP"), ()], lambda k: k.rmas["100"].roster),
    (lambda s: event("approved", unit(), hours=2, tracking_number=s), ["A", "B"], lambda k: k.rmas["100"].tracking),
    (lambda s: event("exchange", unit(), hours=2, exchange_draft_order_id=s), ["D1", "D2"],
     lambda k: k.rmas["100"].draft_order),
]  # fmt: skip


def known(facts: list[Fact]) -> Learnt:
    found: Learnt | None = None
    for each in facts:
        found = learn(found, each)
    assert found is not None
    return found


@pytest.mark.req("MON-11", "INV-13")
@given(data=st.data(), thing=st.sampled_from(THINGS))
@settings(max_examples=150, deadline=None)
def test_the_word_that_was_read_last_holds(data: st.DataObject, thing: tuple[Made, list[Any], Seen]) -> None:
    told, states, seen = thing
    lives = data.draw(st.lists(st.sampled_from(states), min_size=1, max_size=5))
    salt = data.draw(st.integers(0, 9))  # whatever the ids come to
    facts: list[Fact] = [
        replace(told(state), fact_id=f"{salt}/{state}", read_order=1_780_000_000_000 + n)
        for n, state in enumerate(lives)
    ]
    straight = known(facts)
    again = data.draw(st.lists(st.sampled_from(facts), max_size=3))
    assert known(data.draw(st.permutations(facts + again))) == straight
    assert seen(straight) == seen(known(facts[-1:]))


@pytest.mark.req("MON-11")
@given(data=st.data(), statuses=st.lists(st.sampled_from(STATUSES), min_size=1, max_size=4))
@settings(max_examples=60, deadline=None)
def test_a_refund_in_its_own_facts_and_in_the_orders_list_is_one(data: st.DataObject, statuses: list[Any]) -> None:
    """Its maker is told by its own facts alone, and stays whatever the order's list says later."""
    facts: list[Fact] = []
    for n, status in enumerate(statuses):
        own = replace(in_state(status, actor="till", hours=3), fact_id=f"own/{status}", read_order=2 * n + 2)
        facts += [replace(in_list(status), fact_id=f"list/{status}", read_order=2 * n + 1), own]
    straight = known(facts)
    assert known(data.draw(st.permutations(facts))).effects == straight.effects
    (effect,) = straight.effects.values()
    assert (effect.actor, effect.failed_minor) == ("till", 1000 if statuses[-1] == "failed" else 0)


@pytest.mark.req("MON-11")
@pytest.mark.parametrize("told_in_order", [True, False])
@pytest.mark.parametrize("ours", [True, False])
def test_a_refund_that_succeeded_and_failed_later_never_ends_green(ours: bool, told_in_order: bool) -> None:
    for n in range(60):  # whatever the ids come to
        run = Run()
        run.feed(order(), *asked(unit()), inspected(unit()))
        more: dict[str, Any] = {}
        if ours:
            run.restock()
            (command,) = run.commands(type(run.payments[0]))
            run.feed(result(command.command_id, "refund", external_ids={"refund_id": "R1"}))
            more = {"command_id": command.command_id, "actor": "returnflow"}
        states = [
            replace(in_state(status, **more), fact_id=f"{status}/{n}", read_order=10 + i if told_in_order else 0)
            for i, status in enumerate(("pending", "success", "failed"))
        ]
        run.feed(*states)
        run.restock()
        run.marked(hours=12)
        assert "amount_mismatch" in run.open
        assert run.case is not None
        assert run.case.attention
        run.feed(*states[:2])  # told again
        assert "amount_mismatch" in run.open


@pytest.mark.req("MON-11")
def test_a_part_of_a_refund_by_others_that_failed_is_raised() -> None:
    run = Run()
    split = (tender(400, "success"), tender(600, "failed", "t2"))
    run.feed(order(), *asked(unit()), replace(refunded("R1", 1000, covers()), tenders=split), inspected(unit()))
    raised = run.raised("amount_mismatch")
    assert (raised.expected, raised.actual) == ("10.00 EUR", "4.00 EUR")
    assert "rest failed" in raised.detail


@pytest.mark.req("MON-11")
def test_a_part_that_failed_and_was_paid_on_a_second_try_is_no_fault() -> None:
    run = Run()
    split = (tender(1000, "failed"), tender(1000, "success", "t2"))
    run.feed(order(), *asked(unit()), replace(refunded("R1", 1000, covers()), tenders=split), inspected(unit()))
    assert "amount_mismatch" not in run.open


@pytest.mark.req("MON-11")
def test_a_payment_by_returngo_that_failed_later_is_paid_by_us() -> None:
    for n in range(20):
        run = Run()
        steps = [
            replace(transaction(1000, status, external_id="R9"), fact_id=f"{status}/{n}", read_order=10 + i)
            for i, status in enumerate(("success", "failed"))
        ]
        run.feed(order(), *asked(unit()), *steps, inspected(unit()))
        assert [each.amount_minor for each in run.payments] == [1000]  # type: ignore[union-attr]


@pytest.mark.req("INV-4")
@given(data=st.data(), lives=st.lists(st.booleans(), min_size=1, max_size=5))
@settings(max_examples=60, deadline=None)
def test_an_item_is_what_was_read_of_it_last(data: st.DataObject, lives: list[bool]) -> None:
    facts: list[StockFact] = [
        replace(item(locations=(place(active=open_),), tracked=open_), fact_id=f"i/{open_}", read_order=n + 1)
        for n, open_ in enumerate(lives)
    ]
    state = None
    for each in data.draw(st.permutations(facts)):
        state, _ = decide_stock(state, each, rules())
    assert state is not None
    assert state.items["shopify"].tracked is lives[-1]
    assert [active for _, active in state.places.values()] == [lives[-1]]


@pytest.mark.req("MON-14")
def test_a_state_that_comes_back_has_steps_of_its_own_in_the_history() -> None:
    run = Run()
    run.feed(order(), *asked(unit()))
    for n, disposition in enumerate(("missing", "sellable", "missing")):
        grade = replace(inspected(unit(), disposition), fact_id=disposition, read_order=100 + n)
        run.feed(grade)
    steps = [each for each in run.records(CaseStep) if each.step in ("learned", "waiting") and each.read_order != 0]
    assert [each.disposition for each in steps] == ["missing", "sellable", "missing"]
    every = [each.step_id for each in run.records(CaseStep)]
    assert len(set(every)) == len(every)
