"""`learn(learnt, fact)`: adds one fact to what is known. One that tells nothing new gives the very same object back."""

from typing import assert_never

from msgspec.structs import replace

from schemas.commands import CommandResult
from schemas.facts import DeadlineReached, ObservedEffect, OrderSnapshot, ReturnEvent
from schemas.numbers import LATEST_MS
from schemas.stock import RestockVerdict
from streams.domain import learn_return, learn_shop
from streams.domain.learnt import Learnt

Fact = ReturnEvent | OrderSnapshot | ObservedEffect | DeadlineReached | CommandResult | RestockVerdict


def learn(learnt: Learnt | None, fact: Fact) -> Learnt:
    """Any order, duplication and lateness of the same facts gives the same result."""
    at_ms = time_of(fact)
    if learnt is None:
        learnt = Learnt(fact.merchant, fact.order_id, _believable(at_ms), _believable(at_ms))
    return _timed(_content(learnt, fact), fact, at_ms)


def time_of(fact: Fact) -> int:
    """The time that a fact names."""
    match fact:
        case ReturnEvent() | ObservedEffect():
            return fact.occurred_at_ms
        case OrderSnapshot():
            return fact.version_ms
        case CommandResult():
            return fact.settled_at_ms
        case RestockVerdict():
            return fact.decided_at_ms
        case DeadlineReached():
            return fact.due_at_ms
        case _:
            assert_never(fact)


def name_of(fact: Fact) -> str:
    """What tells it apart from the other facts of its case; a state that comes back has the id that it had before."""
    if isinstance(fact, CommandResult):
        return f"{fact.command_id}:{fact.outcome}"
    order = order_of(fact)
    return f"{fact.fact_id}:{order}" if order else fact.fact_id


def order_of(fact: Fact) -> int:
    """Its place in the order of reading, 0 for none."""
    return fact.read_order if isinstance(fact, ReturnEvent | ObservedEffect | OrderSnapshot) else 0


def _content(learnt: Learnt, fact: Fact) -> Learnt:
    match fact:
        case ReturnEvent():
            return learn_return.event(learnt, fact)
        case OrderSnapshot():
            return learn_shop.snapshot(learnt, fact)
        case ObservedEffect():
            return learn_shop.observed(learnt, fact)
        case CommandResult():
            return learn_shop.result(learnt, fact)
        case RestockVerdict():
            return learn_shop.verdict(learnt, fact)
        case DeadlineReached():
            return learnt
        case _:
            assert_never(fact)


def _timed(learnt: Learnt, fact: Fact, at_ms: int) -> Learnt:
    at_ms = _believable(at_ms)
    # Systems date their facts themselves and may be wrong, so only a deadline that came moves the deadlines' clock.
    if isinstance(fact, DeadlineReached):
        return learnt if at_ms <= learnt.clock_ms else replace(learnt, clock_ms=at_ms)
    if learnt.first_ms <= at_ms <= learnt.fact_ms:
        return learnt
    return replace(learnt, first_ms=min(learnt.first_ms, at_ms), fact_ms=max(learnt.fact_ms, at_ms))


def _believable(at_ms: int) -> int:
    """No decision is dated before 1970 or after 9999, whatever a fact says."""
    return min(max(at_ms, 0), LATEST_MS)
