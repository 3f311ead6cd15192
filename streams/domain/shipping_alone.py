"""Shipping that is due when the last unit of an order was not paid by a refund of ours (MON-2).

The last of a full return may be taken as credit, paid by others, or taken off the order after all else was paid:
nothing is left that the shipping could go out with, so it goes out by itself, once for each order.
"""

from collections.abc import Iterable, Sequence

from schemas import ids
from schemas.exceptions import TYPES
from streams.domain import pay
from streams.domain.account import went
from streams.domain.causes import Cause
from streams.domain.decided import Booking, Crediting, Money, Paying
from streams.domain.full_return import Remaining
from streams.domain.own import Own
from streams.domain.proposal import Proposal
from streams.domain.running import Running
from streams.domain.seat import Seat
from streams.domain.standing import Standing


def is_alone(decision: Money) -> bool:
    """Whether it pays shipping and no unit."""
    return isinstance(decision, Paying) and not decision.unit_ids


def owed(left: Remaining, standings: Sequence[Standing], running: Running) -> Proposal | None:
    """The shipping, once everything is back and every payment of ours has ended; None: nothing is owed by itself."""
    own = running.own
    order = own.learnt.order
    if order is None or order.shipping_minor <= 0 or not left.known or left.total:
        return None
    first = next((standing.seat for standing in standings if _pays(standing)), None)
    if first is None or any(own.track(each) == "open" for each in own.payments):
        return None
    command_id = _identity(first, own)
    books = running.books(order, command_id)
    due = order.shipping_minor - books.shipping_refunded
    if due <= 0 or books.refundable <= 0 or own.learnt.results.get(command_id) is not None:
        return None
    return pay.alone(first, running, order, books, due, command_id)


def _pays(standing: Standing) -> bool:
    """Whether its money was ours to pay, and was paid, if there was any."""
    seat, rules = standing.seat, standing.seat.model.refunding
    ours = standing.nothing_due or (isinstance(seat.paying, Paying | Crediting) and seat.money == "applied")
    return ours and rules.shipping == "full_return" and rules.actor == "returnflow" and not rules.needs_transaction


def _identity(seat: Seat, own: Own) -> str:
    """The same for the whole order, whichever return comes to be the first of it."""
    return ids.command_id(
        merchant=own.learnt.merchant, system=seat.model.money, kind="refund", rma_id="",
        unit_ids=("shipping", own.learnt.order_id), generation=0,
    )  # fmt: skip


def refused(own: Own) -> Iterable[Cause]:
    """Shipping of no unit that was not paid: no unit's own causes tell of it."""
    for decision in own.payments:
        result = own.learnt.results.get(decision.decision_id)
        if is_alone(decision) and result is not None and own.track(decision) == "refused":
            yield Cause(
                type=result.code if result.code in TYPES else "rejected_by_system", rma_id=decision.rma_id,
                subject=decision.decision_id, command_id=decision.decision_id,
                detail=f"the shipping of a full return was not paid back: {result.detail or result.code}",
            )  # fmt: skip


def bookings(seats: Sequence[Seat], own: Own) -> Iterable[Booking]:
    """Bookings of shipping that was paid by itself, where the merchant keeps its books elsewhere."""
    for decision in own.payments:
        if not is_alone(decision):
            continue
        books = next((s.model.books for s in seats if s.rma.rma_id == decision.rma_id and s.model.books), None)
        if not books or books == decision.system or own.track(decision) != "applied":
            continue
        refund_id = own.refund_id(decision) or decision.decision_id
        if not any(each.refund_id in (refund_id, decision.decision_id) for each in own.bookings):
            yield _booking(decision, books, refund_id, own)


def _booking(decision: Money, books: str, refund_id: str, own: Own) -> Booking:
    paid, tax = went(decision, own), own.tax(decision)
    if tax is None:
        tax = decision.tax_minor if isinstance(decision, Paying) else 0
    return Booking(
        decision_id=ids.command_id(
            merchant=own.learnt.merchant, system=books, kind="journal", rma_id="",
            unit_ids=("shipping", own.learnt.order_id), generation=0,
        ),
        system=books, rma_id=decision.rma_id, unit_ids=(), decided_at_ms=own.learnt.now_ms,
        currency=decision.currency, amount_minor=paid, tax_minor=tax, shares=(), refund_id=refund_id,
        refunded_by=decision.system, shipping_minor=paid,
    )  # fmt: skip
