"""Whether everything of an order that could come back has come back (MON-2): its shipping is paid back then, once.

It is judged by what is still there, not by how it comes back. What was taken off the order, what others have paid for,
and tips or services, of which nothing can come back, keep nothing back. A unit that is exchanged does: the customer has
goods of the order's worth.
"""

from collections.abc import Iterable, Sequence

import msgspec

from streams.domain.cover import Covered
from streams.domain.learnt import Order
from streams.domain.proposal import Proposal
from streams.domain.seat import Seat, gone
from streams.domain.standing import Standing
from streams.domain.walk import wants_money

_PAID = ("open", "applied", "elsewhere")


class Remaining(msgspec.Struct):
    """Units of each line that did not come back yet, and how many they are together. None known: not all was read."""

    units: dict[str, int]
    total: int
    known: bool

    def all_with(self, seats: Iterable[Seat]) -> bool:
        """Whether nothing is left once these units came, too."""
        return self.known and sum(self._of(seats).values()) == self.total

    def paid(self, proposal: Proposal) -> None:
        """A payment goes out, or nothing is due for its units."""
        if proposal.kind != "exchange":
            self.came(proposal.seats)

    def came(self, seats: Iterable[Seat]) -> None:
        """These units came."""
        for line_id, count in self._of(seats).items():
            self.units[line_id] -= count
            self.total -= count

    def _of(self, seats: Iterable[Seat]) -> dict[str, int]:
        """What they are of the units that are left."""
        counts: dict[str, int] = {}
        for seat in seats:
            for line, count in seat.parts:
                counts[line.line_id] = counts.get(line.line_id, 0) + count
        return {line_id: min(count, self.units[line_id]) for line_id, count in counts.items() if line_id in self.units}


def remaining(order: Order | None, standings: Sequence[Standing], covered: Covered) -> Remaining:
    """What is left of the order, as far as it was decided before."""
    if order is None or not order.complete:
        return Remaining({}, 0, known=False)
    lines = [line for line in order.lines if line.ships] or order.lines
    units = {line.line_id: max(line.sold - covered.earlier.get(line.line_id, 0), 0) for line in lines}
    left = Remaining(units, sum(units.values()), known=True)
    left.came(s.seat for s in standings if _is_back(s.seat))
    return left


def _is_back(seat: Seat) -> bool:
    if seat.unsent or seat.kind in ("exchange", "unknown"):
        return seat.unsent
    if seat.money in _PAID:
        return True
    return not seat.stopped and not wants_money(seat) and seat.found is not None and not gone(seat)
