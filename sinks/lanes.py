"""Commands in memory: in order within a key, side by side across keys, bounded as a whole and per merchant. Pure."""

from collections import Counter, deque
from typing import Generic, TypeVar

I = TypeVar("I")  # noqa: E741 - an item


class Lanes(Generic[I]):
    """`put` an item, run it when told to, `done` gives the next of its key."""

    def __init__(self, *, most: int, most_per_merchant: int) -> None:
        self._most = most
        self._most_per_merchant = most_per_merchant
        self._lanes: dict[str, deque[I]] = {}  # head of each: the item that runs
        self._merchants: Counter[str] = Counter()
        self._count = 0

    def __len__(self) -> int:
        return self._count

    @property
    def running(self) -> int:
        """Keys at work."""
        return len(self._lanes)

    @property
    def room(self) -> int:
        """How many more items may come."""
        return max(0, self._most - self._count)

    def crowded(self, merchant: str, key: str) -> bool:
        """Whether a merchant takes up its share; never for a key that is here, or its order would be lost."""
        return self._merchants[merchant] >= self._most_per_merchant and key not in self._lanes

    def room_of(self, merchant: str) -> int:
        """How many more items of a merchant may come."""
        return max(0, self._most_per_merchant - self._merchants[merchant])

    def put(self, key: str, merchant: str, item: I) -> bool:
        """Whether the item is to run now; else it waits behind its key."""
        self._count += 1
        self._merchants[merchant] += 1
        lane = self._lanes.setdefault(key, deque())
        lane.append(item)
        return len(lane) == 1

    def done(self, key: str, merchant: str) -> I | None:
        """The item that ran is finished; the next one of its key is to run now."""
        lane = self._lanes[key]
        lane.popleft()
        self._count -= 1
        self._merchants[merchant] -= 1
        if lane:
            return lane[0]
        del self._lanes[key]
        return None
