"""The outbox: which decisions are open, what is emitted now, and when something is to be done again.

A decision stays open until its result comes. It is emitted when it is made, again when a known fact is processed again
(after a crash that may have lost what was sent), and again when no result came in time. A repeated result or verdict is
the answer to a repetition of ours, so it is never answered by another one.
"""

from collections.abc import Iterable

from msgspec.structs import replace

from schemas.commands import CommandResult
from schemas.facts import DeadlineReached
from schemas.merchant import Merchant
from schemas.numbers import LATEST_MS
from schemas.stock import RestockVerdict
from streams.domain.decided import Booking, Decision, Marking, Restocking
from streams.domain.emit import emit
from streams.domain.judge import Picture
from streams.domain.learn import Fact
from streams.domain.learnt import Learnt
from streams.domain.output import Output
from streams.domain.own import Own
from streams.domain.state import Case, Sent

DAY_MS = 86_400_000
# A closed case is kept as long as the topics it came from, then its row goes.
RETENTION_MS = 400 * DAY_MS


def add(case: Case, decisions: Iterable[Decision]) -> tuple[Case, list[Decision]]:
    """The case with these decisions, and those of them that are new: an id keeps its first content."""
    new = [d for d in decisions if d.decision_id not in case.decided]
    if not new:
        return case, []
    return replace(case, decided=case.decided | {d.decision_id: d for d in new}), new


def settle(case: Case, own: Own) -> tuple[Case, list[Output]]:
    """Closes what has its result, opens what is new and emits it."""
    at_ms = case.learnt.now_ms
    kept: dict[str, Sent] = {}
    made: list[Output] = []
    answered: dict[str, Decision] = {}
    for decision_id, decision in case.decided.items():
        if not _is_open(decision, own):
            if isinstance(decision, Marking) and decision.said:
                answered[decision_id] = replace(decision, said=b"")
            continue
        sent = case.open.get(decision_id)
        if sent is None:
            sent = Sent(at_ms)
            made.append(emit(decision, case.learnt.merchant, case.learnt.order_id))
        kept[decision_id] = sent
    if answered:
        case = replace(case, decided=case.decided | answered)
    return (case if kept == case.open else replace(case, open=kept)), made


def _is_open(decision: Decision, own: Own) -> bool:
    if isinstance(decision, Marking | Booking):
        return decision.decision_id not in own.learnt.results
    if isinstance(decision, Restocking):
        # an impossible intent stays open: the stock agent keeps it and commands it when its item becomes usable
        track, result, _ = own.restocked(decision)
        return result is None or track == "open"
    return own.track(decision) == "open"


def again(case: Case, fact: Fact, rules: Merchant, *, known: bool) -> tuple[Case, list[Output]]:
    """Open decisions that are to be emitted once more because of this fact."""
    if isinstance(fact, DeadlineReached):
        return _overdue(case, rules)
    if not known or isinstance(fact, CommandResult | RestockVerdict):
        return case, []
    return case, [_emit(case, decision_id) for decision_id in case.open]


def _overdue(case: Case, rules: Merchant) -> tuple[Case, list[Output]]:
    late = [i for i, sent in case.open.items() if _resend_ms(sent, rules) <= case.learnt.clock_ms]
    sent = {i: Sent(case.learnt.clock_ms, case.open[i].repeats + 1) for i in late}
    return (replace(case, open=case.open | sent) if late else case), [_emit(case, i) for i in late]


def _emit(case: Case, decision_id: str) -> Output:
    return emit(case.decided[decision_id], case.learnt.merchant, case.learnt.order_id)


def _resend_ms(sent: Sent, rules: Merchant) -> int:
    """When an unanswered decision is emitted again. Each wait is four times the last one: a command that is parked for
    days gets few repetitions, and so do the commands of old facts, whose first waits are over already."""
    return sent.at_ms + (int(rules.command_seconds * 1000) << 2 * min(sent.repeats, 10))


def judged(case: Case, picture: Picture) -> Case:
    """The case with what it keeps of the picture: when it changes by itself, and whether all is done."""
    limit_ms = min([at_ms for at_ms in picture.due_ms if at_ms <= LATEST_MS], default=None)
    walked = not picture.seating.spare and all(s.closed for s in picture.standings)
    if limit_ms == case.limit_ms and walked == case.walked:
        return case
    return replace(case, limit_ms=limit_ms, walked=walked)


def timed(case: Case, rules: Merchant) -> Case:
    """The case with the earliest time at which something may change without another fact."""
    waits = [_resend_ms(sent, rules) for sent in case.open.values()]
    if case.limit_ms is not None:
        waits.append(case.limit_ms)
    if _finished(case):
        waits.append(case.learnt.fact_ms + RETENTION_MS)
    due_ms = min([at_ms for at_ms in waits if at_ms <= LATEST_MS], default=None)
    return case if due_ms == case.due_ms else replace(case, due_ms=due_ms)


def expired(case: Case) -> bool:
    """A finished case past its retention: its row may go."""
    return _finished(case) and case.learnt.clock_ms >= case.learnt.fact_ms + RETENTION_MS


def _finished(case: Case) -> bool:
    """Every unit is closed and nothing is under way."""
    return case.walked and not case.open


def answered(case: Case, learnt: Learnt, fact: Fact) -> Case | None:
    """The case whose mark this fact answers; None: the fact may change what is judged, for it is anything else."""
    if not isinstance(fact, CommandResult) or fact.outcome == "rejected" or fact.external_ids:
        return None
    if learnt.first_ms != case.learnt.first_ms:  # an order that nobody knows is missed since then
        return None
    mark = case.decided.get(fact.command_id)
    if not isinstance(mark, Marking) or fact.command_id not in case.open:
        return None
    left = {decision_id: sent for decision_id, sent in case.open.items() if decision_id != fact.command_id}
    known = case.decided | {fact.command_id: replace(mark, said=b"")}
    return replace(case, learnt=learnt, decided=known, open=left)
