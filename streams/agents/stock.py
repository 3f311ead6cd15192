"""The stock agent's core: `decide_stock` on rows and records of bytes. Pure; the shell does the rest."""

import msgspec

from schemas import topics
from schemas.stock import RestockIntent, StockItem, StockLevel, row_key
from streams.agents.edge import Edge, check_key
from streams.domain.stock import Item, StockFact, decide_stock, stale
from streams.shell.contract import Decided, Output, Record

_KINDS: dict[str, type[StockFact]] = {
    topics.STOCK_ITEMS: StockItem,
    topics.STOCK_LEVELS: StockLevel,
    topics.RESTOCK_INTENTS: RestockIntent,
}


class Stock:
    """streams.shell.contract.Core for items. It has no deadlines: what waits, waits for a fact."""

    def __init__(self, edge: Edge) -> None:
        self._edge = edge
        self._rows = msgspec.msgpack.Decoder(Item)
        self._encoder = msgspec.msgpack.Encoder()

    def load(self, row: bytes) -> Item:
        return self._rows.decode(row)

    def dump(self, state: Item) -> bytes:
        return self._encoder.encode(state)

    def due(self, row: bytes) -> int | None:  # noqa: ARG002  the contract's signature
        return None

    def decide(self, state: Item | None, record: Record) -> Decided[Item]:
        fact = self._edge.fact(record, _KINDS)
        home = row_key(fact)
        if record.key != home and record.key == _by_sku(fact):
            again = Output(topic=record.topic, key=home, value=record.value, headers=record.headers)
            return Decided(state=None, outputs=[again])
        check_key(record, home)
        item, made = decide_stock(state, fact, self._edge.rules(fact.merchant))
        return Decided(state=item, outputs=self._edge.outputs(made))

    def reached(self, key: bytes, state: Item, due_ms: int) -> Output | None:  # noqa: ARG002
        return None

    def stale(self, key: bytes, row: bytes) -> bool:  # noqa: ARG002  streams.agents.upkeep.Reviewed
        item = self.load(row)
        return self._edge.knows(item.merchant) and stale(item, self._edge.rules(item.merchant).digest)

    def again(self, key: bytes, row: bytes) -> Output | None:
        """What is known of the item, told once more: intents are planned anew whenever it comes."""
        known = [each for each in self.load(row).items.values() if row_key(each) == key]
        if not known:
            return None  # they wait for the item, not for a person
        return Output(topic=topics.STOCK_ITEMS, key=key, value=self._edge.encode(known[0]))

    def refused(self, record: Record, reason: str, error: str) -> list[Output]:
        return list(self._edge.refused(record, reason, error))


def _by_sku(fact: StockFact) -> bytes:
    """The key of its row when rows were a SKU's: what still comes under it is sent on, and the row goes."""
    return f"{fact.merchant}|{fact.sku}".encode()
