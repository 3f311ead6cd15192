"""Which payments are wanted now, and what the others wait for. The guards are WHOLE_RETURN and TOGETHER in walk.py."""

from collections.abc import Sequence

import msgspec

from schemas.merchant import Merchant
from streams.domain import amounts, causes, pay, settled, shipping_alone, walk
from streams.domain.causes import Cause
from streams.domain.decided import Exchanging, Money, Paying
from streams.domain.full_return import Remaining, remaining
from streams.domain.kept_back import Fees, greater_first
from streams.domain.own import Own
from streams.domain.proposal import Group, Proposal
from streams.domain.running import Running
from streams.domain.seating import Seating
from streams.domain.standing import Standing


class Payment(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a proposed payment; all None: nothing is due."""

    decision: Money | None = None
    cause: Cause | None = None
    due_ms: int | None = None


def payments(standings: Sequence[Standing], table: Seating, rules: Merchant) -> list[Payment]:
    """One for each group of units that is paid together; each is judged as if those before it were paid."""
    own = table.own
    if not own.payments and not any(s.money_ready for s in standings):
        return []
    left, fees = remaining(own.learnt.order, standings, table.covered), Fees(own)
    running = Running(own, () if own.learnt.order is None else settled.as_told(table.seats, own.learnt.order))
    found = _of_groups(standings, table, rules, running, left, fees)
    for ready, exchange in _cheaper(standings, running.own):
        released = own.track(exchange) == "applied"
        proposal = pay.difference(exchange, [s.seat for s in ready], running, released=released)
        found.append(_payment(proposal, ready, running, rules))
    shipping = shipping_alone.owed(left, standings, running)
    if shipping is not None:
        found.append(_payment(shipping, (), running, rules))
    return [*found, *(Payment(cause=cause) for cause in fees.lost(standings, running.own))]


def _of_groups(
    standings: Sequence[Standing], table: Seating, rules: Merchant, running: Running, left: Remaining, fees: Fees
) -> list[Payment]:
    """Payments of units that are ready."""
    found = list[Payment]()
    for ready, others_pending in greater_first(_ready(standings)):
        seats = tuple([s.seat for s in ready])
        group = Group(seats, others_pending, running.learnt.clock_ms)
        if not walk.WHOLE_RETURN.met(group, rules):
            found.append(_waits(group, ready, rules))
            continue
        rma_id = seats[0].rma.rma_id
        mine, carried = table.of_rma(rma_id), fees.for_payment(rma_id, amounts.fees(seats))
        proposal = pay.propose(seats, mine, running, everything_back=left.all_with(seats), carried=carried)
        found.append(payment := _payment(proposal, ready, running, rules))
        if ready[0].together is None:
            left.paid(proposal)
            fees.paid(proposal, payment.decision)
    return found


def _ready(standings: Sequence[Standing]) -> list[tuple[list[Standing], bool]]:
    """Units that can be paid, by what they are paid as, and whether others of the same payment are still to come."""
    groups: dict[tuple[str, str, str, bool, str], list[Standing]] = {}
    for standing in standings:
        if standing.money_ready or (standing.money is not None and standing.money.holds_others):
            groups.setdefault(pay.group_of(standing.seat), []).append(standing)
    found = []
    for _, group in sorted(groups.items(), key=lambda each: each[0]):
        ready: dict[str, list[Standing]] = {}
        for standing in group:
            if standing.money_ready:
                ready.setdefault(standing.seat.model.name, []).append(standing)
        pending = any(not s.money_ready for s in group)
        found += [(ready[model], pending) for model in sorted(ready)]
    return found


def _cheaper(standings: Sequence[Standing], own: Own) -> list[tuple[list[Standing], Exchanging]]:
    """Exchanges of ours for cheaper goods whose difference is not paid back yet."""
    paid = {d.exchange_id for d in own.payments if isinstance(d, Paying)}
    found: dict[str, tuple[list[Standing], Exchanging]] = {}
    for standing in standings:
        exchange, waits = standing.seat.paying, standing.seat.money == "open" and not standing.seat.stopped
        if not isinstance(exchange, Exchanging) or exchange.difference_minor >= 0 or not waits:
            continue
        if exchange.decision_id not in paid:
            found.setdefault(exchange.decision_id, ([], exchange))[0].append(standing)
    return [found[decision_id] for decision_id in sorted(found)]


def _waits(group: Group, ready: Sequence[Standing], rules: Merchant) -> Payment:
    for standing in ready:
        standing.together = walk.WHOLE_RETURN
    return Payment(due_ms=walk.limit_ms(group, rules))


def _payment(proposal: Proposal, ready: Sequence[Standing], running: Running, rules: Merchant) -> Payment:
    """Asks the guards of a payment; it is wanted, waits, or is nobody's business because nothing is due."""
    guard = walk.first_unmet(walk.TOGETHER, proposal, rules)
    nothing_due = guard is None and proposal.kind != "exchange" and proposal.amount == 0
    for standing in ready:
        standing.together = guard
        standing.nothing_due = nothing_due
    if guard is not None:
        return Payment(cause=causes.of_payment(guard, proposal) if guard.raises else None)
    if nothing_due:
        return Payment()
    decision = pay.decide(proposal, running.learnt.now_ms)
    running.decided(decision)
    return Payment(decision=decision)
