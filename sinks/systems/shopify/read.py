"""What Shopify is asked by those who only want to know: orders, items, locations, subscriptions, scopes.

Answers are Shopify's own JSON with global ids. A refusal leaves as `Ended` with the outcome that says what to do.
"""

from datetime import UTC, datetime
from typing import Any, Literal

from schemas.sku import same_sku
from sinks.contract import ReadFlow
from sinks.outcomes import Deferred, Rejected
from sinks.systems.ended import Ended
from sinks.systems.page import Page
from sinks.systems.shopify import calls
from sinks.systems.shopify.connection import Connection
from sinks.systems.shopify.gids import gid
from sinks.systems.shopify.pages import MOST_PAGES
from sinks.systems.shopify.whole_order import order

__all__ = [
    "item", "locations", "order", "order_of", "orders_since", "payments", "scopes", "shop", "subscribe",
    "subscriptions", "variant", "variants_by_sku",
]  # fmt: skip
Row = dict[str, Any]  # a vendor object

_OWNED = {
    "return": ("order_of_return", "return", "Return"),
    "reverse": ("order_of_reverse_order", "reverseFulfillmentOrder", "ReverseFulfillmentOrder"),
}
PAGES_OF_PAYMENTS = 2
MOST_SIMILAR = 500  # variants that a search for one SKU is followed to


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


def variants_by_sku(c: Connection, sku: str) -> ReadFlow[Row]:
    """Every variant of this SKU as people mean it, by `nodes`; `complete` is False when more similar ones were not
    looked at. The search finds words and their beginnings, late: what it finds is only looked at."""
    quoted = sku.strip().replace("\\", "\\\\").replace("'", "\\'")
    start = {"query": f"sku:'{quoted}'"}
    similar, whole = yield from _pages(c, "variants_by_sku", start, ("productVariants",), MOST_SIMILAR // 25)
    return {"nodes": [each for each in similar if same_sku(each["sku"], sku)], "complete": whole}


def variant(c: Connection, variant_id: str) -> ReadFlow[Row]:
    """The variant in the same form, none where the shop has no such id."""
    found: Row | None = (yield from calls.read(c, "variant", {"id": gid("ProductVariant", variant_id)}))[
        "productVariant"
    ]
    return {"nodes": [found] if found else [], "complete": True}


def item(c: Connection, item_id: str) -> ReadFlow[Row | None]:
    """The variant of an inventory item with the item, every level and its components, or None."""
    found: Row | None = (yield from calls.read(c, "item", {"id": gid("InventoryItem", item_id)}))["inventoryItem"]
    if found is None or not (found["variants"] and found["variants"]["nodes"]):
        return None
    levels = found["inventoryLevels"]
    nodes = levels["nodes"]
    if levels["pageInfo"]["hasNextPage"]:
        start = {"id": found["id"], "after": levels["pageInfo"]["endCursor"]}
        more, whole = yield from _pages(c, "item_levels", start, ("inventoryItem", "inventoryLevels"))
        if not whole:
            raise Ended(Deferred(reason="levels_cut_off"))
        nodes = nodes + more
    variants = found["variants"]
    shared = variants["pageInfo"]["hasNextPage"]  # then no variant says alone what it is
    return {**variants["nodes"][0], "shared": shared, "inventoryItem": {**found, "inventoryLevels": {"nodes": nodes}}}


def shop(c: Connection) -> ReadFlow[Row]:
    """The shop itself: `name`, `currencyCode`, `ianaTimezone`."""
    found: Row = (yield from calls.read(c, "shop", {}))["shop"]
    return found


def payments(c: Connection) -> ReadFlow[list[Row]]:
    """How the orders that changed last were paid: `paymentGatewayNames`, `presentmentCurrencyCode` of each. Shopify
    tells of no tender that no order used."""
    rows, _ = yield from _pages(c, "gateways", {}, ("orders",), PAGES_OF_PAYMENTS)
    return rows


def locations(c: Connection) -> ReadFlow[list[Row]]:
    """Every location, inactive ones included."""
    return (yield from _all(c, "locations", ("locations",)))


def subscriptions(c: Connection) -> ReadFlow[list[Row]]:
    """Webhook subscriptions of this app: `id`, `topic`, `uri`."""
    return (yield from _all(c, "subscriptions", ("webhookSubscriptions",)))


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


def _all(c: Connection, stem: str, path: tuple[str, ...]) -> ReadFlow[list[Row]]:
    rows, whole = yield from _pages(c, stem, {}, path)
    if not whole:
        raise Ended(Deferred(reason=f"{stem}_cut_off"))
    return rows


def _pages(
    c: Connection, stem: str, variables: Row, path: tuple[str, ...], most: int = MOST_PAGES
) -> ReadFlow[tuple[list[Row], bool]]:
    """All nodes of a connection, and whether that is all. A parent that vanished on the way ends the list."""
    rows: list[Row] = []
    after = variables.get("after")
    for _ in range(most):
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
