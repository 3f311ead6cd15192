"""Restocks through the shop's own return: claimed first, looked for on a repeated attempt, disposed of once."""

import json
from typing import Any

import httpx
import msgspec
import pytest

from schemas.commands import Restock
from sinks.contract import EFFECT, Attempt, NotSent, Unanswered
from sinks.outcomes import AlreadyApplied, Applied, Deferred, Outcome, Rejected, Uncertain
from sinks.systems import shopify
from sinks.systems.shopify import marks, native
from tests.unit.systems import shop_answers as shop
from tests.unit.systems.givens import COMMAND_ID, FIRST, MERCHANT, NOW_MS, RESTOCK, SHOP, again
from tests.unit.systems.peer import Answer, Talk, drive

OPEN: dict[str, Any] = {"return_status": "IN_PROGRESS"}
LINE = shop.returned_line()
DONE = shop.returned_line(dispositions=[shop.disposition(51)])


def talk(answers: list[Answer], command: Restock = RESTOCK, attempt: Attempt = FIRST) -> tuple[Outcome, Talk]:
    return drive(shopify.SYSTEM.flow(command, SHOP, MERCHANT, attempt), answers)


def claim(state: Any = "claimed", at_ms: int = NOW_MS - 60_000, **changes: Any) -> dict[str, str]:
    value = marks.Claim(cmd=COMMAND_ID, line="9001", state=state, at_ms=at_ms, **changes)
    return {"value": marks.encode(value), "compareDigest": "digest-1"}


def written(said: Talk) -> marks.Claim:
    found = marks.decode(said.variables("Claim")["metafields"][0]["value"])
    assert found is not None
    return found


@pytest.mark.req("INV-13", "STA-3")
def test_units_of_a_native_return_are_claimed_then_disposed_then_marked_then_the_return_closed() -> None:
    answers = [shop.restock_look(**OPEN), shop.returns(shop.native_return(LINE)), shop.claimed(), shop.disposed(DONE)]
    outcome, said = talk([*answers, shop.claimed("digest-2"), shop.closed()])
    assert outcome == Applied(external_ids={"disposition_ids": "51"}, quantity=1)
    assert said.names() == ["RestockLook", "OrderReturns", "Claim", "Dispose", "Claim", "CloseReturn"]
    assert said.variables("Dispose")["dispositions"] == [
        {
            "reverseFulfillmentOrderLineItemId": "gid://shopify/ReverseFulfillmentOrderLineItem/31",
            "quantity": 1,
            "dispositionType": "RESTOCKED",
            "locationId": "gid://shopify/Location/71",
        }
    ]
    first = json.loads(said.requests[2].content)["variables"]["metafields"][0]
    assert first["key"] == "c_" + COMMAND_ID.replace("-", "")
    assert first["namespace"] == "returnflow"
    assert first["compareDigest"] is None
    assert "compareDigest" in first
    assert written(said).state == "applied"
    assert written(said).dispositions == ("gid://shopify/ReverseFulfillmentOrderDisposition/51",)
    assert [EFFECT in r.extensions for r in said.requests] == [False, False, False, True, False, False]


def test_a_return_with_units_left_stays_open() -> None:
    other = shop.returned_line(32, sold=9002)
    answers = [shop.restock_look(**OPEN), shop.returns(shop.native_return(LINE, other)), shop.claimed()]
    outcome, said = talk([*answers, shop.disposed(DONE), shop.claimed()])
    assert isinstance(outcome, Applied)
    assert "CloseReturn" not in said.names()


@pytest.mark.parametrize("fault", [Unanswered(), NotSent("no quota"), shop.throttled()])
def test_a_return_that_does_not_close_changes_nothing(fault: Answer) -> None:
    answers: list[Answer] = [shop.restock_look(**OPEN), shop.returns(shop.native_return(LINE)), shop.claimed()]
    outcome, _ = talk([*answers, shop.disposed(DONE), shop.claimed(), fault])
    assert isinstance(outcome, Applied)


@pytest.mark.req("INV-13")
def test_a_command_that_another_worker_claimed_waits_for_a_look() -> None:
    stale = shop.refused("metafieldsSet", "changed since", "STALE_OBJECT", metafields=None)
    outcome, said = talk([shop.restock_look(**OPEN), shop.returns(shop.native_return(LINE)), stale])
    assert outcome == Uncertain(reason="claimed_elsewhere")
    assert "Dispose" not in said.names()


@pytest.mark.req("INV-13")
def test_a_disposal_that_was_applied_without_an_answer_is_found_and_not_repeated() -> None:
    look = shop.restock_look(claim=claim(), **OPEN)
    outcome, said = talk([look, shop.returns(shop.native_return(DONE)), shop.claimed()], attempt=again())
    assert isinstance(outcome, AlreadyApplied)
    assert outcome.external_ids == {"disposition_ids": "51"}
    assert said.names() == ["RestockLook", "OrderReturns", "Claim"]
    assert written(said).state == "applied"


@pytest.mark.req("INV-13")
def test_a_claim_that_says_applied_needs_no_further_look() -> None:
    done = claim("applied", dispositions=("gid://shopify/ReverseFulfillmentOrderDisposition/51",))
    outcome, said = talk([shop.restock_look(claim=done, **OPEN)], attempt=again())
    assert isinstance(outcome, AlreadyApplied)
    assert outcome.external_ids == {"disposition_ids": "51"}
    assert said.names() == ["RestockLook"]


@pytest.mark.req("INV-14")
def test_a_disposal_that_was_lost_is_sent_after_it_can_no_longer_be_running() -> None:
    fresh = shop.restock_look(claim=claim(at_ms=NOW_MS - 10_000), **OPEN)
    outcome, _ = talk([fresh, shop.returns(shop.native_return(LINE))], attempt=again(10))
    assert outcome == Deferred(reason="disposal_may_be_running", after_seconds=20.0)

    old = shop.restock_look(claim=claim(at_ms=NOW_MS - 30_000), **OPEN)
    answers = [old, shop.returns(shop.native_return(LINE)), shop.claimed("digest-2"), shop.disposed(DONE)]
    outcome, said = talk([*answers, shop.claimed(), shop.closed()], attempt=again(30))
    assert isinstance(outcome, Applied)
    renewed = json.loads(said.requests[2].content)["variables"]["metafields"][0]
    assert renewed["compareDigest"] == "digest-1"


@pytest.mark.parametrize("fault", [NotSent("no quota", 2.0), shop.throttled()])
def test_a_disposal_that_is_known_not_to_have_run_need_not_be_waited_for(fault: Answer) -> None:
    first: list[Answer] = [shop.restock_look(**OPEN), shop.returns(shop.native_return(LINE)), shop.claimed(), fault]
    outcome, _ = talk(first)
    assert isinstance(outcome, Deferred)
    told = msgspec.structs.replace(again(1), notes=outcome.notes)
    fresh = shop.restock_look(claim=claim(at_ms=NOW_MS), **OPEN)
    answers = [fresh, shop.returns(shop.native_return(LINE)), shop.claimed("digest-2"), shop.disposed(DONE)]
    outcome, _ = talk([*answers, shop.claimed(), shop.closed()], attempt=told)
    assert isinstance(outcome, Applied)
    other = shop.restock_look(claim=claim(at_ms=NOW_MS - 5), **OPEN)
    outcome, _ = talk([other, shop.returns(shop.native_return(LINE))], attempt=told)
    assert isinstance(outcome, Deferred)


def test_a_claim_whose_disposal_never_went_out_need_not_wait() -> None:
    fresh = shop.restock_look(claim=claim(at_ms=NOW_MS - 1000), **OPEN)
    answers = [fresh, shop.returns(shop.native_return(LINE)), shop.claimed("digest-2"), shop.disposed(DONE)]
    outcome, _ = talk([*answers, shop.claimed(), shop.closed()])
    assert isinstance(outcome, Applied)


@pytest.mark.req("INV-13")
def test_dispositions_from_before_the_claim_or_of_others_are_not_taken_for_ours() -> None:
    before = shop.disposition(50)
    elsewhere = shop.disposition(52, location=72)
    line = shop.returned_line(total=3, dispositions=[before, elsewhere])
    known = claim(before=(before["id"],))
    done = {**line, "dispositions": [before, elsewhere, shop.disposition(53)]}
    look = shop.restock_look(claim=known, **OPEN)
    answers = [look, shop.returns(shop.native_return(line)), shop.claimed(), shop.disposed(done), shop.claimed()]
    outcome, _ = talk([*answers, shop.closed()], attempt=again())
    assert outcome == Applied(external_ids={"disposition_ids": "53"}, quantity=1)


@pytest.mark.req("INV-13")
def test_a_mark_that_could_not_be_written_leaves_the_command_to_the_next_look() -> None:
    answers: list[Answer] = [shop.restock_look(**OPEN), shop.returns(shop.native_return(LINE)), shop.claimed()]
    for fault in (shop.throttled(), Unanswered(), NotSent("no quota"), httpx.Response(503)):
        outcome, _ = talk([*answers, shop.disposed(DONE), fault])
        assert outcome == Uncertain(reason="disposed_but_not_marked")


@pytest.mark.parametrize("fault", [Unanswered(), httpx.Response(502), httpx.Response(200, content=b"<html>")])
def test_a_claim_without_an_answer_did_nothing_so_the_path_stays_open(fault: Answer) -> None:
    outcome, _ = talk([shop.restock_look(**OPEN), shop.returns(shop.native_return(LINE)), fault])
    assert isinstance(outcome, Deferred)


def test_a_refused_disposal_releases_its_claim() -> None:
    refused = shop.refused("reverseFulfillmentOrderDispose", "Return status is invalid.", "INVALID_STATE")
    answers = [shop.restock_look(**OPEN), shop.returns(shop.native_return(LINE)), shop.claimed(), refused]
    outcome, said = talk([*answers, shop.claimed()])
    assert isinstance(outcome, Rejected)
    assert outcome.code == "status_conflict"
    assert written(said).state == "refused"


@pytest.mark.req("INV-13", "MON-10")
def test_units_that_staff_put_back_are_not_put_back_again() -> None:
    look = shop.restock_look(return_status="RETURNED")
    outcome, said = talk([look, shop.returns(shop.native_return(DONE, status="CLOSED"))])
    assert isinstance(outcome, Rejected)
    assert outcome.code == "restock_outside_workflow"
    assert said.names() == ["RestockLook", "OrderReturns"]


@pytest.mark.req("INV-13")
def test_units_that_staff_put_back_while_we_were_waiting_are_not_put_back_again() -> None:
    line = shop.returned_line(dispositions=[shop.disposition(52, location=72)])
    look = shop.restock_look(claim=claim(), **OPEN)
    outcome, _ = talk([look, shop.returns(shop.native_return(line))], attempt=again())
    assert isinstance(outcome, Rejected)
    assert outcome.code == "restock_outside_workflow"


@pytest.mark.parametrize("kind", ["NOT_RESTOCKED", "PROCESSING_REQUIRED", "MISSING"])
def test_units_disposed_of_without_stock_are_adjusted(kind: str) -> None:
    line = shop.returned_line(dispositions=[shop.disposition(50, kind)])
    outcome, said = talk([shop.restock_look(**OPEN), shop.returns(shop.native_return(line)), shop.adjusted()])
    assert isinstance(outcome, Applied)
    assert said.names() == ["RestockLook", "OrderReturns", "Adjust"]


def test_units_that_our_own_other_command_put_back_do_not_count_as_somebody_elses() -> None:
    other = "22222222-7a52-5b0e-8c11-4f2a9d3b7e60"
    theirs = marks.Claim(cmd=other, line="9001", state="applied", at_ms=1, dispositions=(shop.disposition(51)["id"],))
    metafields = [{"key": marks.claim_key(other), "value": marks.encode(theirs)}]
    returns = shop.returns(shop.native_return(DONE), metafields=metafields)
    outcome, said = talk([shop.restock_look(**OPEN), returns, shop.adjusted()])
    assert isinstance(outcome, Applied)
    assert said.names()[-1] == "Adjust"


@pytest.mark.parametrize(
    "found",
    [
        shop.native_return(shop.returned_line(sold=9002)),
        shop.native_return(shop.returned_line(sold=None)),
        shop.native_return(LINE, status="CLOSED"),
        shop.native_return(LINE, status="CANCELED"),
    ],
)
def test_a_return_that_does_not_wait_for_the_line_is_not_used(found: dict[str, Any]) -> None:
    outcome, said = talk([shop.restock_look(**OPEN), shop.returns(found), shop.adjusted()])
    assert isinstance(outcome, Applied)
    assert said.names()[-1] == "Adjust"


@pytest.mark.req("INV-13")
def test_the_path_of_the_first_attempt_is_kept_when_a_return_appears_later() -> None:
    look = [shop.restock_look(**OPEN), shop.returns(shop.native_return(LINE))]
    answers = [*look, shop.claimed(), shop.adjusted()]
    kept = {**LINE, "dispositions": [shop.disposition(51, "NOT_RESTOCKED", location=None)]}
    outcome, said = talk([*answers, shop.claimed(), shop.disposed(kept), shop.closed()], attempt=again())
    assert isinstance(outcome, Applied)
    assert said.variables("Dispose")["dispositions"][0]["dispositionType"] == "NOT_RESTOCKED"


@pytest.mark.req("INV-13")
def test_a_command_that_was_kept_to_adjusting_is_never_disposed_of() -> None:
    """Also when nothing of it is known to be sent and a return waits for the units."""
    kept = {**LINE, "dispositions": [shop.disposition(51, "NOT_RESTOCKED", location=None)]}
    answers = [shop.restock_look(claim=claim("adjusts"), **OPEN), shop.returns(shop.native_return(LINE))]
    outcome, said = talk([*answers, shop.adjusted(), shop.claimed(), shop.disposed(kept), shop.closed()])
    assert isinstance(outcome, Applied)
    assert said.names().index("Adjust") < said.names().index("Dispose")
    assert said.variables("Dispose")["dispositions"][0]["dispositionType"] == "NOT_RESTOCKED"


@pytest.mark.req("INV-13")
@pytest.mark.parametrize("fault", [Unanswered(), NotSent("no quota"), shop.throttled(), httpx.Response(502)])
def test_the_next_attempt_is_told_of_a_claim_without_an_answer(fault: Answer) -> None:
    outcome, _ = talk([shop.restock_look(**OPEN), shop.returns(shop.native_return(LINE)), fault])
    assert isinstance(outcome, Deferred)
    assert outcome.notes == {native.CLAIM_SENT: "yes"}


def test_units_spread_over_two_returns_take_one_call_each() -> None:
    second = shop.returned_line(33)
    answers = [
        shop.restock_look(**OPEN),
        shop.returns(shop.native_return(LINE), shop.native_return(second, number=12)),
        shop.claimed(),
        shop.disposed(DONE),
        shop.disposed({**second, "dispositions": [shop.disposition(54)]}),
        shop.claimed(),
        shop.closed(),
        shop.closed(),
    ]
    outcome, said = talk(list(answers), msgspec.structs.replace(RESTOCK, quantity=2))
    assert outcome == Applied(external_ids={"disposition_ids": "51,54"}, quantity=2)
    assert said.names().count("Dispose") == 2


def test_returns_are_read_to_the_last_page() -> None:
    first = shop.returns(shop.native_return(shop.returned_line(32, sold=9002), number=12), next_page="cursor-1")
    answers = [shop.restock_look(**OPEN), first, shop.returns(shop.native_return(LINE)), shop.claimed()]
    outcome, said = talk([*answers, shop.disposed(DONE), shop.claimed(), shop.closed()])
    assert isinstance(outcome, Applied)
    assert said.variables("OrderReturns")["after"] == "cursor-1"


def test_a_return_too_large_to_read_is_for_a_person() -> None:
    big = shop.native_return(shop.returned_line(sold=9002), more=True)
    gone = shop.answer({"reverseFulfillmentOrder": None})
    outcome, _ = talk([shop.restock_look(**OPEN), shop.returns(big), gone])
    assert isinstance(outcome, Rejected)
    assert outcome.code == "rejected_by_system"


def test_a_return_of_many_lines_is_read_to_the_end() -> None:
    big = shop.native_return(shop.returned_line(sold=9002), more=True)
    page = {"hasNextPage": False, "endCursor": "l2"}
    lines = shop.answer({"reverseFulfillmentOrder": {"lineItems": {"pageInfo": page, "nodes": [LINE]}}})
    answers = [shop.restock_look(**OPEN), shop.returns(big), lines, shop.claimed(), shop.disposed(DONE)]
    outcome, said = talk([*answers, shop.claimed(), shop.closed()])
    assert isinstance(outcome, Applied)
    assert said.variables("ReverseOrderLines") == {"id": "gid://shopify/ReverseFulfillmentOrder/110", "after": None}


def test_a_metafield_that_is_not_a_claim_is_left_alone() -> None:
    outcome, said = talk([shop.restock_look(claim={"value": "[]", "compareDigest": "d"}, **OPEN)], attempt=again())
    assert isinstance(outcome, Rejected)
    assert said.names() == ["RestockLook"]


def test_marks_lead_from_a_disposition_to_its_command() -> None:
    order = {
        "metafields": {"nodes": [{"key": "c_1", "value": claim(before=("x",))["value"]}, {"key": "y", "value": "no"}]},
        "returns": {"nodes": [shop.native_return(DONE)]},
    }
    assert marks.disposition_commands(order) == {"gid://shopify/ReverseFulfillmentOrderDisposition/51": COMMAND_ID}
    released = {**order, "metafields": {"nodes": [{"key": "c_1", "value": claim("refused")["value"]}]}}
    assert marks.disposition_commands(released) == {}
