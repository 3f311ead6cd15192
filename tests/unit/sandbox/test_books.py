"""The books: what was there before and after, what was paid, and what they find when something was done twice."""

from tests.unit.sandbox.box import ADJUST, MAIN, REFUND, SHOP, Box, adjustment, change
from tests.unit.sandbox.test_refunds import paying, units
from tests.unit.sandbox.test_returns import DISPOSE
from tests.unit.sandbox.test_wallet import CARD


async def kinds(box: Box) -> list[str]:
    """What the books find."""
    return [finding["kind"] for finding in (await box.books())["findings"]]


async def test_an_untouched_shop_has_empty_books_that_add_up(box: Box) -> None:
    books = await box.books()
    assert (books["movements"], books["money"], books["marks"], books["findings"]) == ([], [], [], [])
    mug = next(row for row in books["stock"] if row["sku"] == "MUG")
    assert (mug["before"]["available"], mug["after"]["available"], mug["location"]) == (5, 5, "Main")
    assert books["orders"]["#1001"]["paid"] == {"shopify_payments": "647.00"}


async def test_before_and_after_differ_by_what_moved(box: Box) -> None:
    await box.data(ADJUST, input=adjustment(change(box, "MUG", delta=2)), key="k")
    await box.control(f"/shopify/{SHOP}/staff/restock", sku="MUG", location_id=MAIN, delta=-1)
    mug = next(row for row in (await box.books())["stock"] if row["sku"] == "MUG")
    assert (mug["before"]["available"], mug["after"]["available"]) == (5, 6)
    assert [(each["actor"], each["delta"]) for each in (await box.books())["movements"]] == [("api", 2), ("staff", -1)]
    assert await kinds(box) == []


async def test_the_same_restock_under_two_keys_is_found(box: Box) -> None:
    for key in ("a", "b"):
        await box.data(ADJUST, input=adjustment(change(box, "MUG")), key=key)
    assert await kinds(box) == ["same_reference_twice"]


async def test_the_same_refund_under_two_keys_is_found(box: Box) -> None:
    for key in ("a", "b"):
        await box.data(REFUND, input=paying(box, "10.00", note="RMA 1"), key=key)
    assert await kinds(box) == ["same_refund_note_twice"]


async def test_the_same_gift_card_twice_is_found(box: Box) -> None:
    for _ in range(2):
        await box.data(CARD, input={"initialValue": "10.00", "note": "RMA 1"})
    assert await kinds(box) == ["same_note_twice"]


async def test_more_back_in_stock_than_was_bought_is_found(box: Box) -> None:
    made = await box.control(f"/shopify/{SHOP}/staff/return", order="#1001", lines=[{"sku": "TEE-M", "quantity": 3}])
    line = (
        await box.data(
            "query($id: ID!) { return(id: $id) { reverseFulfillmentOrders(first: 1) { nodes {"
            " lineItems(first: 1) { nodes { id } } } } } }",
            id=f"gid://shopify/Return/{made['return_id']}",
        )
    )["return"]["reverseFulfillmentOrders"]["nodes"][0]["lineItems"]["nodes"][0]["id"]
    given = {
        "reverseFulfillmentOrderLineItemId": line,
        "quantity": 3,
        "dispositionType": "RESTOCKED",
        "locationId": f"gid://shopify/Location/{MAIN}",
    }
    await box.data(DISPOSE, given=[given])
    assert await kinds(box) == []
    await box.data(REFUND, input=paying(box, "1.00", units(box, 3)), key="k")
    assert await kinds(box) == ["more_units_than_bought"]


async def test_staff_money_is_in_the_books_as_theirs(box: Box) -> None:
    lines = [{"sku": "TEE-M", "quantity": 1, "restock_type": "RETURN", "location_id": MAIN}]
    await box.control(f"/shopify/{SHOP}/staff/refund", order="#1001", lines=lines, amount="199.00", note="goodwill")
    await box.control(f"/shopify/{SHOP}/staff/store-credit", customer_id=1001, amount="5.00")
    books = await box.books()
    assert [(each["actor"], each["kind"], each["amount"]) for each in books["money"]] == [
        ("staff", "refund", "199.00"), ("staff", "store_credit", "5.00"),
    ]  # fmt: skip
    assert books["totals"]["moved"] == {"TEE-M@11.available": 1}


async def test_calls_are_counted_and_the_last_ones_listed(box: Box) -> None:
    await box.data(ADJUST, input=adjustment(change(box, "MUG")), key="the-key")
    call = (await box.look("/calls", system="shopify"))["calls"][-1]
    assert (call["operation"], call["status"], call["key"]) == ("inventoryAdjustQuantities", 200, "the-key")
    assert (await box.books())["calls"]["call_inventoryAdjustQuantities"] == 1
