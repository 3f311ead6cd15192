"""Goods whose SKU says nothing: it is empty, two share it, or it ends in a blank."""

from tests.unit.sandbox.box import MAIN, SHOP, Box

GOODS = [
    {"name": "saucer", "price": "10.00", "stock": {str(MAIN): 4}},
    {"name": "spoon", "price": "5.00", "stock": {str(MAIN): 4}},
    {"name": "first", "sku": "SAME ", "price": "7.00"},
    {"name": "second", "sku": "SAME ", "price": "8.00"},
]
SET = {"name": "coffee set", "price": "30.00", "components": [{"sku": "saucer", "quantity": 2}, {"sku": "spoon"}]}
LINES = """query($id: ID!) { order(id: $id) { lineItems(first: 9) {
    nodes { sku variant { id sku inventoryItem { sku } } lineItemGroup { variantSku } } } } }"""


async def stocked(box: Box) -> None:
    """The goods are in the shop."""
    await box.control(f"/shops/{SHOP}/products", products=[{"title": "Odd", "variants": [*GOODS, SET]}])


async def test_components_without_a_sku_read_as_such_and_differ_by_their_variant(box: Box) -> None:
    await stocked(box)
    await box.place("#2", lines=[{"bundle": "coffee set"}])
    lines = (await box.data(LINES, id=box.order("#2")))["order"]["lineItems"]["nodes"]
    assert [(line["sku"], line["variant"]["sku"], line["variant"]["inventoryItem"]["sku"]) for line in lines] == [
        (None, None, None), (None, None, None),
    ]  # fmt: skip
    assert len({line["variant"]["id"] for line in lines}) == 2
    assert {line["lineItemGroup"]["variantSku"] for line in lines} == {None}


async def test_the_books_name_goods_without_a_sku(box: Box) -> None:
    await stocked(box)
    await box.place("#2", lines=[{"sku": "spoon"}])
    body = {"lines": [{"sku": "spoon", "restock_type": "RETURN", "location_id": MAIN}], "order": "#2"}
    await box.control(f"/shopify/{SHOP}/staff/refund", **body)
    assert (await box.books())["totals"]["moved"] == {f"spoon@{MAIN}.available": 1}


async def test_a_sku_that_two_variants_share_is_one_of_either(box: Box) -> None:
    await stocked(box)
    await box.place("#2", lines=[{"sku": "second"}])
    line = (await box.data(LINES, id=box.order("#2")))["order"]["lineItems"]["nodes"][0]
    assert line["sku"] == "SAME "
    unit = {"sku": "second", "quantity": 1, "reason": "x", "resolution": "RefundToPaymentMethod"}
    rma = await box.control(f"/returngo/{SHOP}/rmas", order="#2", units=[unit])
    seen = await box.look(f"/returngo/{SHOP}/rmas/{rma['rma_id']}")
    assert seen["items"][0]["sku"] == "SAME "
