"""The gateway's connections: who has sent no whole request for too long, or holds too much, gives way to who comes.

A sender of webhooks sends its request at once, so a connection without one costs nothing to end: its sender comes
back. Everyone may be the same peer (a proxy), so a full house never refuses the newest, it ends the one that has waited
longest. Pure bookkeeping and a protocol that tells it what happens; time comes in.
"""

import asyncio
import time
from typing import Any, Literal, Protocol

import h11
import msgspec
from uvicorn.protocols.http.h11_impl import H11Protocol

from streams.sources import telemetry

SWEEP_SECONDS = 0.25
Reason = Literal["slow", "crowded", "crowded_peer", "memory"]


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What all connections may hold together."""

    most: int = 4_000  # connections
    most_of_peer: int = 3_000  # of one address
    whole_within_seconds: float = 5.0  # a request, headers and body, since it could begin: no sender waits longer
    most_bytes: int = 64_000_000  # of requests that are not whole yet


class Droppable(Protocol):
    """A connection as the bookkeeping sees it."""

    def drop(self, reason: Reason) -> None: ...


class _Open(msgspec.Struct):
    peer: str
    waits_since: float | None  # None: its request is whole and being answered
    size: int = 0  # bytes of the request that is not whole yet


class Connections:
    """Those that are open, the one that waits longest first."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._open: dict[Droppable, _Open] = {}
        self._waiting: dict[Droppable, None] = {}  # in the order in which they began to wait
        self._of_peer: dict[str, int] = {}
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._open)

    def opened(self, connection: Droppable, peer: str, now: float) -> None:
        """Takes it in; another one, or this one where all others are at work, gives way when there are too many."""
        self._open[connection] = _Open(peer, now)
        self._waiting[connection] = None
        self._of_peer[peer] = self._of_peer.get(peer, 0) + 1
        if self._of_peer[peer] > self._limits.most_of_peer:
            self._drop(next(each for each in self._waiting if self._open[each].peer == peer), "crowded_peer")
        elif len(self._open) > self._limits.most:
            self._drop(next(iter(self._waiting)), "crowded")

    def received(self, connection: Droppable, size: int) -> None:
        """More of a request that is not whole yet."""
        known = self._open.get(connection)
        if known is None or known.waits_since is None:
            return
        known.size += size
        self._bytes += size
        if self._bytes > self._limits.most_bytes:
            self._drop(next(each for each in self._waiting if self._open[each].size), "memory")

    def whole(self, connection: Droppable) -> None:
        """Its request is there and is being answered."""
        known = self._open.get(connection)
        if known is not None and known.waits_since is not None:
            self._waits_no_more(connection, known)

    def answered(self, connection: Droppable, now: float) -> None:
        """It may send another request."""
        known = self._open.get(connection)
        if known is not None and known.waits_since is None:
            known.waits_since = now
            self._waiting[connection] = None

    def closed(self, connection: Droppable) -> None:
        """By either side."""
        known = self._open.pop(connection, None)
        if known is None:
            return
        self._waits_no_more(connection, known)
        self._of_peer[known.peer] -= 1
        if not self._of_peer[known.peer]:
            del self._of_peer[known.peer]

    def sweep(self, now: float) -> None:
        """Ends what has waited too long."""
        since = now - self._limits.whole_within_seconds
        for connection in list(self._waiting):
            waits = self._open[connection].waits_since
            if waits is None or waits > since:
                break
            self._drop(connection, "slow")

    async def run(self) -> None:
        """Sweeps until cancelled."""
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            self.sweep(time.monotonic())

    def _waits_no_more(self, connection: Droppable, known: _Open) -> None:
        self._bytes -= known.size
        known.size, known.waits_since = 0, None
        self._waiting.pop(connection, None)

    def _drop(self, connection: Droppable, reason: Reason) -> None:
        self.closed(connection)
        telemetry.CONNECTIONS_DROPPED.labels(reason).inc()
        connection.drop(reason)


def protocol(connections: Connections) -> type[H11Protocol]:
    """uvicorn's HTTP protocol that tells `connections` how far each request has come."""

    class Watched(H11Protocol):
        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
            super().connection_made(transport)
            connections.opened(self, self.client[0] if self.client else "", time.monotonic())

        def connection_lost(self, exc: Exception | None) -> None:
            connections.closed(self)
            super().connection_lost(exc)

        def data_received(self, data: bytes) -> None:
            connections.received(self, len(data))
            if not self.transport.is_closing():
                super().data_received(data)
                self._told()

        def on_response_complete(self) -> None:
            super().on_response_complete()
            if not self.transport.is_closing():
                connections.answered(self, time.monotonic())
                self._told()  # the next request may have come with this one

        def drop(self, reason: Reason) -> None:  # noqa: ARG002  # the bookkeeping counts it
            self.transport.abort()

        def _told(self) -> None:
            if self.conn.their_state in _WHOLE:
                connections.whole(self)

    return Watched


_WHOLE: frozenset[Any] = frozenset({h11.DONE, h11.MUST_CLOSE, h11.CLOSED, h11.ERROR})
