"""Brings parked lanes back when they are due, and probes pauses. May touch ledger, network and Kafka."""

import asyncio
import itertools
from collections import Counter
from collections.abc import Callable

import structlog

from schemas.codec import Codec
from sinks.apply import Applier, Done, Ending, Held, Later
from sinks.failure import Failure
from sinks.ledger import parking
from sinks.ledger.ledger import Ledger
from sinks.ledger.parking import Lane, Waiting
from sinks.ledger.pauses import EVERY_MERCHANT, Pause
from sinks.pauses import Pauses, parked_as
from sinks.settle import Settlement
from sinks.transport import Transport
from sinks.turn import Turn
from sinks.work import Refused, Work, again

log = structlog.get_logger()

# A lane is held this long at a time; the claim on each command keeps its order even when that is exceeded.
HOLD_MS = 60_000


class Redriver:
    """One worker's part of the parked lanes. Call `tick` about every second."""

    def __init__(
        self,
        *,
        worker: str,
        ledger: Ledger,
        codec: Codec,
        applier: Applier,
        settlement: Settlement,
        pauses: Pauses,
        transport: Transport,
        most: int,
        failed: Failure,
        now_ms: Callable[[], int],
    ) -> None:
        self._worker = worker
        self._ledger = ledger
        self._codec = codec
        self._applier = applier
        self._settlement = settlement
        self._pauses = pauses
        self._transport = transport
        self._most = most
        self._failed = failed
        self._now_ms = now_ms
        self._tasks: set[asyncio.Task[None]] = set()
        self._running: Counter[str] = Counter()
        self._ending = False

    @property
    def running(self) -> int:
        """Lanes at work."""
        return len(self._tasks)

    async def tick(self) -> None:
        """Start what is due, each merchant within its share, so that one backlog cannot hold up the others."""
        await self._pauses.refresh()
        if self._pauses.paused and EVERY_MERCHANT not in self._pauses.holding:
            await self._probe()
        merchants = sorted(self._transport.merchants)
        share = max(1, self._most // max(1, len(merchants)))
        for merchant in merchants:
            room = share - self._running[merchant]
            if room <= 0 or self._pauses.of(merchant) is not None or self._transport.wait_seconds(merchant) > 0:
                continue
            # One lane is enough to see whether a system that was down answers again.
            answers = self._transport.breaker_state(merchant) == "closed"
            for lane in await self._take(merchant, room if answers else 1):
                self._start(lane, None)

    async def _take(self, merchant: str, limit: int) -> list[Lane]:
        now_ms = self._now_ms()
        return await self._ledger.run(
            lambda connection: parking.take(
                connection, system=self._pauses.system, merchant=merchant, worker=self._worker, now_ms=now_ms,
                until_ms=now_ms + HOLD_MS, limit=limit,
            )
        )  # fmt: skip

    async def _probe(self) -> None:
        pause = await self._pauses.due_probe()
        if pause is None or self._pauses.held(pause.merchant) is not None:
            return
        merchant = None if pause.merchant == EVERY_MERCHANT else pause.merchant
        now_ms = self._now_ms()
        lane = await self._ledger.run(
            lambda connection: parking.take_any(
                connection, system=self._pauses.system, merchant=merchant, worker=self._worker, now_ms=now_ms,
                until_ms=now_ms + HOLD_MS, but=self._pauses.holding,
            )
        )  # fmt: skip
        if lane is not None:
            log.info("probe", system=pause.system, merchant=lane.merchant, code=pause.code)
            self._start(lane, pause)

    def _start(self, lane: Lane, probing: Pause | None) -> None:
        if self._ending:
            return
        task = asyncio.get_running_loop().create_task(self._run(lane, probing))
        self._tasks.add(task)
        self._running[lane.merchant] += 1
        task.add_done_callback(lambda done: self._finished(done, lane.merchant))

    def _finished(self, task: asyncio.Task[None], merchant: str) -> None:
        self._tasks.discard(task)
        self._running[merchant] -= 1
        self._failed.of(task)

    async def _run(self, lane: Lane, probing: Pause | None) -> None:
        try:
            ending = await self._carry(lane, probing)
        except asyncio.CancelledError:
            await self._let_go(lane, lane.reason, 0.0)
            raise
        match ending:
            case Held():
                await self._let_go(lane, parked_as(ending.pause), 0.0)
            case Later():
                await self._let_go(lane, parking.why(ending.reason), ending.wait_seconds)
            case Done():
                await self._let_go(lane, lane.reason, 0.0)

    async def _carry(self, lane: Lane, probing: Pause | None) -> Ending:
        left = [(waiting, again(waiting.arrival, self._codec)) for waiting in lane.waiting]
        while left:
            together = 1 if probing is not None else self._sharing([work for _, work in left])
            ending = await self._carry_together(left[:together], probing)
            if not isinstance(ending, Done):
                return ending
            if probing is not None and ending.tried:
                await self._pauses.clear(probing, "a probe got through")
                probing = None
            del left[:together]
            if self._ending or not await self._keep(lane):
                break
        return Done()

    def _sharing(self, works: list[Work | Refused]) -> int:
        """How many of the first may run side by side."""
        shared = itertools.takewhile(lambda work: isinstance(work, Work) and self._applier.shares(work), works)
        return max(1, len(list(shared)))

    async def _carry_together(self, some: list[tuple[Waiting, Work | Refused]], probing: Pause | None) -> Ending:
        """The first ending that is none; they begin one after the other, and none begins behind such an ending."""
        lock, failed = asyncio.Lock(), list[Ending]()

        async def carry(waiting: Waiting, work: Work | Refused) -> Ending:
            async with Turn(lock) as turn:
                if failed:
                    return failed[0]
                ending = await self._carry_one(work, probing, turn)
                if isinstance(ending, Done):
                    await self._ledger.do(parking.remove, waiting.seq)
                else:
                    failed.append(ending)
                return ending

        endings = await asyncio.gather(*(carry(*each) for each in some))
        return failed[0] if failed else endings[0]

    async def _carry_one(self, work: Work | Refused, probing: Pause | None, turn: Turn) -> Ending:
        if isinstance(work, Refused):  # written by a version whose schemas this one does not know
            await self._settlement.refused(work)
            return Done()
        return await self._applier.apply(work, probing, joined=None if probing is not None else turn.give)

    async def _keep(self, lane: Lane) -> bool:
        until_ms = self._now_ms() + HOLD_MS
        return await self._ledger.run(
            lambda connection: parking.keep(
                connection, system=self._pauses.system, key=lane.key, worker=self._worker, until_ms=until_ms
            )
        )

    async def _let_go(self, lane: Lane, reason: str, wait_seconds: float) -> None:
        now_ms = self._now_ms()
        await self._ledger.run(
            lambda connection: parking.let_go(
                connection, system=self._pauses.system, key=lane.key, worker=self._worker, reason=reason,
                due_ms=now_ms + int(wait_seconds * 1000), now_ms=now_ms,
            )
        )  # fmt: skip

    async def end(self, budget_seconds: float) -> None:
        """Finish the commands under way, as far as the budget goes; their lanes stay parked."""
        self._ending = True
        self._applier.flush()
        if not self._tasks:
            return
        _, late = await asyncio.wait(set(self._tasks), timeout=budget_seconds)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late, timeout=budget_seconds)
