"""Connects a transport to the systems of merchants, and keeps the connections in step with their files and secrets.

The sink workers and the sources share it. A secret that cannot be read any more is told, and the one that was read last
is used on: the system says whether it still counts. Reads secrets, opens the HTTP client.
"""

import asyncio
import functools
import logging
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx
from pydantic import BaseModel

from schemas import product
from schemas.clock import now_ms
from schemas.merchant import Merchant
from schemas.startup import CannotStart
from sinks.contract import System
from sinks.ledger.ledger import Ledger
from sinks.pool import Pool
from sinks.route import Route
from sinks.telemetry import RequestTelemetry
from sinks.transport import Transport, TransportSettings


class Connecting:
    """`merchants` may change at any time; `troubles`: by merchant, why it cannot be connected as its file says."""

    def __init__(self, transport: Transport, merchants: Mapping[str, Merchant], secret: Callable[[str], str]) -> None:
        self._transport = transport
        self._merchants = merchants
        self._secret = secret
        self.troubles: dict[str, str] = {}

    async def look(self) -> frozenset[str]:
        """Merchants whose connection is new, another, or given up. Call it about every second."""
        found, self.troubles = await asyncio.to_thread(
            connect_all, self._transport.system, dict(self._merchants), self._secret
        )
        changed = {name for name, connection in found.items() if await self._transport.take_up(name, connection)}
        for name in self._transport.merchants - found.keys() - self.troubles.keys():
            await self._transport.give_up(name)
            changed.add(name)
        return frozenset(changed)


@asynccontextmanager
async def open_transport(
    *,
    system: System,
    merchants: Mapping[str, Merchant],
    secret: Callable[[str], str],
    ledger: Ledger,
    telemetry: RequestTelemetry,
    settings: TransportSettings | None = None,
    now_ms: Callable[[], int] = now_ms,
) -> AsyncIterator[Transport]:
    """A transport for the merchants that use `system` and can be connected; raises CannotStart when no merchant is of
    any use."""
    settings = TransportSettings() if settings is None else settings
    # The client's own log names full addresses, and those can hold personal data.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    logging.getLogger("httpcore").setLevel(logging.WARNING)
    holder = uuid.uuid4().hex

    def route(merchant: str, connection: Any) -> Route:
        return Route(
            merchant=merchant,
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

    found, problems = connect_all(system, merchants, secret)
    if problems and problems.keys() >= merchants.keys():
        raise CannotStart("; ".join(f"merchant {name}: {problem}" for name, problem in problems.items()))
    routes = {name: route(name, connection) for name, connection in found.items()}
    timeout = httpx.Timeout(settings.request_seconds, connect=settings.connect_seconds, pool=settings.connect_seconds)
    async with httpx.AsyncClient(
        timeout=timeout, transport=Pool(settings.connections), trust_env=False, headers=product.HEADERS
    ) as client:
        transport = Transport(
            system=system, routes=routes, route=route, client=client, telemetry=telemetry, settings=settings,
            now_ms=now_ms,
        )  # fmt: skip
        try:
            yield transport
        finally:
            for each in list(routes.values()):
                await each.close()


def connect_all(
    system: System, merchants: Mapping[str, Merchant], secret: Callable[[str], str]
) -> tuple[dict[str, Any], dict[str, str]]:
    """A connection for each merchant whose file names the system, and by merchant what is wrong with the others."""
    connections: dict[str, Any] = {}
    problems: dict[str, str] = {}
    for name, merchant in merchants.items():
        if getattr(merchant.systems, system.name.replace("-", "_"), None) is None:
            continue
        try:
            connections[name] = system.connect(merchant, functools.partial(_read, secret, merchant, system.name))
        except ValueError as error:
            problems[name] = str(error)
    return connections, problems


def _read(secret: Callable[[str], str], merchant: Merchant, system: str, reference: str) -> str:
    """A secret; what is wrong with it bears the key that refers to it."""
    section = getattr(merchant.systems, system.replace("-", "_"))
    known = section.model_dump() if isinstance(section, BaseModel) else {}
    keys = [
        key for key, value in known.items() if reference == value or (isinstance(value, tuple) and reference in value)
    ]
    try:
        return secret(reference)
    except ValueError as error:
        raise ValueError(f"{'.'.join(['systems', system, *keys[:1]])}: {error}") from error
