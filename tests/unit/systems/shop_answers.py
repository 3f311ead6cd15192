"""Answers of Shopify as flows meet them, values invented; each function takes what a test is about."""

from typing import Any

import httpx

Json = dict[str, Any]
VERSION = "2026-04"


def answer(data: Json, *, version: str = VERSION, errors: list[Json] | None = None) -> httpx.Response:
    cost = {"requestedQueryCost": 20, "actualQueryCost": 12, "throttleStatus": _status(1988)}
    body: Json = {"data": data, "extensions": {"cost": cost}}
    if errors is not None:
        body["errors"] = errors
    return httpx.Response(200, json=body, headers={"X-Shopify-API-Version": version})


def top_error(code: str | None, message: str = "refused", data: Json | None = None) -> httpx.Response:
    error: Json = {"message": message, "extensions": {"code": code} if code else {}}
    return httpx.Response(200, json={"data": data, "errors": [error]}, headers={"X-Shopify-API-Version": VERSION})


def throttled(requested: float = 50, available: float = 20) -> httpx.Response:
    cost = {"requestedQueryCost": requested, "actualQueryCost": None, "throttleStatus": _status(available)}
    error = {"message": "Throttled", "extensions": {"code": "THROTTLED"}}
    return httpx.Response(200, json={"data": None, "errors": [error], "extensions": {"cost": cost}})


def refused(root: str, message: str, code: str | None = None, **fields: Any) -> httpx.Response:
    error: Json = {"field": None, "message": message}
    if code is not None:
        error["code"] = code
    return answer({root: {**fields, "userErrors": [error]}})


def restock_look(
    *,
    claim: Json | None = None,
    return_status: str = "NO_RETURN",
    item: Json | str | None = "default",
    place: Json | str | None = "default",
) -> httpx.Response:
    level = {"id": "gid://shopify/InventoryLevel/1?inventory_item_id=301", "isActive": True}
    known = {"id": "gid://shopify/InventoryItem/301", "tracked": True, "inventoryLevel": level}
    location = {"id": "gid://shopify/Location/71", "isActive": True, "isFulfillmentService": False}
    return answer(
        {
            "order": {"id": "gid://shopify/Order/5001", "returnStatus": return_status, "metafield": claim},
            "inventoryItem": known if item == "default" else item,
            "location": location if place == "default" else place,
        }
    )


def item(**changes: Any) -> Json:
    level = {"id": "gid://shopify/InventoryLevel/1?inventory_item_id=301", "isActive": True}
    return {"id": "gid://shopify/InventoryItem/301", "tracked": True, "inventoryLevel": level, **changes}


def place(**changes: Any) -> Json:
    return {"id": "gid://shopify/Location/71", "isActive": True, "isFulfillmentService": False, **changes}


def adjusted(name: str = "available", delta: int = 1) -> httpx.Response:
    changes = [{"name": name, "delta": delta}, {"name": "on_hand", "delta": delta}]
    group = {"id": "gid://shopify/InventoryAdjustmentGroup/901", "changes": changes}
    return answer({"inventoryAdjustQuantities": {"inventoryAdjustmentGroup": group, "userErrors": []}})


def activated() -> httpx.Response:
    level = {"id": "gid://shopify/InventoryLevel/1?inventory_item_id=301", "isActive": True}
    return answer({"inventoryActivate": {"inventoryLevel": level, "userErrors": []}})


def disposition(number: int, kind: str = "RESTOCKED", quantity: int = 1, location: int | None = 71) -> Json:
    where = None if location is None else {"id": f"gid://shopify/Location/{location}"}
    return {
        "id": f"gid://shopify/ReverseFulfillmentOrderDisposition/{number}",
        "type": kind,
        "quantity": quantity,
        "createdAt": "2026-05-04T10:00:00Z",
        "location": where,
    }


def returned_line(
    number: int = 31, total: int = 1, dispositions: list[Json] | None = None, sold: int | None = 9001
) -> Json:
    line = None if sold is None else {"lineItem": {"id": f"gid://shopify/LineItem/{sold}", "sku": "TEE-M"}}
    return {
        "id": f"gid://shopify/ReverseFulfillmentOrderLineItem/{number}",
        "totalQuantity": total,
        "fulfillmentLineItem": line,
        "dispositions": dispositions or [],
    }


def native_return(*lines: Json, status: str = "OPEN", number: int = 11, more: bool = False) -> Json:
    fulfilment = {
        "id": f"gid://shopify/ReverseFulfillmentOrder/{number}0",
        "lineItems": {"pageInfo": {"hasNextPage": more, "endCursor": None}, "nodes": list(lines)},
    }
    return {
        "id": f"gid://shopify/Return/{number}",
        "name": f"#1001-R{number}",
        "status": status,
        "reverseFulfillmentOrders": {"pageInfo": {"hasNextPage": False, "endCursor": None}, "nodes": [fulfilment]},
    }


def returns(*found: Json, metafields: list[Json] | None = None, next_page: str | None = None) -> httpx.Response:
    return answer(
        {
            "order": {
                "id": "gid://shopify/Order/5001",
                "metafields": {"pageInfo": {"hasNextPage": False, "endCursor": None}, "nodes": metafields or []},
                "returns": {
                    "pageInfo": {"hasNextPage": next_page is not None, "endCursor": next_page},
                    "nodes": list(found),
                },
            }
        }
    )


def claimed(digest: str = "digest-1") -> httpx.Response:
    return answer({"metafieldsSet": {"metafields": [{"key": "c_1", "compareDigest": digest}], "userErrors": []}})


def disposed(*lines: Json) -> httpx.Response:
    changed = [{"id": line["id"], "dispositions": line["dispositions"]} for line in lines]
    return answer({"reverseFulfillmentOrderDispose": {"reverseFulfillmentOrderLineItems": changed, "userErrors": []}})


def closed() -> httpx.Response:
    return answer({"returnClose": {"return": {"id": "gid://shopify/Return/11", "status": "CLOSED"}, "userErrors": []}})


def bag(amount: str, currency: str = "EUR") -> Json:
    return {"presentmentMoney": {"amount": amount, "currencyCode": currency}}


def refund_look(
    *,
    suggested: str | None = "25.0",
    most: str = "25.0",
    refunds: list[Json] | None = None,
    currency: str = "EUR",
    parents: list[Json] | None = None,
    suggested_parents: list[Json] | None = None,
    version: str = VERSION,
    customer: str | None = "601",
    tax: str = "0.0",
    taxes_included: bool = True,
) -> httpx.Response:
    parent = {
        "id": "gid://shopify/OrderTransaction/801",
        "kind": "SALE",
        "status": "SUCCESS",
        "gateway": "card-gateway",
    }
    line = suggested and {
        "quantity": 1,
        "lineItem": {"id": "gid://shopify/LineItem/9001"},
        "subtotalSet": bag(suggested, currency),
        "totalTaxSet": bag(tax, currency),
    }
    suggestion = suggested and {
        "amountSet": bag(suggested, currency),
        "maximumRefundableSet": bag(most, currency),
        "refundLineItems": [line],
        "shipping": {"amountSet": bag("0.0", currency), "taxSet": bag("0.0", currency)},
        "suggestedTransactions": suggested_parents or [],
    }
    order = {
        "id": "gid://shopify/Order/5001",
        "currencyCode": currency,
        "presentmentCurrencyCode": currency,
        "taxesIncluded": taxes_included,
        "customer": customer and {"id": f"gid://shopify/Customer/{customer}"},
        "totalRefundedSet": bag("0.0", currency),
        "refunds": refunds or [],
        "transactions": [parent] if parents is None else parents,
        "suggestedRefund": suggestion,
    }
    return answer({"order": order}, version=version)


def refund(status: str = "SUCCESS", amount: str = "25.0", currency: str = "EUR", error: str | None = None) -> Json:
    transaction = {
        "id": "gid://shopify/OrderTransaction/802",
        "kind": "REFUND",
        "status": status,
        "gateway": "card-gateway",
        "errorCode": error,
        "amountSet": bag(amount, currency),
    }
    return {
        "id": "gid://shopify/Refund/401",
        "totalRefundedSet": bag(amount, currency),
        "transactions": {"nodes": [transaction]},
    }


def refund_status(**changes: Any) -> httpx.Response:
    return answer({"refund": refund(**changes)})


def refunded(**changes: Any) -> httpx.Response:
    order = {"id": "gid://shopify/Order/5001", "totalRefundedSet": bag("25.0")}
    return answer({"refundCreate": {"refund": refund(**changes), "order": order, "userErrors": []}})


def card(note: str | None, last: str = "x7k2") -> Json:
    amount = {"amount": "25.0", "currencyCode": "EUR"}
    return {"id": "gid://shopify/GiftCard/501", "lastCharacters": last, "initialValue": amount, "note": note}


def card_look(
    *cards: Json, limit: str = "2000.0", currency: str = "EUR", customer: str | None = "601"
) -> httpx.Response:
    order = {
        "id": "gid://shopify/Order/5001",
        "currencyCode": currency,
        "customer": customer and {"id": f"gid://shopify/Customer/{customer}"},
    }
    configuration = {"issueLimit": {"amount": limit, "currencyCode": currency}}
    return answer({"order": order, "giftCardConfiguration": configuration, "giftCards": {"nodes": list(cards)}})


def card_created() -> httpx.Response:
    return answer({"giftCardCreate": {"giftCard": card(None), "userErrors": []}})


def draft(total: str = "0.0", order: Json | None = None, currency: str = "EUR") -> httpx.Response:
    found = {
        "id": "gid://shopify/DraftOrder/701",
        "status": "COMPLETED" if order else "OPEN",
        "totalPriceSet": bag(total, currency),
        "order": order,
    }
    return answer({"draftOrder": found})


def exchange_order(cancelled: str | None = None) -> Json:
    return {"id": "gid://shopify/Order/5099", "name": "#1099", "cancelledAt": cancelled}


def completed() -> httpx.Response:
    order = {"id": "gid://shopify/Order/5099", "name": "#1099"}
    found = {"id": "gid://shopify/DraftOrder/701", "status": "COMPLETED", "order": order}
    return answer({"draftOrderComplete": {"draftOrder": found, "userErrors": []}})


def tagged(root: str = "tagsAdd") -> httpx.Response:
    return answer({root: {"node": {"id": "gid://shopify/Order/5001"}, "userErrors": []}})


def note_look(note: str | None) -> httpx.Response:
    return answer({"order": {"id": "gid://shopify/Order/5001", "note": note}})


def noted() -> httpx.Response:
    return answer({"orderUpdate": {"order": {"id": "gid://shopify/Order/5001"}, "userErrors": []}})


def _status(available: float) -> Json:
    return {"maximumAvailable": 2000, "currentlyAvailable": available, "restoreRate": 100}
