"""One attempt at a command: its flow, driven to an outcome whatever happens. May touch the network.

Here stands one of the two guards of the project: an exception of ours must not stop a partition.
"""

from collections.abc import Mapping
from typing import Protocol

import msgspec
import structlog

from schemas.commands import Command, kind_of
from schemas.faults import where
from schemas.merchant import Merchant
from sinks.contract import Attempt, Change, LeftOut, NotSent, Unanswered
from sinks.ledger.claims import Claimed
from sinks.outcomes import Deferred, Misconfigured, Outcome, Rejected, Uncertain
from sinks.policy import priority
from sinks.transport import Before, Sent, Transport
from sinks.work import in_log

log = structlog.get_logger()

# How often a flow that raises is run again when something was sent before: it looks, then we stop digging.
MOST_UNEXPECTED = 3
MAY_BE_THERE = "it may have been applied: look in the system before ordering it again"


class ClaimLost(Exception):
    """Another worker has the command now: nothing more may be sent for it."""


class Unbound(Deferred, frozen=True, kw_only=True):
    """The batch of the command did nothing and let it go."""


class Unexpected(Rejected, frozen=True, kw_only=True):
    """Our code raised; the command is set aside."""


class Together(Protocol):
    """A command's way into a batch of its merchant."""

    @property
    def may_join(self) -> bool:
        """Whether its change may be left to a batch."""

    async def join(self, change: Change) -> Outcome:
        """Go out with others; returns when that has ended."""

    async def again(self, batch_id: str) -> Outcome:
        """What became of the batch that it is bound to, which is sent again if nobody knows."""


def unknown(merchant: str, system: str) -> Misconfigured:
    """There is no file for it, or none with this system: its commands wait."""
    return Misconfigured(code="unknown_merchant", detail=f"no merchant file gives {merchant} the system {system}")


async def attempt(
    transport: Transport,
    merchants: Mapping[str, Merchant],
    command: Command,
    claimed: Claimed,
    *,
    sent: Sent,
    before: Before,
    now_ms: int,
    together: Together,
) -> Outcome:
    """How it ended. Raises ClaimLost if `before` did; `sent` tells what went out."""
    if command.merchant not in transport.merchants or command.merchant not in merchants:
        return unknown(command.merchant, command.system)
    if kind_of(command) not in transport.system.handles:
        return Rejected(code="rejected_by_system", detail=f"{command.system} takes no command {kind_of(command)}")
    known = Attempt(
        idempotency_key=claimed.idempotency_key,
        now_ms=now_ms,
        number=claimed.attempts + 1,
        first_sent_ms=claimed.first_sent_ms,
        notes=claimed.notes,
        may_join=together.may_join,
    )
    try:
        if claimed.batch_id is not None:
            return await together.again(claimed.batch_id)
        connection = transport.connection(command.merchant)
        flow = transport.system.flow(command, connection, merchants[command.merchant], known)
        outcome = await transport.drive(
            flow, merchant=command.merchant, priority=priority(command), sent=sent, before=before
        )
        if isinstance(outcome, Change):
            return await together.join(outcome)
        return outcome if claimed.first_sent_ms is None else _doubted(outcome)
    except NotSent as error:
        # Nothing of this request went out; but one before it may have made the effect.
        if sent.effect_ms is not None:
            return Uncertain(reason=str(error))
        reason = error.code if isinstance(error, LeftOut) else str(error)
        return Deferred(reason=reason, after_seconds=error.after_seconds)
    except Unanswered as error:
        return Uncertain(reason=str(error))
    except ClaimLost:
        raise
    except Exception as error:
        return _unexpected(error, command, claimed, sent)


def _doubted(outcome: Outcome) -> Outcome:
    """A refusal of this attempt says nothing about an earlier one that nobody has heard of."""
    if not isinstance(outcome, Rejected):
        return outcome
    return msgspec.structs.replace(outcome, detail=f"{outcome.detail}; {MAY_BE_THERE}")


def _unexpected(error: Exception, command: Command, claimed: Claimed, sent: Sent) -> Outcome:
    # The message of the exception stays out: it may hold values of the record or of an answer.
    reason = f"unexpected {where(error, within=('/sinks/',))}"
    log.error("unexpected", system=command.system, **in_log(command), error=reason)
    if sent.effect_ms is None and claimed.first_sent_ms is None and claimed.batch_id is None:
        return Unexpected(code="rejected_by_system", detail=reason)
    if claimed.attempts + 1 < MOST_UNEXPECTED:
        return Uncertain(reason=reason)
    return Unexpected(code="rejected_by_system", detail=f"{reason}; {MAY_BE_THERE}")
