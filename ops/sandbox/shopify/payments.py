"""How an order is paid: at once, promised and captured later, in parts, given up, or outside of the shop."""

from decimal import Decimal

import msgspec

from ops.sandbox.shopify import amounts, payloads
from ops.sandbox.shopify.action import Action
from ops.sandbox.shopify.sales import Order, Transaction

KINDS = ("SALE", "AUTHORIZATION")


class PaymentSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A payment, by default taken at once and successful; kind AUTHORIZATION: only promised, captured later. Gateway
    "gift_card" for a gift card. A PENDING one is to come from outside of the shop (bank transfer, on delivery)."""

    gateway: str = "shopify_payments"
    amount: Decimal
    status: str = "SUCCESS"
    kind: str = "SALE"


def pay(action: Action, order: Order, spec: PaymentSpec) -> Transaction:
    """A payment of the customer's."""
    if spec.kind not in KINDS:
        raise ValueError(f"order {order.name}: expected a payment of kind {' or '.join(KINDS)}, got {spec.kind}")
    return _step(action, order, spec.kind, spec.amount, spec.gateway, None, spec.status)


def capture(action: Action, authorised: Transaction, amount: Decimal) -> Transaction:
    """Takes (a part of) what was promised. The capture is a transaction of its own, and the parent of refunds."""
    left = amounts.capturable(authorised)
    if not 0 < amount <= left:
        raise ValueError(f"{left} of payment {authorised.number} can be captured, {amount} asked for")
    return _step(action, authorised.order, "CAPTURE", amount, authorised.gateway, authorised)


def void(action: Action, authorised: Transaction) -> Transaction:
    """Gives up what was promised and is not captured."""
    if not amounts.capturable(authorised):
        raise ValueError(f"nothing of payment {authorised.number} can be given up")
    return _step(action, authorised.order, "VOID", amounts.capturable(authorised), authorised.gateway, authorised)


def mark_paid(action: Action, pending: Transaction) -> Transaction:
    """Money came from outside. The pending step stays as it is; a capture under it says that it was paid."""
    if pending.status != "PENDING" or any(each.parent_transaction is pending for each in pending.order.payments):
        raise ValueError(f"payment {pending.number} does not wait for money")
    return _step(action, pending.order, "CAPTURE", pending.amount, pending.gateway, pending)


def _step(
    action: Action,
    order: Order,
    kind: str,
    amount: Decimal,
    gateway: str,
    parent: Transaction | None,
    status: str = "SUCCESS",
) -> Transaction:
    step = Transaction(
        number=action.number(Transaction),
        order=order,
        kind=kind,
        status=status,
        gateway=gateway,
        amount=amount,
        rate=action.shop.rate_of(order),
        created_at=action.now() if parent else order.created_at,
        parent_transaction=parent,
    )
    order.payments.append(action.shop.add(step))
    action.emit("ORDER_TRANSACTIONS_CREATE", step, lambda: payloads.transaction(step))
    return step
