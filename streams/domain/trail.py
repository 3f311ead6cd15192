"""The way of the money for an audit (MON-14): from the original payment to the last settlement, line by line.

Every step carries its ids, amount, time and actor; a decision of several lines or payments has a step for each.
"""

from collections.abc import Iterable, Sequence

import msgspec

from schemas import ids
from schemas.facts import ObservedEffect, ReturnEvent
from schemas.journal import CaseStep
from streams.domain.decided import Booking, Decision, Exchanging, Money, Paying, Repaid
from streams.domain.explain import count
from streams.domain.learnt import Learnt, Order

OURSELVES = "returnflow"


def of_request(fact: ReturnEvent, step: CaseStep) -> CaseStep:
    """A payment step of ReturnGO, with its figures."""
    said = fact.transaction
    if said is None:
        return step
    return msgspec.structs.replace(
        step, external_id=said.external_id or said.transaction_id, unit_ids=step.unit_ids or said.unit_ids,
        amount_minor=None if said.amount is None else said.amount.minor,
        currency=None if said.amount is None else said.amount.currency,
    )  # fmt: skip


def of_payments(before: Order | None, after: Order | None, blank: CaseStep) -> Iterable[CaseStep]:
    """The original payments of the order, each as it becomes known; `blank`: a step about the order."""
    known = {(t.payment_id, t.status) for t in before.tenders} if before is not None else set()
    if after is None or after is before:
        return
    for tender in after.tenders:
        if tender.status == "success" and (tender.payment_id, tender.status) not in known:
            yield _part(
                blank, tender.payment_id, what="payment", detail=f"paid by {tender.name}", tender=tender.payment_id,
                amount_minor=tender.amount_minor, external_id=tender.payment_id, actor="customer",
                currency=after.currency,
            )  # fmt: skip


def concerned(fact: ObservedEffect, learnt: Learnt, decided: dict[str, Decision]) -> tuple[str, tuple[str, ...]]:
    """(RMA, units) of an effect: as it says, as our command says, or as ReturnGO's request with its id says (MON-5)."""
    decision = decided.get(fact.command_id or _command(fact, learnt))
    if decision is not None:
        return fact.rma_id or decision.rma_id, decision.unit_ids
    for rma_id, rma in sorted(learnt.rmas.items()):
        for step in rma.steps.values():
            if step.external_id == fact.external_id:
                return fact.rma_id or rma_id, step.unit_ids
    return fact.rma_id or "", ()


def _command(fact: ObservedEffect, learnt: Learnt) -> str:
    """The command whose result names this effect."""
    for command_id, result in learnt.results.items():
        if any(fact.external_id in value.split(",") for value in result.external_ids.values()):
            return command_id
    return ""


def of_decision(decision: Money | Booking, learnt: Learnt, skus: dict[str, str], whole: CaseStep) -> Iterable[CaseStep]:
    """The decision as a whole, then its parts where it has more than one line or payment; `skus`: of the order, by
    line."""
    tenders: Sequence[Repaid] = () if isinstance(decision, Booking) else decision.tenders
    one_line = decision.shares[0].line_id if len(decision.shares) == 1 else None
    yield msgspec.structs.replace(
        whole, actor=OURSELVES, line_id=one_line, sku=skus.get(one_line or "") or None, external_id=_origin(decision),
        tender=tenders[0].payment_id if len(tenders) == 1 else None,
    )  # fmt: skip
    units = _units(decision, learnt) if one_line is None else {}
    for share in decision.shares if one_line is None else ():
        yield _part(
            whole, share.line_id, actor=OURSELVES, what=f"{whole.what}_line", detail=count(share.quantity, "unit"),
            line_id=share.line_id, sku=skus.get(share.line_id) or None, amount_minor=share.amount_minor,
            unit_ids=tuple(units.get(share.line_id, ())),
        )  # fmt: skip
    for repaid in tenders if len(tenders) > 1 else ():
        yield _part(
            whole, repaid.payment_id, actor=OURSELVES, what=f"{whole.what}_tender", detail=f"from {repaid.tender}",
            amount_minor=repaid.amount_minor, tender=repaid.payment_id,
        )  # fmt: skip


def _part(whole: CaseStep, name: str, **changes: object) -> CaseStep:
    """A step beside another one, with an id of its own."""
    step_id = ids.step_id(whole.step_id, str(changes["what"]), name)
    return msgspec.structs.replace(whole, step_id=step_id, **changes)


def _origin(decision: Money | Booking) -> str | None:
    """The record elsewhere that it follows."""
    if isinstance(decision, Booking):
        return decision.refund_id
    if isinstance(decision, Exchanging):
        return decision.exchange_order_id or decision.draft_order_id
    return decision.exchange_id or None if isinstance(decision, Paying) else None


def _units(decision: Money | Booking, learnt: Learnt) -> dict[str | None, list[str]]:
    """Its units by line."""
    rma = learnt.rmas.get(decision.rma_id)
    units = rma.units if rma is not None else {}
    found: dict[str | None, list[str]] = {}
    for unit_id in decision.unit_ids:
        if unit_id in units:
            found.setdefault(units[unit_id].said.line_id, []).append(unit_id)
    return found
