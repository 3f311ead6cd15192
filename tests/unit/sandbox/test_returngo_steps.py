"""What happens to an RMA from request to end, and what ReturnGO tells and does on the way."""

import json

from ops.sandbox.returngo.changes import EVENTS
from tests.unit.sandbox.box import MAIN, SHOP, Box
from tests.unit.sandbox.test_returngo_api import detail, rma, step


async def listen(box: Box) -> None:
    """Registers for all events."""
    for event in EVENTS:
        await box.returngo("POST", "/webhook", json={"url": "http://ours/returngo/token", "eventName": event})


def events(box: Box) -> list[str]:
    """Event names in the order they came."""
    return [json.loads(body)["eventName"] for _, body in box.listener.received]


async def test_a_return_tells_its_whole_way_unsigned(box: Box) -> None:
    await listen(box)
    rma_id = await rma(box)
    for name, body in (
        ("approve", {}),
        ("ship", {}),
        ("track", {"status": "IN TRANSIT"}),
        ("receive", {}),
        ("validate", {"units": [{"unit": 0, "location_id": MAIN}]}),
        ("transaction", {"act": True}),
        ("done", {}),
    ):
        await step(box, rma_id, name, **body)
        await box.settle()
    assert events(box) == [
        "RMA_CREATED", "RMA_STATUS_UPDATED", "SHIPMENT_CREATED", "SHIPMENT_STATUS_UPDATED",
        "SHIPMENT_TRACKER_STATUS_UPDATED",
        "SHIPMENT_STATUS_UPDATED", "RMA_STATUS_UPDATED", "SHIPMENT_STATUS_UPDATED", "RMA_STATUS_UPDATED",
        "TRANSACTION_CREATED", "REFUND_CREATED", "RMA_STATUS_UPDATED",
    ]  # fmt: skip
    assert {json.loads(body)["rmaId"] for _, body in box.listener.received} == {rma_id}
    assert not any("hmac" in name or "signature" in name for headers, _ in box.listener.received for name in headers)


async def test_returngo_can_refund_in_shopify_itself(box: Box) -> None:
    rma_id = await rma(box)
    made = await step(box, rma_id, "transaction", act=True)
    books = await box.books()
    assert [(row["actor"], row["amount"]) for row in books["money"]] == [("returngo", "199.00")]
    assert books["orders"]["#1001"]["refunds"] == [int(made["reference"])]
    seen = (await detail(box, rma_id))["transactions"][0]
    assert (seen["status"], seen["externalReferenceType"]) == ("Success", "PlatformRefundId")


async def test_an_approval_makes_a_native_return_where_the_store_is_set_so(box: Box) -> None:
    await box.control("/reset")
    await box.open(creates_native_return=True)
    rma_id = await rma(box, {"sku": "TEE-M", "quantity": 2})
    assert (await step(box, rma_id, "approve"))["native_return"] == "#1001-R1"
    comments = [row["htmlText"] for row in (await detail(box, rma_id))["comments"]]
    assert "Created & approved Shopify return #1001-R1 for order #1001" in comments
    assert (await box.books())["orders"]["#1001"]["returns"] == [{"name": "#1001-R1", "status": "OPEN"}]


async def test_more_units_than_bought_are_taken_as_the_customer_says(box: Box) -> None:
    seen = await detail(box, await rma(box, {"sku": "TEE-M", "quantity": 5}))
    assert len(seen["items"]) == 5


async def test_a_return_without_parcel_has_no_shipment(box: Box) -> None:
    rma_id = await rma(box, return_method="No shipment required")
    assert (await step(box, rma_id, "approve"))["shipment_id"] is None
    seen = await detail(box, rma_id)
    assert (seen["shipments"], seen["items"][0]["shipmentId"]) == ([], None)
    answer = await box.client.post(f"/_sandbox/returngo/{SHOP}/rmas/{rma_id}/ship", json={})
    assert answer.status_code == 400


async def test_cancelled_rejected_and_reopened(box: Box) -> None:
    rma_id = await rma(box)
    for name, status in (
        ("reject", "Rejected"),
        ("reopen", "Approved"),
        ("cancel", "Canceled"),
        ("reopen", "Approved"),
    ):
        assert (await step(box, rma_id, name))["status"] == status


async def test_the_price_paid_is_what_the_line_cost_divided_by_its_units(box: Box) -> None:
    await box.place("#2", lines=[{"sku": "MUG", "quantity": 3, "unit_price": "33.34", "discount": "0.02"}])
    seen = await detail(box, await rma(box, {"sku": "MUG", "quantity": 3}, order="#2"))
    assert [item["paidPrice"]["amount"] for item in seen["items"]] == [100 / 3] * 3


async def test_an_exchange_is_a_draft_until_it_is_released(box: Box) -> None:
    rma_id = await rma(box)
    made = await step(box, rma_id, "exchange", sku="MUG")
    seen = (await detail(box, rma_id))["exchangeOrders"][0]
    assert (seen["draftOrderId"], seen["orderId"]) == (str(made["draft_order_id"]), None)
    await step(box, rma_id, "release-exchange")
    await step(box, rma_id, "release-exchange")
    seen = (await detail(box, rma_id))["exchangeOrders"][0]
    assert seen["orderId"] is not None
    assert len((await box.books())["orders"]) == 2


async def test_goods_in_exchange_are_named_by_their_unit_or_by_the_return(box: Box) -> None:
    rma_id = await rma(box)
    await step(box, rma_id, "exchange", sku="MUG", quantity=2, effective_price="12.50", unit=0)
    await step(box, rma_id, "exchange", sku="MUG")
    seen = await detail(box, rma_id)
    (of_unit,), (of_return,) = seen["items"][0]["exchangeItems"], seen["exchangeItems"]
    assert (of_unit["sku"], of_unit["quantity"], of_unit["effectivePrice"]["amount"]) == ("MUG", 2, 12.5)
    assert (of_return["sku"], of_return["quantity"], of_return["effectivePrice"]) == ("MUG", 1, None)


async def test_an_edit_moves_last_updated_and_a_comment_does_not(box: Box) -> None:
    rma_id = await rma(box)
    before = (await detail(box, rma_id))["lastUpdated"]
    await box.control("/clock", advance_seconds=60)
    await step(box, rma_id, "comment", html="hello")
    assert (await detail(box, rma_id))["lastUpdated"] == before
    await step(box, rma_id, "edit", unit=0, reason="Damaged", paid_price="1.00")
    seen = await detail(box, rma_id)
    assert seen["lastUpdated"] > before
    assert (seen["items"][0]["returnReason"], seen["items"][0]["paidPrice"]["amount"]) == ("Damaged", 1.0)


async def test_a_line_without_variant_can_be_returned_too(box: Box) -> None:
    await box.place("#2", lines=[{"custom_title": "Engraving", "sku": "ENGRAVING", "unit_price": "40.00"}])
    item = (await detail(box, await rma(box, {"sku": "ENGRAVING"}, order="#2")))["items"][0]
    assert (item["sku"], item["variantId"], item["fullName"]) == ("ENGRAVING", None, "Engraving")
