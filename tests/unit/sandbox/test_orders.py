"""Orders as Shopify shows them: prices, discounts, taxes, bundles, currencies, suggestions and the sweep by
updatedAt."""

from tests.unit.sandbox.box import REFUND, Box, gid

ORDER = """
query Order($id: ID!) {
  order(id: $id) {
    name currencyCode presentmentCurrencyCode taxesIncluded displayFinancialStatus displayFulfillmentStatus refundable
    totalPriceSet { presentmentMoney { amount currencyCode } shopMoney { amount currencyCode } }
    totalReceivedSet { presentmentMoney { amount } } netPaymentSet { presentmentMoney { amount } }
    lineItems(first: 9) {
      nodes {
        sku quantity currentQuantity refundableQuantity
        originalUnitPriceSet { presentmentMoney { amount } }
        discountAllocations {
          allocatedAmountSet { presentmentMoney { amount } }
          discountApplication { targetType allocationMethod }
        }
        taxLines { rate priceSet { presentmentMoney { amount } } }
        variant { inventoryItem { tracked } }
        lineItemGroup { title quantity variantSku }
      }
    }
    transactions(first: 9) { kind status gateway amountSet { presentmentMoney { amount } } }
  }
}
"""
SUGGEST = """
query Suggest($id: ID!, $lines: [RefundLineItemInput!], $full: Boolean, $shipping: Boolean) {
  order(id: $id) {
    suggestedRefund(refundLineItems: $lines, suggestFullRefund: $full, refundShipping: $shipping) {
      amountSet { presentmentMoney { amount currencyCode } shopMoney { amount currencyCode } }
      maximumRefundableSet { presentmentMoney { amount } }
      subtotalSet { presentmentMoney { amount } } totalTaxSet { presentmentMoney { amount } }
      suggestedTransactions { gateway kind amountSet { presentmentMoney { amount } } parentTransaction { id } }
    }
  }
}
"""


async def suggested(box: Box, name: str, quantity: int, place: int = 0) -> str:
    """What Shopify would refund for some units, in presentment currency."""
    line = {"lineItemId": box.line(place, name), "quantity": quantity, "restockType": "NO_RESTOCK"}
    seen = await box.data(SUGGEST, id=box.order(name), lines=[line])
    return str(seen["order"]["suggestedRefund"]["amountSet"]["presentmentMoney"]["amount"])


async def test_discounts_are_shares_of_the_whole_line_and_add_up(box: Box) -> None:
    lines = [{"sku": "TEE-M", "quantity": 3, "discount": "10.00"}, {"sku": "MUG", "quantity": 1}]
    await box.place("#2", lines=lines, order_discount="100.00")
    order = (await box.data(ORDER, id=box.order("#2")))["order"]
    shares = [
        [allocation["allocatedAmountSet"]["presentmentMoney"]["amount"] for allocation in line["discountAllocations"]]
        for line in order["lineItems"]["nodes"]
    ]
    assert shares == [["10.0", "86.83"], ["13.17"]]
    assert order["totalPriceSet"]["presentmentMoney"]["amount"] == "576.0"


async def test_unit_shares_add_up_to_the_line_whatever_the_rounding(box: Box) -> None:
    await box.place("#2", lines=[{"sku": "MUG", "quantity": 3, "unit_price": "33.34", "discount": "0.02"}])
    amounts = []
    for key in ("a", "b", "c"):
        amount = await suggested(box, "#2", 1)
        amounts.append(amount)
        given = {
            "orderId": box.order("#2"),
            "refundLineItems": [{"lineItemId": box.line(0, "#2"), "quantity": 1}],
            "transactions": [
                {
                    "orderId": box.order("#2"),
                    "parentId": box.payment(0, "#2"),
                    "gateway": "g",
                    "kind": "REFUND",
                    "amount": amount,
                }
            ],
        }
        assert (await box.data(REFUND, input=given, key=key))["refundCreate"]["userErrors"] == []
    assert amounts == ["33.33", "33.34", "33.33"]
    assert (await box.books())["orders"]["#2"]["financial_status"] == "REFUNDED"


async def test_tax_is_inside_or_on_top_as_the_order_says(box: Box) -> None:
    await box.place("#2", lines=[{"sku": "MUG", "unit_price": "115.00", "tax_rate": "0.15"}])
    await box.place("#3", lines=[{"sku": "MUG", "unit_price": "100.00", "tax_rate": "0.15"}], taxes_included=False)
    for name in ("#2", "#3"):
        order = (await box.data(ORDER, id=box.order(name)))["order"]
        assert order["totalPriceSet"]["presentmentMoney"]["amount"] == "115.0"
        assert order["lineItems"]["nodes"][0]["taxLines"] == [
            {"rate": 0.15, "priceSet": {"presentmentMoney": {"amount": "15.0"}}}
        ]
        assert await suggested(box, name, 1) == "115.0"


async def test_a_bundle_is_its_components_which_point_to_the_parent(box: Box) -> None:
    await box.place("#2", lines=[{"bundle": "SET", "quantity": 2}])
    lines = (await box.data(ORDER, id=box.order("#2")))["order"]["lineItems"]["nodes"]
    assert [(line["sku"], line["quantity"], line["lineItemGroup"]["variantSku"]) for line in lines] == [
        ("SOAP", 4, "SET"), ("DISH", 2, "SET"),
    ]  # fmt: skip
    assert {line["lineItemGroup"]["quantity"] for line in lines} == {2}


async def test_a_bundles_discount_is_spread_over_its_components(box: Box) -> None:
    await box.place("#2", lines=[{"bundle": "SET", "discount": "10.00"}])
    order = (await box.data(ORDER, id=box.order("#2")))["order"]
    shares = [line["discountAllocations"][0]["allocatedAmountSet"] for line in order["lineItems"]["nodes"]]
    assert [share["presentmentMoney"]["amount"] for share in shares] == ["5.0", "5.0"]
    assert order["totalPriceSet"]["presentmentMoney"]["amount"] == "90.0"


async def test_a_foreign_order_has_two_currencies_each_with_its_own_decimals(box: Box) -> None:
    await box.place("#2", lines=[{"sku": "MUG", "unit_price": "1000"}], currency="JPY", rate="0.125")
    await box.place("#3", lines=[{"sku": "MUG", "unit_price": "10.125"}], currency="KWD", rate="60")
    yen = (await box.data(ORDER, id=box.order("#2")))["order"]["totalPriceSet"]
    assert yen == {
        "presentmentMoney": {"amount": "1000.0", "currencyCode": "JPY"},
        "shopMoney": {"amount": "125.0", "currencyCode": "ZAR"},
    }
    dinar = (await box.data(ORDER, id=box.order("#3")))["order"]["totalPriceSet"]
    assert dinar["presentmentMoney"] == {"amount": "10.125", "currencyCode": "KWD"}
    assert dinar["shopMoney"]["amount"] == "607.5"


async def test_a_foreign_order_is_refunded_in_its_own_currency_only_when_it_is_named(box: Box) -> None:
    await box.place("#2", lines=[{"sku": "MUG", "unit_price": "1000"}], currency="JPY", rate="0.125")
    money = {
        "orderId": box.order("#2"),
        "parentId": box.payment(0, "#2"),
        "gateway": "g",
        "kind": "REFUND",
        "amount": "400",
    }
    given = {"orderId": box.order("#2"), "transactions": [money]}
    assert (await box.data(REFUND, input=given, key="a"))["refundCreate"]["userErrors"][0]["field"] == ["currency"]
    answer = await box.data(REFUND, input=given | {"currency": "JPY"}, key="b")
    assert answer["refundCreate"]["refund"]["totalRefundedSet"] == {
        "presentmentMoney": {"amount": "400.0", "currencyCode": "JPY"},
        "shopMoney": {"amount": "50.0", "currencyCode": "ZAR"},
    }


async def test_a_split_tender_is_suggested_gift_card_first(box: Box) -> None:
    payments = [{"gateway": "shopify_payments", "amount": "49.00"}, {"gateway": "gift_card", "amount": "40.00"}]
    await box.place("#2", lines=[{"sku": "MUG"}], payments=payments)
    seen = (await box.data(SUGGEST, id=box.order("#2"), full=True))["order"]["suggestedRefund"]
    rows = seen["suggestedTransactions"]
    assert [(row["gateway"], row["kind"], row["amountSet"]["presentmentMoney"]["amount"]) for row in rows] == [
        ("gift_card", "SUGGESTED_REFUND", "40.0"), ("shopify_payments", "SUGGESTED_REFUND", "49.0"),
    ]  # fmt: skip


async def test_a_full_suggestion_has_the_shipping_in_it(box: Box) -> None:
    seen = (await box.data(SUGGEST, id=box.order(), full=True))["order"]["suggestedRefund"]
    assert seen["amountSet"]["presentmentMoney"]["amount"] == "647.0"
    only = (await box.data(SUGGEST, id=box.order(), lines=[], shipping=True))["order"]["suggestedRefund"]
    assert only["amountSet"]["presentmentMoney"]["amount"] == "50.0"


async def test_the_sweep_by_updated_at_neither_skips_nor_repeats_while_orders_change(box: Box) -> None:
    for number in range(2, 8):
        await box.control("/clock", advance_seconds=60)
        await box.place(f"#{number}", lines=[{"sku": "MUG"}])
    sweep = """query Sweep($after: String, $query: String!) {
        orders(first: 2, after: $after, query: $query, sortKey: UPDATED_AT) {
        pageInfo { hasNextPage endCursor } nodes { name } } }"""
    query = "updated_at:>='2020-01-01T00:00:00Z'"
    await box.control("/clock", advance_seconds=60)
    names, cursor, more = [], None, True
    while more:
        page = (await box.data(sweep, after=cursor, query=query))["orders"]
        names += [node["name"] for node in page["nodes"]]
        cursor, more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]
        if len(names) == 2:
            await box.control("/shopify/demo.myshopify.com/staff/tag", order="#1001", add=["moved-to-the-end"])
            await box.control("/clock", advance_seconds=60)
    assert names == ["#1001", "#2", "#3", "#4", "#5", "#6", "#7", "#1001"]


async def test_search_narrows_by_time_name_and_tag(box: Box) -> None:
    await box.place("#2", lines=[{"sku": "MUG"}], tags=["vip"])
    await box.control("/clock", advance_seconds=60)
    for query, names in (
        ("name:#2", ["#2"]),
        ("tag:VIP", ["#2"]),
        ("updated_at:>'2999-01-01T00:00:00Z'", []),
        (f"id:{box.order('#2').rpartition('/')[2]}", ["#2"]),
    ):
        seen = await box.data("query($q: String!) { orders(first: 9, query: $q) { nodes { name } } }", q=query)
        assert [node["name"] for node in seen["orders"]["nodes"]] == names


async def test_an_order_that_is_not_there_is_null_and_a_wrong_id_is_an_error(box: Box) -> None:
    assert (await box.data(ORDER, id=gid("Order", 1)))["order"] is None
    answer = await box.graphql(ORDER, id=gid("Product", 1))
    assert answer["errors"][0]["extensions"]["code"] == "RESOURCE_NOT_FOUND"
    assert (await box.data("query($id: ID!) { node(id: $id) { __typename id } }", id=box.order()))["node"] == {
        "__typename": "Order",
        "id": box.order(),
    }
