"""Pieces that we put back and that no inspection shows any more: whose they are now, or who must wait for an answer."""

from collections.abc import Sequence

from schemas.sku import meant
from streams.domain import movements
from streams.domain.decided import Restocking
from streams.domain.own import Own
from streams.domain.seat import Seat

Name = tuple[str, ...]


class Unshown:
    """The units of a case by what such a piece says of itself; whoever got one is asked no more."""

    def __init__(self, seats: Sequence[Seat], own: Own) -> None:
        self._own = own
        self._found = [seat for seat in seats if seat.found is not None]
        self._by_grade: dict[Name, list[Seat]] = {}
        self._by_name: dict[Name, list[tuple[int, Seat]]] = {}
        self._waiting: dict[Name, list[Seat]] = {}
        for place, seat in enumerate(self._found):
            line_id = "" if seat.line is None else seat.line.line_id
            self._by_grade.setdefault((line_id, movements.grade(seat)), []).append(seat)
            for kind, name in (("line", line_id), ("sku", meant(seat.sku))):
                for rma_id in ("", f"of {seat.rma.rma_id}"):
                    self._by_name.setdefault((kind, name, rma_id), []).append((place, seat))
        for mine in self._by_grade.values():
            mine.reverse()

    def place(self, history: list[Restocking]) -> None:
        """The movements of one piece, which is in stock."""
        last = max(history, key=lambda each: each.generation)
        if last.quantity > 0 and not self._adopted(last, history):
            self._disputed(last, history)

    def _adopted(self, last: Restocking, history: list[Restocking]) -> bool:
        """The same inspection stands, only the merchant's map was changed since: the piece is still that piece."""
        mine = self._by_grade.get((last.line_id, last.grade), []) if last.grade and last.line_id else []
        while mine and mine[-1].restocking is not None:
            mine.pop()
        if mine:
            movements.follow(mine.pop(), history, self._own)
            return True
        return False

    def _disputed(self, decision: Restocking, history: list[Restocking]) -> None:
        """Some unit of its line was graded anew and must wait. One whose return was stopped waits for nothing: the
        piece is its piece, and leaves stock or is raised."""
        for rma_id in (f"of {decision.rma_id}", ""):
            waiting = self._of(decision, rma_id)
            while waiting:
                seat = waiting.pop()
                out = seat.restocking is None or (seat.restocking.quantity < 0 and seat.restocked == "undecided")
                if out and seat.stopped:
                    movements.follow(seat, history, self._own)
                    return
                if out and not seat.dispute and seat.found is not None:
                    seat.dispute = f"put back as {decision.stock_status} before, {seat.found.disposition} now"
                    return

    def _of(self, decision: Restocking, rma_id: str) -> list[Seat]:
        """Inspected units of its line or SKU, the first to be asked last in the list."""
        key = (decision.line_id or "", meant(decision.sku), rma_id)
        if key not in self._waiting:
            found: dict[int, Seat] = {}
            for kind, name in (("line", key[0]), ("sku", key[1])):
                found.update(self._by_name.get((kind, name, rma_id), ()) if name else ())
            self._waiting[key] = [found[place] for place in sorted(found, reverse=True)]
        return self._waiting[key]
