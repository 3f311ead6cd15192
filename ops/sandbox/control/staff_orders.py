"""What people do to an order after it was placed: edit it, send it, capture or give up its payment, cancel it."""

from collections.abc import Callable
from decimal import Decimal

import msgspec

from ops.sandbox.control.named import named_line, named_location, named_order
from ops.sandbox.control.staff_specs import CancelSpec, CaptureSpec, EditSpec, PaidSpec, RateSpec, SendSpec
from ops.sandbox.shopify import amounts, payloads, payments
from ops.sandbox.shopify.action import Action, touch
from ops.sandbox.shopify.catalogue import Location
from ops.sandbox.shopify.dispatch import send
from ops.sandbox.shopify.ordering import add_lines, tax
from ops.sandbox.shopify.refunds import RefundPlan, make_refund
from ops.sandbox.shopify.sales import LineItem, Order, Transaction
from ops.sandbox.shopify.values import Payload


def edit(action: Action, spec: EditSpec) -> Payload:
    """An order edit: lines are added, unsent units are taken off. A line that is empty then stays."""
    order = named_order(action, spec.order)
    removed = [(named_line(order, each), each.quantity) for each in spec.remove]
    for line, quantity in removed:
        if not 0 < quantity <= line.unfulfilled:
            raise ValueError(f"{line.unfulfilled} unsent of {line.sku or line.title}, {quantity} are to be taken off")
        _remove(line, quantity)
    added = [line for each in spec.add for line in add_lines(action, order, each)]
    for line in added:
        tax(line)
    if removed and spec.shown_as_refund:
        _shown_as_refund(action, order, removed)
    order.edited = True
    action.emit("ORDERS_EDITED", order, lambda: payloads.edit(order, added, removed))
    touch(action, order)
    due = amounts.total(order) - amounts.received(order) + amounts.refunded(order)
    return {"lines": [{"id": line.number, "sku": line.sku} for line in added], "outstanding": str(due)}


def _remove(line: LineItem, quantity: int) -> None:
    worth = amounts.share(line, line.gone, quantity)
    line.removed_worth += worth.subtotal
    line.removed_tax += worth.tax
    line.removed += quantity
    line.unsent += quantity


def _shown_as_refund(action: Action, order: Order, removed: list[tuple[LineItem, int]]) -> None:
    """Some shops show what an edit took off as a refund of lines without money."""
    for line, quantity in removed:  # a refund counts them itself
        worth = amounts.share(line, line.gone - quantity, quantity)
        line.removed, line.unsent = line.removed - quantity, line.unsent - quantity
        line.removed_worth, line.removed_tax = line.removed_worth - worth.subtotal, line.removed_tax - worth.tax
    lines = [(line, quantity, "CANCEL", None) for line, quantity in removed]
    make_refund(action, order, RefundPlan(lines=[*lines], payments=[], credits=[]))


def dispatch(action: Action, spec: SendSpec) -> Payload:
    """A parcel leaves: of the named units, or of all that is still to be sent."""
    order = named_order(action, spec.order)
    named = [(named_line(order, each), each.quantity) for each in spec.lines]
    units = named or [(line, line.unfulfilled) for line in order.lines if line.unfulfilled]
    parcel = send(action, order, units)
    action.emit("ORDERS_FULFILLED", order, lambda: payloads.order(order))
    touch(action, order)
    return {"fulfillment_id": parcel.number, "name": parcel.name}


def capture(action: Action, spec: CaptureSpec) -> Payload:
    """Takes money that was promised: an amount, or all that is left of it."""
    order = named_order(action, spec.order)
    authorised = _step(order, spec.transaction_id, lambda each: bool(amounts.capturable(each)), "can be captured")
    amount = amounts.capturable(authorised) if spec.amount is None else spec.amount
    return _paid(action, payments.capture(action, authorised, amount))


def void(action: Action, spec: PaidSpec) -> Payload:
    """Gives up money that was promised."""
    order = named_order(action, spec.order)
    authorised = _step(order, spec.transaction_id, lambda each: bool(amounts.capturable(each)), "can be given up")
    return _paid(action, payments.void(action, authorised))


def mark_paid(action: Action, spec: PaidSpec) -> Payload:
    """Money that was to come from outside has come; what an edit made dearer is paid the same way."""
    order = named_order(action, spec.order)
    return _paid(action, payments.mark_paid(action, _step(order, spec.transaction_id, _waits, "waits for money")))


def pay(action: Action, spec: CaptureSpec) -> Payload:
    """The customer pays once more: what is outstanding, or a given amount."""
    order = named_order(action, spec.order)
    outstanding = amounts.total(order) - amounts.net_payment(order)
    given = payments.PaymentSpec(amount=outstanding if spec.amount is None else spec.amount)
    return _paid(action, payments.pay(action, order, given))


def rate(action: Action, spec: RateSpec) -> Payload:
    """The exchange rate of the day: shop units per unit of a foreign currency, for all that moves from now on."""
    if spec.rate <= 0:
        raise ValueError(f"expected a rate above zero, got {spec.rate}")
    action.shop.rates[spec.currency] = spec.rate
    return {"currency": spec.currency, "rate": str(spec.rate)}


def cancel(action: Action, spec: CancelSpec) -> Payload:
    """An order is cancelled before it was sent. Money stays unless told otherwise; a promise is given up."""
    order = named_order(action, spec.order)
    place = named_location(action, spec.restock_to) if spec.restock_to is not None else None
    if spec.refund or place is not None:
        _cancel_units(action, order, place, spec.refund)
    for each in [step for step in order.payments if amounts.capturable(step)]:
        payments.void(action, each)
    order.cancelled_at = action.now()
    action.emit("ORDERS_CANCELLED", order, lambda: payloads.order(order))
    touch(action, order)
    return {"order": order.name}


def _cancel_units(action: Action, order: Order, place: Location | None, refund: bool) -> None:
    plan = RefundPlan(lines=[], payments=[], credits=[])
    plan.lines = [(line, line.unfulfilled, "CANCEL", place) for line in order.lines if line.unfulfilled]
    if refund:
        plan.shipping = amounts.shipping_left(order)
        plan.payments = amounts.spread(order, amounts.net_payment(order))
    make_refund(action, order, plan)


def _waits(step: Transaction) -> bool:
    return step.status == "PENDING" and not any(each.parent_transaction is step for each in step.order.payments)


def _step(order: Order, number: int | None, fits: Callable[[Transaction], bool], what: str) -> Transaction:
    for each in order.payments:
        if fits(each) and number in (None, each.number):
            return each
    raise ValueError(f"no payment of {order.name} {what}")


def _paid(action: Action, step: Transaction) -> Payload:
    order = step.order
    if amounts.received(order) >= amounts.total(order) > Decimal(0):
        action.emit("ORDERS_PAID", order, lambda: payloads.order(order))
    touch(action, order)
    return {"transaction_id": step.number, "kind": step.kind, "amount": str(step.amount)}


ACTIONS: dict[str, tuple[type[msgspec.Struct], Callable[..., Payload]]] = {
    "edit-order": (EditSpec, edit),
    "send": (SendSpec, dispatch),
    "capture": (CaptureSpec, capture),
    "void": (PaidSpec, void),
    "mark-paid": (PaidSpec, mark_paid),
    "pay": (CaptureSpec, pay),
    "rate": (RateSpec, rate),
    "cancel-order": (CancelSpec, cancel),
}
