"""Whether and how an intent can be carried out on the item that the system of record has."""

import msgspec

from schemas import ids
from schemas.merchant import Merchant
from schemas.stock import Component, RestockIntent, StockItem


class Order(msgspec.Struct, frozen=True, array_like=True):
    """One command for an intent: which item, how many."""

    command_id: str
    sku: str
    item_id: str
    quantity: int
    line_id: str | None


class Commanded(msgspec.Struct, frozen=True, kw_only=True):
    """It can be done like this."""

    orders: tuple[Order, ...]


class Impossible(msgspec.Struct, frozen=True, kw_only=True):
    """It cannot be done on the item as it is; `reason` is an exception type."""

    reason: str
    detail: str


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """Nothing is known of the item yet."""

    detail: str


Plan = Commanded | Impossible | Waiting


def plan(intent: RestockIntent, item: StockItem | None, rules: Merchant, *, closed: bool) -> Plan:
    """Checks in the order in which a person would ask; `closed`: its location takes no stock."""
    if item is None:
        return Waiting(detail="the item master has not been read yet")
    if not item.exists and (item.parent_id or item.product_id):
        detail = f"{item.system} has the matrix {item.parent_id or item.product_id} but no variant {intent.sku} in it"
        return Impossible(reason="variant_missing_in_matrix", detail=detail)
    if not item.exists:
        return Impossible(reason="unknown_sku", detail=f"{item.system} has no SKU {intent.sku}")
    if item.is_parent:
        return Impossible(reason="parent_item_targeted", detail=f"{intent.sku} is a parent, only variants hold stock")
    if intent.variant_id and item.variant_id and intent.variant_id != item.variant_id:
        detail = f"{intent.sku} is variant {item.variant_id} now, the returned unit is variant {intent.variant_id}"
        return Impossible(reason="variant_missing_in_matrix", detail=detail)
    if closed:
        return Impossible(reason="inactive_location", detail=f"location {intent.location_id} is not active")
    if item.components and (intent.bundle or rules.model.bundles.returned) == "components":
        return _expanded(intent, item.components)
    if not item.tracked:
        return Impossible(reason="untracked_item", detail=f"{item.system} does not track the stock of {intent.sku}")
    if item.item_id is None:
        return Impossible(reason="unknown_sku", detail=f"{item.system} names no inventory item for {intent.sku}")
    order = Order(intent.intent_id, intent.sku, item.item_id, intent.quantity, intent.line_id)
    return Commanded(orders=(order,))


def _expanded(intent: RestockIntent, components: tuple[Component, ...]) -> Plan:
    """A bundle comes back as its components, each SKU with a command of its own, however often it is listed."""
    orders: dict[str, Order] = {}
    for part in components:
        if part.item_id is None:
            detail = f"component {part.sku} of bundle {intent.sku} has no inventory item"
            return Impossible(reason="out_of_stock_component", detail=detail)
        before = orders[part.sku].quantity if part.sku in orders else 0
        quantity = before + intent.quantity * part.quantity
        orders[part.sku] = Order(_component_id(intent, part.sku), part.sku, part.item_id, quantity, None)
    return Commanded(orders=tuple(orders.values()))


def _component_id(intent: RestockIntent, sku: str) -> str:
    return ids.command_id(
        merchant=intent.merchant, system=intent.system, kind="restock", rma_id=intent.rma_id,
        unit_ids=(intent.intent_id, sku), generation=intent.generation,
    )  # fmt: skip


def undo(intent: RestockIntent, before: RestockIntent, put: tuple[Order, ...]) -> tuple[Order, ...]:
    """The very items that `put` put into stock for `before` leave it, whatever the item master says of them by now."""
    return tuple(
        Order(
            intent.intent_id if order.command_id == before.intent_id else _component_id(intent, order.sku),
            order.sku, order.item_id, -order.quantity, order.line_id,
        )
        for order in put
    )  # fmt: skip
