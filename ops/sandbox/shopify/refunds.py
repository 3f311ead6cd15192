"""refundCreate, and the making of a refund that returnProcess, staff and ReturnGO share. Texts are as recorded on a
real store unless marked."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

import msgspec

from ops.sandbox.books import MoneyOut
from ops.sandbox.shopify import amounts, payloads, stock
from ops.sandbox.shopify.action import Action, touch
from ops.sandbox.shopify.aftersales import Adjustment, NativeReturn, Refund, RefundLine
from ops.sandbox.shopify.catalogue import Location
from ops.sandbox.shopify.credit import add_credit
from ops.sandbox.shopify.refund_input import RefundInput, check_lines, check_money
from ops.sandbox.shopify.sales import LineItem, Order, Transaction
from ops.sandbox.shopify.values import ZERO, Money, Payload, Refusal

MONEY_FAULTS = {"refund_pending": ("PENDING", None), "refund_failure": ("FAILURE", "PAYMENT_PROVIDER_ERROR")}


@dataclass(slots=True, kw_only=True)
class RefundPlan:
    """A refund that was checked: lines, money back to payments, store credit in its place."""

    lines: list[tuple[LineItem, int, str, Location | None]]
    payments: list[tuple[Transaction, Decimal]]
    credits: list[tuple[Money, datetime | None]]
    shipping: Decimal = ZERO
    note: str | None = None
    reason: str = "REFUND_DISCREPANCY"
    native_return: NativeReturn | None = None


def refund_create(action: Action, args: dict[str, object]) -> Payload:
    """The mutation: a refund, or user errors beside the order as it stands."""
    given = msgspec.convert(args["input"], RefundInput)
    order = visible_order(action, given.order_id)
    if order is None:
        return {"refund": None, "order": None, "user_errors": [Refusal(["orderId"], "Order does not exist")]}
    plan = RefundPlan(lines=[], payments=[], credits=[], note=given.note)
    refusals = check_lines(action.shop, order, given, plan.lines)
    plan.shipping, of_money = check_money(order, given, plan.payments, plan.credits)
    if refusals := refusals + of_money:
        return {"refund": None, "order": order, "user_errors": refusals}
    plan.reason = given.discrepancy_reason or plan.reason
    return {"refund": make_refund(action, order, plan), "order": order, "user_errors": []}


def visible_order(action: Action, gid: str) -> Order | None:
    """An order the app may see: without read_all_orders none older than 60 days."""
    order = action.shop.find(Order, gid)
    if order and not action.shop.read_all_orders and (action.now() - order.created_at).days >= 60:
        return None
    return order


def make_refund(action: Action, order: Order, plan: RefundPlan) -> Refund:
    """Books a checked plan: lines and stock, money, the balancing adjustment, and the events."""
    now = action.now()
    refund = Refund(
        number=action.number(Refund),
        order=order,
        note=plan.note,
        created_at=now,
        processed_at=now,
        updated_at=now,
        shipping=plan.shipping,
        shipping_tax=amounts.shipping_tax(order, plan.shipping),
        native_return=plan.native_return,
    )
    for line, quantity, restock_type, location in plan.lines:
        _refund_line(action, refund, line, quantity, restock_type, location)
    for parent, amount in plan.payments:
        _pay_back(action, refund, parent, amount)
    for money, expires_at in plan.credits:
        _credit(action, refund, money, expires_at)
    _balance(action, refund, plan.reason)
    order.refunds.append(action.shop.add(refund))
    action.emit("REFUNDS_CREATE", refund, lambda: payloads.refund(refund))
    touch(action, order)
    return refund


def _refund_line(
    action: Action, refund: Refund, line: LineItem, quantity: int, restock_type: str, location: Location | None
) -> None:
    worth = amounts.share(line, line.gone, quantity)
    line.refunded += quantity
    line.unsent += min(quantity, line.quantity - line.fulfilled - line.unsent) if restock_type == "CANCEL" else 0
    cause = stock.Cause(kind="refund", reference=refund.id, line=line)
    back = restock_type in ("RETURN", "CANCEL") and location is not None
    refund.lines.append(
        action.shop.add(
            RefundLine(
                number=action.number(RefundLine),
                line_item=line,
                quantity=quantity,
                restock_type=restock_type,
                restocked=location is not None and back and stock.put_back(action, line, location, quantity, cause),
                location=location if back else None,
                subtotal=worth.subtotal,
                tax=worth.tax,
            )
        )
    )


def _pay_back(action: Action, refund: Refund, parent: Transaction, amount: Decimal) -> None:
    """Back to the payment it came from, whatever gateway the caller named; at the rate of the day."""
    status, error = MONEY_FAULTS.get(action.fault or "", ("SUCCESS", None))
    paid = Transaction(
        number=action.number(Transaction),
        order=refund.order,
        kind="REFUND",
        status=status,
        gateway=parent.gateway,
        amount=amount,
        rate=action.shop.rate_of(refund.order),
        created_at=refund.created_at,
        parent_transaction=parent,
        error_code=error,
    )
    refund.transactions.append(action.shop.add(paid))
    action.emit("ORDER_TRANSACTIONS_CREATE", paid, lambda: payloads.transaction(paid))
    record_payment(action, paid, refund.note)


def record_payment(action: Action, paid: Transaction, note: str | None) -> None:
    """Writes a refund transaction into the books, as it stands now."""
    action.shop.books.money.append(
        MoneyOut(
            at=action.now(),
            kind="refund",
            id=paid.number,
            amount=paid.amount,
            currency=paid.order.presentment_currency_code,
            status=paid.status,
            gateway=paid.gateway,
            shop_amount=paid.bag.shop_money.amount,
            actor=action.actor,
            key=action.key,
            note=note,
            order=paid.order.name,
            parent_id=paid.parent_transaction.number if paid.parent_transaction else None,
            customer_id=paid.order.customer.number if paid.order.customer else None,
        )
    )


def _credit(action: Action, refund: Refund, money: Money, expires_at: datetime | None) -> None:
    if refund.order.customer is None:
        raise ValueError("a store credit refund needs a customer; this was checked before")
    paid = Transaction(
        number=action.number(Transaction),
        order=refund.order,
        kind="REFUND",
        status="SUCCESS",
        gateway="shopify_store_credit",
        amount=money.amount,
        rate=action.shop.rate_of(refund.order),
        created_at=refund.created_at,
    )
    refund.transactions.append(action.shop.add(paid))
    add_credit(action, refund.order.customer, money, expires_at, origin=paid, note=refund.note)


def _balance(action: Action, refund: Refund, reason: str) -> None:
    taxes = sum((line.tax for line in refund.lines), ZERO) + refund.shipping_tax
    tax = ZERO if refund.order.taxes_included else taxes
    worth = sum((line.subtotal for line in refund.lines), ZERO) + tax + refund.shipping
    if difference := refund.total - worth:
        reason = "REFUND_DISCREPANCY" if reason == "OTHER" else reason
        refund.adjustments.append(
            action.shop.add(
                Adjustment(number=action.number(Adjustment), order=refund.order, amount=difference, reason=reason)
            )
        )
