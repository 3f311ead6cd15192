"""Which consumed records are settled, and how far each partition may be committed. Pure."""

from collections.abc import Iterable

from sinks.offsets import Offsets
from streams.sources.work import Place

Partition = tuple[str, int]


class Progress:
    """A record may ask for several things: it is settled when all of them are done.

    What was begun for a partition before it went to another worker counts for nothing when it comes back: its records
    are consumed again, as other places.
    """

    def __init__(self) -> None:
        self._turn = 0
        self._offsets: dict[Partition, Offsets] = {}
        self._open: dict[Place, tuple[int, int]] = {}  # what is still to be done, when it was consumed (steady clock)
        self._committed: dict[Partition, int] = {}

    @property
    def unsettled(self) -> int:
        """Records that hold back a commit."""
        return len(self._open)

    def oldest_ms(self) -> int | None:
        """When the record that waits longest was consumed."""
        return min((at_ms for _, at_ms in self._open.values()), default=None)

    def taken(self, topic: str, partition: int, offset: int, now_ms: int) -> Place:
        """A record was consumed; one thing is to be done before it is settled. Call it before anything is awaited."""
        self._offsets.setdefault((topic, partition), Offsets()).opened(offset)
        place = Place(topic, partition, offset, self._turn)
        self._open[place] = (1, now_ms)
        return place

    def holds(self, place: Place) -> bool:
        """Whether it is ours to settle, and not settled yet."""
        return place in self._open

    def joined(self, place: Place, more: int) -> None:
        """`more` things are to be done for it than was known."""
        if place in self._open:
            missing, at_ms = self._open[place]
            self._open[place] = (missing + more, at_ms)

    def settled(self, place: Place) -> None:
        """One thing is done. A place of a partition that went to another worker is ignored, even if it came back."""
        missing, at_ms = self._open.get(place, (0, 0))
        if missing > 1:
            self._open[place] = (missing - 1, at_ms)
        elif missing == 1:
            del self._open[place]
            self._offsets[place.topic, place.partition].settled(place.offset)

    def to_commit(self) -> dict[Partition, int]:
        """Next offsets per partition, where they moved since `committed`."""
        found = {key: offsets.committable for key, offsets in self._offsets.items()}
        return {key: at for key, at in found.items() if at is not None and self._committed.get(key) != at}

    def committed(self, offsets: dict[Partition, int]) -> None:
        """Kafka has them."""
        self._committed |= offsets

    def revoked(self, partitions: Iterable[Partition]) -> None:
        """Another worker has them now, and will consume again what was not committed."""
        gone = set(partitions)
        self._turn += 1
        self._open = {p: held for p, held in self._open.items() if (p.topic, p.partition) not in gone}
        for key in gone:
            self._offsets.pop(key, None)
            self._committed.pop(key, None)
