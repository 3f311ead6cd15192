"""The ReturnGO source: which webhooks lead to a read, and what reading an RMA teaches. Touches HTTP and SQL.

Each call counts against the 2 000 of a day. A webhook only says that something may have happened; only those from which
a command can follow may use the reserve, and tracking news is left to the polls.
"""

from collections.abc import Callable, Mapping

import msgspec

from schemas.facts import Delivery
from schemas.merchant import Merchant
from schemas.text import replaced
from sinks.systems.returngo import read
from sinks.transport import Transport
from streams.sources import envelope, returngo
from streams.sources.fields import Json, code, opt, opt_ident, rows
from streams.sources.memory import Memory
from streams.sources.reading import ask
from streams.sources.work import Complaint, Learnt, Resource, Routed, Urgency, Wanted

_URGENCY: dict[str, Urgency] = {
    "RMA_STATUS_UPDATED": "effect",
    "SHIPMENT_STATUS_UPDATED": "effect",
    "TRANSACTION_CREATED": "effect",
    "REFUND_CREATED": "effect",
    "RMA_CREATED": "news",
}
# a parcel that has not arrived leads to no command
_UNDER_WAY = frozenset({"Pending", "LabelCreated", "Shipped", "Canceled"})


class RmaNote(msgspec.Struct, frozen=True, kw_only=True):
    """What is remembered of an RMA."""

    order_id: str
    read_ms: int
    status: str
    units: str  # digest of what was asked for


class ReturnGoSource:
    """Deliveries and reads of every merchant that uses ReturnGO."""

    system = returngo.SYSTEM

    def __init__(
        self, merchants: Mapping[str, Merchant], transport: Transport, memory: Memory, now_ms: Callable[[], int]
    ) -> None:
        self.merchants = merchants
        self._transport = transport
        self._memory = memory
        self._now_ms = now_ms

    async def route(self, delivery: Delivery) -> Routed:
        """An RMA to read, or nothing; an unusable body is a complaint, but an RMA it names is read all the same."""
        told = envelope.envelope(self.system, delivery.headers, delivery.body)
        rma = await self._rma(delivery.merchant, told.resource_id)
        complaint = None
        if told.problem is not None:
            complaint = Complaint(
                merchant=delivery.merchant, subject=delivery.delivery_id, at_ms=delivery.received_at_ms,
                detail=f"{told.event[:40] or 'no event'}: {told.problem}",
            )  # fmt: skip
        urgency = urgency_of(told.event, delivery.body)
        if not rma or urgency is None:
            return Routed(result="malformed" if complaint else "ignored", complaint=complaint)
        merchant = self.merchants.get(delivery.merchant)
        store = merchant.systems.returngo if merchant else None
        wanted = Wanted(
            resource=Resource(merchant=delivery.merchant, kind="rma", name=rma), urgency=urgency, cause="signal",
            after_seconds=store.coalesce_seconds if store else 0.0,
        )  # fmt: skip
        return Routed(result="malformed" if complaint else "read", wanted=(wanted,), complaint=complaint)

    def revoked(self) -> None:
        """Nothing is remembered of deliveries."""

    async def _rma(self, merchant: str, named: str) -> str:
        if not named.startswith("shipment:"):
            return named
        return (await self._memory.notes(merchant, [named])).get(named, "")

    async def read(self, resource: Resource, urgency: Urgency, read_at_ms: int) -> Learnt:
        """The RMA's milestones; raises Unread, Malformed."""
        merchant, rma_id = resource.merchant, resource.name
        connection = self._transport.connection(merchant)
        body = await ask(self._transport, merchant, read.rma(connection, rma_id), urgency)
        if body is None:
            return Learnt(absent=True)
        name, read_ms = f"rma:{rma_id}", self._now_ms()
        known = (await self._memory.notes(merchant, [name])).get(name)
        before = msgspec.json.decode(known, type=returngo.Before) if known else None
        facts = returngo.events(body, merchant=merchant, read_at_ms=read_at_ms, before=before)
        now = returngo.now(body)
        note = RmaNote(order_id=facts[0].order_id, read_ms=read_ms, status=now.status, units=now.units)
        return Learnt(facts=tuple(facts), notes={name: msgspec.json.encode(note).decode(), **names_of(body, rma_id)})


def urgency_of(event: str, body: bytes) -> Urgency | None:
    """How much a webhook matters; None: it is left to the polls. An event we do not know is read as news."""
    if event == "SHIPMENT_STATUS_UPDATED" and envelope.shipment_status(body) in _UNDER_WAY:
        return "news"
    if event in envelope.RETURNGO_EVENTS:
        return _URGENCY.get(event)
    return "news"


def names_of(body: Json, rma_id: str) -> dict[str, str | None]:
    """Other names by which an RMA may be asked for: its units, parcels, tracking numbers, transactions."""
    found: dict[str, str | None] = {}
    for row in rows(body.get("items"), "items"):
        found[f"unit:{opt_ident(row.get('returnedItemId'), 'items.returnedItemId')}"] = rma_id
    for row in rows(body.get("shipments"), "shipments"):
        found[f"shipment:{opt_ident(row.get('shipmentId'), 'shipments.shipmentId')}"] = rma_id
        if number := code(row.get("trackingNumber"), "shipments.trackingNumber"):
            found[f"tracking:{number}"] = rma_id
    for row in rows(body.get("transactions"), "transactions"):
        found[f"transaction:{opt_ident(row.get('id'), 'transactions.id')}"] = transaction_state(row)
    return found


def transaction_state(row: Json) -> str:
    """What tells whether a listed transaction is the one that was read with its RMA."""
    amount = opt(row.get("amount"), "transactions.amount").get("amount")
    return replaced("|".join(str(each) for each in (row.get("status"), row.get("lastUpdated"), amount)))[:200]
