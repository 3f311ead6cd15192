"""Resources that wait to be read: signals for one resource gather into one read. Pure; one read at a time each."""

import heapq
import itertools

import msgspec

from streams.sources.work import Cause, Place, Resource, Urgency, Wanted


class Waiting(msgspec.Struct, kw_only=True):
    """One read to come, and the records that are settled by it."""

    resource: Resource
    urgency: Urgency
    cause: Cause
    due_ms: int
    places: list[Place]
    attempts: int = 0


class Pending:
    """Bounded by its callers: they stop consuming while `records` is too high."""

    def __init__(self) -> None:
        self._waiting: dict[Resource, Waiting] = {}
        self._under_way: set[Resource] = set()
        self._queue: list[tuple[int, int, Resource]] = []
        self._order = itertools.count()

    def __len__(self) -> int:
        return len(self._waiting) + len(self._under_way)

    @property
    def under_way(self) -> int:
        """Reads that were taken and have not ended."""
        return len(self._under_way)

    def add(self, wanted: Wanted, place: Place, now_ms: int) -> None:
        """The first signal sets the time, later ones join it; what may lead to an effect makes the read urgent."""
        due_ms = now_ms + int(wanted.after_seconds * 1000)
        known = self._waiting.get(wanted.resource)
        if known is None:
            self._put(
                Waiting(
                    resource=wanted.resource, urgency=wanted.urgency, cause=wanted.cause, due_ms=due_ms, places=[place]
                )
            )
            return
        known.places.append(place)
        if wanted.urgency == "effect":
            known.urgency = "effect"

    def take(self, now_ms: int, most: int) -> list[Waiting]:
        """Up to `most` reads that are due, oldest first. Signals that come from now on ask for another read."""
        taken: list[Waiting] = []
        held = []
        while self._queue and self._queue[0][0] <= now_ms and len(taken) < most:
            entry = heapq.heappop(self._queue)
            waiting = self._waiting.get(entry[2])
            if waiting is None or waiting.due_ms != entry[0]:
                continue  # replaced since
            if entry[2] in self._under_way:
                held.append(entry)
                continue
            taken.append(self._waiting.pop(entry[2]))
            self._under_way.add(entry[2])
        for entry in held:
            heapq.heappush(self._queue, entry)
        return taken

    def done(self, waiting: Waiting) -> None:
        """It was read, or given up."""
        self._under_way.discard(waiting.resource)

    def again(self, waiting: Waiting, due_ms: int) -> None:
        """It could not be read: try later, together with what has come for it meanwhile."""
        self._under_way.discard(waiting.resource)
        waiting.attempts += 1
        waiting.due_ms = due_ms
        newer = self._waiting.get(waiting.resource)
        if newer is not None:
            waiting.places += newer.places
            waiting.urgency = "effect" if "effect" in (newer.urgency, waiting.urgency) else "news"
        self._put(waiting)

    def next_due_ms(self) -> int | None:
        """When the next read is due; None while nothing waits."""
        return self._queue[0][0] if self._queue else None

    def _put(self, waiting: Waiting) -> None:
        self._waiting[waiting.resource] = waiting
        heapq.heappush(self._queue, (waiting.due_ms, next(self._order), waiting.resource))
