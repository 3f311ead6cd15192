"""An order that a person asked to forget: of its case only that stays, so that no repeat of its facts makes it anew and
nothing is paid or put into stock a second time."""

from schemas import ids
from schemas.exceptions import Evidence, raised
from schemas.facts import OrderErased, ReturnEvent
from streams.domain import notices, output
from streams.domain.decided import Marking
from streams.domain.learn import Fact
from streams.domain.learnt import Learnt
from streams.domain.output import Output
from streams.domain.state import Case

# What needs somebody when it happens to an order of which nothing is known any more.
_NEWS = frozenset({"requested", "approved", "in_transit", "received", "inspected"})


def erase(state: Case | None, fact: OrderErased, evidence: Evidence | None) -> tuple[Case, list[Output]]:
    """The case with nothing in it. While goods or money are under way it stays as it is: their results must be known.

    Once erased, it stays so: a second request changes nothing.
    """
    if state is not None and (state.erased_ms is not None or under_way(state)):
        return state, []
    at_ms = fact.erased_at_ms
    outputs = [] if state is None else notices.forgotten(state, evidence)
    return Case(None, Learnt(fact.merchant, fact.order_id, at_ms, at_ms), walked=True, erased_ms=at_ms), outputs


def under_way(case: Case) -> list[str]:
    """Commands without a result that move goods or money; marks for people may be lost."""
    return [name for name in case.open if not isinstance(case.decided[name], Marking)]


def late(state: Case, fact: Fact, evidence: Evidence | None) -> list[Output]:
    """A fact of an erased order: repeats say nothing, what happened afterwards is told to a person."""
    assert state.erased_ms is not None
    if not isinstance(fact, ReturnEvent) or fact.kind not in _NEWS or fact.occurred_at_ms <= state.erased_ms:
        return []
    name = ids.exception_id(
        merchant=fact.merchant, kind="orphan_return", order_id=fact.order_id, rma_id=fact.rma_id, subject="erased"
    )
    record = raised(
        "orphan_return", exception_id=name, merchant=fact.merchant, at_ms=fact.occurred_at_ms, order_id=fact.order_id,
        rma_id=fact.rma_id, evidence=evidence,
        detail="a return of an order that was erased on request: nothing of it is known here, handle it by hand",
    )  # fmt: skip
    return [output.exception(record)]
