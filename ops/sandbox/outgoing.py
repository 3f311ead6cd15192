"""Webhooks that leave the sandbox: sent to registered URLs, retried with backoff, and late, twice, out of order or
never on demand."""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import timedelta

import httpx

from ops.sandbox.clock import Clock
from ops.sandbox.faults import Faults, Plan

KEPT_DELIVERIES = 20_000
AT_ONCE = 64


@dataclass(slots=True, kw_only=True, eq=False)
class Delivery:
    """One message to one address. `retries_seconds` are the waits in sandbox time; `given_up` is called once when
    they are used up."""

    id: str
    system: str
    shop: str
    topic: str
    url: str
    headers: dict[str, str]
    body: bytes
    retries_seconds: tuple[float, ...]
    given_up: Callable[[], None]
    state: str = "waiting"
    attempts: int = 0
    statuses: list[int | None] = field(default_factory=list)

    def listed(self) -> dict[str, object]:
        """The delivery as the control door shows it."""
        return {
            "id": self.id,
            "system": self.system,
            "shop": self.shop,
            "topic": self.topic,
            "url": self.url,
            "state": self.state,
            "attempts": self.attempts,
            "statuses": self.statuses,
        }


class Outgoing:
    """Sends deliveries, each in a task of its own. Needs a running event loop as soon as something is sent."""

    def __init__(
        self, clock: Clock, faults: Faults, timeout_seconds: float, transport: httpx.AsyncBaseTransport | None
    ) -> None:
        self._clock = clock
        self._faults = faults
        self._timeout = timeout_seconds
        self._transport = transport
        self._client: httpx.AsyncClient | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._gate = asyncio.Semaphore(AT_ONCE)
        self._held: dict[str, asyncio.Event] = {}
        self.deliveries: deque[Delivery] = deque(maxlen=KEPT_DELIVERIES)

    def send(self, delivery: Delivery) -> None:
        """Starts a delivery; a webhook fault in force decides how it goes. One that is held back lets this one pass."""
        self.deliveries.append(delivery)
        if held := self._held.pop(delivery.url, None):
            self._start(self._pass(delivery, held))
            return
        plan = self._faults.take_for_webhook(delivery.system, delivery.topic, delivery.shop)
        match plan.fault if plan else None:
            case "drop_webhook":
                delivery.state = "dropped"
            case "duplicate_webhook":
                self._start(self._deliver(delivery))
                self._start(self._deliver(delivery))
            case "delay_webhook":
                self._start(self._late(delivery, plan))
            case "reorder_webhook":
                self._held[delivery.url] = asyncio.Event()
                self._start(self._after_the_next(delivery, self._held[delivery.url], plan))
            case _:
                self._start(self._deliver(delivery))

    def again(self, delivery: Delivery) -> None:
        """Sends the very same message once more, as a sender that lost our answer does."""
        self._start(self._deliver(delivery))

    async def settle(self, seconds: float) -> int:
        """Waits at most so many real seconds until nothing is under way; returns how many still are."""
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=seconds)
        return len(self._tasks)

    async def close(self) -> None:
        """Stops everything under way."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    def _start(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _late(self, delivery: Delivery, plan: Plan | None) -> None:
        wait = plan.seconds if plan and plan.seconds is not None else 60.0
        await self._clock.sleep_until(self._clock.now() + timedelta(seconds=wait))
        await self._deliver(delivery)

    async def _after_the_next(self, delivery: Delivery, passed: asyncio.Event, plan: Plan | None) -> None:
        limit = plan.seconds if plan and plan.seconds is not None else 5.0
        try:
            await asyncio.wait_for(passed.wait(), timeout=limit)
        except TimeoutError:
            self._held.pop(delivery.url, None)
        await self._deliver(delivery)

    async def _pass(self, delivery: Delivery, passed: asyncio.Event) -> None:
        try:
            await self._deliver(delivery)
        finally:
            passed.set()

    async def _deliver(self, delivery: Delivery) -> None:
        for wait in (0.0, *delivery.retries_seconds):
            if wait:
                await self._clock.sleep_until(self._clock.now() + timedelta(seconds=wait))
            if await self._attempt(delivery):
                delivery.state = "delivered"
                return
            delivery.state = "retrying"
        delivery.state = "given up"
        delivery.given_up()

    async def _attempt(self, delivery: Delivery) -> bool:
        if self._client is None:
            self._client = httpx.AsyncClient(transport=self._transport, timeout=self._timeout, trust_env=False)
        async with self._gate:
            delivery.attempts += 1
            try:
                answer = await self._client.post(delivery.url, content=delivery.body, headers=delivery.headers)
            except (httpx.HTTPError, httpx.InvalidURL):
                delivery.statuses.append(None)
                return False
        delivery.statuses.append(answer.status_code)
        return answer.is_success
