"""A customer files a return: the RMA and its units come into being."""

from decimal import Decimal

import msgspec

from ops.sandbox.returngo import changes
from ops.sandbox.returngo.store import Rma, Store, Unit
from ops.sandbox.shopify.sales import LineItem, Order
from ops.sandbox.shopify.shop import Shop
from ops.sandbox.world import World


class UnitSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Units that come back, of a line named by SKU or id. More units than were bought are taken as they are."""

    sku: str | None = None
    line_item_id: int | None = None
    quantity: int = 1
    reason: str = "Does not fit"
    resolution: str = "RefundToPaymentMethod"
    paid_price: Decimal | None = None


class RmaSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A customer's request."""

    order: str | int
    units: list[UnitSpec]
    return_method: str = "Ship with any carrier"


def request_rma(world: World, shop: Shop, store: Store, spec: RmaSpec) -> Rma:
    """The customer files a return: Pending, not a word to Shopify yet."""
    order = shop.order_named(str(spec.order))
    if order is None:
        raise ValueError(f"order {spec.order} is not in {shop.domain}")
    now = world.clock.now()
    rma = Rma(
        id=world.number("rma", 10_000_001),
        order_id=order.number,
        order_name=order.name,
        customer_id=order.customer.number if order.customer else None,
        status="Pending",
        return_method=spec.return_method,
        created_at=now,
        updated_at=now,
    )
    for each in spec.units:
        line = _line(order, each)
        for _ in range(each.quantity):
            rma.units.append(_unit(world, line, each))
    store.rmas[rma.id] = rma
    changes.created(world, store, rma)
    return rma


def _line(order: Order, spec: UnitSpec) -> LineItem:
    for line in order.lines:
        if line.number == spec.line_item_id or (
            spec.line_item_id is None and spec.sku is not None and spec.sku in (line.known_as, line.sku)
        ):
            return line
    raise ValueError(
        f"order {order.name} has no line with {spec.sku or spec.line_item_id}; "
        f"it has {[line.known_as for line in order.lines]}"
    )


def _unit(world: World, line: LineItem, spec: UnitSpec) -> Unit:
    order, variant = line.order, line.variant
    # ReturnGO divides what the line cost by its units and rounds nothing
    price, tax = line.discounted_total / line.quantity, line.tax / line.quantity
    return Unit(
        id=world.number("returned item", 47_000_001),
        line_item_id=line.number,
        product_id=variant.product.number if variant else None,
        variant_id=variant.number if variant else None,
        title=line.title,
        variant_title=variant.title if variant else None,
        sku=line.sku,
        barcode=variant.barcode if variant else None,
        paid_price=price if spec.paid_price is None else spec.paid_price,
        paid_tax=tax,
        currency=order.presentment_currency_code,
        shop_currency=order.currency_code,
        rate=order.rate,
        tax_included=order.taxes_included,
        reason=spec.reason,
        resolution=spec.resolution,
        shipment_id=None,
    )
