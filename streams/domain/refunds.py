"""Refunds as bookings take from them, each once."""

from schemas.money import split
from streams.domain import amounts
from streams.domain.decided import Booking
from streams.domain.echoes import by_line
from streams.domain.learnt import Effect, Line
from streams.domain.own import Own


class Refunds:
    """What each refund paid for the lines of the order, and how much of it is booked already: the next booking takes
    what those before it leave."""

    def __init__(self, own: Own) -> None:
        order = own.learnt.order
        self.own = own
        self.lines: dict[str, Line] = {} if order is None else {line.line_id: line for line in order.lines}
        self._units: dict[str, dict[str, int]] = {}
        self._by_line: dict[tuple[str, str, str], tuple[dict[str, int], dict[str, int]]] = {}
        for booking in own.bookings:
            self.booked(booking)

    def booked(self, booking: Booking) -> None:
        """One more."""
        units = self._units.setdefault(booking.refund_id, {})
        for share in booking.shares:
            units[share.line_id] = units.get(share.line_id, 0) + share.quantity

    def done(self, refund_id: str) -> dict[str, int]:
        """Units per line that are booked."""
        return self._units.get(refund_id, {})

    def by_line(self, effect: Effect) -> tuple[dict[str, int], dict[str, int]]:
        """Units and money of each line that a refund by others covers."""
        name = (effect.system, effect.kind, effect.external_id)
        if name not in self._by_line:
            # one that names no lines paid for units only because nothing of the whole order is left
            units = by_line(effect.moved) or {line.line_id: line.quantity for line in self.lines.values()}
            worth = [_worth(self.lines.get(line_id), count) for line_id, count in units.items()]
            self._by_line[name] = units, dict(zip(units, split(effect.total_minor, worth), strict=True))
        return self._by_line[name]


def _worth(line: Line | None, count: int) -> int:
    return 0 if line is None else max(amounts.first_units(line.net_minor, line.quantity, count), 0)
