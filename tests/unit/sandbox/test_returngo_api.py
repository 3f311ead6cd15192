"""ReturnGO's API as a caller meets it: headers, quota, lists, oddities of the JSON, writes."""

import base64
from typing import Any

import pytest

from tests.unit.sandbox.box import MAIN, SHOP, Box


async def rma(box: Box, *units: dict[str, Any], order: str = "#1001", **more: object) -> str:
    """A new RMA's id."""
    made = await box.control(f"/returngo/{SHOP}/rmas", order=order, units=[*units] or [{"sku": "TEE-M"}], **more)
    return str(made["rma_id"])


async def step(box: Box, rma_id: str, name: str, **body: object) -> dict[str, Any]:
    """One step of an RMA."""
    return await box.control(f"/returngo/{SHOP}/rmas/{rma_id}/{name}", **body)


async def detail(box: Box, rma_id: str) -> dict[str, Any]:
    """GET /rma/{rmaId}."""
    answer = await box.returngo("GET", f"/rma/{rma_id}")
    assert answer.status_code == 200
    return dict(answer.json())


async def test_key_and_shop_must_fit(box: Box) -> None:
    assert (await box.returngo("GET", "/webhooks", headers={"x-api-key": "wrong"})).status_code == 401
    refused = await box.returngo("GET", "/webhooks", headers={"x-shop-name": "other.myshopify.com"})
    assert (refused.status_code, refused.json()) == (403, {"message": "no such shop for this user"})
    fine = await box.returngo("GET", "/webhooks")
    assert fine.status_code == 200
    assert {"x-amzn-requestid", "x-amz-apigw-id", "x-amzn-trace-id"} <= set(fine.headers)


async def test_the_day_has_2000_calls_and_starts_anew(box: Box) -> None:
    await box.control("/reset")
    await box.open(daily_limit=2, per_second_limit=100)
    assert [(await box.returngo("GET", "/webhooks")).status_code for _ in range(3)] == [200, 200, 429]
    assert (await box.returngo("GET", "/webhooks")).json() == {"message": "Limit Exceeded"}
    await box.control("/clock", advance_seconds=86400)
    assert (await box.returngo("GET", "/webhooks")).status_code == 200
    books = (await box.books())["returngo"]
    assert (sorted(books["calls_by_day"].values()), books["limited"]) == ([1, 2], 2)


async def test_two_stores_of_one_key_share_the_quota(box: Box) -> None:
    await box.control("/shops", domain="two.myshopify.com", daily_limit=2)
    statuses = [
        (await box.returngo("GET", "/webhooks", headers={"x-shop-name": shop})).status_code
        for shop in (SHOP, "two.myshopify.com", SHOP)
    ]
    assert statuses == [200, 200, 429]


async def test_bursts_are_limited_too(box: Box) -> None:
    await box.control("/reset")
    await box.open(per_second_limit=1)
    answers = [await box.returngo("GET", "/webhooks") for _ in range(3)]
    assert {"message": "Too Many Requests"} in [answer.json() for answer in answers]


async def test_a_row_of_the_list_is_a_summary_and_pages_by_an_opaque_cursor(box: Box) -> None:
    ids = [await rma(box) for _ in range(3)]
    first = (await box.returngo("GET", "/rmas?pagesize=2")).json()
    assert [row["rmaId"] for row in first["rmas"]] == ids[:2]
    assert set(first["rmas"][0]) == {"rmaId", "status", "order_name", "events"}
    assert first["rmas"][0]["order_name"] == "1001"
    assert base64.b64decode(first["next_cursor"]).decode() == f"returns.id:{ids[1]}"
    second = (await box.returngo("GET", f"/rmas?pagesize=2&cursor={first['next_cursor']}")).json()
    assert [row["rmaId"] for row in second["rmas"]] == ids[2:]
    assert "next_cursor" not in second


@pytest.mark.parametrize(
    "query",
    ["", "pagesize=0", "pagesize=501", "pagesize=x", "pagesize=5&rma_updated_at=2026",
     "pagesize=5&rma_updated_at=gte:today", "pagesize=5&cursor=!!", "pagesize=5&sort_by=%2Bnothing"],
)  # fmt: skip
async def test_wrong_parameters_are_400(box: Box, query: str) -> None:
    assert (await box.returngo("GET", f"/rmas?{query}")).status_code == 400


async def test_the_list_is_filtered_and_sorted(box: Box) -> None:
    await box.control("/clock", set="2026-03-02T08:00:00Z")
    first = await rma(box)
    await box.control("/clock", advance_seconds=3600)
    second = await rma(box)
    await step(box, second, "approve")

    async def listed(query: str) -> list[str]:
        return [row["rmaId"] for row in (await box.returngo("GET", f"/rmas?pagesize=9&{query}")).json()["rmas"]]

    assert await listed("status=Approved,Done") == [second]
    assert await listed("rma_updated_at=gte:2026-03-02T09:00:00") == [second]
    assert await listed("rma_created_at=gte:2026-03-02T08:00:00&rma_created_at=lt:2026-03-02T09:00:00") == [first]
    assert await listed("sort_by=-rma_updated_at") == [second, first]
    assert await listed("order_name=9999") == []


async def test_one_item_per_unit_and_not_validated_yet_looks_like_not_returned(box: Box) -> None:
    seen = await detail(box, await rma(box, {"sku": "TEE-M", "quantity": 2}))
    assert [item["shopLineItemId"] for item in seen["items"]] == [
        str(box.seeded["orders"]["#1001"]["lines"][0]["id"])
    ] * 2
    assert len({item["returnedItemId"] for item in seen["items"]}) == 2
    validation = seen["items"][0]["itemValidationStatusResponse"]
    assert (validation["isReturned"], validation["isRestockable"], validation["lastValidationDate"]) == (
        False,
        False,
        None,
    )
    assert "returnedItemId" not in validation
    assert seen["items"][0]["paidPrice"] == {
        "amount": 199.0,
        "currency": "ZAR",
        "shopAmount": 199.0,
        "shopCurrency": "ZAR",
    }
    assert (seen["items"][0]["isAutoApprove"], seen["items"][0]["taxIncluded"], seen["isOutOfPolicy"]) == (0, True, 0)


async def test_last_updated_does_not_move_when_only_the_shipment_or_a_single_unit_changes(box: Box) -> None:
    rma_id = await rma(box, {"sku": "TEE-M", "quantity": 2})
    await step(box, rma_id, "approve")
    before = (await detail(box, rma_id))["lastUpdated"]
    await box.control("/clock", advance_seconds=3600)
    await step(box, rma_id, "ship")
    await step(box, rma_id, "receive", only_shipment=True)
    await step(box, rma_id, "validate", units=[{"unit": 0}])
    seen = await detail(box, rma_id)
    assert (seen["lastUpdated"], seen["shipments"][0]["status"], seen["rmaSummary"]["status"]) == (
        before,
        "Received",
        "Approved",
    )
    await step(
        box, rma_id, "validate", units=[{"unit": 1, "restockable": False, "reason": "Stained", "location_id": MAIN}]
    )
    seen = await detail(box, rma_id)
    assert seen["lastUpdated"] > before
    assert seen["rmaSummary"]["status"] == "Validated"
    validation = seen["items"][1]["itemValidationStatusResponse"]
    assert (validation["nonRestockableReason"], validation["storeLocationId"]) == ("Stained", "11")


async def test_transactions_have_numbers_for_ids_in_the_list_and_text_in_the_rma(box: Box) -> None:
    rma_id = await rma(box)
    made = await step(box, rma_id, "transaction", amount="150.00")
    rows = (await box.returngo("GET", f"/transactions?pagesize=5&rma_ids={rma_id}")).json()["transactions"]
    assert [(row["id"], row["amount"]["amount"], row["status"]) for row in rows] == [
        (made["transaction_id"], 150.0, "Requested")
    ]
    assert (await detail(box, rma_id))["transactions"][0]["id"] == str(made["transaction_id"])
    assert (await box.returngo("GET", "/transactions?pagesize=5&statuses=Success")).json()["transactions"] == []
    assert (await box.returngo("GET", "/transactions?pagesize=5&types=RefundToPaymentMethod")).json()[
        "transactions"
    ] == rows


async def test_the_outcome_of_a_transaction_is_taken_and_written_down(box: Box) -> None:
    rma_id = await rma(box)
    number = (await step(box, rma_id, "transaction"))["transaction_id"]
    body = {"status": "Success", "externalReferenceId": "77", "externalReferenceType": "PlatformRefundId"}
    assert (await box.returngo("PUT", f"/transaction/{number}", json=body)).status_code == 200
    seen = (await detail(box, rma_id))["transactions"][0]
    assert (seen["status"], seen["externalReferenceId"], seen["externalReferenceType"]) == (
        "Success",
        "77",
        "PlatformRefundId",
    )
    outcomes = (await box.books())["returngo"]["outcomes"]
    assert [(row["kind"], row["value"], row["reference"]) for row in outcomes] == [("transaction", "Success", "77")]
    assert (await box.returngo("PUT", f"/transaction/{number}", json={})).status_code == 400
    assert (await box.returngo("PUT", "/transaction/1", json=body)).status_code == 404


async def test_comments_are_not_deduplicated(box: Box) -> None:
    rma_id = await rma(box)
    for _ in range(2):
        answer = await box.returngo("POST", f"/rma/{rma_id}/comment", json={"htmlText": "Restocked 1 x TEE-M"})
        assert answer.status_code == 201
    books = (await box.books())["returngo"]
    assert books["rmas"][rma_id]["comments"] == ["Restocked 1 x TEE-M"] * 2
    assert (await detail(box, rma_id))["comments"][0]["triggeredBy"] == "ReturnGO API"
    assert (await box.returngo("POST", f"/rma/{rma_id}/comment", json={})).status_code == 400


async def test_status_and_shipment_can_be_set_within_their_rules(box: Box) -> None:
    rma_id = await rma(box)
    await step(box, rma_id, "approve")
    shipment = (await detail(box, rma_id))["shipments"][0]["shipmentId"]
    assert (await box.returngo("PUT", f"/shipment/{shipment}", json={"status": "Received"})).status_code == 200
    assert (await detail(box, rma_id))["rmaSummary"]["status"] == "Received"
    back = await box.returngo("PUT", f"/shipment/{shipment}", json={"status": "Shipped"})
    assert back.status_code == 400
    same = {"status": "Received", "trackingNumber": "T-1"}
    assert (await box.returngo("PUT", f"/shipment/{shipment}", json=same)).status_code == 200
    assert (await detail(box, rma_id))["shipments"][0]["trackingNumber"] == "T-1"
    assert (await box.returngo("PUT", f"/rma/{rma_id}/status", json={"status": "Done"})).status_code == 200
    assert (await box.returngo("PUT", f"/rma/{rma_id}/status", json={"status": "Lost"})).status_code == 400
    assert (await detail(box, rma_id))["rmaSummary"]["status"] == "Done"


async def test_what_is_not_there_is_404_and_what_is_no_id_400(box: Box) -> None:
    assert (await box.returngo("GET", "/rma/1")).status_code == 404
    assert (await box.returngo("GET", "/rma/RMA1")).status_code == 400
    assert (await box.returngo("PUT", "/shipment/1", json={"status": "Received"})).status_code == 404
    assert (await box.returngo("PUT", "/rma/1/status", json={"status": "Done"})).status_code == 404
    assert (await box.returngo("POST", "/rma/1/comment", json={"htmlText": "x"})).status_code == 404
    assert (await box.returngo("DELETE", "/webhook/1")).status_code == 404


async def test_webhooks_are_registered_changed_and_removed(box: Box) -> None:
    made = (await box.returngo("POST", "/webhook", json={"url": "http://ours/r", "eventName": "RMA_CREATED"})).json()
    await box.returngo("PUT", f"/webhook/{made['id']}", json={"eventName": "TRANSACTION_CREATED"})
    assert (await box.returngo("GET", "/webhooks")).json() == [made | {"eventName": "TRANSACTION_CREATED"}]
    assert (
        await box.returngo("POST", "/webhook", json={"url": "http://ours/r", "eventName": "NOPE"})
    ).status_code == 400
    assert (await box.returngo("POST", "/webhook", json={"eventName": "RMA_CREATED"})).status_code == 400
    assert (await box.returngo("DELETE", f"/webhook/{made['id']}")).status_code == 200
    assert (await box.returngo("GET", "/webhooks")).json() == []
