"""What people do to goods: stock corrected, tracking switched, products archived, made drafts and deleted."""

from collections.abc import Callable
from functools import partial

import msgspec

from ops.sandbox.control.named import named_item, named_location
from ops.sandbox.control.staff_specs import ProductNamed, ProductSpec, RestockSpec, TrackingSpec
from ops.sandbox.shopify import payloads, stock
from ops.sandbox.shopify.action import Action
from ops.sandbox.shopify.catalogue import Product
from ops.sandbox.shopify.sales import Order
from ops.sandbox.shopify.values import Payload


def restock(action: Action, spec: RestockSpec) -> Payload:
    """Stock corrected by hand."""
    item, location = named_item(action, spec.sku), named_location(action, spec.location_id)
    level = item.levels.get(location.number) or stock.new_level(action, item, location, 0)
    stock.move(action, level, spec.name, spec.delta, stock.Cause(kind="staff", reference=spec.reason))
    return {"after": level.quantity(spec.name)}


def tracking(action: Action, spec: TrackingSpec) -> Payload:
    """An item is tracked, or no longer."""
    item = named_item(action, spec.sku)
    item.tracked, item.updated_at = spec.tracked, action.now()
    action.index(item)
    action.emit("INVENTORY_ITEMS_UPDATE", item, lambda: payloads.inventory_item(item))
    return {"sku": item.sku, "tracked": item.tracked}


def product(action: Action, spec: ProductSpec) -> Payload:
    """A product becomes active, a draft or archived. Its stock can be moved in every state, and is for sale in one."""
    found = _product(action, spec.sku)
    found.status, found.updated_at = spec.status, action.now()
    action.index(found)
    action.emit("PRODUCTS_UPDATE", found, lambda: payloads.product(found))
    return {"product_id": found.number, "status": found.status}


def delete_product(action: Action, spec: ProductNamed) -> Payload:
    """A product goes for good with its variants, their items and their stock. Lines of orders keep its texts alone."""
    found = _product(action, spec.sku)
    used = {part.product_variant for each in action.shop.variants.values() for part in each.components}
    if used.intersection(found.variants):
        raise ValueError(f"{spec.sku} is a component of a bundle of {action.shop.domain}")
    for variant in found.variants:
        item = variant.inventory_item
        del action.shop.variants[variant.known_as]
        for gone in (variant, item, *item.levels.values()):
            action.shop.remove(gone)
        action.emit("INVENTORY_ITEMS_DELETE", item, partial(payloads.deleted, item))
    action.shop.remove(found)
    action.emit("PRODUCTS_DELETE", found, partial(payloads.deleted, found))
    for order in action.shop.all(Order):
        for line in order.lines:
            line.variant = None if line.variant in found.variants else line.variant
    return {"product_id": found.number}


def _product(action: Action, sku: str) -> Product:
    return named_item(action, sku).variant.product


ACTIONS: dict[str, tuple[type[msgspec.Struct], Callable[..., Payload]]] = {
    "restock": (RestockSpec, restock),
    "tracking": (TrackingSpec, tracking),
    "product": (ProductSpec, product),
    "delete-product": (ProductNamed, delete_product),
}
