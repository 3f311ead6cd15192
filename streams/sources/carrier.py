"""The carrier door: tracking events of a shipping aggregator, and the fact the first scan becomes. Pure.

`POST /carrier/<merchant>`, signed as Standard Webhooks does (the merchant's `systems.carrier.webhook_secrets`):

    {"type": "tracking",
     "tracking_number": "OPT-401990112",
     "status": "in_transit",             picked_up, in_transit, out_for_delivery, delivered: the parcel was scanned;
                                         any other word is taken note of and says nothing to us
     "rma": "10047731",                  optional, as is
     "order": "7396218249981",           the shop's order id; without both, ReturnGO's shipment tells them
     "carrier": "CourierGuy",            optional
     "scanned_at": "2026-03-02T10:40:51+00:00"}     optional; else the time the webhook arrived

Only the first scan of a parcel is a fact. Delivered is not received: the warehouse says that.
"""

from collections.abc import Collection
from typing import Annotated, Literal

import msgspec

from schemas import ids, labels
from schemas.facts import Delivery, ReturnEvent
from schemas.text import HELD
from streams.sources.fields import LONGEST_CODE, LONGEST_LABEL, body_as, code, label, malformed, opt_ident, opt_instant
from streams.sources.warehouse import Id, Named

SYSTEM = "carrier"
_SCANNED = frozenset({"picked_up", "in_transit", "out_for_delivery", "delivered"})
Text = Annotated[str, msgspec.Meta(max_length=LONGEST_LABEL)]


class Body(msgspec.Struct, frozen=True, kw_only=True):
    """One tracking event."""

    type: Literal["tracking"]
    tracking_number: Annotated[str, msgspec.Meta(max_length=LONGEST_CODE, pattern=HELD)]
    status: Text
    rma: Id | None = None
    order: Id | None = None
    carrier: Text | None = None
    scanned_at: str | None = None

    @property
    def scanned(self) -> bool:
        """Whether the carrier has the parcel, or had it."""
        return self.status.lower() in _SCANNED


def read(delivery: Delivery) -> Body:
    """The body of a delivery; raises Malformed."""
    body = body_as(Body, delivery.body)
    number = code(body.tracking_number, "$.tracking_number")
    if number is None:
        raise malformed("$.tracking_number", "a text that is not blank", body.tracking_number)
    return msgspec.structs.replace(body, tracking_number=labels.number(number))


def named(body: Body) -> Named:
    """The return a body speaks of; raises Malformed."""
    rma = (opt_ident(body.rma, "$.rma") or "").removeprefix("RMA")
    return Named(rma_id=rma, order_id=opt_ident(body.order, "$.order") or "", tracking_number=body.tracking_number)


def event(
    delivery: Delivery, body: Body, *, order_id: str, rma_id: str, known: Collection[str] = ()
) -> ReturnEvent:  # fmt: skip
    """The first scan. Its id is the parcel's, so every later scan is the same fact. Raises Malformed."""
    return ReturnEvent(
        fact_id=ids.fact_id(SYSTEM, f"{delivery.merchant}/{order_id}", "in_transit", body.tracking_number),
        merchant=delivery.merchant, order_id=order_id, rma_id=rma_id, system=SYSTEM, kind="in_transit",
        occurred_at_ms=opt_instant(body.scanned_at, "$.scanned_at") or delivery.received_at_ms,
        tracking_number=body.tracking_number, carrier=labels.carrier(label(body.carrier, "$.carrier"), known),
        read_order=delivery.received_at_ms,
    )  # fmt: skip
