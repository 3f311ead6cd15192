"""What Shopify would refund: suggestedRefund on an order, suggestedFinancialOutcome on a return."""

from dataclasses import dataclass
from decimal import Decimal
from typing import TypedDict, Unpack

import msgspec

from ops.sandbox.shopify import amounts
from ops.sandbox.shopify.aftersales import NativeReturn, ReturnLine
from ops.sandbox.shopify.refund_input import LineGiven
from ops.sandbox.shopify.return_process import ShippingGiven
from ops.sandbox.shopify.sales import LineItem, Order
from ops.sandbox.shopify.session import Info
from ops.sandbox.shopify.shop import Shop
from ops.sandbox.shopify.values import ZERO, Payload, gateway_name


class QuantityGiven(msgspec.Struct, frozen=True, kw_only=True):
    """SuggestedOutcomeReturnLineItemInput."""

    id: str
    quantity: int


@dataclass(slots=True, kw_only=True, frozen=True)
class Worth:
    """The worth of some units and some shipping, capped at what is left of the payments."""

    order: Order
    lines: list[tuple[LineItem, int, str]]
    subtotal: Decimal
    tax: Decimal
    shipping: Decimal

    @property
    def amount(self) -> Decimal:
        """What to refund."""
        tax = ZERO if self.order.taxes_included else self.tax + amounts.shipping_tax(self.order, self.shipping)
        return min(self.subtotal + tax + self.shipping, amounts.net_payment(self.order))


class Asked(TypedDict, total=False):
    """Arguments of Order.suggestedRefund; duties are not played."""

    refund_line_items: list[dict[str, object]] | None
    shipping_amount: Decimal | None
    refund_shipping: bool | None
    suggest_full_refund: bool | None
    refund_duties: list[dict[str, object]] | None
    refund_method_allocation: str | None


class AskedOfReturn(TypedDict, total=False):
    """Arguments of Return.suggestedFinancialOutcome; exchange value, tips and duties are not weighed."""

    return_line_items: list[dict[str, object]]
    exchange_line_items: list[dict[str, object]]
    refund_shipping: dict[str, object] | None
    tip_line_id: str | None
    refund_duties: list[dict[str, object]] | None
    refund_method_allocation: str | None


def suggested_refund(order: Order, info: Info, **asked: Unpack[Asked]) -> Payload:
    """Order.suggestedRefund: for the given units, or for all that is left; what would move at today's rate."""
    shop, worth = info.context.shop, _asked_worth(order, asked)
    methods, transactions = _ways(shop, worth, asked.get("refund_method_allocation"))
    return {
        "amount_set": shop.today(order, worth.amount),
        "discounted_subtotal_set": order.bag(worth.subtotal),
        "maximum_refundable_set": shop.today(order, amounts.net_payment(order)),
        "refund_duties": [],
        "refund_line_items": [_suggested_line(*each) for each in worth.lines],
        "shipping": _shipping(order, worth.shipping),
        "subtotal_set": order.bag(worth.subtotal),
        "suggested_refund_methods": methods,
        "suggested_transactions": transactions,
        "total_cart_discount_amount_set": order.bag(ZERO),
        "total_duties_set": order.bag(ZERO),
        "total_tax_set": order.bag(worth.tax),
    }


def _asked_worth(order: Order, asked: Asked) -> Worth:
    full, left = bool(asked.get("suggest_full_refund")), amounts.shipping_left(order)
    shipping = left if asked.get("refund_shipping") or full else min(asked.get("shipping_amount") or ZERO, left)
    if full:
        return _worth(order, [(line, line.refundable, "RETURN") for line in order.lines if line.refundable], shipping)
    by_id = {line.id: line for line in order.lines}
    given = msgspec.convert(asked.get("refund_line_items") or [], list[LineGiven])
    known = [(by_id[each.line_item_id], each) for each in given if each.line_item_id in by_id]
    lines = [(line, min(each.quantity, line.refundable), each.restock_type or "NO_RESTOCK") for line, each in known]
    return _worth(order, lines, shipping)


def suggested_financial_outcome(native: NativeReturn, info: Info, **asked: Unpack[AskedOfReturn]) -> Payload:
    """Return.suggestedFinancialOutcome: for the given units of the return."""
    order, shop = native.order, info.context.shop
    worth = _worth(order, _return_lines(native, info, asked), _return_shipping(order, asked.get("refund_shipping")))
    methods, transactions = _ways(shop, worth, asked.get("refund_method_allocation"))
    transfer = {
        "__typename": "RefundReturnOutcome",
        "amount": shop.today(order, worth.amount),
        "suggested_refund_methods": methods,
        "suggested_transactions": transactions,
    }
    return {
        "discounted_subtotal": order.bag(worth.subtotal),
        "financial_transfer": transfer if worth.amount > 0 else None,
        "maximum_refundable": shop.today(order, amounts.net_payment(order)),
        "refund_duties": [],
        "shipping": _shipping(order, worth.shipping),
        "total_cart_discount_amount": order.bag(ZERO),
        "total_duties": order.bag(ZERO),
        "total_tax": order.bag(worth.tax),
    }


def _return_lines(native: NativeReturn, info: Info, asked: AskedOfReturn) -> list[tuple[LineItem, int, str]]:
    lines: list[tuple[LineItem, int, str]] = []
    for each in msgspec.convert(asked["return_line_items"], list[QuantityGiven]):
        found = info.context.shop.find(ReturnLine, each.id)
        if found is not None and found in native.lines:
            bought = found.fulfillment_line_item.line_item
            units = min(each.quantity, found.refundable_quantity, bought.refundable)
            lines.append((bought, units, "NO_RESTOCK"))
    return lines


def _worth(order: Order, lines: list[tuple[LineItem, int, str]], shipping: Decimal) -> Worth:
    taken: dict[int, int] = {}
    subtotal = tax = ZERO
    for line, units, _ in lines:
        before = line.gone + taken.get(line.number, 0)
        part = amounts.share(line, before, units)
        taken[line.number] = taken.get(line.number, 0) + units
        subtotal, tax = subtotal + part.subtotal, tax + part.tax
    return Worth(order=order, lines=lines, subtotal=subtotal, tax=tax, shipping=shipping)


def _return_shipping(order: Order, given: dict[str, object] | None) -> Decimal:
    if given is None:
        return ZERO
    asked = msgspec.convert(given, ShippingGiven)
    left = amounts.shipping_left(order)
    return (
        left
        if asked.full_refund
        else min(left, asked.shipping_refund_amount.amount if asked.shipping_refund_amount else ZERO)
    )


def _ways(shop: Shop, worth: Worth, allocation: str | None) -> tuple[list[Payload], list[Payload]]:
    order = worth.order
    if allocation == "STORE_CREDIT":
        method = {
            "__typename": "SuggestedStoreCreditRefund",
            "amount": shop.today(order, worth.amount),
            "expires_at": None,
            "maximum_refundable": shop.today(order, amounts.net_payment(order)),
        }
        return [method], []
    transactions = [
        {
            "amount_set": shop.today(order, part),
            "formatted_gateway": gateway_name(parent.gateway),
            "gateway": parent.gateway,
            "kind": "SUGGESTED_REFUND",
            "maximum_refundable_set": shop.today(order, amounts.left_on(parent)),
            "parent_transaction": parent,
        }
        for parent, part in amounts.spread(order, worth.amount)
    ]
    return [], transactions


def _suggested_line(line: LineItem, units: int, kind: str) -> Payload:
    part = amounts.share(line, line.gone, units)
    return {
        "id": None,
        "line_item": line,
        "location": None,
        "price_set": line.order.bag(line.unit_price),
        "quantity": units,
        "restock_type": kind,
        "restocked": False,
        "subtotal_set": line.order.bag(part.subtotal),
        "total_tax_set": line.order.bag(part.tax),
    }


def _shipping(order: Order, amount: Decimal) -> Payload:
    return {
        "amount_set": order.bag(amount),
        "maximum_refundable_set": order.bag(amounts.shipping_left(order)),
        "tax_set": order.bag(amounts.shipping_tax(order, amount)),
    }
