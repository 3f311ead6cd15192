"""One round of giving counted pieces to the units of a case."""

from collections.abc import Iterable

from schemas.facts import Disposition
from streams.domain.counted import Subject, Units, subject
from streams.domain.learnt import Claim, Inspection
from streams.domain.queues import Queue
from streams.domain.seat import Seat


class Allotment:
    """A round over units of which some may have their piece already."""

    def __init__(self, units: Units) -> None:
        self._units = units
        self._free: dict[tuple[Subject, Disposition | None], Queue] = {}

    def all(self, pieces: Iterable[tuple[Claim, int]]) -> dict[Claim, int]:
        """Allots so many pieces of each; how many of which are left over."""
        over: dict[Claim, int] = {}
        for claim, quantity in pieces:
            left = self.some(claim, quantity) if quantity else 0
            if left:
                over[claim] = over.get(claim, 0) + left
        return over

    def some(self, claim: Claim, left: int) -> int:
        """Allots so many pieces of the claim; how many are left over."""
        free = self.free(claim)
        while (taken := free.take(left)) is not None:
            seat, size = taken
            left -= size
            give(claim, seat)
            if claim.line_id and self._units.other_sku(claim, seat):
                seat.dispute = f"line {claim.line_id}: {seat.sku} / {claim.source}: {claim.sku}"
        return left

    def free(self, claim: Claim) -> Queue:
        """Units that the claim can mean and that no piece was given to."""
        key = (subject(claim), claim.disposition)
        if key not in self._free:
            self._free[key] = Queue(lambda seat: not seat.counted)
            for seat in self._units.places(claim):
                self._free[key].push(preference(claim, seat), seat.unit.said.quantity, seat)
        return self._free[key]


def give(claim: Claim, seat: Seat) -> None:
    """A piece of the claim is this unit."""
    seat.counted = True
    if seat.found is None:
        seat.found = Inspection(claim.stamp, claim.disposition or "missing", claim.location, claim.reason)
        seat.source = claim.source
    elif seat.found.disposition != claim.disposition:
        seat.dispute = f"{seat.source}: {seat.found.disposition} / {claim.source}: {claim.disposition}"


def preference(claim: Claim, seat: Seat) -> tuple[bool, int, bool, str, str]:
    """Which unit a piece is, where it can be several: the least."""
    # first the units that another source graded alike, then those that nobody looked at
    agrees = 1 if seat.found is None else 0 if seat.found.disposition == claim.disposition else 2
    return (bool(seat.stopped), agrees, seat.paying is None, seat.rma.rma_id, seat.unit.unit_id)
