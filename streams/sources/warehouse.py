"""The warehouse door: what a WMS or 3PL may tell us, and the facts it becomes. Pure.

`POST /warehouse/<merchant>`, signed as Standard Webhooks does (headers webhook-id, webhook-timestamp,
webhook-signature; the secret is the merchant's `systems.warehouse.webhook_secrets`). The body:

    {"type": "inspection",               "receipt": the parcel arrived; "inspection": each line has been graded
     "rma": "10047731",                  ReturnGO's RMA number, and/or
     "order": "7396218249981",           the shop's order id
     "inspected_at": "2026-03-02T10:40:51+00:00",   optional; else the time the webhook arrived
     "lines": [{"sku": "TEE-M",          and/or "line_id": the shop's order line id
                "quantity": 1,
                "grade": "sellable",     sellable, damaged, missing, not_returned; required for an inspection
                "location": "GRADING-1", optional; as the merchant file maps it
                "reason": "stain"}]}     optional; a label that the merchant file names, else it only counts

Each webhook-id is one event: send it again under the same id as often as you like, it counts once; two events with
different ids are two, even with the same lines. An unknown field is ignored.
"""

from collections.abc import Collection
from typing import Annotated, Literal

import msgspec

from schemas import ids
from schemas.facts import Delivery, Disposition, ReturnedUnit, ReturnEvent
from schemas.labels import kept
from schemas.text import HELD
from streams.sources.fields import LONGEST_CODE, LONGEST_LABEL, Malformed, body_as, code, label, opt_ident, opt_instant

SYSTEM = "warehouse"
Id = str | int
Quantity = Annotated[int, msgspec.Meta(ge=1, le=100_000)]
Label = Annotated[str, msgspec.Meta(max_length=LONGEST_LABEL)]
Code = Annotated[str, msgspec.Meta(max_length=LONGEST_CODE, pattern=HELD)]


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """Counted pieces of one line or SKU."""

    quantity: Quantity
    sku: Code = ""
    line_id: Id | None = None
    grade: Disposition | None = None
    location: Code | None = None
    reason: Label | None = None


class Body(msgspec.Struct, frozen=True, kw_only=True):
    """One message of a warehouse."""

    type: Literal["inspection", "receipt"]
    lines: Annotated[tuple[Line, ...], msgspec.Meta(min_length=1, max_length=500)]
    rma: Id | None = None
    order: Id | None = None
    inspected_at: str | None = None


class Named(msgspec.Struct, frozen=True, kw_only=True):
    """Which return a neutral door speaks of; "" where it does not say."""

    rma_id: str
    order_id: str
    tracking_number: str = ""


def read(delivery: Delivery) -> Body:
    """The body of a delivery; raises Malformed."""
    body = body_as(Body, delivery.body)
    for i, line in enumerate(body.lines):
        if not code(line.sku, "sku") and line.line_id in (None, ""):
            raise Malformed(f"$.lines[{i}]: expected sku or line_id, got neither")
        if body.type == "inspection" and line.grade is None:
            raise Malformed(f"$.lines[{i}].grade: expected a grade in an inspection, got none")
    return body


def named(body: Body) -> Named:
    """The return a body speaks of; raises Malformed when it names neither RMA nor order."""
    rma = (opt_ident(body.rma, "$.rma") or "").removeprefix("RMA")
    order = opt_ident(body.order, "$.order") or ""
    if not (rma or order):
        raise Malformed("$: expected rma or order, got neither")
    return Named(rma_id=rma, order_id=order)


def event(
    delivery: Delivery, body: Body, *, order_id: str, rma_id: str, known: Collection[str] = ()
) -> ReturnEvent:  # fmt: skip
    """The fact, once the order is known; raises Malformed. `known`: labels that may be told as they are."""
    graded = body.type == "inspection"
    at_ms = opt_instant(body.inspected_at, "$.inspected_at") or delivery.received_at_ms
    return ReturnEvent(
        fact_id=ids.fact_id(SYSTEM, f"{delivery.merchant}/{delivery.delivery_id}", body.type),
        merchant=delivery.merchant, order_id=order_id, rma_id=rma_id, system=SYSTEM,
        kind="inspected" if graded else "received", occurred_at_ms=at_ms,
        units=tuple(_unit(line, at_ms if graded else None, known) for line in body.lines),
        read_order=delivery.received_at_ms,
    )  # fmt: skip


def _unit(line: Line, inspected_at_ms: int | None, known: Collection[str]) -> ReturnedUnit:
    return ReturnedUnit(
        unit_id="", line_id=opt_ident(line.line_id, "$.lines.line_id"), sku=code(line.sku, "$.lines.sku") or "",
        quantity=line.quantity,
        disposition=line.grade if inspected_at_ms is not None else None,
        disposition_reason=kept(label(line.reason, "$.lines.reason"), known),
        location=code(line.location, "$.lines.location"),
        inspected_at_ms=inspected_at_ms,
    )  # fmt: skip
