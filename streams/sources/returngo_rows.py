"""What rows of ReturnGO's lists teach by themselves about an RMA that was read before. Pure.

A row of RMAs names status and events, a row of transactions all of a transaction; the units are those of the last read.
What a row cannot tell (inspections, edits, exchanges) is read.
"""

from typing import Literal

import msgspec

from schemas import ids
from schemas.clock import ahead
from schemas.facts import ReturnedUnit, ReturnEvent
from streams.sources.fields import Json, instant, label, rows
from streams.sources.returngo_rma import Rma, names_of
from streams.sources.returngo_transactions import transaction

OVER = "Done"
STOPPED = frozenset({"Rejected", "Canceled"})
Step = Literal["nothing", "received", "resolved", "news", "page", "effect"]


class RmaNote(msgspec.Struct, frozen=True, kw_only=True):
    """What is remembered of an RMA."""

    order_id: str
    read_ms: int
    status: str
    units: str  # digest of what was asked for
    updated_ms: int = 0  # its own date of change, as far as it is known
    inspected: bool = False  # all of its units were


def noted(note: str, now_ms: int) -> RmaNote:
    """A note as it was kept. Times ahead of now were written by a clock that has been set back: they tell nothing."""
    known = msgspec.json.decode(note, type=RmaNote)
    read_ms, updated_ms = (0 if ahead(each, now_ms, 0) else each for each in (known.read_ms, known.updated_ms))
    return msgspec.structs.replace(known, read_ms=read_ms, updated_ms=updated_ms)


def step(status: str, note: RmaNote | None, *, ships: bool, needs_receipt: bool, since_ms: int) -> Step:
    """What a row of the list of changes asks for. `ships`: a parcel was told of, so approval moves nothing."""
    if note is None:
        return _unknown(status, ships=ships)
    if status == note.status:
        # what put it on the list was there at the last read
        return "nothing" if note.updated_ms >= since_ms // 1000 * 1000 else "effect"
    if status == "Received" and note.status in ("Pending", "Approved"):
        return "effect" if needs_receipt else "received"
    if status == OVER and note.inspected:
        return "resolved"
    return "effect"


def _unknown(status: str, *, ships: bool) -> Step:
    if status in STOPPED or status == "Pending":
        return "nothing"  # nobody knows it, so there is nothing to call off
    match status:
        case "Validated":
            return "effect"
        case "Approved":  # without a parcel it may be money for goods that the customer keeps
            return "nothing" if ships else "page"
        case _:
            return "news"


def milestone(
    kind: Literal["received", "resolved"], row: Json, note: RmaNote, units: tuple[ReturnedUnit, ...], merchant: str,
    rma_id: str, now_ms: int,
) -> list[ReturnEvent]:  # fmt: skip
    """The milestone that a row tells of; none when none of its units comes back."""
    rma = _rma(note, units, merchant, rma_id, label(row.get("order_name"), "rmas.order_name"), now_ms)
    if kind == "resolved":
        at_ms = max(dates(row, "DONE"), default=now_ms)
        return [rma.event(kind, at_ms, units, str(at_ms))]
    coming = [each for each in units if each.ships]
    at_ms = max(dates(row, "RECEIVED"), default=now_ms)
    return [rma.event(kind, at_ms, coming, "rma", *names_of(coming))] if coming else []


def of_transaction(
    row: Json, note: RmaNote, units: tuple[ReturnedUnit, ...], merchant: str, rma_id: str, now_ms: int
) -> ReturnEvent:
    """The payment step that a row tells of; raises Malformed."""
    told, at_ms = transaction(row, "transactions", now_ms)
    rma = _rma(note, units, merchant, rma_id, None, now_ms)
    concerned = [each for each in units if each.unit_id in told.unit_ids]
    event = rma.event("transaction", at_ms, concerned, ids.digest(msgspec.json.encode(told)))
    return msgspec.structs.replace(event, transaction=told)


def _rma(
    note: RmaNote, units: tuple[ReturnedUnit, ...], merchant: str, rma_id: str, name: str | None, now_ms: int
) -> Rma:
    return Rma(
        merchant=merchant, rma_id=rma_id, order_id=note.order_id, order_name=name, status=note.status,
        created_at_ms=now_ms, updated_at_ms=now_ms, read_at_ms=now_ms, out_of_policy=None, shop_return_name=None,
        units=units,
    )  # fmt: skip


def dates(row: Json, word: str) -> list[int]:
    """When the events with that word in their name were; raises Malformed."""
    return [
        instant(each.get("eventDate"), "rmas.events.eventDate")
        for each in rows(row.get("events"), "rmas.events")
        if word in str(each.get("eventName")).upper()
    ]


def packed(units: tuple[ReturnedUnit, ...]) -> str:
    """Units as they are remembered."""
    return msgspec.json.encode(units).decode()


def unpacked(note: str | None) -> tuple[ReturnedUnit, ...]:
    """The units of a note, none for none."""
    return msgspec.json.decode(note, type=tuple[ReturnedUnit, ...]) if note else ()
