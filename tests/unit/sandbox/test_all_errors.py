"""A mutation that is refused lists all that is wrong with it, not the first thing; and does nothing of it."""

from typing import Any

from tests.unit.sandbox.box import ADJUST, REFUND, Box, adjustment, change, gid


def fields(errors: list[dict[str, Any]]) -> list[str]:
    """Which fields are complained about, in their order."""
    return [".".join(each["field"]) if each["field"] else "" for each in errors]


async def test_a_refund_lists_its_lines_its_money_and_its_shipping(box: Box) -> None:
    paid = {"orderId": box.order(), "gateway": "g", "kind": "REFUND"}
    given = {
        "orderId": box.order(),
        "refundLineItems": [
            {"lineItemId": gid("LineItem", 1), "quantity": 1},
            {"lineItemId": box.line(), "quantity": 4, "restockType": "LEGACY_RESTOCK"},
            {"lineItemId": box.line(), "quantity": 1, "restockType": "RETURN", "locationId": gid("Location", 13)},
        ],
        "shipping": {"amount": "50.01"},
        "transactions": [
            {**paid, "parentId": gid("OrderTransaction", 1), "amount": "1.00"},
            {**paid, "parentId": box.payment(), "amount": "0"},
        ],
    }
    answer = (await box.data(REFUND, input=given, key="k"))["refundCreate"]
    assert fields(answer["userErrors"]) == [
        "refundLineItems.0.lineItemId", "refundLineItems.1.quantity", "refundLineItems.1.restockType",
        "refundLineItems.2.quantity", "refundLineItems.2.locationId", "shipping.amount", "transactions",
        "transactions.1.amount",
    ]  # fmt: skip
    assert answer["refund"] is None
    assert (await box.books())["money"] == []


async def test_an_adjustment_lists_every_change_that_cannot_be_made(box: Box) -> None:
    changes = (change(box, "TEE-M"), change(box, "SET"), change(box, "MUG", location=13), change(box, "TEE-M", 99))
    answer = (await box.data(ADJUST, input=adjustment(*changes), key="k"))["inventoryAdjustQuantities"]
    assert [each["code"] for each in answer["userErrors"]] == [
        "NON_MUTABLE_INVENTORY_ITEM", "INVALID_LOCATION", "INVALID_LOCATION",
    ]  # fmt: skip
    assert (await box.books())["movements"] == []


async def test_wrong_words_of_an_adjustment_are_listed_together(box: Box) -> None:
    given = adjustment(change(box, "TEE-M"), name="on_hand", reason="because", referenceDocumentUri="none")
    answer = (await box.data(ADJUST, input=given, key="k"))["inventoryAdjustQuantities"]
    assert [each["code"] for each in answer["userErrors"]] == [
        "INVALID_QUANTITY_NAME", "INVALID_REASON", "INVALID_REFERENCE_DOCUMENT", "INVALID_QUANTITY_DOCUMENT",
    ]  # fmt: skip


async def test_a_gift_card_lists_its_value_its_customer_and_its_code(box: Box) -> None:
    document = """mutation Card($input: GiftCardCreateInput!) {
        giftCardCreate(input: $input) { giftCard { id } userErrors { field message code } } }"""
    given = {"initialValue": "60000", "customerId": gid("Customer", 1), "code": "abc"}
    answer = (await box.data(document, input=given))["giftCardCreate"]
    assert [each["code"] for each in answer["userErrors"]] == [
        "GIFT_CARD_LIMIT_EXCEEDED", "CUSTOMER_NOT_FOUND", "TOO_SHORT",
    ]  # fmt: skip
