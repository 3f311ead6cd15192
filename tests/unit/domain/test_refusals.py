"""What a refusal or a late word leaves behind: the right exception, its command, and units that count only once."""

import pytest

from schemas.commands import Annotate, Exchange, Journal, LineShare, Refund, StoreCredit, Suggestion
from schemas.journal import CaseStep
from schemas.money import Money
from streams.domain import row
from tests.unit.domain.factories import (
    MAIN,
    Run,
    applied,
    asked,
    covers,
    deadline,
    event,
    inspected,
    line,
    of,
    order,
    payment,
    put_back,
    refunded,
    result,
    rules,
    transaction,
    unit,
    verdict,
)


@pytest.mark.req("EXG-5", "EXC-1")
def test_an_exchange_that_is_refused_names_its_command() -> None:
    run = Run()
    one = unit(resolution="exchange")
    run.feed(order(), *asked(one), event("exchange", one, hours=2, exchange_draft_order_id="D1"), inspected(one))
    (release,) = run.commands(Exchange)
    run.feed(result(release.command_id, "exchange", "rejected", code="rejected_by_system"))
    assert run.open == ["exchange_not_released"]
    assert run.raised("exchange_not_released").command_id == release.command_id


@pytest.mark.req("MON-3", "EXC-1")
@pytest.mark.parametrize(("most", "actual"), [(1500, "9.00 EUR"), (800, "8.00 EUR"), (None, "9.00 EUR")])
def test_a_payment_refused_for_its_amount_shows_ours_returngos_and_the_shops_figure(
    most: int | None, actual: str
) -> None:
    run = Run()
    run.feed(order(line(), line("L2", "CAP", price=500)), *asked(unit(paid=1000)), inspected(unit(paid=1000)))
    (refund,) = run.commands(Refund)
    shares = (LineShare(line_id="L1", quantity=1, amount_minor=850),)
    said = Suggestion(currency="EUR", amount_minor=900, most_minor=most, lines=shares, shipping_minor=50)
    run.feed(result(refund.command_id, "refund", "rejected", code="amount_mismatch", detail="no", suggested=said))
    raised = run.raised("amount_mismatch")
    assert (raised.expected, raised.actual, raised.command_id) == ("10.00 EUR", actual, refund.command_id)
    why, ours, theirs, shops = raised.detail.split(" | ")
    assert (why, ours) == ("no", "ours is 10.00 EUR: 1 of 1 × TEE 10.00 EUR (price 10.00 EUR)")
    assert theirs == "ReturnGO's prices give 10.00 EUR: u1 10.00 EUR"
    limit = "" if most is None else f", at most {Money(minor=most, currency='EUR')}"
    assert shops == f"shopify suggests 9.00 EUR{limit}: 1 × TEE 8.50 EUR; shipping 0.50 EUR"
    assert run.case is not None
    assert row.load(row.dump(run.case)) == run.case


@pytest.mark.req("MON-3")
def test_what_returngo_asked_for_is_its_figure_of_a_refused_payment() -> None:
    run = Run()
    run.feed(order(), *asked(unit()), transaction(1000), inspected(unit()))
    (refund,) = run.commands(Refund)
    run.feed(result(refund.command_id, "refund", "rejected", code="amount_mismatch", detail="no"))
    raised = run.raised("amount_mismatch")
    assert (raised.expected, raised.actual) == (None, None)
    assert raised.detail.endswith(" | ReturnGO asks for 10.00 EUR: u1 without a price")


@pytest.mark.req("MON-3", "MON-8")
def test_a_refused_credit_shows_its_bonus_in_returngos_figure_too() -> None:
    run = Run(rules(refunding={"bonus_percent": {"store_credit": 10}}))
    one = unit(paid=1000, resolution="store_credit")
    run.feed(order(), *asked(one), inspected(one))
    (credit,) = run.commands(StoreCredit)
    run.feed(result(credit.command_id, "store_credit", "rejected", code="amount_mismatch", detail="no"))
    assert "ReturnGO's prices give 11.00 EUR: u1 10.00 EUR" in run.raised("amount_mismatch").detail


@pytest.mark.req("EXC-1")
def test_a_mark_that_is_refused_names_its_command() -> None:
    run = Run()
    run.feed(order(), *asked(unit()))
    (note,) = run.commands(Annotate)
    run.feed(result(note.command_id, "annotate", "rejected", code="rejected_by_system"))
    assert run.raised("rejected_by_system").command_id == note.command_id


@pytest.mark.req("ELG-1", "MON-11")
@pytest.mark.parametrize("answered", [False, True])
def test_a_unit_that_was_paid_and_then_cancelled_is_no_longer_there_to_be_returned(answered: bool) -> None:
    run = Run()
    run.feed(order(), *asked(unit("u1"), rma="101"), inspected(unit("u1"), rma="101"))
    (refund,) = run.commands(Refund)
    if answered:
        run.feed(result(refund.command_id, "refund"))
    run.feed(event("cancelled", unit("u1"), rma="101", hours=10))
    run.feed(*asked(unit("u2"), rma="102", hours=11), inspected(unit("u2"), rma="102", hours=12))
    assert run.commands(Refund) == [refund]
    assert "over_quantity" in run.open


@pytest.mark.parametrize(("resolution", "stage"), [("refund", "refunded"), ("store_credit", "credited")])
def test_a_paid_unit_says_by_what_means(resolution: str, stage: str) -> None:
    run = Run()
    run.feed(order(), *asked(unit(resolution=resolution)), inspected(unit(resolution=resolution)))
    command = (run.commands(Refund) + run.commands(StoreCredit))[0]
    run.feed(result(command.command_id, "refund" if resolution == "refund" else "store_credit"))
    assert run.stages() == {"u1": stage}


@pytest.mark.req("STA-5")
def test_an_older_tracking_number_that_comes_late_replaces_nothing() -> None:
    run = Run()
    run.feed(order(), *asked(unit()))
    run.feed(event("in_transit", unit(), hours=5, tracking_number="NEW"))
    run.feed(event("in_transit", unit(), hours=4, tracking_number="OLD"))
    assert run.case is not None
    tracking = run.case.learnt.rmas["100"].tracking
    assert tracking is not None
    assert tracking.value == "NEW"


@pytest.mark.req("MON-14", "STA-2")
def test_a_mark_that_is_refused_is_in_the_journal_and_one_that_was_left_is_no_news() -> None:
    run = Run()
    run.feed(order(), *asked(unit()))
    (note,) = run.commands(Annotate)
    refused = of(CaseStep, run.feed(result(note.command_id, "annotate", "rejected", hours=2, detail="too long")))
    assert [(s.what, s.detail) for s in refused if s.step == "done"] == [("annotate", "annotate rejected: too long")]
    assert [s for s in of(CaseStep, run.feed(result(note.command_id, "annotate", hours=3))) if s.step == "done"] == []


@pytest.mark.req("MON-14", "INV-13")
def test_an_effect_that_one_of_several_ids_of_a_result_names_is_told_of_its_units() -> None:
    run = Run()
    run.feed(order(), *asked(unit()), inspected(unit()))
    (intent,) = run.intents
    run.feed(verdict(intent), result(intent.intent_id, "restock", external_ids={"disposition_ids": "D1,D2"}))
    (step,) = [s for s in of(CaseStep, run.feed(put_back("D2", covers(), hours=9))) if s.step == "learned"]
    assert (step.rma_id, step.unit_ids, step.line_id) == ("100", ("u1",), "L1")
    assert run.open == []


@pytest.mark.req("STA-2")
def test_a_return_that_ended_early_keeps_no_note_from_the_next_one() -> None:
    run = Run()
    run.feed(
        *asked(unit("u1"), rma="101"), event("cancelled", unit("u1"), rma="101", hours=2), *asked(unit("u2"), rma="102")
    )
    run.feed(order(line(quantity=2), hours=3))
    assert [m.rma_id for m in run.commands(Annotate) if m.aspect == "note"] == ["102"]


@pytest.mark.req("STA-2")
def test_the_note_says_why_lines_come_back_as_soon_as_all_of_them_are_known() -> None:
    both, run = (unit(), unit("u2")), Run()
    run.feed(order(line(quantity=2)), event("approved", both[0], hours=1))
    assert [m.text for m in run.commands(Annotate) if m.aspect == "note"] == []
    run.feed(event("requested", *both, hours=1))
    assert [m.text for m in run.commands(Annotate) if m.aspect == "note"] == ["RMA 100: 2 × TEE: Does not fit"]


@pytest.mark.req("MON-10")
@pytest.mark.parametrize("resolution", ["none", "unknown"])
def test_a_unit_that_was_to_get_nothing_and_was_paid_by_hand_is_refunded(resolution: str) -> None:
    run = Run()
    run.feed(order(), *asked(unit(resolution=resolution)), refunded("R9", 1000, covers(), hours=4))
    assert run.stages() == {"u1": "refunded"}


@pytest.mark.req("MON-3", "EXC-1")
def test_a_payment_that_is_held_is_named_by_the_command_that_it_will_be() -> None:
    run = Run()
    run.feed(order(payments=(payment("P1", "card", 900),)), *asked(unit()), inspected(unit()))
    held = run.raised("amount_mismatch")
    run.feed(order(hours=8))
    assert [(r.command_id, r.unit_ids) for r in run.commands(Refund)] == [(held.command_id, held.unit_ids)]


@pytest.mark.req("MON-3", "EXC-1")
def test_a_request_for_another_amount_is_no_fault_of_a_payment_that_was_refused() -> None:
    run = Run()
    run.feed(order(), *asked(unit()), inspected(unit()))
    run.feed(result(run.commands(Refund)[0].command_id, "refund", "rejected", code="rejected_by_system"))
    run.feed(transaction(1200, hours=9))
    assert run.open == ["rejected_by_system"]


@pytest.mark.req("ELG-1", "INV-10")
def test_a_unit_of_a_cancelled_return_that_is_in_stock_is_no_longer_there_to_be_returned() -> None:
    run = Run(rules(refunding={"needs_transaction": True}))
    run.feed(order(), *asked(unit("u1"), rma="101"), inspected(unit("u1"), rma="101"))
    run.restock(6)
    run.feed(event("cancelled", unit("u1"), rma="101", hours=10))
    run.feed(*asked(unit("u2"), rma="102", hours=11), inspected(unit("u2"), rma="102", hours=12))
    assert (len(run.intents), "over_quantity" in run.open) == (1, True)


@pytest.mark.req("EXC-1")
def test_an_exception_about_a_command_names_the_system_that_it_went_to() -> None:
    run = Run(rules(books="linnworks"))
    run.feed(order(), *asked(unit()), inspected(unit()))
    run.restock()
    run.feed(applied(run.payments[0]))
    (booking,) = run.commands(Journal)
    note = next(mark for mark in run.commands(Annotate) if mark.aspect == "note")
    run.feed(result(booking.command_id, "journal", "rejected", code="unbookable"))
    assert run.raised("rejected_by_system").system == "linnworks"
    run.feed(result(note.command_id, "annotate", "rejected", code="no_such_order"))
    assert run.raised("rejected_by_system").system == "shopify"


@pytest.mark.req("EXC-1", "EXC-3")
def test_a_command_without_an_answer_is_named_where_it_is_missed() -> None:
    run = Run(rules(books="linnworks"))
    run.feed(order(), *asked(unit()), inspected(unit()), deadline(100))
    stuck = run.raised("stuck_restock")
    assert (stuck.command_id, stuck.location) == (run.intents[0].intent_id, MAIN)
    assert run.raised("stuck_refund").command_id == run.payments[0].command_id
    run.restock(hours=101)
    run.feed(applied(run.payments[0], hours=102), deadline(200))
    stuck = run.raised("stuck_booking")
    assert (stuck.command_id, stuck.system) == (run.commands(Journal)[0].command_id, "linnworks")
