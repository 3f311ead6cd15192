"""More units of a line asked back than were bought, or than ever left: none of it moves until a person has looked.

A unit whose return was stopped counts once something moved for it. One that was taken off the order before it was sent
never left, so it does not count among those that did.
"""

from collections.abc import Iterable, Sequence

from streams.domain.cover import Covered
from streams.domain.seat import Seat


def mark(seats: Sequence[Seat], covered: Covered) -> None:
    """Sets on each seat how many units of its lines are asked back, and whether there are so many."""
    returned = _per_line((s for s in seats if _counts(s)), covered.earlier)
    unsent = _per_line((s for s in seats if s.unsent), covered.unsent)
    for seat in seats:
        seat.bought = seat.unit.said.quantity > 0
        for line, _ in seat.parts:
            count = returned.get(line.line_id, 0)
            seat.returned = max(seat.returned, count)
            if count > line.sold:
                seat.bought = False
            if line.sent is not None and count - unsent.get(line.line_id, 0) > line.sent:
                seat.left = not seat.model.inspecting.sent_first


def _counts(seat: Seat) -> bool:
    return not seat.stopped or seat.money in ("applied", "open") or seat.restocked in ("applied", "open")


def _per_line(seats: Iterable[Seat], before: dict[str, int]) -> dict[str, int]:
    units = dict(before)
    for seat in seats:
        for line, count in seat.parts:
            units[line.line_id] = units.get(line.line_id, 0) + count
    return units
