"""When goods go into stock, which stock, and where."""

import itertools

import pytest

from schemas.commands import Refund
from schemas.facts import ReturnEvent
from streams.domain.learn import Fact
from tests.unit.domain.factories import (
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
    refunded,
    result,
    rules,
    unit,
    verdict,
)


@pytest.mark.req("INV-1")
@pytest.mark.parametrize("kind", ["requested", "approved", "in_transit", "received", "resolved", "reopened"])
def test_no_milestone_but_an_inspection_puts_goods_back(kind: str) -> None:
    run = Run()
    run.feed(order(), *asked(unit()), event(kind, unit(), hours=3))
    assert run.intents == []


@pytest.mark.req("INV-2", "INV-3")
def test_damaged_goods_go_into_the_damaged_state_at_their_own_location() -> None:
    run = Run()
    run.feed(order(), *asked(unit()), inspected(unit(), "damaged"))
    (intent,) = run.intents
    assert (intent.stock_status, intent.location_id) == ("damaged", "12")


@pytest.mark.req("INV-2")
def test_damaged_goods_go_into_no_stock_where_the_merchant_says_so_and_are_still_paid() -> None:
    run = Run(rules(restocking={"damaged_to_stock": False}))
    run.feed(order(), *asked(unit()), inspected(unit(), "damaged"))
    assert run.intents == []
    run.feed(result(run.commands(Refund)[0].command_id, "refund"))
    assert run.stages() == {"u1": "closed"}


@pytest.mark.parametrize("disposition", ["missing", "not_returned"])
def test_goods_that_did_not_come_back_move_nothing_and_are_raised(disposition: str) -> None:
    run = Run()
    run.feed(order(), *asked(unit()), inspected(unit(), disposition))
    assert (run.intents, run.records(Refund)) == ([], [])
    assert run.open == ["item_missing"]
    run.feed(event("resolved", unit(), hours=9))
    assert (run.open, run.stages()) == ([], {"u1": "closed"})


@pytest.mark.req("INV-4")
@pytest.mark.parametrize("location", ["unheard-of", None])
def test_an_unmapped_location_is_raised_and_never_replaced_by_a_default(location: str | None) -> None:
    run = Run()
    run.feed(order(), *asked(unit()), inspected(unit(), location=location))
    assert run.intents == []
    assert run.open == ["unmapped_location"]
    raised = run.raised("unmapped_location")
    assert (raised.owner, raised.location, raised.line_id) == ("store_operations", location or "", "L1")
    assert f"location {location or '(none named)'} for sellable goods" in raised.detail
    assert run.waits() == {"u1": "location_mapped"}


@pytest.mark.req("INV-4", "EXC-4")
def test_mapping_the_location_lets_the_unit_go_and_clears_the_exception() -> None:
    run = Run()
    run.feed(order(), *asked(unit()), inspected(unit(), location="new"))
    places = [*rules().model_dump()["locations"], {"source": "returngo", "code": "new", "location_id": "15"}]
    run.rules = run.rules.model_validate(rules().model_dump() | {"locations": places})
    run.feed(deadline(6))
    assert [i.location_id for i in run.intents] == ["15"]
    assert run.open == []


@pytest.mark.req("INV-5")
def test_an_inactive_location_is_stopped_before_any_call() -> None:
    run = Run()
    run.feed(order(), *asked(unit()), inspected(unit(), location="closed"))
    assert (run.intents, run.open) == ([], ["inactive_location"])


@pytest.mark.req("INV-10")
def test_a_partial_return_moves_only_its_line_and_quantity() -> None:
    run = Run()
    run.feed(order(line("L1", "TEE", 3), line("L2", "CAP", 2)), *asked(unit("u1", "L1"), unit("u2", "L1")))
    run.feed(inspected(unit("u1", "L1")), inspected(unit("u2", "L1"), hours=5.5))
    assert [(i.sku, i.quantity, i.line_id) for i in run.intents] == [("TEE", 1, "L1"), ("TEE", 1, "L1")]
    (refund,) = run.commands(Refund)
    assert [(s.line_id, s.quantity) for s in refund.lines] == [("L1", 2)]


@pytest.mark.req("INV-10")
def test_one_line_with_three_dispositions_is_three_movements() -> None:
    run = Run()
    units = [unit("u1"), unit("u2"), unit("u3")]
    run.feed(order(line(quantity=3)), *asked(*units))
    run.feed(inspected(units[0]), inspected(units[1], "damaged"), inspected(units[2], "missing"))
    assert [(i.unit_ids, i.stock_status) for i in run.intents] == [(("u1",), "available"), (("u2",), "damaged")]
    (refund,) = run.commands(Refund)
    assert refund.unit_ids == ("u1", "u2")
    assert run.raised("item_missing").unit_ids == ("u3",)


@pytest.mark.req("INV-7", "EXC-4")
def test_a_sku_that_the_item_master_does_not_know_is_raised_to_the_data_team_until_it_does() -> None:
    run = Run()
    run.feed(order(), *asked(unit()), inspected(unit()))
    (intent,) = run.intents
    run.feed(verdict(intent, "impossible", reason="unknown_sku", detail="shopify has no SKU TEE"))
    assert run.open == ["unknown_sku"]
    assert run.raised("unknown_sku").owner == "data"
    assert run.stages() == {"u1": "refunding"}
    run.feed(verdict(intent, hours=7), result(intent.intent_id, "restock"))
    assert run.open == []


@pytest.mark.req("INV-6")
def test_an_untracked_item_is_raised_but_holds_no_money_even_when_the_refund_follows_the_restock() -> None:
    run = Run(rules(refunding={"after": "restocked"}))
    run.feed(order(), *asked(unit()), inspected(unit()))
    assert run.records(Refund) == []
    run.feed(verdict(run.intents[0], "impossible", reason="untracked_item"))
    assert len(run.commands(Refund)) == 1
    assert run.open == ["untracked_item"]


@pytest.mark.req("INV-6")
def test_an_archived_order_is_told_and_goes_on() -> None:
    run = Run()
    run.feed(order(archived=True), *asked(unit()), inspected(unit()))
    assert run.open == ["archived_order"]
    assert len(run.commands(Refund)) == 1
    assert run.raised("archived_order").severity == "info"


@pytest.mark.req("INV-9")
def test_an_intent_that_became_several_commands_is_done_when_all_of_them_are() -> None:
    run = Run()
    run.feed(order(), *asked(unit()), inspected(unit()))
    (intent,) = run.intents
    run.feed(verdict(intent, command_ids=("c1", "c2")), result("c1", "restock"))
    assert run.case is not None
    assert intent.intent_id in run.case.open
    run.feed(result("c2", "restock"))
    assert intent.intent_id not in run.case.open


@pytest.mark.req("INV-9")
def test_a_returned_bundle_is_paid_from_its_component_lines() -> None:
    run = Run()
    soap = line("L1", "SOAP", 4, price=500, bundle_sku="SET", bundle_quantity=2)
    dish = line("L2", "DISH", 2, price=300, bundle_sku="SET", bundle_quantity=2)
    run.feed(order(soap, dish), *asked(unit("u1", None, "SET")), inspected(unit("u1", None, "SET")))
    assert [(i.sku, i.quantity) for i in run.intents] == [("SET", 1)]
    (refund,) = run.commands(Refund)
    assert [(s.line_id, s.quantity, s.amount_minor) for s in refund.lines] == [("L1", 2, 1000), ("L2", 1, 300)]


@pytest.mark.req("INV-8")
def test_a_return_whose_sku_is_not_the_lines_is_not_put_back() -> None:
    run = Run()
    run.feed(order(line("L1", "TEE-M")), *asked(unit("u1", "L1", "TEE-L")), inspected(unit("u1", "L1", "TEE-L")))
    assert run.intents == []
    raised = run.raised("contradicting_fact")
    assert (raised.expected, raised.actual) == ("TEE-M", "TEE-L")


@pytest.mark.req("INV-13")
def test_a_regrade_after_the_restock_was_decided_is_raised_and_moves_nothing_twice() -> None:
    run = Run()
    run.feed(order(), *asked(unit()), inspected(unit(), "sellable", hours=5))
    run.feed(inspected(unit(), "damaged", hours=6))
    assert len(run.intents) == 1
    raised = run.raised("contradicting_fact")
    assert (raised.expected, raised.actual) == ("available at 11", "damaged at 12")


@pytest.mark.parametrize("by", ["returngo", "pos"])
def test_goods_are_left_alone_where_someone_else_puts_them_back(by: str) -> None:
    run = Run(rules(restocking={"actor": by}))
    run.feed(order(), *asked(unit()), inspected(unit()))
    assert run.intents == []
    assert len(run.commands(Refund)) == 1


def test_a_gift_card_line_is_no_stock() -> None:
    run = Run()
    run.feed(order(line(gift_card=True)), *asked(unit()), inspected(unit()))
    assert run.intents == []


@pytest.mark.req("EXC-1")
def test_a_rejected_restock_is_raised_by_its_code_and_not_sent_again() -> None:
    run = Run()
    run.feed(order(), *asked(unit()), inspected(unit()))
    (intent,) = run.intents
    rejected = result(intent.intent_id, "restock", "rejected", code="inactive_location", detail="location 11 is closed")
    made = run.feed(verdict(intent), rejected, inspected(unit()), deadline(100))
    assert [o.record for o in made if o.topic == "restock-intents"] == []
    raised = run.raised("inactive_location")
    assert (raised.detail, raised.command_id) == ("location 11 is closed", intent.intent_id)


@pytest.mark.parametrize(("code", "kind"), [("", "rejected_by_system"), ("odd", "rejected_by_system")])
def test_a_refusal_without_a_known_type_is_one_for_the_integration_team(code: str, kind: str) -> None:
    run = Run()
    run.feed(order(), *asked(unit()), inspected(unit()))
    run.feed(result(run.intents[0].intent_id, "restock", "rejected", code=code))
    assert run.open == [kind]


def test_a_resubmitted_restock_that_was_applied_after_all_clears_its_exception() -> None:
    run = Run()
    run.feed(order(), *asked(unit()), inspected(unit()))
    restock = run.intents[0].intent_id
    run.feed(result(restock, "restock", "rejected", code="inactive_location"), result(restock, "restock", hours=20))
    assert run.open == []


@pytest.mark.parametrize("kind", ["cancelled", "rejected", "expired"])
def test_an_ended_return_stops_what_was_not_decided_yet(kind: str) -> None:
    run = Run()
    run.feed(order(), *asked(unit()), event(kind, unit(), hours=4), inspected(unit()))
    assert (run.intents, run.records(Refund)) == ([], [])
    assert run.stages() == {"u1": kind}
    run.feed(event("reopened", unit(), hours=6))
    assert (len(run.intents), len(run.commands(Refund))) == (1, 1)


@pytest.mark.req("STA-4")
def test_a_return_cancelled_after_its_effects_is_a_conflict_for_a_person() -> None:
    run = Run()
    run.feed(order(), *asked(unit()), inspected(unit()))
    run.restock()
    run.feed(event("cancelled", unit(), hours=9))
    assert run.open == ["status_conflict"]
    run.feed(event("reopened", unit(), hours=10))
    assert run.open == []


LATE = "goods were received or inspected after the return was {}: not put into stock or paid for, unless it is reopened"
ENDED = event("cancelled", unit(), hours=4)


@pytest.mark.req("STA-4", "EXC-1", "EXC-4")
@pytest.mark.parametrize("seen", [event("received", unit(), hours=5), event("received", hours=5), inspected(unit())])
@pytest.mark.parametrize("kind", ["cancelled", "expired"])
def test_goods_that_come_back_after_the_end_of_their_return_are_raised_until_it_is_reopened(
    kind: str, seen: ReturnEvent
) -> None:
    for facts in itertools.permutations([*asked(unit()), event(kind, unit(), hours=4), seen]):
        run = Run()
        run.feed(*facts, order())
        assert (run.open, run.payments) == (["status_conflict"], [])
        assert run.raised("status_conflict").detail == LATE.format(kind)
        assert run.raised("status_conflict").unit_ids == ("u1",)
        run.feed(event("reopened", unit(), hours=6))
        assert run.open == []


@pytest.mark.req("EXC-1", "EXC-4")
@pytest.mark.parametrize(
    "facts",
    [
        [inspected(unit(), hours=3), event("rejected", unit(), hours=4)],
        [event("rejected", unit(), hours=4), inspected(unit())],
        [event("received", unit(), hours=3), ENDED],
        [ENDED, inspected(unit(), hours=4)],
        [ENDED, inspected(unit(), "missing")],
        [ENDED, event("received", unit(), hours=5), inspected(unit(), "not_returned", hours=6)],
        [ENDED, event("in_transit", unit(), hours=5)],
        [event("expired", unit(), hours=4), inspected(unit()), event("cancelled", unit(), hours=6)],
        [ENDED, inspected(unit()), put_back("D1", covers())],
    ],
    ids=[
        "rejected for what was found", "rejected before", "received before", "in the same second", "missing",
        "received without it", "on the way", "cancelled because of it", "put back by staff",
    ],
)  # fmt: skip
def test_an_end_of_a_return_that_leaves_no_goods_behind_unseen_is_no_conflict(facts: list[Fact]) -> None:
    run = Run(rules(inspecting={"needs_receipt": True}))
    run.feed(order(), *asked(unit()), *facts)
    assert "status_conflict" not in run.open


@pytest.mark.req("EXC-4")
def test_a_cancellation_that_is_told_again_is_as_old_as_its_first_word_since_the_return_was_reopened() -> None:
    run = Run()
    run.feed(order(), *asked(unit()), ENDED, inspected(unit()), event("cancelled", unit(), hours=9))
    assert run.open == ["status_conflict"]
    run = Run(rules(inspecting={"needs_receipt": True}))
    run.feed(order(), *asked(unit()), ENDED, event("reopened", hours=4.5), inspected(unit()))
    run.feed(event("cancelled", unit(), hours=9))
    assert run.open == []


@pytest.mark.req("EXC-1", "STA-4")
def test_goods_of_an_ended_return_are_raised_as_in_no_stock_where_others_paid_for_them() -> None:
    run = Run(rules(refunding={"actor": "payment"}))
    run.feed(order(), *asked(unit()), ENDED, refunded("R1", 1000, covers(), hours=5))
    assert run.open == []
    run.feed(event("received", unit(), hours=6))
    assert run.open == ["status_conflict"]
    assert run.raised("status_conflict").detail == LATE.format("cancelled").replace(" or paid for", "")


@pytest.mark.req("EXC-1", "EXC-4")
def test_goods_that_were_not_returned_before_the_end_of_their_return_are_raised_when_they_are_there_after_all() -> None:
    run = Run()
    run.feed(order(), *asked(unit()), inspected(unit(), "not_returned", hours=3), event("expired", hours=4))
    assert run.open == []
    run.feed(event("received", hours=5))
    assert run.open == ["status_conflict"]


@pytest.mark.req("EXC-4", "STA-4")
def test_only_the_units_that_were_to_come_back_are_named_beside_the_goods_that_moved_before() -> None:
    one, other, kept = unit("u1"), unit("u2", "L2", "CAP"), unit("u3", "L3", "MUG", ships=False, resolution="keep")
    run = Run()
    run.feed(order(line(), line("L2", "CAP"), line("L3", "MUG")), *asked(one, other, kept)[:1], ENDED)
    run.feed(event("received", hours=5))
    assert run.raised("status_conflict").unit_ids == ("u1", "u2")
    run = Run()
    run.feed(order(line(), line("L2", "CAP")), *asked(one, other), inspected(one, hours=3), ENDED)
    assert run.open == ["status_conflict"]
    run.feed(inspected(other))
    assert run.open == ["status_conflict"]
    assert run.raised("status_conflict").unit_ids == ("u1", "u2")


@pytest.mark.req("EXC-4", "STA-4")
def test_a_unit_that_an_edit_took_out_of_its_return_is_no_conflict_when_it_comes() -> None:
    run = Run()
    run.feed(order(line(), line("L2", "CAP")), *asked(unit(), unit("u2", "L2", "CAP")))
    run.feed(event("cancelled", hours=2), event("reopened", hours=2.5), event("requested", unit(), hours=3))
    run.feed(event("received", hours=4))
    assert (run.open, run.stages()["u2"]) == ([], "cancelled")
    run.feed(event("cancelled", hours=3.5))
    assert run.raised("status_conflict").unit_ids == ("u1",)


def test_facts_of_inspection_without_a_grade_decide_nothing() -> None:
    run = Run()
    run.feed(order(), *asked(unit()), event("inspected", unit(), hours=5))
    assert (run.intents, run.stages()) == ([], {"u1": "approved"})


def test_the_time_of_a_restock_is_the_decisions_own() -> None:
    run = Run()
    run.feed(*asked(unit()), inspected(unit(), hours=5), order(hours=30))
    assert run.intents[0].decided_at_ms == at(30)
