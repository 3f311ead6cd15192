"""A command while a worker has it: how long, under which name, and what it learned of the effect."""

import msgspec

from schemas import ids
from schemas.clock import steady_ms
from sinks.attempt import Unbound, Unexpected
from sinks.contract import INTERRUPTED
from sinks.ledger.claims import Claim, Claimed
from sinks.outcomes import Deferred, Misconfigured, Outcome, Rejected, Uncertain
from sinks.policy import History
from sinks.transport import Sent
from sinks.work import Work

# Of the time between two attempts; about the longest wait between them.
MOST_COUNTED_MS = 600_000


class ClaimTimes(msgspec.Struct, frozen=True, kw_only=True):
    """A claim lasts `claim_ms`; a request that might last longer than what is left of it renews it first.

    No request is under way in a claim's last `skew_ms`. Claims end by the wall clock of whoever wants the command next,
    so this is how far the clocks of two workers may be apart. `claim_ms` must be longer than the other two together.
    A clock that is set while its process runs shortens nobody's claim: see `schemas.clock`.
    """

    claim_ms: int
    request_ms: int
    skew_ms: int = 1_000


class Lease(msgspec.Struct, frozen=True, kw_only=True):
    """How long something is ours, by two clocks: the others', which may be set meanwhile, and one that cannot be."""

    until_ms: int
    steady_until_ms: int

    def left_ms(self, now_ms: int) -> int:
        """What is left of it. A clock that was set back gives no more, and a machine that slept has none."""
        return min(self.until_ms - now_ms, self.steady_until_ms - steady_ms())


def lease(now_ms: int, claim_ms: int) -> Lease:
    """One that is asked for now."""
    return Lease(until_ms=now_ms + claim_ms, steady_until_ms=steady_ms() + claim_ms)


class InHand:
    """A command while this worker has it. `holder` is the name of this one claim, `ours` how long it lasts."""

    def __init__(self, work: Work, claimed: Claimed, asked: Claim, started_ms: int, ours: Lease) -> None:
        self.work = work
        self.claimed = claimed
        self.holder = asked.worker
        self.ours = ours
        self.started_ms = started_ms
        self.sent = Sent()
        self.notes = dict(claimed.notes)  # for whoever is next
        self.waits = False  # for others to go out with: nothing of its own is under way
        self._open = claimed.first_sent_ms is not None

    def interrupt(self) -> None:
        """The attempt was cut off: what the request under way did, nobody knows."""
        if self.sent.requests and not self.waits:
            self.notes[INTERRUPTED] = "yes"

    def learn(self, outcome: Outcome) -> None:
        """What the outcome says about the effect: it may be there, or this attempt did nothing."""
        if isinstance(outcome, Deferred | Uncertain):
            self.notes.update(outcome.notes)
        match outcome:
            case Uncertain():
                self._open = True
            case Unbound():
                # Whatever went out went out with its batch, and that did nothing.
                self.claimed = msgspec.structs.replace(self.claimed, first_sent_ms=None)
                self.sent.effect_ms, self._open = None, False
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
            failing_since_ms=_counted(self.claimed, self.started_ms),
            open=self.first_sent_ms is not None or self.claimed.batch_id is not None,
        )


def _counted(claimed: Claimed, now_ms: int) -> int | None:
    """Since when it has been failing, by time that counts: when nobody tried it for long, all workers were down or the
    clock was set ahead, and neither is a failure of the command."""
    if claimed.failing_since_ms is None or claimed.left_ms is None:
        return claimed.failing_since_ms
    return claimed.failing_since_ms + max(0, now_ms - claimed.left_ms - MOST_COUNTED_MS)


def key(work: Work, epoch: int) -> str:
    """The idempotency key of a command that goes out by itself."""
    return ids.idempotency_key(merchant=work.command.merchant, command_id=work.command.command_id, epoch=epoch)
