"""Bookings: a confirmed refund is booked where the merchant keeps its books, if another system paid it (MON-6, MON-7).

The amount is what the paying system says it paid. It is booked once for each unit: a refund of others that names only
quantities is shared over the units it covers, in the order in which their returns become known.
"""

from collections.abc import Iterable, Sequence

import msgspec

from schemas import ids
from schemas.money import split
from streams.domain import amounts, shipping_alone
from streams.domain.account import went
from streams.domain.decided import Booking, Crediting, Paying, Share
from streams.domain.learnt import Effect, Line
from streams.domain.own import Own
from streams.domain.refunds import Refunds
from streams.domain.seat import Seat

RETURNGO = "returngo"


class Confirmed(msgspec.Struct, frozen=True, kw_only=True):
    """A refund that was paid, as far as it paid for some units of one RMA. `tax_minor` None: as the order says."""

    refund_id: str
    paid_by: str
    currency: str
    amount_minor: int
    shares: tuple[Share, ...]
    tax_minor: int | None = None
    shipping_minor: int = 0


def mark(seats: Iterable[Seat], own: Own) -> None:
    """Sets on each seat how far its booking is; None: there is nothing to book."""
    by_unit = {(d.rma_id, unit_id): d for d in own.bookings for unit_id in d.unit_ids}
    by_refund = {(d.rma_id, d.refund_id): d for d in own.bookings}
    for seat in seats if by_unit or any(seat.model.books for seat in seats) else ():
        seat.booking = by_unit.get((seat.rma.rma_id, seat.unit.unit_id))
        if seat.booking is None and seat.paid_step is not None and seat.paid_by is None:
            seat.booking = by_refund.get((seat.rma.rma_id, _of_step(seat)))  # the request named no units: all of them
        if seat.booking is not None:
            result = own.learnt.results.get(seat.booking.decision_id)
            seat.booked = "open" if result is None else "refused" if result.outcome == "rejected" else "applied"
        elif _due(seat):
            seat.booked = "undecided"


def wanted(seats: Sequence[Seat], own: Own) -> tuple[list[Booking], list[int]]:
    """Bookings that are due and not made yet, and when those are due that wait for others of their merchant (MON-9)."""
    groups: dict[tuple[str, str, str], list[Seat]] = {}
    for seat in seats:
        if seat.booked == "undecided" and seat.order is not None:
            groups.setdefault((seat.rma.rma_id, seat.model.books or "", _source(seat)), []).append(seat)
    found: list[Booking] = []
    later: list[int] = []
    if not groups:
        return list(shipping_alone.bookings(seats, own)), later
    refunds = Refunds(own)
    for key in sorted(groups):
        at_ms = _together_ms(groups[key][0], own)
        if at_ms > own.learnt.clock_ms:
            later.append(at_ms)
            continue
        booking = _booking(groups[key], key[1], refunds)
        if booking is not None:
            found.append(booking)
            refunds.booked(booking)
    return [*found, *shipping_alone.bookings(seats, own.plus(bookings=found))], later


def _together_ms(seat: Seat, own: Own) -> int:
    """When the merchant's bookings are made that were confirmed since the last time; 0: at once."""
    window = seat.model.books_seconds * 1000
    if not window:
        return 0
    confirmed = min(max(_confirmed_ms(seat, own), 0), own.learnt.now_ms)
    return -(-confirmed // window) * window


def _confirmed_ms(seat: Seat, own: Own) -> int:
    if seat.money == "applied" and seat.paying is not None:
        result, effect = own.seen(seat.paying)
        return result.at_ms if result is not None else effect.stamp.at_ms if effect is not None else 0
    if seat.paid_by is not None:
        return seat.paid_by.stamp.at_ms
    return 0 if seat.paid_step is None else seat.paid_step.stamp.at_ms


def _due(seat: Seat) -> bool:
    books, effect = seat.model.books, seat.paid_by
    if books is None:
        return False
    if seat.money == "applied" and isinstance(seat.paying, Paying | Crediting):
        return seat.paying.system != books
    if seat.money != "elsewhere" or seat.kind not in ("refund", "credit"):
        return False
    if effect is not None:
        booked_there = effect.kind == "chargeback" or effect.system == books
        return not booked_there and effect.total_minor > 0 and bool(seat.parts)
    return seat.paid_step is not None and seat.paid_step.amount_minor != 0


def _source(seat: Seat) -> str:
    if seat.money == "applied" and seat.paying is not None:
        return seat.paying.decision_id
    return _of_step(seat) if seat.paid_by is None else seat.paid_by.external_id


def _of_step(seat: Seat) -> str:
    step = seat.paid_step
    return "" if step is None else step.external_id or step.transaction_id


def _booking(seats: Sequence[Seat], system: str, refunds: Refunds) -> Booking | None:
    first, own = seats[0], refunds.own
    paid = _confirmed(seats, refunds)
    if first.order is None or paid.currency != first.order.currency or paid.amount_minor <= 0:
        return None  # another currency is raised: nobody knows what it comes to in the books
    units = tuple(sorted(seat.unit.unit_id for seat in seats))
    return Booking(
        decision_id=ids.command_id(
            merchant=own.learnt.merchant, system=system, kind="journal", rma_id=first.rma.rma_id, unit_ids=units,
            generation=0,
        ),
        system=system, rma_id=first.rma.rma_id, unit_ids=units, decided_at_ms=own.learnt.now_ms,
        currency=paid.currency, amount_minor=paid.amount_minor, shares=paid.shares, refund_id=paid.refund_id,
        tax_minor=_tax(paid.shares, refunds.lines) if paid.tax_minor is None else paid.tax_minor,
        refunded_by=paid.paid_by, shipping_minor=paid.shipping_minor,
    )  # fmt: skip


def _confirmed(seats: Sequence[Seat], refunds: Refunds) -> Confirmed:
    first = seats[0]
    if first.money == "applied" and isinstance(first.paying, Paying | Crediting):
        return _by_us(first.paying, refunds.own)
    if first.paid_by is not None:
        return _by_others(first.paid_by, seats, refunds)
    return _reported(seats)


def _by_us(decision: Paying | Crediting, own: Own) -> Confirmed:
    amount, tax = went(decision, own), own.tax(decision)
    shipping = decision.shipping_minor if isinstance(decision, Paying) else 0
    exact = amount == decision.amount_minor
    return Confirmed(
        refund_id=own.refund_id(decision) or decision.decision_id, paid_by=decision.system, amount_minor=amount,
        currency=decision.currency, tax_minor=decision.tax_minor if tax is None and exact else tax,
        shares=_over(decision.shares, max(amount - shipping, 0)), shipping_minor=min(shipping, amount),
    )  # fmt: skip


def _by_others(effect: Effect, seats: Sequence[Seat], refunds: Refunds) -> Confirmed:
    """The part of a refund that these units have in it."""
    mine = amounts.shares(seats, {})
    covered, totals = refunds.by_line(effect)
    done = refunds.done(effect.external_id)
    shares = tuple(
        msgspec.structs.replace(s, amount_minor=_next(totals[s.line_id], covered[s.line_id], done, s))
        for s in mine if s.line_id in covered
    )  # fmt: skip
    whole = {s.line_id: s.quantity for s in shares} == covered
    return Confirmed(
        refund_id=effect.external_id, paid_by=effect.system or effect.actor,
        currency=effect.currency or _currency(seats), amount_minor=sum(s.amount_minor for s in shares), shares=shares,
        tax_minor=effect.tax_minor if whole else None,
    )  # fmt: skip


def _reported(seats: Sequence[Seat]) -> Confirmed:
    """What ReturnGO says was paid, while no system shows it."""
    step, shares = seats[0].paid_step, amounts.shares(seats, {})
    due = max(sum(s.amount_minor for s in shares) - amounts.fees(seats), 0)
    said = None if step is None else step.amount_minor
    amount = due if said is None else max(said, 0)
    return Confirmed(
        refund_id=_of_step(seats[0]), paid_by=RETURNGO, amount_minor=amount, shares=_over(shares, amount),
        currency=(step.currency if step is not None else None) or _currency(seats),
    )  # fmt: skip


def _over(shares: Sequence[Share], amount: int) -> tuple[Share, ...]:
    if not shares or sum(s.amount_minor for s in shares) == amount:
        return tuple(shares)
    parts = split(amount, [max(s.amount_minor, 0) for s in shares])
    return tuple(msgspec.structs.replace(s, amount_minor=part) for s, part in zip(shares, parts, strict=True))


def _next(total: int, covered: int, done: dict[str, int], share: Share) -> int:
    before = done.get(share.line_id, 0)
    return amounts.first_units(total, covered, before + share.quantity) - amounts.first_units(total, covered, before)


def _tax(shares: Iterable[Share], lines: dict[str, Line]) -> int:
    """The tax within what was paid for each line, at the line's own rate."""
    return sum(_part_of_tax(lines[s.line_id], s.amount_minor) for s in shares if s.line_id in lines)


def _part_of_tax(line: Line, amount: int) -> int:
    if line.tax_minor <= 0 or not 0 < amount <= line.net_minor:
        return 0 if amount <= 0 else max(line.tax_minor, 0)
    return split(line.tax_minor, [amount, line.net_minor - amount])[0]


def _currency(seats: Sequence[Seat]) -> str:
    return "" if seats[0].order is None else seats[0].order.currency
