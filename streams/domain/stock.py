"""`decide_stock`: what cases want put back, checked against the item master of the system of record.

The row of a SKU holds the newest item master, whether its locations are active, and the intents that were asked for. An
intent without a known item waits; one that is impossible is asked again whenever the item changes. What an intent
became is kept, so that a repeated intent gives the very same commands. Each command has an id of its own; that some go
out in one request is the sink's business.
"""

from typing import Literal, assert_never

import msgspec
from msgspec.structs import replace

from schemas import ids
from schemas.commands import Restock
from schemas.merchant import Merchant
from schemas.stock import RestockIntent, RestockVerdict, StockItem, StockLevel
from streams.domain import output
from streams.domain.learnt import Stamp
from streams.domain.output import Output
from streams.domain.stock_plan import Commanded, Impossible, Order, Waiting, plan

StockFact = StockItem | StockLevel | RestockIntent
# Settled intents are only kept to repeat them word for word; older ones would be planned to the same ids anyway.
KEPT_INTENTS = 500


Word = Literal["commanded", "impossible", "waiting"]


class Ask(msgspec.Struct, frozen=True, array_like=True):
    """An intent and the last word on it."""

    intent: RestockIntent
    word: Word | None = None
    reason: str = ""
    detail: str = ""
    orders: tuple[Order, ...] = ()
    decided_at_ms: int = 0


class Item(msgspec.Struct, frozen=True, array_like=True):
    """One SKU."""

    merchant: str
    sku: str
    now_ms: int
    stamp: Stamp | None = None
    item: StockItem | None = None
    places: dict[str, tuple[Stamp, bool]] = {}  # location id → active
    asks: dict[str, Ask] = {}


def decide_stock(state: Item | None, fact: StockFact, rules: Merchant) -> tuple[Item, list[Output]]:
    """The SKU after a fact and what follows. A repeated intent gives the same commands and verdict again."""
    before = state or Item(fact.merchant, fact.sku, _time(fact))
    after = _learn(before, fact)
    repeated = isinstance(fact, RestockIntent) and fact.intent_id in before.asks
    if isinstance(fact, RestockIntent) and repeated:
        outputs = _told(after.asks[fact.intent_id])
        return (after if state is None or after is not before else state), outputs
    return _answer(after, rules)


def _time(fact: StockFact) -> int:
    match fact:
        case StockItem():
            return fact.version_ms
        case StockLevel():
            return fact.observed_at_ms
        case RestockIntent():
            return fact.decided_at_ms
        case _:
            assert_never(fact)


def _learn(item: Item, fact: StockFact) -> Item:
    at_ms = _time(fact)
    if at_ms > item.now_ms:
        item = replace(item, now_ms=at_ms)
    match fact:
        case StockItem():
            stamp = Stamp(at_ms, fact.fact_id)
            for place in fact.locations:
                item = _placed(item, place.location_id, stamp, active=place.active)
            return item if item.stamp is not None and item.stamp >= stamp else replace(item, stamp=stamp, item=fact)
        case StockLevel():
            return _placed(item, fact.location_id, Stamp(at_ms, fact.fact_id), active=fact.active)
        case RestockIntent():
            known = item.asks.get(fact.intent_id)
            return item if known is not None else replace(item, asks=item.asks | {fact.intent_id: Ask(fact)})
        case _:
            assert_never(fact)


def _placed(item: Item, location_id: str, stamp: Stamp, *, active: bool) -> Item:
    known = item.places.get(location_id)
    if known is not None and known[0] >= stamp:
        return item
    return replace(item, places=item.places | {location_id: (stamp, active)})


def _answer(item: Item, rules: Merchant) -> tuple[Item, list[Output]]:
    """Plans every intent that is not commanded yet; only a changed word is told."""
    closed = frozenset(location for location, (_, active) in item.places.items() if not active)
    asks = dict(item.asks)
    outputs: list[Output] = []
    for intent_id, ask in item.asks.items():
        if ask.word == "commanded":
            continue
        new = _planned(ask, item, closed, rules)
        if (new.word, new.reason, new.detail) != (ask.word, ask.reason, ask.detail):
            asks[intent_id] = new
            outputs += _told(new)
    if not outputs:
        return item, []
    return replace(item, asks=_kept(asks)), outputs


def _planned(ask: Ask, item: Item, closed: frozenset[str], rules: Merchant) -> Ask:
    match plan(ask.intent, item.item, closed, rules):
        case Waiting(detail=detail):
            return replace(ask, word="waiting", reason="", detail=detail, decided_at_ms=item.now_ms)
        case Impossible(reason=reason, detail=detail):
            return replace(ask, word="impossible", reason=reason, detail=detail, decided_at_ms=item.now_ms)
        case Commanded(orders=orders):
            return replace(ask, word="commanded", reason="", detail="", orders=orders, decided_at_ms=item.now_ms)
        case other:
            assert_never(other)


def _kept(asks: dict[str, Ask]) -> dict[str, Ask]:
    settled = [i for i, ask in asks.items() if ask.word == "commanded"]
    if len(settled) <= KEPT_INTENTS:
        return asks
    by_age = sorted(settled, key=lambda i: (asks[i].decided_at_ms, i))
    gone = set(by_age[: len(settled) - KEPT_INTENTS])
    return {i: ask for i, ask in asks.items() if i not in gone}


def _told(ask: Ask) -> list[Output]:
    commands = [output.command(_restock(order, ask)) for order in ask.orders]
    return [*commands, output.verdict(_verdict(ask))]


def _restock(order: Order, ask: Ask) -> Restock:
    intent = ask.intent
    return Restock(
        command_id=order.command_id, merchant=intent.merchant, system=intent.system, order_id=intent.order_id,
        rma_id=intent.rma_id, unit_ids=intent.unit_ids, generation=intent.generation,
        decided_at_ms=ask.decided_at_ms, sku=order.sku, item_id=order.item_id, location_id=intent.location_id,
        quantity=order.quantity, stock_status=intent.stock_status, line_id=order.line_id,
    )  # fmt: skip


def _verdict(ask: Ask) -> RestockVerdict:
    intent = ask.intent
    word = ask.word or "waiting"
    return RestockVerdict(
        fact_id=ids.fact_id("stock", intent.intent_id, word, ask.reason, ask.detail), merchant=intent.merchant,
        order_id=intent.order_id, rma_id=intent.rma_id, intent_id=intent.intent_id, unit_ids=intent.unit_ids,
        sku=intent.sku, verdict=word, decided_at_ms=ask.decided_at_ms, reason=ask.reason or None,
        detail=ask.detail or None, command_ids=tuple(order.command_id for order in ask.orders),
    )  # fmt: skip
