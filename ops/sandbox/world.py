"""Everything one sandbox process holds: its time, its faults, its shops and stores, and the webhooks under way."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import httpx

from ops.sandbox.clock import Clock, iso
from ops.sandbox.faults import Faults
from ops.sandbox.outgoing import Outgoing
from ops.sandbox.returngo.store import Account, Store
from ops.sandbox.settings import Settings
from ops.sandbox.shopify.shop import Shop

KEPT_CALLS = 20_000


@dataclass(slots=True, kw_only=True, frozen=True)
class Call:
    """One request that came in, and how it was answered (status 0: not at all)."""

    at: datetime
    system: str
    shop: str
    operation: str
    status: int
    fault: str | None
    key: str | None

    def listed(self) -> dict[str, object]:
        """The call as the control door shows it."""
        return {
            "at": iso(self.at),
            "system": self.system,
            "shop": self.shop,
            "operation": self.operation,
            "status": self.status,
            "fault": self.fault,
            "key": self.key,
        }


class World:
    """State in memory of one process. Starting anew means making another one."""

    def __init__(self, settings: Settings, transport: httpx.AsyncBaseTransport | None) -> None:
        self.settings = settings
        self.clock = Clock(settings.start, settings.speed)
        self.faults = Faults(settings.seed)
        self.outgoing = Outgoing(self.clock, self.faults, settings.webhook_timeout_seconds, transport)
        self.latency_seconds = settings.latency_seconds
        self.shops: dict[str, Shop] = {}
        self.stores: dict[str, Store] = {}
        self.accounts: dict[str, Account] = {}
        self._late: set[asyncio.Task[None]] = set()
        self.calls: deque[Call] = deque(maxlen=KEPT_CALLS)
        self._numbers: dict[str, int] = {}

    def later(self, seconds: float, do: Callable[[], object]) -> None:
        """Does something when the sandbox's time has moved on by so much, whatever happened meanwhile."""

        async def wait() -> None:
            await self.clock.sleep_until(self.clock.now() + timedelta(seconds=seconds))
            do()

        task = asyncio.get_running_loop().create_task(wait())
        self._late.add(task)
        task.add_done_callback(self._late.discard)

    async def close(self) -> None:
        """Stops everything under way."""
        for task in list(self._late):
            task.cancel()
        await asyncio.gather(*self._late, return_exceptions=True)
        await self.outgoing.close()

    def number(self, kind: str, first: int) -> int:
        """The next number of a kind: `first`, then one more each time."""
        value = self._numbers.get(kind, first - 1) + 1
        self._numbers[kind] = value
        return value
