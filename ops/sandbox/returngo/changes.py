"""Changes to an RMA, whoever makes them, and the webhooks they cause. The bodies' shapes are assumed: a signal with
ids."""

import json
import uuid
from datetime import datetime

from ops.sandbox.clock import iso_offset
from ops.sandbox.outgoing import Delivery
from ops.sandbox.returngo.store import Comment, Payout, Rma, Shipment, Store
from ops.sandbox.returngo.views import Json, transaction
from ops.sandbox.world import World

RMA_STATUSES = ("Pending", "Approved", "Received", "Validated", "Done", "Rejected", "Canceled")
EVENTS = [
    "RMA_CREATED",
    "RMA_STATUS_UPDATED",
    "SHIPMENT_CREATED",
    "SHIPMENT_STATUS_UPDATED",
    "SHIPMENT_TRACKER_STATUS_UPDATED",
    "TRANSACTION_CREATED",
    "REFUND_CREATED",
]
SHIPMENT_STEPS = {
    "Pending": {"LabelCreated", "Shipped", "Received", "Canceled", "Validated"},
    "LabelCreated": {"Shipped", "Received", "Canceled", "Validated"},
    "Shipped": {"Received", "Canceled", "Validated"},
    "Canceled": {"Received", "Validated"},
    "Received": {"Validated"},
    "Validated": set(),
}
# ReturnGO's retries are not documented; five within about an hour are assumed.
RETRIES_SECONDS = (10.0, 60.0, 300.0, 900.0, 1800.0)


def announce(world: World, store: Store, event: str, body: Json) -> None:
    """Sends an event to its registered addresses, unsigned as ReturnGO does."""
    content = json.dumps({"eventName": event, **body}).encode()
    for hook in store.hooks.values():
        if hook.event == event:
            world.outgoing.send(
                Delivery(
                    id=str(uuid.uuid4()),
                    system="returngo",
                    shop=store.shop,
                    topic=event,
                    url=hook.url,
                    headers={"Content-Type": "application/json", "User-Agent": "ReturnGO"},
                    body=content,
                    retries_seconds=RETRIES_SECONDS,
                    given_up=lambda: None,
                )
            )


def set_status(world: World, store: Store, rma: Rma, status: str, via: str) -> None:
    """The RMA's status: moves lastUpdated and is announced; setting what it is already changes nothing."""
    if rma.status == status:
        return
    rma.status = status
    rma.updated_at = world.clock.now()
    name = {"Approved": "RMA_APPROVED", "Done": "RMA_DONE", "Received": "RMA_RECEIVED"}.get(
        status, f"RMA_{status.upper()}"
    )
    rma.events.append((name, rma.updated_at, via))
    comment(world, rma, "system", via, f"RMA status changed to {status.lower()}")
    announce(world, store, "RMA_STATUS_UPDATED", _rma_body(rma, rma.updated_at))


def set_shipment(world: World, store: Store, rma: Rma, shipment: Shipment, status: str, via: str) -> None:
    """The shipment's status; lastUpdated of the RMA stays where it is."""
    if shipment.status == status:
        return
    shipment.status = status
    comment(world, rma, "system", via, f"Shipment with ID: {shipment.id} was updated to {status.upper()}")
    body: Json = {
        "rmaId": str(rma.id),
        "shipmentId": str(shipment.id),
        "status": status,
        "trackingNumber": shipment.tracking_number,
    }
    announce(world, store, "SHIPMENT_STATUS_UPDATED", body)


def created(world: World, store: Store, rma: Rma) -> None:
    """A new RMA."""
    rma.events.append(("RMA_CREATED", rma.created_at, "Return Portal"))
    announce(world, store, "RMA_CREATED", _rma_body(rma, rma.created_at))


def shipment_created(world: World, store: Store, rma: Rma, shipment: Shipment) -> None:
    """A new shipment."""
    body: Json = {"rmaId": str(rma.id), "shipmentId": str(shipment.id), "status": shipment.status}
    announce(world, store, "SHIPMENT_CREATED", body | {"trackingNumber": shipment.tracking_number})


def tracked(world: World, store: Store, rma: Rma, shipment: Shipment, status: str) -> None:
    """The carrier said something."""
    comment(world, rma, "system", "Automation", f"Shipment with ID: {shipment.id} was updated: {status}")
    body: Json = {"rmaId": str(rma.id), "shipmentId": str(shipment.id), "trackerStatus": status}
    announce(world, store, "SHIPMENT_TRACKER_STATUS_UPDATED", body | {"trackingNumber": shipment.tracking_number})


def payout_created(world: World, store: Store, rma: Rma, payout: Payout) -> None:
    """A new transaction."""
    announce(
        world,
        store,
        "TRANSACTION_CREATED",
        {"rmaId": str(rma.id), "transaction": transaction(payout) | {"id": str(payout.id)}},
    )


def payout_settled(world: World, store: Store, rma: Rma, payout: Payout) -> None:
    """A refund that succeeded."""
    if payout.type.startswith("Refund") and payout.status == "Success":
        comment(world, rma, "system", "Automation", f"transaction id {payout.id} refund")
        body: Json = {"rmaId": str(rma.id), "transactionId": str(payout.id), "refundId": payout.reference}
        announce(world, store, "REFUND_CREATED", body)


def comment(world: World, rma: Rma, kind: str, by: str, html: str) -> None:
    """A timeline entry; lastUpdated stays where it is."""
    rma.comments.append(Comment(type=kind, by=by, html=html, at=world.clock.now()))


def _rma_body(rma: Rma, at: datetime) -> Json:
    name = rma.order_name.removeprefix("#")
    return {"rmaId": str(rma.id), "status": rma.status, "order_name": name, "eventDate": iso_offset(at)}
