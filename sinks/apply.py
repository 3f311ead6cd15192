"""Carries a command out: claim, attempt, then end it or say when to try again. May touch ledger, network and Kafka.

One call is one attempt. Whoever calls decides how to wait: in memory, or parked in the ledger.
"""

import asyncio
from collections.abc import Callable, Mapping
from itertools import count

import msgspec

from schemas import ids
from schemas.commands import kind_of
from schemas.merchant import Merchant
from sinks import policy
from sinks.attempt import ClaimLost, Unexpected, attempt
from sinks.ledger import effects
from sinks.ledger.effects import Behind, Busy, Claimed, Contradicts, Settled
from sinks.ledger.ledger import Ledger
from sinks.ledger.pauses import Pause
from sinks.outcomes import Deferred, Misconfigured, Outcome, Rejected, Uncertain
from sinks.pauses import Pauses, equal_rejections, still_stands
from sinks.policy import History, Patience
from sinks.settle import Settlement
from sinks.telemetry import SinkTelemetry
from sinks.transport import Sent, Transport
from sinks.work import Work


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


class ClaimTimes(msgspec.Struct, frozen=True, kw_only=True):
    """A claim lasts `claim_ms`; a request that might last longer than what is left of it renews it first.

    No request is under way in a claim's last `skew_ms`. Claims end by the wall clock of whoever wants the command next,
    so this is how far the clocks of two workers may be apart. `claim_ms` must be longer than the other two together.
    """

    claim_ms: int
    request_ms: int
    skew_ms: int = 1_000


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
        now_ms: Callable[[], int],
        chance: Callable[[], float],
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
        self._now_ms = now_ms
        self._chance = chance

    async def apply(self, work: Work, probing: Pause | None = None) -> Ending:
        """One attempt, or what stands in its way. `probing` names the pause that this command is to test."""
        pause = self._pauses.of(work.command.merchant)
        if pause is not None and probing is None:
            return Held(pause=pause)
        now_ms = self._now_ms()
        claim = self._claim(work, now_ms)
        answer = await self._ledger.do(effects.claim, claim)
        match answer:
            case Settled():
                await self._settlement.repeat(answer.result)
            case Contradicts():
                await self._settlement.contradicted(work, answer.result)
            case Busy():
                return Later(wait_seconds=max(0.1, (answer.until_ms - now_ms) / 1000), reason="claimed elsewhere")
            case Claimed():
                return await self._carry(_Claim(work, answer, claim, now_ms), probing)
            case Behind():
                pass
        return Done()

    def _claim(self, work: Work, now_ms: int) -> effects.Claim:
        command = work.command
        return effects.Claim(
            command_id=command.command_id,
            merchant=command.merchant,
            system=command.system,
            kind=kind_of(command),
            key=work.arrival.key,
            fingerprint=work.fingerprint,
            idempotency_key=_key(work, 0),
            # Each claim by a name of its own: one that ran out must not be renewed when this worker has it again.
            worker=f"{self._worker}/{next(self._numbers)}",
            now_ms=now_ms,
            until_ms=now_ms + self._times.claim_ms,
            arrival=None if work.parked else work.arrival,
        )

    async def _carry(self, claim: "_Claim", probing: Pause | None) -> Ending:
        async def before() -> int:
            await self._renew(claim)
            return claim.until_ms - self._times.skew_ms

        try:
            outcome = await attempt(
                self._transport,
                self._merchants,
                claim.work.command,
                claim.claimed,
                sent=claim.sent,
                before=before,
                now_ms=claim.started_ms,
            )
        except ClaimLost:
            return Later(wait_seconds=1.0, reason="claimed elsewhere")
        except asyncio.CancelledError:
            # Whoever takes over need not wait until the claim runs out.
            await self._release(claim, claim.history)
            raise
        self._telemetry.attempts.labels(self._settlement.system, type(outcome).__name__).inc()
        return await self._follow(claim, outcome, probing)

    async def _renew(self, claim: "_Claim") -> None:
        if self._now_ms() + self._times.request_ms + self._times.skew_ms < claim.until_ms:
            return
        until_ms = self._now_ms() + self._times.claim_ms
        command_id = claim.work.command.command_id
        renewal = effects.Renew(command_id=command_id, worker=claim.holder, until_ms=until_ms)
        if not await self._ledger.do(effects.renew, renewal):
            raise ClaimLost(command_id)
        claim.until_ms = until_ms

    async def _follow(self, claim: "_Claim", outcome: Outcome, probing: Pause | None) -> Ending:
        merchant = claim.work.command.merchant
        step, history = policy.after(
            outcome, claim.history, self._patience, answers=self._answers(merchant), now_ms=self._now_ms(),
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
        self, claim: "_Claim", step: policy.DeadLetter, history: History, probing: Pause | None, *, unexpected: bool
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
        await self._settlement.rejected(claim.work, step.code, step.detail, history.attempts, reason=reason)
        return Done(tried=claim.sent.requests > 0)

    async def _hold(self, merchant: str, scope: str, code: str, detail: str) -> Ending:
        await self._pauses.pause(scope, code, detail)
        pause = self._pauses.of(merchant)
        return Later(wait_seconds=0.0, reason="resumed") if pause is None else Held(pause=pause)

    async def _release(self, claim: "_Claim", history: History, step: policy.Again | None = None) -> None:
        epoch = claim.claimed.epoch + (1 if step is not None and step.new_key else 0)
        renewed = epoch != claim.claimed.epoch
        release = effects.Release(
            command_id=claim.work.command.command_id,
            worker=claim.holder,
            now_ms=self._now_ms(),
            epoch=epoch,
            idempotency_key=_key(claim.work, epoch) if renewed else claim.claimed.idempotency_key,
            attempts=history.attempts,
            first_sent_ms=claim.first_sent_ms,
            failing_since_ms=history.failing_since_ms,
            notes=claim.claimed.notes | ({} if step is None else step.notes),
        )
        await self._ledger.do(effects.release, release)


class _Claim:
    """A command while this worker has it."""

    def __init__(self, work: Work, claimed: Claimed, asked: effects.Claim, started_ms: int) -> None:
        self.work = work
        self.claimed = claimed
        self.holder = asked.worker
        self.until_ms = asked.until_ms
        self.started_ms = started_ms
        self.sent = Sent()
        self._open = claimed.first_sent_ms is not None

    def learn(self, outcome: Outcome) -> None:
        """What the outcome says about the effect: it may be there, or this attempt did nothing."""
        match outcome:
            case Uncertain():
                self._open = True
            case Deferred() | Rejected() | Misconfigured() if not isinstance(outcome, Unexpected):
                self.sent.effect_ms = None
            case _:
                pass

    @property
    def first_sent_ms(self) -> int | None:
        """Since when the effect may be there; None: no request that could make it went out."""
        if self.claimed.first_sent_ms is not None:
            return self.claimed.first_sent_ms
        if self.sent.effect_ms is not None:
            return self.sent.effect_ms
        return self.started_ms if self._open else None

    @property
    def history(self) -> History:
        return History(
            attempts=self.claimed.attempts,
            failing_since_ms=self.claimed.failing_since_ms,
            open=self.first_sent_ms is not None,
        )


def _key(work: Work, epoch: int) -> str:
    return ids.idempotency_key(merchant=work.command.merchant, command_id=work.command.command_id, epoch=epoch)
