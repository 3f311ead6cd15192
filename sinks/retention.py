"""Lets the ledger forget what is old, while the worker works. May touch the ledger and Kafka.

By the ledger's own newest time, should the clock be ahead; and by none at all for an hour after a start or a jump: what
is forgotten by mistake would be done a second time.
"""

from collections.abc import Callable

import structlog

from schemas.clock import CLOCK
from schemas.codec import Codec
from schemas.topics import DAY_MS
from sinks.ledger import parking, retention
from sinks.ledger.ledger import Ledger
from sinks.ledger.parking import Waiting
from sinks.policy import DeadLetter
from sinks.settle import Settlement
from sinks.telemetry import SinkTelemetry
from sinks.work import Refused, again

log = structlog.get_logger()
CALM_MS = 3_600_000
EVERY_MS = 60_000


class Retention:
    """Of one worker. Call `tick` about every second: it does some once a minute, and goes on while there is more."""

    def __init__(
        self, *, system: str, days: int, ledger: Ledger, codec: Codec, settlement: Settlement,
        telemetry: SinkTelemetry, now_ms: Callable[[], int] = CLOCK.now_ms, calm_ms: Callable[[], int] = CLOCK.calm_ms,
    ) -> None:  # fmt: skip
        self._system, self._days = system, days
        self._ledger, self._codec, self._settlement = ledger, codec, settlement
        self._pruned = {
            what: telemetry.pruned.labels(system, what) for what in ("effects", "batches", "leases", "parked")
        }
        self._now_ms, self._calm_ms = now_ms, calm_ms
        self._next_ms = CALM_MS

    async def tick(self) -> None:
        """Forget some of what is old."""
        calm_ms = self._calm_ms()
        if calm_ms < CALM_MS:
            self._next_ms = CALM_MS
            return
        if calm_ms < self._next_ms:
            return
        if not await self._some():
            self._next_ms = calm_ms + EVERY_MS

    async def _some(self) -> bool:
        """Whether there may be more."""
        now_ms = self._now_ms()
        newest = await self._ledger.run(lambda c: retention.newest_ms(c, self._system))
        before_ms = min(now_ms, now_ms if newest is None else newest) - self._days * DAY_MS
        gone = await self._ledger.run(
            lambda c: retention.prune(c, system=self._system, before_ms=before_ms, unheard_ms=now_ms - DAY_MS)
        )
        for what in ("effects", "batches", "leases"):
            self._pruned[what].inc(getattr(gone, what))
        waited = await self._ledger.run(
            lambda c: retention.waited_too_long(c, system=self._system, before_ms=before_ms, now_ms=now_ms)
        )
        for each in waited:
            await self._give_up(each)
        if waited:
            await self._ledger.run(lambda c: retention.drop_empty(c, system=self._system))
        return max(gone.effects, gone.batches, len(waited)) >= retention.AT_ONCE

    async def _give_up(self, waiting: Waiting) -> None:
        """A command that nobody could carry out for so long is told to people, and only then forgotten."""
        work = again(waiting.arrival, self._codec)
        if isinstance(work, Refused):
            await self._settlement.refused(work)
        else:
            detail = (
                f"waited for {self._days} days to be carried out: see whether it is still wanted, and do it by hand"
            )
            step = DeadLetter(code="rejected_by_system", detail=detail)
            await self._settlement.rejected(work, step, 0, reason="waited_too_long")
        await self._ledger.do(parking.remove, waiting.seq)
        self._pruned["parked"].inc()
