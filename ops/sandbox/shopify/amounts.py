"""What an order is worth, was paid, and can still be refunded. Pure sums over entities, in presentment currency."""

from decimal import Decimal
from typing import NamedTuple

from ops.sandbox.shopify.sales import LineItem, Order, Transaction
from ops.sandbox.shopify.values import ZERO, rounded

MONEY_IN = ("SALE", "CAPTURE")
COUNTED_OUT = ("SUCCESS", "PENDING")


class Share(NamedTuple):
    """What some units of a line are worth: before tax as the price stands, and the tax (inside it when taxes are
    included)."""

    subtotal: Decimal
    tax: Decimal


def share(line: LineItem, already: int, quantity: int) -> Share:
    """The worth of `quantity` units after `already` went before; the rounding remainder falls on the last unit."""
    currency = line.order.presentment_currency_code

    def upto(total: Decimal, units: int) -> Decimal:
        return rounded(total * units / line.quantity, currency) if line.quantity else ZERO

    return Share(
        upto(line.discounted_total, already + quantity) - upto(line.discounted_total, already),
        upto(line.tax, already + quantity) - upto(line.tax, already),
    )


def lines_total(order: Order) -> Decimal:
    """All lines after discounts."""
    return sum((line.discounted_total for line in order.lines), ZERO)


def tax_total(order: Order) -> Decimal:
    """All taxes."""
    return sum((line.tax for line in order.lines), ZERO)


def total(order: Order) -> Decimal:
    """What the customer had to pay."""
    shipping = order.shipping.price if order.shipping else ZERO
    return lines_total(order) + shipping + (ZERO if order.taxes_included else tax_total(order))


def received(order: Order) -> Decimal:
    """What came in."""
    return sum((each.amount for each in order.payments if each.kind in MONEY_IN and each.status == "SUCCESS"), ZERO)


def outgoing(order: Order) -> list[Transaction]:
    """All refund transactions."""
    return [each for refund in order.refunds for each in refund.transactions]


def refunded(order: Order) -> Decimal:
    """What went back, pending money included."""
    return sum((each.amount for each in outgoing(order) if each.status in COUNTED_OUT), ZERO)


def net_payment(order: Order) -> Decimal:
    """What is left of the payments."""
    return received(order) - refunded(order)


def tender(paid: Transaction) -> str:
    """Where money really goes: to the payment it came from, whatever gateway the caller named."""
    return paid.parent_transaction.gateway if paid.parent_transaction else paid.gateway


def left_on(parent: Transaction) -> Decimal:
    """What can still be refunded to one payment."""
    back = (each for each in outgoing(parent.order) if each.parent_transaction is parent and each.status in COUNTED_OUT)
    return parent.amount - sum((each.amount for each in back), ZERO)


def shipping_left(order: Order) -> Decimal:
    """Shipping that was not refunded yet."""
    if order.shipping is None:
        return ZERO
    return order.shipping.price - sum((refund.shipping for refund in order.refunds), ZERO)


def refundable_parents(order: Order) -> list[Transaction]:
    """Payments that can be refunded to: gift cards first, then as they were made."""
    paid = [each for each in order.payments if each.kind in MONEY_IN and each.status == "SUCCESS" and left_on(each) > 0]
    return sorted(paid, key=lambda each: each.gateway != "gift_card")


def spread(order: Order, amount: Decimal) -> list[tuple[Transaction, Decimal]]:
    """An amount over the payments it can go back to, in that order."""
    plan: list[tuple[Transaction, Decimal]] = []
    for parent in refundable_parents(order):
        part = min(amount, left_on(parent))
        if part > 0:
            plan.append((parent, part))
            amount -= part
    return plan


def financial_status(order: Order) -> str:
    """`displayFinancialStatus`."""
    paid, back = received(order), refunded(order)
    if order.cancelled_at and paid == 0:
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
