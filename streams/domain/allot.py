"""Who inspected which unit. Where a source counts instead of naming units, its pieces are allotted to units.

Where pieces are counted, a piece gets its identity from what it is (line, disposition, location, ordinal), never from
the unit or RMA it happens to be allotted to: the same pieces have the same restocks in whatever order they came.
"""

from collections.abc import Iterable, Sequence

import msgspec

from schemas.facts import Disposition
from streams.domain.learnt import Claim, Inspection, Learnt, Rma, Stamp, Unit
from streams.domain.seat import Seat

# Sellable goods first: units that are paid already are the ones that came back in order.
_RANK: dict[Disposition | None, int] = {"sellable": 0, "damaged": 1, "missing": 2, "not_returned": 3}
_PLATFORM = "returngo"


class Spare(msgspec.Struct, frozen=True, kw_only=True):
    """Pieces that no unit is left for."""

    claim: Claim
    quantity: int
    line_known: bool  # a return of this line is known: more came back than were to come


def inspect(seats: Sequence[Seat], learnt: Learnt, source: str) -> list[Spare]:
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
    return [left for claim in claims if (left := _allot(claim, seats))]


def arrival(learnt: Learnt, rma: Rma, unit: Unit) -> Stamp | None:
    """Earliest arrival of the unit by anyone, named or counted; for people, nothing is decided by it."""
    first = unit.received
    marked = rma.marks.get("received")
    if marked is not None and (first is None or marked < first):
        first = marked
    for claim in learnt.claims:
        same_line = claim.line_id == unit.said.line_id if claim.line_id else claim.sku == unit.said.sku
        if same_line and claim.rma_id in ("", rma.rma_id) and (first is None or claim.stamp < first):
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


def _allot(claim: Claim, seats: Sequence[Seat]) -> Spare | None:
    left = claim.quantity
    places = [s for s in seats if s.unit.said.ships and _concerns(claim, s)]
    for seat in sorted(places, key=lambda s: _preference(claim, s)):
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
    known = any("requested" in s.rma.marks or "approved" in s.rma.marks for s in places)
    return Spare(claim=claim, quantity=left, line_known=known) if left else None


def _concerns(claim: Claim, seat: Seat) -> bool:
    if claim.rma_id and claim.rma_id != seat.rma.rma_id:
        return False
    if claim.line_id:
        return claim.line_id == seat.unit.said.line_id or any(line.line_id == claim.line_id for line, _ in seat.parts)
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
