"""The cases agent's core: `decide_case` on rows and records of bytes. Pure; the shell does the rest."""

from schemas import ids, topics
from schemas.commands import CommandResult
from schemas.facts import DeadlineReached, ObservedEffect, OrderErased, OrderSnapshot, ReturnEvent
from schemas.stock import RestockVerdict
from streams.agents.edge import Edge, check_key, check_time, evidence
from streams.domain import erased
from streams.domain import row as rows
from streams.domain.case import decide_case
from streams.domain.learn import Fact
from streams.domain.state import Case
from streams.shell.contract import Decided, Output, Record

_KINDS: dict[str, type[Fact | OrderErased]] = {
    topics.RETURN_EVENTS: ReturnEvent,
    topics.ORDER_SNAPSHOTS: OrderSnapshot,
    topics.OBSERVED_EFFECTS: ObservedEffect,
    topics.CASE_DEADLINES: DeadlineReached,
    topics.COMMAND_RESULTS: CommandResult,
    topics.RESTOCK_VERDICTS: RestockVerdict,
    topics.ERASURES: OrderErased,
}


class Cases:
    """streams.shell.contract.Core for orders with their returns."""

    def __init__(self, edge: Edge) -> None:
        self._edge = edge

    def load(self, row: bytes) -> Case:
        return rows.load(row)

    def dump(self, state: Case) -> bytes:
        return rows.dump(state)

    def due(self, row: bytes) -> int | None:
        return rows.due(row)

    def decide(self, state: Case | None, record: Record) -> Decided[Case]:
        fact = self._edge.fact(record, _KINDS)
        check_key(record, ids.order_key(fact.merchant, fact.order_id))
        if isinstance(fact, OrderErased):  # a merchant who has left has no file, and is to be forgotten all the same
            left, cleared = erased.erase(state, fact, evidence(record))
            return Decided(state=left, outputs=self._edge.outputs(cleared), due_ms=left.due_ms)
        check_time(record, fact)
        case, made = decide_case(state, fact, self._edge.rules(fact.merchant), evidence(record))
        due_ms = None if case is None else case.due_ms
        return Decided(state=case, outputs=self._edge.outputs(made), due_ms=due_ms)

    def reached(self, key: bytes, state: Case, due_ms: int) -> Output | None:
        merchant, order_id = state.learnt.merchant, state.learnt.order_id
        if not self._edge.knows(merchant):
            return None  # it would be refused, again and again; when there is a file, all rows are looked through
        fact = DeadlineReached(
            fact_id=ids.fact_id("cases", f"{merchant}/{order_id}", "deadline", str(due_ms)), merchant=merchant,
            order_id=order_id, due_at_ms=due_ms,
        )  # fmt: skip
        return Output(topic=topics.CASE_DEADLINES, key=key, value=self._edge.encode(fact))

    def stale(self, key: bytes, row: bytes) -> bool:
        merchant = key.decode(errors="replace").partition("|")[0]
        return self._edge.knows(merchant) and rows.stale(row, self._edge.rules(merchant).digest)

    def again(self, key: bytes, row: bytes) -> Output:
        """The time that is known already: nothing is learnt, everything is judged."""
        learnt = self.load(row).learnt
        digest = self._edge.rules(learnt.merchant).digest
        fact = DeadlineReached(
            fact_id=ids.fact_id("cases", f"{learnt.merchant}/{learnt.order_id}", "configuration", digest),
            merchant=learnt.merchant, order_id=learnt.order_id, due_at_ms=learnt.clock_ms,
        )  # fmt: skip
        return Output(topic=topics.CASE_DEADLINES, key=key, value=self._edge.encode(fact))

    def refused(self, record: Record, reason: str, error: str) -> list[Output]:
        return list(self._edge.refused(record, reason, error))
