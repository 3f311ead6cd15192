"""A day of returns at a ReturnGO that counts calls: real source, decisions, flows and quota, on a made-up clock.

The sandbox plays ReturnGO, with its limit; the shop answers each command at once and keeps books of its own.
"""

import heapq
import itertools
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import msgspec
from prometheus_client import CollectorRegistry

from ops.sandbox.app import build
from ops.sandbox.control.seed import open_shop
from ops.sandbox.control.specs import ShopSpec
from ops.sandbox.outgoing import Delivery as Hooked
from ops.sandbox.returngo import changes, drive, settle
from ops.sandbox.returngo.drive import Case
from ops.sandbox.returngo.request import RmaSpec, request_rma
from ops.sandbox.returngo.store import Hook
from ops.sandbox.settings import Settings
from ops.sandbox.shopify.sales import Order
from schemas.codec import Codec
from schemas.commands import Annotate, Command, Refund, Restock
from schemas.facts import ReturnEvent
from schemas.merchant import Merchant
from sinks import breaker, policy
from sinks.contract import Attempt, NotSent
from sinks.ledger.ledger import Ledger
from sinks.outcomes import AlreadyApplied, Applied, Deferred
from sinks.route import Route
from sinks.systems.returngo import SYSTEM
from sinks.telemetry import RequestTelemetry
from sinks.transport import Transport, TransportSettings
from streams.sources import envelope
from streams.sources.again import Again
from streams.sources.desk import Desk
from streams.sources.memory import Memory
from streams.sources.pending import Pending
from streams.sources.poll_returngo import RmaPoll, Sweep, TransactionPoll
from streams.sources.polling import Poller
from streams.sources.publishing import Outbox
from streams.sources.rounds import AgainRound, ReturnGoRound
from streams.sources.source_returngo import ReturnGoSource
from streams.sources.work import Place
from tests.unit.domain.factories import item, line, order
from tests.unit.domain.world import World, settled
from tests.unit.sources.doubles import Log

MIDNIGHT_MS = 1_780_012_800_000  # 2026-05-29 00:00 UTC
MINUTE, HOUR = 60_000, 3_600_000
SHOP, DOMAIN, KEY = "day-shop", "day.example", "day-key"
PRICE_MINOR = 2_500
# Of a hundred returns: called off before they are approved, never sent, kept by the customer, and sent back; of those
# most are paid by us, some by ReturnGO itself, and for some ReturnGO asks us to pay.
MIX = (*["cancelled"] * 10, *["unsent"] * 12, *["keep"] * 8, *["plain"] * 40, *["theirs"] * 20, *["asked"] * 10)


def merchant(daily_calls: int, reserve: int, poll_seconds: int) -> Merchant:
    """Returns of one shop; inspections are ReturnGO's."""
    returngo = {
        "base_url": "http://127.0.0.1/returngo", "shop": DOMAIN, "api_key": "env:K", "webhook_token": "env:T",
        "budget_owner": "group", "daily_calls": daily_calls, "money_reserve": reserve, "poll_seconds": poll_seconds,
    }  # fmt: skip
    shopify = {
        "base_url": "http://127.0.0.1/shopify", "shop": DOMAIN, "access_token": "env:C", "webhook_secrets": ["env:D"],
        "gift_card_secret": "env:E",
    }  # fmt: skip
    return Merchant.model_validate(
        {
            "merchant": SHOP, "time_zone": "UTC", "currency": "EUR",
            "systems": {"returngo": returngo, "shopify": shopify},
            "locations": [{"source": "returngo", "code": "", "location_id": "11"}],
        }
    )  # fmt: skip


class Day:
    """See `playing`."""

    def __init__(self, rules: Merchant, limit: int, returns: int) -> None:
        self.rules, self.returns, self.ms = rules, returns, MIDNIGHT_MS
        self.store_settings = rules.systems.returngo
        self.app = build(Settings(start=datetime.fromtimestamp(MIDNIGHT_MS / 1000, UTC), speed=0.0))
        self.world = self.app.state.world
        self.hooked: list[Hooked] = []
        outgoing: Any = self.world.outgoing
        outgoing.send = self.hooked.append
        orders = [{"name": f"#{n}", "lines": [{"sku": "TEE", "quantity": 1}]} for n in range(1, returns + 1)]
        products = [{"title": "Tee", "variants": [{"sku": "TEE", "price": "25.00", "stock": {"11": 0}}]}]
        open_shop(self.world, msgspec.convert(
            {"domain": DOMAIN, "currency": "EUR", "access_token": "c", "returngo_key": KEY, "daily_limit": limit,
             "locations": [{"id": 11, "name": "Main"}], "products": products, "orders": orders}, ShopSpec, strict=False,
        ))  # fmt: skip
        self.store, self.shop = self.world.stores[DOMAIN], self.world.shops[DOMAIN]
        self.store.hooks = {n: Hook(id=n, url="http://in", event=name) for n, name in enumerate(changes.EVENTS)}
        self.log = Log()
        self.heard = 0
        self.cases: dict[str, World] = {}
        self.kinds: dict[str, str] = {}  # order → what becomes of its return
        self.paid: Counter[str] = Counter()
        self.restocked: Counter[str] = Counter()
        self.validated_ms: dict[str, int] = {}
        self.inspected_ms: dict[str, int] = {}
        self.told_ms: list[int] = []  # from a payment to ReturnGO's knowing of it
        self.refused: list[str] = []
        self.ordered: set[str] = set()
        self.left_out: Counter[str] = Counter()
        self.done: Counter[str] = Counter()
        self._late: dict[str, str] = {}  # command → what for, while it waits for calls
        self.pending = Pending()
        self._events: list[tuple[int, int, Callable[[], Any]]] = []
        self._order = itertools.count()

    async def open(self, folder: Path, stack: AsyncExitStack) -> None:
        """Source and sink, on one ledger."""
        self.ledger = Ledger(f"sqlite:///{folder}/ledger.db")
        stack.callback(self.ledger.close)
        client = await stack.enter_async_context(httpx.AsyncClient(transport=httpx.ASGITransport(self.app)))
        self.sink, source = self._transport(client, "sink", stack), self._transport(client, "source", stack)
        memory = Memory(self.ledger, "returngo", self.now)
        outbox = Outbox(kafka=self.log, codec=Codec(), memory=memory, system="returngo", now_ms=self.now)
        self.memory = memory
        self.reader = ReturnGoSource({SHOP: self.rules}, source, memory, self.now)
        self.desk = Desk(self.reader, outbox, memory, self.now, 2)
        poller = Poller("returngo", self.desk, outbox, memory, self.now)
        settings = self.store_settings
        assert settings is not None
        polls = (RmaPoll(SHOP, settings, source, memory), TransactionPoll(SHOP, settings, source, memory))
        self.round = ReturnGoRound(poller, *polls, Sweep(SHOP, settings, memory), self.now)
        self.again = AgainRound(poller, SHOP, Again(memory), self.now)

    def _transport(self, client: httpx.AsyncClient, holder: str, stack: AsyncExitStack) -> Transport:
        telemetry = RequestTelemetry("sink", CollectorRegistry())
        connection = SYSTEM.connect(self.rules, lambda _: KEY)
        settings = TransportSettings(patience_seconds=0.0, breaker=breaker.Settings())
        route = Route(
            merchant=SHOP, system="returngo", connection=connection, limits=SYSTEM.limits(connection),
            ledger=self.ledger, holder=holder, patience_seconds=0.0, settings=settings.breaker, telemetry=telemetry,
            now_ms=self.now, steady_ms=self.now,
        )  # fmt: skip
        stack.push_async_callback(route.close)
        return Transport(
            system=SYSTEM, routes={SHOP: route}, route=lambda *_: route, client=client, telemetry=telemetry,
            settings=settings, now_ms=self.now,
        )  # fmt: skip

    def now(self) -> int:
        return self.ms

    def at(self, ms: int, action: Callable[[], Any]) -> None:
        heapq.heappush(self._events, (ms, next(self._order), action))

    def file_returns(self, first_hour: float = 7.0, last_hour: float = 19.0) -> None:
        """All returns of the day, evenly over its hours; each has its whole life before midnight."""
        orders = list(self.shop.all(Order))
        for n, each in enumerate(orders):
            begin = MIDNIGHT_MS + int((first_hour + (last_hour - first_hour) * n / self.returns) * HOUR)
            self.at(begin, partial(self._file, each, MIX[n * 37 % 100]))

    def _file(self, of: Order, kind: str) -> None:
        method = "No shipment required" if kind == "keep" else "Ship with any carrier"
        spec = {"order": of.name, "units": [{"sku": "TEE"}], "return_method": method}
        rma = request_rma(self.world, self.shop, self.store, msgspec.convert(spec, RmaSpec))
        case = Case(world=self.world, shop=self.shop, store=self.store, rma=rma)
        self.kinds[str(of.number)] = kind
        nothing = drive.Nothing()
        if kind == "cancelled":
            self.at(self.ms + 2 * MINUTE, lambda: drive.cancel(case, nothing))
            return
        self.at(self.ms + MINUTE, lambda: drive.approve(case, nothing))
        if kind in ("keep", "unsent"):
            return
        self.at(self.ms + 30 * MINUTE, lambda: drive.ship(case, drive.Ship()))
        for step in (45, 60, 75):
            self.at(self.ms + step * MINUTE, lambda: drive.track(case, drive.Track()))
        self.at(self.ms + 2 * HOUR, lambda: drive.receive(case, drive.Receive()))
        self.at(self.ms + 3 * HOUR, lambda: self._validate(case, kind))

    def _validate(self, case: Case, kind: str) -> None:
        self.validated_ms[str(case.rma.order_id)] = self.ms
        drive.validate(case, drive.Validate(units=[drive.Graded(unit=0)]))
        if kind in ("theirs", "asked"):
            self.at(self.ms + 2_000, lambda: settle.pay(case, settle.Pay(act=kind == "theirs")))
        if kind == "theirs":  # its automation ends what it paid
            self.at(self.ms + 3_000, lambda: drive.done(case, drive.Nothing()))

    async def run(self, until_ms: int) -> None:
        """The clock jumps from one event to the next."""
        while True:
            due = [
                *([self._events[0][0]] if self._events else []),
                *([at] if (at := self.pending.next_due_ms()) else []),
            ]
            if not due or min(due) > until_ms:
                return
            self.ms = max(self.ms, min(due))
            self.world.clock.change(datetime.fromtimestamp(self.ms / 1000, UTC), 0.0, 0.0)
            while self._events and self._events[0][0] <= self.ms:
                action = heapq.heappop(self._events)[2]()
                if hasattr(action, "__await__"):
                    await action
            await self._hear()
            await self._read()
            self._follow()

    async def _hear(self) -> None:
        hooked, self.hooked[:] = list(self.hooked), []
        for each in hooked:
            delivery, _ = envelope.delivery("returngo", SHOP, {}, each.body, self.ms)
            routed = await self.reader.route(delivery)
            if routed.notes:
                await self.memory.keep(SHOP, routed.notes)
            for wanted in routed.wanted:
                self.pending.add(wanted, Place("returngo-deliveries", 0, 0), self.ms)

    async def _read(self) -> None:
        for waiting in self.pending.take(self.ms, 1_000):
            await self.desk.read(waiting.resource, waiting.urgency, waiting.cause)
            self.pending.done(waiting)

    def _follow(self) -> None:
        """Facts that were sent go to the cases, and what follows to the shop or to ReturnGO."""
        new, self.heard = self.log.written[self.heard :], len(self.log.written)
        for each in new:
            record = Codec().decode(each.value)
            if isinstance(record, ReturnEvent):
                self._feed(record)

    def _feed(self, fact: ReturnEvent) -> None:
        case = self.cases.get(fact.order_id)
        if case is None:
            sold = self.shop.numbered(Order, int(fact.order_id))
            assert sold is not None
            variant = sold.lines[0].variant
            assert variant is not None
            case = self.cases[fact.order_id] = World(self.rules)
            case.feed(msgspec.structs.replace(item(), merchant=SHOP))
            bought = line(str(sold.lines[0].number), "TEE", 1, PRICE_MINOR)
            snapshot = order(msgspec.structs.replace(bought, variant_id=str(variant.number)))
            case.feed(msgspec.structs.replace(snapshot, merchant=SHOP, order_id=fact.order_id))
        if fact.kind == "inspected":
            self.inspected_ms.setdefault(fact.order_id, self.ms)
        case.feed(fact)
        self._obey(case)

    def _obey(self, case: World) -> None:
        while new := [c for c in case.commands.values() if c.command_id not in self.ordered]:
            for command in new:
                self.ordered.add(command.command_id)
                if isinstance(command, Annotate) and command.system == "returngo":
                    self.at(self.ms + 500, partial(self._tell, command, case))
                    continue
                if isinstance(command, Refund):
                    self.paid[command.order_id] += command.amount_minor
                if isinstance(command, Restock):
                    self.restocked[command.order_id] += command.quantity
                names = {"refund_id": f"R{command.order_id}"} if isinstance(command, Refund) else None
                case.feed(settled(command, at_ms=self.ms, external_ids=names))

    async def _tell(self, command: Annotate, case: World) -> None:
        """One attempt of the sink; what has no calls comes again when it is told to."""
        attempt = Attempt(idempotency_key="key", now_ms=self.ms)
        flow = SYSTEM.flow(command, self.sink.connection(SHOP), self.rules, attempt)
        use = policy.priority(command)
        try:
            outcome: Any = await self.sink.drive(flow, merchant=SHOP, priority=use)
        except NotSent as error:
            outcome = Deferred(reason=error.code, after_seconds=error.after_seconds)
        if isinstance(outcome, Deferred):
            self.left_out[use] += 1
            self._late[command.command_id] = use
            self.at(self.ms + int((outcome.after_seconds or 60.0) * 1000) + 100, lambda: self._tell(command, case))
            return
        self._late.pop(command.command_id, None)
        if isinstance(outcome, Applied | AlreadyApplied):
            self.done[use] += 1
            if use == "money":
                self.told_ms.append(self.ms - command.decided_at_ms)
        else:
            self.refused.append(f"{use}: {outcome}")
        _settle(case, command, self.ms)
        self._obey(case)

    def waiting(self, use: str) -> int:
        """Commands of that use that were left out until now."""
        return list(self._late.values()).count(use)

    def by_operation(self) -> Counter[str]:
        """The calls that ReturnGO counted."""
        return Counter(call.operation for call in self.world.calls if call.system == "returngo")

    def of_kind(self, *kinds: str) -> list[str]:
        """Orders whose return went so."""
        return [name for name, kind in self.kinds.items() if kind in kinds]


def _settle(case: World, command: Command, at_ms: int) -> None:
    case.feed(settled(command, at_ms=at_ms))


@asynccontextmanager
async def playing(
    folder: Path, returns: int, *, limit: int, daily_calls: int | None = None, poll_seconds: int = 900
) -> AsyncIterator[Day]:
    """A day whose returns are filed and whose clock stands at midnight."""
    async with AsyncExitStack() as stack:
        calls = daily_calls or limit
        day = Day(merchant(calls, int(calls * 0.15), poll_seconds), limit, returns)
        await day.open(folder, stack)
        day.file_returns()
        for ms in range(MIDNIGHT_MS, MIDNIGHT_MS + 48 * HOUR, poll_seconds * 1000):
            day.at(ms, day.round)
        for ms in range(MIDNIGHT_MS, MIDNIGHT_MS + 48 * HOUR, 900_000):
            day.at(ms, day.again)
        yield day
