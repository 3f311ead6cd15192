"""Everything between us and one merchant's system: in-flight bound, quotas, breaker. May touch the ledger, may wait."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, get_args

import httpx

from schemas.clock import steady_ms
from sinks import breaker
from sinks.breaker import Breaker
from sinks.contract import OPERATION, LeftOut, Limit, NotSent, Seen
from sinks.gate import Gate
from sinks.ledger.ledger import Ledger
from sinks.quota import Priority
from sinks.shedding import LEFT_OUT_FIRST
from sinks.telemetry import BREAKER_STATES, RequestTelemetry

PRIORITIES: tuple[Priority, ...] = get_args(Priority)


class Route:
    """`connection` is what `System.connect` made for the merchant; it may be replaced at any time."""

    def __init__(
        self,
        *,
        merchant: str,
        system: str,
        connection: Any,
        limits: Sequence[Limit],
        ledger: Ledger,
        holder: str,
        patience_seconds: float,
        settings: breaker.Settings,
        telemetry: RequestTelemetry,
        now_ms: Callable[[], int],
        steady_ms: Callable[[], int] = steady_ms,
    ) -> None:
        self.connection = connection
        self.limits = tuple(limits)
        self.in_flight = asyncio.Semaphore(min((limit.in_flight for limit in limits), default=16))
        self._labels = {"system": system, "merchant": merchant}
        self._telemetry = telemetry
        self._settings = settings
        self._steady_ms = steady_ms  # of the breaker: what is waited for must not depend on a clock that may be set
        self._breaker = Breaker()
        self._show()
        for use in LEFT_OUT_FIRST:
            telemetry.left_out.labels(**self._labels, use=use)
        self._costs: dict[str, dict[str, float]] = {}  # by operation and limit
        self._gates = {
            (limit.name, priority): Gate(
                ledger=ledger,
                merchant=merchant,
                system=system,
                limit=limit,
                priority=priority,
                holder=holder,
                patience_seconds=patience_seconds,
                now_ms=now_ms,
                steady_ms=steady_ms,
            )
            for limit in limits
            for priority in PRIORITIES
        }

    @property
    def state(self) -> breaker.State:
        return breaker.state(self._breaker)

    @property
    def wait_seconds(self) -> float:
        """Until a request may pass the breaker; 0: now."""
        return breaker.admit(self._breaker, self._settings, self._steady_ms())[1]

    def refuse_if_down(self) -> None:
        """NotSent while the breaker is open: nobody should queue for the quota of a system that is down."""
        if self.wait_seconds > 0:
            raise NotSent("the system does not answer", self.wait_seconds)

    def admit(self) -> None:
        """Let one request pass the breaker, as its probe where it is open; NotSent if none may."""
        self._breaker, wait = breaker.admit(self._breaker, self._settings, self._steady_ms())
        self._show()
        if wait > 0:
            raise NotSent("the system does not answer", wait)

    def works(self) -> None:
        self._breaker = breaker.succeeded()
        self._show()

    def fails(self) -> None:
        self._breaker = breaker.failed(self._breaker, self._settings, self._steady_ms())
        self._show()

    def learned_nothing(self) -> None:
        self._breaker = breaker.abandoned(self._breaker)

    def _show(self) -> None:
        self._telemetry.breaker.labels(**self._labels).set(BREAKER_STATES[self.state])

    def costs(self, request: httpx.Request, estimate: Mapping[str, float]) -> dict[str, float]:
        """What the request takes from each limit: as the system said the last time, else as we estimate it."""
        return {**estimate, **self._costs.get(_operation(request), {})}

    def learn(self, request: httpx.Request, seen: Mapping[str, Seen]) -> None:
        """What the system asks for a request of this operation."""
        told = {name: look.requested for name, look in seen.items() if look.requested is not None}
        if told:
            self._costs[_operation(request)] = {**self._costs.get(_operation(request), {}), **told}

    async def take(self, costs: Mapping[str, float], priority: Priority) -> None:
        """Spend from every limit, or from none and NotSent."""
        started = time.monotonic()
        taken: dict[str, float] = {}
        try:
            for name, cost in sorted(costs.items()):
                await self._gates[name, priority].take(cost)
                taken[name] = cost
        except BaseException as error:
            self.give_back(taken, priority)
            if isinstance(error, LeftOut):
                self._telemetry.left_out.labels(**self._labels, use=priority).inc()
            raise
        finally:
            self._telemetry.quota_waits.labels(**self._labels).observe(time.monotonic() - started)

    def give_back(self, costs: Mapping[str, float], priority: Priority) -> None:
        """The request did not go out."""
        for name, cost in costs.items():
            self._gates[name, priority].unused(cost)

    async def spent(self, costs: Mapping[str, float], priority: Priority, seen: Mapping[str, Seen]) -> None:
        """The request went out; `seen` is what its answer says about each limit."""
        for name, cost in costs.items():
            look = seen.get(name)
            actual = cost if look is None or look.spent is None else look.spent
            self._telemetry.quota_used.labels(**self._labels, limit=name).inc(max(0.0, actual))
            await self._gates[name, priority].answered(cost, look)
        if any(look.retry_after_seconds is not None for look in seen.values()):
            self._telemetry.throttled.labels(**self._labels).inc()

    async def close(self) -> None:
        """Give leases back."""
        for gate in self._gates.values():
            await gate.close()


def _operation(request: httpx.Request) -> str:
    return str(request.extensions.get(OPERATION, ""))
