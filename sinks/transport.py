"""Drives flows over HTTP: quota, breaker, authentication, timeouts around every request. May touch network and ledger.

The sink workers and the sources share it, and through the ledger they share each merchant's quota.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

import httpx
import msgspec
import structlog

from schemas import product
from sinks.breaker import Settings as BreakerSettings
from sinks.breaker import State
from sinks.contract import EFFECT, OPERATION, Limit, NotSent, ReadFlow, System, Unanswered
from sinks.fence import Fence, TooLate
from sinks.quota import Priority
from sinks.route import Route
from sinks.telemetry import RequestTelemetry

log = structlog.get_logger()
T = TypeVar("T")
# Until when (wall clock, ms) the request that follows may be under way.
Before = Callable[[], Awaitable[int]]

# What is sure not to have reached the system; every other transport error leaves it open.
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
# Faults of the request itself: the same again would fail the same.
_OUR_FAULT = (httpx.UnsupportedProtocol, httpx.LocalProtocolError)
# A flow that asks for more than this is going round in circles.
MOST_REQUESTS = 500


class TransportSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Times in seconds. `patience_seconds` is the longest that a request waits for quota before it is given up."""

    connect_seconds: float = 5.0
    request_seconds: float = 20.0  # from the first byte out to the last byte in
    patience_seconds: float = 10.0
    connections: int = 256
    breaker: BreakerSettings = BreakerSettings()


class Sent(msgspec.Struct):
    """What went out during one drive; filled while it runs, so that it holds after a failure too."""

    requests: int = 0
    effect_ms: int | None = None  # when the first request that makes the effect went out


class Transport:
    """One system and all its merchants. Made by `open_transport`."""

    def __init__(
        self,
        *,
        system: System,
        routes: dict[str, Route],
        route: Callable[[str, Any], Route],
        client: httpx.AsyncClient,
        telemetry: RequestTelemetry,
        settings: TransportSettings,
        now_ms: Callable[[], int],
    ) -> None:
        self.system = system
        self._routes = routes
        self._route = route  # makes one of a merchant and its connection
        self._client = client
        self._telemetry = telemetry
        self._settings = settings
        self._now_ms = now_ms

    @property
    def merchants(self) -> frozenset[str]:
        """Those that use this system."""
        return frozenset(self._routes)

    def connection(self, merchant: str) -> Any:
        """What `System.connect` made for a merchant; KeyError if the merchant does not use this system."""
        return self._routes[merchant].connection

    async def take_up(self, merchant: str, connection: Any) -> bool:
        """Use these settings and credentials for a merchant from now on; False: they are in use. What is under way ends
        as it began."""
        known = self._routes.get(merchant)
        if known is not None and known.connection == connection:
            return False
        if known is not None and known.limits == tuple(self.system.limits(connection)):
            known.connection = connection
            return True
        self._routes[merchant] = self._route(merchant, connection)
        if known is not None:
            await known.close()
        return True

    async def give_up(self, merchant: str) -> None:
        """The merchant uses the system no more."""
        route = self._routes.pop(merchant, None)
        if route is not None:
            await route.close()

    def limits(self, merchant: str) -> tuple[Limit, ...]:
        """The quotas of a merchant's system."""
        return self._routes[merchant].limits

    def breaker_state(self, merchant: str) -> State:
        """Whether the merchant's system answers."""
        return self._routes[merchant].state

    def wait_seconds(self, merchant: str) -> float:
        """Until a request may pass the merchant's breaker; 0: now."""
        return self._routes[merchant].wait_seconds

    async def drive(
        self,
        flow: ReadFlow[T],
        *,
        merchant: str,
        priority: Priority,
        sent: Sent | None = None,
        before: Before | None = None,
    ) -> T:
        """What the flow returns. NotSent and Unanswered are thrown into it, and raised here if it lets them pass.

        `before` is awaited directly before each request goes out; what it raises ends the drive. A request that has
        not begun to be written by the time that it gives is NotSent, and one under way is Unanswered then.
        """
        sent = Sent() if sent is None else sent
        try:
            request = next(flow)
            for _ in range(MOST_REQUESTS):
                try:
                    response = await self._send(self._way(merchant), request, merchant, priority, sent, before)
                except (NotSent, Unanswered) as error:
                    request = flow.throw(error)
                else:
                    request = flow.send(response)
        except StopIteration as end:
            value: T = end.value
            return value
        finally:
            flow.close()
        raise RuntimeError(f"expected a flow of at most {MOST_REQUESTS} requests, it asked for more")

    def _way(self, merchant: str) -> Route:
        """A merchant's file may go while a flow of theirs is under way."""
        route = self._routes.get(merchant)
        if route is None:
            raise NotSent(f"{merchant} uses {self.system.name} no more")
        return route

    async def _send(
        self,
        route: Route,
        request: httpx.Request,
        merchant: str,
        priority: Priority,
        sent: Sent,
        before: Before | None,
    ) -> httpx.Response:
        async with route.in_flight:
            route.refuse_if_down()
            costs = route.costs(request, self.system.cost(request))
            await route.take(costs, priority)
            try:
                fence = None if before is None else Fence(await before(), self._now_ms)
                route.admit()
            except BaseException:
                route.give_back(costs, priority)
                raise
            earlier_ms = sent.effect_ms
            sent.requests += 1
            if EFFECT in request.extensions and sent.effect_ms is None:
                sent.effect_ms = self._now_ms()
            started = time.monotonic()
            outcome = "unanswered"
            try:
                response = await self._exchange(route, request, costs, priority, fence)
                outcome = "failed" if response.status_code >= 500 else "answered"
            except NotSent:
                outcome = "not_sent"
                sent.requests -= 1
                sent.effect_ms = earlier_ms
                raise
            finally:
                seconds = time.monotonic() - started
                self._telemetry.requests.labels(self.system.name, merchant, outcome).observe(seconds)
                log.debug(
                    "request",
                    system=self.system.name,
                    merchant=merchant,
                    operation=request.extensions.get(OPERATION, request.method),
                    outcome=outcome,
                    seconds=round(seconds, 4),
                )
            return response

    async def _exchange(
        self,
        route: Route,
        request: httpx.Request,
        costs: Mapping[str, float],
        priority: Priority,
        fence: Fence | None,
    ) -> httpx.Response:
        longest = self._settings.request_seconds
        try:
            ready = self._ready(route, request, fence)
            async with asyncio.timeout(longest if fence is None else fence.seconds(longest)):
                response = await self._client.send(ready)
            seen = self.system.seen(request, response)
        except _NEVER_SENT as error:
            _failed(route, fence)
            route.give_back(costs, priority)
            raise NotSent(f"could not connect ({type(error).__name__})") from error
        except _OUR_FAULT:
            route.learned_nothing()
            route.give_back(costs, priority)
            raise
        except (httpx.HTTPError, TimeoutError, TooLate) as error:
            _failed(route, fence)
            if fence is not None and not fence.written:
                route.give_back(costs, priority)
                raise NotSent(f"not written in time ({type(error).__name__})") from error
            await route.spent(costs, priority, {})
            raise Unanswered(f"no answer ({type(error).__name__})") from error
        except BaseException:
            route.learned_nothing()
            await route.spent(costs, priority, {})
            raise
        if response.status_code >= 500:
            route.fails()
        else:
            route.works()
        route.learn(request, seen)
        await route.spent(costs, priority, seen)
        return response

    def _ready(self, route: Route, request: httpx.Request, fence: Fence | None) -> httpx.Request:
        ready = self.system.authorize(route.connection, request)
        ready.headers.update(product.HEADERS)
        # A request that the client did not build itself has no time-outs unless it brings them.
        ready.extensions = {**ready.extensions, "timeout": self._client.timeout.as_dict()}
        if fence is not None:
            ready.extensions["trace"] = fence.trace
        return ready


def _failed(route: Route, fence: Fence | None) -> None:
    if fence is not None and fence.late:
        route.learned_nothing()  # it is us who were late: that says nothing about the system
    else:
        route.fails()
