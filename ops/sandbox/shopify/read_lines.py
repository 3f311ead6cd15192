"""How order lines and payments read: resolvers of fields that are more than an attribute."""

from decimal import Decimal

from ops.sandbox.shopify import amounts
from ops.sandbox.shopify.sales import LineItem, Order, Transaction
from ops.sandbox.shopify.session import Info, Resolver, Resolvers
from ops.sandbox.shopify.values import ZERO, Money, Payload, gateway_name, rounded


def _line_money(read: Resolver) -> Resolver:
    """A MoneyBag of a line's sum."""
    return lambda line, _info: line.order.bag(read(line))


def tax_line(order: Order, rate: Decimal, amount: Decimal) -> Payload:
    """One TaxLine."""
    return {
        "channel_liable": False,
        "price_set": order.bag(amount),
        "rate": float(rate),
        "rate_percentage": float(rate * 100),
        "source": "Shopify",
        "title": "Tax",
    }


def _tax_lines(line: LineItem) -> list[Payload]:
    if not line.tax_rate:
        return []
    return [tax_line(line.order, line.tax_rate, line.tax)]


def _allocations(line: LineItem, _info: Info) -> list[Payload]:
    return [
        {"allocated_amount_set": line.order.bag(part), "discount_application": discount}
        for discount, part in line.allocations
    ]


def line_discount(line: LineItem) -> Decimal:
    """All discounts of a line."""
    return sum((part for _, part in line.allocations), ZERO)


def _discounted(line: LineItem, _info: Info, with_code_discounts: bool | None = None) -> object:
    """Order-level discounts are left out here, as in Shopify."""
    del with_code_discounts
    own = sum((part for discount, part in line.allocations if discount.allocation_method == "EACH"), ZERO)
    return line.order.bag(line.unit_price * line.quantity - own)


def _unit(line: LineItem, total: Decimal) -> Decimal:
    return rounded(total / line.quantity, line.order.presentment_currency_code)


def _left_on(transaction: Transaction, _info: Info) -> Money | None:
    if transaction not in amounts.taken(transaction.order):
        return None
    return Money(amounts.left_on(transaction), transaction.order.presentment_currency_code)


LINE: Resolvers = {
    "currentQuantity": lambda line, _info: line.refundable,
    "customAttributes": lambda _line, _info: [],
    "discountAllocations": _allocations,
    "discountedTotalSet": _discounted,
    "discountedUnitPriceAfterAllDiscountsSet": _line_money(lambda line: _unit(line, line.discounted_total)),
    "discountedUnitPriceSet": _line_money(lambda line: _unit(line, line.discounted_total)),
    "duties": lambda _line, _info: [],
    "isGiftCard": lambda line, _info: bool(line.variant and line.variant.product.is_gift_card),
    "lineItemGroup": lambda line, _info: line.group,
    "name": lambda line, _info: f"{line.title} - {line.variant.title}" if line.variant else line.title,
    "nonFulfillableQuantity": lambda line, _info: line.quantity - line.unfulfilled,
    "originalTotalSet": _line_money(lambda line: line.unit_price * line.quantity),
    "originalUnitPriceSet": _line_money(lambda line: line.unit_price),
    "product": lambda line, _info: line.variant.product if line.variant else None,
    "refundableQuantity": lambda line, _info: line.refundable,
    "requiresShipping": lambda line, _info: line.ships,
    "restockable": lambda line, _info: line.variant is not None and line.refundable > 0,
    "taxLines": lambda line, _info, first=None: _tax_lines(line)[:first],
    "taxable": lambda line, _info: bool(line.tax_rate),
    "totalDiscountSet": _line_money(line_discount),
    "unfulfilledQuantity": lambda line, _info: line.unfulfilled,
    "variantTitle": lambda line, _info: line.variant.title if line.variant else None,
    "vendor": lambda _line, _info: "Sandbox",
}
TRANSACTION: Resolvers = {
    "amountRoundingSet": lambda _transaction, _info: None,
    "amountSet": lambda transaction, _info: transaction.bag,
    "formattedGateway": lambda transaction, _info: gateway_name(transaction.gateway),
    "manualPaymentGateway": lambda transaction, _info: transaction.gateway == "manual",
    "maximumRefundableV2": _left_on,
    "paymentId": lambda transaction, _info: f"sandbox.{transaction.number}",
    "processedAt": lambda transaction, _info: transaction.created_at,
    "receiptJson": lambda _transaction, _info: {},
    "test": lambda _transaction, _info: False,
}


GROUP: Resolvers = {
    "customAttributes": lambda _group, _info: [],
    "productId": lambda group, _info: group.variant.product.id,
    "variantId": lambda group, _info: group.variant.id,
    "variantSku": lambda group, _info: group.variant.sku or None,
}
RESOLVERS: dict[str, Resolvers] = {"LineItem": LINE, "LineItemGroup": GROUP, "OrderTransaction": TRANSACTION}
