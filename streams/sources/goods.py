"""What Shopify has of goods: what a SKU or a variant id finds, and items by their ids. Touches HTTP."""

from typing import Literal

import msgspec

from schemas.clock import ahead
from schemas.sku import meant
from schemas.stock import RestockIntent
from sinks.systems.shopify import read as shop
from sinks.transport import Transport
from streams.sources import shopify_items
from streams.sources.reading import ask
from streams.sources.shopify_orders import SYSTEM
from streams.sources.work import Learnt, Resource, Urgency

Kind = Literal["sku", "item", "variant"]
GOODS = "goods:"  # in front of what is remembered of goods
MOST_READ = 3  # items of one SKU that are read with it; where there are more, an intent says which one it needs


class GoodsNote(msgspec.Struct, frozen=True, kw_only=True):
    """What is remembered of an item, or of what a SKU or a variant id finds. `sound`: nothing about it would stop a
    restock."""

    kind: Kind
    name: str  # its id, or the SKU as it was told
    read_ms: int
    sound: bool

    def read_within(self, most_ms: int, now_ms: int) -> bool:
        """Whether it was read so recently; a time ahead of now is of a clock that has been set back."""
        return self.read_ms >= now_ms - most_ms and not ahead(self.read_ms, now_ms, 0)


async def read(transport: Transport, resource: Resource, urgency: Urgency, read_at_ms: int, now_ms: int) -> Learnt:
    """Goods of one of the three kinds; raises Unread, Malformed."""
    if resource.kind == "item":
        return await _item(transport, resource, urgency, read_at_ms, now_ms)
    return await _found(transport, resource, urgency, read_at_ms, now_ms)


async def _found(transport: Transport, resource: Resource, urgency: Urgency, read_at_ms: int, now_ms: int) -> Learnt:
    """What a SKU or a variant id finds, and then those items themselves."""
    merchant, name = resource.merchant, resource.name
    connection = transport.connection(merchant)
    if resource.kind == "sku":
        found = await ask(transport, merchant, shop.variants_by_sku(connection, name), urgency)
        index = shopify_items.index(found, merchant=merchant, sku=name, read_at_ms=read_at_ms)
    else:
        found = await ask(transport, merchant, shop.variant(connection, name), urgency)
        index = shopify_items.index(found, merchant=merchant, variant_id=name, read_at_ms=read_at_ms)
    sound = sum(hit.active for hit in index.hits) == 1
    return Learnt(
        facts=(index,), notes=_note(resource, now_ms, sound=sound),
        more=tuple(_named(merchant, hit.item_id) for hit in index.hits[:MOST_READ]),
    )  # fmt: skip


async def _item(transport: Transport, resource: Resource, urgency: Urgency, read_at_ms: int, now_ms: int) -> Learnt:
    merchant, item_id = resource.merchant, resource.name
    found = await ask(transport, merchant, shop.item(transport.connection(merchant), item_id), urgency)
    if found is None:
        gone = shopify_items.missing(item_id, merchant=merchant, read_at_ms=read_at_ms)
        return Learnt(facts=(gone,), notes=_note(resource, now_ms, sound=False))
    item = shopify_items.item(found, merchant=merchant, read_at_ms=read_at_ms)
    levels = shopify_items.levels(found, merchant=merchant, read_at_ms=read_at_ms)
    parts = sorted({each.item_id for each in item.components if each.item_id} - {item_id})
    sound = item.tracked and all(place.active for place in item.locations)
    return Learnt(
        facts=(item, *levels), notes=_note(resource, now_ms, sound=sound),
        more=tuple(_named(merchant, each) for each in parts),
    )  # fmt: skip


def of_intent(intent: RestockIntent) -> list[Resource]:
    """What the row of an intent waits for, if it is Shopify's to know."""
    if intent.system != SYSTEM or intent.part_of is not None:
        return []
    if intent.item_id:
        return [_named(intent.merchant, intent.item_id)]
    if meant(intent.sku):
        return [Resource(merchant=intent.merchant, kind="sku", name=intent.sku)]
    if intent.variant_id:
        return [Resource(merchant=intent.merchant, kind="variant", name=intent.variant_id)]
    return []


def name_of(resource: Resource) -> str:
    """Where it is remembered: all spellings of a SKU in one place."""
    return f"{GOODS}{resource.kind}:{meant(resource.name) if resource.kind == 'sku' else resource.name}"


def noted(merchant: str, note: str) -> Resource:
    """What a note is about."""
    known = msgspec.json.decode(note, type=GoodsNote)
    return Resource(merchant=merchant, kind=known.kind, name=known.name)


def fresh(note: str | None, most_ms: int, now_ms: int) -> bool:
    """Whether a note says that it was read so recently."""
    return note is not None and msgspec.json.decode(note, type=GoodsNote).read_within(most_ms, now_ms)


def _named(merchant: str, item_id: str) -> Resource:
    return Resource(merchant=merchant, kind="item", name=item_id)


def _note(resource: Resource, now_ms: int, *, sound: bool) -> dict[str, str | None]:
    raw = {"kind": resource.kind, "name": resource.name, "read_ms": now_ms, "sound": sound}
    return {name_of(resource): msgspec.json.encode(msgspec.convert(raw, GoodsNote)).decode()}
