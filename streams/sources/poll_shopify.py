"""Shopify's polls: changed orders, orders that the shop did not know yet, items that stand in a restock's way."""

import msgspec

from schemas.merchant import Shopify
from sinks.systems.page import Page
from sinks.systems.shopify import read
from sinks.transport import Transport
from streams.sources.fields import ident, malformed
from streams.sources.goods import GOODS, GoodsNote
from streams.sources.memory import Memory
from streams.sources.polling import Changed, Row, sound
from streams.sources.reading import ask
from streams.sources.source_shopify import AbsentNote
from streams.sources.work import Resource

MOST = 200
UNSOUND_AGAIN_MS = 600_000  # an item somebody may have mended is looked at again after this
ABSENT_GIVE_UP_MS = 14 * 86_400_000


class OrderPoll:
    """Orders whose version is not the one that was read last."""

    name = "orders"
    first_look_back_ms = 86_400_000  # older orders are read when a return names them

    def __init__(self, merchant: str, shop: Shopify, transport: Transport, memory: Memory) -> None:
        self.merchant = merchant
        self.overlap_seconds = float(shop.overlap_seconds)
        self._transport = transport
        self._memory = memory

    async def pages(self, since_ms: int, cursor: str | None) -> Page:
        flow = read.orders_since(self._transport.connection(self.merchant), since_ms, cursor)
        return await ask(self._transport, self.merchant, flow, "page")

    async def changed(self, page: Page, since_ms: int, begun_ms: int) -> Changed:  # noqa: ARG002  see Poll
        listed, problems = sound(page.rows, _version)
        known = await self._memory.notes(self.merchant, [f"order:{order_id}" for order_id, _ in listed])
        news = dict.fromkeys(each for each, version in listed if known.get(f"order:{each}") != version)
        resources = tuple(Resource(merchant=self.merchant, kind="order", name=each) for each in news)
        return Changed(resources=resources, problems=problems)


def _version(row: Row) -> tuple[str, str]:
    version = row.get("updatedAt")
    if not isinstance(version, str):
        raise malformed("orders.updatedAt", "a time", version)
    return ident(row.get("id"), "orders.id"), version


class Leftovers:
    """What is asked for again from time to time because the last answer was not the hoped-for one."""

    def __init__(self, merchant: str, memory: Memory) -> None:
        self._merchant = merchant
        self._memory = memory

    async def due(self, now_ms: int) -> list[Resource]:
        return [*await self._absent(now_ms), *await self._unsound(now_ms)]

    async def _absent(self, now_ms: int) -> list[Resource]:
        """Orders that a return named and the shop did not know."""
        listed = await self._memory.listed(self._merchant, "absent:", MOST)
        notes = {
            name.removeprefix("absent:"): msgspec.json.decode(note, type=AbsentNote) for name, note in listed.items()
        }
        given_up = [name for name, note in notes.items() if note.first_ms < now_ms - ABSENT_GIVE_UP_MS]
        if given_up:
            await self._memory.keep(self._merchant, {f"absent:{name}": None for name in given_up})
        due = [name for name, note in notes.items() if note.due(now_ms) and name not in given_up]
        return [Resource(merchant=self._merchant, kind="order", name=name) for name in due]

    async def _unsound(self, now_ms: int) -> list[Resource]:
        """Items that did not exist, were not tracked or had an inactive location."""
        listed = await self._memory.listed(self._merchant, GOODS, MOST, holding=['"sound":false'])
        notes = [msgspec.json.decode(note, type=GoodsNote) for note in listed.values()]
        due = [note for note in notes if not note.sound and not note.read_within(UNSOUND_AGAIN_MS, now_ms)]
        return [Resource(merchant=self._merchant, kind=note.kind, name=note.name) for note in due]
