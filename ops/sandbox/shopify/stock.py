"""Stock that moves, whatever moved it: one place that changes a level and writes the movement into the books."""

from dataclasses import dataclass

from ops.sandbox.books import Movement
from ops.sandbox.shopify import payloads
from ops.sandbox.shopify.action import Action
from ops.sandbox.shopify.catalogue import ALL_NAMES, Item, Level, Location
from ops.sandbox.shopify.sales import LineItem


@dataclass(slots=True, kw_only=True, frozen=True)
class Cause:
    """Why stock moves: refund, disposition, adjustment, activation, set, staff or sale; its reference; the order
    line when there is one."""

    kind: str
    reference: str | None
    line: LineItem | None = None


def new_level(action: Action, item: Item, location: Location, available: int) -> Level:
    """Stocks an item at a location."""
    held = dict.fromkeys(ALL_NAMES, 0) | {"available": available}
    del held["on_hand"]
    now = action.now()
    level = Level(
        number=action.number(Level),
        item=item,
        location=location,
        is_active=True,
        created_at=now,
        updated_at=now,
        quantities_held=held,
        opening=dict(held),
    )
    item.levels[location.number] = action.shop.add(level)
    return level


def move(action: Action, level: Level, name: str, delta: int, cause: Cause) -> bool:
    """Changes a quantity. An untracked item is left as it is, without a word to the caller; the books say so."""
    applied = level.item.tracked
    if applied:
        level.quantities_held[name] += delta
        level.updated_at = action.now()
        action.emit("INVENTORY_LEVELS_UPDATE", level, lambda: payloads.inventory_level(level))
    order = cause.line.order.name if cause.line else None
    action.shop.books.movements.append(
        Movement(
            at=action.now(),
            sku=level.item.known_as,
            inventory_item_id=level.item.number,
            location_id=level.location.number,
            name=name,
            delta=delta,
            after=level.quantities_held[name],
            cause=cause.kind,
            reference=cause.reference,
            actor=action.actor,
            key=action.key,
            order=order,
            line_item_id=cause.line.number if cause.line else None,
            applied=applied,
        )
    )
    return applied


def put_back(action: Action, line: LineItem, location: Location, quantity: int, cause: Cause) -> bool:
    """Units of an order line go back to stock; an item not stocked there gets its level. False when nothing could
    move."""
    if line.variant is None or quantity <= 0:
        return False
    item = line.variant.inventory_item
    level = item.levels.get(location.number) or new_level(action, item, location, 0)
    level.is_active = True
    applied = move(action, level, "available", quantity, cause)
    if applied:
        line.restocked += quantity
    return applied
