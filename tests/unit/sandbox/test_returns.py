"""Native returns: created, disposed, processed, closed, with Shopify's own leniencies."""

import json
from typing import Any

from tests.unit.sandbox.box import CLOSED, MAIN, SHOP, Box, gid

RETURNABLE = """
query Returnable($order: ID!) {
  returnableFulfillments(orderId: $order, first: 5) {
    nodes {
      returnableFulfillmentLineItems(first: 5) { nodes { quantity fulfillmentLineItem { id lineItem { sku } } } }
    }
  }
}
"""
RETURN = """
  id name status
  returnLineItems(first: 5) {
    nodes { id quantity processedQuantity refundedQuantity ... on ReturnLineItem { fulfillmentLineItem { id } } }
  }
  reverseFulfillmentOrders(first: 5) {
    nodes {
      id status
      lineItems(first: 5) { nodes { id totalQuantity dispositions { type quantity location { id } } } }
    }
  }
  refunds(first: 5) { nodes { id } }
"""
CREATE = (
    """
mutation Create($input: ReturnInput!) {
  returnCreate(returnInput: $input) { return { ...all } userErrors { field message code } }
}
fragment all on Return {
"""
    + RETURN
    + "}"
)
PROCESS = (
    """
mutation Process($input: ReturnProcessInput!) {
  returnProcess(input: $input) { return { ...all } userErrors { field message code } }
}
fragment all on Return {
"""
    + RETURN
    + "}"
)
DISPOSE = """
mutation Dispose($given: [ReverseFulfillmentOrderDisposeInput!]!) {
  reverseFulfillmentOrderDispose(dispositionInputs: $given) {
    reverseFulfillmentOrderLineItems { id dispositions { type quantity } }
    userErrors { field message code }
  }
}
"""
CLOSE = "mutation Close($id: ID!) { returnClose(id: $id) { return { id status } userErrors { message code } } }"

HOOK = """mutation Hook($topic: WebhookSubscriptionTopic!, $uri: String!) {
  webhookSubscriptionCreate(topic: $topic, webhookSubscription: {uri: $uri}) { userErrors { message } }
}"""


async def returnable(box: Box, name: str = "#1001") -> list[tuple[str, int]]:
    """Fulfilled lines with units that can be returned."""
    nodes = (await box.data(RETURNABLE, order=box.order(name)))["returnableFulfillments"]["nodes"]
    return [
        (row["fulfillmentLineItem"]["id"], row["quantity"])
        for node in nodes
        for row in node["returnableFulfillmentLineItems"]["nodes"]
    ]


async def opened(box: Box, quantity: int = 2, name: str = "#1001") -> dict[str, Any]:
    """An open return of the order's first line."""
    line = (await returnable(box, name))[0][0]
    given = {"orderId": box.order(name), "returnLineItems": [{"fulfillmentLineItemId": line, "quantity": quantity}]}
    answer = (await box.data(CREATE, input=given))["returnCreate"]
    assert answer["userErrors"] == []
    return dict(answer["return"])


def disposition(native: dict[str, Any], kind: str, quantity: int = 1, location: int | None = None) -> dict[str, Any]:
    """One disposition of the return's first reverse line."""
    line = native["reverseFulfillmentOrders"]["nodes"][0]["lineItems"]["nodes"][0]["id"]
    where = {"locationId": gid("Location", location)} if location else {}
    return {"reverseFulfillmentOrderLineItemId": line, "quantity": quantity, "dispositionType": kind, **where}


async def test_a_return_takes_units_off_what_can_be_returned_and_marks_the_order(box: Box) -> None:
    native = await opened(box)
    assert (native["name"], native["status"]) == ("#1001-R1", "OPEN")
    assert [units for _, units in await returnable(box)] == [1]
    status = await box.data("query($id: ID!) { order(id: $id) { returnStatus } }", id=box.order())
    assert status["order"]["returnStatus"] == "IN_PROGRESS"


async def test_more_units_than_can_be_returned_are_refused(box: Box) -> None:
    line = (await returnable(box))[0][0]
    given = {"orderId": box.order(), "returnLineItems": [{"fulfillmentLineItemId": line, "quantity": 4}]}
    error = (await box.data(CREATE, input=given))["returnCreate"]["userErrors"][0]
    assert (error["message"], error["code"]) == ("Return line item has an invalid quantity.", "INVALID")
    given["returnLineItems"] = [{"fulfillmentLineItemId": gid("FulfillmentLineItem", 1), "quantity": 1}]
    error = (await box.data(CREATE, input=given))["returnCreate"]["userErrors"][0]
    assert (error["message"], error["code"]) == ("Fulfillment Line Item was not found.", "NOT_FOUND")
    given["returnLineItems"] = []
    assert (await box.data(CREATE, input=given))["returnCreate"]["userErrors"][0][
        "message"
    ] == "The array cannot be empty."


async def test_unfulfilled_units_cannot_be_returned(box: Box) -> None:
    await box.place("#1002", lines=[{"sku": "MUG", "fulfilled": 0}])
    assert await returnable(box, "#1002") == []


async def test_an_archived_order_is_open_again_after_a_return(box: Box) -> None:
    await box.place("#1002", lines=[{"sku": "MUG"}], archived=True)
    closed = "query($id: ID!) { order(id: $id) { closed } }"
    assert (await box.data(closed, id=box.order("#1002")))["order"]["closed"] is True
    await opened(box, 1, "#1002")
    assert (await box.data(closed, id=box.order("#1002")))["order"]["closed"] is False


async def test_a_restocking_disposition_moves_stock_and_too_many_are_taken(box: Box) -> None:
    native = await opened(box, 1)
    for _ in range(2):
        answer = await box.data(DISPOSE, given=[disposition(native, "RESTOCKED", location=MAIN)])
        assert answer["reverseFulfillmentOrderDispose"]["userErrors"] == []
    books = await box.books()
    assert books["totals"]["moved"] == {"TEE-M@11.available": 2}
    assert [finding["kind"] for finding in books["findings"]] == ["disposed_more_than_came_back"]


async def test_other_dispositions_move_nothing_and_wrong_ones_are_refused(box: Box) -> None:
    native = await opened(box, 2)
    unknown = {"reverseFulfillmentOrderLineItemId": gid("ReverseFulfillmentOrderLineItem", 1)}
    fine = [disposition(native, "NOT_RESTOCKED"), disposition(native, "MISSING")]
    assert (await box.data(DISPOSE, given=fine))["reverseFulfillmentOrderDispose"]["userErrors"] == []
    for given, text in (
        ([disposition(native, "RESTOCKED", location=CLOSED)], "Location not found."),
        ([disposition(native, "RESTOCKED")], "Location not found."),
        ([], "The array cannot be empty."),
        ([disposition(native, "MISSING") | unknown],
         "Cannot dispose items from more than one reverse fulfillment order."),
    ):  # fmt: skip
        errors = (await box.data(DISPOSE, given=given))["reverseFulfillmentOrderDispose"]["userErrors"]
        assert [error["message"] for error in errors] == [text]
    assert (await box.books())["movements"] == []


async def test_units_set_aside_cannot_be_restocked_by_disposition_later(box: Box) -> None:
    native = await opened(box, 1)
    await box.data(DISPOSE, given=[disposition(native, "PROCESSING_REQUIRED")])
    errors = (await box.data(DISPOSE, given=[disposition(native, "RESTOCKED", location=MAIN)]))[
        "reverseFulfillmentOrderDispose"
    ]["userErrors"]
    assert [error["code"] for error in errors] == ["INVALID_STATE"]


async def test_a_custom_line_cannot_be_restocked(box: Box) -> None:
    await box.place("#1002", lines=[{"custom_title": "Engraving", "unit_price": "40.00"}])
    native = await opened(box, 1, "#1002")
    errors = (await box.data(DISPOSE, given=[disposition(native, "RESTOCKED", location=MAIN)]))[
        "reverseFulfillmentOrderDispose"
    ]["userErrors"]
    assert [error["message"] for error in errors] == [
        "RESTOCKED is an invalid disposition type for a custom line item."
    ]


def processing(
    box: Box, native: dict[str, Any], quantity: int, amount: str | None, *dispositions: dict[str, Any]
) -> dict[str, Any]:
    """ReturnProcessInput."""
    line = {"id": native["returnLineItems"]["nodes"][0]["id"], "quantity": quantity, "dispositions": [*dispositions]}
    money = (
        [{"parentId": box.payment(), "transactionAmount": {"amount": amount, "currencyCode": "ZAR"}}] if amount else []
    )
    transfer = {"financialTransfer": {"issueRefund": {"orderTransactions": money}}} if amount else {}
    return {"returnId": native["id"], "returnLineItems": [line], **transfer}


async def test_processing_restocks_refunds_and_leaves_the_return_open(box: Box) -> None:
    native = await opened(box, 2)
    dispositions = (disposition(native, "RESTOCKED", location=MAIN), disposition(native, "NOT_RESTOCKED"))
    answer = (await box.data(PROCESS, input=processing(box, native, 2, "398.00", *dispositions)))["returnProcess"]
    assert answer["userErrors"] == []
    after = answer["return"]
    line = after["returnLineItems"]["nodes"][0]
    assert (after["status"], line["processedQuantity"], line["refundedQuantity"]) == ("OPEN", 2, 2)
    assert after["reverseFulfillmentOrders"]["nodes"][0]["status"] == "CLOSED"
    assert len(after["refunds"]["nodes"]) == 1
    books = await box.books()
    assert books["totals"] == {
        "moved": {"TEE-M@11.available": 1},
        "money_out": {"refund.shopify_payments.ZAR": "398.00"},
    }
    assert books["orders"]["#1001"]["units"][0]["refunded"] == 2


async def test_lines_are_processed_once_but_nothing_stops_a_second_refund_below_what_was_paid(box: Box) -> None:
    native = await opened(box, 1)
    given = processing(box, native, 1, "199.00")
    await box.data(PROCESS, input=given)
    error = (await box.data(PROCESS, input=given))["returnProcess"]["userErrors"][0]
    assert error["message"] == "Return line item has an invalid quantity."
    again = given | {"returnLineItems": []}
    assert (await box.data(PROCESS, input=again))["returnProcess"]["userErrors"] == []
    assert (await box.books())["totals"]["money_out"] == {"refund.shopify_payments.ZAR": "398.00"}
    too_much = processing(box, native, 1, "300.00") | {"returnLineItems": []}
    error = (await box.data(PROCESS, input=too_much))["returnProcess"]["userErrors"][0]
    assert "greater than net payment received" in error["message"]


async def test_closing_twice_is_closing_once_and_a_closed_return_is_not_processed(box: Box) -> None:
    native = await opened(box, 1)
    for _ in range(2):
        assert (await box.data(CLOSE, id=native["id"]))["returnClose"]["return"]["status"] == "CLOSED"
    error = (await box.data(PROCESS, input=processing(box, native, 1, None)))["returnProcess"]["userErrors"][0]
    assert (error["message"], error["code"]) == ("Return status is invalid.", "INVALID_STATE")
    unknown = (await box.data(CLOSE, id=gid("Return", 1)))["returnClose"]["userErrors"][0]
    assert unknown == {"message": "Return not found.", "code": "NOT_FOUND"}


async def test_shopify_says_what_a_return_is_worth(box: Box) -> None:
    native = await opened(box, 2)
    document = """query($id: ID!, $line: ID!) { return(id: $id) { suggestedFinancialOutcome(
        returnLineItems: [{id: $line, quantity: 2}], exchangeLineItems: []) {
          maximumRefundable { presentmentMoney { amount } }
          financialTransfer { __typename ... on RefundReturnOutcome { amount { presentmentMoney { amount } }
            suggestedTransactions { parentTransaction { id } amountSet { presentmentMoney { amount } } } } } } } }"""
    seen = await box.data(document, id=native["id"], line=native["returnLineItems"]["nodes"][0]["id"])
    outcome = seen["return"]["suggestedFinancialOutcome"]
    assert outcome["maximumRefundable"]["presentmentMoney"]["amount"] == "647.0"
    assert outcome["financialTransfer"]["__typename"] == "RefundReturnOutcome"
    assert outcome["financialTransfer"]["amount"]["presentmentMoney"]["amount"] == "398.0"
    assert outcome["financialTransfer"]["suggestedTransactions"][0]["parentTransaction"]["id"] == box.payment()


async def test_staff_can_make_a_return(box: Box) -> None:
    made = await box.control(f"/shopify/{SHOP}/staff/return", order="#1001", lines=[{"sku": "TEE-M", "quantity": 1}])
    seen = await box.data("query($id: ID!) { return(id: $id) { name } }", id=gid("Return", made["return_id"]))
    assert seen["return"]["name"] == made["name"] == "#1001-R1"


async def test_webhooks_of_returns_name_their_order_only_where_shopify_does(box: Box) -> None:
    topics = ("RETURNS_APPROVE", "REVERSE_FULFILLMENT_ORDERS_DISPOSE", "RETURNS_CLOSE")
    for topic in topics:
        await box.data(HOOK, topic=topic, uri="http://ours/hooks")
    native = await opened(box)
    await box.data(DISPOSE, given=[disposition(native, "RESTOCKED", 1, 11)])
    await box.data(CLOSE, id=native["id"])
    await box.settle()
    came = {headers["x-shopify-topic"]: json.loads(body) for headers, body in box.listener.received}
    assert came["returns/approve"]["order"]["admin_graphql_api_id"] == box.order()
    assert came["returns/close"]["order_id"] == int(box.order().rsplit("/", 1)[-1])
    disposed = came["reverse_fulfillment_orders/dispose"]
    assert set(disposed) == {"id", "admin_graphql_api_id", "total_dispositions", "dispositions"}
    assert "ReverseFulfillmentOrder" in disposed["admin_graphql_api_id"]
