"""How orders and payments read: resolvers of fields that are more than an attribute."""

from datetime import timedelta
from decimal import Decimal
from typing import Unpack

from ops.sandbox.shopify import amounts
from ops.sandbox.shopify.action import Action
from ops.sandbox.shopify.connections import Page, connection, paged
from ops.sandbox.shopify.read_lines import line_discount, tax_line
from ops.sandbox.shopify.refunds import visible_order
from ops.sandbox.shopify.sales import Fulfillment, Order, Shipping, Transaction
from ops.sandbox.shopify.search import search
from ops.sandbox.shopify.session import Info, Resolver, Resolvers
from ops.sandbox.shopify.suggest import suggested_refund
from ops.sandbox.shopify.values import ZERO, Payload

SEEN_WITHOUT_ALL_ORDERS = timedelta(days=60)


def _money(read: Resolver) -> Resolver:
    """A MoneyBag of an order's sum."""
    return lambda order, _info: order.bag(read(order))


def _one_order(_root: object, info: Info, gid: str) -> Order | None:
    return visible_order(Action(info.context.world, info.context.shop, "api"), gid)


def _orders(
    _root: object, info: Info, query: str | None = None, sort_key: str | None = None, **page: Unpack[Page]
) -> Payload:
    shop, now = info.context.shop, info.context.world.clock.now()
    rows = [
        (order, terms)
        for order, terms in shop.searched(Order, query, now)
        if shop.read_all_orders or now - order.created_at < SEEN_WITHOUT_ALL_ORDERS
    ]
    seen, by = dict(rows), "updated_at" if sort_key == "UPDATED_AT" else "created_at"

    def key(order: Order) -> str:
        moment = "" if sort_key == "ID" else f"{seen[order][by]:%Y-%m-%dT%H:%M:%S.%f}"
        return f"{moment}|{order.number:020d}"

    return connection(sorted(search(rows, query), key=key), **page, key=key)


def _transactions(
    order: Order,
    _info: Info,
    first: int | None = None,
    capturable: bool | None = None,
    manually_resolvable: bool | None = None,
) -> list[Transaction]:
    del capturable, manually_resolvable
    return [*order.payments, *amounts.outgoing(order)][:first]


def _shipping_lines(order: Order, _info: Info, include_removals: bool | None = None, **page: Unpack[Page]) -> Payload:
    del include_removals
    return connection([shipping_line(order, each) for each in order.shippings], **page)


def shipping_line(order: Order, line: Shipping) -> Payload:
    """A shipping line of an order."""
    return {
        "id": line.id,
        "code": line.title,
        "current_discounted_price_set": order.bag(line.discounted_price),
        "custom": False,
        "discount_allocations": [
            {"allocated_amount_set": order.bag(part), "discount_application": discount}
            for discount, part in line.allocations
        ],
        "discounted_price_set": order.bag(line.discounted_price),
        "is_removed": False,
        "original_price_set": order.bag(line.price),
        "source": "shopify",
        "tax_lines": [tax_line(order, line.tax_rate, line.tax)] if line.tax_rate else [],
        "title": line.title,
    }


def _order_taxes(order: Order, _info: Info) -> list[Payload]:
    taxed = [(each.tax_rate, each.tax) for each in order.lines] + [
        (each.tax_rate, each.tax) for each in order.shippings
    ]
    rates = sorted({rate for rate, _ in taxed if rate})
    return [tax_line(order, rate, sum((tax for each, tax in taxed if each == rate), ZERO)) for rate in rates]


def _current_total(order: Order) -> Decimal:
    gone = sum(
        (
            each.subtotal + (ZERO if order.taxes_included else each.tax)
            for refund in order.refunds
            for each in refund.lines
        ),
        ZERO,
    )
    taxes = ZERO if order.taxes_included else sum((refund.shipping_tax for refund in order.refunds), ZERO)
    return amounts.total(order) - gone - amounts.shipping_refunded(order) - taxes


def _fulfillments(order: Order, _info: Info, first: int | None = None, **_unheard: object) -> list[Fulfillment]:
    return order.fulfillments[:first]


ORDER: Resolvers = {
    "cancelReason": lambda order, _info: "OTHER" if order.cancelled_at else None,
    "closed": lambda order, _info: order.closed_at is not None,
    "confirmed": lambda _order, _info: True,
    "currentSubtotalLineItemsQuantity": lambda order, _info: sum(line.refundable for line in order.lines),
    "currentSubtotalPriceSet": _money(
        lambda order: (
            amounts.lines_total(order) - sum((each.subtotal for refund in order.refunds for each in refund.lines), ZERO)
        )
    ),
    "currentTotalPriceSet": _money(_current_total),
    "currentTotalTaxSet": _money(
        lambda order: (
            amounts.tax_total(order) - sum((each.tax for refund in order.refunds for each in refund.lines), ZERO)
        )
    ),
    "customAttributes": lambda order, _info: [{"key": key, "value": value} for key, value in order.attributes],
    "discountApplications": paged(lambda order: order.discounts),
    "discountCode": lambda _order, _info: None,
    "discountCodes": lambda _order, _info: [],
    "displayFinancialStatus": lambda order, _info: amounts.financial_status(order),
    "displayFulfillmentStatus": lambda order, _info: amounts.fulfillment_status(order),
    "dutiesIncluded": lambda _order, _info: False,
    "fulfillments": _fulfillments,
    "fullyPaid": lambda order, _info: amounts.received(order) >= amounts.total(order),
    "lineItems": paged(lambda order: order.lines),
    "netPaymentSet": lambda order, _info: amounts.moved(order, [*amounts.taken(order), *amounts.counted_out(order)]),
    "number": lambda order, _info: int("".join(char for char in order.name if char.isdigit()) or 0),
    "originalTotalDutiesSet": lambda _order, _info: None,
    "originalTotalPriceSet": _money(lambda order: order.original_total),
    "paymentGatewayNames": lambda order, _info: list(dict.fromkeys(each.gateway for each in order.payments)),
    "processedAt": lambda order, _info: order.created_at,
    "refundDiscrepancySet": _money(
        lambda order: sum((each.amount for refund in order.refunds for each in refund.adjustments), ZERO)
    ),
    "refundable": lambda order, _info: amounts.net_payment(order) > 0 or any(line.refundable for line in order.lines),
    "refunds": lambda order, _info, first=None: order.refunds[:first],
    "restockable": lambda order, _info: any(line.refundable for line in order.lines),
    "returnStatus": lambda order, _info: amounts.return_status(order),
    "returns": paged(lambda order: order.returns),
    "shippingLine": lambda order, _info: shipping_line(order, order.shippings[0]) if order.shippings else None,
    "shippingLines": _shipping_lines,
    "sourceIdentifier": lambda _order, _info: None,
    "subtotalLineItemsQuantity": lambda order, _info: sum(line.quantity for line in order.lines),
    "subtotalPriceSet": _money(amounts.lines_total),
    "suggestedRefund": suggested_refund,
    "taxLines": _order_taxes,
    "test": lambda _order, _info: False,
    "totalCashRoundingAdjustment": lambda order, _info: {"payment_set": order.bag(ZERO), "refund_set": order.bag(ZERO)},
    "totalDiscountsSet": _money(lambda order: sum((line_discount(line) for line in order.lines), ZERO)),
    "totalOutstandingSet": _money(lambda order: max(ZERO, amounts.total(order) - amounts.received(order))),
    "totalPriceSet": _money(amounts.total),
    "totalReceivedSet": lambda order, _info: amounts.moved(order, amounts.taken(order)),
    "totalRefundedSet": lambda order, _info: amounts.moved(order, amounts.counted_out(order)),
    "totalRefundedShippingSet": _money(amounts.shipping_refunded),
    "totalShippingPriceSet": _money(amounts.shipping_total),
    "totalTaxSet": _money(amounts.tax_total),
    "totalTipReceivedSet": _money(lambda _order: ZERO),
    "transactions": _transactions,
    "unpaid": lambda order, _info: amounts.received(order) == 0,
}
ROOT: Resolvers = {"order": _one_order, "orders": _orders}
RESOLVERS: dict[str, Resolvers] = {
    "Order": ORDER,
    "ManualDiscountApplication": {"description": lambda discount, _info: discount.title},
}
