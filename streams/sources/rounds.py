"""What a source does by the clock: polls, sweeps, watching subscriptions, forgetting. One worker of a group does it."""

import asyncio
from collections.abc import Awaitable, Callable, Collection

import structlog
from sqlalchemy import Connection

from sinks.ledger import quotas
from sinks.ledger.ledger import Ledger
from sinks.telemetry import RequestTelemetry
from sinks.transport import Transport
from streams.sources import telemetry
from streams.sources.again import Again
from streams.sources.memory import Memory
from streams.sources.poll_returngo import RmaPoll, Sweep, TransactionPoll
from streams.sources.poll_shopify import Leftovers, OrderPoll
from streams.sources.polling import Poller
from streams.sources.strangers import Strangers
from streams.sources.work import Cause, Resource, Unread, Urgency

log = structlog.get_logger(__name__)
TRANSACTIONS_EVERY = 2  # polls of RMAs; each costs a call of the day
WATCH_SHOPIFY_SECONDS = 300.0
WATCH_RETURNGO_SECONDS = 3600.0
WAITING_SECONDS = 5.0
QUOTAS_SECONDS = 10.0
AGAIN_SECONDS = 60.0
DAY_SECONDS = 86_400.0
REMEMBERED_MS = 120 * 86_400_000

PURGE_PAUSE_SECONDS = 0.05
NOT_MINE_SECONDS = 0.2  # before asking again whether it is

Round = Callable[[], Awaitable[None]]


async def every(seconds: float, mine: Callable[[], bool], work: Round) -> None:
    """Until cancelled: `work` at once and then every `seconds`, while `mine` says that it is ours to do."""
    while True:
        if mine():
            await work()
            await asyncio.sleep(seconds)
        else:
            await asyncio.sleep(NOT_MINE_SECONDS)


class ReturnGoRound:
    """Polls RMAs, every second time transactions, and sweeps open RMAs."""

    def __init__(
        self, poller: Poller, rmas: RmaPoll, transactions: TransactionPoll, sweep: Sweep, now_ms: Callable[[], int]
    ) -> None:
        self._poller = poller
        self._rmas = rmas
        self._transactions = transactions
        self._sweep = sweep
        self._now_ms = now_ms
        self._count = 0

    async def __call__(self) -> None:
        await self._poller.once(self._rmas)
        if self._count % TRANSACTIONS_EVERY == 0:
            await self._poller.once(self._transactions)
        self._count += 1
        await _read(self._poller, await self._sweep.due(self._now_ms()), "sweep")


class AgainRound:
    """Reads what could not be read before; what was left out may be left out once more."""

    def __init__(self, poller: Poller, merchant: str, again: Again, now_ms: Callable[[], int]) -> None:
        self._poller = poller
        self._merchant = merchant
        self._again = again
        self._now_ms = now_ms

    async def __call__(self) -> None:
        failed = await self._again.due(self._merchant, self._now_ms(), left_out=False)
        await _read(self._poller, failed, "again", "effect")
        await _read(self._poller, await self._again.due(self._merchant, self._now_ms(), left_out=True), "again")


class ShopifyRound:
    """Polls orders and asks again for what was missing."""

    def __init__(
        self, poller: Poller, orders: OrderPoll, leftovers: Leftovers, again: Again, now_ms: Callable[[], int]
    ) -> None:
        self._poller = poller
        self._orders = orders
        self._leftovers = leftovers
        self._again = again
        self._now_ms = now_ms

    async def __call__(self) -> None:
        await self._poller.once(self._orders)
        await _read(self._poller, await self._again.due(self._orders.merchant, self._now_ms()), "again")
        await _read(self._poller, await self._leftovers.due(self._now_ms()), "again")


async def _read(poller: Poller, resources: list[Resource], cause: Cause, urgency: Urgency = "news") -> None:
    """What cannot be read now is due again at the next round."""
    try:
        await poller.read(resources, cause, dict.fromkeys(resources, urgency))
    except Unread as error:
        log.info("round_incomplete", cause=cause, merchant=resources[0].merchant, reason=error.reason)


def purge(memory: Memory, now_ms: Callable[[], int]) -> Round:
    """Forgets what was not touched for a long time."""

    async def work() -> None:
        gone = {"any": 1}
        while any(gone.values()):
            gone = await memory.purge(now_ms() - REMEMBERED_MS)
            for what, count in gone.items():
                telemetry.PRUNED.labels(memory.system, what).inc(count)
            await asyncio.sleep(PURGE_PAUSE_SECONDS)

    return work


def quotas_shown(ledger: Ledger, transport: Transport, shown: RequestTelemetry, now_ms: Callable[[], int]) -> Round:
    """Sets what is left of each merchant's quotas, as the sinks do: a shop may have no sink, or one that is down."""
    system = transport.system.name

    async def work() -> None:
        limits = [(merchant, limit) for merchant in transport.merchants for limit in transport.limits(merchant)]
        at_ms = now_ms()

        def look(connection: Connection) -> list[float]:
            return [
                quotas.remaining(connection, merchant=merchant, system=system, limit=limit, now_ms=at_ms)
                for merchant, limit in limits
            ]

        for (merchant, limit), left in zip(limits, await ledger.run(look), strict=True):
            shown.quota_remaining.labels(system, merchant, limit.name).set(left)
            shown.quota_capacity.labels(system, merchant, limit.name).set(limit.capacity)

    return work


def welcome(strangers: Strangers, merchants: Collection[str]) -> Round:
    """Says of the merchants who have a file that they have one."""

    async def work() -> None:
        await strangers.known(merchants)

    return work
