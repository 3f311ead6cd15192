"""Shipping lines of an order, with their discounts and taxes."""

from decimal import Decimal

import msgspec

from ops.sandbox.shopify.action import Action
from ops.sandbox.shopify.sales import Discount, Order, Shipping
from ops.sandbox.shopify.values import ZERO, Money, rounded


class ShippingSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A shipping line: its price before a discount, and its tax, inside or on top as the order says."""

    price: Decimal
    title: str = "Standard"
    discount: Decimal = ZERO
    tax_rate: Decimal = ZERO


def ship(action: Action, order: Order, spec: ShippingSpec) -> None:
    """Adds a shipping line to an order."""
    if not ZERO <= spec.discount <= spec.price:
        raise ValueError(f"order {order.name}: a discount of {spec.discount} on shipping of {spec.price}")
    currency = order.presentment_currency_code
    base = 1 + spec.tax_rate if order.taxes_included else Decimal(1)
    order.shippings.append(
        action.shop.add(
            Shipping(
                number=action.number(Shipping),
                title=spec.title,
                price=spec.price,
                allocations=_discounted(order, spec),
                tax_rate=spec.tax_rate,
                tax=rounded((spec.price - spec.discount) * spec.tax_rate / base, currency),
            )
        )
    )


def _discounted(order: Order, spec: ShippingSpec) -> list[tuple[Discount, Decimal]]:
    if not spec.discount:
        return []
    discount = Discount(
        index=len(order.discounts),
        title="Shipping discount",
        allocation_method="EACH",
        value=Money(spec.discount, order.presentment_currency_code),
        target_type="SHIPPING_LINE",
    )
    order.discounts.append(discount)
    return [(discount, spec.discount)]
