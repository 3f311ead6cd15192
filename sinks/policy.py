"""What follows from an outcome: settle, dead-letter, try again later, pause. Pure: time and chance come in."""

from typing import assert_never

import msgspec

from schemas.commands import Annotate, Command, Suggestion
from sinks.outcomes import AlreadyApplied, Applied, Deferred, Misconfigured, Outcome, Rejected, Uncertain
from sinks.quota import Priority


class Patience(msgspec.Struct, frozen=True, kw_only=True):
    """How long we wait. Without a hint of the system, waits grow with the time that a command has failed already."""

    first_seconds: float = 0.5
    longest_seconds: float = 300.0
    give_up_seconds: float = 86_400.0  # of failing while the system answers other commands


class History(msgspec.Struct, frozen=True, kw_only=True):
    """A command's past. `open`: the effect may be there. Time in which the system was down is no failure."""

    attempts: int = 0
    failing_since_ms: int | None = None
    open: bool = False


class Settle(msgspec.Struct, frozen=True, kw_only=True):
    """It is done."""

    outcome: Applied | AlreadyApplied


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """It cannot be done; a person must look."""

    code: str
    detail: str
    suggested: Suggestion | None = None


class Again(msgspec.Struct, frozen=True, kw_only=True):
    """Try it again after `wait_seconds`."""

    wait_seconds: float
    reason: str
    new_key: bool = False


class Pause(msgspec.Struct, frozen=True, kw_only=True):
    """Send nothing more to this merchant's system."""

    code: str
    detail: str


Step = Settle | DeadLetter | Again | Pause


def priority(command: Command) -> Priority:
    """What is said to people gives way to money and stock when a quota runs out (shedding.py)."""
    if not isinstance(command, Annotate) or command.aspect == "transaction":
        return "money"
    return command.aspect if command.aspect in ("comment", "status") else "read"


def patience_of(command: Command, patience: Patience) -> Patience:
    """Marks for people also wait longer between attempts: a quota of a day is not spent on one that nobody takes."""
    if priority(command) == "money":
        return patience
    return msgspec.structs.replace(patience, longest_seconds=12 * patience.longest_seconds)


def after(
    outcome: Outcome, history: History, patience: Patience, *, answers: bool, now_ms: int, chance: float
) -> tuple[Step, History]:
    """What to do next, and the history with this outcome in it.

    `answers`: whether the system answers us at all. While it does not, no attempt is spent and nothing is given up.
    `chance` is evenly spread over 0 … 1.
    """
    match outcome:
        case Applied() | AlreadyApplied():
            return Settle(outcome=outcome), _spent(history)
        case Rejected():
            return DeadLetter(code=outcome.code, detail=outcome.detail, suggested=outcome.suggested), _spent(history)
        case Misconfigured():
            return Pause(code=outcome.code, detail=outcome.detail), history
        case Deferred():
            return _again(outcome, history, patience, answers=answers, now_ms=now_ms, chance=chance)
        case Uncertain():
            opened = msgspec.structs.replace(history, open=True)
            known = _spent(opened) if answers else opened
            return _again(outcome, known, patience, answers=answers, now_ms=now_ms, chance=chance)
        case _:
            assert_never(outcome)


def anew(history: History) -> History:
    """Of a command that waited for a pause to end: that time is no time of failing."""
    return msgspec.structs.replace(history, failing_since_ms=None)


def _spent(history: History) -> History:
    return msgspec.structs.replace(history, attempts=history.attempts + 1)


def _again(
    outcome: Deferred | Uncertain, history: History, patience: Patience, *, answers: bool, now_ms: int, chance: float
) -> tuple[Step, History]:
    since = _failing_since(outcome, history, answers=answers, now_ms=now_ms)
    # a failure of the future was dated by a clock that has been set back: it began by now
    since = None if since is None else min(since, now_ms)
    failing_seconds = 0.0 if since is None else (now_ms - since) / 1000
    if failing_seconds >= patience.give_up_seconds:
        return _given_up(outcome, history, failing_seconds), history
    hint = outcome.after_seconds if isinstance(outcome, Deferred) else None
    if hint is None:
        # Full jitter over the time it has failed already: doubling on average, and what failed together comes apart.
        wait = chance * min(patience.longest_seconds, patience.first_seconds + 2 * failing_seconds)
    else:
        wait = hint + chance * patience.first_seconds
    new_key = isinstance(outcome, Uncertain) and outcome.new_key
    step = Again(wait_seconds=wait, reason=outcome.reason, new_key=new_key)
    return step, msgspec.structs.replace(history, failing_since_ms=since)


def _failing_since(outcome: Deferred | Uncertain, history: History, *, answers: bool, now_ms: int) -> int | None:
    if not answers:
        return None  # the system is down: that is not the command's fault
    if isinstance(outcome, Deferred) and outcome.after_seconds is not None:
        return history.failing_since_ms  # we were told when: that is no failure
    return now_ms if history.failing_since_ms is None else history.failing_since_ms


def _given_up(outcome: Deferred | Uncertain, history: History, failing_seconds: float) -> DeadLetter:
    warning = " It may have been applied: look in the system before ordering it again." if history.open else ""
    return DeadLetter(
        code="rejected_by_system",
        detail=f"given up after failing for {failing_seconds / 3600:.1f} h: {outcome.reason}.{warning}",
    )


class Streak(msgspec.Struct, frozen=True, kw_only=True):
    """Equal rejections in a row; anything but a rejection starts a new one."""

    code: str = ""
    length: int = 0


def counted(streak: Streak, code: str) -> Streak:
    """The streak with one more rejection of `code`."""
    return Streak(code=code, length=streak.length + 1 if code == streak.code else 1)
