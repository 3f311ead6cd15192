"""Exceptions whose cause can be told from the facts alone: what must have come in, and what leaves no doubt."""

from schemas.facts import ObservedEffect, ReturnEvent
from schemas.merchant import Merchant
from streams.domain.standing import Standing
from tests.unit.domain.heard import GONE, Facts, order_in, units_in

STOPS = ("rejected", "cancelled", "expired")
SOURCES = ("returngo", "warehouse")


def only_if(facts: Facts, rules: Merchant, refused: set[str]) -> dict[str, bool]:
    """What must have come in before an exception of a type can be open."""
    order = order_in(facts)
    found = [u for _, u in units_in(facts)] + [u for f in facts if isinstance(f, ReturnEvent) for u in f.units]
    seen = [u for u in found if u.disposition]
    places = {(place.source, place.code) for place in rules.locations}
    others = [f for f in facts if isinstance(f, ObservedEffect) and f.command_id is None]
    ended = [f for f in facts if isinstance(f, ReturnEvent) and f.kind in (*STOPS, "resolved")]
    asks = [f for f in facts if isinstance(f, ReturnEvent) and f.transaction is not None]
    return {
        "orphan_return": order is None or any(not u.unit_id for u in found),
        "order_not_in_portal": order is not None and (bool(others) or any(not u.unit_id for u in found))
        and not any(isinstance(f, ReturnEvent) and f.system == "returngo" and f.units for f in facts),
        "item_missing": any(u.disposition in GONE for u in seen),
        "unmapped_location": any((s, u.location or "") not in places for u in seen for s in SOURCES),
        "refund_outside_workflow": any(f.kind != "restock" for f in others),
        "restock_outside_workflow": any(f.kind == "restock" or any(m.restocked for m in f.lines) for f in others),
        "refund_before_goods": bool(others or asks)
        or any(isinstance(f, ReturnEvent) and f.exchange_order_id is not None for f in facts),
        "status_conflict": bool(ended) or (rules.model.inspecting.needs_receipt and bool(seen)),
        "contradicting_fact": len({u.disposition for u in seen}) > 1 or len({u.sku for u in found}) > 1,
        "rejected_by_system": bool(refused),
        "amount_mismatch": bool(others or asks or refused) or any(u.paid or u.fees for u in found)
        or (order is not None and len(order.payments) > 1),
    }  # fmt: skip


def certain_if(facts: Facts, rules: Merchant, standings: tuple[Standing, ...]) -> dict[str, bool]:
    """What leaves no doubt that an exception of a type must be open."""
    order = order_in(facts)
    unfinished = any(not s.closed for s in standings)
    requested = [f.occurred_at_ms for f in facts if isinstance(f, ReturnEvent) and f.kind == "requested"]
    by_staff = [f for f in facts if isinstance(f, ObservedEffect) and f.actor in ("staff", "other")
                and f.command_id is None and f.kind == "refund"]  # fmt: skip
    ours = rules.model.refunding.actor == "returnflow"
    return {
        "archived_order": order is not None and order.archived and unfinished,
        "unknown_line": order is not None and order.complete
        and any(not s.seat.parts and not s.seat.stopped and not s.closed for s in standings)
        and not any(s.seat.money == "elsewhere" for s in standings),
        "refund_outside_workflow": ours and bool(requested) and not _reported(facts)
        and any(f.occurred_at_ms >= min(requested) for f in by_staff),
    }  # fmt: skip


def _reported(facts: Facts) -> bool:
    """ReturnGO says that it paid: what the shop shows may be that."""
    steps = [f.transaction for f in facts if isinstance(f, ReturnEvent)]
    return any(step is not None and step.status == "success" for step in steps)
