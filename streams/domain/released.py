"""Exchange orders that ReturnGO made of its draft by itself, before anything was decided: nobody pays back what cheaper
goods leave over, so it is raised until somebody did (EXG-6)."""

from collections.abc import Callable, Iterator
from functools import partial

from schemas.merchant import Merchant
from streams.domain import cover, differences, pay
from streams.domain.account import counts
from streams.domain.causes import Cause
from streams.domain.decided import repays
from streams.domain.explain import money
from streams.domain.learnt import Noted, Step
from streams.domain.own import Own
from streams.domain.proposal import Proposal
from streams.domain.running import Running
from streams.domain.seat import Seat, ready_since_ms
from streams.domain.seating import Seating
from streams.domain.walk import GOODS_HERE, INSPECTED, LINE_READ, first_unmet, wants_money

_GOODS = (LINE_READ, INSPECTED, GOODS_HERE)


def owed(seating: Seating, rules: Merchant) -> Iterator[tuple[int, Callable[[], Cause]]]:
    """Since when each difference is owed, and what is wrong once that was too long ago."""
    own, running = seating.own, Running(seating.own)
    taken: set[str] = set()
    for rma_id, seats in _by_rma(seating).items():
        here = [seat for seat in seats if first_unmet(_GOODS, seat, rules) is None]
        order = seats[0].rma.exchange_order
        if not here or order is None:
            continue
        proposal = pay.propose(here, here, running, everything_back=False)
        since_ms = max(order.stamp.at_ms, *(ready_since_ms(seat) for seat in here))
        priced = any(seat.unit.said.exchange_minor is not None for seat in here)
        if (priced or proposal.to_pay) and not proposal.currencies <= {proposal.order.currency}:
            yield since_ms, partial(_in_other_currency, proposal, order)
            continue
        due, tolerance = -proposal.to_pay, proposal.model.refunding.tolerance_minor + proposal.leeway
        if due <= tolerance:
            continue
        repaid = _by_returngo(seats, own, proposal)
        by_hand = [
            e for e in differences.asked_before(seats[0].rma, running.unnamed)
            if counts(e, proposal.order) and e.external_id not in taken and e.rma_id in (None, rma_id)
        ]  # fmt: skip
        match = next((e for e in by_hand if abs(e.total_minor + repaid - due) <= tolerance), None)
        if match is not None and repaid < due - tolerance:
            taken.add(match.external_id)
        elif repaid < due - tolerance:
            yield since_ms, partial(_unpaid, proposal, order, repaid)


def _by_rma(seating: Seating) -> dict[str, list[Seat]]:
    """Units of such orders, as far as no refund by others names their lines."""
    found: dict[str, list[Seat]] = {}
    for seat in seating.seats:
        if seat.kind == "exchange" and seat.money == "elsewhere" and seat.paying is None and cover.released(seat):
            unpaid = seat.paid_by is None or seat.paid_by.total_minor <= 0
            if unpaid and not seat.stopped and wants_money(seat):
                found.setdefault(seat.rma.rma_id, []).append(seat)
    return found


def _by_returngo(seats: list[Seat], own: Own, proposal: Proposal) -> int:
    """What ReturnGO says it paid back for these units alone; less where a system shows that less has left."""
    rma, units, ours = seats[0].rma, {seat.unit.unit_id for seat in seats}, own.names
    shown = {e.external_id: e.total_minor for e in own.foreign if counts(e, proposal.order)}
    return sum(
        _amount(step, shown, proposal.order.currency) for step in rma.steps.values()
        if repays(step) and step.external_id not in ours
        and set(step.unit_ids or rma.units) <= units
    )  # fmt: skip


def _amount(step: Step, shown: dict[str, int], currency: str) -> int:
    seen = shown.get(step.external_id or "")
    if step.amount_minor is None:
        return seen or 0
    said = step.amount_minor if step.currency == currency else 0
    return said if seen is None else min(said, seen)


def _unpaid(proposal: Proposal, order: Noted, repaid: int) -> Cause:
    detail = f"exchange order {order.value} was released by ReturnGO, the difference is not paid back"
    due, paid = (money(each, proposal.order.currency) for each in (-proposal.to_pay, repaid))
    return _cause("stuck_refund", proposal, detail, due, paid)


def _in_other_currency(proposal: Proposal, order: Noted) -> Cause:
    detail = f"exchange order {order.value} was released by ReturnGO, whether a difference is owed is unknown"
    return _cause(
        "currency_mismatch", proposal, detail, proposal.order.currency, ", ".join(sorted(proposal.currencies))
    )


def _cause(kind: str, proposal: Proposal, detail: str, expected: str, actual: str) -> Cause:
    return Cause(
        type=kind, rma_id=proposal.seats[0].rma.rma_id, subject="released", detail=detail, expected=expected,
        actual=actual, unit_ids=tuple(sorted(seat.unit.unit_id for seat in proposal.seats)),
    )  # fmt: skip
