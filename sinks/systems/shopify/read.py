"""What Shopify is asked by those who only want to know: orders, items, locations, subscriptions, scopes.

Answers are Shopify's own JSON with global ids. A refusal leaves as `Ended` with the outcome that says what to do.
"""

from datetime import UTC, datetime
from typing import Any, Literal

from sinks.contract import ReadFlow
from sinks.outcomes import Rejected
from sinks.systems.ended import Ended
from sinks.systems.page import Page
from sinks.systems.shopify import calls, native_cover
from sinks.systems.shopify.connection import Connection
from sinks.systems.shopify.gids import gid

Row = dict[str, Any]  # a vendor object

MOST_PAGES = 100  # of one list: beyond it the answer is flagged as cut off
_OWNED = {
    "return": ("order_of_return", "return", "Return"),
    "reverse": ("order_of_reverse_order", "reverseFulfillmentOrder", "ReverseFulfillmentOrder"),
}
MOST_REFUNDS = 50  # of one order, as its document asks for


def order(c: Connection, order_id: str) -> ReadFlow[Row | None]:
    """The order with every line, refund, return and mark, or None. `complete` is False when a part was cut off.

    `refunds` is a list of whole refunds; `lineItems`, `returns` and `metafields` have their `nodes` without pages.
    """
    found: Row | None = (yield from calls.read(c, "order", {"id": gid("Order", order_id)}))["order"]
    if found is None:
        return None
    lines, all_lines = yield from _pages(c, "order_lines", {"id": found["id"]}, ("order", "lineItems"))
    returns = yield from _returns(c, found, order_id)
    refunds = []
    for ref in found["refunds"]:
        refund = yield from _refund(c, ref["id"])
        if refund is not None:
            refunds.append(refund)
    complete = all_lines and returns["complete"] and len(refunds) == len(found["refunds"]) < MOST_REFUNDS
    return {
        **found,
        "lineItems": {"nodes": lines},
        "refunds": refunds,
        "returns": returns["returns"],
        "complete": complete and all(refund["complete"] for refund in refunds),
    }


def _returns(c: Connection, found: Row, order_id: str) -> ReadFlow[Row]:
    if found["returnStatus"] == "NO_RETURN":
        return {"returns": {"nodes": []}, "complete": not found["metafields"]["pageInfo"]["hasNextPage"]}
    whole: Row | None = yield from native_cover.whole(c, order_id)
    return whole or {"returns": {"nodes": []}, "complete": False}


def _refund(c: Connection, refund_gid: str) -> ReadFlow[Row | None]:
    after: str | None = None
    lines: list[Row] = []
    for _ in range(MOST_PAGES):
        refund: Row = (yield from calls.read(c, "refund", {"id": refund_gid, "after": after}))["refund"]
        if not refund:
            return None
        lines += refund["refundLineItems"]["nodes"]
        pages = refund["refundLineItems"]["pageInfo"]
        after = pages["endCursor"]
        if not pages["hasNextPage"]:
            break
    return {**refund, "refundLineItems": {"nodes": lines}, "complete": not pages["hasNextPage"]}


def order_of(c: Connection, kind: Literal["return", "reverse"], number: str) -> ReadFlow[str | None]:
    """Global id of the order that a return or a reverse fulfilment order belongs to; None when there is no such one."""
    stem, root, name = _OWNED[kind]
    owned: Row | None = (yield from calls.read(c, stem, {"id": gid(name, number)}))[root]
    order = owned["order"] if owned else None
    return str(order["id"]) if order else None


def orders_since(c: Connection, since_ms: int, cursor: str | None) -> ReadFlow[Page]:
    """Orders changed at or after a moment, oldest change first: rows of `id` and `updatedAt`."""
    since = datetime.fromtimestamp(since_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    variables = {"query": f"updated_at:>='{since}'", "after": cursor}
    orders = (yield from calls.read(c, "orders_since", variables))["orders"]
    pages = orders["pageInfo"]
    return Page(rows=orders["nodes"], next_cursor=pages["endCursor"] if pages["hasNextPage"] else None)


def item_by_sku(c: Connection, sku: str) -> ReadFlow[Row | None]:
    """The variant of exactly this SKU with its item, every level and its components, or None.

    `matches` says how many variants carry the SKU: more than one is a fault of the catalogue, for a person.
    """
    quoted = sku.replace("\\", "\\\\").replace("'", "\\'")
    variants = (yield from calls.read(c, "item_by_sku", {"query": f"sku:'{quoted}'"}))["productVariants"]["nodes"]
    exact = [variant for variant in variants if variant["sku"] == sku]  # the search also finds similar ones
    if not exact:
        return None
    variant = exact[0]
    item = variant["inventoryItem"]
    levels = item["inventoryLevels"]
    nodes = levels["nodes"]
    if levels["pageInfo"]["hasNextPage"]:
        start = {"id": item["id"], "after": levels["pageInfo"]["endCursor"]}
        more, _ = yield from _pages(c, "item_levels", start, ("inventoryItem", "inventoryLevels"))
        nodes = nodes + more
    return {**variant, "inventoryItem": {**item, "inventoryLevels": {"nodes": nodes}}, "matches": len(exact)}


def locations(c: Connection) -> ReadFlow[list[Row]]:
    """Every location, inactive ones included."""
    return (yield from _pages(c, "locations", {}, ("locations",)))[0]


def subscriptions(c: Connection) -> ReadFlow[list[Row]]:
    """Webhook subscriptions of this app: `id`, `topic`, `uri`."""
    return (yield from _pages(c, "subscriptions", {}, ("webhookSubscriptions",)))[0]


def subscribe(c: Connection, topic: str, url: str) -> ReadFlow[Row]:
    """A new subscription of a topic such as REFUNDS_CREATE; Ended when Shopify refuses it."""
    variables = {"topic": topic, "subscription": {"uri": url, "format": "JSON"}}
    made: Row = (yield from calls.read(c, "subscribe", variables))["webhookSubscriptionCreate"]
    if made["userErrors"]:
        detail = f"Shopify refused the subscription of {topic}: {made['userErrors'][0]['message'][:200]}"
        raise Ended(Rejected(code="rejected_by_system", detail=detail))
    subscription: Row = made["webhookSubscription"]
    return subscription


def scopes(c: Connection) -> ReadFlow[list[str]]:
    """What the access token may do."""
    installation = (yield from calls.read(c, "scopes", {}))["currentAppInstallation"]
    return [scope["handle"] for scope in installation["accessScopes"]]


def _pages(c: Connection, stem: str, variables: Row, path: tuple[str, ...]) -> ReadFlow[tuple[list[Row], bool]]:
    """All nodes of a connection, and whether that is all. A parent that vanished on the way ends the list."""
    rows: list[Row] = []
    after = variables.get("after")
    for _ in range(MOST_PAGES):
        connection: Any = yield from calls.read(c, stem, {**variables, "after": after})
        for step in path:
            connection = connection[step]
            if connection is None:
                return rows, False
        rows += connection["nodes"]
        after = connection["pageInfo"]["endCursor"]
        if not connection["pageInfo"]["hasNextPage"]:
            return rows, True
    return rows, False
