"""Commands in memory: in order within a key, side by side across keys, bounded as a whole and per merchant. Pure.

Within a key those that share run side by side too, as long as nothing else comes in between.
"""

from collections import Counter, deque
from typing import Generic, TypeVar

I = TypeVar("I")  # noqa: E741 - an item


class _Lane(Generic[I]):
    """Of one key. What waits cannot run beside what runs."""

    def __init__(self) -> None:
        self.running = 0
        self.sharing = False  # whether all that run share
        self.waiting: deque[tuple[I, bool]] = deque()

    def admit(self, shares: bool) -> bool:
        """Whether one more may run now; then it does."""
        if self.waiting or (self.running and not (self.sharing and shares)):
            return False
        self.running += 1
        self.sharing = shares
        return True

    def following(self) -> list[I]:
        """What is to run now that one has ended."""
        found: list[I] = []
        while self.waiting:
            item, shares = self.waiting[0]
            if self.running and not (self.sharing and shares):
                break
            self.waiting.popleft()
            self.running += 1
            self.sharing = shares
            found.append(item)
        return found


class Lanes(Generic[I]):
    """`put` an item, run it when told to; after its `done` run what that gives."""

    def __init__(self, *, most: int, most_per_merchant: int) -> None:
        self._most = most
        self._most_per_merchant = most_per_merchant
        self._lanes: dict[str, _Lane[I]] = {}
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

    def put(self, key: str, merchant: str, item: I, *, shares: bool = False) -> bool:
        """Whether the item is to run now; else it waits behind its key."""
        self._count += 1
        self._merchants[merchant] += 1
        lane = self._lanes.setdefault(key, _Lane())
        if lane.admit(shares):
            return True
        lane.waiting.append((item, shares))
        return False

    def done(self, key: str, merchant: str) -> list[I]:
        """An item that ran is finished; these of its key are to run now."""
        lane = self._lanes[key]
        lane.running -= 1
        self._count -= 1
        self._merchants[merchant] -= 1
        following = lane.following()
        if not lane.running:
            del self._lanes[key]
        return following
