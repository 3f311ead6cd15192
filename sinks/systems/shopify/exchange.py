"""Release an exchange order, once: complete its draft, or find that it is released, and mark it as an exchange.

A draft can be completed one time only and says so itself, so the look needs no mark of ours. The tags keep the order
out of sales reports and lead back to the RMA.
"""

from schemas.commands import Exchange
from schemas.money import Money
from sinks.contract import Flow, ReadFlow
from sinks.outcomes import AlreadyApplied, Applied, Outcome, Rejected, Uncertain
from sinks.systems.ended import Ended
from sinks.systems.shopify import annotate, calls, refusals
from sinks.systems.shopify.connection import Connection
from sinks.systems.shopify.gids import gid, number
from sinks.systems.shopify.shapes import Payload, Presented, Shape

EXCHANGE_TAG = "returnflow-exchange"


class ExchangeOrder(Shape, frozen=True):
    id: str
    name: str
    cancelled_at: str | None = None


class Draft(Shape, frozen=True):
    id: str
    status: str
    total_price_set: Presented
    order: ExchangeOrder | None = None


class DraftLook(Shape, frozen=True):
    draft_order: Draft | None


class OrderLook(Shape, frozen=True):
    order: ExchangeOrder | None


class CompletedOrder(Shape, frozen=True):
    id: str


class CompletedDraft(Shape, frozen=True):
    id: str
    order: CompletedOrder | None = None


class Completed(Payload, frozen=True):
    draft_order: CompletedDraft | None = None


def exchange(command: Exchange, c: Connection) -> Flow:
    """Releases the order when the customer owes nothing for it; what is owed has to be paid on its invoice first."""
    if command.draft_order_id is None:
        return (yield from _released_elsewhere(command, c))
    draft = yield from _draft(c, command.draft_order_id)
    if draft is None:
        detail = f"the shop has no draft order {command.draft_order_id}"
        return Rejected(code="exchange_not_released", detail=detail)
    if draft.order is not None:
        return (yield from _found(command, c, draft.order))
    _check(command, draft)
    reply = yield from calls.effect(c, "draft_order_complete", {"id": draft.id}, Completed)
    if reply.user_errors:
        now = yield from _draft(c, command.draft_order_id)
        if now is not None and now.order is not None:  # somebody was faster: a draft is completed one time only
            return (yield from _found(command, c, now.order))
        return refusals.outcome("DraftOrderComplete", reply.user_errors)
    if reply.draft_order is None or reply.draft_order.order is None:
        return Uncertain(reason="draft_completed_without_order")
    released = reply.draft_order.order.id
    problem = yield from _mark(command, c, released)
    return Applied(external_ids={"exchange_order_id": number(released)}, detail=problem or _owed(command))


def _draft(c: Connection, draft_order_id: str) -> ReadFlow[Draft | None]:
    variables = {"id": gid("DraftOrder", draft_order_id)}
    return (yield from calls.look(c, "draft_order_look", variables, DraftLook)).draft_order


def _released_elsewhere(command: Exchange, c: Connection) -> Flow:
    if command.exchange_order_id is None:
        return Rejected(code="exchange_not_released", detail="neither a draft nor an exchange order is known")
    variables = {"id": gid("Order", command.exchange_order_id)}
    order = (yield from calls.look(c, "exchange_order_look", variables, OrderLook)).order
    if order is None:
        detail = f"the shop has no exchange order {command.exchange_order_id}"
        return Rejected(code="exchange_not_released", detail=detail)
    return (yield from _found(command, c, order))


def _found(command: Exchange, c: Connection, order: ExchangeOrder) -> ReadFlow[Outcome]:
    if order.cancelled_at is not None:
        return Rejected(code="exchange_not_released", detail=f"exchange order {number(order.id)} is cancelled")
    problem = yield from _mark(command, c, order.id)
    detail = problem or _owed(command) or f"exchange order {number(order.id)} is released"
    return AlreadyApplied(external_ids={"exchange_order_id": number(order.id)}, detail=detail)


def _check(command: Exchange, draft: Draft) -> None:
    total = draft.total_price_set.money
    ours = Money(minor=max(0, command.difference_minor), currency=command.currency)
    if total.currency != command.currency and (total.minor or ours.minor):
        detail = f"the draft is in {total.currency}, the exchange in {command.currency}"
        raise Ended(Rejected(code="currency_mismatch", detail=detail))
    if abs(total.minor - ours.minor) > command.leeway_minor:
        detail = f"draft {number(draft.id)} comes to {total}, the difference to pay is {ours}"
        raise Ended(Rejected(code="amount_mismatch", detail=detail))
    if total.minor > 0:  # completing it would book the amount as paid
        detail = (
            f"the customer owes {total}: send the invoice of draft {number(draft.id)}, paying it releases the order"
        )
        raise Ended(Rejected(code="exchange_not_released", detail=detail))


def _mark(command: Exchange, c: Connection, order_gid: str) -> ReadFlow[str | None]:
    """Tags are a set: repeated they change nothing. A refused tag is told; any other fault ends this attempt."""
    try:
        yield from annotate.add_tags(c, order_gid, (EXCHANGE_TAG, f"rma-{command.rma_id}"))
    except Ended as ended:
        if not isinstance(ended.outcome, Rejected):
            raise
        return f"released, but not tagged as an exchange: {ended.outcome.detail}"
    return None


def _owed(command: Exchange) -> str | None:
    if command.difference_minor >= 0:
        return None
    owed = Money(minor=-command.difference_minor, currency=command.currency)
    return f"the customer is owed {owed}: a refund of its own pays it"
