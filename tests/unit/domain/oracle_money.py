"""Money that does not add up, from the facts alone. See oracles.py."""

from schemas.commands import Exchange, Journal, Refund, StoreCredit
from schemas.facts import ObservedEffect, OrderSnapshot
from tests.unit.domain.oracle_walk import Causes, Wrong, waits
from tests.unit.domain.told_run import Told
from tests.unit.domain.told_units import PAID_KINDS, Unit

# what can keep a payment as a whole
WHOLE = ("amount_mismatch", "tax_mismatch", "currency_mismatch", "unmapped_tender", "credit_not_issued")


def of_money(told: Told, found: Causes) -> None:
    order = told.order
    if order is None or not told.units:
        return
    if any(p.amount_minor < 0 for p in order.payments):
        found.add(Wrong("contradicting_fact"), True)
    for effect in told.effects:
        if effect.kind in PAID_KINDS:
            _of_effect(effect, order, told, found)
    for unit in told.units:
        _of_means(unit, found)
        _of_figures(unit, order, found)
        _of_ready(unit, found)
    for paid in told.payments:
        if told.track_of(paid) != "refused":
            _of_answer(paid, told, found)
    for record in told.sent:
        if isinstance(record, Journal):
            found.add(Wrong("amount_mismatch", record.rma_id), None)


def _of_effect(effect: ObservedEffect, order: OrderSnapshot, told: Told, found: Causes) -> None:
    """A refund as a system shows it: its currency, sign and lines, and what all of them come to."""
    last = [e for e in told.effects if (e.kind, e.external_id) == (effect.kind, effect.external_id)]
    certain = True if all(e == effect for e in last) and len({e.system for e in told.effects}) == 1 else None
    amounts = [t.amount_minor for t in effect.tenders if t.status != "failed"] or [effect.total_minor]
    if effect.currency not in (None, order.currency):
        found.add(Wrong("currency_mismatch"), certain)
    if min(amounts) < 0:
        found.add(Wrong("contradicting_fact"), certain)
    if order.complete and any(m.line_id not in {line.line_id for line in order.lines} for m in effect.lines):
        found.add(Wrong("unknown_line"), certain)
    if any(t.shop_amount_minor is not None for t in effect.tenders):
        found.add(Wrong("currency_rounding"), None)
    captured = sum(p.amount_minor for p in order.payments if p.status == "success")
    counts = effect.currency in (None, order.currency) and effect in told.foreign
    found.add(Wrong("amount_mismatch"), True if certain and counts and sum(amounts) > max(captured, 0) else None)


def _of_means(unit: Unit, found: Causes) -> None:
    """A return that was edited to another means after it was paid."""
    paid = unit.payment
    if paid is None or unit.money not in (None, "open", "applied"):
        return
    was = "refund" if isinstance(paid, Refund) else "credit" if isinstance(paid, StoreCredit) else "exchange"
    if isinstance(paid, Refund) and paid.exchange_id:
        was = "exchange"
    if unit.means not in (was, "unknown"):
        found.add(Wrong("contradicting_fact", unit.rma_id), None if unit.money is None else True)
    if len({(each.line_id, each.sku, each.quantity) for _, each in unit.mentions}) > 1:
        found.add(Wrong("contradicting_fact", unit.rma_id), None)


def _of_answer(paid: Refund | StoreCredit | Exchange, told: Told, found: Causes) -> None:
    """What the system that paid says it paid, and what ReturnGO asked for afterwards."""
    result, rma_id = told.results.get(paid.command_id), paid.rma_id
    if result is not None and result.amount is not None:
        if result.amount.currency != paid.currency:
            found.add(Wrong("currency_mismatch", rma_id), True)
        elif not isinstance(paid, Exchange):
            tolerance = paid.tolerance_minor if isinstance(paid, Refund) else 0
            off = abs(max(result.amount.minor, 0) - paid.amount_minor) > tolerance
            found.add(Wrong("amount_mismatch", rma_id), off)
    seen = [e for e in told.effects if e.command_id == paid.command_id]
    seen += [e for e in told.effects if result is not None and e.external_id in result.external_ids.values()]
    if not isinstance(paid, Exchange) and any(e.total_minor != paid.amount_minor for e in seen):
        found.add(Wrong("amount_mismatch", rma_id), None)
    if (result is not None and result.tax_minor is not None) or any(e.tax_minor is not None for e in seen):
        found.add(Wrong("tax_mismatch", rma_id), None)


def _of_figures(unit: Unit, order: OrderSnapshot, found: Causes) -> None:
    """What a payment would be judged by: ReturnGO's figures beside the order's, and what is left of its money."""
    told, said = unit.told, unit.said
    steps = [e.transaction for e in told.events if e.rma_id == unit.rma_id and e.transaction is not None]
    money = [m for m in (said.paid, said.paid_tax, said.fees, said.exchange_price) if m is not None]
    money += [s.amount for s in steps if s.amount is not None]
    abroad = any(e.currency not in (None, order.currency) for e in told.effects if e.kind in PAID_KINDS)
    if abroad or any(m.currency != order.currency for m in money):
        found.add(Wrong("currency_mismatch", unit.rma_id), None)
    if said.paid_tax is not None or any(line.tax_minor for line in order.lines):
        found.add(Wrong("tax_mismatch", unit.rma_id), None)
    if unit.means == "credit" and not order.customer_id:
        found.add(Wrong("credit_not_issued", unit.rma_id), None)
    if "*" not in unit.model.refunding.tenders:
        found.add(Wrong("unmapped_tender", unit.rma_id), None)
    worth = sum(each.unit_price_minor * each.quantity for each in order.lines)
    captured = sum(p.amount_minor for p in order.payments if p.status == "success")
    others = bool(told.foreign) or any(s.status == "success" for s in steps)
    found.add(Wrong("amount_mismatch"), None if others else False)
    negative = any(each.tax_minor < 0 or each.discount_minor < 0 for each in order.lines)
    if money or others or captured < worth or negative or len(told.payments) > 1:
        found.add(Wrong("amount_mismatch", unit.rma_id), certain_to_differ(unit, order))


def certain_to_differ(unit: Unit, order: OrderSnapshot) -> bool | None:
    """A unit alone in its return and on its line, ready to be paid: ReturnGO's price is another than the order's, or
    more is due than is left."""
    told, said, line = unit.told, unit.said, unit.line
    alone = [u for u in told.units if u.rma_id == unit.rma_id or u.line is line] == [unit]
    steps = [e for e in told.events if e.rma_id == unit.rma_id and e.transaction is not None]
    if (
        line is None
        or line.quantity < 1
        or not (alone and is_ready(unit))
        or told.foreign
        or steps
        or unit.means != "refund"
    ):
        return None
    net = line.unit_price_minor * line.quantity - line.discount_minor - line.order_discount_minor
    ours = net // line.quantity
    plain = net % line.quantity == 0 and not line.tax_minor and not line.duty_minor and said.quantity == 1
    plain = plain and "*" in unit.model.refunding.tenders
    if not plain or ours <= 0 or said.fees or said.paid_tax or (said.paid and said.paid.currency != order.currency):
        return None
    theirs = ours if said.paid is None else max(said.paid.minor, 0)
    gone = sum(p.amount_minor for p in told.payments if isinstance(p, Refund) and told.track_of(p) != "refused")
    captured = sum(p.amount_minor for p in order.payments if p.status == "success")
    return abs(theirs - ours) > unit.model.refunding.tolerance_minor or ours + gone > captured or None


def is_ready(unit: Unit) -> bool:
    """Nothing of its own keeps it from being paid, and yet it is not."""
    known = unit.plain and unit.stock is not None and unit.money == "undecided"
    return known and unit.wants_money and not unit.stopped and not unit.gone and waits(unit)[1] == []


def _of_ready(unit: Unit, found: Causes) -> None:
    """A whole return that is ready, worth something and not paid has an exception that says why."""
    mine = [u for u in unit.told.units if u.rma_id == unit.rma_id]
    worth = unit.line is not None and unit.line.unit_price_minor > 0 and not unit.line.discount_minor
    if worth and all(is_ready(u) and u.means == unit.means and u.said.ships == unit.said.ships for u in mine):
        free = unit.means == "exchange" or any(u.said.fees or u.said.quantity != 1 for u in mine)
        if not free and unit.line is not None and unit.line.order_discount_minor < unit.line.unit_price_minor:
            found.some.append({Wrong(kind, unit.rma_id) for kind in WHOLE})
