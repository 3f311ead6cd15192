"""Time limits, what is sent again, and when a case is over."""

import pytest
from msgspec.structs import replace

from schemas.commands import Annotate, Exchange, Refund, StoreCredit
from schemas.exceptions import ExceptionCleared, ExceptionRaised
from schemas.facts import DeadlineReached
from schemas.journal import CaseStep
from schemas.stock import RestockIntent
from streams.domain.act import RETENTION_MS
from streams.domain.learn import Fact
from tests.unit.domain.factories import (
    HOUR,
    MERCHANT,
    ORDER,
    Run,
    asked,
    at,
    deadline,
    event,
    inspected,
    line,
    of,
    order,
    refunded,
    result,
    rules,
    transaction,
    unit,
    verdict,
)
from tests.unit.domain.merchants import merchant


@pytest.mark.req("ELG-2")
def test_a_return_waits_for_its_order_and_is_an_orphan_in_time() -> None:
    run = Run()
    run.feed(*asked(unit(), hours=1), inspected(unit()), deadline(24.9))
    assert (run.open, run.intents, run.records(Refund)) == ([], [], [])
    run.feed(deadline(25))
    assert run.open == ["orphan_return"]
    run.feed(order(hours=30))
    assert (run.open, len(run.intents), len(run.commands(Refund))) == ([], 1, 1)


@pytest.mark.req("EXC-3", "EXC-4")
@pytest.mark.parametrize(
    ("kind", "since", "hours", "raised"),
    [("in_transit", 2, 336, "stuck_in_transit"), ("received", 3, 48, "stuck_received")],
)
def test_a_parcel_that_does_not_move_on_is_raised_and_clears_by_itself(
    kind: str, since: int, hours: int, raised: str
) -> None:
    run = Run()
    run.feed(order(), *asked(unit()), event(kind, unit(), hours=since))
    assert run.case is not None
    assert run.case.due_ms is not None
    run.feed(deadline(since + hours - 0.1))
    assert run.open == []
    run.feed(deadline(since + hours))
    assert run.open == [raised]
    run.feed(inspected(unit(), hours=since + hours + 1))
    assert run.open == []
    assert [c.type for c in run.records(ExceptionCleared)] == [raised]


@pytest.mark.req("EXC-3")
def test_an_unanswered_restock_and_refund_are_raised() -> None:
    run = Run()
    run.feed(order(), *asked(unit()), inspected(unit(), hours=5), deadline(9))
    assert run.open == ["stuck_refund", "stuck_restock"]
    run.restock(10)
    assert run.open == ["stuck_refund"]
    run.feed(result(run.commands(Refund)[0].command_id, "refund"))
    assert run.open == []


@pytest.mark.parametrize(
    ("resolution", "kind", "raised", "hours"),
    [("store_credit", StoreCredit, "credit_not_issued", 4), ("exchange", Exchange, "exchange_not_released", 24)],
)
def test_credit_and_exchange_have_limits_of_their_own(resolution: str, kind: type, raised: str, hours: int) -> None:
    run = Run()
    one = unit(resolution=resolution)
    run.feed(
        order(), *asked(one), event("exchange", one, hours=3, exchange_draft_order_id="D1"), inspected(one, hours=5)
    )
    run.restock()
    assert len(run.records(kind)) == 1
    run.feed(deadline(5 + hours))
    assert run.open == [raised]


def test_an_exchange_without_its_order_is_raised() -> None:
    run = Run()
    one = unit(resolution="exchange")
    run.feed(order(), *asked(one), inspected(one, hours=5))
    run.restock()
    run.feed(deadline(29))
    assert run.open == ["exchange_not_released"]


@pytest.mark.req("EXC-3")
@pytest.mark.parametrize("ships", [True, False])
def test_a_return_whose_list_of_units_never_comes_is_raised(ships: bool) -> None:
    run = Run()
    one = unit() if ships else unit(resolution="keep", ships=False)
    requested, approved = asked(one, hours=5)
    run.feed(order(), approved, *([inspected(one, hours=5)] if ships else []))
    run.restock()
    assert run.waits() == {"u1": "units_known"}
    run.feed(deadline(9.2))
    assert run.open == ["stuck_refund"]
    assert "the list of all units of the return is missing" in run.raised("stuck_refund").detail
    run.feed(requested)
    assert ([r.amount_minor for r in run.commands(Refund)], run.open) == ([1000], [])


@pytest.mark.parametrize("model", [{"refunding": {"needs_transaction": True}}, {"refunding": {"actor": "returngo"}}])
def test_a_refund_that_others_must_start_is_raised_when_it_does_not_come(model: dict[str, dict[str, object]]) -> None:
    run = Run(rules(**model))
    run.feed(order(), *asked(unit()), inspected(unit(), hours=5))
    run.restock()
    run.feed(deadline(9))
    assert run.open == ["stuck_refund"]
    run.feed(transaction(1000, "success", external_id="R1", hours=10))
    assert run.open == []


@pytest.mark.req("INV-14")
def test_a_command_without_a_result_is_sent_again_word_for_word_at_growing_intervals() -> None:
    run = Run()
    run.feed(order(), *asked(unit()), inspected(unit(), hours=5))
    run.marked()
    assert run.case is not None
    first = run.commands(Refund)
    assert run.case.due_ms == at(5.25)
    assert of(Refund, run.feed(deadline(5.2))) == []
    assert of(Refund, run.feed(deadline(5.25))) == first
    assert of(Refund, run.feed(deadline(6.2))) == []
    again = run.feed(deadline(6.25))
    assert of(Refund, again) == first
    assert of(RestockIntent, again) == run.intents
    assert of(Refund, run.feed(deadline(6.25))) == []
    assert run.case is not None
    assert run.case.due_ms == at(9)  # the limit of the refund comes before the next repetition, at 10.25


def test_a_deadline_always_moves_the_next_one() -> None:
    run = Run()
    run.feed(*asked(unit()), order(), inspected(unit()))
    for _ in range(40):
        assert run.case is not None
        due = run.case.due_ms
        assert due is not None
        run.feed(replace(deadline(0), due_at_ms=due))
        assert run.case is not None
        assert run.case.due_ms is None or run.case.due_ms > due


def test_a_repeated_result_or_verdict_repeats_nothing() -> None:
    run = Run()
    run.feed(order(), *asked(unit()), inspected(unit()))
    said: list[Fact] = [verdict(run.intents[0]), result(run.intents[0].intent_id, "restock")]
    run.feed(*said)
    assert run.feed(*said) == []


def closed() -> Run:
    run = Run()
    run.feed(order(), *asked(unit()), inspected(unit()))
    run.restock()
    run.feed(result(run.commands(Refund)[0].command_id, "refund", hours=9))
    run.marked(9)
    return run


def test_a_closed_case_is_forgotten_after_its_retention() -> None:
    run = closed()
    assert run.case is not None
    assert run.case.due_ms == at(9) + RETENTION_MS
    run.feed(deadline((at(9) + RETENTION_MS - at(0)) / HOUR))
    assert run.case is None


@pytest.mark.req("EXC-4")
def test_what_is_open_of_a_case_is_cleared_when_it_is_forgotten() -> None:
    run = closed()
    run.feed(refunded("R9", 100, hours=12))
    run.marked(12)
    assert run.open == ["amount_mismatch", "refund_outside_workflow"]
    raised = {each.exception_id for each in run.records(ExceptionRaised)}
    run.feed(deadline((at(12) + RETENTION_MS - at(0)) / HOUR))
    assert run.case is None
    cleared = {each.exception_id: each.why for each in run.records(ExceptionCleared)}
    assert cleared == dict.fromkeys(raised, "its case is over and forgotten")


@pytest.mark.req("INV-13", "MON-11")
def test_a_forgotten_case_that_comes_again_decides_the_very_same_commands() -> None:
    run, again = closed(), Run()
    again.feed(order(), *asked(unit()), inspected(unit()))
    assert [r.command_id for r in again.commands(Refund)] == [r.command_id for r in run.commands(Refund)]
    assert [i.intent_id for i in again.intents] == [i.intent_id for i in run.intents]


@pytest.mark.req("EXC-4")
def test_an_exception_opens_once_and_counts_its_returns() -> None:
    run = Run()
    run.feed(order(), *asked(unit()), inspected(unit(), location="new"))
    run.feed(event("received", unit(), hours=3), inspected(unit(), location="new"))
    assert [r.repeats for r in run.records(ExceptionRaised)] == [1]
    run.feed(inspected(unit(), location="dock", hours=6))
    assert run.open == []
    other = Run()
    one = unit(resolution="none")
    other.feed(order(), *asked(one), event("cancelled", one, hours=3), inspected(one, location="new", hours=2))
    assert other.open == []
    other.feed(event("reopened", one, hours=4))
    other.feed(event("cancelled", one, hours=5), event("reopened", one, hours=6))
    kinds = [
        (type(o.record).__name__, getattr(o.record, "repeats", 0)) for o in other.outputs if o.topic == "exceptions"
    ]
    assert kinds == [("ExceptionRaised", 1), ("ExceptionCleared", 0), ("ExceptionRaised", 2)]
    assert [r.since_ms for r in other.records(ExceptionRaised)] == [at(4), at(6)]


@pytest.mark.req("EXC-3")
def test_goods_that_were_inspected_do_not_wait_unseen_for_an_approval() -> None:
    run = Run()
    run.feed(order(), event("requested", unit(), hours=1), inspected(unit()))
    run.restock()
    run.feed(deadline(8.9))
    assert run.open == []
    run.feed(deadline(9))
    assert run.open == ["stuck_refund"]
    assert "the approval of the return is missing" in run.raised("stuck_refund").detail
    run.feed(event("approved", unit(), hours=10))
    assert run.open == []
    assert run.payments


@pytest.mark.req("EXC-3")
def test_goods_that_were_inspected_do_not_wait_unseen_for_the_rest_of_their_order() -> None:
    cap = unit(line_id="L9", sku="CAP")
    run = Run()
    run.feed(order(complete=False), *asked(cap), deadline(90), inspected(cap, hours=91), deadline(94.9))
    assert run.open == []
    run.feed(deadline(95))
    assert run.open == ["stuck_refund", "stuck_restock"]
    run.feed(order(line("L9", "CAP"), hours=96))
    assert run.open == []


@pytest.mark.req("EXC-3", "INV-9")
def test_a_part_of_a_bundle_does_not_wait_unseen_for_parts_that_never_come() -> None:
    cup, lid = unit("u1", "L1", "CUP"), unit("u2", "L2", "LID")
    parts = [line(i, sku, bundle_sku="SET", bundle_quantity=1) for i, sku in (("L1", "CUP"), ("L2", "LID"))]
    run = Run(rules(bundles={"component": "bundle"}))
    run.feed(order(*parts), *asked(cup, lid), inspected(cup), deadline(5 + 47.9))
    assert run.open == []
    run.feed(deadline(5 + 48))
    assert run.open == ["stuck_restock"]
    run.feed(inspected(lid, hours=60))
    assert run.open == []


@pytest.mark.req("EXC-2")
def test_the_merchant_may_name_another_owner() -> None:
    merchant = rules().model_copy(update={"owners": {"unmapped_location": "data"}})
    run = Run(merchant)
    run.feed(order(), *asked(unit()), inspected(unit(), location="new"))
    assert run.raised("unmapped_location").owner == "data"
    waits = [s.waiting_for for s in run.records(CaseStep) if s.waiting_for]
    assert (waits[-1].guard, waits[-1].owner) == ("location_mapped", "data")


@pytest.mark.req("STA-1")
def test_an_open_exception_asks_for_a_person_on_the_order_until_it_is_gone() -> None:
    run = Run()
    run.feed(order(), *asked(unit()), inspected(unit(), location="new"))
    run.feed(inspected(unit(), location="dock", hours=6))
    tags = [
        (m.tags_add, m.tags_remove) for m in run.commands(Annotate) if "return-attention" in m.tags_add + m.tags_remove
    ]
    assert tags == [(("return-attention",), ()), ((), ("return-attention",))]


@pytest.mark.req("EXC-3")
def test_limits_of_people_count_their_working_hours_and_carriers_the_clock() -> None:
    run = Run(merchant(working={"days": ["mon", "tue", "wed", "thu", "fri"], "opens": "09:00", "closes": "17:00"}))
    run.feed(order(), *asked(unit()), event("received", unit(), hours=3))  # 48 h are six working days
    due = run.rules.due_ms(at(3), "inspection")
    assert due > at(3 + 6 * 24)
    for at_ms, raised in ((at(3 + 48), []), (due - 1, []), (due, ["stuck_received"])):
        run.feed(DeadlineReached(fact_id="d", merchant=MERCHANT, order_id=ORDER, due_at_ms=at_ms))
        assert run.open == raised
    assert run.rules.due_ms(at(3), "transit") == at(3 + 336)
