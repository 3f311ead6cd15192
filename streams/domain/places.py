"""Where goods go once they were looked at: the merchant's maps of locations, dispositions and reasons.

Nothing here has a default: what is not mapped is None, and a guard of the walk raises it.
"""

from schemas.facts import Disposition
from schemas.labels import same
from schemas.merchant import Location, Merchant, ReasonRule
from schemas.merchant_model import STATES_APART
from schemas.stock import StockStatus
from streams.domain.learnt import Inspection
from streams.domain.seat import Seat


def placed(seat: Seat, rules: Merchant) -> None:
    """Sets where the goods of an inspected unit go and which stock they become."""
    found = seat.found
    if found is None:
        return
    seat.reason = _reason(seat.unit.said.reason, found.disposition, rules)
    seat.place = _place(seat, found, rules)
    seat.status = _status(seat, found.disposition, rules)


def fits(seat: Seat) -> bool:
    """Whether goods of this status may lie at this place: nothing damaged beside what is for sale (INV-2)."""
    if seat.place is None or seat.status == "available" or seat.place.zone == "quarantine":
        return True
    return seat.model.stock in STATES_APART


def _reason(label: str, disposition: Disposition, rules: Merchant) -> ReasonRule | None:
    if not rules.reasons:
        return None
    fitting = [
        r for r in rules.reasons if (r.reason == "*" or same(r.reason, label)) and r.disposition in (disposition, "any")
    ]
    return max(fitting, key=lambda r: (r.reason != "*", r.disposition != "any"), default=None)


def _status(seat: Seat, disposition: Disposition, rules: Merchant) -> StockStatus | None:
    if disposition == "damaged" and not seat.model.restocking.damaged_to_stock:
        return None
    status = rules.dispositions.get(disposition)
    if status is not None and seat.reason is not None:
        status = seat.reason.stock_status or status
    if status == "available" and seat.place is not None and seat.place.zone == "quarantine":
        return "quality_control"
    return status


def _place(seat: Seat, found: Inspection, rules: Merchant) -> Location | None:
    source, code = seat.source, found.location
    if not code and seat.model.restocking.unnamed == "store_of_sale" and seat.order is not None:
        source, code = seat.order.system, seat.order.store
    stock = seat.model.stock
    if seat.reason is not None and seat.reason.location_id is not None:
        wanted = seat.reason.location_id
        return next((p for p in rules.locations if p.location_id == wanted and p.system in (None, stock)), None)
    fitting = [
        p for p in rules.places.get((source, code), ())
        if p.disposition in (found.disposition, "any") and p.system in (None, stock)
    ]  # fmt: skip
    if len(fitting) < 2:
        return fitting[0] if fitting else None
    return max(fitting, key=lambda p: (p.disposition != "any", p.system is not None))
