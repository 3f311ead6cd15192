"""refundCreate: what it books, and every way in which it refuses."""

from typing import Any

from tests.unit.sandbox.box import CLOSED, MAIN, REFUND, SHOP, Box, gid


def paying(
    box: Box, amount: str, *lines: dict[str, Any], name: str = "#1001", payment: int = 0, **more: object
) -> dict[str, Any]:
    """RefundInput with one transaction."""
    transaction = {
        "orderId": box.order(name),
        "parentId": box.payment(payment, name),
        "gateway": "shopify_payments",
        "kind": "REFUND",
        "amount": amount,
    }
    return {"orderId": box.order(name), "refundLineItems": [*lines], "transactions": [transaction], **more}


def units(
    box: Box, quantity: int, restock: str = "RETURN", location: int = MAIN, name: str = "#1001", place: int = 0
) -> dict[str, Any]:
    """RefundLineItemInput."""
    where = {"locationId": gid("Location", location)} if restock != "NO_RESTOCK" else {}
    return {"lineItemId": box.line(place, name), "quantity": quantity, "restockType": restock, **where}


async def refuse(box: Box, given: dict[str, Any], key: str = "key") -> dict[str, Any]:
    """The one user error of a refused refund; the order is there beside it, no refund is."""
    answer = (await box.data(REFUND, input=given, key=key))["refundCreate"]
    assert answer["refund"] is None
    assert len(answer["userErrors"]) == 1
    return dict(answer["userErrors"][0])


async def test_a_refund_pays_and_restocks_and_the_books_say_so(box: Box) -> None:
    given = paying(box, "398.00", units(box, 1), units(box, 1, "NO_RESTOCK"), note="RMA 1")
    answer = (await box.data(REFUND, input=given, key="k"))["refundCreate"]
    assert answer["userErrors"] == []
    assert answer["refund"]["totalRefundedSet"]["presentmentMoney"] == {"amount": "398.0", "currencyCode": "ZAR"}
    assert [line["restocked"] for line in answer["refund"]["refundLineItems"]["nodes"]] == [True, False]
    assert answer["order"]["displayFinancialStatus"] == "PARTIALLY_REFUNDED"
    books = await box.books()
    assert books["totals"] == {
        "moved": {"TEE-M@11.available": 1},
        "money_out": {"refund.shopify_payments.ZAR": "398.00"},
    }
    assert books["orders"]["#1001"]["units"][0] | {"line_item_id": 0} == {
        "line_item_id": 0, "sku": "TEE-M", "bought": 3, "refunded": 2, "removed": 0, "sent": 3,
            "restocked_by_refund_or_return": 1,
    }  # fmt: skip
    assert books["findings"] == []


async def test_more_than_was_paid_is_refused_with_both_figures(box: Box) -> None:
    error = await refuse(box, paying(box, "700.00"))
    assert error == {
        "field": None,
        "message": "Refund amount R700.00 is greater than net payment received R647.00",
    }
    assert (await box.books())["money"] == []


async def test_over_refunding_is_not_allowed_to_plain_transactions_either(box: Box) -> None:
    error = await refuse(box, paying(box, "700.00", allowOverRefunding=True))
    assert "is greater than net payment received" in error["message"]


async def test_more_units_than_were_bought_are_refused_also_over_two_lines_and_two_refunds(box: Box) -> None:
    text = "Quantity cannot refund more items than were purchased"
    error = await refuse(box, paying(box, "1.00", units(box, 2), units(box, 2)))
    assert error == {"field": ["refundLineItems", "1", "quantity"], "message": text}
    await box.data(REFUND, input=paying(box, "1.00", units(box, 3)), key="first")
    error = await refuse(box, paying(box, "1.00", units(box, 1)), key="second")
    assert error == {"field": ["refundLineItems", "0", "quantity"], "message": text}


async def test_an_unknown_order_a_foreign_parent_and_a_wrong_kind_are_refused(box: Box) -> None:
    await box.place("#1002", lines=[{"sku": "MUG"}])
    unknown = await refuse(box, {"orderId": gid("Order", 1)}, key="a")
    assert unknown == {"field": ["orderId"], "message": "Order does not exist"}
    foreign = paying(box, "1.00")
    foreign["transactions"][0]["parentId"] = box.payment(0, "#1002")
    assert (await refuse(box, foreign, key="b"))[
        "message"
    ] == "Transactions require a parent_id associated with the order"
    wrong = paying(box, "1.00")
    wrong["transactions"][0]["kind"] = "AUTHORIZATION"
    assert (await refuse(box, wrong, key="c")) == {
        "field": None,
        "message": "Kind authorization is not a valid transaction",
    }


async def test_no_payment_takes_back_more_than_it_brought(box: Box) -> None:
    payments = [{"gateway": "gift_card", "amount": "40.00"}, {"gateway": "shopify_payments", "amount": "49.00"}]
    await box.place("#1002", lines=[{"sku": "MUG"}], payments=payments)
    error = await refuse(box, paying(box, "41.00", name="#1002"))
    assert error["message"] == "Refund amount R41.00 is greater than R40.00 left on the payment"


async def test_money_goes_to_the_parents_tender_whatever_gateway_is_named(box: Box) -> None:
    payments = [{"gateway": "gift_card", "amount": "40.00"}, {"gateway": "shopify_payments", "amount": "49.00"}]
    await box.place("#1002", lines=[{"sku": "MUG"}], payments=payments)
    await box.data(REFUND, input=paying(box, "40.00", name="#1002"), key="k")
    assert (await box.books())["orders"]["#1002"]["refunded"] == {"gift_card": "40.00"}


async def test_a_closed_location_is_refused_and_a_foreign_currency_too(box: Box) -> None:
    error = await refuse(box, paying(box, "1.00", units(box, 1, location=CLOSED)), key="a")
    assert error == {
        "field": ["refundLineItems", "0", "locationId"],
        "message": "The specified location could not be found.",
    }
    assert (await refuse(box, paying(box, "1.00", currency="USD"), key="b"))["field"] == ["currency"]


async def test_an_untracked_item_is_dropped_without_a_word(box: Box) -> None:
    await box.place("#1002", lines=[{"sku": "POSTER"}])
    given = paying(box, "100.00", units(box, 1, name="#1002"), name="#1002")
    answer = (await box.data(REFUND, input=given, key="k"))["refundCreate"]
    assert answer["userErrors"] == []
    assert answer["refund"]["refundLineItems"]["nodes"][0]["restocked"] is False
    books = await box.books()
    assert [(each["delta"], each["applied"]) for each in books["movements"]] == [(1, False)]
    assert books["totals"]["moved"] == {}


async def test_paying_less_than_the_lines_are_worth_leaves_an_adjustment(box: Box) -> None:
    answer = (await box.data(REFUND, input=paying(box, "150.00", units(box, 1)), key="k"))["refundCreate"]
    rows = answer["refund"]["orderAdjustments"]["nodes"]
    assert rows == [{"amountSet": {"presentmentMoney": {"amount": "-49.0"}}, "reason": "REFUND_DISCREPANCY"}]


async def test_shipping_is_refunded_once(box: Box) -> None:
    await box.data(REFUND, input=paying(box, "50.00", shipping={"fullRefund": True}), key="a")
    error = await refuse(box, paying(box, "1.00", shipping={"amount": "1.00"}), key="b")
    assert error["field"] == ["shipping", "amount"]


async def test_a_store_credit_refund_credits_the_customer_and_lowers_what_can_be_refunded(box: Box) -> None:
    credit = {"storeCreditRefund": {"amount": {"amount": "600.00", "currencyCode": "ZAR"}}}
    answer = (await box.data(REFUND, input={"orderId": box.order(), "refundMethods": [credit]}, key="a"))[
        "refundCreate"
    ]
    assert answer["refund"]["totalRefundedSet"]["presentmentMoney"]["amount"] == "600.0"
    books = await box.books()
    assert [(each["kind"], each["amount"], each["order"]) for each in books["money"]] == [
        ("store_credit", "600.00", "#1001")
    ]
    assert "greater than net payment received R47.00" in (await refuse(box, paying(box, "48.00"), key="b"))["message"]
    over = {"orderId": box.order(), "refundMethods": [credit], "allowOverRefunding": True}
    assert (await box.data(REFUND, input=over, key="c"))["refundCreate"]["userErrors"] == []


async def test_money_may_be_pending_or_fail_and_settle_later(box: Box) -> None:
    await box.control("/faults", match={"operation": "refundCreate"}, fault="refund_pending")
    answer = (await box.data(REFUND, input=paying(box, "100.00"), key="a"))["refundCreate"]
    paid = answer["refund"]["transactions"]["nodes"][0]
    assert paid["status"] == "PENDING"
    number = int(paid["id"].rpartition("/")[2])
    await box.control(f"/shopify/{SHOP}/staff/settle", transaction_id=number, status="FAILURE")
    assert (await box.books())["orders"]["#1001"]["refunded"] == {}
    await box.control("/faults", match={"operation": "refundCreate"}, fault="refund_failure")
    answer = (await box.data(REFUND, input=paying(box, "100.00"), key="b"))["refundCreate"]
    assert answer["refund"]["transactions"]["nodes"][0] | {"id": ""} == {
        "id": "", "kind": "REFUND", "status": "FAILURE", "gateway": "shopify_payments",
        "errorCode": "PAYMENT_PROVIDER_ERROR", "amountSet": {"presentmentMoney": {"amount": "100.0"}},
    }  # fmt: skip


async def test_money_that_had_moved_may_fail_days_later_under_the_same_date(box: Box) -> None:
    answer = (await box.data(REFUND, input=paying(box, "100.00"), key="a"))["refundCreate"]
    number = int(answer["refund"]["transactions"]["nodes"][0]["id"].rpartition("/")[2])
    look = "query($id: ID!) { refund(id: $id) { createdAt updatedAt totalRefundedSet { shopMoney { amount } } } }"
    before = (await box.data(look, id=answer["refund"]["id"]))["refund"]
    await box.control("/clock", advance_seconds=172_800)
    await box.control(f"/shopify/{SHOP}/staff/settle", transaction_id=number, status="FAILURE")
    after = (await box.data(look, id=answer["refund"]["id"]))["refund"]
    assert before["createdAt"] == before["updatedAt"] == after["createdAt"]
    assert after["updatedAt"] > before["updatedAt"]
    assert after["totalRefundedSet"]["shopMoney"]["amount"] == "0.0"
    assert (await box.books())["orders"]["#1001"]["refunded"] == {}


async def test_an_old_order_is_invisible_without_read_all_orders(box: Box) -> None:
    await box.control("/reset")
    await box.open(read_all_orders=False)
    await box.place("#900", lines=[{"sku": "MUG"}], created_at="2020-01-01T00:00:00Z")
    assert (await box.data("query($id: ID!) { order(id: $id) { id } }", id=box.order("#900")))["order"] is None
    assert (await refuse(box, paying(box, "1.00", name="#900")))["message"] == "Order does not exist"
