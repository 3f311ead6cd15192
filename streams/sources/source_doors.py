"""The warehouse and carrier doors as sources: their bodies are the facts, nothing is read. Touches SQL.

A body may name only an RMA or a parcel; ReturnGO's source knows the order. Until it does, the delivery waits in the
ledger, so that one wrong number holds up nobody.
"""

import base64
from collections.abc import Callable, Collection, Mapping
from typing import Protocol

import msgspec

from schemas.codec import Codec
from schemas.facts import Delivery, ReturnEvent
from schemas.merchant import Merchant
from streams.sources import carrier, returngo, warehouse
from streams.sources.again import Again
from streams.sources.fields import Malformed
from streams.sources.memory import Memory
from streams.sources.returngo_rows import RmaNote
from streams.sources.warehouse import Named
from streams.sources.work import Complaint, Resource, Routed

AGAIN_MS = 60_000
ASK_AGAIN_MS = 6 * 3_600_000  # a number that ReturnGO does not know costs a call each time
GIVE_UP_MS = 14 * 86_400_000  # as long as deliveries are kept


class WaitingNote(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery that names a return nobody knows yet. Its body is of our own form, without personal data."""

    delivery: str  # base64 of the encoded record
    first_ms: int
    complained: bool = False


class Message(Protocol):
    """A body of one of the doors, read."""

    @property
    def named(self) -> Named: ...

    def event(self, order_id: str, rma_id: str, known: Collection[str]) -> ReturnEvent | None:
        """The fact, None when the message says nothing that matters to us."""


class _Graded:
    """A warehouse's message."""

    def __init__(self, delivery: Delivery) -> None:
        self._delivery = delivery
        self._body = warehouse.read(delivery)
        self.named = warehouse.named(self._body)

    def event(self, order_id: str, rma_id: str, known: Collection[str]) -> ReturnEvent | None:
        return warehouse.event(self._delivery, self._body, order_id=order_id, rma_id=rma_id, known=known)


class _Tracked:
    """A carrier's message."""

    def __init__(self, delivery: Delivery) -> None:
        self._delivery = delivery
        self._body = carrier.read(delivery)
        self.named = carrier.named(self._body)

    def event(self, order_id: str, rma_id: str, known: Collection[str]) -> ReturnEvent | None:
        if not self._body.scanned:
            return None
        return carrier.event(self._delivery, self._body, order_id=order_id, rma_id=rma_id, known=known)


_READERS: dict[str, Callable[[Delivery], Message]] = {warehouse.SYSTEM: _Graded, carrier.SYSTEM: _Tracked}


class DoorSource:
    """Deliveries of one door for every merchant that has it."""

    def __init__(
        self, system: str, merchants: Mapping[str, Merchant], memory: Memory, codec: Codec, now_ms: Callable[[], int]
    ) -> None:
        self.system = system
        self.merchants = merchants
        self._memory = memory
        self._returngo = memory.of(returngo.SYSTEM)
        self._codec = codec
        self._now_ms = now_ms

    async def route(self, delivery: Delivery) -> Routed:
        """A fact, a note that it waits for its order or for its merchant's file, or a complaint."""
        try:
            message = _READERS[self.system](delivery)
            rules = self.merchants.get(delivery.merchant)
            found = await self._order_of(delivery.merchant, message.named) if rules is not None else None
            labels = rules.known_labels if rules is not None else frozenset[str]()
            event = message.event(*(found or ("?", "?")), labels)
        except Malformed as error:
            complaint = Complaint(
                merchant=delivery.merchant, subject=delivery.delivery_id, detail=str(error),
                at_ms=delivery.received_at_ms,
            )  # fmt: skip
            return Routed(result="malformed", complaint=complaint)
        if event is None:
            return Routed(result="ignored")
        if found is None:
            return Routed(result="waits", merchant=delivery.merchant, notes=self._waits(delivery))
        return Routed(result="direct", merchant=delivery.merchant, facts=(event,))

    def _waits(self, delivery: Delivery) -> dict[str, str | None]:
        encoded = base64.b64encode(self._codec.encode(delivery)).decode()
        note = WaitingNote(delivery=encoded, first_ms=delivery.received_at_ms)
        return {waiting_name(delivery): msgspec.json.encode(note).decode()}

    async def _order_of(self, merchant: str, named: Named) -> tuple[str, str] | None:
        """Order and RMA of what a message names; None while ReturnGO's source has not seen it."""
        rma_id = named.rma_id
        if not rma_id and named.tracking_number:
            rma_id = await self._told(merchant, f"tracking:{named.tracking_number}")
        if named.order_id:
            return named.order_id, rma_id
        note = await self._told(merchant, f"rma:{rma_id}") if rma_id else ""
        if rma_id and not note:
            await self._ask_for(Resource(merchant=merchant, kind="rma", name=rma_id))
        return (msgspec.json.decode(note, type=RmaNote).order_id, rma_id) if note else None

    async def _ask_for(self, rma: Resource) -> None:
        """Goods are here of a return that nobody has read, for nothing could follow from it before."""
        name = f"asked:{rma}"
        known = (await self._memory.notes(rma.merchant, [name])).get(name)
        if known is not None and 0 <= self._now_ms() - int(known) < ASK_AGAIN_MS:
            return
        await self._memory.keep(rma.merchant, {name: str(self._now_ms())})
        await self._returngo.keep(rma.merchant, Again(self._returngo).at_once(rma))

    async def _told(self, merchant: str, name: str) -> str:
        return (await self._memory.notes(merchant, [name], system=returngo.SYSTEM)).get(name, "")

    def revoked(self) -> None:
        """Nothing is remembered of deliveries."""


def waiting_name(delivery: Delivery) -> str:
    """Where a delivery waits."""
    return f"waiting:{delivery.delivery_id}"
