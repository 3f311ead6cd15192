"""inventoryAdjustQuantities and inventoryActivate: every rule of the ledger of stock."""

from typing import Any

import pytest

from tests.unit.sandbox.box import ADJUST, CLOSED, MAIN, SHOP, STORE, Box, adjustment, change, gid
from tests.unit.sandbox.test_idempotency import ACTIVATE

LEVEL = """
query Level($item: ID!, $location: ID!) {
  inventoryItem(id: $item) {
    id sku tracked
    inventoryLevel(locationId: $location, includeInactive: true) {
      id isActive quantities(names: ["available", "on_hand", "damaged"]) { name quantity }
    }
  }
}
"""


async def adjust(box: Box, *changes: dict[str, Any], **more: object) -> dict[str, Any]:
    """The mutation's payload, under a key of its own."""
    key = f"{changes}{more}"
    return dict((await box.data(ADJUST, input=adjustment(*changes, **more), key=key))["inventoryAdjustQuantities"])


async def code(box: Box, *changes: dict[str, Any], **more: object) -> str:
    """The one error code of a refusal, and nothing moved."""
    answer = await adjust(box, *changes, **more)
    assert answer["inventoryAdjustmentGroup"] is None
    assert (await box.books())["movements"] == []
    return str(answer["userErrors"][0]["code"])


async def test_a_delta_moves_stock_and_the_answer_mirrors_on_hand(box: Box) -> None:
    answer = await adjust(box, change(box, "MUG", delta=2))
    rows = [
        (row["name"], row["delta"], row["quantityAfterChange"]) for row in answer["inventoryAdjustmentGroup"]["changes"]
    ]
    assert rows == [("available", 2, None), ("on_hand", 2, None)]
    level = (await box.data(LEVEL, item=box.item("MUG"), location=gid("Location", MAIN)))["inventoryItem"][
        "inventoryLevel"
    ]
    assert {row["name"]: row["quantity"] for row in level["quantities"]} == {"available": 7, "on_hand": 7, "damaged": 0}
    movement = (await box.books())["movements"][0]
    assert (movement["cause"], movement["reference"], movement["after"]) == ("adjustment", "gid://app/Restock/1", 7)


async def test_a_delta_below_zero_takes_out_once_and_does_not_stop_at_zero(box: Box) -> None:
    for delta in (-3, -4, -4):  # the last one is the one before it, said again
        answer = await adjust(box, change(box, "MUG", delta=delta), reason="correction")
        rows = [(row["name"], row["delta"]) for row in answer["inventoryAdjustmentGroup"]["changes"]]
        assert rows == [("available", delta), ("on_hand", delta)]
    movements = (await box.books())["movements"]
    assert [(each["delta"], each["after"]) for each in movements] == [(-3, 2), (-4, -2)]


async def test_damaged_goods_need_a_ledger_document_of_our_own(box: Box) -> None:
    damaged = {"name": "damaged", "reason": "damaged"}
    assert await code(box, change(box, "MUG"), **damaged) == "INVALID_QUANTITY_DOCUMENT"
    theirs = change(box, "MUG", ledgerDocumentUri="gid://shopify/Order/1")
    assert await code(box, theirs, **damaged) == "INTERNAL_LEDGER_DOCUMENT"
    ours = change(box, "MUG", ledgerDocumentUri="gid://app/Unit/1")
    other = change(box, "TEE-M", ledgerDocumentUri="gid://app/Unit/2")
    assert await code(box, ours, other, **damaged) == "MAX_ONE_LEDGER_DOCUMENT"
    assert await code(box, ours) == "INVALID_AVAILABLE_DOCUMENT"
    assert (await adjust(box, ours, **damaged))["userErrors"] == []
    assert (await box.books())["totals"]["moved"] == {"MUG@11.damaged": 1}


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"name": "on_hand"}, "INVALID_QUANTITY_NAME"),
        ({"name": "committed"}, "INVALID_QUANTITY_NAME"),
        ({"reason": "because"}, "INVALID_REASON"),
        ({"referenceDocumentUri": "no uri"}, "INVALID_REFERENCE_DOCUMENT"),
    ],
)
async def test_wrong_names_reasons_and_references_are_refused(box: Box, more: dict[str, str], expected: str) -> None:
    assert await code(box, change(box, "MUG"), **more) == expected


async def test_unknown_places_items_and_bundle_parents_are_refused(box: Box) -> None:
    assert await code(box, change(box, "MUG", location=CLOSED)) == "INVALID_LOCATION"
    assert await code(box, change(box, "MUG", location=99)) == "INVALID_LOCATION"
    unknown = change(box, "MUG") | {"inventoryItemId": gid("InventoryItem", 1)}
    assert await code(box, unknown) == "INVALID_INVENTORY_ITEM"
    assert await code(box, change(box, "SET")) == "NON_MUTABLE_INVENTORY_ITEM"
    assert await code(box, change(box, "MUG", location=STORE)) == "ITEM_NOT_STOCKED_AT_LOCATION"
    assert await code(box, change(box, "MUG", delta=2_000_000_001)) == "INVALID_QUANTITY_TOO_HIGH"
    assert await code(box, change(box, "MUG", delta=-2_000_000_006)) == "INVALID_QUANTITY_TOO_LOW"


async def test_one_wrong_change_and_none_is_made(box: Box) -> None:
    assert await code(box, change(box, "MUG"), change(box, "SET")) == "NON_MUTABLE_INVENTORY_ITEM"


async def test_change_from_quantity_must_be_there_and_true_unless_null(box: Box) -> None:
    bare = change(box, "MUG")
    del bare["changeFromQuantity"]
    answer = await box.graphql(ADJUST, input=adjustment(bare), key="k")
    assert answer["errors"][0]["extensions"]["code"] == "INVALID_FIELD_ARGUMENTS"
    assert answer["data"] == {"inventoryAdjustQuantities": None}
    assert await code(box, change(box, "MUG", changeFromQuantity=4)) == "CHANGE_FROM_QUANTITY_STALE"
    assert (await adjust(box, change(box, "MUG", changeFromQuantity=5)))["userErrors"] == []


async def test_nothing_to_change_is_no_group_and_no_error(box: Box) -> None:
    assert await adjust(box, change(box, "MUG", delta=0)) == {"inventoryAdjustmentGroup": None, "userErrors": []}


async def test_more_than_250_changes_are_too_many(box: Box) -> None:
    answer = await box.graphql(ADJUST, input=adjustment(*[change(box, "MUG")] * 251), key="k")
    assert answer["errors"][0]["extensions"]["code"] == "MAX_INPUT_SIZE_EXCEEDED"


async def test_an_untracked_item_takes_the_call_and_does_not_move(box: Box) -> None:
    assert (await adjust(box, change(box, "POSTER")))["userErrors"] == []
    books = await box.books()
    assert books["totals"]["moved"] == {}
    assert [each["applied"] for each in books["movements"]] == [False]


async def test_the_service_may_be_away(box: Box) -> None:
    await box.control("/faults", match={"operation": "inventoryAdjustQuantities"}, fault="service_unavailable")
    assert await code(box, change(box, "MUG")) == "SERVICE_UNAVAILABLE"


async def test_activating_stocks_an_item_once_and_then_it_can_be_adjusted(box: Box) -> None:
    where = {"item": box.item("MUG"), "location": gid("Location", STORE)}
    for key in ("a", "b"):
        answer = (await box.data(ACTIVATE, **where, key=key))["inventoryActivate"]
        assert answer["userErrors"] == []
        assert answer["inventoryLevel"]["id"].endswith(f"?inventory_item_id={where['item'].rpartition('/')[2]}")
    assert (await adjust(box, change(box, "MUG", location=STORE)))["userErrors"] == []
    seeded = ACTIVATE.replace("locationId: $location)", "locationId: $location, available: 3)")
    errors = (await box.data(seeded, **where, key="c"))["inventoryActivate"]["userErrors"]
    assert (
        errors[0]["message"] == "Not allowed to set available quantity when the item is already active at the location."
    )


async def test_activating_at_a_closed_location_is_refused(box: Box) -> None:
    answer = (await box.data(ACTIVATE, item=box.item("MUG"), location=gid("Location", CLOSED), key="k"))[
        "inventoryActivate"
    ]
    assert answer["userErrors"][0]["message"] == "The product couldn't be stocked because the location wasn't found."


async def test_the_item_master_shows_bundles_tracking_and_locations(box: Box) -> None:
    document = """{
      productVariants(first: 5, query: "sku:SET") { nodes { sku requiresComponents inventoryQuantity
        productVariantComponents(first: 5) { nodes { quantity productVariant { sku } } } } }
      inventoryItems(first: 5, query: "sku:POSTER") { nodes { sku tracked variant { sku } } }
      locations(first: 5, includeInactive: true) { nodes { name isActive } }
      active: locations(first: 5) { nodes { name } }
    }"""
    seen = await box.data(document)
    parts = [
        (row["productVariant"]["sku"], row["quantity"])
        for row in seen["productVariants"]["nodes"][0]["productVariantComponents"]["nodes"]
    ]
    assert parts == [("SOAP", 2), ("DISH", 1)]
    assert seen["productVariants"]["nodes"][0]["inventoryQuantity"] == 3
    assert seen["inventoryItems"]["nodes"] == [{"sku": "POSTER", "tracked": False, "variant": {"sku": "POSTER"}}]
    assert [row["name"] for row in seen["locations"]["nodes"]] == ["Main", "Store", "Closed"]
    assert [row["name"] for row in seen["active"]["nodes"]] == ["Main", "Store"]


async def test_staff_can_close_a_location_and_switch_tracking(box: Box) -> None:
    await box.control(f"/shopify/{SHOP}/staff/location", location_id=MAIN, active=False)
    assert await code(box, change(box, "MUG")) == "INVALID_LOCATION"
    await box.control(f"/shopify/{SHOP}/staff/tracking", sku="POSTER", tracked=True)
    item = (await box.data(LEVEL, item=box.item("POSTER"), location=gid("Location", MAIN)))["inventoryItem"]
    assert item["tracked"] is True
