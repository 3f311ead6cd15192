"""ReturnGO's writing endpoints. None has an idempotency key: the same comment twice is two comments."""

from urllib.parse import urlsplit

from ops.sandbox.returngo import changes
from ops.sandbox.returngo.store import Hook, Outcome
from ops.sandbox.returngo.visit import Reply, Visit, message

API = "ReturnGO API"


def add_comment(visit: Visit) -> Reply:
    """POST /rma/{rmaId}/comment"""
    rma, html = visit.store.rmas.get(visit.number), visit.field("htmlText")
    if rma is None:
        return message(404, "RMA not found")
    if not html:
        return message(400, "htmlText is required")
    changes.comment(visit.world, rma, "merchant", API, html)
    _note(visit, "comment", str(rma.id), html, None)
    return 201, {"message": "ok"}


def put_status(visit: Visit) -> Reply:
    """PUT /rma/{rmaId}/status: transitions are not published, so any known status is taken."""
    rma, status = visit.store.rmas.get(visit.number), visit.field("status")
    if rma is None:
        return message(404, "RMA not found")
    if status not in changes.RMA_STATUSES:
        return message(400, f"invalid status: {status}")
    changes.set_status(visit.world, visit.store, rma, status, API)
    _note(visit, "status", str(rma.id), status, None)
    return 200, {"message": "ok"}


def put_shipment(visit: Visit) -> Reply:
    """PUT /shipment/{shipmentId}: the published transitions; the same status changes only the other fields."""
    found, status = visit.store.shipment(visit.number), visit.field("status")
    if found is None:
        return message(404, "shipment not found")
    rma, shipment = found
    if status and status != shipment.status and status not in changes.SHIPMENT_STEPS[shipment.status]:
        return message(400, f"invalid shipment status transition: {shipment.status} to {status}")
    shipment.carrier = visit.field("carrierName") or shipment.carrier
    shipment.tracking_number = visit.field("trackingNumber") or shipment.tracking_number
    shipment.tracking_url = visit.field("trackingURL") or shipment.tracking_url
    shipment.label_url = visit.field("labelURL") or shipment.label_url
    if status:
        changes.set_shipment(visit.world, visit.store, rma, shipment, status, API)
    if status == "Received" and rma.status in ("Pending", "Approved"):
        changes.set_status(visit.world, visit.store, rma, "Received", API)
    _note(visit, "shipment", str(shipment.id), status or "", shipment.tracking_number)
    return 200, {"message": "ok"}


def put_transaction(visit: Visit) -> Reply:
    """PUT /transaction/{transactionId}: the outcome of a transaction that ReturnGO asked for."""
    found, status = visit.store.payout(visit.number), visit.field("status")
    if found is None:
        return message(404, "transaction not found")
    if not status:
        return message(400, "status is required")
    rma, payout = found
    before = payout.status
    payout.status, payout.updated_at = status, visit.world.clock.now()
    payout.reference = visit.field("externalReferenceId") or payout.reference
    payout.reference_type = visit.field("externalReferenceType") or payout.reference_type
    if before != status:
        changes.payout_settled(visit.world, visit.store, rma, payout)
    _note(visit, "transaction", str(payout.id), status, payout.reference)
    return 200, {"message": "ok"}


def add_webhook(visit: Visit) -> Reply:
    """POST /webhook: one address and one event per registration."""
    url, event = visit.field("url"), visit.field("eventName")
    if refused := _wrong_hook(url, event):
        return refused
    hook = Hook(id=visit.world.number("hook", 4001), url=url or "", event=event or "")
    visit.store.hooks[hook.id] = hook
    return 200, {"id": str(hook.id), "url": hook.url, "eventName": hook.event}


def put_webhook(visit: Visit) -> Reply:
    """PUT /webhook/{webhookId}"""
    hook = visit.store.hooks.get(visit.number)
    if hook is None:
        return message(404, "webhook not found")
    url, event = visit.field("url") or hook.url, visit.field("eventName") or hook.event
    if refused := _wrong_hook(url, event):
        return refused
    hook.url, hook.event = url, event
    return 200, {"id": str(hook.id), "url": hook.url, "eventName": hook.event}


def delete_webhook(visit: Visit) -> Reply:
    """DELETE /webhook/{webhookId}"""
    return (200, {"message": "ok"}) if visit.store.hooks.pop(visit.number, None) else message(404, "webhook not found")


def _wrong_hook(url: str | None, event: str | None) -> Reply | None:
    parts = urlsplit(url or "")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return message(400, "url is required")
    return None if event in changes.EVENTS else message(400, f"unknown eventName: {event}")


def _note(visit: Visit, kind: str, about: str, value: str, reference: str | None) -> None:
    outcome = Outcome(at=visit.world.clock.now(), kind=kind, about=about, value=value, reference=reference)
    visit.store.outcomes.append(outcome)
