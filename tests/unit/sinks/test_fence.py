"""The write fence: what a worker that wakes late may still send, and what that costs."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from prometheus_client import CollectorRegistry

from sinks import breaker
from sinks.contract import EFFECT, Limit, NotSent, ReadFlow, Unanswered
from sinks.ledger.ledger import Ledger
from sinks.pool import Pool
from sinks.route import Route
from sinks.telemetry import RequestTelemetry
from sinks.transport import Sent, Transport, TransportSettings
from tests.unit.sinks.peer import Answer, Peer
from tests.unit.sinks.toy import Connection, Toy

LEFT_MS = 20_000
HEADERS = "http11.send_request_headers.started"


class Clock:
    """The wall clock of a machine that may be frozen for a while."""

    def __init__(self) -> None:
        self.frozen_ms = 0

    def __call__(self) -> int:
        return time.time_ns() // 1_000_000 + self.frozen_ms


class Freezing(Pool):
    """A connection pool on a machine that freezes at some step of the next request, and all of its clocks with it.

    `at` is the end of the name of an event of httpcore; the wall clock is right again when the machine wakes.
    """

    def __init__(self, clock: Clock) -> None:
        super().__init__(1)
        self.clock = clock
        self.at: str | None = None
        self.events: list[str] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        inner = request.extensions["trace"]

        async def trace(event: str, info: dict[str, object]) -> None:
            self.events.append(event)
            if self.at is not None and event.endswith(self.at):
                self.at = None
                self.clock.frozen_ms += 60_000
            await inner(event, info)

        request.extensions["trace"] = trace
        return await super().handle_async_request(request)


class Machine:
    """One worker's transport, and the claim that it has until `until_ms`."""

    def __init__(self, transport: Transport, pool: Freezing, clock: Clock) -> None:
        self.transport, self.pool, self.clock = transport, pool, clock

    async def post(self, url: str, sent: Sent | None = None, *, left_ms: int = LEFT_MS) -> int:
        until_ms = self.clock() + left_ms

        async def before() -> int:
            return until_ms

        return await self.transport.drive(_post(url), merchant="shop", priority="money", sent=sent, before=before)


def _post(url: str) -> ReadFlow[int]:
    request = httpx.Request("POST", f"{url}/effects/x", json={"key": "k"}, extensions={EFFECT: True})
    return (yield request).status_code


@asynccontextmanager
async def machine(ledger_url: str, url: str, *, requests: int = 1) -> AsyncIterator[Machine]:
    """With quota for so many requests, and a breaker that the first fault opens."""
    limit = Limit(name="calls", capacity=float(requests), per_second=0.001)
    clock, toy, telemetry = Clock(), Toy("toy", limit), RequestTelemetry("sink", CollectorRegistry())
    settings = TransportSettings(request_seconds=600.0, patience_seconds=0.0, breaker=breaker.Settings(failures=1))
    ledger, pool = Ledger(ledger_url), Freezing(clock)
    route = Route(
        merchant="shop", system="toy", connection=Connection(url=url, token="good"), limits=[limit], ledger=ledger,
        holder="one", patience_seconds=0.0, settings=settings.breaker, telemetry=telemetry,
        now_ms=lambda: time.time_ns() // 1_000_000,
    )  # fmt: skip
    async with httpx.AsyncClient(transport=pool) as client:
        transport = Transport(
            system=toy, routes={"shop": route}, route=lambda *_: route, client=client, telemetry=telemetry,
            settings=settings, now_ms=clock,
        )  # fmt: skip
        yield Machine(transport, pool, clock)
    ledger.close()


@pytest.mark.req("INV-13", "MON-11")
@pytest.mark.parametrize("moment", ["connect_tcp.started", "connect_tcp.complete", "send_request_headers.started"])
async def test_a_worker_that_wakes_late_sends_nothing(sqlite_url: str, peer: Peer, moment: str) -> None:
    """It costs neither quota nor the breaker, and the next request in time gets through."""
    async with machine(sqlite_url, peer.url) as woken:
        woken.pool.at, sent = moment, Sent()
        with pytest.raises(NotSent):
            await woken.post(peer.url, sent)
        assert peer.requests == []
        assert (sent.requests, sent.effect_ms) == (0, None)
        assert woken.transport.breaker_state("shop") == "closed"
        assert await woken.post(peer.url) == 200
    assert peer.effects == {"x": 1}


@pytest.mark.req("INV-13", "MON-11")
async def test_a_request_that_is_cut_off_after_its_head_is_not_completed(sqlite_url: str, peer: Peer) -> None:
    """The peer got its head, which says nothing about what it made of it."""
    async with machine(sqlite_url, peer.url) as woken:
        woken.pool.at, sent = "send_request_body.started", Sent()
        with pytest.raises(Unanswered):
            await woken.post(peer.url, sent)
        assert sent.effect_ms is not None
    assert peer.requests == []


async def test_a_connection_that_was_kept_is_fenced_too(sqlite_url: str, peer: Peer) -> None:
    async with machine(sqlite_url, peer.url, requests=2) as woken:
        assert await woken.post(peer.url) == 200
        woken.pool.at = "send_request_headers.started"
        with pytest.raises(NotSent):
            await woken.post(peer.url)
    assert peer.effects == {"x": 1}
    assert "connection.connect_tcp.started" not in woken.pool.events[woken.pool.events.index(HEADERS) + 1 :]


async def test_nobody_waits_for_an_answer_longer_than_the_claim_lasts(sqlite_url: str, peer: Peer) -> None:
    peer.script["x"] = [Answer(silent_seconds=60.0)]
    async with machine(sqlite_url, peer.url) as worker:
        with pytest.raises(Unanswered):
            await worker.post(peer.url, left_ms=700)
        assert worker.transport.breaker_state("shop") == "closed"


async def test_what_is_late_before_it_starts_does_not_even_connect(sqlite_url: str, peer: Peer) -> None:
    async with machine(sqlite_url, peer.url) as worker:
        with pytest.raises(NotSent):
            await worker.post(peer.url, left_ms=0)
    assert worker.pool.events == []
