"""The partitions of one assignment: records into lanes, lanes side by side, offsets as they settle.

Touches nothing itself; what it starts touches ledger, network and Kafka.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterable, Mapping
from weakref import WeakValueDictionary

import structlog

from schemas.clock import steady_ms
from schemas.codec import Codec
from sinks.apply import Applier, Done, Held, Later
from sinks.failure import Failure
from sinks.lanes import Lanes
from sinks.ledger import parking
from sinks.ledger.ledger import Ledger, Unstorable
from sinks.offsets import Offsets
from sinks.pauses import parked_as
from sinks.settle import Settlement
from sinks.turn import Turn
from sinks.work import Received, Refused, Work, in_log, read

log = structlog.get_logger()

Place = tuple[str, int]  # topic, partition
Item = Work | Refused


class Assignment:
    """Lives from one rebalance to the next; what it has not settled by then is read again by the next owner."""

    def __init__(
        self,
        *,
        places: Iterable[Place],
        system: str,
        codec: Codec,
        applier: Applier,
        settlement: Settlement,
        ledger: Ledger,
        lanes: Lanes[Item],
        park_seconds: float,
        failed: Failure,
        now_ms: Callable[[], int],
    ) -> None:
        self.lanes = lanes
        self._offsets: dict[Place, Offsets] = {place: Offsets() for place in places}
        self._committed: dict[Place, int] = {}
        self._came_ms: dict[tuple[Place, int], tuple[int, int]] = {}  # of what is unsettled: it came, it came to us
        self._system = system
        self._codec = codec
        self._applier = applier
        self._settlement = settlement
        self._ledger = ledger
        self._park_seconds = park_seconds
        self._failed = failed
        self._now_ms = now_ms
        self._tasks: set[asyncio.Task[None]] = set()
        self._ending = asyncio.Event()
        self._settled_one = asyncio.Event()
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()  # by key, while one is in use

    def accept(self, records: Iterable[Received]) -> None:
        """Start or queue what was read. Records of other partitions are left over from before a rebalance: dropped."""
        for received in records:
            place = (received.topic, received.partition)
            if place not in self._offsets or self._ending.is_set():
                continue
            self._offsets[place].opened(received.offset)
            self._came_ms[place, received.offset] = (received.came_ms(self._now_ms()), steady_ms())
            item = read(received, self._codec, self._system)
            key, merchant = _lane(item)
            crowded = self.lanes.crowded(merchant, key)
            shares = isinstance(item, Work) and self._applier.shares(item)
            if self.lanes.put(key, merchant, item, shares=shares):
                self._start(self._run(item, crowded=crowded))

    def _start(self, coroutine: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._failed.of(task)

    async def _run(self, item: Item, *, crowded: bool = False) -> None:
        """An item, and then what it held up."""
        key, merchant = _lane(item)
        if crowded and isinstance(item, Work):
            # One merchant's backlog must not fill the memory that all share: it waits in the ledger.
            await self._park(item, "spilled", 0.0)
        elif not await self._carry(item):
            return
        self._settled(item)
        for following in self.lanes.done(key, merchant):
            if not self._ending.is_set():
                self._start(self._run(following))

    async def _carry(self, item: Item) -> bool:
        """Whether the item is settled; if not, the assignment is ending."""
        if isinstance(item, Refused):
            await self._settlement.refused(item)
            return True
        async with Turn(self._turns.setdefault(item.arrival.key, asyncio.Lock())) as turn:
            return await self._apply(item, turn)

    async def _apply(self, work: Work, turn: Turn) -> bool:
        await turn.take()
        deadline = time.monotonic() + self._park_seconds
        while True:
            await turn.take()
            if self._ending.is_set():
                return False
            ending = await self._applier.apply(work, joined=turn.give)
            match ending:
                case Done():
                    return True
                case Held():
                    await self._park(work, parked_as(ending.pause), 0.0)
                    return True
                case Later() if time.monotonic() + ending.wait_seconds > deadline:
                    await self._park(work, parking.why(ending.reason), ending.wait_seconds)
                    return True
                case Later():
                    if await self._ends_within(ending.wait_seconds):
                        return False

    async def _ends_within(self, seconds: float) -> bool:
        try:
            await asyncio.wait_for(self._ending.wait(), seconds)
        except TimeoutError:
            return False
        return True

    async def _park(self, work: Work, reason: str, wait_seconds: float) -> None:
        now_ms = self._now_ms()
        due_ms = now_ms + int(wait_seconds * 1000)
        park = parking.Park(arrival=work.arrival, reason=reason, now_ms=now_ms, due_ms=due_ms)
        try:
            await self._ledger.do(parking.park, park)
        except Unstorable as error:  # what was claimed can be held, so it was not: nothing was sent
            await self._settlement.unstorable(work, str(error))
            return
        log.info("parked", system=self._system, **in_log(work.command), reason=reason)

    def _settled(self, item: Item) -> None:
        received = item.received
        place = (received.topic, received.partition)
        self._offsets[place].settled(received.offset)
        self._came_ms.pop((place, received.offset), None)
        self._settled_one.set()

    async def room(self, timeout_seconds: float) -> int:
        """How many records may come; waits for the first place, but not longer than told."""
        if self.lanes.room == 0:
            self._settled_one.clear()
            try:
                await asyncio.wait_for(self._settled_one.wait(), timeout_seconds)
            except TimeoutError:
                return 0
        return self.lanes.room

    def committable(self) -> dict[Place, int]:
        """Offsets that may be committed and are not yet."""
        found = {place: offsets.committable for place, offsets in self._offsets.items()}
        return {
            place: offset
            for place, offset in found.items()
            if offset is not None and self._committed.get(place) != offset
        }

    def committed(self, offsets: Mapping[Place, int]) -> None:
        """Kafka has these now."""
        self._committed.update(offsets)

    @property
    def oldest_ms(self) -> int | None:
        """When the oldest unsettled record came, by its own time; at the latest when it came to us."""
        here_ms = self._now_ms() - steady_ms()
        return min((min(came_ms, here_ms + ours) for came_ms, ours in self._came_ms.values()), default=None)

    async def end(self, budget_seconds: float) -> None:
        """Finish what is under way, as far as the budget goes; let go of the rest."""
        self._ending.set()
        self._applier.flush()
        tasks = set(self._tasks)
        if not tasks:
            return
        _, late = await asyncio.wait(tasks, timeout=budget_seconds)
        for task in late:
            task.cancel()
        if late:
            log.warning("abandoned", system=self._system, commands=len(late))
            await asyncio.wait(late, timeout=budget_seconds)


def _lane(item: Item) -> tuple[str, str]:
    """Key and merchant of the lane. What is no command has no order to keep."""
    match item:
        case Work():
            return item.arrival.key, item.command.merchant
        case Refused(received=received):
            return f"{received.topic}[{received.partition}]@{received.offset}", ""
