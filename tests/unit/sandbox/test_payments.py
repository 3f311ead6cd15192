"""How orders are paid: promised and captured later, in parts, given up, from outside; and rates that move."""

from typing import Any

import pytest

from tests.unit.sandbox.box import REFUND, SHOP, Box, gid

MONEY = """
query Money($id: ID!) {
  order(id: $id) {
    displayFinancialStatus paymentGatewayNames
    totalReceivedSet { presentmentMoney { amount } shopMoney { amount } }
    totalRefundedSet { presentmentMoney { amount } shopMoney { amount } }
    netPaymentSet { presentmentMoney { amount } shopMoney { amount } }
    transactions(first: 40) {
      id kind status gateway formattedGateway parentTransaction { id } maximumRefundableV2 { amount }
      amountSet { presentmentMoney { amount } shopMoney { amount } }
    }
    suggestedRefund(suggestFullRefund: true) {
      amountSet { presentmentMoney { amount } shopMoney { amount } }
      suggestedTransactions { gateway parentTransaction { id kind } amountSet { shopMoney { amount } } }
    }
  }
}
"""
PROMISED = [{"kind": "AUTHORIZATION", "amount": "89.00"}]


async def money(box: Box, name: str = "#2") -> dict[str, Any]:
    """The order's money as it reads."""
    return dict((await box.data(MONEY, id=box.order(name)))["order"])


async def staff(box: Box, action: str, **body: object) -> dict[str, Any]:
    """Somebody does something to order #2."""
    return await box.control(f"/shopify/{SHOP}/staff/{action}", order="#2", **body)


async def refund(box: Box, parent: str, amount: str, key: str = "k") -> list[str]:
    """Texts of what a refund of an amount is refused for."""
    paid = {"orderId": box.order("#2"), "parentId": parent, "gateway": "whatever", "kind": "REFUND", "amount": amount}
    given = {"orderId": box.order("#2"), "currency": "ZAR", "transactions": [paid]}
    made = (await box.data(REFUND, input=given, key=key))["refundCreate"]
    return [each["message"] for each in made["userErrors"]]


async def test_what_is_promised_is_not_received_and_cannot_be_refunded(box: Box) -> None:
    await box.place("#2", lines=[{"sku": "MUG"}], payments=PROMISED)
    seen = await money(box)
    assert seen["displayFinancialStatus"] == "AUTHORIZED"
    assert seen["totalReceivedSet"]["presentmentMoney"]["amount"] == "0.0"
    assert seen["suggestedRefund"]["suggestedTransactions"] == []
    assert await refund(box, box.payment(0, "#2"), "89.00") == [
        "Transactions require a parent_id associated with the order"
    ]


async def test_a_capture_is_a_child_of_its_authorisation_and_the_parent_of_refunds(box: Box) -> None:
    await box.place("#2", lines=[{"sku": "MUG"}], payments=PROMISED)
    for amount in ("50.00", None):
        await staff(box, "capture", **({"amount": amount} if amount else {}))
    seen = await money(box)
    promised, *captures = seen["transactions"]
    assert [each["kind"] for each in captures] == ["CAPTURE", "CAPTURE"]
    assert [each["amountSet"]["presentmentMoney"]["amount"] for each in captures] == ["50.0", "39.0"]
    assert {each["parentTransaction"]["id"] for each in captures} == {promised["id"]}
    assert promised["maximumRefundableV2"] is None
    assert seen["displayFinancialStatus"] == "PAID"
    parents = [each["parentTransaction"]["id"] for each in seen["suggestedRefund"]["suggestedTransactions"]]
    assert parents == [each["id"] for each in captures]
    assert await refund(box, captures[1]["id"], "39.00") == []
    assert (await refund(box, captures[1]["id"], "1.00", "more"))[0].endswith("left on the payment")


async def test_what_is_given_up_is_gone_and_what_was_captured_before_stays(box: Box) -> None:
    await box.place("#2", lines=[{"sku": "MUG"}], payments=PROMISED)
    await staff(box, "capture", amount="30.00")
    await staff(box, "void")
    seen = await money(box)
    assert [each["kind"] for each in seen["transactions"]] == ["AUTHORIZATION", "CAPTURE", "VOID"]
    assert seen["displayFinancialStatus"] == "PARTIALLY_PAID"
    assert seen["suggestedRefund"]["amountSet"]["presentmentMoney"]["amount"] == "30.0"
    answer = await box.client.post(f"/_sandbox/shopify/{SHOP}/staff/capture", json={"order": "#2"})
    assert (answer.status_code, answer.json()) == (400, {"error": "no payment of #2 can be captured"})


async def test_a_pending_payment_stays_pending_beside_the_capture_that_says_it_was_paid(box: Box) -> None:
    transfer = {"gateway": "Bank Deposit", "status": "PENDING", "amount": "89.00"}
    await box.place("#2", lines=[{"sku": "MUG"}], payments=[transfer])
    assert (await money(box))["displayFinancialStatus"] == "PENDING"
    await staff(box, "mark-paid")
    seen = await money(box)
    assert [(each["kind"], each["status"]) for each in seen["transactions"]] == [
        ("SALE", "PENDING"), ("CAPTURE", "SUCCESS"),
    ]  # fmt: skip
    assert seen["totalReceivedSet"]["presentmentMoney"]["amount"] == "89.0"


async def test_a_refund_names_the_gateway_of_its_payment_whatever_the_request_says(box: Box) -> None:
    await box.place("#2", lines=[{"sku": "MUG"}])
    assert await refund(box, box.payment(0, "#2"), "9.00") == []
    out = (await money(box))["transactions"][-1]
    assert (out["kind"], out["gateway"], out["formattedGateway"]) == ("REFUND", "shopify_payments", "Shopify Payments")


async def test_money_moves_at_the_rate_of_its_day(box: Box) -> None:
    await box.control(f"/shopify/{SHOP}/staff/rate", currency="EUR", rate="20.005")
    await box.place("#2", lines=[{"sku": "MUG", "unit_price": "10.01"}], currency="EUR", payments=[
        {"kind": "AUTHORIZATION", "amount": "10.01"}])  # fmt: skip
    await box.control(f"/shopify/{SHOP}/staff/rate", currency="EUR", rate="21")
    await staff(box, "capture")
    await box.control(f"/shopify/{SHOP}/staff/rate", currency="EUR", rate="22.3")
    seen = await money(box)
    assert [each["amountSet"]["shopMoney"]["amount"] for each in seen["transactions"]] == ["200.25", "210.21"]
    assert seen["suggestedRefund"]["amountSet"]["shopMoney"]["amount"] == "223.22"
    paid = {"orderId": box.order("#2"), "parentId": seen["transactions"][1]["id"], "gateway": "g", "kind": "REFUND"}
    given = {"orderId": box.order("#2"), "currency": "EUR", "transactions": [{**paid, "amount": "10.01"}]}
    made = (await box.data(REFUND, input=given, key="k"))["refundCreate"]
    assert made["refund"]["totalRefundedSet"]["shopMoney"]["amount"] == "223.22"
    after = await money(box)
    assert after["netPaymentSet"] == {"presentmentMoney": {"amount": "0.0"}, "shopMoney": {"amount": "-13.01"}}
    out = (await box.books())["money"][-1]
    assert (out["amount"], out["currency"], out["shop_amount"]) == ("10.01", "EUR", "223.22")


@pytest.mark.parametrize("amount", ["0", "89.01"])
async def test_more_than_was_promised_cannot_be_captured(box: Box, amount: str) -> None:
    await box.place("#2", lines=[{"sku": "MUG"}], payments=PROMISED)
    answer = await box.client.post(f"/_sandbox/shopify/{SHOP}/staff/capture", json={"order": "#2", "amount": amount})
    assert answer.status_code == 400
    assert gid("OrderTransaction", 1) not in str(answer.json())
