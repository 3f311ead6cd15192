"""Carries a command out: claim, attempt, then end it or say when to try again. May touch ledger, network and Kafka.

One call is one attempt. Whoever calls decides how to wait: in memory, or parked in the ledger.
"""

import asyncio
from collections.abc import Callable, Mapping
from itertools import count

import msgspec

from schemas.clock import CLOCK
from schemas.commands import kind_of
from schemas.merchant import Merchant
from sinks import policy
from sinks.attempt import ClaimLost, Unexpected, attempt
from sinks.batches import Batches, Seat
from sinks.claim import ClaimTimes, InHand, Lease, key, lease
from sinks.ledger import effects
from sinks.ledger.claims import Behind, Busy, Claim, Claimed, Contradicts, Release, Renew, Settled
from sinks.ledger.ledger import Ledger, Unstorable
from sinks.ledger.pauses import Pause
from sinks.outcomes import Outcome
from sinks.pauses import Pauses, equal_rejections, still_stands
from sinks.policy import History, Patience
from sinks.settle import Settlement
from sinks.telemetry import SinkTelemetry
from sinks.transport import Transport
from sinks.work import Work, paid_units


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """Settled, or waiting behind its parked key. `tried`: the system was asked and gave an answer that counts."""

    tried: bool = False


class Later(msgspec.Struct, frozen=True, kw_only=True):
    """Not yet; try again after `wait_seconds`."""

    wait_seconds: float
    reason: str


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """Not before its merchant's pause is cleared."""

    pause: Pause


Ending = Done | Later | Held


class Applier:
    """One worker's hands. `chance` is evenly spread over 0 … 1."""

    def __init__(
        self,
        *,
        worker: str,
        transport: Transport,
        merchants: Mapping[str, Merchant],
        ledger: Ledger,
        settlement: Settlement,
        pauses: Pauses,
        telemetry: SinkTelemetry,
        patience: Patience,
        times: ClaimTimes,
        batches: Batches | None,
        now_ms: Callable[[], int],
        chance: Callable[[], float],
        sure_ms: Callable[[], int] = CLOCK.sure_ms,
    ) -> None:
        self._worker = worker
        self._numbers = count()
        self._transport = transport
        self._merchants = merchants
        self._ledger = ledger
        self._settlement = settlement
        self._pauses = pauses
        self._telemetry = telemetry
        self._patience = patience
        self._times = times
        self._batches = batches  # None: the system takes none
        self._now_ms = now_ms
        self._chance = chance
        self._sure_ms = sure_ms

    def shares(self, work: Work) -> bool:
        """Whether a command may wait for others of its lane, to go out with them in one request."""
        return self._batches is not None and self._batches.takes(work.command)

    def flush(self) -> None:
        """Send at once what waits for others."""
        if self._batches is not None:
            self._batches.flush()

    async def apply(self, work: Work, probing: Pause | None = None, joined: Callable[[], None] | None = None) -> Ending:
        """One attempt, or what stands in its way. `probing` names the pause that this command is to test.

        `joined` is called when the command begins to wait for others; without it the command goes out by itself.
        """
        merchant = work.command.merchant
        pause = self._pauses.of(merchant) if probing is None else self._pauses.held(merchant)
        if pause is not None:
            return Held(pause=pause)
        now_ms = self._now_ms()
        ours = lease(now_ms, self._times.claim_ms)
        claim = self._claim(work, now_ms, ours)
        try:
            answer = await self._ledger.do(effects.claim, claim)
        except Unstorable as error:
            await self._settlement.unstorable(work, str(error))
            return Done()
        match answer:
            case Settled():
                await self._settlement.repeat(answer.result, work.command)
            case Contradicts():
                await self._settlement.contradicted(work, answer.result)
            case Busy():
                return Later(wait_seconds=max(0.1, (answer.until_ms - now_ms) / 1000), reason="claimed elsewhere")
            case Claimed(paid_by=str(other)):
                detail = f"command {other} pays for units of this one already: nothing was sent"
                refusal = policy.DeadLetter(code="rejected_by_system", detail=detail)
                await self._settlement.rejected(work, refusal, answer.attempts, reason="paid_already")
            case Claimed():
                return await self._carry(InHand(work, answer, claim, now_ms, ours), probing, joined)
            case Behind():
                pass
        return Done()

    def _claim(self, work: Work, now_ms: int, ours: Lease) -> Claim:
        command = work.command
        return Claim(
            command_id=command.command_id,
            merchant=command.merchant,
            system=command.system,
            kind=kind_of(command),
            key=work.arrival.key,
            fingerprint=work.fingerprint,
            idempotency_key=key(work, 0),
            # Each claim by a name of its own: one that ran out must not be renewed when this worker has it again.
            worker=f"{self._worker}/{next(self._numbers)}",
            now_ms=now_ms,
            until_ms=ours.until_ms,
            sure_ms=min(now_ms, self._sure_ms()),
            arrival=None if work.parked else work.arrival,
            units=paid_units(work.command),
        )

    async def _carry(self, claim: InHand, probing: Pause | None, joined: Callable[[], None] | None) -> Ending:
        async def before() -> int:
            await self._renew(claim)
            now_ms = self._now_ms()
            return now_ms + claim.ours.left_ms(now_ms) - self._times.skew_ms

        try:
            outcome = await attempt(
                self._transport,
                self._merchants,
                claim.work.command,
                claim.claimed,
                sent=claim.sent,
                before=before,
                now_ms=claim.started_ms,
                together=Seat(self._batches, claim, joined),
            )
        except ClaimLost:
            return Later(wait_seconds=1.0, reason="claimed elsewhere")
        except asyncio.CancelledError:
            # Whoever takes over need not wait until the claim runs out.
            claim.interrupt()
            await self._release(claim, claim.history)
            raise
        self._telemetry.attempts.labels(self._settlement.system, type(outcome).__name__).inc()
        return await self._follow(claim, outcome, probing)

    async def _renew(self, claim: InHand) -> None:
        now_ms = self._now_ms()
        if self._times.request_ms + self._times.skew_ms < claim.ours.left_ms(now_ms):
            return
        ours = lease(now_ms, self._times.claim_ms)
        command_id = claim.work.command.command_id
        renewal = Renew(command_id=command_id, worker=claim.holder, until_ms=ours.until_ms)
        if not await self._ledger.do(effects.renew, renewal):
            raise ClaimLost(command_id)
        claim.ours = ours

    async def _follow(self, claim: InHand, outcome: Outcome, probing: Pause | None) -> Ending:
        merchant = claim.work.command.merchant
        patience = policy.patience_of(claim.work.command, self._patience)
        before = claim.history if probing is None else policy.anew(claim.history)
        step, history = policy.after(
            outcome, before, patience, answers=self._answers(merchant), now_ms=self._now_ms(),
            chance=self._chance(),
        )  # fmt: skip
        claim.learn(outcome)
        match step:
            case policy.Settle():
                self._pauses.accepted(merchant)
                await self._settlement.applied(claim.work, step.outcome, history.attempts)
                return Done(tried=True)
            case policy.DeadLetter():
                return await self._refuse(claim, step, history, probing, unexpected=isinstance(outcome, Unexpected))
            case policy.Pause():
                await self._release(claim, history)
                return await self._hold(merchant, merchant, step.code, step.detail)
            case policy.Again():
                await self._release(claim, history, step)
                return Later(wait_seconds=step.wait_seconds, reason=step.reason)

    def _answers(self, merchant: str) -> bool:
        return merchant not in self._transport.merchants or self._transport.breaker_state(merchant) == "closed"

    async def _refuse(
        self, claim: InHand, step: policy.DeadLetter, history: History, probing: Pause | None, *, unexpected: bool
    ) -> Ending:
        if probing is not None and still_stands(probing, step.code):
            await self._release(claim, history)
            return Held(pause=probing)
        merchant = claim.work.command.merchant
        scope = self._pauses.too_many(merchant, step.code)
        if scope is not None:
            await self._release(claim, history)
            detail = f"too many commands in a row were rejected with {step.code}, the last one because: {step.detail}"
            return await self._hold(merchant, scope, equal_rejections(step.code), detail)
        reason = "unexpected" if unexpected else step.code
        await self._settlement.rejected(claim.work, step, history.attempts, reason=reason)
        return Done(tried=claim.sent.requests > 0)

    async def _hold(self, merchant: str, scope: str, code: str, detail: str) -> Ending:
        await self._pauses.pause(scope, code, detail)
        pause = self._pauses.of(merchant)
        return Later(wait_seconds=0.0, reason="resumed") if pause is None else Held(pause=pause)

    async def _release(self, claim: InHand, history: History, step: policy.Again | None = None) -> None:
        epoch = claim.claimed.epoch + (1 if step is not None and step.new_key else 0)
        renewed = epoch != claim.claimed.epoch
        release = Release(
            command_id=claim.work.command.command_id,
            worker=claim.holder,
            now_ms=self._now_ms(),
            epoch=epoch,
            idempotency_key=key(claim.work, epoch) if renewed else claim.claimed.idempotency_key,
            attempts=history.attempts,
            first_sent_ms=claim.first_sent_ms,
            failing_since_ms=history.failing_since_ms,
            notes=claim.notes,
        )
        await self._ledger.do(effects.release, release)
