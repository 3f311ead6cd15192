"""What an order is worth, was paid, and can still be refunded. Pure sums over entities, in presentment currency."""

from decimal import Decimal
from typing import NamedTuple

from ops.sandbox.shopify.rounding import RULES
from ops.sandbox.shopify.rounding import spread as spread_units
from ops.sandbox.shopify.sales import LineItem, Order, Transaction
from ops.sandbox.shopify.values import ZERO, Money, MoneyBag, rounded

MONEY_IN = ("SALE", "CAPTURE")
COUNTED_OUT = ("SUCCESS", "PENDING")


class Share(NamedTuple):
    """What some units of a line are worth: before tax as the price stands, and the tax (inside it when taxes are
    included)."""

    subtotal: Decimal
    tax: Decimal


def share(line: LineItem, already: int, quantity: int) -> Share:
    """The worth of `quantity` units after `already` went before, by the shop's rule for the odd minor unit."""
    currency, (price, tax) = line.order.presentment_currency_code, RULES[line.order.rounding]
    return Share(
        spread_units(line.discounted_total, already, quantity, line.quantity, currency, price),
        spread_units(line.tax, already, quantity, line.quantity, currency, tax),
    )


def lines_total(order: Order) -> Decimal:
    """All lines after discounts, without what an edit took off them."""
    return sum((line.discounted_total - line.removed_worth for line in order.lines), ZERO)


def tax_total(order: Order) -> Decimal:
    """All taxes, those of shipping too."""
    goods = sum((line.tax - line.removed_tax for line in order.lines), ZERO)
    return goods + sum((each.tax for each in order.shippings), ZERO)


def shipping_total(order: Order) -> Decimal:
    """What shipping costs after its discounts, as its price stands."""
    return sum((each.discounted_price for each in order.shippings), ZERO)


def total(order: Order) -> Decimal:
    """What the customer has to pay."""
    return lines_total(order) + shipping_total(order) + (ZERO if order.taxes_included else tax_total(order))


def taken(order: Order) -> list[Transaction]:
    """Payments that brought money: what was only promised, is still to come or was given up is none."""
    return [each for each in order.payments if each.kind in MONEY_IN and each.status == "SUCCESS"]


def received(order: Order) -> Decimal:
    """What came in."""
    return sum((each.amount for each in taken(order)), ZERO)


def outgoing(order: Order) -> list[Transaction]:
    """All refund transactions."""
    return [each for refund in order.refunds for each in refund.transactions]


def counted_out(order: Order) -> list[Transaction]:
    """Refund transactions that count, those whose money is still under way too."""
    return [each for each in outgoing(order) if each.status in COUNTED_OUT]


def refunded(order: Order) -> Decimal:
    """What went back, pending money included."""
    return sum((each.amount for each in counted_out(order)), ZERO)


def moved(order: Order, steps: list[Transaction]) -> MoneyBag:
    """The sum of payments, refunds taken off, in both currencies: each at the rate of its own moment."""
    signed = [(-1 if each.kind == "REFUND" else 1, each.bag) for each in steps]
    shop = sum((sign * each.shop_money.amount for sign, each in signed), ZERO)
    presentment = sum((sign * each.presentment_money.amount for sign, each in signed), ZERO)
    return MoneyBag(Money(shop, order.currency_code), Money(presentment, order.presentment_currency_code))


def net_payment(order: Order) -> Decimal:
    """What is left of the payments."""
    return received(order) - refunded(order)


def left_on(parent: Transaction) -> Decimal:
    """What can still be refunded to one payment."""
    back = (each for each in outgoing(parent.order) if each.parent_transaction is parent and each.status in COUNTED_OUT)
    return parent.amount - sum((each.amount for each in back), ZERO)


def shipping_refunded(order: Order) -> Decimal:
    """Shipping that was refunded, as its price stands."""
    return sum((refund.shipping for refund in order.refunds), ZERO)


def shipping_left(order: Order) -> Decimal:
    """Shipping that was not refunded yet, as its price stands."""
    return shipping_total(order) - shipping_refunded(order)


def shipping_tax(order: Order, amount: Decimal, before: Decimal | None = None) -> Decimal:
    """The tax of so much of the shipping after what went before (refunded already); all parts come to the whole tax."""
    whole, before = shipping_total(order), shipping_refunded(order) if before is None else before
    tax = sum((each.tax for each in order.shippings), ZERO)
    currency = order.presentment_currency_code
    if not whole:
        return ZERO
    return rounded(tax * (before + amount) / whole, currency) - rounded(tax * before / whole, currency)


def refundable_parents(order: Order) -> list[Transaction]:
    """Payments that can be refunded to: gift cards first, then as they were made."""
    return sorted((each for each in taken(order) if left_on(each) > 0), key=lambda each: each.gateway != "gift_card")


def spread(order: Order, amount: Decimal) -> list[tuple[Transaction, Decimal]]:
    """An amount over the payments it can go back to, in that order."""
    plan: list[tuple[Transaction, Decimal]] = []
    for parent in refundable_parents(order):
        part = min(amount, left_on(parent))
        if part > 0:
            plan.append((parent, part))
            amount -= part
    return plan


def capturable(authorised: Transaction) -> Decimal:
    """What an authorisation can still bring: nothing once it was given up."""
    children = [each for each in authorised.order.payments if each.parent_transaction is authorised]
    if authorised.kind != "AUTHORIZATION" or authorised.status != "SUCCESS" or any(e.kind == "VOID" for e in children):
        return ZERO
    return authorised.amount - sum((e.amount for e in children if e.status in COUNTED_OUT), ZERO)


def financial_status(order: Order) -> str:
    """`displayFinancialStatus`."""
    paid, back = received(order), refunded(order)
    if paid == 0 and any(capturable(each) for each in order.payments):
        return "AUTHORIZED"
    if paid == 0 and (order.cancelled_at or any(each.kind == "VOID" for each in order.payments)):
        return "VOIDED"
    if paid == 0:
        return "PENDING" if total(order) > 0 else "PAID"
    if back >= paid:
        return "REFUNDED"
    if back > 0:
        return "PARTIALLY_REFUNDED"
    return "PAID" if paid >= total(order) else "PARTIALLY_PAID"


def fulfillment_status(order: Order) -> str:
    """`displayFulfillmentStatus`."""
    sent = sum(line.fulfilled for line in order.lines)
    if sent == 0:
        return "UNFULFILLED"
    return "FULFILLED" if all(line.unfulfilled == 0 for line in order.lines) else "PARTIALLY_FULFILLED"


def return_status(order: Order) -> str:
    """`returnStatus`: any requested return wins, else any open one, else any closed one."""
    states = {each.status for each in order.returns}
    for state, shown in (("REQUESTED", "RETURN_REQUESTED"), ("OPEN", "IN_PROGRESS"), ("CLOSED", "RETURNED")):
        if state in states:
            return shown
    return "NO_RETURN"
