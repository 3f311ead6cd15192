"""Units that were taken off an order before they were sent: those that come back are others.

They cover what is asked back beyond the units that left, and nothing else.
"""

from collections.abc import Iterable, Sequence

from streams.domain.echoes import by_line
from streams.domain.learnt import Effect, Line, Moved
from streams.domain.seat import Seat


def of(effect: Effect) -> dict[str, int]:
    """Such units per line."""
    return by_line(m for m in effect.moved if m.unsent)


def others(effect: Effect) -> dict[str, int]:
    """The others per line."""
    return by_line(m for m in effect.moved if not m.unsent)


def never_left(seats: Iterable[Seat]) -> list[Seat]:
    """Units that are asked back beyond those that left, what nobody has seen first; all units of a line of which nobody
    knows what left."""
    lines: dict[str, tuple[Line, list[tuple[Seat, int]]]] = {}
    for seat in seats:
        for line, count in seat.parts:
            lines.setdefault(line.line_id, (line, []))[1].append((seat, count))
    return list({seat.key: seat for line, units in lines.values() for seat in _of_line(line, units)}.values())


def _of_line(line: Line, units: Sequence[tuple[Seat, int]]) -> Iterable[Seat]:
    live = [each for each in units if line.sent is None or not each[0].stopped or each[0].money in ("open", "applied")]
    left = sum(count for _, count in live) - (line.sent or 0)
    for seat, count in sorted(live, key=lambda each: (_seen(each[0]), each[0].key)):
        if count <= left:
            yield seat
            left -= count


def _seen(seat: Seat) -> bool:
    return seat.found is not None or seat.arrived is not None


class PutBack:
    """What went into stock as it was taken off the order: no goods that come back."""

    def __init__(self, seats: Iterable[Seat]) -> None:
        self._known: set[str] = set()
        self._covered: dict[str, list[Seat]] = {}
        for seat in seats:
            self._known.update(line.line_id for line, _ in seat.parts if line.sent is not None)
            if seat.unsent and seat.paid_by is not None:
                self._covered.setdefault(seat.paid_by.external_id, []).append(seat)

    def is_part(self, moved: Moved) -> bool:
        return moved.unsent and moved.line_id in self._known

    def covered_by(self, effect: Effect) -> dict[str, Seat]:
        """The units that it covers: none of them is there to be put back once more."""
        return {seat.key: seat for seat in self._covered.get(effect.external_id, ())}
