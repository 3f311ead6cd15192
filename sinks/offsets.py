"""How far a partition may be committed: up to the first record that is not settled. Pure; one per partition."""

from collections import deque


class Offsets:
    """Records come in offset order, with gaps where Kafka has none for us; they settle in any order."""

    def __init__(self) -> None:
        self._open: deque[int] = deque()  # in order; the settled ones at its head are dropped
        self._settled: set[int] = set()
        self._next: int | None = None

    def opened(self, offset: int) -> None:
        """A record was read. ValueError if it does not come after the ones before it."""
        if self._next is not None and offset < self._next:
            raise ValueError(f"expected an offset of at least {self._next}, got {offset}")
        self._open.append(offset)
        self._next = offset + 1

    def settled(self, offset: int) -> None:
        """A record that was read has ended; saying so twice changes nothing."""
        if not self._open or offset < self._open[0]:
            return
        self._settled.add(offset)
        while self._open and self._open[0] in self._settled:
            self._settled.discard(self._open.popleft())

    @property
    def committable(self) -> int | None:
        """The offset to commit: of the first unsettled record, or after the last one. None: nothing was read."""
        return self._open[0] if self._open else self._next

    @property
    def unsettled(self) -> int:
        """Records read and not settled."""
        return len(self._open) - len(self._settled)
