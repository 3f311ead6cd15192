"""The case's history for people: one step for each thing that was learned, decided, done, raised or waited for."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, Required, TypedDict, Unpack

from schemas import ids
from schemas.commands import CommandResult
from schemas.exceptions import Evidence
from schemas.facts import ObservedEffect, OrderSnapshot, ReturnedUnit, ReturnEvent
from schemas.journal import CaseStep, WaitingFor
from schemas.merchant import Merchant
from schemas.stock import RestockVerdict
from streams.domain import trail
from streams.domain.causes import Cause
from streams.domain.decided import KINDS, Booking, Decision, Marking, Money, Restocking
from streams.domain.explain import count, money
from streams.domain.learn import Fact, name_of
from streams.domain.learnt import Learnt
from streams.domain.standing import Standing
from streams.domain.state import Case, Waiting

Word = Literal["learned", "decided", "done", "raised", "cleared", "waiting", "closed"]


class About(TypedDict, total=False):
    """What a step says beside its text, as `CaseStep` has it."""

    unit_ids: Required[tuple[str, ...]]
    line_id: str | None
    sku: str | None
    stage: str | None
    command_id: str | None
    external_id: str | None
    amount_minor: int | None
    currency: str | None
    actor: str | None
    waiting_for: WaitingFor | None
    evidence: Required[Evidence | None]
    reason: str | None
    disposition: str | None
    location: str | None
    quantity: int | None
    read_order: int


def learned(fact: Fact, before: Learnt | None, case: Case, evidence: Evidence | None) -> Iterable[CaseStep]:
    """What a new fact tells."""
    match fact:
        case ReturnEvent():
            for identity, units in _alike(fact).items():
                step = _step(
                    case, identity, "learned", fact.kind, _told(fact, units), fact.rma_id, fact.occurred_at_ms,
                    unit_ids=tuple([u.unit_id for u in units if u.unit_id]), line_id=_same([u.line_id for u in units]),
                    sku=_same([u.sku or None for u in units]), reason=_same([u.reason for u in units]),
                    disposition=_same([u.disposition for u in units]), location=_same([u.location for u in units]),
                    quantity=sum([u.quantity for u in units]) or None, actor=fact.system, evidence=evidence,
                    read_order=fact.read_order,
                )  # fmt: skip
                yield trail.of_request(fact, step)
        case OrderSnapshot():
            known = None if before is None else before.order
            detail = f"order {fact.name} with {count(len(fact.lines), 'line')}"
            step = _step(
                case, name_of(fact), "learned", "order", detail, "", fact.version_ms, unit_ids=(), actor=fact.system,
                currency=fact.currency, amount_minor=fact.total_minor, evidence=evidence, read_order=fact.read_order,
            )  # fmt: skip
            if known is None:
                yield step
            yield from trail.of_payments(known, case.learnt.order, step)
        case ObservedEffect():
            detail = f"{fact.kind} {fact.external_id} seen, made by {fact.actor}"
            rma_id, unit_ids = trail.concerned(fact, case.learnt, case.decided)
            yield _step(
                case, name_of(fact), "learned", fact.kind, detail, rma_id, fact.occurred_at_ms, unit_ids=unit_ids,
                line_id=_same([line.line_id for line in fact.lines]), command_id=fact.command_id,
                external_id=fact.external_id, amount_minor=fact.total_minor,
                currency=fact.currency, actor=fact.actor, evidence=evidence, read_order=fact.read_order,
            )  # fmt: skip
        case CommandResult():
            yield from _done(fact, case, evidence)
        case RestockVerdict():
            if fact.verdict in ("impossible", "waiting"):
                detail = f"{fact.sku}: {fact.detail or fact.reason or fact.verdict}"
                yield _step(
                    case, fact.fact_id, "learned", f"restock_{fact.verdict}", detail, fact.rma_id, fact.decided_at_ms,
                    unit_ids=fact.unit_ids, sku=fact.sku, evidence=evidence,
                )  # fmt: skip
        case _:
            return


def _alike(fact: ReturnEvent) -> Mapping[str, Sequence[ReturnedUnit]]:
    """The units of each step by its identity: people count what was asked for and inspected, so units that differ in
    what is counted are told apart."""
    if len(fact.units) < 2 or fact.kind not in ("requested", "inspected"):
        return {name_of(fact): fact.units}
    groups: dict[str, list[ReturnedUnit]] = {}
    for u in fact.units:
        same = (bool(u.unit_id), u.line_id, u.sku, u.reason, u.disposition, u.location, u.quantity)
        identity = "|".join([name_of(fact), *map(str, same)])
        groups.setdefault(identity, []).append(u)
    return groups if len(groups) > 1 else {name_of(fact): fact.units}


def _told(fact: ReturnEvent, units: Sequence[ReturnedUnit]) -> str:
    words = [_grade(u) for u in units if u.disposition is not None]
    if fact.transaction is not None:
        words.append(f"{fact.transaction.kind} {fact.transaction.transaction_id} {fact.transaction.status}")
    said = "; ".join(words) or ": ".join((fact.kind.replace("_", " "), *([count(len(units), "unit")] if units else [])))
    return f"{said}; its parcel has a tracking number" if fact.tracking_number else said


def _grade(unit: ReturnedUnit) -> str:
    return f"{unit.quantity} × {unit.sku}: {unit.disposition} at {unit.location or '(no location named)'}"


def _done(fact: CommandResult, case: Case, evidence: Evidence | None) -> Iterable[CaseStep]:
    decision = case.decided.get(fact.command_id)
    if fact.kind == "annotate" and fact.outcome != "rejected":
        return
    amount = fact.amount
    external = ", ".join(f"{name} {value}" for name, value in sorted(fact.external_ids.items()))
    detail = f"{fact.kind} {fact.outcome.replace('_', ' ')}" + (f": {fact.detail}" if fact.detail else "")
    line_id = decision.line_id if isinstance(decision, Restocking) else None
    yield _step(
        case, name_of(fact), "done", fact.kind, detail, fact.rma_id, fact.settled_at_ms,
        unit_ids=fact.unit_ids or (() if decision is None else decision.unit_ids), line_id=line_id,
        command_id=fact.command_id, external_id=external or None,
        amount_minor=None if amount is None else amount.minor, currency=None if amount is None else amount.currency,
        actor=fact.system, evidence=evidence,
    )  # fmt: skip


def decided(decisions: Sequence[Decision], case: Case, evidence: Evidence | None) -> Iterable[CaseStep]:
    """What decisions order; marks for people are no news."""
    order = case.learnt.order if decisions else None
    skus = {} if order is None else {line.line_id: line.sku for line in order.lines}
    for decision in decisions:
        if isinstance(decision, Restocking):
            yield _restock(decision, case, evidence)
        elif not isinstance(decision, Marking):
            yield from trail.of_decision(decision, case.learnt, skus, _payment(decision, case, evidence))


def _restock(decision: Restocking, case: Case, evidence: Evidence | None) -> CaseStep:
    way = "to" if decision.quantity > 0 else "out of"
    detail = f"{abs(decision.quantity)} × {decision.sku} {way} {decision.stock_status} at {decision.location_id}"
    if decision.told_sku:
        detail += f": the return calls it {decision.told_sku}, its variant is the one that was sold"
    return _step(
        case, decision.decision_id, "decided", "restock", detail, decision.rma_id, decision.decided_at_ms,
        unit_ids=decision.unit_ids, line_id=decision.line_id, sku=decision.sku, command_id=decision.decision_id,
        evidence=evidence,
    )  # fmt: skip


def _payment(decision: Money | Booking, case: Case, evidence: Evidence | None) -> CaseStep:
    parts = ", ".join([
        f"line {s.line_id}: {count(s.quantity, 'unit')}, {money(s.amount_minor, decision.currency)}"
        for s in decision.shares
    ])  # fmt: skip
    return _step(
        case, decision.decision_id, "decided", KINDS[type(decision)], parts, decision.rma_id, decision.decided_at_ms,
        unit_ids=decision.unit_ids, command_id=decision.decision_id, amount_minor=decision.amount_minor,
        currency=decision.currency, evidence=evidence,
    )  # fmt: skip


def judged_anew(
    case: Case, digest: str, fact: Fact, following: Sequence[CaseStep], evidence: Evidence | None
) -> Iterable[CaseStep]:
    """By which configuration lines were judged when something followed that may come of its change alone."""
    units: dict[str, dict[str, None]] = {}
    for step in following if case.judged_by else ():
        units.setdefault(step.rma_id, {}).update(dict.fromkeys(step.unit_ids))
    for rma_id, named in units.items():
        yield _step(
            case, f"{case.judged_by}:{digest}:{name_of(fact)}:{rma_id}", "learned", "configuration",
            f"judged by the configuration {digest}, before by {case.judged_by}", rma_id, case.learnt.now_ms,
            unit_ids=tuple(named), evidence=evidence,
        )  # fmt: skip


def waiting(
    standings: Iterable[Standing], fact: Fact, case: Case, rules: Merchant, evidence: Evidence | None
) -> tuple[dict[str, Waiting], list[CaseStep]]:
    """What each unit waits for now, and a step for each group of units for which that changed.

    Late facts do not move the time, and a unit may come back to what it waited for before: each step is told apart by
    the fact that made it.
    """
    now_ms = case.learnt.now_ms
    after: dict[str, Waiting] = {}
    changed: dict[tuple[str, str, str], list[Standing]] = {}
    for standing in standings:
        guard = "" if standing.closed else standing.waits_for.name
        key = standing.seat.key
        known = case.waiting.get(key)
        if known is not None and known.guard == guard:
            after[key] = known
            continue
        after[key] = Waiting(guard, now_ms)
        changed.setdefault((standing.seat.rma.rma_id, standing.seat.subject, guard), []).append(standing)
    by = name_of(fact)
    return after, [_waits(each, by, case, rules, evidence) for each in changed.values()]


def _waits(standings: Sequence[Standing], by: str, case: Case, rules: Merchant, evidence: Evidence | None) -> CaseStep:
    first, now_ms = standings[0], case.learnt.now_ms
    seat, reason = first.seat, first.waits_for
    units = tuple(s.seat.unit.unit_id for s in standings)
    line_id, sku = seat.unit.said.line_id, seat.sku or None
    identity = f"{','.join(units)}:{now_ms}:{by}"
    if first.closed:
        return _step(
            case, identity, "closed", first.stage, "nothing more to do", seat.rma.rma_id, now_ms,
            unit_ids=units, line_id=line_id, sku=sku, stage=first.stage, evidence=evidence,
        )  # fmt: skip
    owner = rules.owners.get(reason.raises, reason.owner)  # whoever gets the exception
    held = WaitingFor(
        guard=reason.name, owner=owner, since_ms=now_ms, unblocked_by=reason.unblocked_by, evidence=evidence
    )
    return _step(
        case, identity, "waiting", reason.name, f"waits for {reason.unblocked_by}",
        seat.rma.rma_id, now_ms, unit_ids=units, line_id=line_id, sku=sku, stage=first.stage, waiting_for=held,
        evidence=evidence,
    )  # fmt: skip


def noticed(
    case: Case, word: Literal["raised", "cleared"], kind: str, rma_id: str, detail: str, identity: str,
    cause: Cause | None, evidence: Evidence | None,
) -> CaseStep:  # fmt: skip
    """An exception that was raised or went away."""
    return _step(
        case, identity, word, kind, detail, rma_id, case.learnt.now_ms, evidence=evidence,
        unit_ids=() if cause is None else cause.unit_ids, line_id=None if cause is None else cause.line_id,
        sku=None if cause is None else cause.sku, command_id=None if cause is None else cause.command_id,
    )  # fmt: skip


def _same(values: Sequence[str | None]) -> str | None:
    return values[0] if values and values.count(values[0]) == len(values) else None


def _step(
    case: Case, identity: str, step: Word, what: str, detail: str, rma_id: str, at_ms: int, **about: Unpack[About]
) -> CaseStep:
    learnt = case.learnt
    return CaseStep(
        step_id=ids.step_id(learnt.merchant, learnt.order_id, step, what, identity), merchant=learnt.merchant,
        order_id=learnt.order_id, rma_id=rma_id, step=step, what=what, detail=detail, at_ms=at_ms, **about,
    )  # fmt: skip
