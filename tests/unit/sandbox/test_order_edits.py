"""Orders that change after they were placed: edited, sent in parts, cancelled; shipping with taxes and discounts."""

from typing import Any

from tests.unit.sandbox.box import MAIN, REFUND, SHOP, Box

ORDER = """
query Order($id: ID!) {
  order(id: $id) {
    edited displayFulfillmentStatus displayFinancialStatus
    totalPriceSet { presentmentMoney { amount } } originalTotalPriceSet { presentmentMoney { amount } }
    totalTaxSet { presentmentMoney { amount } } totalShippingPriceSet { presentmentMoney { amount } }
    totalOutstandingSet { presentmentMoney { amount } }
    lineItems(first: 9) { nodes { sku quantity currentQuantity refundableQuantity unfulfilledQuantity } }
    shippingLines(first: 9) {
      nodes {
        title originalPriceSet { presentmentMoney { amount } } discountedPriceSet { presentmentMoney { amount } }
        taxLines { rate priceSet { presentmentMoney { amount } } }
      }
    }
    fulfillments(first: 9) { name totalQuantity }
    refunds(first: 9) {
      id totalRefundedSet { presentmentMoney { amount } }
      refundLineItems(first: 9) { nodes { quantity restockType } }
      refundShippingLines(first: 9) {
        nodes { subtotalAmountSet { presentmentMoney { amount } } taxAmountSet { presentmentMoney { amount } } }
      }
    }
    suggestedRefund(suggestFullRefund: true) {
      amountSet { presentmentMoney { amount } }
      shipping { amountSet { presentmentMoney { amount } } taxSet { presentmentMoney { amount } } }
    }
  }
}
"""


async def order(box: Box, name: str = "#2") -> dict[str, Any]:
    """The order as it reads."""
    return dict((await box.data(ORDER, id=box.order(name)))["order"])


async def staff(box: Box, action: str, **body: object) -> dict[str, Any]:
    """Somebody does something to order #2."""
    return await box.control(f"/shopify/{SHOP}/staff/{action}", order="#2", **body)


def amount(bag: dict[str, Any]) -> str:
    """A bag's presentment amount."""
    return str(bag["presentmentMoney"]["amount"])


def lines(seen: dict[str, Any]) -> list[tuple[int, int, int, int]]:
    """Ordered, current, refundable, unsent of each line."""
    names = ("quantity", "currentQuantity", "refundableQuantity", "unfulfilledQuantity")
    return [tuple(each[name] for name in names) for each in seen["lineItems"]["nodes"]]


async def test_an_edit_adds_lines_and_leaves_what_it_took_off_on_the_order(box: Box) -> None:
    await box.place("#2", lines=[{"sku": "MUG", "quantity": 2, "fulfilled": 0}, {"sku": "SOAP", "fulfilled": 0}])
    done = await staff(
        box, "edit-order", remove=[{"sku": "SOAP"}, {"sku": "MUG"}], add=[{"sku": "DISH", "fulfilled": 0}]
    )
    seen = await order(box)
    assert seen["edited"]
    assert lines(seen) == [(2, 1, 1, 1), (1, 0, 0, 0), (1, 1, 1, 1)]
    assert (amount(seen["originalTotalPriceSet"]), amount(seen["totalPriceSet"])) == ("208.0", "149.0")
    assert done["outstanding"] == "-59.00"
    assert seen["refunds"] == []


async def test_some_shops_show_what_an_edit_took_off_as_a_refund_without_money(box: Box) -> None:
    await box.place("#2", lines=[{"sku": "MUG", "quantity": 2, "fulfilled": 0}])
    await staff(box, "edit-order", remove=[{"sku": "MUG"}], shown_as_refund=True)
    seen = await order(box)
    assert lines(seen) == [(2, 1, 1, 1)]
    (shown,) = seen["refunds"]
    assert amount(shown["totalRefundedSet"]) == "0.0"
    assert shown["refundLineItems"]["nodes"] == [{"quantity": 1, "restockType": "CANCEL"}]


async def test_the_customer_pays_what_an_edit_made_dearer(box: Box) -> None:
    await box.place("#2", lines=[{"sku": "MUG", "fulfilled": 0}])
    await staff(box, "edit-order", add=[{"sku": "DISH", "tax_rate": "0.15", "fulfilled": 0}])
    assert amount((await order(box))["totalOutstandingSet"]) == "60.0"
    await staff(box, "pay")
    seen = await order(box)
    assert (seen["displayFinancialStatus"], amount(seen["totalOutstandingSet"])) == ("PAID", "0.0")


async def test_an_order_is_sent_in_parts(box: Box) -> None:
    await box.place("#2", lines=[{"sku": "MUG", "quantity": 3, "fulfilled": 1}, {"sku": "SOAP", "fulfilled": 0}])
    assert (await order(box))["displayFulfillmentStatus"] == "PARTIALLY_FULFILLED"
    await staff(box, "send", lines=[{"sku": "MUG"}])
    assert lines(await order(box)) == [(3, 3, 3, 1), (1, 1, 1, 1)]
    await staff(box, "send")
    seen = await order(box)
    assert [each["name"] for each in seen["fulfillments"]] == ["#2-F1", "#2-F2", "#2-F3"]
    assert seen["displayFulfillmentStatus"] == "FULFILLED"
    answer = await box.client.post(
        f"/_sandbox/shopify/{SHOP}/staff/send", json={"order": "#2", "lines": [{"sku": "MUG"}]}
    )
    assert answer.json() == {"error": "0 of MUG can be sent, 1 asked for"}


async def test_a_refund_of_sent_units_leaves_the_unsent_ones_to_be_sent(box: Box) -> None:
    await box.place("#2", lines=[{"sku": "MUG", "quantity": 3, "fulfilled": 2}])
    await staff(box, "refund", lines=[{"sku": "MUG", "restock_type": "RETURN", "location_id": MAIN}])
    assert lines(await order(box)) == [(3, 2, 2, 1)]
    await staff(box, "refund", lines=[{"sku": "MUG", "restock_type": "CANCEL", "location_id": MAIN}])
    assert lines(await order(box)) == [(3, 1, 1, 0)]


async def test_a_cancellation_gives_everything_back_or_gives_the_promise_up(box: Box) -> None:
    await box.place("#2", lines=[{"sku": "MUG", "quantity": 2, "fulfilled": 0}], shipping="5.00")
    await staff(box, "cancel-order", refund=True, restock_to=MAIN)
    seen = await order(box)
    assert lines(seen) == [(2, 0, 0, 0)]
    assert amount(seen["refunds"][0]["totalRefundedSet"]) == "183.0"
    await box.place("#3", lines=[{"sku": "MUG", "fulfilled": 0}], payments=[{"kind": "AUTHORIZATION", "amount": "89"}])
    await box.control(f"/shopify/{SHOP}/staff/cancel-order", order="#3")
    assert (await order(box, "#3"))["displayFinancialStatus"] == "VOIDED"


async def test_shipping_has_lines_with_discounts_and_taxes_inside_or_on_top(box: Box) -> None:
    shipping = [
        {"price": "60.00", "discount": "10.00", "tax_rate": "0.15"},
        *({"title": f"Part {n}", "price": "1.00", "tax_rate": "0.15"} for n in range(6)),
    ]
    await box.place("#2", lines=[{"sku": "MUG"}], shipping_lines=shipping)
    await box.place("#3", lines=[{"sku": "MUG"}], shipping_lines=shipping, taxes_included=False)
    inside, top = await order(box), await order(box, "#3")
    assert len(inside["shippingLines"]["nodes"]) == 7
    first = inside["shippingLines"]["nodes"][0]
    assert (amount(first["originalPriceSet"]), amount(first["discountedPriceSet"])) == ("60.0", "50.0")
    assert [amount(inside[name]) for name in ("totalPriceSet", "totalTaxSet", "totalShippingPriceSet")] == [
        "145.0", "7.3", "56.0",
    ]  # fmt: skip
    assert [amount(top[name]) for name in ("totalPriceSet", "totalTaxSet")] == ["153.4", "8.4"]
    assert amount(top["suggestedRefund"]["amountSet"]) == "153.4"
    assert [amount(top["suggestedRefund"]["shipping"][name]) for name in ("amountSet", "taxSet")] == ["56.0", "8.4"]


async def test_refunded_shipping_takes_its_tax_with_it_and_the_parts_add_up(box: Box) -> None:
    shipping = [{"price": "3.00", "tax_rate": "0.19"}, {"price": "7.00", "tax_rate": "0.19"}]
    await box.place("#2", lines=[{"sku": "MUG"}], shipping_lines=shipping, taxes_included=False)
    for key, part in (("a", "5.00"), ("b", "5.00")):
        paid = {"orderId": box.order("#2"), "parentId": box.payment(0, "#2"), "gateway": "g", "kind": "REFUND"}
        given: dict[str, Any] = {"orderId": box.order("#2"), "currency": "ZAR", "shipping": {"amount": part}}
        given["transactions"] = [{**paid, "amount": "5.95"}]
        made = (await box.data(REFUND, input=given, key=key))["refundCreate"]
        assert made["userErrors"] == []
        assert made["refund"]["orderAdjustments"]["nodes"] == []
    rows = [each["refundShippingLines"]["nodes"] for each in (await order(box))["refunds"]]
    assert [[(amount(row["subtotalAmountSet"]), amount(row["taxAmountSet"])) for row in each] for each in rows] == [
        [("3.0", "0.57"), ("2.0", "0.38")], [("5.0", "0.95")],
    ]  # fmt: skip
    over = {"orderId": box.order("#2"), "currency": "ZAR", "shipping": {"amount": "0.01"}}
    made = (await box.data(REFUND, input=over, key="c"))["refundCreate"]
    assert made["userErrors"][0]["field"] == ["shipping", "amount"]


async def test_of_a_tip_nothing_is_ever_to_be_sent(box: Box) -> None:
    tip = {"custom_title": "Tip", "unit_price": "5.00", "ships": False}
    await box.place("#2", lines=[{"sku": "MUG", "fulfilled": 0}, tip])
    seen = await order(box)
    assert (lines(seen), seen["displayFulfillmentStatus"]) == ([(1, 1, 1, 1), (1, 1, 1, 0)], "UNFULFILLED")
    await staff(box, "send")
    seen = await order(box)
    assert (lines(seen), seen["displayFulfillmentStatus"]) == ([(1, 1, 1, 0), (1, 1, 1, 0)], "FULFILLED")


async def test_staff_gives_shipping_back_and_no_more_than_there_was(box: Box) -> None:
    await box.place("#2", lines=[{"sku": "MUG"}], shipping="5.00")
    await staff(box, "refund", amount="3.00", shipping="3.00")
    seen = await order(box)
    (row,) = seen["refunds"][0]["refundShippingLines"]["nodes"]
    assert (amount(row["subtotalAmountSet"]), amount(seen["suggestedRefund"]["shipping"]["amountSet"])) == (
        "3.0",
        "2.0",
    )
    more = {"order": "#2", "amount": "3.00", "shipping": "3.00"}
    answer = await box.client.post(f"/_sandbox/shopify/{SHOP}/staff/refund", json=more)
    assert answer.json() == {"error": "2.00 of shipping is left, 3.00 asked for"}
