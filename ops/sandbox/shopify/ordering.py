"""Orders come into being: from a control door's description, or from a draft. Discounts and taxes are worked out
here."""

from datetime import datetime
from decimal import Decimal

import msgspec

from ops.sandbox.shopify import amounts, rounding
from ops.sandbox.shopify.action import Action
from ops.sandbox.shopify.catalogue import Location
from ops.sandbox.shopify.dispatch import send
from ops.sandbox.shopify.payments import PaymentSpec, pay
from ops.sandbox.shopify.sales import (
    Customer,
    Discount,
    DraftOrder,
    LineGroup,
    LineItem,
    Order,
)
from ops.sandbox.shopify.shipping import ShippingSpec, ship
from ops.sandbox.shopify.values import ZERO, Money, places, rounded


class LineSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A line: a SKU (or the name of a variant), the SKU of a bundle's parent (its components become the lines), or
    a title without variant (its SKU may be one nobody knows). `ships` False: a tip or a service, which is never
    sent."""

    sku: str | None = None
    bundle: str | None = None
    custom_title: str | None = None
    quantity: int = 1
    unit_price: Decimal | None = None
    discount: Decimal = ZERO
    tax_rate: Decimal = ZERO
    fulfilled: int | None = None
    ships: bool = True


class OrderSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An order as a scenario describes it; amounts in its presentment currency, `rate` shop units per presentment
    unit, by default the shop's of the day. `shipping` is short for one untaxed line of `shipping_lines`."""

    name: str
    lines: list[LineSpec]
    id: int | None = None
    customer_id: int | None = None
    created_at: datetime | None = None
    currency: str | None = None
    rate: Decimal | None = None
    taxes_included: bool = True
    order_discount: Decimal = ZERO
    shipping: Decimal = ZERO
    shipping_lines: list[ShippingSpec] = []
    payments: list[PaymentSpec] | None = None
    tags: list[str] = []
    note: str | None = None
    archived: bool = False
    cancelled: bool = False
    rounding: str | None = None  # a rule of rounding.py; None: the shop's
    source_name: str = "web"
    retail_location_id: int | None = None


def place_order(action: Action, spec: OrderSpec) -> Order:
    """Makes the order of a description; unknown SKUs, customers or a name in use are ValueErrors."""
    order = _empty(action, spec)
    sent: list[tuple[LineItem, int]] = []
    for line in spec.lines:
        sent += [
            (each, each.quantity if line.fulfilled is None else min(each.quantity, line.fulfilled))
            for each in add_lines(action, order, line)
        ]
    if spec.order_discount:
        _discount(order, order.lines, spec.order_discount, "Order discount", "ACROSS")
    for each in order.lines:
        tax(each)
    _ship_and_pay(action, order, spec)
    if parcel := [(each, units) for each, units in sent if units and each.ships]:
        send(action, order, parcel)
    order.closed_at = order.created_at if spec.archived else None
    order.cancelled_at = order.created_at if spec.cancelled else None
    action.shop.by_name[order.name] = order
    action.index(order)
    return action.shop.add(order)


def _empty(action: Action, spec: OrderSpec) -> Order:
    shop = action.shop
    if spec.name in shop.by_name:
        raise ValueError(f"order {spec.name} exists already in {shop.domain}")
    customer = shop.numbered(Customer, spec.customer_id) if spec.customer_id is not None else None
    if spec.customer_id is not None and customer is None:
        raise ValueError(f"order {spec.name}: customer {spec.customer_id} is not in {shop.domain}")
    place = shop.numbered(Location, spec.retail_location_id) if spec.retail_location_id is not None else None
    now = spec.created_at or action.now()
    return Order(
        number=spec.id if spec.id is not None else action.number(Order),
        name=spec.name,
        currency_code=shop.currency_code,
        presentment_currency_code=spec.currency or shop.currency_code,
        rate=spec.rate or shop.rates.get(spec.currency or "", Decimal(1)),
        taxes_included=spec.taxes_included,
        customer=customer,
        created_at=now,
        updated_at=now,
        rounding=shop.rounding if spec.rounding is None else rounding.check(spec.rounding),
        source_name=spec.source_name,
        note=spec.note,
        tags=list(spec.tags),
        retail_location=place,
    )


def add_lines(action: Action, order: Order, spec: LineSpec) -> list[LineItem]:
    """The line of a description, or one for each component of a bundle; their taxes are worked out last."""
    if spec.bundle is None:
        lines = [_line(action, order, spec, spec.sku, spec.quantity)]
    else:
        lines = _bundle_lines(action, order, spec, spec.bundle)
    if spec.discount:
        _discount(order, lines, spec.discount, "Line discount", "EACH")
    order.lines += [action.shop.add(line) for line in lines]
    return lines


def _bundle_lines(action: Action, order: Order, spec: LineSpec, sku: str) -> list[LineItem]:
    """A line per component, priced as shares of the bundle's price and pointing to the bundle."""
    parent = action.shop.variants.get(sku)
    if parent is None or not parent.components:
        raise ValueError(f"order {order.name}: {sku} is not a bundle of {action.shop.domain}")
    group = LineGroup(number=action.number(LineGroup), title=parent.title, quantity=spec.quantity, variant=parent)
    action.shop.add(group)
    price = spec.unit_price if spec.unit_price is not None else parent.price
    listed = sum((part.product_variant.price * part.quantity for part in parent.components), ZERO)
    lines: list[LineItem] = []
    for part in parent.components:
        line = _line(action, order, spec, part.product_variant.known_as, part.quantity * spec.quantity)
        share = price * part.product_variant.price / listed if listed else ZERO
        line.unit_price = rounded(share, order.presentment_currency_code)
        line.group = group
        lines.append(line)
    return lines


def _line(action: Action, order: Order, spec: LineSpec, sku: str | None, quantity: int) -> LineItem:
    variant = action.shop.variants.get(sku) if sku else None
    if variant is None and spec.custom_title is None:
        raise ValueError(
            f"order {order.name}: a line needs the sku or bundle of a variant of {action.shop.domain}, "
            f"or a custom_title; got {sku}"
        )
    price = spec.unit_price if spec.unit_price is not None else (variant.price if variant else ZERO)
    return LineItem(
        number=action.number(LineItem),
        order=order,
        title=variant.product.title if variant else spec.custom_title or "",
        variant=variant,
        sku=(variant.sku or None) if variant else sku,
        quantity=quantity,
        unit_price=price,
        allocations=[],
        tax_rate=spec.tax_rate,
        tax=ZERO,
        fulfilled=0,
        group=None,
        ships=spec.ships,
    )


def _discount(order: Order, lines: list[LineItem], amount: Decimal, title: str, method: str) -> None:
    value = Money(amount, order.presentment_currency_code)
    discount = Discount(index=len(order.discounts), title=title, allocation_method=method, value=value)
    order.discounts.append(discount)
    for line, part in zip(lines, spread_by_weight(amount, lines), strict=True):
        if part:
            line.allocations.append((discount, part))


def spread_by_weight(amount: Decimal, lines: list[LineItem]) -> list[Decimal]:
    """An amount over lines by their worth; the last units go to the largest remainders, so that the parts add up."""
    if not lines:
        return []
    unit = Decimal(1).scaleb(-places(lines[0].order.presentment_currency_code))
    weights = [line.discounted_total for line in lines]
    whole = sum(weights, ZERO)
    exact = [amount * weight / whole if whole else ZERO for weight in weights]
    parts = [(value // unit) * unit for value in exact]
    missing = int((amount - sum(parts, ZERO)) / unit)
    by_remainder = sorted(range(len(parts)), key=lambda index: exact[index] - parts[index], reverse=True)
    for index in by_remainder[:missing]:
        parts[index] += unit
    return parts


def tax(line: LineItem) -> None:
    """Works out a line's tax from what is left of its price after discounts."""
    base = 1 + line.tax_rate if line.order.taxes_included else Decimal(1)
    line.tax = rounded(line.discounted_total * line.tax_rate / base, line.order.presentment_currency_code)


def _ship_and_pay(action: Action, order: Order, spec: OrderSpec) -> None:
    short = [ShippingSpec(price=spec.shipping)] if spec.shipping else []
    for each in (*short, *spec.shipping_lines):
        ship(action, order, each)
    order.original_total = amounts.total(order)
    for payment in spec.payments if spec.payments is not None else [PaymentSpec(amount=order.original_total)]:
        pay(action, order, payment)


def order_from_draft(action: Action, draft: DraftOrder) -> Order:
    """An unfulfilled order of what the draft holds, at its prices."""
    lines = [
        LineSpec(sku=variant.known_as, quantity=quantity, unit_price=price, fulfilled=0)
        for variant, quantity, price in draft.lines
    ]
    customer = draft.customer.number if draft.customer else None
    spec = OrderSpec(
        name=draft.name.replace("#D", "#X"), lines=lines, customer_id=customer, tags=draft.tags, note=draft.note
    )
    return place_order(action, spec)
