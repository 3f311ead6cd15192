"""Refunds and restocks that someone else made: seen, raised where they should not be, and never done again by us."""

from typing import Any

import msgspec
import pytest

from schemas.commands import Annotate, Refund
from schemas.money import Money
from tests.unit.domain.factories import (
    Run,
    asked,
    at,
    covers,
    event,
    inspected,
    line,
    order,
    paid,
    put_back,
    recorded,
    refunded,
    result,
    rules,
    transaction,
    unit,
    verdict,
)


@pytest.mark.req("MON-10")
def test_a_refund_by_staff_is_raised_and_its_line_is_never_paid_again() -> None:
    run = Run()
    run.feed(order(), *asked(unit()), refunded("R9", 1000, covers(), hours=4))
    assert run.open == ["refund_before_goods", "refund_outside_workflow"]
    run.feed(inspected(unit()))
    run.restock()
    assert (paid(run), len(run.intents)) == ([], 1)
    assert (run.stages(), run.open) == ({"u1": "closed"}, ["refund_outside_workflow"])
    assert run.raised("refund_outside_workflow").owner == "finance"


@pytest.mark.req("MON-10")
def test_the_same_refund_in_the_orders_own_list_counts_once() -> None:
    run = Run()
    run.feed(order(line(quantity=2)), *asked(unit("u1"), unit("u2")), refunded("R9", 1000, covers(), hours=4))
    run.feed(order(line(quantity=2), hours=5, refunds=(recorded("R9", 1000, covers(), hours=4),)))
    run.feed(inspected(unit("u1")), inspected(unit("u2")))
    assert paid(run) == [1000]


@pytest.mark.req("MON-10", "MON-11")
def test_a_refund_made_before_the_return_was_asked_for_leaves_fewer_units_to_return() -> None:
    run = Run()
    run.feed(order(line(quantity=2)), refunded("R1", 1000, covers(), hours=-50))
    run.feed(*asked(unit("u1")), inspected(unit("u1")))
    assert (paid(run), run.open) == ([1000], [])
    again = Run()
    again.feed(order(line(quantity=1)), refunded("R1", 1000, covers(), hours=-50), *asked(unit()), inspected(unit()))
    assert (paid(again), again.open) == ([], ["over_quantity"])


@pytest.mark.req("MON-11")
def test_a_refund_of_an_amount_without_lines_lowers_what_can_be_paid() -> None:
    run = Run()
    run.feed(order(), *asked(unit()), refunded("R9", 300, hours=4), inspected(unit()))
    assert paid(run) == []
    assert run.open == ["amount_mismatch", "refund_outside_workflow"]
    assert run.raised("amount_mismatch").actual == "7.00 EUR"


@pytest.mark.req("MON-10", "MON-11")
def test_after_a_refund_of_an_amount_without_lines_nothing_is_paid_without_a_person() -> None:
    """It may have been for these very goods: two lines, one comes back, and somebody paid its price by hand."""
    run = Run()
    two = order(line("L1"), line("L2", "CAP"))
    run.feed(two, *asked(unit()), refunded("R9", 1000, hours=4), inspected(unit()))
    run.restock()
    assert (paid(run), run.open) == ([], ["amount_mismatch", "refund_outside_workflow"])
    assert "R9" in run.raised("amount_mismatch").detail
    run.feed(refunded("R10", 5, covers(), hours=8))  # the rest by hand, this time with its line
    assert (run.stages(), run.open) == ({"u1": "closed"}, ["refund_outside_workflow", "refund_outside_workflow"])
    earlier = Run()
    earlier.feed(two, refunded("R9", 300, hours=-50), *asked(unit()), inspected(unit()))
    assert (paid(earlier), earlier.open) == ([1000], [])  # a gesture from before the return was for something else


@pytest.mark.req("MON-10")
def test_a_refund_by_returngo_is_no_outsider_and_pays_its_units() -> None:
    run = Run()
    run.feed(order(), *asked(unit()), inspected(unit(), "missing"))
    run.feed(transaction(1000, "success", external_id="R7"), refunded("R7", 1000, covers(), hours=6))
    assert (paid(run), run.open) == ([], ["item_missing", "refund_before_goods"])


def test_what_returngo_reports_as_paid_is_paid_even_before_the_shop_shows_it() -> None:
    run = Run()
    run.feed(order(), *asked(unit()), transaction(1000, "success", units=("u1",), external_id="R7"), inspected(unit()))
    run.restock()
    assert (paid(run), run.stages()) == ([], {"u1": "closed"})


def test_our_own_refund_reported_back_by_returngo_stays_ours() -> None:
    run = Run()
    run.feed(order(line(quantity=2)), *asked(unit("u1"), unit("u2")), transaction(1000))
    run.feed(inspected(unit("u1")), inspected(unit("u2"), "missing"))
    (refund,) = run.commands(Refund)
    run.feed(result(refund.command_id, "refund", external_ids={"refund_id": "R1"}))
    run.feed(transaction(1000, "success", external_id="R1", hours=9))
    assert run.stages() == {"u1": "refunded", "u2": "missing"}
    assert run.open == ["item_missing"]


@pytest.mark.req("MON-11", "STA-3")
def test_our_own_refund_is_recognised_by_its_mark() -> None:
    run = Run()
    run.feed(order(), *asked(unit()), inspected(unit()))
    (refund,) = run.commands(Refund)
    run.feed(refunded("R1", 1000, covers(), hours=6, command_id=refund.command_id, rma_id="100", actor="returnflow"))
    run.restock()
    assert (run.stages(), run.open) == ({"u1": "closed"}, [])
    run.feed(result(refund.command_id, "refund", external_ids={"refund_id": "R1"}))
    assert (paid(run), run.stages(), run.open) == ([1000], {"u1": "closed"}, [])


@pytest.mark.req("MON-11", "EXC-1")
def test_our_own_refund_whose_money_did_not_move_is_raised_and_not_taken_for_paid() -> None:
    run = Run()
    run.feed(order(), *asked(unit()), inspected(unit()))
    run.restock()
    (refund,) = run.commands(Refund)
    seen = refunded("R1", 1000, covers(), hours=6, command_id=refund.command_id, rma_id="100", actor="returnflow")
    tenders = tuple(msgspec.structs.replace(each, status="failed") for each in seen.tenders)
    run.feed(msgspec.structs.replace(seen, tenders=tenders))
    run.feed(result(refund.command_id, "refund", "rejected", code="rejected_by_system", detail="R1 FAILURE"))
    assert (run.stages(), run.open) == ({"u1": "restocked"}, ["rejected_by_system"])
    assert run.commands(Refund) == [refund]  # a person decides what to do about it


@pytest.mark.req("MON-11")
def test_our_own_refund_seen_before_the_facts_that_decide_it_is_not_taken_for_another() -> None:
    first = Run()
    first.feed(order(), *asked(unit()), inspected(unit()))
    (refund,) = first.commands(Refund)
    late = Run()
    late.feed(refunded("R1", 1000, covers(), hours=6, command_id=refund.command_id, rma_id="100", actor="returnflow"))
    late.feed(order(), *asked(unit()), inspected(unit()))
    assert late.open == []
    late.restock()
    assert late.stages() == {"u1": "closed"}
    assert {r.command_id for r in late.commands(Refund)} <= {refund.command_id}


def test_our_own_refund_is_recognised_by_the_id_in_its_result() -> None:
    run = Run()
    run.feed(order(), *asked(unit()), inspected(unit()))
    run.feed(result(run.commands(Refund)[0].command_id, "refund", external_ids={"refund_id": "R1"}))
    run.feed(refunded("R1", 1000, covers(), hours=9))
    assert run.open == []


def test_a_refund_by_hand_after_a_refusal_clears_the_refusal() -> None:
    run = Run()
    run.feed(order(), *asked(unit()), inspected(unit()))
    run.feed(result(run.commands(Refund)[0].command_id, "refund", "rejected", code="amount_mismatch"))
    assert run.open == ["amount_mismatch"]
    run.feed(refunded("R9", 1000, covers(), hours=20))
    assert run.open == ["refund_outside_workflow"]


def test_refunds_of_orders_without_a_return_are_nobodys_business() -> None:
    run = Run()
    run.feed(order(), refunded("R9", 1000, covers()))
    assert run.open == []


@pytest.mark.req("INV-13")
def test_goods_that_staff_put_back_with_their_refund_are_counted_once() -> None:
    run = Run()
    run.feed(order(), *asked(unit()), refunded("R9", 1000, covers(restocked=True), hours=4), inspected(unit()))
    assert (run.intents, paid(run)) == ([], [])
    assert run.open == ["refund_outside_workflow", "restock_outside_workflow"]
    assert run.stages() == {"u1": "closed"}


@pytest.mark.req("INV-13")
def test_goods_put_back_on_the_native_return_are_counted_once() -> None:
    run = Run()
    run.feed(order(), *asked(unit()), put_back("D9", covers(), hours=4), inspected(unit()))
    assert (run.intents, run.open, paid(run)) == ([], ["restock_outside_workflow"], [1000])


@pytest.mark.req("INV-13")
def test_our_own_disposal_seen_before_its_result_is_not_taken_for_another() -> None:
    run = Run()
    run.feed(order(line(quantity=2)), *asked(unit("u1"), unit("u2")), inspected(unit("u1")))
    (first,) = run.intents
    run.feed(verdict(first), put_back("D1", covers(), hours=6))
    assert run.open == []
    run.feed(result(first.intent_id, "restock", external_ids={"disposition_ids": "D1"}))
    run.feed(inspected(unit("u2"), hours=8))
    assert (len(run.intents), run.open) == (2, [])


def test_one_unit_of_a_line_put_back_by_staff_leaves_the_other_to_us() -> None:
    run = Run()
    run.feed(order(line(quantity=2)), *asked(unit("u1"), unit("u2")), put_back("D9", covers(), hours=4))
    run.feed(inspected(unit("u1")), inspected(unit("u2")))
    assert len(run.intents) == 1


@pytest.mark.parametrize("actor", ["returngo", "pos"])
def test_refunds_by_others_are_expected_where_others_pay(actor: str) -> None:
    run = Run(rules(refunding={"actor": actor}))
    run.feed(order(), *asked(unit()), inspected(unit()), refunded("R9", 1000, covers()))
    assert run.open == []


@pytest.mark.req("STA-3")
def test_returngo_learns_how_the_refund_it_asked_for_ended() -> None:
    for outcome, status in (("applied", "success"), ("rejected", "failed")):
        run = Run()
        run.feed(order(), *asked(unit()), transaction(1000), inspected(unit()))
        run.feed(result(run.commands(Refund)[0].command_id, "refund", outcome, external_ids={"refund_id": "R1"}))  # type: ignore[arg-type]
        (told,) = [m.transaction for m in run.commands(Annotate) if m.aspect == "transaction"]
        assert told is not None
        assert (told.transaction_id, told.status, told.external_id) == ("T1", status, "R1")


def test_a_return_that_is_done_in_returngo_but_not_paid_is_a_conflict_in_time() -> None:
    from tests.unit.domain.factories import deadline

    run = Run()
    run.feed(order(), *asked(unit()), event("resolved", unit(), hours=3), deadline(6.9))
    assert run.open == []
    run.feed(deadline(7))
    assert run.open == ["status_conflict"]
    run.feed(inspected(unit(), hours=8))
    assert len(run.commands(Refund)) == 1


@pytest.mark.req("MON-11")
def test_a_refund_of_less_than_nothing_makes_nothing_more_refundable() -> None:
    run = Run()
    run.feed(order(paid=500), *asked(unit()), refunded("R9", -5000, hours=4), inspected(unit()))
    assert paid(run) == []


@pytest.mark.req("EXC-1")
def test_a_mark_that_a_system_refuses_is_raised() -> None:
    run = Run()
    run.feed(order(), *asked(unit()))
    (note,) = run.commands(Annotate)
    run.feed(result(note.command_id, "annotate", "rejected", code="rejected_by_system", detail="the note is too long"))
    assert run.raised("rejected_by_system").detail == "the note is too long"


@pytest.mark.req("MON-10")
def test_an_edit_of_the_return_does_not_make_a_refund_by_staff_an_older_one() -> None:
    run = Run()
    run.feed(order(line(quantity=2)), *asked(unit()), refunded("R9", 1000, covers(), hours=4))
    run.feed(event("requested", unit(reason="Too small"), hours=6), inspected(unit(), hours=7))
    assert paid(run) == []


@pytest.mark.req("MON-3")
def test_returngo_is_not_told_success_of_a_request_for_another_amount() -> None:
    run = Run()
    run.feed(order(), *asked(unit()), inspected(unit()), transaction(1200))
    run.feed(result(run.commands(Refund)[0].command_id, "refund", external_ids={"refund_id": "R1"}))
    assert [m for m in run.commands(Annotate) if m.aspect == "transaction"] == []


@pytest.mark.req("MON-10")
@pytest.mark.parametrize(("actor", "sent"), [("returngo", [1000]), ("staff", [])])
def test_only_people_may_have_paid_for_these_units_without_naming_lines(actor: str, sent: list[int]) -> None:
    run = Run()
    run.feed(order(line("L1"), line("L2", "CAP")), *asked(unit()), refunded("R9", 300, hours=4, actor=actor))
    run.feed(inspected(unit()))
    assert paid(run) == sent


@pytest.mark.req("INV-13", "EXC-4")
def test_goods_that_could_not_be_restocked_and_were_put_back_by_hand_are_in_stock() -> None:
    run = Run(rules(refunding={"after": "restocked"}))
    run.feed(order(), *asked(unit()), inspected(unit()))
    (intent,) = run.intents
    run.feed(verdict(intent, "impossible", reason="unknown_sku"))
    assert run.open == ["unknown_sku"]
    assert run.waits() == {"u1": "restocked"}
    run.feed(put_back("D1", covers(), hours=30))
    assert run.open == ["restock_outside_workflow"]
    assert paid(run) == [1000]


@pytest.mark.req("MON-10", "MON-11")
@pytest.mark.parametrize("bought", [1, 2])
def test_a_refund_by_returngo_for_units_that_we_have_paid_is_for_a_person(bought: int) -> None:
    run = Run()
    run.feed(order(line(quantity=bought), line("L2", "CAP")), *asked(unit()), inspected(unit()))
    run.feed(refunded("R9", 1000, covers(), actor="returngo"))
    assert run.open == []  # ours is still on its way: the shop may refuse it
    run.feed(result(run.commands(Refund)[0].command_id, "refund", external_ids={"refund_id": "R1"}))
    assert run.open == ["refund_outside_workflow"]


@pytest.mark.req("MON-10", "MON-11")
@pytest.mark.parametrize(("units", "name", "raised"), [
    (("u1",), "R9", ["refund_outside_workflow"]), ((), "R9", ["refund_outside_workflow"]), ((), "R1", []),
])  # fmt: skip
def test_returngo_says_that_it_has_paid_units_that_we_have_paid(
    units: tuple[str, ...], name: str, raised: list[str]
) -> None:
    run = Run()
    run.feed(order(line(), line("L2", "CAP")), *asked(unit()), inspected(unit()))
    run.feed(transaction(1000, "success", units, name))
    run.feed(result(run.commands(Refund)[0].command_id, "refund", external_ids={"refund_id": "R1"}))
    assert run.open == raised
    if raised:
        said = run.raised("refund_outside_workflow")
        assert (said.unit_ids, said.detail) == (
            ("u1",), "ReturnGO says it paid 10.00 EUR for units that were paid already: R9"
        )  # fmt: skip
    run.feed(refunded(name, 1000, covers(), hours=9, actor="returngo"))
    assert run.open == raised


@pytest.mark.req("MON-10", "MON-11")
@pytest.mark.parametrize(("answer", "second"), [(None, "R2"), ("R1", "R2"), ("R2", "R1")])
def test_a_second_refund_under_the_mark_of_one_command_is_money_that_nobody_decided(
    answer: str | None, second: str
) -> None:
    run = Run()
    run.feed(order(line(), line("L2", "CAP")), *asked(unit()), inspected(unit()))
    (refund,) = run.commands(Refund)
    for name, hours in (("R1", 7), ("R2", 8)):
        run.feed(refunded(name, 1000, covers(), hours=hours, command_id=refund.command_id, actor="returnflow"))
    if answer is not None:
        run.feed(result(refund.command_id, "refund", external_ids={"refund_id": answer}))
    assert run.open == ["refund_outside_workflow"]
    assert run.raised("refund_outside_workflow").detail.endswith(second)
    assert paid(run) == [1000]


@pytest.mark.req("MON-11", "EXC-1")
@pytest.mark.parametrize("amount", [None, Money(minor=1000, currency="EUR")])
def test_our_own_refund_that_was_answered_and_then_failed_is_raised(amount: Money | None) -> None:
    run = Run()
    run.feed(order(), *asked(unit()), inspected(unit()))
    (refund,) = run.commands(Refund)
    seen = refunded("R1", 1000, covers(), hours=6, command_id=refund.command_id, actor="returnflow")
    pending, failed = (
        tuple(msgspec.structs.replace(each, status=status) for each in seen.tenders) for status in ("pending", "failed")
    )
    run.feed(msgspec.structs.replace(seen, tenders=pending), result(refund.command_id, "refund", amount=amount))
    assert run.open == []
    run.feed(msgspec.structs.replace(seen, fact_id="later", occurred_at_ms=at(20), tenders=failed))
    assert (run.open, run.commands(Refund)) == (["amount_mismatch"], [refund])
    assert run.raised("amount_mismatch").actual == "0.00 EUR"


@pytest.mark.req("MON-10", "EXC-1")
@pytest.mark.parametrize(("resolution", "fees", "raised"), [
    ("refund", 0, ["amount_mismatch"]), ("refund", 1000, []), ("exchange", 0, []),
])  # fmt: skip
def test_a_refund_by_others_that_failed_does_not_look_like_one_that_was_paid(
    resolution: Any, fees: int, raised: list[str]
) -> None:
    run = Run(rules(refunding={"actor": "payment"}))
    one = unit(resolution=resolution, fees=Money(minor=fees, currency="EUR"))
    seen = refunded("R9", 1000, covers(), hours=4)
    tenders = tuple(msgspec.structs.replace(each, status="failed") for each in seen.tenders)
    run.feed(order(), *asked(one), msgspec.structs.replace(seen, tenders=tenders), inspected(one))
    assert run.open == raised
    run.feed(refunded("R9", 1000, covers(), hours=9))
    assert run.open == []
