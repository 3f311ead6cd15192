"""Invented payloads in the systems' shapes, each built fresh, so that a test may change what it is about."""

from decimal import Decimal
from typing import Any

Json = dict[str, Any]

RMA_ID = "20000017"
ORDER_ID = "5001"


def money(amount: Decimal | float | str, currency: str = "EUR") -> Json:
    return {"amount": amount, "currency": currency, "shopAmount": amount, "shopCurrency": currency}


def validated(
    unit: str, *, returned: bool = True, restockable: bool = True, at: str = "2026-05-04T10:00:00+00:00"
) -> Json:
    return {
        "returnedItemId": unit, "isRestockable": restockable, "isReturned": returned, "nonRestockableReason": None,
        "nonReturnedReason": None, "storeLocationId": 71, "lastValidationDate": at, "lastValidatedBy": "x",
        "thirdPartyName": None, "userDetails": None,
    }  # fmt: skip


def not_validated(unit: str) -> Json:
    """What every unit looks like before its inspection: both booleans already say no."""
    return {**validated(unit, returned=False, restockable=False), "lastValidationDate": None, "storeLocationId": None}


def rma_item(unit: str, **changes: Any) -> Json:
    return {
        "shopLineItemId": "801", "shopProductId": "601", "variantId": "701", "returnedItemId": unit,
        "fullName": "Mug", "productName": "Mug", "sku": "MUG", "paidPrice": money(10), "paidTax": money(2),
        "taxIncluded": True, "returnReason": "Too small", "extendedReason": "", "resolutionName": "Refund",
        "resolutionType": "RefundToPaymentMethod", "policyRuleName": "Standard", "isAutoApprove": 1,
        "restockingFee": 0, "returnFee": 0, "shipmentFee": 0, "shipmentId": "901",
        "returnMethod": {"type": "Ship with any carrier", "name": "Post"},
        "itemValidationStatusResponse": not_validated(unit), "exchangeItems": [], "followUpQuestions": [],
        **changes,
    }  # fmt: skip


def rma(**changes: Any) -> Json:
    """Approved, two units of one line, one parcel that has only a label."""
    return {
        "rmaSummary": {
            "rmaId": RMA_ID, "status": "Approved", "order_name": "1001",
            "events": [
                {"eventName": "RMA_CREATED", "eventDate": "2026-05-01T08:00:00+00:00"},
                {"eventName": "RMA_APPROVED", "eventDate": "2026-05-01T09:00:00+00:00"},
            ],
        },
        "orderDetails": {"orderId": ORDER_ID, "order_name": "1001"},
        "shipments": [shipment("LabelCreated")],
        "items": [rma_item("31"), rma_item("32")],
        "comments": [], "exchangeOrders": [], "exchangeItems": [], "cancellationFee": 0, "transactions": [],
        "createdAt": "2026-05-01T08:00:00+00:00", "lastUpdated": "2026-05-01T08:00:00+00:00", "isOutOfPolicy": 0,
        **changes,
    }  # fmt: skip


def with_status(body: Json, status: str, at: str = "2026-05-05T08:00:00+00:00") -> Json:
    return {**body, "rmaSummary": {**body["rmaSummary"], "status": status}, "lastUpdated": at}


def shipment(status: str, name: str = "901", **changes: Any) -> Json:
    return {
        "shipmentId": name, "status": status, "carrierName": "Post", "trackingNumber": f"TRACK-{name}",
        "trackingURL": None, "labelURL": None, "isOutbound": False, "customerAddress": {}, "returnAddress": {},
        **changes,
    }  # fmt: skip


def transaction(**changes: Any) -> Json:
    return {
        "id": 4001, "type": "RefundToPaymentMethod", "externalReferenceId": None, "externalReferenceType": None,
        "amount": money(10), "status": "Requested", "processor": "Shopify", "bankAccountDetails": None,
        "returnItemIds": ["31"], "createdAt": "2026-05-04T11:00:00+00:00", "lastUpdated": "2026-05-04T11:00:00+00:00",
        **changes,
    }  # fmt: skip


def bag(amount: str, currency: str = "EUR", shop: str | None = None) -> Json:
    shop_money = {"amount": shop or amount, "currencyCode": "EUR"}
    return {"presentmentMoney": {"amount": amount, "currencyCode": currency}, "shopMoney": shop_money}


def nodes(*listed: Json, more: bool = False) -> Json:
    return {"pageInfo": {"hasNextPage": more, "endCursor": None}, "nodes": list(listed)}


def order_line(**changes: Any) -> Json:
    return {
        "id": "gid://shopify/LineItem/801", "sku": "MUG", "quantity": 2, "currentQuantity": 2, "refundableQuantity": 2,
        "unfulfilledQuantity": 0, "restockable": True, "isGiftCard": False, "lineItemGroup": None,
        "product": {"id": "gid://shopify/Product/601"},
        "variant": {
            "id": "gid://shopify/ProductVariant/701",
            "inventoryItem": {"id": "gid://shopify/InventoryItem/751", "tracked": True},
        },
        "originalUnitPriceSet": bag("12.0"), "discountAllocations": [],
        "taxLines": [{"rate": 0.2, "priceSet": bag("4.0")}], "duties": [], **changes,
    }  # fmt: skip


def order(**changes: Any) -> Json:
    """Two mugs, paid by card, nothing returned."""
    return {
        "id": f"gid://shopify/Order/{ORDER_ID}", "name": "#1001", "createdAt": "2026-04-20T10:00:00Z",
        "updatedAt": "2026-05-04T12:00:00Z", "closed": False, "cancelledAt": None, "sourceName": "web",
        "tags": ["b", "a"], "currencyCode": "EUR", "presentmentCurrencyCode": "EUR", "taxesIncluded": True,
        "customer": {"id": "gid://shopify/Customer/91"}, "retailLocation": None, "totalPriceSet": bag("29.0"),
        "shippingLines": nodes({"discountedPriceSet": bag("5.0"), "taxLines": [{"priceSet": bag("0.83")}]}),
        "lineItems": nodes(order_line()), "transactions": [payment()], "refunds": [], "returns": nodes(),
        "fulfillments": [], "metafields": nodes(), **changes,
    }  # fmt: skip


def payment(**changes: Any) -> Json:
    return {
        "id": "gid://shopify/OrderTransaction/501", "kind": "SALE", "status": "SUCCESS", "gateway": "card",
        "amountSet": bag("29.0"), "parentTransaction": None, **changes,
    }  # fmt: skip


def refund(**changes: Any) -> Json:
    return {
        "id": "gid://shopify/Refund/301", "note": None, "createdAt": "2026-05-04T12:00:00Z",
        "updatedAt": "2026-05-04T12:00:00Z", "totalRefundedSet": bag("12.0"),
        "refundLineItems": nodes({
            "quantity": 1, "restockType": "RETURN", "restocked": True, "location": {"id": "gid://shopify/Location/71"},
            "lineItem": {"id": "gid://shopify/LineItem/801", "sku": "MUG"}, "totalTaxSet": bag("2.0"),
        }),
        "refundShippingLines": nodes(),
        "transactions": nodes({
            "id": "gid://shopify/OrderTransaction/502", "kind": "REFUND", "status": "SUCCESS", "gateway": "card",
            "amountSet": bag("12.0"), "parentTransaction": {"id": "gid://shopify/OrderTransaction/501"},
        }), **changes,
    }  # fmt: skip


def native_return(*dispositions: Json) -> Json:
    line = {
        "id": "gid://shopify/ReverseFulfillmentOrderLineItem/61", "totalQuantity": 2,
        "fulfillmentLineItem": {"lineItem": {"id": "gid://shopify/LineItem/801", "sku": "MUG"}},
        "dispositions": list(dispositions),
    }  # fmt: skip
    reverse = {"id": "gid://shopify/ReverseFulfillmentOrder/51", "lineItems": nodes(line)}
    return {
        "id": "gid://shopify/Return/41",
        "name": "#1001-R1",
        "status": "OPEN",
        "reverseFulfillmentOrders": nodes(reverse),
    }


def disposition(name: str, kind: str = "RESTOCKED", quantity: int = 1) -> Json:
    return {
        "id": f"gid://shopify/ReverseFulfillmentOrderDisposition/{name}", "type": kind, "quantity": quantity,
        "createdAt": "2026-05-04T12:00:00Z", "location": {"id": "gid://shopify/Location/71"},
    }  # fmt: skip


def variant(**changes: Any) -> Json:
    return {
        "id": "gid://shopify/ProductVariant/701", "sku": "MUG", "updatedAt": "2026-05-01T00:00:00Z",
        "requiresComponents": False, "product": {"id": "gid://shopify/Product/601", "status": "ACTIVE"},
        "inventoryItem": {
            "id": "gid://shopify/InventoryItem/751", "sku": "MUG", "tracked": True, "updatedAt": "2026-05-01T00:00:00Z",
            "inventoryLevels": nodes(level(71, 4), level(72, 0, active=False)),
        },
        "productVariantComponents": nodes(), **changes,
    }  # fmt: skip


def level(location: int, available: int | None, *, active: bool = True) -> Json:
    return {
        "id": f"gid://shopify/InventoryLevel/{location}?inventory_item_id=751", "isActive": True,
        "updatedAt": "2026-05-02T00:00:00Z",
        "location": {"id": f"gid://shopify/Location/{location}", "isActive": active},
        "quantities": [{"name": "available", "quantity": available}],
    }  # fmt: skip
