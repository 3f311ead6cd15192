"""Parcels of an RMA: under way, arrived, and what the carrier calls them. Pure."""

from collections.abc import Iterable

import msgspec

from schemas.facts import ReturnedUnit, ReturnEvent
from schemas.labels import carrier, number
from streams.sources.fields import Json, code, flag, ident, label, opt_ident, rows
from streams.sources.returngo_rma import Rma, names_of
from streams.sources.returngo_units import NONE, Known, validation

ARRIVED = frozenset({"Received", "Validated"})


def inbound(body: Json) -> list[Json]:
    """The parcels that come back; those sent out to the customer are exchanges."""
    return [s for s in rows(body.get("shipments"), "shipments") if not flag(s.get("isOutbound"), "isOutbound")]


def number_of(row: Json) -> str | None:
    """A parcel's tracking number; raises Malformed."""
    return number(code(row.get("trackingNumber"), "shipments.trackingNumber"))


def with_parcel(event: ReturnEvent, row: Json, known: Known) -> ReturnEvent:
    """The event with a parcel's tracking number and carrier."""
    return msgspec.structs.replace(
        event,
        tracking_number=number_of(row),
        carrier=carrier(label(row.get("carrierName"), "shipments.carrierName"), known),
    )


def shipped(rma: Rma, body: Json, known: Known = NONE) -> list[ReturnEvent]:
    """In transit and received, per shipment; units without one follow the RMA's own status."""
    states = {ident(s.get("shipmentId"), "shipments.shipmentId"): s for s in inbound(body)}
    carried: dict[str, list[ReturnedUnit]] = {name: [] for name in states}
    loose: list[ReturnedUnit] = []
    for row, each in zip(rows(body.get("items"), "items"), rma.units, strict=True):
        carried.get(opt_ident(row.get("shipmentId"), "items.shipmentId") or "", loose).append(each)
    if len(loose) == len(rma.units) and len(carried) == 1:
        carried = dict.fromkeys(carried, loose)  # one parcel and no item names it: everything is in it
    found = [e for name, s in states.items() if (e := _shipment(rma, name, s, carried[name], body, known))]
    # the status can be set by hand, with no shipment saying so
    arrived_by_hand = rma.status in ARRIVED and not any(e.kind == "received" for e in found)
    waiting = [u for u in (rma.units if arrived_by_hand else loose) if u.ships]
    if rma.status in ARRIVED and waiting:
        found.append(rma.event("received", _arrival(rma, waiting, body), waiting, "rma", *names_of(waiting)))
    return found


def _shipment(
    rma: Rma, name: str, row: Json, units: list[ReturnedUnit], body: Json, known: Known
) -> ReturnEvent | None:
    status = label(row.get("status"), "shipments.status")
    if not units:
        return None
    if status == "Shipped":
        event = rma.event("in_transit", rma.read_at_ms, units, name)
    elif status in ARRIVED:
        event = rma.event("received", _arrival(rma, units, body), units, name, *names_of(units))
    else:
        return None
    return with_parcel(event, row, known)


def _arrival(rma: Rma, units: Iterable[ReturnedUnit], body: Json) -> int:
    """Nothing dates an arrival: it was before we read it, and before the first inspection of its units."""
    names = set(names_of(units))
    listed = zip(rma.units, rows(body.get("items"), "items"), strict=True)
    seen = [validation(each, row, f"items[{i}]") for i, (each, row) in enumerate(listed)]
    dates = [each.inspected_at_ms for each in seen if each and each.unit_id in names and each.inspected_at_ms]
    return min([rma.read_at_ms, *dates])
