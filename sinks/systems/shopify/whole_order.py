"""An order as Shopify has it, with every line, payment, refund, return and mark of ours."""

from sinks.contract import ReadFlow
from sinks.systems.shopify import native_cover, pages
from sinks.systems.shopify.connection import Connection
from sinks.systems.shopify.gids import gid
from sinks.systems.shopify.pages import Row

_OF_ORDER = {"shippingLines": "shipping", "metafields": "marks"}
_OF_REFUND = {"refundLineItems": "after", "refundShippingLines": "shipping", "transactions": "paid"}


def order(c: Connection, order_id: str) -> ReadFlow[Row | None]:
    """The order with every line, refund, return and mark, or None. `complete` is False when a part was cut off.

    `refunds` is a list of whole refunds; `lineItems`, `returns` and `metafields` have their `nodes` without pages.
    """
    found = yield from pages.object_of(c, "order", {"id": gid("Order", order_id)}, "order", _OF_ORDER)
    if found is None:
        return None
    lines, all_lines = yield from _lines(c, found["id"])
    paid, all_paid = yield from pages.transactions(c, found["id"], found["transactions"])
    returns = yield from _returns(c, found, order_id)
    refunds, all_refunds = yield from _refunds(c, found)
    return {
        **found,
        "lineItems": {"nodes": lines},
        "transactions": paid,
        "refunds": refunds,
        "returns": returns["returns"],
        "metafields": returns.get("metafields", found["metafields"]),
        "complete": found["complete"] and all_lines and all_paid and returns["complete"] and all_refunds,
    }


def _lines(c: Connection, order_gid: str) -> ReadFlow[tuple[list[Row], bool]]:
    lines = yield from pages.object_of(c, "order_lines", {"id": order_gid}, "order", {"lineItems": "after"})
    return (lines["lineItems"]["nodes"], lines["complete"]) if lines else ([], False)


def _returns(c: Connection, found: Row, order_id: str) -> ReadFlow[Row]:
    if found["returnStatus"] == "NO_RETURN":
        return {"returns": {"nodes": []}, "complete": True}
    whole: Row | None = yield from native_cover.whole(c, order_id)
    return whole or {"returns": {"nodes": []}, "complete": False}


def _refunds(c: Connection, found: Row) -> ReadFlow[tuple[list[Row], bool]]:
    listed, complete = yield from pages.refunds(c, found["id"], found["refunds"])
    refunds: list[Row] = []
    for each in listed:
        refund = yield from pages.object_of(c, "refund", {"id": each["id"]}, "refund", _OF_REFUND)
        complete = complete and refund is not None and refund["complete"]
        refunds += [refund] if refund else []
    return refunds, complete
