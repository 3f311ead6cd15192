"""Things of a shop by the names that people use at the control door."""

from ops.sandbox.control.staff_specs import LineSpec
from ops.sandbox.shopify.action import Action
from ops.sandbox.shopify.catalogue import Item, Location
from ops.sandbox.shopify.sales import LineItem, Order


def named_order(action: Action, given: str | int) -> Order:
    """An order by its name or number."""
    order = action.shop.order_named(str(given))
    if order is None:
        raise ValueError(f"order {given} is not in {action.shop.domain}")
    return order


def named_line(order: Order, spec: LineSpec) -> LineItem:
    """A line by its id, else the first of the variant or SKU."""
    for line in order.lines:
        if line.number == spec.line_item_id or (
            spec.line_item_id is None and spec.sku is not None and spec.sku in (line.known_as, line.sku)
        ):
            return line
    raise ValueError(f"order {order.name} has no line with {spec.sku or spec.line_item_id}")


def named_item(action: Action, sku: str) -> Item:
    """An item by its SKU."""
    variant = action.shop.variants.get(sku)
    if variant is None:
        raise ValueError(f"SKU {sku} is not in {action.shop.domain}")
    return variant.inventory_item


def named_location(action: Action, number: int) -> Location:
    """A location by its number."""
    location = action.shop.numbered(Location, number)
    if location is None:
        raise ValueError(f"location {number} is not in {action.shop.domain}")
    return location
