"""Who inspected which unit. Where a source counts instead of naming units, its pieces are allotted to units.

Where pieces are counted, a piece gets its identity from what it is (line, disposition, location, ordinal), never from
the unit or RMA it happens to be allotted to: the same pieces have the same restocks in whatever order they came.

Each count is of pieces of its own, never a correction of another, but where it names the line of a piece that was held
for want of one (see which_item.py). Where more are counted than a return has units, those
that were put back before keep their units, and the others are left over.
"""

import itertools
from collections.abc import Iterable, Sequence

import msgspec

from schemas.facts import Disposition
from streams.domain import which_item
from streams.domain.allotment import Allotment
from streams.domain.counted import Stocked, Subject, Units, subject
from streams.domain.decided import Restocking
from streams.domain.learnt import Claim, Learnt
from streams.domain.seat import Seat

# Sellable goods first: units that are paid already are the ones that came back in order.
_RANK: dict[Disposition | None, int] = {"sellable": 0, "damaged": 1, "missing": 2, "not_returned": 3}
_PLATFORM = "returngo"


class Spare(msgspec.Struct, frozen=True, kw_only=True):
    """Pieces that no unit is left for."""

    claim: Claim
    quantity: int
    line_known: bool  # a return of this line is known: more came back than were to come
    others: tuple[Disposition, ...]  # what the pieces that have the units were graded otherwise


def inspect(seats: Sequence[Seat], learnt: Learnt, restocks: Iterable[Restocking], source: str) -> list[Spare]:
    """Sets what was found on each seat, by the source that counts for the order; gives back what is left over."""
    for seat in seats:
        _named(seat, source)
        seat.piece = seat.key
    if source == _PLATFORM:
        return []
    claims = sorted(
        (c for c in learnt.claims if c.disposition is not None and c.source != _PLATFORM),
        key=lambda c: (_RANK[c.disposition], c),
    )
    if not claims:
        return []
    units = Units(seats)
    unclear = [claim for claim in claims if units.unclear(claim)]
    clear = [claim for claim in claims if not units.unclear(claim)] if unclear else claims
    over = Allotment(units).all((c, c.quantity) for c in clear)
    if over:
        over = _allotted_again(clear, seats, units, restocks, source)
    if unclear:
        over |= which_item.allot(unclear, clear, units, restocks)
    return _spares([(claim, over[claim]) for claim in claims if claim in over], units)


def _allotted_again(
    claims: Sequence[Claim], seats: Sequence[Seat], units: Units, restocks: Iterable[Restocking], source: str
) -> dict[Claim, int]:
    """Too many pieces: those that were put back come first, and what is then left over stays out of the allotment."""
    stocked = list(restocks)
    out = _put_back_first(claims, units, _afresh(seats, units, source), stocked)
    if _afresh(seats, units, source).all((c, c.quantity - out.get(c, 0)) for c in claims):
        again = _afresh(seats, units, source)
        return _put_back_first(claims, units, again, stocked)  # they fit in this sequence only
    return out


def _afresh(seats: Sequence[Seat], units: Units, source: str) -> Allotment:
    for seat in seats:
        seat.found, seat.source, seat.dispute, seat.counted = None, "", "", False
        _named(seat, source)
    return Allotment(units)


def _put_back_first(
    claims: Sequence[Claim], units: Units, allotment: Allotment, restocks: Iterable[Restocking]
) -> dict[Claim, int]:
    """Allots pieces that went into stock and were not taken out again, for their own return if it can be; then the
    others. Claims that name their return go first: the rest fit wherever a unit is left."""
    named_first = sorted(claims, key=lambda c: not c.rma_id)
    stocked = Stocked(restocks)
    left = {c: c.quantity for c in claims}
    for own_return, claim in itertools.product((True, False), named_first):
        seats, free = units.concerned(claim), allotment.free(claim)
        for piece, wanted in stocked.like(claim, seats, free, left[claim], claim.rma_id if own_return else None):
            taken = wanted - allotment.some(claim, wanted)
            left[claim] -= taken
            stocked.took(piece, taken)
    return allotment.all((c, left[c]) for c in named_first)


def _spares(over: Sequence[tuple[Claim, int]], units: Units) -> list[Spare]:
    known: dict[Subject, bool] = {}
    graded: dict[Subject, set[Disposition]] = {}
    for claim, _ in over:
        about = subject(claim)
        if about not in known:
            places = units.places(claim)
            known[about] = any("requested" in s.rma.marks or "approved" in s.rma.marks for s in places)
            graded[about] = {s.found.disposition for s in places if s.found is not None}
    return [
        Spare(
            claim=claim, quantity=left, line_known=known[subject(claim)],
            others=tuple(sorted(graded[subject(claim)] - {claim.disposition})),
        )
        for claim, left in over
    ]  # fmt: skip


def _named(seat: Seat, source: str) -> None:
    seen = seat.unit.inspections
    if not seen:
        return
    counted = [(found, who) for who, found in seen.items() if source in ("either", who)]
    if not counted:
        return
    counted.sort()
    seat.found, seat.source = counted[-1]
    if len(counted) > 1 and len({found.disposition for found, _ in counted}) > 1:
        seat.dispute = " / ".join(f"{who}: {found.disposition}" for found, who in counted)


def number(seats: Iterable[Seat], learnt: Learnt, source: str) -> None:
    """Sets which physical piece each inspected unit is, where pieces are counted; once it is known where they go."""
    if source == _PLATFORM:
        return
    counts: dict[str, int] = {}
    for seat in sorted(seats, key=lambda s: (s.paying is None, s.rma.rma_id, s.unit.unit_id)):
        if seat.found is None:
            continue
        group = f"{learnt.order_id}|{seat.subject}|{seat.found.disposition}|{_where(seat, source)}"
        ordinal = counts.get(group, 0)
        counts[group] = ordinal + 1
        seat.piece = f"{group}|{ordinal}"


def _where(seat: Seat, source: str) -> str:
    code = "" if seat.found is None else seat.found.location
    if source != "either":
        return code
    # Where both sources count, they may name the same place by two codes: the piece must stay one piece.
    return f"?{code}" if seat.place is None else f"{seat.place.location_id}|{seat.status}"
