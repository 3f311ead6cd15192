"""The Shopify source: orders by webhook and poll, and whatever a return names. Touches HTTP and SQL.

It also consumes `return-events`: an order that a return names and that we do not have is read, its SKUs are looked up.
And `restock-intents`: the item that one names is read by its id.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Literal

import msgspec

from schemas.clock import ahead
from schemas.facts import Delivery, ReturnEvent
from schemas.merchant import Merchant
from schemas.sku import meant
from schemas.stock import RestockIntent
from sinks.systems.shopify import read
from sinks.transport import Transport
from streams.sources import envelope, erasing, goods, shopify_orders
from streams.sources.fields import Json, ident, instant, opt_ident, rows
from streams.sources.goods import GOODS, noted
from streams.sources.memory import Memory
from streams.sources.reading import ask
from streams.sources.repeats import Repeats
from streams.sources.shopify_effects import effects
from streams.sources.work import Cause, Complaint, Learnt, Resource, Routed, Urgency, Wanted

# An item read this recently is not read again for another return, unless goods have just been graded.
FRESH_SECONDS = 300.0
FRESH_FOR_GRADED_SECONDS = 20.0
CUSTOMER_OF = "customer-of:"  # an order's name in the memory, whose note is the customer: found when it is erased
ERASED = "erased:"  # an order, or an RMA of ReturnGO's, that was erased on request
MOST_ITEMS = 200  # that a change of a location makes us read again


_OWNED: dict[str, Literal["return", "reverse"]] = {envelope.RETURN: "return", envelope.REVERSE: "reverse"}


class AbsentNote(msgspec.Struct, frozen=True, kw_only=True):
    """An order that the shop did not know when it was asked."""

    tries: int
    due_ms: int
    first_ms: int

    def due(self, now_ms: int) -> bool:
        """Whether it is to be asked for again; no wait is longer than it was when it began."""
        return self.due_ms <= now_ms or ahead(self.due_ms, now_ms, absent_ms(self.tries))


def absent_ms(tries: int) -> int:
    """How long an order that the shop does not know is left alone: soon, then more and more rarely."""
    return min(15_000 << min(tries, 20), 6 * 3_600_000)


class ShopifySource:
    """Deliveries, triggers and reads of every merchant that has a Shopify shop."""

    system = shopify_orders.SYSTEM

    def __init__(
        self, merchants: Mapping[str, Merchant], transport: Transport, memory: Memory, now_ms: Callable[[], int],
        elsewhere: Collection[str] = (),
    ) -> None:  # fmt: skip
        self.merchants = merchants
        self._elsewhere = elsewhere  # merchants who have a file and no Shopify shop
        self._transport = transport
        self._memory = memory
        self._now_ms = now_ms
        self._repeats = Repeats(most=20_000)

    async def route(self, delivery: Delivery) -> Routed:
        """An order or an item to read, or a complaint about a body that names neither."""
        told = envelope.envelope(self.system, delivery.headers, delivery.body)
        if told.problem is not None:
            complaint = Complaint(
                merchant=delivery.merchant, subject=delivery.delivery_id, at_ms=delivery.received_at_ms,
                detail=f"{told.event[:40] or 'no topic'}: {told.problem}",
                resource=envelope.resource(self.system, delivery.merchant, told.resource_id),
            )  # fmt: skip
            return Routed(result="malformed", complaint=complaint)
        if told.event in envelope.COMPLIANCE:
            return Routed(result="direct", complaint=erasing.complaint(delivery, told.event))
        if self._repeats.seen(f"{delivery.merchant} {delivery.delivery_id}"):
            return Routed(result="repeat")
        resources = await self._named(delivery.merchant, told.resource_id)
        wanted = tuple(self._wanted(each, "signal") for each in resources)
        return Routed(result="read" if wanted else "ignored", wanted=wanted)

    def revoked(self) -> None:
        """Deliveries may be consumed again: none of them counts as a repeat."""
        self._repeats.clear()

    def _wanted(self, resource: Resource, cause: Cause) -> Wanted:
        merchant = self.merchants.get(resource.merchant)
        shop = merchant.systems.shopify if merchant else None
        gather = shop.coalesce_seconds if shop and cause == "signal" else 0.0
        return Wanted(resource=resource, urgency="effect", cause=cause, after_seconds=gather)

    async def _named(self, merchant: str, resource_id: str) -> list[Resource]:
        if resource_id.startswith(envelope.LOCATION):
            listed = await self._memory.listed(merchant, f"{GOODS}item:", MOST_ITEMS)
            return [noted(merchant, each) for each in listed.values()]
        if resource_id.startswith(envelope.ITEM):
            note = await self._noted(merchant, f"{GOODS}{resource_id}")
            return [noted(merchant, note)] if note else []  # an item that no return ever named
        for prefix, kind in _OWNED.items():
            if resource_id.startswith(prefix):
                order = await self._noted(merchant, resource_id)
                owned = Resource(merchant=merchant, kind=kind, name=resource_id.removeprefix(prefix))
                return [Resource(merchant=merchant, kind="order", name=order) if order else owned]
        return [Resource(merchant=merchant, kind="order", name=resource_id)]

    async def _noted(self, merchant: str, name: str) -> str | None:
        return (await self._memory.notes(merchant, [name])).get(name)

    async def triggered(self, told: ReturnEvent | RestockIntent) -> Routed:
        """What a return makes us read: its order unless we have it, its SKUs unless we have them from a moment ago.
        What is to be put into stock is read by the very name that its intent waits under."""
        merchant = told.merchant
        if merchant in self._elsewhere or not told.order_id:
            return Routed(result="ignored")
        if isinstance(told, RestockIntent):
            wanted = await self._stale(merchant, goods.of_intent(told), FRESH_FOR_GRADED_SECONDS)
        else:
            skus = {sku for unit in told.units for sku in (unit.sku, unit.exchange_sku) if sku}
            by_name = {
                meant(sku): Resource(merchant=merchant, kind="sku", name=sku) for sku in sorted(skus) if meant(sku)
            }
            wanted = await self._stale(merchant, list(by_name.values()), FRESH_SECONDS)
            order = f"order:{told.order_id}"
            if order not in await self._memory.notes(merchant, [order]):
                wanted = [Resource(merchant=merchant, kind="order", name=told.order_id), *wanted]
        return Routed(result="read" if wanted else "ignored", wanted=tuple(self._wanted(w, "trigger") for w in wanted))

    async def _stale(self, merchant: str, named: Sequence[Resource], fresh_seconds: float) -> list[Resource]:
        """Those of them that were not read for so long."""
        notes = await self._memory.notes(merchant, [goods.name_of(each) for each in named])
        most_ms, now_ms = int(fresh_seconds * 1000), self._now_ms()
        return [each for each in named if not goods.fresh(notes.get(goods.name_of(each)), most_ms, now_ms)]

    async def read(self, resource: Resource, urgency: Urgency, read_at_ms: int) -> Learnt:
        """An order with its effects, or an item with its levels; raises Unread, Malformed."""
        if resource.kind in ("sku", "variant", "item"):
            return await goods.read(self._transport, resource, urgency, read_at_ms, self._now_ms())
        if resource.kind in ("return", "reverse"):
            return await self._order_of(resource, urgency)
        if await self._noted(resource.merchant, f"{ERASED}{resource.name}") is not None:
            return Learnt()  # nobody is to know anything of it again
        connection, asked_ms = self._transport.connection(resource.merchant), self._now_ms()
        flow = read.order(connection, resource.name)
        order = await ask(self._transport, resource.merchant, flow, urgency)
        if order is None:
            return Learnt(absent=True, notes=await self._absent(resource))
        snapshot = shopify_orders.snapshot(order, merchant=resource.merchant, known=self._labels(resource.merchant))
        seen = effects(order, merchant=resource.merchant)
        # Of when it was asked, not of when all its pages had come: what changed meanwhile may not be in them.
        return Learnt(facts=(snapshot, *seen), notes=_order_notes(order, resource.name, asked_ms))

    def _labels(self, merchant: str) -> frozenset[str]:
        rules = self.merchants.get(merchant)
        return rules.known_labels if rules is not None else frozenset()

    async def _order_of(self, resource: Resource, urgency: Urgency) -> Learnt:
        """The order that a return belongs to, to be read next. One that is gone is no news: its order's version says
        what became of it."""
        kind: Literal["return", "reverse"] = "return" if resource.kind == "return" else "reverse"
        flow = read.order_of(self._transport.connection(resource.merchant), kind, resource.name)
        found = await ask(self._transport, resource.merchant, flow, urgency)
        if found is None:
            return Learnt(absent=True)
        order_id = ident(found, f"{kind}.order.id")
        order = Resource(merchant=resource.merchant, kind="order", name=order_id)
        return Learnt(notes={str(resource): order_id}, more=(order,))

    async def _absent(self, resource: Resource) -> dict[str, str | None]:
        """When to ask for an order again that the shop does not know: soon, then more and more rarely."""
        name, now_ms = f"absent:{resource.name}", self._now_ms()
        known = (await self._memory.notes(resource.merchant, [name])).get(name)
        before = msgspec.json.decode(known, type=AbsentNote) if known else None
        tries = before.tries + 1 if before else 1
        note = AbsentNote(tries=tries, due_ms=now_ms + absent_ms(tries), first_ms=before.first_ms if before else now_ms)
        return {name: msgspec.json.encode(note).decode()}


def _order_notes(order: Json, order_id: str, asked_ms: int) -> dict[str, str | None]:
    version = str(order.get("updatedAt"))
    # Versions count seconds: an order that changed just now may change again under the same version.
    settled = asked_ms - instant(version, "updatedAt") > 2000
    notes: dict[str, str | None] = {f"order:{order_id}": version if settled else f"{version} or later"}
    return {
        **notes, f"absent:{order_id}": None, f"{CUSTOMER_OF}{order_id}": shopify_orders.customer(order),
        **_owned(order, order_id),
    }  # fmt: skip


def _owned(order: Json, order_id: str) -> dict[str, str | None]:
    """By what else the order may be named: webhooks of returns carry only their own ids."""
    found: dict[str, str | None] = {}
    for native in rows(order.get("returns"), "returns"):
        found[f"{envelope.RETURN}{opt_ident(native.get('id'), 'returns.id')}"] = order_id
        for reverse in rows(native.get("reverseFulfillmentOrders"), "returns.reverseFulfillmentOrders"):
            found[f"{envelope.REVERSE}{opt_ident(reverse.get('id'), 'reverseFulfillmentOrders.id')}"] = order_id
    return found
