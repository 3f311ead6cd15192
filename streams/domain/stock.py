"""`decide_stock`: what cases want put back, checked against the item master of the system of record.

The row of an item holds its newest item master, whether its locations are active, and the intents that were asked for.
What an item is, its system's own id says. An intent that names none goes to the row of its SKU, which knows what the
SKU finds, and is passed on to the row of the one item that is meant. An intent without a known item waits; one that is
impossible is asked again whenever the item changes.
What an intent became is kept, so that a repeated intent gives the very same commands. Each intent has a command, and so
an id, of its own; that some go out in one request is the sink's business. A journal entry of the system that names a
command confirms its intent (INV-17). The components of a bundle have rows of their own, and their entries arrive there:
each is told its part of the intent by a record named like its command, and confirms that.
"""

from typing import Literal, assert_never

import msgspec
from msgspec.structs import replace

from schemas import ids
from schemas.commands import Restock
from schemas.merchant import Merchant
from schemas.numbers import unfit
from schemas.stock import RestockIntent, RestockVerdict, StockItem, StockLevel
from streams.domain import absurd, output
from streams.domain.learnt import Stamp, stamped
from streams.domain.output import Output
from streams.domain.stock_find import Found, Impossible
from streams.domain.stock_plan import Commanded, Order, Waiting, plan, undo

StockFact = StockItem | StockLevel | RestockIntent
# Settled intents are only kept to repeat them word for word; older ones would be planned to the same ids anyway.
KEPT_INTENTS = 500
# Intents that wait or are impossible are kept to command them later. What comes when so many are there is answered and
# forgotten: its case asks again by itself.
KEPT_WAITING = 500
# Journal entries that name a command not asked for yet: in a replay they may come first.
KEPT_ENTRIES = 50

Word = Literal["commanded", "impossible", "waiting", "passed"]
SETTLED: tuple[Word, ...] = ("commanded", "passed")


class Ask(msgspec.Struct, frozen=True, array_like=True):
    """An intent and the last word on it."""

    intent: RestockIntent
    word: Word | None = None
    reason: str = ""
    detail: str = ""
    orders: tuple[Order, ...] = ()
    decided_at_ms: int = 0
    confirmed: bool = False  # the system's own journal shows it
    item_id: str = ""  # to whose row it was passed on


class Item(msgspec.Struct, frozen=True, array_like=True):
    """One item, or what a SKU or a variant id finds."""

    merchant: str
    sku: str
    now_ms: int
    items: dict[str, StockItem] = {}  # by system
    places: dict[str, tuple[Stamp, bool]] = {}  # system|location id → active
    asks: dict[str, Ask] = {}
    entries: tuple[str, ...] = ()  # commands that the journal names and nobody asked for yet
    judged_by: str = ""  # digest of the merchant's configuration that its intents were last planned by


def decide_stock(state: Item | None, fact: StockFact, rules: Merchant) -> tuple[Item, list[Output]]:
    """The row after a fact and what follows. A repeated intent gives the same commands and verdict again."""
    if (problem := unfit(fact)) is not None:
        return state or Item(fact.merchant, fact.sku, 0), [absurd.refused(fact, problem, _time(fact))]
    before = state or Item(fact.merchant, fact.sku, _time(fact))
    after = _learn(before, fact)
    repeated = isinstance(fact, RestockIntent) and fact.intent_id in before.asks
    if isinstance(fact, RestockIntent) and repeated:
        outputs = _told(after.asks[fact.intent_id])
        return (after if state is None or after is not before else state), outputs
    after, outputs = _answer(after, rules)
    after, confirmed = _confirm(after)
    if after.asks and after.judged_by != rules.digest:
        after = replace(after, judged_by=rules.digest)
    return after, outputs + confirmed


def stale(item: Item, digest: str) -> bool:
    """Whether intents wait that were planned by another configuration than this one."""
    return item.judged_by != digest and any(ask.word not in SETTLED for ask in item.asks.values())


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
            for place in fact.locations:
                item = _placed(item, fact, place.location_id, active=place.active)
            known = item.items.get(fact.system)
            newer = known is None or stamped(known, known.version_ms) < stamped(fact, fact.version_ms)
            return replace(item, items=item.items | {fact.system: fact}) if newer else item
        case StockLevel():
            item = _placed(item, fact, fact.location_id, active=fact.active)
            if fact.reference is None or fact.reference in item.entries or _confirmed(fact.reference, item):
                return item
            return replace(item, entries=(*item.entries, fact.reference)[-KEPT_ENTRIES:])
        case RestockIntent():
            if fact.intent_id in item.asks:
                return item
            return replace(item, asks=item.asks | {fact.intent_id: _asked(fact)})
        case _:
            assert_never(fact)


def _confirmed(command_id: str, item: Item) -> bool:
    """An entry read again tells nothing new, and must not push others out."""
    ask = item.asks.get(command_id)
    return ask is not None and ask.confirmed


def _asked(intent: RestockIntent) -> Ask:
    if intent.part_of is None:
        return Ask(intent)
    order = Order(intent.intent_id, intent.sku, intent.item_id or "", intent.quantity, None)
    return Ask(intent, "commanded", orders=(order,), decided_at_ms=intent.decided_at_ms)


def _placed(item: Item, fact: StockItem | StockLevel, location_id: str, *, active: bool) -> Item:
    key, stamp = f"{fact.system}|{location_id}", stamped(fact, _time(fact))
    known = item.places.get(key)
    if known is not None and known[0] >= stamp:
        return item
    return replace(item, places=item.places | {key: (stamp, active)})


def _answer(item: Item, rules: Merchant) -> tuple[Item, list[Output]]:
    """Plans every intent that is not commanded yet; only a changed word is told."""
    asks = dict(item.asks)
    outputs: list[Output] = []
    for intent_id, ask in item.asks.items():
        if ask.word in SETTLED:
            continue
        new = _planned(ask, item, rules)
        if (new.word, new.reason, new.detail) != (ask.word, ask.reason, ask.detail):
            if new.decided_at_ms <= ask.decided_at_ms:  # the case believes the newest of its words
                new = replace(new, decided_at_ms=ask.decided_at_ms + 1)
            asks[intent_id] = new
            outputs += _told(new)
    kept = _kept(asks)
    return (replace(item, asks=kept) if outputs or len(kept) < len(asks) else item), outputs


def _confirm(item: Item) -> tuple[Item, list[Output]]:
    """Commanded intents that the journal shows."""
    shown = {
        intent_id: replace(ask, confirmed=True)
        for intent_id, ask in (item.asks.items() if item.entries else ())
        if not ask.confirmed and ask.orders and all(order.command_id in item.entries for order in ask.orders)
    }
    if not shown:
        return item, []
    named = {order.command_id for ask in shown.values() for order in ask.orders}
    entries = tuple(entry for entry in item.entries if entry not in named)
    return replace(item, asks=item.asks | shown, entries=entries), [
        output.verdict(_verdict(ask)) for ask in shown.values()
    ]


def _planned(ask: Ask, item: Item, rules: Merchant) -> Ask:
    put = _undone(ask.intent, item)
    if put is not None and put.word == "passed":
        return _passed(ask, item, put.item_id, put.intent.sku)
    closed = item.places.get(f"{ask.intent.system}|{ask.intent.location_id}", (None, True))[1] is False
    match plan(ask.intent, item.items.get(ask.intent.system), rules, closed=closed):
        case Waiting(detail=detail):
            return replace(ask, word="waiting", reason="", detail=detail, decided_at_ms=item.now_ms)
        case Impossible(reason=reason, detail=detail):
            return replace(ask, word="impossible", reason=reason, detail=detail, decided_at_ms=item.now_ms)
        case Found(hit=hit):
            return _passed(ask, item, hit.item_id, hit.sku or ask.intent.sku)
        case Commanded(orders=orders):
            orders = orders if put is None else undo(ask.intent, put.intent, put.orders)
            return replace(ask, word="commanded", reason="", detail="", orders=orders, decided_at_ms=item.now_ms)
        case other:
            assert_never(other)


def _passed(ask: Ask, item: Item, item_id: str, sku: str) -> Ask:
    return replace(
        ask, word="passed", reason="", detail="", decided_at_ms=item.now_ms, item_id=item_id,
        intent=replace(ask.intent, sku=sku),
    )  # fmt: skip


def _undone(intent: RestockIntent, item: Item) -> Ask | None:
    """What put into stock that this intent takes out; None: it puts something in, or that is forgotten."""
    if intent.quantity > 0:
        return None
    put = [
        ask for ask in item.asks.values()
        if ask.word in SETTLED and ask.intent.quantity == -intent.quantity
        and ask.intent.generation < intent.generation and ask.intent.unit_ids == intent.unit_ids
        and (ask.intent.order_id, ask.intent.rma_id) == (intent.order_id, intent.rma_id)
        and _shelf(ask.intent) == _shelf(intent)
    ]  # fmt: skip
    return max(put, key=lambda ask: ask.intent.generation, default=None)


def _shelf(intent: RestockIntent) -> tuple[str, str, str]:
    return intent.system, intent.location_id, intent.stock_status


def _kept(asks: dict[str, Ask]) -> dict[str, Ask]:
    settled = [i for i, ask in asks.items() if ask.word in SETTLED]
    waiting = [i for i, ask in asks.items() if ask.word not in SETTLED and ask.reason != "no_item"]
    if len(settled) > KEPT_INTENTS:
        settled = sorted(settled, key=lambda i: (asks[i].decided_at_ms, i))[-KEPT_INTENTS:]
    kept = {*settled, *waiting[:KEPT_WAITING]}
    return asks if len(kept) == len(asks) else {i: ask for i, ask in asks.items() if i in kept}


def _told(ask: Ask) -> list[Output]:
    if ask.intent.part_of is not None:
        return [output.verdict(_verdict(ask))] if ask.confirmed else []
    if ask.word == "passed":
        return [output.intent(replace(ask.intent, item_id=ask.item_id, decided_at_ms=ask.decided_at_ms))]
    commands = [output.command(_restock(order, ask)) for order in ask.orders]
    parts = [output.intent(_part(order, ask)) for order in ask.orders if order.command_id != ask.intent.intent_id]
    return [*commands, *parts, output.verdict(_verdict(ask))]


def _part(order: Order, ask: Ask) -> RestockIntent:
    return replace(
        ask.intent, intent_id=order.command_id, sku=order.sku, item_id=order.item_id, line_id=None, variant_id=None,
        quantity=order.quantity, decided_at_ms=ask.decided_at_ms, part_of=ask.intent.intent_id,
    )  # fmt: skip


def _restock(order: Order, ask: Ask) -> Restock:
    intent = ask.intent
    return Restock(
        command_id=order.command_id, merchant=intent.merchant, system=intent.system, order_id=intent.order_id,
        rma_id=intent.rma_id, unit_ids=intent.unit_ids, generation=intent.generation,
        decided_at_ms=ask.decided_at_ms, sku=order.sku, item_id=order.item_id, location_id=intent.location_id,
        quantity=order.quantity, stock_status=intent.stock_status, line_id=order.line_id,
        stocked_before=intent.stocked_before,
    )  # fmt: skip


def _verdict(ask: Ask) -> RestockVerdict:
    intent = ask.intent
    word = "confirmed" if ask.confirmed else "waiting" if ask.word is None or ask.word == "passed" else ask.word
    return RestockVerdict(
        fact_id=ids.fact_id("stock", intent.intent_id, word, ask.reason, ask.detail), merchant=intent.merchant,
        order_id=intent.order_id, rma_id=intent.rma_id, intent_id=intent.intent_id, unit_ids=intent.unit_ids,
        sku=intent.sku, verdict=word, decided_at_ms=ask.decided_at_ms, reason=ask.reason or None,
        detail=ask.detail or None, command_ids=tuple(order.command_id for order in ask.orders),
    )  # fmt: skip
