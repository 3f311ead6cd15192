"""Units that wait to be taken, the preferred first: one by one, without asking all of them again for each."""

import heapq
from collections.abc import Callable
from typing import Any

from streams.domain.seat import Seat

Preference = tuple[Any, ...]  # orders the units of one queue; no two are equal


class Queue:
    """Seats by how many units of something they take. What was taken elsewhere meanwhile is passed over once."""

    def __init__(self, free: Callable[[Seat], bool]) -> None:
        self._free = free
        self._by_size: dict[int, list[tuple[Preference, int, Seat]]] = {}
        self._pushed = 0

    def push(self, preference: Preference, size: int, seat: Seat) -> None:
        """`size`: so many of the things that are given out does the seat take, all or none of them."""
        self._pushed += 1  # seats are not compared
        heapq.heappush(self._by_size.setdefault(size, []), (preference, self._pushed, seat))

    def take(self, left: int) -> tuple[Seat, int] | None:
        """The preferred seat of those that so many are enough for, with its size; it waits no more."""
        size = self._next(left)
        return None if size is None else (heapq.heappop(self._by_size[size])[-1], size)

    def fits(self, left: int) -> bool:
        """Whether so many are enough for any seat."""
        return self._next(left) is not None

    def _next(self, left: int) -> int | None:
        best: tuple[Preference, int] | None = None
        found = None
        for size, heap in self._by_size.items():
            if size > left:
                continue
            while heap and not self._free(heap[0][-1]):
                heapq.heappop(heap)
            if heap and (best is None or heap[0][:2] < best):
                best, found = heap[0][:2], size
        return found
