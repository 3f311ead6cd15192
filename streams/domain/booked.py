"""Refunds whose final amount became known after they were booked: a person is told both figures."""

from collections.abc import Iterable

from streams.domain.account import went
from streams.domain.causes import Cause
from streams.domain.cover import PAID_KINDS
from streams.domain.decided import Booking, Crediting, Money, Paying
from streams.domain.explain import money
from streams.domain.learnt import Effect
from streams.domain.own import Own
from streams.domain.seating import Seating


def otherwise(seating: Seating) -> Iterable[Cause]:
    """By ours first, then by others', as each booking names it."""
    own = seating.own
    ours, theirs, units, covered = _ours(own), _theirs(own), _units(seating), _covered(own)
    for booking in own.bookings:
        for decision in ours.get(booking.refund_id, ()):
            paid = went(decision, own)
            if paid != booking.amount_minor and own.track(decision) == "applied":
                yield _cause(booking, paid)
        mine = units.get(booking.decision_id, ())
        alone = len(covered[booking.refund_id]) == len(booking.unit_ids)
        for effect in theirs.get(booking.refund_id, ()) if mine and alone else ():
            whole = sum(m.quantity for m in effect.moved) == len(mine)
            if whole and effect.total_minor != booking.amount_minor:
                yield _cause(booking, effect.total_minor)


def _ours(own: Own) -> dict[str, list[Money]]:
    """Our payments by all their names."""
    found: dict[str, list[Money]] = {}
    for decision in own.payments:
        if isinstance(decision, Paying | Crediting):
            for name in {decision.decision_id, own.refund_id(decision) or decision.decision_id}:
                found.setdefault(name, []).append(decision)
    return found


def _theirs(own: Own) -> dict[str, list[Effect]]:
    found: dict[str, list[Effect]] = {}
    for effect in own.foreign:
        if effect.kind in PAID_KINDS:
            found.setdefault(effect.external_id, []).append(effect)
    return found


def _units(seating: Seating) -> dict[str, set[str]]:
    """Units that others paid for, by their booking."""
    found: dict[str, set[str]] = {}
    for seat in seating.seats:
        if seat.booking is not None and seat.paid_by is not None:
            found.setdefault(seat.booking.decision_id, set()).add(seat.unit.unit_id)
    return found


def _covered(own: Own) -> dict[str, set[tuple[str, str]]]:
    """Units whose booking names a refund."""
    found: dict[str, set[tuple[str, str]]] = {}
    for booking in own.bookings:
        found.setdefault(booking.refund_id, set()).update((booking.rma_id, unit) for unit in booking.unit_ids)
    return found


def _cause(booking: Booking, paid: int) -> Cause:
    was, now = money(booking.amount_minor, booking.currency), money(paid, booking.currency)
    return Cause(
        type="amount_mismatch", rma_id=booking.rma_id, subject=f"{booking.decision_id}:booked",
        detail=f"{was} was booked in {booking.system}, {now} was paid as {booking.refund_id}", expected=now, actual=was,
        command_id=booking.decision_id, unit_ids=booking.unit_ids,
    )  # fmt: skip
