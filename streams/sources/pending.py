"""Resources that wait to be read: signals for one resource gather into one read. Pure; one read at a time each."""

import heapq
import itertools
from collections.abc import Collection

import msgspec

from streams.sources.work import Cause, Place, Resource, Urgency, Wanted

_RANKS: dict[Urgency, int] = {"page": 0, "news": 1, "request": 2, "effect": 3}


def more_urgent(one: Urgency, other: Urgency) -> Urgency:
    """The one of them that a read for both has."""
    return max(one, other, key=_RANKS.__getitem__)


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
        self._under_way: dict[Resource, Waiting] = {}
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
        known.urgency = more_urgent(known.urgency, wanted.urgency)
        if due_ms < known.due_ms and wanted.urgency == "effect":
            known.due_ms = due_ms  # what was gathered for longer comes with it
            heapq.heappush(self._queue, (due_ms, next(self._order), known.resource))

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
            self._under_way[entry[2]] = self._waiting.pop(entry[2])
            taken.append(waiting)
        for entry in held:
            heapq.heappush(self._queue, entry)
        return taken

    def done(self, waiting: Waiting) -> None:
        """It was read, or given up."""
        self._under_way.pop(waiting.resource, None)

    def again(self, waiting: Waiting, due_ms: int) -> None:
        """It could not be read: try later, together with what has come for it meanwhile."""
        self._under_way.pop(waiting.resource, None)
        if not waiting.places:
            return  # nobody of ours waits for it any more; what came meanwhile has a read of its own
        waiting.attempts += 1
        waiting.due_ms = due_ms
        newer = self._waiting.get(waiting.resource)
        if newer is not None:
            waiting.places += newer.places
            waiting.urgency = more_urgent(newer.urgency, waiting.urgency)
        self._put(waiting)

    def forget(self, partitions: Collection[tuple[str, int]]) -> None:
        """Other workers consume these again: what only their records asked for and has not begun is theirs to read."""
        for waiting in [*self._waiting.values(), *self._under_way.values()]:
            waiting.places = [each for each in waiting.places if (each.topic, each.partition) not in partitions]
        self._waiting = {resource: waiting for resource, waiting in self._waiting.items() if waiting.places}

    def next_due_ms(self) -> int | None:
        """When the next read is due; None while nothing waits."""
        return self._queue[0][0] if self._queue else None

    def _put(self, waiting: Waiting) -> None:
        self._waiting[waiting.resource] = waiting
        heapq.heappush(self._queue, (waiting.due_ms, next(self._order), waiting.resource))
