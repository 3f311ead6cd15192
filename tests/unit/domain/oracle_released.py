"""Exchange orders that ReturnGO released by itself, from the facts alone. See oracles.py."""

from schemas.facts import OrderSnapshot
from tests.unit.domain.oracle_walk import Causes, Wrong
from tests.unit.domain.told_run import Told
from tests.unit.domain.told_units import REPORTED_KINDS, Unit, when


def of_released(told: Told, found: Causes) -> None:
    if told.order is not None:
        for rma_id in {unit.rma_id for unit in told.units}:
            _of_return(rma_id, told.order, told, found)


def _of_return(rma_id: str, order: OrderSnapshot, told: Told, found: Causes) -> None:
    """Cheaper goods that ReturnGO released by itself: what is owed for the goods that came back, for too long."""
    mine = [u for u in told.units if (u.rma_id, u.means) == (rma_id, "exchange") and u.payment is None]
    units = [u for u in mine if u.model.exchanges.made == "draft" and u.wants_money and not u.stopped]
    back = [u for u in units if not u.gone and (u.grade is not None or not u.said.ships)]
    released = [when(e) for e in told.events if e.rma_id == rma_id and e.exchange_order_id]
    priced = [u for u in units if u.said.exchange_price is not None]
    if not released or not priced or not told.late(max(released)[0], "refund"):
        return
    certain = not told.foreign and all(u.plain and u.money == "elsewhere" and u.line is not None for u in units)
    if not certain:
        found.add(Wrong("stuck_refund", rma_id), None)
        found.add(Wrong("currency_mismatch", rma_id), None)
        return
    late = all(told.late(u.looks[-1][0] if u.looks else ready_at(u), "refund") for u in back)
    if not late or not any(u in priced for u in back):
        return
    figures = [f for u in back for f in (u.said.paid, u.said.paid_tax, u.said.fees, u.said.exchange_price) if f]
    if any(f.currency != order.currency for f in figures):
        found.add(Wrong("currency_mismatch", rma_id), True)
        return
    owed, repaid = owed_for(back), repaid_for(units, order)
    if owed is None or repaid is None:
        found.add(Wrong("stuck_refund", rma_id), None)
    else:
        tolerance = back[0].model.refunding.tolerance_minor
        found.add(Wrong("stuck_refund", rma_id), owed > tolerance and owed - repaid > tolerance)


def ready_at(unit: Unit) -> int:
    """Since when a unit that does not come back could be paid."""
    approved = unit.told.times(unit.rma_id, "approved")
    return approved[0][0] if approved else unit.said_at[0]


def owed_for(units: list[Unit]) -> int | None:
    """What is left of these goods, after fees, when what is sent instead is taken off; None: not plain to tell."""
    worth = wanted = fees = 0
    for unit in units:
        line, said = unit.line, unit.said
        if line is None or line.quantity < 1 or said.quantity < 1 or line.tax_minor or line.duty_minor:
            return None
        net = line.unit_price_minor * line.quantity - line.discount_minor - line.order_discount_minor
        if net % line.quantity:
            return None
        own = net // line.quantity * said.quantity
        worth += own
        wanted += own if said.exchange_price is None else said.exchange_price.minor
        fees += 0 if said.fees is None else said.fees.minor
    return max(worth - fees, 0) - wanted


def repaid_for(units: list[Unit], order: OrderSnapshot) -> int | None:
    """What ReturnGO says it paid back for them alone; None: it says two things of one payment."""
    told, rma_id = units[0].told, units[0].rma_id
    steps = [e.transaction for e in told.events if e.rma_id == rma_id and e.transaction is not None]
    if len({s.transaction_id for s in steps}) < len(steps):
        return None
    every = [u.unit_id for u in told.units if u.rma_id == rma_id]
    return sum(
        s.amount.minor for s in steps
        if s.amount is not None and s.amount.currency == order.currency
        and (s.status, s.kind in REPORTED_KINDS, s.external_id in told.our_ids) == ("success", True, False)
        and set(s.unit_ids or every) <= {u.unit_id for u in units}
    )  # fmt: skip
