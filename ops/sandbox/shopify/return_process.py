"""returnProcess: dispositions and refund of a native return in one call, without an idempotency key."""

from decimal import Decimal

import msgspec

from ops.sandbox.shopify import amounts, payloads
from ops.sandbox.shopify.action import Action, touch
from ops.sandbox.shopify.aftersales import ExchangeLine, NativeReturn, ReturnLine, ReverseLine
from ops.sandbox.shopify.catalogue import Location
from ops.sandbox.shopify.dispositions import DisposeGiven, check_dispositions, dispose
from ops.sandbox.shopify.refund_input import MethodGiven, MoneyGiven, over_payment
from ops.sandbox.shopify.refunds import RefundPlan, make_refund
from ops.sandbox.shopify.sales import Transaction
from ops.sandbox.shopify.values import ZERO, Money, Payload, Refusal, rounded


class LineGiven(msgspec.Struct, frozen=True, kw_only=True):
    """ReturnProcessReturnLineItemInput."""

    id: str
    quantity: int
    dispositions: list[DisposeGiven] | None = None


class ExchangeGiven(msgspec.Struct, frozen=True, kw_only=True):
    """ReturnProcessExchangeLineItemInput."""

    id: str
    quantity: int


class PaymentGiven(msgspec.Struct, frozen=True, kw_only=True):
    """ReturnRefundOrderTransactionInput."""

    parent_id: str
    transaction_amount: MoneyGiven


class RefundGiven(msgspec.Struct, frozen=True, kw_only=True):
    """ReturnProcessRefundInput."""

    order_transactions: list[PaymentGiven]
    refund_methods: list[MethodGiven] | None = None
    allow_over_refunding: bool | None = None


class TransferGiven(msgspec.Struct, frozen=True, kw_only=True):
    """ReturnProcessFinancialTransferInput."""

    issue_refund: RefundGiven | None = None


class ShippingGiven(msgspec.Struct, frozen=True, kw_only=True):
    """RefundShippingInput."""

    shipping_refund_amount: MoneyGiven | None = None
    full_refund: bool | None = None


class ProcessGiven(msgspec.Struct, frozen=True, kw_only=True):
    """ReturnProcessInput."""

    return_id: str
    return_line_items: list[LineGiven] | None = None
    exchange_line_items: list[ExchangeGiven] | None = None
    financial_transfer: TransferGiven | None = None
    refund_shipping: ShippingGiven | None = None
    note: str | None = None


def return_process(action: Action, args: dict[str, object]) -> Payload:
    """The mutation: all of it or nothing. The return stays OPEN; returnClose closes it."""
    given = msgspec.convert(args["input"], ProcessGiven)
    native = action.shop.find(NativeReturn, given.return_id)
    if native is None:
        return _refuse(Refusal(["input", "returnId"], "Return not found.", "NOT_FOUND"))
    if native.status != "OPEN":
        return _refuse(Refusal(["input", "returnId"], "Return status is invalid.", "INVALID_STATE"))
    lines: list[tuple[ReturnLine, int]] = []
    disposed: list[tuple[ReverseLine, DisposeGiven, Location | None]] = []
    plan = RefundPlan(lines=[], payments=[], credits=[], note=given.note, native_return=native)
    refusals = _lines(action, native, given, lines, disposed) + _money(action, native, given, plan)
    if refusals:
        return _refuse(*refusals)
    _apply(action, native, given, lines, disposed, plan)
    return {"return": native, "user_errors": []}


def _refuse(*refusals: Refusal) -> Payload:
    return {"return": None, "user_errors": [*refusals]}


def _lines(
    action: Action,
    native: NativeReturn,
    given: ProcessGiven,
    lines: list[tuple[ReturnLine, int]],
    disposed: list[tuple[ReverseLine, DisposeGiven, Location | None]],
) -> list[Refusal]:
    refusals: list[Refusal] = []
    for index, each in enumerate(given.return_line_items or []):
        where = ["input", "returnLineItems", str(index)]
        line = action.shop.find(ReturnLine, each.id)
        if line is None or line not in native.lines:
            refusals.append(Refusal([*where, "id"], "Return line item was not found.", "NOT_FOUND"))
            continue
        if not 1 <= each.quantity <= line.unprocessed_quantity - sum(units for taken, units in lines if taken is line):
            refusals.append(Refusal([*where, "quantity"], "Return line item has an invalid quantity.", "INVALID"))
        lines.append((line, each.quantity))
        if each.dispositions:
            refusals += check_dispositions(action.shop, each.dispositions, [*where, "dispositions"], disposed)
    return refusals


def _money(action: Action, native: NativeReturn, given: ProcessGiven, plan: RefundPlan) -> list[Refusal]:
    order, currency = native.order, native.order.presentment_currency_code
    issue = given.financial_transfer.issue_refund if given.financial_transfer else None
    if issue is None:
        return []
    plan.shipping = _shipping(native, given.refund_shipping)
    where = ["input", "financialTransfer", "issueRefund", "orderTransactions"]
    refusals: list[Refusal] = []
    for index, each in enumerate(issue.order_transactions):
        parent = action.shop.find(Transaction, each.parent_id)
        if parent is None or parent not in amounts.taken(order):
            refusals.append(Refusal([*where, str(index), "parentId"], "Parent transaction not found.", "NOT_FOUND"))
            continue
        if each.transaction_amount.currency_code != currency:
            text = "Currency does not match the order."
            refusals.append(Refusal([*where, str(index), "transactionAmount"], text, "INVALID"))
        if each.transaction_amount.amount > 0:
            plan.payments.append((parent, rounded(each.transaction_amount.amount, currency)))
    for method in issue.refund_methods or []:
        credit = method.store_credit_refund
        if credit and order.customer is None:
            text = "Store credit requires an order with a customer."
            refusals.append(Refusal(where[:-1], text, "INVALID"))
        elif credit:
            plan.credits.append((Money(credit.amount.amount, credit.amount.currency_code), credit.expires_at))
    too_much = over_payment(order, plan.payments, plan.credits, issue.allow_over_refunding or False)
    return refusals + [Refusal(where, each.message, "INVALID") for each in too_much]


def _shipping(native: NativeReturn, given: ShippingGiven | None) -> Decimal:
    if given is None:
        return ZERO
    left = amounts.shipping_left(native.order)
    asked = given.shipping_refund_amount.amount if given.shipping_refund_amount else ZERO
    return left if given.full_refund else min(left, asked)


def _apply(
    action: Action,
    native: NativeReturn,
    given: ProcessGiven,
    lines: list[tuple[ReturnLine, int]],
    disposed: list[tuple[ReverseLine, DisposeGiven, Location | None]],
    plan: RefundPlan,
) -> None:
    dispose(action, disposed)
    for line, units in lines:
        line.processed_quantity += units
    for each in given.exchange_line_items or []:
        exchange = action.shop.find(ExchangeLine, each.id)
        if exchange is not None:
            exchange.processed_quantity = min(exchange.quantity, exchange.processed_quantity + each.quantity)
    if plan.payments or plan.credits:
        _refund(action, native, lines, plan)
    action.emit("RETURNS_PROCESS", native, lambda: payloads.processed(native))
    touch(action, native.order)


def _refund(action: Action, native: NativeReturn, lines: list[tuple[ReturnLine, int]], plan: RefundPlan) -> None:
    """The refund of the units processed now, and of those processed without money before. Their stock moved by
    disposition."""
    for line in native.lines:
        now = sum(units for taken, units in lines if taken is line)
        bought = line.fulfillment_line_item.line_item
        units = min(max(now, line.processed_quantity - line.refunded_quantity), bought.refundable)
        if units > 0 and (now or not lines):
            line.refunded_quantity += units
            plan.lines.append((bought, units, "NO_RESTOCK", None))
    native.refunds.append(make_refund(action, native.order, plan))
