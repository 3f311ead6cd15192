"""What was put into Shopify's stock is taken out again: by itself, once, wherever and however it was put there."""

from typing import Any

import msgspec
import pytest

from schemas.commands import Restock
from sinks.contract import EFFECT, Attempt
from sinks.outcomes import Applied, Outcome, Rejected, Uncertain
from sinks.systems import shopify
from sinks.systems.shopify import read
from sinks.systems.shopify.adjust_many import BATCHING
from streams.sources.shopify_effects import effects
from streams.sources.shopify_items import levels
from tests.unit.systems import givens
from tests.unit.systems import shop_answers as shop
from tests.unit.systems.givens import COMMAND_ID, FIRST, KEY, MERCHANT, SHOP, again
from tests.unit.systems.peer import Answer, Talk, drive, drive_through
from tests.unit.systems.sandbox_shop import DOMAIN, SandboxShop

OUT = msgspec.structs.replace(givens.RESTOCK, quantity=-1, stocked_before=True)
URI = f"gid://returnflow/Restock/{COMMAND_ID}"
IN_PROGRESS = shop.restock_look(return_status="IN_PROGRESS")


def talk(answers: list[Answer], command: Restock = OUT, attempt: Attempt = FIRST) -> tuple[Outcome, Talk]:
    return drive(shopify.SYSTEM.flow(command, SHOP, MERCHANT, attempt), answers)


@pytest.mark.req("INV-15", "STA-3")
def test_a_unit_leaves_by_a_keyed_relative_correction_that_names_the_command() -> None:
    outcome, said = talk([shop.restock_look(), shop.adjusted()])
    assert outcome == Applied(external_ids={"adjustment_id": "901"}, quantity=-1)
    assert said.variables("Adjust") == {
        "key": KEY,
        "input": {
            "name": "available",
            "reason": "correction",
            "referenceDocumentUri": URI,
            "changes": [
                {
                    "inventoryItemId": "gid://shopify/InventoryItem/301",
                    "locationId": "gid://shopify/Location/71",
                    "delta": -1,
                    "changeFromQuantity": None,
                }
            ],
        },
    }
    assert [EFFECT in request.extensions for request in said.requests] == [False, True]


@pytest.mark.req("INV-2")
@pytest.mark.parametrize("state", ["damaged", "quality_control"])
def test_it_leaves_the_state_that_it_was_put_in(state: Any) -> None:
    _, said = talk([shop.restock_look(), shop.adjusted(state)], msgspec.structs.replace(OUT, stock_status=state))
    sent = said.variables("Adjust")["input"]
    assert (sent["name"], sent["reason"], sent["changes"][0]["delta"]) == (state, "correction", -1)
    assert sent["changes"][0]["ledgerDocumentUri"] == URI


@pytest.mark.req("INV-13")
def test_a_return_of_the_shop_that_still_waits_for_units_is_left_alone() -> None:
    _, said = talk([IN_PROGRESS, shop.adjusted()])
    assert said.names() == ["RestockLook", "Adjust"]
    placed_anew = msgspec.structs.replace(OUT, quantity=1, stock_status="damaged")
    _, said = talk([IN_PROGRESS, shop.adjusted("damaged")], placed_anew)
    assert said.names() == ["RestockLook", "Adjust"]


@pytest.mark.req("INV-13")
def test_a_repeated_attempt_looks_and_repeats_the_same_request_with_the_same_key() -> None:
    _, first = talk([shop.restock_look(), shop.adjusted()])
    outcome, second = talk([shop.restock_look(), shop.adjusted()], attempt=again(3600))
    assert outcome == Applied(external_ids={"adjustment_id": "901"}, quantity=-1)
    assert second.names() == ["RestockLook", "Adjust"]
    assert second.requests[1].content == first.requests[1].content
    outcome, third = talk([shop.restock_look()], attempt=again(23 * 3600))
    assert isinstance(outcome, Rejected)
    assert (URI in outcome.detail, third.names()) == (True, ["RestockLook"])


@pytest.mark.req("INV-16")
def test_what_leaves_never_goes_out_with_what_comes() -> None:
    joining = msgspec.structs.replace(FIRST, may_join=True)
    flow = shopify.SYSTEM.flow(OUT, SHOP, MERCHANT, joining)
    outcome, _ = drive_through(flow, [shop.restock_look(), shop.adjusted()])
    assert isinstance(outcome, Applied)
    assert BATCHING.change(OUT) is None


@pytest.mark.req("INV-5", "INV-6", "INV-7")
@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"item": None}, "deleted_item"),
        ({"item": shop.item(tracked=False)}, "untracked_item"),
        ({"place": None}, "unmapped_location"),
        ({"place": shop.place(isActive=False)}, "inactive_location"),
        ({"item": shop.item(inventoryLevel=None)}, "stock_drift"),
    ],
)
def test_what_the_shop_would_drop_or_refuse_is_stopped_before_the_call(changes: dict[str, Any], code: str) -> None:
    outcome, said = talk([shop.restock_look(**changes)])
    assert isinstance(outcome, Rejected)
    assert (outcome.code, said.names()) == (code, ["RestockLook"])


@pytest.mark.req("INV-17")
def test_an_item_that_is_stocked_there_no_more_is_counted_by_a_person_and_not_stocked_anew() -> None:
    gone = shop.refused("inventoryAdjustQuantities", "not stocked", "ITEM_NOT_STOCKED_AT_LOCATION")
    outcome, said = talk([shop.restock_look(), gone])
    assert isinstance(outcome, Rejected)
    assert (outcome.code, said.names()) == ("stock_drift", ["RestockLook", "Adjust"])


def test_the_order_is_not_needed_for_it() -> None:
    look = shop.answer({"order": None, "inventoryItem": shop.item(), "location": shop.place()})
    assert isinstance(talk([look, shop.adjusted()])[0], Applied)


# Against the sandbox.


async def native_return(box: SandboxShop, quantity: int) -> None:
    body = {"order": "#1001", "lines": [{"sku": "TEE-M", "quantity": quantity}]}
    await box.control(f"shopify/{DOMAIN}/staff/return", body)


@pytest.mark.req("INV-2", "INV-13", "INV-15")
@pytest.mark.parametrize("native", [False, True], ids=["adjusted", "disposed of"])
async def test_graded_anew_it_is_damaged_stock_and_for_sale_no_more_and_its_neighbour_is_what_it_was(
    native: bool,
) -> None:
    """The second unit of the line is still to come: the shop's return goes on waiting for it."""
    box = await SandboxShop().open()
    if native:
        await native_return(box, 2)
    moves = [
        box.restock(1),
        box.restock(2, quantity=-1, stocked_before=True),
        box.restock(3, stock_status="damaged", stocked_before=True),
    ]
    for move in moves:
        await box.fault("timeout_after_apply", "inventoryAdjustQuantities")
        assert isinstance(await box.settle(move), Applied)
    assert await box.moved() == {"TEE-M@71.available": 0, "TEE-M@71.damaged": 1}
    statuses = [each["status"] for each in (await box.books())["orders"]["#1001"]["returns"]]
    assert statuses == (["OPEN"] if native else [])
    assert isinstance(await box.settle(box.restock(4)), Applied)
    assert await box.moved() == {"TEE-M@71.available": 1, "TEE-M@71.damaged": 1}
    statuses = [each["status"] for each in (await box.books())["orders"]["#1001"]["returns"]]
    assert statuses == (["CLOSED"] if native else [])


@pytest.mark.req("INV-13", "INV-15")
async def test_a_piece_that_was_sold_meanwhile_leaves_a_level_below_zero() -> None:
    box = await SandboxShop().open()
    await box.settle(box.restock(1))
    body = {"sku": "TEE-M", "location_id": 71, "delta": -11, "reason": "sold"}
    await box.control(f"shopify/{DOMAIN}/staff/restock", body)
    assert isinstance(await box.settle(box.restock(2, quantity=-1, stocked_before=True)), Applied)
    found = await box.read("shopify", read.item(box.connections["shopify"], box.item("TEE-M")))
    (level,) = [each for each in levels(found, merchant="acorn", read_at_ms=1) if each.location_id == "71"]
    assert level.available == -1


@pytest.mark.req("INV-13", "INV-17")
@pytest.mark.parametrize("native", [False, True], ids=["adjusted", "disposed of"])
async def test_what_we_took_out_is_no_effect_of_others(native: bool) -> None:
    box = await SandboxShop().open()
    if native:
        await native_return(box, 1)
    for move in (box.restock(1), box.restock(2, quantity=-1, stocked_before=True)):
        assert isinstance(await box.settle(move), Applied)
    order = await box.read("shopify", read.order(box.connections["shopify"], "5001"))
    seen = effects(order, merchant="acorn")
    assert [(each.actor, each.command_id) for each in seen] == (
        [("returnflow", box.restock(1).command_id)] if native else []
    )


@pytest.mark.req("INV-13")
async def test_after_the_shop_forgot_the_key_it_is_for_a_person() -> None:
    box = await SandboxShop().open()
    await box.settle(box.restock(1))
    out = box.restock(2, quantity=-1, stocked_before=True)
    await box.fault("timeout_after_apply", "inventoryAdjustQuantities")
    sent_ms = box.now_ms
    assert isinstance(await box.attempt(out, msgspec.structs.replace(FIRST, now_ms=sent_ms)), Uncertain)
    await box.wait(30 * 3600)
    late = msgspec.structs.replace(FIRST, now_ms=box.now_ms, number=2, first_sent_ms=sent_ms)
    assert isinstance(await box.attempt(out, late), Rejected)
    assert await box.moved() == {"TEE-M@71.available": 0}
