"""Every rule by which an order becomes its snapshot and the effects seen on it."""

from typing import Any

import pytest

from schemas.facts import SOMEBODY, RefundedLine
from sinks.systems.shopify.marks import Claim, claim_key, encode
from streams.sources.fields import Malformed
from streams.sources.shopify_effects import effects
from streams.sources.shopify_orders import snapshot
from tests.unit.sources.payloads import bag, disposition, native_return, nodes, order, order_line, payment, refund

REFUNDED = {"quantity": 1, "restocked": False, "lineItem": {"id": "gid://shopify/LineItem/802", "sku": "CUP"}}
COMMAND = "0a1b2c3d-0000-5000-8000-00000000abcd"


def test_an_order_as_it_was_sold() -> None:
    read = snapshot(order(), merchant="shop-a", known={"a", "b"})
    assert (read.order_id, read.name, read.customer_id, read.tags) == ("5001", "#1001", SOMEBODY, ("a", "b"))
    assert (read.currency, read.total_minor, read.shipping_minor, read.shipping_tax_minor) == ("EUR", 2900, 500, 83)
    (line,) = read.lines
    assert (line.line_id, line.sku, line.quantity, line.unit_price_minor, line.tax_minor) == (
        "801",
        "MUG",
        2,
        1200,
        400,
    )
    assert (line.variant_id, line.product_id, line.item_id, line.tracked) == ("701", "601", "751", True)
    assert (line.fulfilled_quantity, line.refundable_quantity) == (2, 2)


def test_discounts_of_the_line_and_of_the_order_are_kept_apart() -> None:
    allocations = [
        {"allocatedAmountSet": bag("2.0"), "discountApplication": {"allocationMethod": "EACH"}},
        {"allocatedAmountSet": bag("1.5"), "discountApplication": {"allocationMethod": "ACROSS"}},
    ]
    read = snapshot(order(lineItems=nodes(order_line(discountAllocations=allocations))), merchant="shop-a")
    assert (read.lines[0].discount_minor, read.lines[0].order_discount_minor) == (200, 150)


def test_only_sales_and_captures_are_payments() -> None:
    steps = [
        payment(),
        payment(kind="AUTHORIZATION"),
        payment(kind="CAPTURE", status="PENDING"),
        payment(status="FAILURE"),
    ]
    read = snapshot(order(transactions=steps), merchant="shop-a")
    assert [each.status for each in read.payments] == ["success", "pending", "failed"]


def test_the_customers_currency_counts_and_the_shops_is_kept() -> None:
    foreign = order(presentmentCurrencyCode="JPY", totalPriceSet=bag("4500", "JPY", shop="29.00"))
    foreign |= {
        "lineItems": nodes(),
        "shippingLines": nodes(),
        "transactions": [payment(amountSet=bag("4500", "JPY", shop="29.00"))],
    }
    read = snapshot(foreign, merchant="shop-a")
    assert (read.currency, read.shop_currency, read.total_minor, read.shop_total_minor) == ("JPY", "EUR", 4500, 2900)
    assert (read.payments[0].amount_minor, read.payments[0].shop_amount_minor) == (4500, 2900)


def test_a_bundle_component_names_its_bundle() -> None:
    group = {"id": "gid://shopify/LineItemGroup/11", "quantity": 1, "variantSku": "SET"}
    line = snapshot(order(lineItems=nodes(order_line(lineItemGroup=group))), merchant="shop-a").lines[0]
    assert (line.bundle_id, line.bundle_sku, line.bundle_quantity) == ("11", "SET", 1)


def test_a_reply_that_was_cut_off_says_so() -> None:
    assert snapshot(order(), merchant="shop-a").complete is True
    assert snapshot(order(complete=False), merchant="shop-a").complete is False


@pytest.mark.req("STA-1")
def test_tags_and_state_of_the_order_are_known() -> None:
    read = snapshot(
        order(closed=True, cancelledAt="2026-05-01T00:00:00Z", tags=["return-in-transit"]),
        merchant="shop-a",
        known={"return-in-transit"},
    )
    assert (read.archived, read.cancelled, read.tags) == (True, True, ("return-in-transit",))


def test_a_refund_by_anybody_is_recorded_and_observed() -> None:
    staff = order(refunds=[refund()])
    (recorded,), (seen,) = snapshot(staff, merchant="shop-a").refunds, effects(staff, merchant="shop-a")
    assert recorded.lines == (RefundedLine(line_id="801", quantity=1, restocked=True, location_id="71", sku="MUG"),)
    assert (recorded.total_minor, recorded.tenders[0].payment_id, recorded.command_id) == (1200, "501", None)
    assert (seen.kind, seen.external_id, seen.actor, seen.total_minor) == ("refund", "301", "other", 1200)


@pytest.mark.req("ELG-3")
def test_units_that_were_taken_off_the_order_before_they_were_sent_are_told_apart() -> None:
    cancelled, returned = refund(), refund()
    cancelled["refundLineItems"]["nodes"][0]["restockType"] = "CANCEL"
    seen = [effects(order(refunds=[each]), merchant="shop-a")[0].lines[0] for each in (cancelled, returned)]
    assert [(line.restocked, line.unsent) for line in seen] == [(True, True), (True, False)]


@pytest.mark.req("MON-12")
@pytest.mark.parametrize(
    ("changes", "tax"),
    [
        ({}, 200),
        ({"refundShippingLines": nodes({"taxAmountSet": bag("0.83")})}, 283),
        ({"refundShippingLines": nodes({"taxAmountSet": bag("0.83")}, more=True)}, None),
        ({"refundLineItems": nodes()}, None),
        ({"refundLineItems": nodes(), "refundShippingLines": nodes({"taxAmountSet": bag("0.83")})}, 83),
        ({"refundLineItems": nodes({**REFUNDED, "totalTaxSet": bag("2.0")}, REFUNDED)}, None),
        ({"complete": False}, None),
    ],
)
def test_the_tax_of_a_refund_is_that_of_its_lines_and_shipping_or_unknown(
    changes: dict[str, Any], tax: int | None
) -> None:
    paid_back = order(refunds=[refund(**changes)])
    (recorded,), (seen,) = snapshot(paid_back, merchant="shop-a").refunds, effects(paid_back, merchant="shop-a")
    assert (recorded.tax_minor, seen.tax_minor) == (tax, tax)


@pytest.mark.req("MON-13")
def test_money_that_went_back_is_known_in_the_shops_currency_too() -> None:
    paid_back = refund(totalRefundedSet=bag("1500", "JPY", shop="9.67"), refundLineItems=nodes())
    paid_back["transactions"]["nodes"][0]["amountSet"] = bag("1500", "JPY", shop="9.67")
    foreign = order(presentmentCurrencyCode="JPY", refunds=[paid_back])
    (seen,) = effects(foreign, merchant="shop-a")
    assert [(each.amount_minor, each.shop_amount_minor) for each in seen.tenders] == [(1500, 967)]


def test_our_own_refund_carries_our_mark() -> None:
    (seen,) = effects(order(refunds=[refund(note=f"RMA 20000017 cmd {COMMAND}")]), merchant="shop-a")
    assert (seen.actor, seen.command_id, seen.rma_id) == ("returnflow", COMMAND, "20000017")


def test_money_that_settles_later_is_another_fact() -> None:
    pending = refund()
    pending["transactions"]["nodes"][0]["status"] = "PENDING"
    first, later = (effects(order(refunds=[each]), merchant="shop-a")[0] for each in (pending, refund()))
    assert (first.tenders[0].status, later.tenders[0].status, first.fact_id != later.fact_id) == (
        "pending",
        "success",
        True,
    )


def test_goods_put_back_through_a_native_return_are_seen() -> None:
    listed = native_return(disposition("21"), disposition("22", kind="MISSING"))
    (seen,) = effects(order(returns=nodes(listed)), merchant="shop-a")
    assert (seen.kind, seen.external_id, seen.lines[0].location_id, seen.command_id) == ("restock", "21", "71", None)


def test_our_own_disposition_is_told_from_others() -> None:
    gid = "gid://shopify/ReverseFulfillmentOrderDisposition/21"
    claim = Claim(cmd=COMMAND, line="801", state="applied", at_ms=1, dispositions=(gid,))
    claims = nodes({"key": claim_key(COMMAND), "value": encode(claim)})
    listed = native_return(disposition("21"), disposition("22"))
    ours, other = effects(order(returns=nodes(listed), metafields=claims), merchant="shop-a")
    assert (ours.command_id, ours.actor, other.command_id, other.actor) == (COMMAND, "returnflow", None, "other")


def test_a_newer_version_is_another_fact_and_the_same_is_the_same() -> None:
    one, same = (snapshot(order(), merchant="shop-a").fact_id for _ in range(2))
    newer = snapshot(order(updatedAt="2026-05-05T00:00:00Z"), merchant="shop-a").fact_id
    assert one == same != newer


@pytest.mark.parametrize(
    "broken",
    [
        {"lineItems": nodes(order_line(quantity=-1))},
        {"lineItems": nodes(order_line(quantity=10**9))},
        {"lineItems": nodes(order_line(quantity="2"))},
        {"lineItems": nodes(order_line(originalUnitPriceSet=bag("1e30")))},
        {"lineItems": nodes(order_line(originalUnitPriceSet=bag("-1")))},
        {"lineItems": nodes(order_line(originalUnitPriceSet=None))},
        {"totalPriceSet": bag("12.345")},
        {"totalPriceSet": bag("x" * 50)},
        {"updatedAt": None},
        {"id": ""},
        {"tags": "a, b"},
        {"currencyCode": None, "presentmentCurrencyCode": None},
        {"refunds": [refund(createdAt="then")]},
    ],
)
def test_an_absurd_value_refuses_the_whole_order(broken: dict[str, Any]) -> None:
    with pytest.raises(Malformed, match="expected"):
        snapshot(order(**broken), merchant="shop-a")
    assert snapshot(order(), merchant="shop-a").order_id == "5001"


def test_broken_claims_are_malformed_not_a_crash() -> None:
    with pytest.raises(Malformed, match="claims"):
        effects(order(returns=nodes(native_return(disposition("21"))), metafields={"nodes": [{}]}), merchant="shop-a")


@pytest.mark.req("MON-6")
def test_a_refund_that_does_not_say_when_it_was_made_was_made_when_it_was_processed() -> None:
    told = refund(createdAt=None, processedAt="2026-05-05T10:00:00Z")
    (read,) = snapshot(order(refunds=[told]), merchant="shop-a").refunds
    assert read.created_at_ms == 1_777_975_200_000
    with pytest.raises(Malformed, match="processedAt"):
        snapshot(order(refunds=[refund(createdAt=None)]), merchant="shop-a")


def _counts(line: dict[str, Any], *refunded: tuple[int, str], **more: Any) -> tuple[int | None, int | None, int]:
    """(still there, sent, removed) of a line of five units with these refunds of it: how many units, restocked how."""
    made = []
    for number, (units, kind) in enumerate(refunded):
        row = refund(id=f"gid://shopify/Refund/{number}")
        row["refundLineItems"]["nodes"][0] |= {"quantity": units, "restockType": kind}
        made.append(row)
    read = snapshot(order(lineItems=nodes(order_line(quantity=5, **line)), refunds=made, **more), merchant="shop-a")
    return read.lines[0].refundable_quantity, read.lines[0].fulfilled_quantity, read.lines[0].removed_quantity


@pytest.mark.req("INV-5")
@pytest.mark.parametrize(
    ("line", "refunded", "counts"),
    [
        ({"refundableQuantity": 5, "unfulfilledQuantity": 0}, [], (5, 5, 0)),
        ({"refundableQuantity": 5, "unfulfilledQuantity": 3}, [], (5, 2, 0)),
        ({"refundableQuantity": 3, "unfulfilledQuantity": 0}, [], (3, 3, 2)),  # two were removed by an edit
        ({"refundableQuantity": 0, "unfulfilledQuantity": 0}, [], (0, 0, 5)),
        ({"refundableQuantity": 4, "currentQuantity": 3, "unfulfilledQuantity": 3}, [], (3, 0, 2)),
        ({"refundableQuantity": 3, "unfulfilledQuantity": 0}, [(2, "CANCEL")], (3, 3, 0)),
        ({"refundableQuantity": 3, "unfulfilledQuantity": 0}, [(2, "NO_RESTOCK")], (3, 5, 0)),
        ({"refundableQuantity": 2, "unfulfilledQuantity": 1}, [(1, "RETURN"), (1, "CANCEL")], (2, 2, 1)),
        ({"refundableQuantity": 5, "unfulfilledQuantity": None}, [], (5, None, 0)),
        ({"refundableQuantity": 5, "unfulfilledQuantity": 0, "requiresShipping": False}, [], (5, None, 0)),
    ],
)
def test_what_was_sent_and_what_was_removed_follow_of_the_counts_and_the_refunds(
    line: dict[str, Any], refunded: list[tuple[int, str]], counts: tuple[int, int | None, int]
) -> None:
    assert _counts({"currentQuantity": None} | line, *refunded) == counts


def test_nothing_is_said_to_be_removed_where_refunds_may_be_missing() -> None:
    line = {"refundableQuantity": 2, "currentQuantity": 2, "unfulfilledQuantity": 0}
    assert _counts(line, complete=False) == (2, 5, 0)


@pytest.mark.req("MON-2")
@pytest.mark.parametrize(("inside", "shipping"), [(True, 500), (False, 583)])
def test_the_shipping_within_a_refund_is_known_with_its_tax(*, inside: bool, shipping: int) -> None:
    back = nodes({"subtotalAmountSet": bag("5.0"), "taxAmountSet": bag("0.83")})
    paid_back = order(taxesIncluded=inside, refunds=[refund(refundShippingLines=back)])
    (recorded,), (seen,) = snapshot(paid_back, merchant="shop-a").refunds, effects(paid_back, merchant="shop-a")
    assert (recorded.shipping_minor, seen.shipping_minor) == (shipping, shipping)
