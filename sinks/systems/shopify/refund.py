"""Pay money back on the original order, once: look for our mark, ask Shopify for its figure, compare, then refund.

Always `refundCreate`, also when the units have a native return: it takes an idempotency key and a note that can be
found again, `returnProcess` takes no key (README.md). Stock is never touched here.
"""

from msgspec.structs import replace

from schemas.commands import LineShare, Refund, Suggestion
from schemas.money import Money, to_decimal
from sinks.contract import Attempt, Flow, ReadFlow
from sinks.outcomes import AlreadyApplied, Applied, Outcome, Rejected, Uncertain
from sinks.systems.ended import Ended
from sinks.systems.shopify import calls, following, marks, refusals
from sinks.systems.shopify.connection import Connection
from sinks.systems.shopify.gids import gid, number
from sinks.systems.shopify.pages import FEW_REFUNDS, FEW_TRANSACTIONS, MOST_PAGES, MOST_REFUNDS
from sinks.systems.shopify.shapes import Amount, Paged, Payload, Presented, Ref, Shape
from sinks.systems.shopify.suggestion import SuggestedRefund, figure

PAID_BACK = frozenset({"SALE", "CAPTURE"})  # kinds that a refund can have as its parent


class MarkedRefund(Shape, frozen=True):
    id: str
    note: str | None = None


class Parent(Shape, frozen=True):
    """A transaction of the order."""

    id: str
    kind: str
    status: str
    gateway: str | None = None


class LookedOrder(Shape, frozen=True):
    id: str
    currency_code: str
    presentment_currency_code: str
    total_refunded_set: Presented
    refunds: tuple[MarkedRefund, ...]
    transactions: tuple[Parent, ...]
    suggested_refund: SuggestedRefund | None = None
    customer: Ref | None = None
    taxes_included: bool = True

    @property
    def suggestion(self) -> Suggestion | None:
        """Shopify's figure, line by line."""
        return figure(self.suggested_refund, taxes_included=self.taxes_included)


class Look(Shape, frozen=True):
    order: LookedOrder | None


class RefundsOfOrder(Shape, frozen=True):
    refunds: tuple[MarkedRefund, ...]


class ListedRefunds(Shape, frozen=True):
    order: RefundsOfOrder | None


class TransactionsOfOrder(Shape, frozen=True):
    transactions: tuple[Parent, ...]


class ListedTransactions(Shape, frozen=True):
    order: TransactionsOfOrder | None


class RefundTransaction(Shape, frozen=True):
    id: str
    kind: str
    status: str
    error_code: str | None = None
    amount_set: Presented | None = None


class MadeRefund(Shape, frozen=True):
    """A refund object. It proves nothing by itself: money moved when its transactions say so."""

    id: str
    total_refunded_set: Presented
    transactions: Paged[RefundTransaction]


class RefundStatus(Shape, frozen=True):
    refund: MadeRefund | None


class RefundCreated(Payload, frozen=True):
    refund: MadeRefund | None = None


def refund(command: Refund, c: Connection, attempt: Attempt) -> Flow:
    """Refunds `amount_minor` as Shopify rounds it (following.py); Rejected(amount_mismatch) when its figure is further
    off than rounding explains and the tolerance allows."""
    order = yield from look(c, command.order_id, command.lines, _money(command, command.shipping_minor))
    made = marked(order, command.command_id)
    if made is not None:
        return already(made, (yield from status(c, made)))
    paid = checked(order, command)
    fields: calls.Variables = {"transactions": _transactions(order, paid), **_input(order, paid)}
    created = yield from create(c, fields, attempt.idempotency_key)
    return following.with_lines(settled(created), command, order.suggestion)


def look(c: Connection, order_id: str, lines: tuple[LineShare, ...], shipping: Money) -> ReadFlow[LookedOrder]:
    """The order with its refunds and Shopify's suggestion for the lines; Ended when it cannot be judged."""
    variables = {"id": gid("Order", order_id), "lines": line_inputs(lines), "shipping": str(to_decimal(shipping))}
    order = (yield from calls.look(c, "refund_look", variables, Look)).order
    if order is None:
        detail = f"order {order_id} is not in the shop; older than 60 days it needs the scope read_all_orders"
        raise Ended(Rejected(code="orphan_return", detail=detail))
    return (yield from _all_of(c, order, order_id))


def _all_of(c: Connection, order: LookedOrder, order_id: str) -> ReadFlow[LookedOrder]:
    """With every refund, among which ours may be, and every payment; both lists are cut off in silence."""
    if len(order.refunds) > FEW_REFUNDS:
        listed = (yield from calls.look(c, "order_refunds", {"id": order.id}, ListedRefunds)).order
        order = order if listed is None else replace(order, refunds=listed.refunds)
    if len(order.refunds) >= MOST_REFUNDS:
        detail = f"order {order_id} has {MOST_REFUNDS} refunds or more: whether ours is among them cannot be seen"
        raise Ended(Rejected(code="rejected_by_system", detail=detail))
    if len(order.transactions) > FEW_TRANSACTIONS:
        paid = (yield from calls.look(c, "order_transactions", {"id": order.id}, ListedTransactions)).order
        order = order if paid is None else replace(order, transactions=paid.transactions)
    return order


def marked(order: LookedOrder, command_id: str) -> str | None:
    """Global id of the refund that an earlier attempt of this command made."""
    return next((r.id for r in order.refunds if marks.command_in(r.note) == command_id), None)


def status(c: Connection, refund_gid: str) -> ReadFlow[MadeRefund]:
    """The refund with the state of its money."""
    rows: tuple[RefundTransaction, ...] = ()
    after: str | None = None
    for _ in range(MOST_PAGES):
        variables = {"id": refund_gid, "after": after}
        made = (yield from calls.look(c, "refund_status", variables, RefundStatus)).refund
        if made is None:
            break
        rows, page = rows + made.transactions.nodes, made.transactions.page_info
        if not page.has_next_page:
            return replace(made, transactions=Paged(nodes=rows))
        after = page.end_cursor
    raise Ended(Uncertain(reason="refund_not_readable"))


def create(c: Connection, fields: calls.Variables, key: str) -> ReadFlow[MadeRefund]:
    """Sends refundCreate; Ended when it is refused."""
    reply = yield from calls.effect(c, "refund_create", {"input": fields, "key": key}, RefundCreated)
    if reply.refund is not None:
        return reply.refund  # errors beside a refund: it exists, so its own state decides
    if reply.user_errors:
        raise Ended(refusals.outcome("RefundCreate", reply.user_errors))
    raise Ended(Uncertain(reason="refund_without_answer"))


def settled(made: MadeRefund) -> Outcome:
    """Applied when every transaction succeeded; a failed one is for a person, for a second refund could pay twice."""
    transactions = made.transactions.nodes
    refund_id = number(made.id)
    failed = [t for t in transactions if t.status in {"FAILURE", "ERROR"}]
    if failed:
        words = ", ".join(f"{number(t.id)} {t.status} {t.error_code or ''}".strip() for t in failed)
        return Rejected(code="rejected_by_system", detail=f"refund {refund_id} exists, its money did not move: {words}")
    if any(t.status != "SUCCESS" for t in transactions) or made.transactions.page_info.has_next_page:
        return Uncertain(reason="refund_pending")
    amount = made.total_refunded_set.money
    if amount.minor == 0:
        return Rejected(
            code="rejected_by_system", detail=f"refund {refund_id} exists and shows no money: see the order"
        )
    ids = {"refund_id": refund_id, "transaction_ids": ",".join(number(t.id) for t in transactions)}
    return Applied(external_ids={name: value for name, value in ids.items() if value}, amount=amount)


def already(refund_gid: str, made: MadeRefund) -> Outcome:
    """The same for a refund that the look found."""
    outcome = settled(made)
    if not isinstance(outcome, Applied):
        return outcome
    detail = f"refund {number(refund_gid)} carries the mark of this command"
    return AlreadyApplied(external_ids=outcome.external_ids, amount=outcome.amount, detail=detail)


def checked(order: LookedOrder, command: Refund) -> Refund:
    """The command as it is paid by Shopify's own rounding; raises Ended with both figures when they do not fit."""
    if command.currency != order.presentment_currency_code:
        detail = f"the order was paid in {order.presentment_currency_code}, the refund is in {command.currency}"
        raise Ended(Rejected(code="currency_mismatch", detail=detail))
    if order.suggested_refund is None:
        raise Ended(Rejected(code="amount_mismatch", detail="Shopify suggests no refund for these lines"))
    ours = _money(command, command.amount_minor)
    before_fees = _money(command, command.amount_minor + command.fees_minor)
    suggested = order.suggested_refund.amount_set.money
    most = order.suggested_refund.maximum_refundable_set.money
    figures = (
        f"ours {ours} plus fees {_money(command, command.fees_minor)}, Shopify suggests {suggested}, "
        f"at most {most} is refundable, {order.total_refunded_set.money} was refunded before"
    )
    leeway = following.leeway(command, order.suggested_refund.taxed)
    if abs(before_fees.minor - suggested.minor) > max(command.tolerance_minor, leeway) or ours.minor > most.minor:
        raise Ended(Rejected(code="amount_mismatch", detail=figures, suggested=order.suggestion))
    if sum(share.amount_minor for share in command.tenders) != command.amount_minor:
        detail = f"the shares of the payments do not add up to the refund: {figures}"
        raise Ended(Rejected(code="amount_mismatch", detail=detail))
    return _followed(order, command, leeway)


def _followed(order: LookedOrder, command: Refund, leeway: int) -> Refund:
    suggested, payable = order.suggestion, _payable(order)
    amount = command.amount_minor if suggested is None else following.amount(command, suggested, leeway)
    if suggested is not None and amount != command.amount_minor and 0 < amount <= (suggested.most_minor or 0):
        tenders = following.tenders(command, amount, payable)
        command = command if tenders is None else replace(command, amount_minor=amount, tenders=tenders)
    # each refund before may have given its cent from another payment than ours
    return replace(command, tenders=following.within(command, payable, max(leeway, len(order.refunds))))


def _payable(order: LookedOrder) -> list[following.Payable]:
    return [
        following.Payable(
            payment_id=number(t.parent_transaction.id), tender=t.gateway or "",
            most_minor=t.maximum_refundable_set.money.minor,
        )
        for t in (order.suggested_refund.suggested_transactions if order.suggested_refund else ())
        if t.parent_transaction is not None and t.maximum_refundable_set is not None
    ]  # fmt: skip


def line_inputs(lines: tuple[LineShare, ...]) -> list[calls.Variables]:
    """Refund lines that leave stock alone: putting goods back is a command of its own."""
    return [
        {"lineItemId": gid("LineItem", line.line_id), "quantity": line.quantity, "restockType": "NO_RESTOCK"}
        for line in lines
    ]


def _input(order: LookedOrder, command: Refund) -> calls.Variables:
    fields: calls.Variables = {
        "orderId": gid("Order", command.order_id),
        "currency": command.currency,
        "note": marks.note(command.rma_id, command.command_id),
        "notify": False,
        "refundLineItems": line_inputs(command.lines),
    }
    if command.shipping_minor:
        fields["shipping"] = {"amount": str(to_decimal(_shipping(order, command)))}
    return fields


def _shipping(order: LookedOrder, command: Refund) -> Money:
    """What the shop is asked for: a tax on top of it comes along by itself."""
    suggested = order.suggested_refund.shipping if order.suggested_refund else None
    if order.taxes_included or suggested is None:
        return _money(command, command.shipping_minor)
    return suggested.amount_set.money


def _transactions(order: LookedOrder, command: Refund) -> list[calls.Variables]:
    gateways = {t.id: t.gateway for t in order.transactions if t.kind in PAID_BACK and t.status == "SUCCESS"}
    most: dict[str, Amount] = {}
    for t in order.suggested_refund.suggested_transactions if order.suggested_refund else ():
        if t.parent_transaction is not None:
            gateways[t.parent_transaction.id] = t.gateway
            if t.maximum_refundable_set is not None:
                most[t.parent_transaction.id] = t.maximum_refundable_set.presentment_money
    inputs = []
    for share in command.tenders:
        parent = gid("OrderTransaction", share.payment_id)
        amount = _money(command, share.amount_minor)
        if parent not in gateways:
            detail = f"payment {share.payment_id} is no successful payment of the order"
            raise Ended(Rejected(code="rejected_by_system", detail=detail))
        if parent in most and amount.minor > most[parent].money.minor:
            detail = f"payment {share.payment_id} can give back at most {most[parent].money}, asked for {amount}"
            raise Ended(Rejected(code="amount_mismatch", detail=detail))
        inputs.append(
            {
                "orderId": gid("Order", command.order_id),
                "parentId": parent,
                "gateway": gateways[parent] or share.tender,
                "kind": "REFUND",
                "amount": str(to_decimal(amount)),
            }
        )
    return inputs


def _money(command: Refund, minor: int) -> Money:
    return Money(minor=minor, currency=command.currency)
