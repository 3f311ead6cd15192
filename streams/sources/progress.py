"""Which consumed records are settled, and how far each partition may be committed. Pure."""

from collections.abc import Iterable

from sinks.offsets import Offsets
from streams.sources.work import Place

Partition = tuple[str, int]


class Progress:
    """A record may ask for several things: it is settled when all of them are done."""

    def __init__(self) -> None:
        self._offsets: dict[Partition, Offsets] = {}
        self._open: dict[Place, tuple[int, int]] = {}  # what is still to be done, when it was consumed
        self._committed: dict[Partition, int] = {}

    @property
    def unsettled(self) -> int:
        """Records that hold back a commit."""
        return len(self._open)

    def oldest_ms(self) -> int | None:
        """When the record that waits longest was consumed."""
        return min((at_ms for _, at_ms in self._open.values()), default=None)

    def taken(self, place: Place, now_ms: int) -> None:
        """A record was consumed; one thing is to be done before it is settled."""
        self._offsets.setdefault((place.topic, place.partition), Offsets()).opened(place.offset)
        self._open[place] = (1, now_ms)

    def joined(self, place: Place, more: int) -> None:
        """`more` things are to be done for it than was known."""
        if place in self._open:
            missing, at_ms = self._open[place]
            self._open[place] = (missing + more, at_ms)

    def settled(self, place: Place) -> None:
        """One thing is done. A place of a partition that went to another worker is ignored."""
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
        self._open = {p: held for p, held in self._open.items() if (p.topic, p.partition) not in gone}
        for key in gone:
            self._offsets.pop(key, None)
            self._committed.pop(key, None)
