"""`judge(learnt, decided, rules)`: what facts and rules say about a case. Pure, and asked anew for every fact."""

from collections.abc import Sequence

import msgspec

from schemas import ids
from schemas.merchant import Merchant
from streams.domain import causes, conflicts, pay, walk
from streams.domain.causes import Cause
from streams.domain.decided import Decision, Money, Paying, Restocking
from streams.domain.learnt import Learnt
from streams.domain.limits import limits
from streams.domain.own import Own
from streams.domain.seat import Seat
from streams.domain.seating import Seating, seating
from streams.domain.standing import Standing, close, reason_of, stand


class Picture(msgspec.Struct, frozen=True, kw_only=True):
    """`wanted`: decisions that are due and not made yet. `causes`: by exception id. `due_ms`: limits still running."""

    seating: Seating
    standings: tuple[Standing, ...]
    wanted: tuple[Restocking | Money, ...]
    causes: dict[str, Cause]
    due_ms: tuple[int, ...]


class Payment(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a proposed payment; all None: nothing is due."""

    decision: Money | None = None
    cause: Cause | None = None
    due_ms: int | None = None


def judge(learnt: Learnt, decided: dict[str, Decision], rules: Merchant) -> Picture:
    """The same learnt state, decisions and rules give the same picture."""
    table = seating(learnt, decided, rules)
    standings = tuple(stand(seat, rules) for seat in table.seats)
    restocks = [_restocking(s, learnt) for s in standings if s.stock_ready]
    payments = _payments(standings, table, rules)
    for standing in standings:
        close(standing, rules)
    found = [p.cause for p in payments if p.cause is not None]
    found += [causes.of_guard(g, s.seat) for s in standings for g in _raising(s)]
    found += conflicts.of_seats(table, rules)
    found += conflicts.of_others(table, rules)
    found += conflicts.of_payments(learnt, decided, table.own, rules)
    found += conflicts.of_order(table, learnt, unfinished=any(not s.closed for s in standings))
    due = [p.due_ms for p in payments if p.due_ms is not None]
    for limit in limits(table, standings, learnt, rules):
        if learnt.clock_ms >= limit.at_ms:
            found.append(limit.make())
        else:
            due.append(limit.at_ms)
    return Picture(
        seating=table, standings=standings, causes=causes.merged(found, learnt), due_ms=tuple(due),
        wanted=(*restocks, *(p.decision for p in payments if p.decision is not None)),
    )  # fmt: skip


def _raising(standing: Standing) -> list[walk.Guard[Seat]]:
    return [g for g in (standing.stock, standing.money) if g is not None and g.raises and not standing.closed]


def _restocking(standing: Standing, learnt: Learnt) -> Restocking:
    seat = standing.seat
    place, status, line = seat.place, seat.status, seat.line
    if place is None or status is None:
        raise ValueError(f"expected a mapped place for unit {seat.key}, which is ready for stock")
    named = seat.piece == seat.key
    units = (seat.unit.unit_id,) if named else (seat.piece,)
    one_line = line if line is not None and len(seat.parts) == 1 else None
    same_sku = one_line is not None and seat.sku == one_line.sku
    return Restocking(
        decision_id=ids.command_id(
            merchant=learnt.merchant, system=place.system, kind="restock", rma_id=seat.rma.rma_id if named else "",
            unit_ids=units, generation=0,
        ),
        system=place.system, rma_id=seat.rma.rma_id, unit_ids=units, decided_at_ms=learnt.now_ms,
        sku=seat.sku, line_id=None if one_line is None else one_line.line_id, location_id=place.location_id,
        quantity=seat.unit.said.quantity, stock_status=status,
        variant_id=seat.unit.said.variant_id or (one_line.variant_id if one_line and same_sku else None),
        item_id=one_line.item_id if one_line and same_sku else None, piece=seat.piece,
    )  # fmt: skip


def _payments(standings: Sequence[Standing], table: Seating, rules: Merchant) -> list[Payment]:
    groups: dict[tuple[str, str, str, bool], list[Standing]] = {}
    for standing in standings:
        if standing.money_ready or (standing.money is not None and standing.money.holds_others):
            groups.setdefault(pay.group_of(standing.seat), []).append(standing)
    payments = []
    own = table.own
    for _, group in sorted(groups.items(), key=lambda each: each[0]):
        ready = [s for s in group if s.money_ready]
        if not ready:
            continue
        payment = _payment(ready, group, standings, own, rules)
        payments.append(payment)
        if payment.decision is not None:
            # the next one is judged as if this one were paid: together they must not exceed what was captured
            own = msgspec.structs.replace(own, decided=own.decided | {payment.decision.decision_id: payment.decision})
    return payments


def _payment(
    ready: Sequence[Standing], group: Sequence[Standing], standings: Sequence[Standing], own: Own, rules: Merchant
) -> Payment:
    """Asks the guards of a payment; it is wanted, waits, or is nobody's business because nothing is due."""
    rma = ready[0].seat.rma
    proposal = pay.propose(
        [s.seat for s in ready], [s.seat for s in group], [s.seat for s in standings if s.seat.rma is rma], own, rules,
        everything_back=_everything_back(standings, {s.seat.key for s in ready}, own),
    )  # fmt: skip
    guard = walk.first_unmet(walk.TOGETHER, proposal, rules)
    for standing in ready:
        standing.together = None if guard is None else reason_of(guard)
        standing.nothing_due = guard is None and proposal.kind != "exchange" and proposal.amount == 0
    if guard is None:
        return Payment(decision=None if ready[0].nothing_due else pay.decide(proposal, own.learnt.now_ms, rules))
    if guard.raises:
        return Payment(cause=causes.of_payment(guard, proposal))
    return Payment(due_ms=walk.limit_ms(proposal, rules))


def _everything_back(standings: Sequence[Standing], ready: set[str], own: Own) -> bool:
    """Whether with these units every unit of the order is refunded."""
    order = own.learnt.order
    if order is None or not order.complete:
        return False
    paid = {(d.rma_id, u) for d in own.decided.values() if isinstance(d, Paying) for u in d.unit_ids}
    back: dict[str, int] = {}
    for standing in standings:
        seat = standing.seat
        named = (seat.rma.rma_id, seat.unit.unit_id) in paid and seat.money != "refused"
        if seat.kind == "refund" and (seat.key in ready or named or seat.money == "elsewhere"):
            for line, count in seat.parts:
                back[line.line_id] = back.get(line.line_id, 0) + count
    return all(back.get(line.line_id, 0) >= line.quantity for line in order.lines)
