"""A return travels: asked for, approved, inspected, put back, paid, closed."""

import pytest

from schemas.commands import Annotate, Journal, Refund
from schemas.exceptions import ExceptionCleared, ExceptionRaised
from schemas.journal import CaseStep, ExpectedReturn
from schemas.stock import RestockIntent
from tests.unit.domain.factories import (
    RMA,
    Run,
    asked,
    at,
    event,
    inspected,
    of,
    order,
    payment,
    result,
    rules,
    unit,
)


@pytest.mark.req("INV-1", "MON-1", "MON-2", "MON-4")
def test_a_sellable_unit_is_put_back_and_paid_in_full() -> None:
    run = Run()
    run.feed(*asked(unit()), event("in_transit", unit(), hours=2), event("received", unit(), hours=3), order())
    assert run.intents == []
    assert run.records(Refund) == []
    run.feed(inspected(unit()))
    (intent,) = run.intents
    assert (intent.sku, intent.location_id, intent.quantity, intent.stock_status) == ("TEE", "11", 1, "available")
    (refund,) = run.commands(Refund)
    assert (refund.order_id, refund.amount_minor, refund.currency) == ("5001", 1000, "EUR")
    assert [(t.payment_id, t.amount_minor) for t in refund.tenders] == [("P1", 1000)]
    run.restock()
    assert run.stages() == {"u1": "refunding"}
    run.feed(result(refund.command_id, "refund", external_ids={"refund_id": "R1"}))
    assert run.stages() == {"u1": "closed"}
    assert run.open == []


@pytest.mark.req("STA-1", "STA-2", "STA-3")
def test_the_order_carries_tags_and_a_note_and_returngo_is_told() -> None:
    run = Run()
    run.feed(order(), *asked(unit()), event("in_transit", unit(), hours=2), event("received", unit(), hours=3))
    run.feed(inspected(unit()))
    run.restock()
    run.feed(result(run.commands(Refund)[0].command_id, "refund", external_ids={"refund_id": "R1"}))
    marks = run.commands(Annotate)
    tags = [m.tags_add for m in marks if m.aspect == "tags"]
    assert tags == [("return-in-transit",), ("return-received",), ("return-inspected",), ("return-completed",)]
    assert all(
        "return-completed" in m.tags_remove
        for m in marks
        if m.aspect == "tags" and "return-completed" not in m.tags_add
    )
    assert [m.text for m in marks if m.aspect == "note"] == ["RMA 100: 1 × TEE: Does not fit"]
    assert [m.text for m in marks if m.aspect == "comment"] == [
        "Back in stock: 1 unit(s), TEE at 11 (available); Refunded 10.00 EUR (R1)"
    ]
    assert [m.status for m in marks if m.aspect == "status"] == ["Done"]


@pytest.mark.req("STA-5")
def test_an_approved_return_is_announced_to_warehouses_once_and_again_with_its_tracking() -> None:
    run = Run()
    run.feed(*asked(unit("u1"), unit("u2")))
    run.feed(event("in_transit", unit("u1"), unit("u2"), hours=2, tracking_number="TR1", carrier="Post"))
    run.feed(event("in_transit", unit("u1"), unit("u2"), hours=2, tracking_number="TR1", carrier="Post"))
    told = run.records(ExpectedReturn)
    assert [(t.rma_id, t.lines[0].quantity, t.tracking_number) for t in told] == [(RMA, 2, None), (RMA, 2, "TR1")]


@pytest.mark.req("STA-5")
def test_a_parcel_that_becomes_what_it_was_before_is_news_to_whoever_tells_records_apart_by_their_ids() -> None:
    run = Run()
    run.feed(*asked(unit("u1")), event("requested", unit("u1"), unit("u2"), hours=5))
    run.feed(event("requested", unit("u1"), hours=6))
    told = run.records(ExpectedReturn)
    assert [t.lines[0].quantity for t in told] == [1, 2, 1]
    assert len({t.fact_id for t in told}) == 3


@pytest.mark.req("STA-5")
def test_a_parcel_is_told_line_by_line_those_without_a_line_first() -> None:
    run = Run()
    run.feed(*asked(unit("u1"), unit("u2", None, "MUG"), unit("u3")))
    (told,) = run.records(ExpectedReturn)
    assert [(each.line_id, each.sku, each.quantity) for each in told.lines] == [(None, "MUG", 1), ("L1", "TEE", 2)]


@pytest.mark.req("EXC-1", "MON-14")
def test_the_journal_tells_what_was_learned_decided_done_and_waited_for() -> None:
    run = Run()
    run.feed(order(), *asked(unit()), inspected(unit()))
    run.restock()
    run.feed(result(run.commands(Refund)[0].command_id, "refund", external_ids={"refund_id": "R1"}))
    steps = run.records(CaseStep)
    told = [(s.step, s.what) for s in steps]
    for step in [
        ("learned", "order"), ("learned", "requested"), ("learned", "inspected"), ("decided", "restock"),
        ("decided", "refund"), ("done", "restock"), ("done", "refund"), ("closed", "closed"),
    ]:  # fmt: skip
        assert step in told
    waits = [s.waiting_for.guard for s in steps if s.waiting_for]
    assert waits == ["inspected", "restock_applied", "money_applied"]
    assert len({s.step_id for s in steps}) == len(steps)


@pytest.mark.req("EXC-1")
def test_a_unit_that_waits_again_for_what_it_waited_for_before_has_a_step_of_its_own_for_it() -> None:
    """Backfilled facts are all older than the order's newest version, so no time passes between them."""
    run = Run()
    run.feed(order(hours=10), *asked(unit()), event("cancelled", hours=3), event("reopened", hours=4))
    run.feed(event("rejected", hours=5), event("cancelled", hours=6))
    steps = [s for s in run.records(CaseStep) if s.step in ("waiting", "closed")]
    assert [s.what for s in steps] == ["inspected", "cancelled", "inspected", "rejected"]
    assert len({s.step_id for s in steps}) == len(steps)


@pytest.mark.req("INV-13", "MON-11")
def test_a_known_fact_emits_again_what_is_open_and_nothing_else() -> None:
    run = Run()
    run.feed(order(), *asked(unit()), inspected(unit()))
    before = run.case
    again = run.feed(inspected(unit()))
    assert run.case is before
    kinds = {type(o.record) for o in again}
    assert kinds == {RestockIntent, Refund, Annotate}
    assert of(Refund, again) == run.commands(Refund)
    assert of(RestockIntent, again) == run.intents
    run.restock()
    run.feed(result(run.commands(Refund)[0].command_id, "refund"))
    for mark in run.commands(Annotate):
        run.feed(result(mark.command_id, "annotate"))
    assert run.feed(inspected(unit()), order()) == []


def test_a_decision_carries_the_time_of_its_latest_fact() -> None:
    run = Run()
    run.feed(inspected(unit(), hours=5), *asked(unit(), hours=1), order(hours=2))
    assert run.commands(Refund)[0].decided_at_ms == at(5)


@pytest.mark.req("MON-14")
def test_a_newer_version_of_the_order_tells_only_of_payments_that_are_new() -> None:
    run = Run()
    card, voucher = payment("P1", "card", 600), payment("P2", "voucher", 400)
    first = of(CaseStep, run.feed(order(payments=(card,))))
    again = of(CaseStep, run.feed(order(hours=2, payments=(card, voucher))))
    assert [(s.step, s.what, s.tender) for s in first] == [("learned", "order", None), ("learned", "payment", "P1")]
    assert [(s.step, s.what, s.tender) for s in again] == [("learned", "payment", "P2")]


@pytest.mark.req("OPS-2")
def test_every_record_goes_to_its_topic_under_the_key_that_keeps_its_order() -> None:
    run = Run(rules(books="linnworks"))
    run.feed(order(), *asked(unit()), inspected(unit(), location="new"), inspected(unit(), hours=6))
    run.restock(7)
    run.feed(result(run.commands(Refund)[0].command_id, "refund"))
    run.feed(result(run.commands(Journal)[0].command_id, "journal"))
    of_order, of_item = b"demo-shop|5001", b"demo-shop|shopify:I-TEE"
    went = {(type(o.record).__name__, o.topic, o.key) for o in run.outputs if o.topic != "exceptions"}
    assert went == {
        ("CaseStep", "case-journal", of_order), ("ExpectedReturn", "expected-returns", of_order),
        ("RestockIntent", "restock-intents", of_item), ("Refund", "shopify-commands", of_order),
        ("Annotate", "shopify-commands", of_order), ("Annotate", "returngo-commands", of_order),
        ("Journal", "linnworks-commands", of_order),
    }  # fmt: skip
    told = [(o, o.record) for o in run.outputs if isinstance(o.record, ExceptionRaised | ExceptionCleared)]
    assert [type(record) for _, record in told] == [ExceptionRaised, ExceptionCleared]
    assert {(o.topic, o.key) for o, _ in told} == {("exceptions", told[0][1].exception_id.encode())}
