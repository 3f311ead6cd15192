"""Restocks on Shopify by adjustment: checked before, relative, keyed, marked, and never counted a second time."""

from typing import Any

import httpx
import msgspec
import pytest

from schemas.commands import Restock
from sinks.contract import EFFECT, INTERRUPTED, Attempt, Unanswered
from sinks.outcomes import Applied, Deferred, Outcome, Rejected, Uncertain
from sinks.systems import shopify
from sinks.systems.shopify import native
from tests.unit.systems import shop_answers as shop
from tests.unit.systems.givens import COMMAND_ID, DAMAGED, FIRST, KEY, MERCHANT, RESTOCK, SHOP, again
from tests.unit.systems.peer import Answer, Talk, drive

URI = f"gid://returnflow/Restock/{COMMAND_ID}"


def talk(answers: list[Answer], command: Restock = RESTOCK, attempt: Attempt = FIRST) -> tuple[Outcome, Talk]:
    return drive(shopify.SYSTEM.flow(command, SHOP, MERCHANT, attempt), answers)


@pytest.mark.req("INV-15", "STA-3")
def test_a_unit_goes_back_by_a_keyed_relative_adjustment_that_names_the_command() -> None:
    outcome, said = talk([shop.restock_look(), shop.adjusted()])
    assert outcome == Applied(external_ids={"adjustment_id": "901"}, quantity=1)
    assert said.variables("Adjust") == {
        "key": KEY,
        "input": {
            "name": "available",
            "reason": "restock",
            "referenceDocumentUri": URI,
            "changes": [
                {
                    "inventoryItemId": "gid://shopify/InventoryItem/301",
                    "locationId": "gid://shopify/Location/71",
                    "delta": 1,
                    "changeFromQuantity": None,
                }
            ],
        },
    }
    assert [EFFECT in request.extensions for request in said.requests] == [False, True]


@pytest.mark.req("INV-2")
@pytest.mark.parametrize("state", ["damaged", "quality_control"])
def test_goods_that_are_not_sellable_go_to_their_own_state_with_a_ledger_document(state: Any) -> None:
    command = msgspec.structs.replace(RESTOCK, stock_status=state)
    outcome, said = talk([shop.restock_look(), shop.adjusted(state)], command)
    assert isinstance(outcome, Applied)
    sent = said.variables("Adjust")["input"]
    assert (sent["name"], sent["reason"]) == (state, state)
    assert sent["changes"][0]["ledgerDocumentUri"] == URI


@pytest.mark.req("INV-5", "INV-6", "INV-7")
@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"item": None}, "deleted_item"),
        ({"item": shop.item(tracked=False)}, "untracked_item"),
        ({"place": None}, "unmapped_location"),
        ({"place": shop.place(isActive=False)}, "inactive_location"),
        ({"place": shop.place(isFulfillmentService=True)}, "inactive_location"),
    ],
)
def test_what_the_shop_would_drop_or_refuse_is_stopped_before_the_call(changes: dict[str, Any], code: str) -> None:
    outcome, said = talk([shop.restock_look(**changes)])
    assert isinstance(outcome, Rejected)
    assert outcome.code == code
    assert said.names() == ["RestockLook"]


def test_a_command_that_moves_nothing_is_refused() -> None:
    outcome, _ = talk([shop.restock_look()], msgspec.structs.replace(RESTOCK, quantity=0))
    assert isinstance(outcome, Rejected)


def test_an_order_that_cannot_be_seen_is_an_orphan() -> None:
    outcome, _ = talk([shop.answer({"order": None, "inventoryItem": shop.item(), "location": shop.place()})])
    assert isinstance(outcome, Rejected)
    assert outcome.code == "orphan_return"


@pytest.mark.parametrize("level", [None, {"id": "gid://shopify/InventoryLevel/1", "isActive": False}])
def test_an_item_that_is_not_stocked_there_is_activated_first(level: Any) -> None:
    look = shop.restock_look(item=shop.item(inventoryLevel=level))
    outcome, said = talk([look, shop.activated(), shop.adjusted()])
    assert isinstance(outcome, Applied)
    assert said.names() == ["RestockLook", "Activate", "Adjust"]
    assert said.variables("Activate")["key"] != said.variables("Adjust")["key"]


def test_an_item_that_lost_its_level_in_between_is_activated_and_sent_with_a_new_key() -> None:
    gone = shop.refused("inventoryAdjustQuantities", "not stocked", "ITEM_NOT_STOCKED_AT_LOCATION")
    outcome, _ = talk([shop.restock_look(), gone, shop.activated()])
    assert outcome == Uncertain(reason="activated_at_location", new_key=True)


def test_an_activation_that_is_refused_ends_it() -> None:
    look = shop.restock_look(item=shop.item(inventoryLevel=None))
    message = "The product couldn't be stocked because the location wasn't found."
    outcome, _ = talk([look, shop.refused("inventoryActivate", message)])
    assert isinstance(outcome, Rejected)
    assert outcome.code == "inactive_location"


@pytest.mark.req("INV-13")
def test_a_repeated_attempt_looks_and_then_repeats_the_same_adjustment_with_the_same_key() -> None:
    """In between it keeps claims from coming, if a disposal could have been claimed at all; told so, it need not."""
    _, first = talk([shop.restock_look(), shop.adjusted()])
    outcome, second = talk([shop.restock_look(), shop.claimed(), shop.adjusted()], attempt=again(3600))
    assert isinstance(outcome, Applied)
    assert second.requests[2].content == first.requests[1].content
    assert second.names() == ["RestockLook", "Claim", "Adjust"]
    mark = second.variables("Claim")["metafields"][0]
    assert mark["compareDigest"] is None
    kept = shop.restock_look(claim={"value": mark["value"], "compareDigest": "digest-1"})
    outcome, third = talk([kept, shop.adjusted()], attempt=again(3600))
    assert isinstance(outcome, Applied)
    assert third.requests[1].content == first.requests[1].content
    _, unlisted = talk(
        [shop.restock_look(), shop.adjusted()], msgspec.structs.replace(RESTOCK, line_id=None), again(3600)
    )
    assert unlisted.names() == ["RestockLook", "Adjust"]


@pytest.mark.req("INV-13")
@pytest.mark.parametrize("note", [native.CLAIM_SENT, INTERRUPTED])
def test_where_a_claim_may_still_come_nothing_is_adjusted_before_its_place_is_taken(note: str) -> None:
    told = msgspec.structs.replace(FIRST, notes={note: "yes"}, may_join=True)
    taken = shop.refused("metafieldsSet", "changed since", "STALE_OBJECT", metafields=None)
    outcome, said = talk([shop.restock_look(), taken], attempt=told)
    assert outcome == Uncertain(reason="claimed_elsewhere")
    assert said.names() == ["RestockLook", "Claim"]
    outcome, _ = talk([shop.restock_look(), Unanswered()], attempt=told)
    assert isinstance(outcome, Deferred)
    _, said = talk([shop.restock_look(), shop.claimed(), shop.adjusted()], attempt=told)
    assert said.names() == ["RestockLook", "Claim", "Adjust"]


@pytest.mark.req("INV-13")
def test_a_key_that_the_shop_has_forgotten_is_never_sent_again() -> None:
    outcome, said = talk([shop.restock_look()], attempt=again(23 * 3600))
    assert isinstance(outcome, Rejected)
    assert URI in outcome.detail
    assert said.names() == ["RestockLook"]


def test_a_location_that_closed_after_the_first_send_is_left_to_the_shops_answer() -> None:
    look = shop.restock_look(place=shop.place(isActive=False))
    outcome, _ = talk([look, shop.claimed(), shop.adjusted()], attempt=again())
    assert isinstance(outcome, Applied)


@pytest.mark.req("INV-13")
@pytest.mark.parametrize(("attempt", "before"), [(FIRST, []), (again(), [shop.claimed()])])
def test_a_lost_answer_leaves_the_driver_to_look(attempt: Attempt, before: list[httpx.Response]) -> None:
    with pytest.raises(Unanswered):
        talk([shop.restock_look(), *before, Unanswered()], attempt=attempt)


def test_a_lost_look_did_nothing() -> None:
    assert talk([Unanswered()])[0] == Deferred(reason="no_answer")


@pytest.mark.req("INV-17")
@pytest.mark.parametrize("group", [None, {"id": "gid://shopify/InventoryAdjustmentGroup/9", "changes": []}])
def test_a_success_without_a_movement_is_drift(group: Any) -> None:
    green = shop.answer({"inventoryAdjustQuantities": {"inventoryAdjustmentGroup": group, "userErrors": []}})
    outcome, _ = talk([shop.restock_look(), green])
    assert isinstance(outcome, Rejected)
    assert outcome.code == "stock_drift"


@pytest.mark.req("INV-8", "INV-9")
def test_a_bundle_parent_is_named_as_such() -> None:
    refused = shop.refused("inventoryAdjustQuantities", "cannot be changed", "NON_MUTABLE_INVENTORY_ITEM")
    outcome, _ = talk([shop.restock_look(), refused])
    assert isinstance(outcome, Rejected)
    assert outcome.code == "parent_item_targeted"


@pytest.mark.req("INV-13")
def test_damaged_units_of_a_native_return_are_disposed_without_stock_so_nobody_restocks_them() -> None:
    line = shop.returned_line()
    kept = {**line, "dispositions": [shop.disposition(51, "NOT_RESTOCKED", location=None)]}
    answers = [
        shop.restock_look(return_status="IN_PROGRESS"),
        shop.returns(shop.native_return(line)),
        shop.adjusted("damaged"),
        shop.claimed(),
        shop.disposed(kept),
        shop.closed(),
    ]
    outcome, said = talk(list(answers), DAMAGED)
    assert outcome == Applied(external_ids={"adjustment_id": "901"}, quantity=1)
    assert said.variables("Dispose")["dispositions"] == [
        {
            "reverseFulfillmentOrderLineItemId": "gid://shopify/ReverseFulfillmentOrderLineItem/31",
            "quantity": 1,
            "dispositionType": "NOT_RESTOCKED",
        }
    ]


@pytest.mark.parametrize(
    "fault", [Unanswered(), shop.refused("reverseFulfillmentOrderDispose", "no", "INVALID_STATE"), shop.throttled()]
)
def test_bookkeeping_that_fails_does_not_undo_what_was_applied(fault: Answer) -> None:
    answers: list[Answer] = [
        shop.restock_look(return_status="IN_PROGRESS"),
        shop.returns(shop.native_return(shop.returned_line())),
        shop.adjusted("damaged"),
        shop.claimed(),
        fault,
    ]
    outcome, _ = talk(answers, DAMAGED)
    assert isinstance(outcome, Applied)
    assert outcome.detail


def test_two_workers_do_not_both_dispose_of_damaged_units() -> None:
    answers: list[Answer] = [
        shop.restock_look(return_status="IN_PROGRESS"),
        shop.returns(shop.native_return(shop.returned_line())),
        shop.adjusted("damaged"),
        shop.refused("metafieldsSet", "changed since", "STALE_OBJECT", metafields=None),
    ]
    outcome, said = talk(answers, DAMAGED)
    assert isinstance(outcome, Applied)
    assert "Dispose" not in said.names()
