"""The ReturnGO source: which webhooks lead to a read, and what reading an RMA teaches. Touches HTTP and SQL.

Each call counts against the 2 000 of a day. A webhook only says that something may have happened; it is read once per
stage from which a command can follow, and once while its parcel is under way. The rest is left to the polls.
"""

from collections.abc import Callable, Mapping
from typing import Literal

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
from streams.sources.returngo_rows import RmaNote, packed
from streams.sources.returngo_signals import REQUEST_GATHERS, Hint, hint
from streams.sources.work import Complaint, Learnt, Resource, Routed, Urgency, Wanted


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
                resource=envelope.resource(self.system, delivery.merchant, rma),
            )  # fmt: skip
        said = hint(told.event, delivery.body)
        notes: dict[str, str | None] = {ships_name(rma): "1"} if rma and said.stage == "parcel" else {}
        urgency = await self._urgency(delivery.merchant, rma, said) if rma else None
        if urgency is None:
            result: Literal["malformed", "ignored"] = "malformed" if complaint else "ignored"
            return Routed(result=result, complaint=complaint, merchant=delivery.merchant, notes=notes)
        merchant = self.merchants.get(delivery.merchant)
        store = merchant.systems.returngo if merchant else None
        gather = store.coalesce_seconds if store else 0.0
        wanted = Wanted(
            resource=Resource(merchant=delivery.merchant, kind="rma", name=rma), urgency=urgency, cause="signal",
            after_seconds=gather * REQUEST_GATHERS if urgency == "request" else gather,
        )  # fmt: skip
        return Routed(
            result="malformed" if complaint else "read", wanted=(wanted,), complaint=complaint,
            merchant=delivery.merchant, notes=notes,
        )  # fmt: skip

    async def _urgency(self, merchant: str, rma: str, said: Hint) -> Urgency | None:
        """By what is known already: a signal about what was read, or about what nobody knows, needs no read."""
        names = [f"rma:{rma}", f"transaction:{said.transaction}"]
        known = await self._memory.notes(merchant, names)
        note = msgspec.json.decode(known[names[0]], type=RmaNote) if names[0] in known else None
        rules = self.merchants.get(merchant)
        match said:
            case Hint(stage="receipt"):
                return "effect" if rules is not None and needs_receipt(rules) else None
            case Hint(stage="over") if note is not None and note.inspected:
                return None
            case Hint(stage="stopped") if note is None:
                return None
            case Hint(transaction=str(told)) if told and names[1] in known:
                return None
            case Hint(stage="parcel", urgency="news") if rules is not None and rules.systems.carrier and note:
                return None  # the carrier tells by itself what becomes of a parcel that we know
        return said.urgency

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
        name, ships = f"rma:{rma_id}", ships_name(rma_id)
        erased = f"erased:{rma_id}"
        notes = await self._memory.notes(merchant, [name, ships, erased])
        if erased in notes:
            return Learnt()  # nobody is to know anything of it again
        if urgency == "request":
            expected = self._expected(merchant) if ships in notes else "effect"
            if expected is None:
                return Learnt()
            urgency = expected
        body = await ask(self._transport, merchant, read.rma(connection, rma_id), urgency)
        if body is None:
            return Learnt(absent=True)
        read_ms, known = self._now_ms(), notes.get(name)
        before = msgspec.json.decode(known, type=returngo.Before) if known else None
        labels = self.merchants[merchant].known_labels if merchant in self.merchants else frozenset[str]()
        facts = returngo.events(body, merchant=merchant, read_at_ms=read_at_ms, before=before, known=labels)
        now = returngo.now(body, labels)
        note = RmaNote(
            order_id=facts[0].order_id, read_ms=read_ms, status=now.status, units=now.units,
            updated_ms=returngo.updated_ms(body), inspected=returngo.inspected(body),
        )  # fmt: skip
        kept = {name: msgspec.json.encode(note).decode(), f"told:{rma_id}": packed(returngo.told(body, labels))}
        return Learnt(facts=tuple(facts), notes={**kept, **names_of(body, rma_id)})

    def _expected(self, merchant: str) -> Urgency | None:
        """How much it matters to know goods that are to come: to the doors that may speak of them before ReturnGO."""
        systems = self.merchants[merchant].systems
        if systems.warehouse is not None:
            return "effect"
        return None if systems.carrier is None else "news"


def ships_name(rma_id: str) -> str:
    """The note that an RMA has a parcel."""
    return f"ships:{rma_id}"


def needs_receipt(merchant: Merchant) -> bool:
    """Whether goods that arrived may lead to a command."""
    return any(each.inspecting.needs_receipt for each in (merchant.model, *merchant.models))


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
