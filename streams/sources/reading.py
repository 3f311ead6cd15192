"""Asking a system one question: drives a read flow and turns every way of not answering into Unread. Touches HTTP."""

from typing import TypeVar

from sinks.contract import NotSent, ReadFlow, Unanswered
from sinks.outcomes import Deferred
from sinks.outcomes import Misconfigured as Refusal
from sinks.quota import Priority
from sinks.systems.ended import Ended
from sinks.transport import Transport
from streams.sources.work import Misconfigured, Unread, Urgency

T = TypeVar("T")
_PRIORITIES: dict[Urgency, Priority] = {
    "effect": "inspection", "request": "inspection", "news": "tracking", "page": "read"
}  # fmt: skip


async def ask(transport: Transport, merchant: str, flow: ReadFlow[T], urgency: Urgency) -> T:
    """What the flow returns; raises Unread, or Misconfigured when a person must mend something."""
    try:
        return await transport.drive(flow, merchant=merchant, priority=_PRIORITIES[urgency])
    except Ended as ended:
        raise _unread(ended) from ended
    except NotSent as error:
        raise Unread("not_sent", error.after_seconds) from error
    except Unanswered as error:
        raise Unread("no_answer") from error


def _unread(ended: Ended) -> Unread:
    outcome = ended.outcome
    if isinstance(outcome, Refusal):
        return Misconfigured(outcome.code, outcome.detail)
    if isinstance(outcome, Deferred):
        return Unread(outcome.reason, outcome.after_seconds)
    return Unread(getattr(outcome, "code", "") or getattr(outcome, "reason", "unknown"))
