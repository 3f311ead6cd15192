"""A fact with a number that nothing can be decided with, told to people: a second line behind the edge of the agents,
which refuses such a record when it is read."""

from schemas import ids
from schemas.exceptions import Evidence, raised
from schemas.facts import DeadlineReached, ObservedEffect, OrderSnapshot, ReturnEvent
from schemas.numbers import LATEST_MS
from schemas.stock import RestockIntent, RestockVerdict, StockItem, StockLevel
from streams.domain import output
from streams.domain.learn import Fact
from streams.domain.output import Output


def refused(
    fact: Fact | StockItem | StockLevel | RestockIntent, problem: str, at_ms: int, evidence: Evidence | None = None
) -> Output:
    """The exception; the fact changes nothing."""
    order_id = "" if isinstance(fact, StockItem | StockLevel) else fact.order_id
    told = ReturnEvent | OrderSnapshot | ObservedEffect | DeadlineReached | RestockVerdict | StockItem | StockLevel
    name = (
        fact.fact_id if isinstance(fact, told) else fact.intent_id if isinstance(fact, RestockIntent)
        else fact.command_id
    )  # fmt: skip
    kind = type(fact).__name__
    return output.exception(raised(
        "undecodable", merchant=fact.merchant, at_ms=min(max(at_ms, 0), LATEST_MS), order_id=order_id,
        exception_id=ids.exception_id(
            merchant=fact.merchant, kind="undecodable", order_id=order_id, rma_id="", subject=f"{kind} {name}"
        ),
        detail=f"{kind} {name} was set aside: {problem}", evidence=evidence, resolvable=True,
    ))  # fmt: skip
