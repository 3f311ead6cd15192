"""Webhooks that leave the sandbox: registered, signed, retried, given up, and disturbed on demand."""

import json
from typing import Any

from tests.unit.sandbox.box import ADJUST, REFUND, SHOP, Box, adjustment, change, gid, signature

SUBSCRIBE = """
mutation Hook($topic: WebhookSubscriptionTopic!, $uri: String!) {
  webhookSubscriptionCreate(topic: $topic, webhookSubscription: {uri: $uri, name: "ours"}) {
    webhookSubscription { id topic uri } userErrors { field message }
  }
}
"""
SUBSCRIPTIONS = "{ webhookSubscriptions(first: 50) { nodes { id topic uri } } }"


async def subscribe(box: Box, *topics: str, uri: str = "http://ours/hooks") -> list[str]:
    """Subscribes to topics and returns the subscriptions' ids."""
    answers = [(await box.data(SUBSCRIBE, topic=topic, uri=uri))["webhookSubscriptionCreate"] for topic in topics]
    return [answer["webhookSubscription"]["id"] for answer in answers]


async def restock(box: Box, key: str = "k") -> None:
    """One adjustment, which fires inventory_levels/update."""
    await box.data(ADJUST, input=adjustment(change(box, "MUG")), key=key)


def bodies(box: Box) -> list[dict[str, Any]]:
    """What came, parsed."""
    return [json.loads(body) for _, body in box.listener.received]


async def test_a_refund_fires_its_topics_signed_over_the_raw_body_with_one_event_id(box: Box) -> None:
    await subscribe(box, "REFUNDS_CREATE", "ORDERS_UPDATED", "INVENTORY_LEVELS_UPDATE", "ORDER_TRANSACTIONS_CREATE")
    line = {"lineItemId": box.line(), "quantity": 1, "restockType": "RETURN", "locationId": gid("Location", 11)}
    money = {"orderId": box.order(), "parentId": box.payment(), "gateway": "g", "kind": "REFUND", "amount": "199.00"}
    await box.data(REFUND, input={"orderId": box.order(), "refundLineItems": [line], "transactions": [money]}, key="k")
    await box.settle()
    assert sorted(box.listener.topics()) == [
        "inventory_levels/update", "order_transactions/create", "orders/updated", "refunds/create",
    ]  # fmt: skip
    assert len({headers["x-shopify-event-id"] for headers, _ in box.listener.received}) == 1
    assert len({headers["x-shopify-webhook-id"] for headers, _ in box.listener.received}) == 4
    for headers, body in box.listener.received:
        assert headers["x-shopify-hmac-sha256"] == signature("shpss_demo", body)
        assert (headers["x-shopify-shop-domain"], headers["x-shopify-name"]) == (SHOP, "ours")
        assert headers["x-shopify-api-version"] == "2026-04"
        assert headers["x-shopify-triggered-at"].endswith("Z")
    refund = next(
        json.loads(body) for headers, body in box.listener.received if headers["x-shopify-topic"] == "refunds/create"
    )
    assert refund["refund_line_items"][0]["restock_type"] == "return"
    assert refund["refund_line_items"][0]["location_id"] == 11
    assert (refund["transactions"][0]["kind"], refund["transactions"][0]["amount"]) == ("refund", "199.00")
    order = next(
        json.loads(body) for headers, body in box.listener.received if headers["x-shopify-topic"] == "orders/updated"
    )
    assert order["financial_status"] == "partially_refunded"
    assert order["line_items"][0]["current_quantity"] == 2


async def test_a_level_is_absolute_and_null_when_it_is_not_tracked(box: Box) -> None:
    await subscribe(box, "INVENTORY_LEVELS_UPDATE", "INVENTORY_ITEMS_UPDATE")
    await restock(box)
    await box.control(f"/shopify/{SHOP}/staff/tracking", sku="MUG", tracked=False)
    await box.settle()
    assert [body.get("available") for body in bodies(box)] == [6, None]
    assert [body.get("tracked") for body in bodies(box)] == [None, False]


async def test_one_address_per_topic_and_a_deleted_subscription_is_silent(box: Box) -> None:
    first = (await subscribe(box, "INVENTORY_LEVELS_UPDATE"))[0]
    again = (await box.data(SUBSCRIBE, topic="INVENTORY_LEVELS_UPDATE", uri="http://ours/hooks"))[
        "webhookSubscriptionCreate"
    ]
    assert again["userErrors"][0]["message"] == "Address for this topic has already been taken"
    wrong = (await box.data(SUBSCRIBE, topic="ORDERS_PAID", uri="ftp://ours"))["webhookSubscriptionCreate"]
    assert wrong["userErrors"][0]["message"] == "Address is invalid"
    delete = """mutation D($id: ID!) {
        webhookSubscriptionDelete(id: $id) { deletedWebhookSubscriptionId userErrors { message } } }"""
    assert (await box.data(delete, id=first))["webhookSubscriptionDelete"]["deletedWebhookSubscriptionId"] == first
    assert (await box.data(delete, id=first))["webhookSubscriptionDelete"]["userErrors"][0][
        "message"
    ] == "Webhook subscription does not exist"
    await restock(box)
    await box.settle()
    assert box.listener.received == []


async def test_a_failed_delivery_comes_again_unchanged(box: Box) -> None:
    await subscribe(box, "INVENTORY_LEVELS_UPDATE")
    box.listener.answers = [500, 302, 200]
    await box.control("/clock", speed=100_000)
    await restock(box)
    await box.settle()
    assert len(box.listener.received) == 3
    assert len({body for _, body in box.listener.received}) == 1
    assert len({headers["x-shopify-webhook-id"] for headers, _ in box.listener.received}) == 1
    assert (await box.look("/webhooks"))["webhooks"][0]["statuses"] == [500, 302, 200]


async def test_after_eight_failed_retries_over_four_hours_the_subscription_is_gone(box: Box) -> None:
    await subscribe(box, "INVENTORY_LEVELS_UPDATE", "ORDERS_UPDATED")
    box.listener.answers = [500] * 9
    before = await box.look("/clock")
    await box.control("/clock", speed=200_000)
    await restock(box)
    await box.settle()
    delivery = (await box.look("/webhooks"))["webhooks"][0]
    assert (delivery["state"], delivery["attempts"]) == ("given up", 9)
    left = (await box.data(SUBSCRIPTIONS))["webhookSubscriptions"]["nodes"]
    assert [row["topic"] for row in left] == ["ORDERS_UPDATED"]
    assert (await box.look("/clock"))["now"] > before["now"]
    assert [mark["kind"] for mark in (await box.books())["marks"]] == ["subscription_removed"]


async def test_the_retries_wait_in_sandbox_time(box: Box) -> None:
    await subscribe(box, "INVENTORY_LEVELS_UPDATE")
    box.listener.answers = [500]
    await restock(box)
    assert (await box.control("/webhooks/settle", seconds=0.05))["pending"] == 1
    await box.control("/clock", advance_seconds=61)
    await box.settle()
    assert len(box.listener.received) == 2


async def test_webhooks_can_be_lost_and_doubled(box: Box) -> None:
    await subscribe(box, "INVENTORY_LEVELS_UPDATE")
    for fault in ("drop_webhook", "duplicate_webhook"):
        await box.control("/faults", match={"system": "webhook", "operation": "INVENTORY_LEVELS_UPDATE"}, fault=fault)
        await restock(box, fault)
        await box.settle()
    assert [body["available"] for body in bodies(box)] == [7, 7]
    states = [row["state"] for row in (await box.look("/webhooks"))["webhooks"]]
    assert states == ["dropped", "delivered"]


async def test_webhooks_can_come_late_and_out_of_order(box: Box) -> None:
    await subscribe(box, "INVENTORY_LEVELS_UPDATE")
    await box.control("/faults", fault="delay_webhook", seconds=3600)
    await restock(box, "late")
    await restock(box, "next")
    assert (await box.control("/webhooks/settle", seconds=0.05))["pending"] == 1
    await box.control("/clock", advance_seconds=3601)
    await box.settle()
    await box.control("/faults", fault="reorder_webhook")
    await restock(box, "held")
    await restock(box, "overtakes")
    await box.settle()
    assert [body["available"] for body in bodies(box)] == [7, 6, 9, 8]


async def test_a_delivery_can_be_sent_again_on_demand(box: Box) -> None:
    await subscribe(box, "INVENTORY_LEVELS_UPDATE")
    await restock(box)
    await box.settle()
    delivery = (await box.look("/webhooks"))["webhooks"][0]
    assert await box.control("/webhooks/redeliver", ids=[delivery["id"]]) == {"sent": 1}
    await box.settle()
    assert box.listener.received[0] == box.listener.received[1]


async def test_after_the_secret_was_rotated_the_new_one_signs(box: Box) -> None:
    await subscribe(box, "INVENTORY_LEVELS_UPDATE")
    await box.control(f"/shops/{SHOP}/rotate-secret", client_secret="new")
    await restock(box)
    await box.settle()
    headers, body = box.listener.received[0]
    assert headers["x-shopify-hmac-sha256"] == signature("new", body)


async def test_an_address_that_answers_nothing_is_a_failed_attempt(box: Box) -> None:
    await subscribe(box, "INVENTORY_LEVELS_UPDATE")
    box.listener.answers = [0]
    await restock(box)
    assert (await box.control("/webhooks/settle", seconds=0.05))["pending"] == 1
    assert (await box.look("/webhooks"))["webhooks"][0]["statuses"] == [None]
