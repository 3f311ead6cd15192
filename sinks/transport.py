"""Drives flows over HTTP: quota, breaker, authentication, timeouts around every request. May touch network and ledger.

The sink workers and the sources share it, and through the ledger they share each merchant's quota.
"""

import asyncio
import logging
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import httpx
import msgspec
import structlog

from schemas import product
from schemas.merchant import Merchant
from schemas.startup import CannotStart
from sinks.breaker import Settings as BreakerSettings
from sinks.breaker import State
from sinks.contract import EFFECT, OPERATION, Limit, NotSent, ReadFlow, System, Unanswered
from sinks.fence import Fence, TooLate
from sinks.ledger.ledger import Ledger
from sinks.pool import Pool
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
        routes: Mapping[str, Route],
        client: httpx.AsyncClient,
        telemetry: RequestTelemetry,
        settings: TransportSettings,
        now_ms: Callable[[], int],
    ) -> None:
        self.system = system
        self._routes = routes
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

    def reconnect(self, merchant: str, connection: Any) -> None:
        """Use other settings or credentials for a merchant from now on."""
        self._routes[merchant].connection = connection

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
                    response = await self._send(self._routes[merchant], request, merchant, priority, sent, before)
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


@asynccontextmanager
async def open_transport(
    *,
    system: System,
    merchants: Mapping[str, Merchant],
    secret: Callable[[str], str],
    ledger: Ledger,
    telemetry: RequestTelemetry,
    settings: TransportSettings | None = None,
    now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
) -> AsyncIterator[Transport]:
    """A transport for the merchants that use `system`; raises CannotStart when one of them cannot be connected."""
    settings = TransportSettings() if settings is None else settings
    # The client's own log names full addresses, and those can hold personal data.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    logging.getLogger("httpcore").setLevel(logging.WARNING)
    holder = uuid.uuid4().hex
    routes = {
        name: Route(
            merchant=name,
            system=system.name,
            connection=connection,
            limits=system.limits(connection),
            ledger=ledger,
            holder=holder,
            patience_seconds=settings.patience_seconds,
            settings=settings.breaker,
            telemetry=telemetry,
            now_ms=now_ms,
        )
        for name, connection in connect_all(system, merchants, secret).items()
    }
    timeout = httpx.Timeout(settings.request_seconds, connect=settings.connect_seconds, pool=settings.connect_seconds)
    async with httpx.AsyncClient(
        timeout=timeout, transport=Pool(settings.connections), trust_env=False, headers=product.HEADERS
    ) as client:
        transport = Transport(
            system=system, routes=routes, client=client, telemetry=telemetry, settings=settings, now_ms=now_ms
        )
        try:
            yield transport
        finally:
            for route in routes.values():
                await route.close()


def connect_all(system: System, merchants: Mapping[str, Merchant], secret: Callable[[str], str]) -> dict[str, Any]:
    """A connection for each merchant whose file names the system; raises CannotStart naming every problem."""
    connections: dict[str, Any] = {}
    problems: list[str] = []
    for name, merchant in merchants.items():
        if getattr(merchant.systems, system.name.replace("-", "_"), None) is None:
            continue
        try:
            connections[name] = system.connect(merchant, secret)
        except ValueError as error:
            problems.append(f"merchant {name}: {error}")
    if problems:
        raise CannotStart("; ".join(problems))
    return connections
