"""Who inspected which unit. Where a source counts instead of naming units, its pieces are allotted to units.

Where pieces are counted, a piece gets its identity from what it is (line, disposition, location, ordinal), never from
the unit or RMA it happens to be allotted to: the same pieces have the same restocks in whatever order they came.

Each count is of pieces of its own, never a correction of another. Where more are counted than a return has units, those
that were put back before keep their units, and the others are left over.
"""

import itertools
from collections.abc import Iterable, Sequence

import msgspec

from schemas.facts import Disposition
from streams.domain.decided import Restocking, graded
from streams.domain.learnt import Claim, Inspection, Learnt, Rma, Stamp, Unit
from streams.domain.seat import GONE, Seat

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
    over = _allotted([(c, c.quantity) for c in claims], seats)
    if over:
        over = _allotted_again(claims, seats, restocks, source)
    return [_spare(claim, over[claim], seats) for claim in claims if claim in over]


def _allotted(pieces: Iterable[tuple[Claim, int]], seats: Sequence[Seat]) -> dict[Claim, int]:
    """Allots so many pieces of each; how many of which are left over."""
    over: dict[Claim, int] = {}
    for claim, quantity in pieces:
        left = _allot(claim, quantity, seats) if quantity else 0
        if left:
            over[claim] = over.get(claim, 0) + left
    return over


def _allotted_again(
    claims: Sequence[Claim], seats: Sequence[Seat], restocks: Iterable[Restocking], source: str
) -> dict[Claim, int]:
    """Too many pieces: those that were put back come first, and what is then left over stays out of the allotment."""
    out = _put_back_first(claims, _afresh(seats, source), restocks)
    if _allotted([(c, c.quantity - out.get(c, 0)) for c in claims], _afresh(seats, source)):
        return _put_back_first(claims, _afresh(seats, source), restocks)  # they fit in this sequence only
    return out


def _afresh(seats: Sequence[Seat], source: str) -> Sequence[Seat]:
    for seat in seats:
        seat.found, seat.source, seat.dispute, seat.counted = None, "", "", False
        _named(seat, source)
    return seats


def _put_back_first(claims: Sequence[Claim], seats: Sequence[Seat], restocks: Iterable[Restocking]) -> dict[Claim, int]:
    """Allots pieces that went into stock and were not taken out again, for their own return if it can be; then the
    others. Claims that name their return go first: the rest fit wherever a unit is left."""
    named_first = sorted(claims, key=lambda c: not c.rma_id)
    stocked = {d.moved: (d, d.quantity) for d in sorted(restocks, key=lambda d: d.generation)}
    left = {c: c.quantity for c in claims}
    for own_return, claim in itertools.product((True, False), named_first):
        places = [s for s in seats if _concerns(claim, s)]
        for piece, (done, quantity) in stocked.items():
            wanted = min(left[claim], quantity)
            if wanted > 0 and _is_of(done, claim, places) and (done.rma_id == claim.rma_id or not own_return):
                taken = wanted - _allot(claim, wanted, seats)
                left[claim] -= taken
                stocked[piece] = done, quantity - taken
    return _allotted([(c, left[c]) for c in named_first], seats)


def _is_of(done: Restocking, claim: Claim, places: Iterable[Seat]) -> bool:
    return done.grade == graded(claim.disposition, claim.source, claim.location) and any(
        s.sku == done.sku or (s.line is not None and s.line.line_id == done.line_id) for s in places
    )


def _spare(claim: Claim, left: int, seats: Iterable[Seat]) -> Spare:
    places = _places(claim, seats)
    known = any("requested" in s.rma.marks or "approved" in s.rma.marks for s in places)
    others = {s.found.disposition for s in places if s.found is not None} - {claim.disposition}
    return Spare(claim=claim, quantity=left, line_known=known, others=tuple(sorted(others)))


def arrival(learnt: Learnt, rma: Rma, unit: Unit, *, by_order: bool = True) -> Stamp | None:
    """Earliest arrival of the unit by anyone, named or counted; `by_order`: also of pieces that name no return. Who
    counts goods as missing has not received them."""
    first = unit.received
    marked = rma.marks.get("received")
    if marked is not None and (first is None or marked < first):
        first = marked
    for claim in learnt.claims:
        same_line = claim.line_id == unit.said.line_id if claim.line_id else claim.sku == unit.said.sku
        mine = claim.rma_id == rma.rma_id or (by_order and not claim.rma_id)
        here = same_line and mine and claim.disposition not in GONE
        if here and (first is None or claim.stamp < first):
            first = claim.stamp
    return first


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


def _allot(claim: Claim, left: int, seats: Sequence[Seat]) -> int:
    for seat in sorted(_places(claim, seats), key=lambda s: _preference(claim, s)):
        size = seat.unit.said.quantity
        if size > left or seat.counted:
            continue
        left -= size
        seat.counted = True
        if seat.found is None:
            seat.found = Inspection(claim.stamp, claim.disposition or "missing", claim.location, claim.reason)
            seat.source = claim.source
        elif seat.found.disposition != claim.disposition:
            seat.dispute = f"{seat.source}: {seat.found.disposition} / {claim.source}: {claim.disposition}"
    return left


def _places(claim: Claim, seats: Iterable[Seat]) -> list[Seat]:
    return [s for s in seats if s.unit.said.ships and _concerns(claim, s)]


def _concerns(claim: Claim, seat: Seat) -> bool:
    if claim.rma_id and claim.rma_id != seat.rma.rma_id:
        return False
    said = seat.unit.said
    if claim.line_id:
        # a part of a bundle is not the bundle
        whole = any(line.line_id == claim.line_id and said.sku in (line.sku, claim.sku) for line, _ in seat.parts)
        return claim.line_id == said.line_id or whole
    return bool(claim.sku) and claim.sku == seat.sku


def _preference(claim: Claim, seat: Seat) -> tuple[bool, int, bool, str, str]:
    # first the units that another source graded alike, then those that nobody looked at
    agrees = 1 if seat.found is None else 0 if seat.found.disposition == claim.disposition else 2
    return (bool(seat.stopped), agrees, seat.paying is None, seat.rma.rma_id, seat.unit.unit_id)


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
