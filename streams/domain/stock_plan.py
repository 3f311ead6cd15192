"""Whether and how an intent can be carried out on the item that the system of record has."""

from collections import Counter
from collections.abc import Iterable

import msgspec

from schemas import ids
from schemas.merchant import Merchant
from schemas.numbers import LARGEST_COUNT
from schemas.sku import meant
from schemas.stock import Component, RestockIntent, StockItem
from streams.domain.stock_find import Found, Impossible, find


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


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """Nothing is known of the item yet."""

    detail: str


Plan = Commanded | Found | Impossible | Waiting


def plan(intent: RestockIntent, item: StockItem | None, rules: Merchant, *, closed: bool) -> Plan:
    """Checks in the order in which a person would ask; `closed`: its location takes no stock."""
    if not (intent.item_id or intent.variant_id or meant(intent.sku)):
        return Impossible(reason="no_item", detail="neither the order line nor the return names an item")
    if item is None:
        return Waiting(detail="the item master has not been read yet")
    if item.item_id is None:
        return find(intent, item)
    if not item.exists:
        detail = f"{item.system} has the inventory item {item.item_id} of {intent.sku or 'this unit'} no more"
        return Impossible(reason="deleted_item", detail=detail)
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
    order = Order(intent.intent_id, intent.sku, item.item_id, intent.quantity, intent.line_id)
    return Commanded(orders=(order,))


def _expanded(intent: RestockIntent, components: tuple[Component, ...]) -> Plan:
    """A bundle comes back as its components, each item with a command of its own, however often it is listed."""
    pieces: dict[str, tuple[str, int]] = {}
    if not any(part.quantity for part in components):
        counts = ", ".join(f"{part.quantity} × {part.sku or part.item_id}" for part in components)
        detail = f"expected bundle {intent.sku} to be made of pieces, got {counts}"
        return Impossible(reason="out_of_stock_component", detail=detail)
    for part in components:
        if part.quantity == 0:
            continue  # listed, and no piece of it is in the bundle
        if part.item_id is None:
            detail = f"component {part.sku} of bundle {intent.sku} has no inventory item"
            return Impossible(reason="out_of_stock_component", detail=detail)
        sku, before = pieces.get(part.item_id, (part.sku, 0))
        pieces[part.item_id] = sku, before + intent.quantity * part.quantity
    most = max(abs(quantity) for _, quantity in pieces.values())
    if most > LARGEST_COUNT:
        detail = f"{abs(intent.quantity)} × bundle {intent.sku} would be {most} pieces of one item"
        return Impossible(reason="over_quantity", detail=detail)
    names = _names([(sku, item_id) for item_id, (sku, _) in pieces.items()])
    return Commanded(orders=tuple(
        Order(_component_id(intent, names[item_id]), sku, item_id, quantity, None)
        for item_id, (sku, quantity) in pieces.items()
    ))  # fmt: skip


def _names(parts: Iterable[tuple[str, str]]) -> dict[str, str]:
    """What the commands of components are told apart by: their SKU, but their item where a SKU tells nothing."""
    listed = list(parts)
    often = Counter(sku for sku, _ in listed)
    return {item_id: sku if sku and often[sku] == 1 else f"item:{item_id}" for sku, item_id in listed}


def _component_id(intent: RestockIntent, name: str) -> str:
    return ids.command_id(
        merchant=intent.merchant, system=intent.system, kind="restock", rma_id=intent.rma_id,
        unit_ids=(intent.intent_id, name), generation=intent.generation,
    )  # fmt: skip


def undo(intent: RestockIntent, before: RestockIntent, put: tuple[Order, ...]) -> tuple[Order, ...]:
    """The very items that `put` put into stock for `before` leave it, whatever the item master says of them by now."""
    names = _names([(order.sku, order.item_id) for order in put])
    return tuple(
        Order(
            intent.intent_id if order.command_id == before.intent_id else _component_id(intent, names[order.item_id]),
            order.sku, order.item_id, -order.quantity, order.line_id,
        )
        for order in put
    )  # fmt: skip
