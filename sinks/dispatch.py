"""Sends batches: new ones, and those that were found without an end. May touch ledger and network.

A batch is committed before it is sent, with its members bound to it. So a repeat is the same request under the same
key, and the members are let go only by who holds the batch and knows that it did nothing.
"""

from collections.abc import Callable, Sequence
from functools import partial
from itertools import count
from typing import Literal

import msgspec
import structlog

from schemas.clock import CLOCK, TOLERANCE_MS
from sinks.attempt import ClaimLost, Unbound, unknown
from sinks.claim import ClaimTimes, Lease, lease
from sinks.contract import Batching, Change, Moved, NotSent, Refused, Unanswered
from sinks.ledger import batches
from sinks.ledger.batches import Applied, Freed, Held, Member, Opening, Taken
from sinks.ledger.ledger import Ledger
from sinks.outcomes import Deferred, Misconfigured, Outcome, Rejected, Uncertain
from sinks.telemetry import SinkTelemetry
from sinks.transport import Transport

log = structlog.get_logger()

HELD = "batch_held_elsewhere"


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """The batch is applied. `before`: somebody else had seen it already."""

    batch_id: str
    applied: Applied
    before: bool = False


End = Ended | Outcome


class Open(msgspec.Struct, kw_only=True):
    """A batch while this worker holds it."""

    batch_id: str
    holder: str
    since_ms: int
    ours: Lease
    batch: Taken


class Dispatch:
    """One worker's way of sending batches to one system."""

    def __init__(
        self,
        *,
        worker: str,
        transport: Transport,
        batching: Batching,
        ledger: Ledger,
        telemetry: SinkTelemetry,
        times: ClaimTimes,
        now_ms: Callable[[], int],
        sure_ms: Callable[[], int] = CLOCK.sure_ms,
    ) -> None:
        self._worker = worker
        self._numbers = count()
        self._transport = transport
        self._batching = batching
        self._ledger = ledger
        self._telemetry = telemetry
        self._times = times
        self._now_ms = now_ms
        self._sure_ms = sure_ms
        self._system = transport.system

    async def open(
        self, merchant: str, batch_id: str, members: Sequence[Member], changes: Sequence[Change]
    ) -> Open | frozenset[str]:
        """The batch, committed and ours to send; or whose claims were lost, and nothing is there."""
        now_ms = self._now_ms()
        ours = lease(now_ms, self._times.claim_ms)
        opening = Opening(
            batch_id=batch_id,
            merchant=merchant,
            system=self._system.name,
            body=self._batching.merge(batch_id, changes),
            reference=self._batching.reference(batch_id),
            members=tuple(members),
            holder=self._name(),
            now_ms=now_ms,
            until_ms=ours.until_ms,
        )
        lost = await self._ledger.run(partial(batches.open_batch, opening=opening))
        if lost:
            return lost
        self._telemetry.batch_commands.labels(self._system.name).observe(len(members))
        same = {name: getattr(opening, name) for name in ("merchant", "body", "reference")}
        batch = Taken(members=len(members), sends=1, first_sent_ms=None, **same)
        return Open(batch_id=batch_id, holder=opening.holder, since_ms=now_ms, ours=ours, batch=batch)

    async def repeat(self, batch_id: str) -> End:
        """The end of a batch; it is sent once more if nobody knows it and nobody else is about to."""
        holder, now_ms = self._name(), self._now_ms()
        ours = lease(now_ms, self._times.claim_ms)
        taking = partial(
            batches.take, batch_id=batch_id, holder=holder, now_ms=now_ms, until_ms=ours.until_ms,
            sure_ms=min(now_ms, self._sure_ms()),
        )  # fmt: skip
        standing = await self._ledger.run(taking)
        match standing:
            case Applied():
                return Ended(batch_id=batch_id, applied=standing, before=True)
            case Freed():
                return Unbound(reason="batch_did_nothing", after_seconds=0.0)
            case Held():
                return Deferred(reason=HELD, after_seconds=max(0.1, (standing.until_ms - now_ms) / 1000))
            case Taken():
                held = Open(batch_id=batch_id, holder=holder, since_ms=now_ms, ours=ours, batch=standing)
                return await self.send(held)

    async def send(self, held: Open) -> End:
        """Send it, and write down what that tells of it."""
        nothing = False
        try:
            forgotten = self._forgotten(held)
            said = await self._said(held) if forgotten is None else forgotten
            nothing = isinstance(said, Deferred | Misconfigured) and held.batch.first_sent_ms is None
            return await self._follow(held, said, nothing=nothing)
        finally:
            # Also when we are stopped: whoever is next need not wait. It changes nothing where the batch has an end.
            gone = partial(batches.let_go, batch_id=held.batch_id, holder=held.holder, unsent=nothing)
            await self._ledger.run(gone)

    def _forgotten(self, held: Open) -> Rejected | None:
        """When the system may have forgotten the key, it would do it all a second time."""
        if held.batch.first_sent_ms is None:
            return None
        age_seconds = (self._now_ms() - held.batch.first_sent_ms) / 1000
        # a time ahead of now is of a clock that has been set back: nobody knows how long ago it was
        if -TOLERANCE_MS / 1000 <= age_seconds < (self._system.key_horizon_seconds or 0.0):
            return None
        detail = (
            f"it went out with {held.batch.members - 1} others {age_seconds / 3600:.0f} h ago without an answer and "
            f"cannot be looked up; see whether the item's history names {held.batch.reference}"
        )
        return Rejected(code="rejected_by_system", detail=detail)

    async def _said(self, held: Open) -> Moved | Refused | Outcome:
        async def before() -> int:
            await self._renew(held)
            now_ms = self._now_ms()
            return now_ms + held.ours.left_ms(now_ms) - self._times.skew_ms

        merchant = held.batch.merchant
        if merchant not in self._transport.merchants:
            return unknown(merchant, self._system.name)
        flow = self._batching.flow(self._transport.connection(merchant), held.batch.body)
        try:
            return await self._transport.drive(flow, merchant=merchant, priority="money", before=before)
        except NotSent as error:
            return Deferred(reason=str(error), after_seconds=error.after_seconds)
        except Unanswered as error:
            return Uncertain(reason=str(error))
        except ClaimLost:
            return Deferred(reason=HELD, after_seconds=1.0)

    async def _renew(self, held: Open) -> None:
        now_ms = self._now_ms()
        if self._times.request_ms + self._times.skew_ms < held.ours.left_ms(now_ms):
            return
        ours = lease(now_ms, self._times.claim_ms)
        renewal = partial(batches.renew, batch_id=held.batch_id, holder=held.holder, until_ms=ours.until_ms)
        if not await self._ledger.run(renewal):
            raise ClaimLost(held.batch_id)
        held.ours = ours

    async def _follow(self, held: Open, said: Moved | Refused | Outcome, *, nothing: bool) -> End:
        match said:
            case Moved():
                end: End = await self._moved(held, said)
            case Refused():
                freed = await self._free(held, "refused")
                end = Unbound(reason=said.reason, after_seconds=0.0) if freed else Uncertain(reason=HELD)
            case Misconfigured() if nothing:
                # Who knows when that is mended, and what the body must look like by then: its commands begin anew.
                await self._free(held, "unsent")
                end = said
            case _:
                end = said
        outcome = type(said).__name__
        self._telemetry.batches.labels(self._system.name, held.batch.merchant, outcome.lower()).inc()
        log.info(
            "batch_sent",
            system=self._system.name,
            merchant=held.batch.merchant,
            batch_id=held.batch_id,
            commands=held.batch.members,
            sends=held.batch.sends,
            outcome=outcome,
        )
        return end

    async def _moved(self, held: Open, moved: Moved) -> End:
        external_ids = {**moved.external_ids, "batch_id": held.batch_id}
        end = Applied(external_ids=external_ids, moved=moved.targets)
        written = partial(batches.applied, batch_id=held.batch_id, end=end, now_ms=self._now_ms())
        if await self._ledger.run(written):
            return Ended(batch_id=held.batch_id, applied=end)
        log.error("batch_contradicts", system=self._system.name, batch_id=held.batch_id)
        detail = f"batch {held.batch.reference} did nothing at first and was applied later: count the items it names"
        return Rejected(code="stock_drift", detail=detail)

    async def _free(self, held: Open, state: Literal["refused", "unsent"]) -> bool:
        now_ms = self._now_ms()
        return await self._ledger.run(
            partial(batches.free, batch_id=held.batch_id, holder=held.holder, state=state, now_ms=now_ms)
        )

    def _name(self) -> str:
        # Each hold by a name of its own: one that ran out must not be renewed when this worker has it again.
        return f"{self._worker}/b{next(self._numbers)}"
