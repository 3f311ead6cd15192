"""Stand-ins for what lies outside of a source: Kafka's acknowledgement, and a ReturnGO that answers from a table."""

import json
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import msgspec
from prometheus_client import CollectorRegistry

from schemas.catalogue import Record
from schemas.codec import Codec
from schemas.merchant import Merchant
from sinks.ledger.ledger import Ledger
from sinks.route import Route
from sinks.systems.returngo import SYSTEM
from sinks.telemetry import RequestTelemetry
from sinks.transport import Transport, TransportSettings
from streams.sources.desk import Desk
from streams.sources.memory import Memory
from streams.sources.polling import Poller
from streams.sources.publishing import Outbox
from streams.sources.source_returngo import ReturnGoSource


class Written(msgspec.Struct, frozen=True):
    """One record on Kafka."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]


class Log:
    """Kafka as the outbox sees it: everything is acknowledged at once, unless `broken` says otherwise."""

    def __init__(self) -> None:
        self.written: list[Written] = []
        self.broken: Exception | None = None

    async def publish(
        self, topic: str, key: bytes | None, value: bytes | None, headers: Sequence[tuple[str, bytes]] = ()
    ) -> None:
        if self.broken is not None:
            raise self.broken
        self.written.append(Written(topic, key, value, tuple(headers)))

    def records(self, topic: str) -> list[Record]:
        codec = Codec()
        return [codec.decode(each.value) for each in self.written if each.topic == topic]


class Clock:
    """A clock that runs, and that a test may put forward."""

    def __init__(self, ms: int) -> None:
        self.ms = ms
        self._started = time.monotonic()

    def __call__(self) -> int:
        return self.ms + int((time.monotonic() - self._started) * 1000)


class Store:
    """A ReturnGO: its RMAs, which of them the list of changes shows, and every call it got."""

    def __init__(self) -> None:
        self.rmas: dict[str, dict[str, Any]] = {}
        self.changed: list[Any] = []
        self.transactions: list[dict[str, Any]] = []
        self.webhooks: list[dict[str, str]] = []
        self.calls: list[str] = []
        self.status = 200
        self.broken: set[str] = set()  # RMAs that it cannot show

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/returngo")
        self.calls.append(f"{request.method} {path}")
        if self.status != httpx.codes.OK:
            return httpx.Response(self.status)
        if request.method == "POST":
            self.webhooks.append(json.loads(request.content))
            return httpx.Response(200, json={"id": "1"})
        if path.removeprefix("/rma/") in self.broken:
            return httpx.Response(503)
        if path.startswith("/rma/"):
            found = self.rmas.get(path.removeprefix("/rma/"))
            return httpx.Response(404) if found is None else _json(found)
        listed = {"/rmas": {"rmas": self.changed}, "/transactions": {"transactions": self.transactions}}
        return _json(self.webhooks if path == "/webhooks" else listed[path])

    def read(self, rma_id: str) -> int:
        """How often an RMA was read."""
        return self.calls.count(f"GET /rma/{rma_id}")


def _json(value: object) -> httpx.Response:
    return httpx.Response(200, content=json.dumps(value, default=_number))


def _number(value: object) -> float:
    assert isinstance(value, Decimal)
    return float(value)


class Source(msgspec.Struct):
    """A ReturnGO source in one piece."""

    store: Store
    log: Log
    clock: Clock
    ledger: Ledger
    memory: Memory
    outbox: Outbox
    transport: Transport
    reader: ReturnGoSource
    desk: Desk
    poller: Poller


@asynccontextmanager
async def returngo_source(folder: Path, merchant: Merchant) -> AsyncIterator[Source]:
    """On a SQLite ledger, with the real transport and the real quota."""
    store, log, clock, name = Store(), Log(), Clock(1_778_000_000_000), merchant.merchant
    ledger = Ledger(f"sqlite:///{folder}/ledger.db")
    telemetry = RequestTelemetry("source", CollectorRegistry())
    connection = SYSTEM.connect(merchant, lambda reference: reference)
    settings = TransportSettings(patience_seconds=0.2)
    route = Route(
        merchant=name, system="returngo", connection=connection, limits=SYSTEM.limits(connection), ledger=ledger,
        holder="test", patience_seconds=0.2, settings=settings.breaker, telemetry=telemetry, now_ms=clock,
    )  # fmt: skip
    async with httpx.AsyncClient(transport=httpx.MockTransport(store)) as client:
        transport = Transport(
            system=SYSTEM, routes={name: route}, route=lambda *_: route, client=client, telemetry=telemetry,
            settings=settings, now_ms=clock,
        )  # fmt: skip
        memory = Memory(ledger, "returngo", clock)
        outbox = Outbox(kafka=log, codec=Codec(), memory=memory, system="returngo", now_ms=clock)
        reader = ReturnGoSource({name: merchant}, transport, memory, clock)
        desk = Desk(reader, outbox, memory, clock, 2)
        poller = Poller("returngo", desk, outbox, memory, clock)
        yield Source(store, log, clock, ledger, memory, outbox, transport, reader, desk, poller)
    ledger.close()
