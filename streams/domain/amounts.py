"""What returned units are worth: their exact share of what their order line cost (MON-2).

A line's net price is split over its units by largest remainder, the earlier unit taking the odd minor unit. A refund of
n units after k were refunded before takes the shares k+1 … k+n, so all refunds of a line add up to what it cost.
"""

from collections.abc import Iterable

from streams.domain.decided import Share
from streams.domain.learnt import Line
from streams.domain.seat import Seat


def first_units(line: Line, units: int) -> int:
    """Worth of the first `units` units of a line in minor units: the sum of that many shares of `money.split`."""
    if line.quantity <= 0:
        return 0
    size, odd = divmod(abs(line.net_minor), line.quantity)
    worth = size * units + min(units, odd)
    return worth if line.net_minor >= 0 else -worth


def shares(seats: Iterable[Seat], before: dict[str, int]) -> tuple[Share, ...]:
    """Share per line of these units; `before`: units of each line that were paid for already."""
    lines: dict[str, Line] = {}
    counts: dict[str, int] = {}
    for seat in seats:
        for line, count in seat.parts:
            lines[line.line_id] = line
            counts[line.line_id] = counts.get(line.line_id, 0) + count
    return tuple(
        Share(
            line_id=line_id, quantity=count,
            amount_minor=first_units(lines[line_id], before.get(line_id, 0) + count)
            - first_units(lines[line_id], before.get(line_id, 0)),
        )
        for line_id, count in sorted(counts.items())
    )  # fmt: skip


def claimed(seats: Iterable[Seat]) -> int | None:
    """What ReturnGO says these units cost, with tax, before fees; None while it does not say so of each."""
    figures = [seat.unit.said.paid_minor for seat in seats]
    known = [figure for figure in figures if figure is not None]
    return sum(known) if len(known) == len(figures) else None


def fees(seats: Iterable[Seat]) -> int:
    """What is kept back from these units."""
    return sum(seat.unit.said.fees_minor for seat in seats)
