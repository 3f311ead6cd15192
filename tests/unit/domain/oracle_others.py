"""What others did beside the workflow, from the facts alone. See oracles.py."""

from schemas.facts import ObservedEffect, OrderSnapshot
from schemas.stock import RestockIntent
from tests.unit.domain.oracle_walk import Causes, Wrong
from tests.unit.domain.told_run import Told
from tests.unit.domain.told_units import PAID_KINDS

OTHERS_SAY = ("in_transit", "received", "inspected")  # carriers and warehouses, too


def of_others(told: Told, found: Causes) -> None:
    """Refunds and restocks outside the workflow, since a return was asked for."""
    asked = [told.times(unit.rma_id, "requested")[0][0] for unit in told.units if told.times(unit.rma_id, "requested")]
    steps = [e.transaction for e in told.events if e.transaction is not None]
    paid = {s.external_id for s in steps if s.status == "success"}
    model = told.model
    for effect in told.foreign:
        same = [e for e in told.foreign if (e.kind, e.external_id) == (effect.kind, effect.external_id)]
        alone = all(e == effect for e in same) and len({e.system for e in told.effects}) == 1
        after = bool(asked) and effect.occurred_at_ms >= min(asked)
        watched = model.refunding.actor == "returnflow" or effect.kind == "chargeback"
        if effect.kind in PAID_KINDS and watched and effect.external_id not in paid and effect.actor != "returngo":
            found.add(Wrong("refund_outside_workflow", "", effect.external_id), True if after and alone else None)
        back = [m for m in effect.lines if m.restocked or effect.kind == "restock"]
        if back and model.restocking.actor == "returnflow":
            ours = any(isinstance(r, RestockIntent) and effect.kind == "restock" for r in told.sent)
            till = effect.kind == "store_return" and model.refunding.actor != "returnflow"
            sure = after and alone and not ours and not till
            found.add(Wrong("restock_outside_workflow", "", effect.external_id), True if sure else None)
    # what ReturnGO paid, perhaps for units that nobody has to pay any more
    for name in {*paid, *(e.external_id for e in told.foreign if e.actor == "returngo")} - told.our_ids:
        found.add(Wrong("refund_outside_workflow", "", name or ""), None)
    for event in told.events:
        for unit in event.units:
            if not unit.unit_id or not event.rma_id:  # counted, and perhaps more than was to come
                for kind in ("over_quantity", "orphan_return"):
                    found.add(Wrong(kind, event.rma_id, unit.line_id or unit.sku or ""), None)
    if told.order is not None:
        _of_portal(told, told.order, found)


def _of_portal(told: Told, order: OrderSnapshot, found: Causes) -> None:
    """Goods that came back, while ReturnGO says nothing of a return."""
    events = [e for e in told.events if e.rma_id]
    if any(e.kind not in OTHERS_SAY or (e.system == "returngo" and any(u.unit_id for u in e.units)) for e in events):
        return
    counted = any(not u.unit_id or not e.rma_id for e in told.events for u in e.units)
    in_store = bool(order.location_id) or order.source == "pos" or order.cancelled
    back = [] if in_store else [e for e in told.foreign if e.actor != "returngo" and not e.rma_id and _in_hand(e)]
    if back and len(back) == len(told.effects) == len({e.external_id for e in back}) and not counted:
        found.add(Wrong("order_not_in_portal"), told.late(min(e.occurred_at_ms for e in back), "order"))
    elif back or counted:
        found.add(Wrong("order_not_in_portal"), None)


def _in_hand(effect: ObservedEffect) -> bool:
    """Whether somebody had goods of it in hand."""
    lines = effect.lines
    if effect.kind not in ("store_return", "restock"):
        lines = tuple(m for m in lines if m.restocked and not m.unsent)
    return sum(m.quantity for m in lines) > 0
