"""A ReturnGO RMA, as `GET /rma/{id}` gives it, to the milestones it has reached. Pure: the time of reading comes in.

Every event stands alone: it carries the full descriptors of the units it concerns. Its id is made of what makes the
milestone this one, so reading the same RMA again, or after an unrelated change, gives the same ids.
"""

import re
from collections.abc import Iterable

import msgspec

from schemas import ids
from schemas.facts import ReturnedUnit, ReturnEvent, ReturnKind
from streams.sources.fields import Json, flag, ident, instant, label, malformed, obj, opt, opt_ident, opt_instant, rows
from streams.sources.returngo_exchanges import priced
from streams.sources.returngo_parcels import inbound, number_of, shipped, with_parcel
from streams.sources.returngo_rma import SYSTEM, Rma, names_of
from streams.sources.returngo_transactions import transaction
from streams.sources.returngo_units import NONE, Known, unit, validation

__all__ = ["OPEN", "SYSTEM", "Before", "events", "now", "rma_number", "status_of"]
OPEN = frozenset({"Pending", "Approved", "Received", "Validated"})
_ENDED: dict[str, ReturnKind] = {"Done": "resolved", "Rejected": "rejected", "Canceled": "cancelled"}
_CALLED_OFF = frozenset({"Rejected", "Canceled"})
_APPROVED = frozenset({"Approved", "Received", "Validated", "Done"})
# Timeline text written when ReturnGO made a native return in the shop: the only place that names it.
_NATIVE_RETURN = re.compile(r"\breturn\s+(?:<[^>]{1,20}>)?(#?[\w.-]{1,40}-R\d{1,4})\b", re.IGNORECASE)


def rma_number(value: object, path: str) -> str:
    """ReturnGO's id without the RMA in front that customers see."""
    return ident(value, path).removeprefix("RMA")


def status_of(body: Json) -> str:
    """The RMA's status word; raises Malformed."""
    found = label(opt(body.get("rmaSummary"), "rmaSummary").get("status"), "rmaSummary.status")
    if found is None:
        raise malformed("rmaSummary.status", "a status", found)
    return found


class Before(msgspec.Struct, frozen=True, kw_only=True):
    """What the last read of the RMA found: its status, and the digest of its units as they were asked for."""

    status: str
    units: str


def now(body: Json, known: Known = NONE) -> Before:
    """The same of this read; raises Malformed."""
    return Before(status=status_of(body), units=_content(_units(body, known)))


def updated_ms(body: Json) -> int:
    """Its own date of change; raises Malformed."""
    return opt_instant(body.get("lastUpdated"), "lastUpdated") or instant(body.get("createdAt"), "createdAt")


def told(body: Json, known: Known = NONE) -> tuple[ReturnedUnit, ...]:
    """Its units as they were asked for; raises Malformed."""
    return _units(body, known)


def inspected(body: Json) -> bool:
    """Whether all of its units were; raises Malformed."""
    listed = zip(_units(body, NONE), rows(body.get("items"), "items"), strict=True)
    seen = [validation(each, row, f"items[{i}]") for i, (each, row) in enumerate(listed)]
    return bool(seen) and all(each is not None and each.inspected_at_ms is not None for each in seen)


def events(
    body: Json, *, merchant: str, read_at_ms: int, before: Before | None = None, known: Known = NONE
) -> list[ReturnEvent]:
    """All milestones of an RMA, and what changed since the read `before`. Raises Malformed for the whole of it.
    `known`: labels that may be told as they are (schemas.labels).

    Nothing of a payload with one absurd value is used: money must not move on the believable half of it.
    """
    rma = _rma(body, merchant, read_at_ms, known)
    found = [*_requested(rma, before), *_approved(rma, body, known), *shipped(rma, body, known)]
    # an inspection may move money at once: by then it is known what ReturnGO paid, and whether it was called off
    found += _transactions(rma, body) + _exchanges(rma, body)
    ended = _reopened(rma, body, before) + _ended(rma)
    if rma.status in _CALLED_OFF:
        return [*found, *ended, *_inspected(rma, body, known)]
    # else the status comes last: of what bears one date, it is what holds now
    return [*found, *_inspected(rma, body, known), *ended]


def _rma(body: Json, merchant: str, read_at_ms: int, known: Known) -> Rma:
    summary = obj(body.get("rmaSummary"), "rmaSummary")
    order = obj(body.get("orderDetails"), "orderDetails")
    created = instant(body.get("createdAt"), "createdAt")
    return Rma(
        merchant=merchant, rma_id=rma_number(summary.get("rmaId"), "rmaSummary.rmaId"),
        order_id=ident(order.get("orderId"), "orderDetails.orderId"),
        order_name=label(order.get("order_name"), "orderDetails.order_name"), status=status_of(body),
        created_at_ms=created, updated_at_ms=updated_ms(body),
        read_at_ms=read_at_ms, out_of_policy=flag(body.get("isOutOfPolicy"), "isOutOfPolicy"),
        shop_return_name=_native_return(body), units=_units(body, known),
    )  # fmt: skip


def _units(body: Json, known: Known) -> tuple[ReturnedUnit, ...]:
    return priced([unit(row, f"items[{i}]", known) for i, row in enumerate(rows(body.get("items"), "items"))], body)


def _native_return(body: Json) -> str | None:
    for comment in rows(body.get("comments"), "comments"):
        text = comment.get("htmlText")
        # only the system's own lines: a customer may write anything
        if comment.get("commentType") == "system" and isinstance(text, str) and (found := _NATIVE_RETURN.search(text)):
            return found.group(1)
    return None


def _requested(rma: Rma, before: Before | None) -> list[ReturnEvent]:
    """The request when it was made; and as it stands, where its units were edited or may have been."""
    found = [rma.event("requested", rma.created_at_ms, rma.units, *names_of(rma.units))]
    content = _content(rma.units)
    edited = before.units != content if before else rma.updated_at_ms > rma.created_at_ms
    if edited and rma.status in OPEN:
        # ReturnGO dates by the second, and more than one thing happens in a second: the newest read is the newest word
        found.append(rma.event("requested", rma.read_at_ms, rma.units, content, str(rma.updated_at_ms)))
    return found


def _content(units: Iterable[ReturnedUnit]) -> str:
    return ids.digest(msgspec.json.encode(tuple(units)))


def _approved(rma: Rma, body: Json, known: Known) -> list[ReturnEvent]:
    named = _dates(body, "APPROVED")
    if not named and rma.status not in _APPROVED:
        return []
    at_ms = min(named) if named else rma.updated_at_ms
    # the parcel that a warehouse may expect; its label often comes later, and is news then
    parcel = next((each for each in inbound(body) if each.get("trackingNumber")), {})
    identity = (*names_of(rma.units), str(number_of(parcel)))
    return [with_parcel(rma.event("approved", at_ms, rma.units, *identity), parcel, known)]


def _dates(body: Json, word: str) -> list[int]:
    summary = opt(body.get("rmaSummary"), "rmaSummary")
    listed = rows(summary.get("events"), "rmaSummary.events")
    return [
        instant(each.get("eventDate"), "rmaSummary.events.eventDate")
        for each in listed
        if word in str(each.get("eventName")).upper()
    ]


def _inspected(rma: Rma, body: Json, known: Known) -> list[ReturnEvent]:
    found = []
    for i, (each, row) in enumerate(zip(rma.units, rows(body.get("items"), "items"), strict=True)):
        seen = validation(each, row, f"items[{i}]", known)
        if seen is None or seen.inspected_at_ms is None or seen.disposition is None:
            continue
        identity = (seen.unit_id, str(seen.inspected_at_ms), str(seen.disposition), str(seen.location))
        found.append(rma.event("inspected", seen.inspected_at_ms, [seen], *identity))
    return found


def _transactions(rma: Rma, body: Json) -> list[ReturnEvent]:
    found = []
    for i, row in enumerate(rows(body.get("transactions"), "transactions")):
        step, at_ms = transaction(row, f"transactions[{i}]", rma.updated_at_ms)
        units = [u for u in rma.units if u.unit_id in step.unit_ids]
        event = rma.event("transaction", at_ms, units, ids.digest(msgspec.json.encode(step)))
        found.append(msgspec.structs.replace(event, transaction=step))
    return found


def _exchanges(rma: Rma, body: Json) -> list[ReturnEvent]:
    """Draft and released exchange orders; an order that only charges a fee is none."""
    units = [u for u in rma.units if u.resolution == "exchange"]
    found = []
    for row in rows(body.get("exchangeOrders"), "exchangeOrders"):
        draft = opt_ident(row.get("draftOrderId"), "exchangeOrders.draftOrderId")
        order = opt_ident(row.get("orderId"), "exchangeOrders.orderId")
        if row.get("type") == "Fee" or not (draft or order):
            continue
        event = rma.event("exchange", rma.updated_at_ms, units, str(draft), str(order))
        found.append(msgspec.structs.replace(event, exchange_draft_order_id=draft, exchange_order_id=order))
    return found


def _ended(rma: Rma) -> list[ReturnEvent]:
    kind = _ENDED.get(rma.status)
    # the time is part of the identity: an RMA that was reopened can end again
    return [rma.event(kind, rma.updated_at_ms, rma.units, str(rma.updated_at_ms))] if kind else []


def _reopened(rma: Rma, body: Json, before: Before | None) -> list[ReturnEvent]:
    """Told by the history where it names it, else by a status that left its end."""
    dates = _dates(body, "REOPEN")
    if not dates and before and before.status in _ENDED and rma.status in OPEN:
        dates = [rma.updated_at_ms]
    return [rma.event("reopened", at_ms, rma.units, str(at_ms)) for at_ms in dates]
