"""Where the merchant's maps send an inspected unit, read anew from the rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.merchant import Location, ReasonRule

if TYPE_CHECKING:
    from tests.unit.domain.told_units import Unit


def reason(unit: Unit) -> ReasonRule | None:
    """The rule for its return reason; one that names reason or grade beats one for all."""
    fitting = [
        r for r in unit.told.rules.reasons
        if r.reason in (unit.said.reason or "", "*") and r.disposition in (unit.grade, "any")
    ]  # fmt: skip
    return max(fitting, key=lambda r: (r.reason != "*", r.disposition != "any"), default=None)


def place(unit: Unit) -> Location | None:
    """The place that is mapped for what the inspection named, or for the store where it was sold."""
    source, code, order = unit.source, unit.code, unit.told.order
    if not code and unit.model.restocking.unnamed == "store_of_sale" and order is not None:
        source, code = order.system, order.location_id or ""
    here = [p for p in unit.told.rules.locations if p.system in (None, unit.model.stock)]
    if unit.reason is not None and unit.reason.location_id is not None:
        return next((p for p in here if p.location_id == unit.reason.location_id), None)
    fitting = [p for p in here if (p.source, p.code) == (source, code) and p.disposition in (unit.grade, "any")]
    return max(fitting, key=lambda p: (p.disposition != "any", p.system is not None), default=None)


def status(unit: Unit) -> str | None:
    """Which stock it becomes; None: none."""
    if unit.grade is None or (unit.grade == "damaged" and not unit.model.restocking.damaged_to_stock):
        return None
    known = unit.told.rules.dispositions.get(unit.grade)
    found = unit.reason.stock_status or known if known and unit.reason is not None else known
    quarantine = unit.place is not None and unit.place.zone == "quarantine"
    return "quality_control" if found == "available" and quarantine else found
