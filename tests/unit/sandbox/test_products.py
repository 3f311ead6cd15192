"""Products that are archived, made drafts or deleted: what is still found, and whose stock still moves."""

import pytest

from tests.unit.sandbox.box import MAIN, SHOP, Box, change
from tests.unit.sandbox.test_inventory import adjust, code

FOUND = """query($query: String!) { productVariants(first: 5, query: $query) { nodes { sku product { status } } } }"""
ITEM = "query($id: ID!) { inventoryItem(id: $id) { id } }"
LINE = """query($id: ID!) { order(id: $id) { lineItems(first: 5) {
    nodes { sku title variant { id } product { id } restockable } } } }"""
STAFF = f"/shopify/{SHOP}/staff"


@pytest.mark.parametrize("status", ["ARCHIVED", "DRAFT", "ACTIVE"])
async def test_a_product_in_any_state_is_found_and_its_stock_moves(box: Box, status: str) -> None:
    await box.control(f"{STAFF}/product", sku="MUG", status=status)
    found = (await box.data(FOUND, query="sku:'MUG'"))["productVariants"]["nodes"]
    assert found == [{"sku": "MUG", "product": {"status": status}}]
    assert (await adjust(box, change(box, "MUG", delta=1)))["userErrors"] == []
    assert (await box.books())["totals"]["moved"] == {f"MUG@{MAIN}.available": 1}


async def test_a_deleted_product_is_gone_with_its_items_and_orders_keep_its_texts(box: Box) -> None:
    await box.place("#2", lines=[{"sku": "MUG"}])
    item, wanted = box.seeded["variants"]["MUG"]["inventory_item_id"], change(box, "MUG", delta=1)
    await box.control(f"{STAFF}/delete-product", sku="MUG")
    assert (await box.data(FOUND, query="sku:'MUG'"))["productVariants"]["nodes"] == []
    assert (await box.data(ITEM, id=f"gid://shopify/InventoryItem/{item}")) == {"inventoryItem": None}
    assert await code(box, wanted) == "INVALID_INVENTORY_ITEM"
    line = (await box.data(LINE, id=box.order("#2")))["order"]["lineItems"]["nodes"][0]
    assert line == {"sku": "MUG", "title": "Mug", "variant": None, "product": None, "restockable": False}


async def test_a_component_of_a_bundle_cannot_be_deleted(box: Box) -> None:
    answer = await box.client.post(f"/_sandbox{STAFF}/delete-product", json={"sku": "SOAP"})
    assert (answer.status_code, "component of a bundle" in answer.text) == (400, True)
