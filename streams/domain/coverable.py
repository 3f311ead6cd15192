"""Units that an effect of someone else can cover, by line: the effects come by time, each takes what it prefers."""

import heapq
from collections.abc import Callable, Iterable, Sequence

from streams.domain.learnt import Effect
from streams.domain.queues import Preference, Queue
from streams.domain.seat import Seat

_ALWAYS = -(2**63)  # before every effect


class Coverable:
    """The units of a case. `free`: whether one can still be covered."""

    def __init__(self, seats: Iterable[Seat], free: Callable[[Seat], bool]) -> None:
        self._free = free
        self._by_line: dict[tuple[str, str | None], _Asked] = {}
        for seat in seats:
            sizes: dict[str, int] = {}
            for line, count in seat.parts:
                sizes[line.line_id] = sizes.get(line.line_id, 0) + count
            for line_id, size in sizes.items() if free(seat) else ():
                for rma_id in (None, seat.rma.rma_id):
                    self._by_line.setdefault((line_id, rma_id), _Asked(free)).add(seat, size)

    def take(self, line_id: str, left: int, effect: Effect, named: Sequence[str] = ()) -> tuple[dict[str, Seat], int]:
        """Units of the line for an effect that covers so many, those `named` first, and how many of it no return is
        known for. Effects are asked for by time: what was asked back after one comes into question for later ones."""
        taken: dict[str, Seat] = {}
        line = self._by_line.get((line_id, effect.rma_id))
        if line is None:
            return taken, left
        for seat, size in line.named(named, effect):
            if size <= left:
                taken[seat.key] = seat
                left -= size
        asked = line.before(effect)
        while (found := asked.take(left)) is not None:
            seat, size = found
            if seat.key not in taken:
                taken[seat.key] = seat
                left -= size
        return taken, left


class _Asked:
    """Units of one line, each as soon as its return was asked for."""

    def __init__(self, free: Callable[[Seat], bool]) -> None:
        self._free = free
        self._later: list[tuple[int, int, int, Seat]] = []  # by when their return was asked for
        self._now = Queue(free)
        self._by_unit: dict[str, list[tuple[Seat, int]]] = {}

    def add(self, seat: Seat, size: int) -> None:
        heapq.heappush(self._later, (_asked_ms(seat), len(self._later), size, seat))
        self._by_unit.setdefault(seat.unit.unit_id, []).append((seat, size))

    def before(self, effect: Effect) -> Queue:
        while self._later and self._later[0][0] <= effect.stamp.at_ms:
            *_, size, seat = heapq.heappop(self._later)
            self._now.push(_preference(seat), size, seat)
        return self._now

    def named(self, unit_ids: Sequence[str], effect: Effect) -> list[tuple[Seat, int]]:
        here = [each for unit_id in dict.fromkeys(unit_ids) for each in self._by_unit.get(unit_id, ())]
        free = [(seat, size) for seat, size in here if self._free(seat) and _asked_ms(seat) <= effect.stamp.at_ms]
        return sorted(free, key=lambda each: _preference(each[0]))


def _asked_ms(seat: Seat) -> int:
    asked = seat.rma.marks.get("requested")
    return _ALWAYS if asked is None else asked.at_ms


def _preference(seat: Seat) -> Preference:
    # a unit whose own payment is under way comes last: its result is still to come
    return (
        bool(seat.stopped), seat.money == "open", seat.kind != "refund", seat.found is None, seat.rma.rma_id,
        seat.unit.unit_id,
    )  # fmt: skip
