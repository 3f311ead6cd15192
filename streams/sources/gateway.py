"""The gateway: receives webhooks, appends them to Kafka, answers. HTTP in, Kafka out; it knows nothing else.

2xx means that Kafka has it. 401: not authentic, whoever asks and whatever is wrong. 413: too large. 503: Kafka did not
take it in time, send it again. There is no other answer to a webhook, and a body is never a reason to refuse.
"""

import asyncio
import resource
import signal
import socket
import time
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager

import structlog
import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from schemas import endpoints, ids, topics
from schemas.clock import now_ms
from schemas.codec import Codec
from schemas.merchant_folder import MerchantFolder
from schemas.misconfigured import Misconfigured
from schemas.registry import codec_from
from schemas.secrets import resolve
from schemas.settings import ProcessSettings
from schemas.startup import CannotStart
from streams.sources import minimal, telemetry
from streams.sources.broker import require_topics
from streams.sources.connections import Connections, Limits, protocol
from streams.sources.doors import Doors, Headers
from streams.sources.envelope import delivery
from streams.sources.gateway_upkeep import GatewayUpkeep
from streams.sources.intake import Intake, Unavailable

LARGEST_BYTES = 2_000_000
APPEND_WITHIN_SECONDS = 3.0  # Shopify gives up after five
RETRY_AFTER_SECONDS = 5
SPARE_DESCRIPTORS = 200
log = structlog.get_logger(__name__)
Proof = Callable[[Request, bytes, Headers], bool]


class TooLarge(Exception):
    """More bytes than a webhook may have."""


class Gateway:
    """The handlers of one process; `now_ms` is the clock that dates deliveries, `labels` knows a merchant's own."""

    def __init__(
        self, doors: Doors, intake: Intake, codec: Codec, now_ms: Callable[[], int],
        labels: Callable[[str], Collection[str]],
    ) -> None:  # fmt: skip
        self._doors = doors
        self._intake = intake
        self._codec = codec
        self._now_ms = now_ms
        self._labels = labels
        self._last_ms = 0

    async def returngo(self, request: Request) -> Response:
        """A signal behind an unguessable address, which is all of its proof: without it no body is read."""
        if not self._doors.returngo(_merchant(request), request.path_params["token"]):
            return _counted("returngo", "refused", 401, {"Connection": "close"})
        return await self._receive("returngo", request, lambda _r, _b, _h: True)

    async def shopify(self, request: Request) -> Response:
        return await self._receive("shopify", request, lambda r, b, h: self._doors.shopify(_merchant(r), b, h))

    async def warehouse(self, request: Request) -> Response:
        return await self._receive("warehouse", request, lambda r, b, h: self._doors.warehouse(_merchant(r), b, h))

    async def carrier(self, request: Request) -> Response:
        return await self._receive("carrier", request, lambda r, b, h: self._doors.carrier(_merchant(r), b, h))

    async def _receive(self, system: str, request: Request, proof: Proof) -> Response:
        headers = dict(request.headers)
        try:
            body = await _body(request)
        except TooLarge:
            return _counted(system, "too_large", 413)
        except ClientDisconnect:
            return _counted(system, "refused", 400)
        if not proof(request, body, headers):
            return _counted(system, "refused", 401)
        return await self._append(system, _merchant(request), headers, body)

    async def _append(self, system: str, merchant: str, headers: Headers, body: bytes) -> Response:
        started = time.perf_counter()
        # no two at one time: the doors' facts bear it as their order
        self._last_ms = max(self._now_ms(), self._last_ms + 1)
        kept = minimal.kept(system, body, self._labels(merchant))
        taken, problem = delivery(system, merchant, headers, kept, self._last_ms, ids.digest(body))
        key = f"{merchant}|{taken.resource_id or taken.delivery_id}".encode()
        try:
            await self._intake.append(topics.deliveries(system), key, self._codec.encode(taken))
        except Unavailable as error:
            log.warning("delivery_not_taken", system=system, merchant=merchant, error=str(error))
            return _counted(system, "unavailable", 503, {"Retry-After": str(RETRY_AFTER_SECONDS)})
        telemetry.ACK_SECONDS.observe(time.perf_counter() - started)
        return _counted(system, "malformed" if problem else "kept", 202)


def build(
    doors: Doors, intake: Intake, codec: Codec, now_ms: Callable[[], int], connections: Connections,
    turning: endpoints.Turning, upkeep: GatewayUpkeep,
) -> Starlette:  # fmt: skip
    """The application; its lifespan watches loop, connections and merchant files, serves and flushes the intake."""
    gateway = Gateway(doors, intake, codec, now_ms, upkeep.labels)
    telemetry.UNACKNOWLEDGED.set_function(lambda: intake.outstanding)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        turning.watch(asyncio.get_running_loop())
        serving = [asyncio.create_task(each.run()) for each in (intake, connections, upkeep)]
        yield
        for each in serving:
            each.cancel()
        await asyncio.to_thread(intake.close, 5.0)

    routes = [
        Route("/returngo/{merchant}/{token}", gateway.returngo, methods=["POST"]),
        Route("/shopify/{merchant}", gateway.shopify, methods=["POST"]),
        Route("/warehouse/{merchant}", gateway.warehouse, methods=["POST"]),
        Route("/carrier/{merchant}", gateway.carrier, methods=["POST"]),
    ]
    return Starlette(routes=routes, lifespan=lifespan, exception_handlers={Exception: _fault_of_ours})


async def _body(request: Request) -> bytes:
    """The whole body, read no further than the limit; raises TooLarge."""
    stated = request.headers.get("content-length", "0")
    if stated.isdigit() and int(stated) > LARGEST_BYTES:
        raise TooLarge
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > LARGEST_BYTES:
            raise TooLarge
        parts.append(part)
    return b"".join(parts)


def _counted(system: str, result: str, status: int, headers: dict[str, str] | None = None) -> Response:
    telemetry.DELIVERIES.labels(system, result).inc()
    return Response(status_code=status, headers=headers)


def _merchant(request: Request) -> str:
    return str(request.path_params["merchant"])


async def _fault_of_ours(_: Request, error: Exception) -> Response:
    """A bug: the delivery was not taken, so its sender must keep it and come back."""
    log.error("gateway_fault", error=type(error).__name__)
    return Response(status_code=503, headers={"Retry-After": str(RETRY_AFTER_SECONDS)})


def main(settings: ProcessSettings, host: str, port: int) -> int:
    """Serve until SIGTERM or SIGINT; 0 after a clean stop. Raises CannotStart and what configuration raises."""
    folder = MerchantFolder.opened(settings.merchants)
    codec = codec_from(settings.registry_url)
    intake = Intake(settings.kafka, APPEND_WITHIN_SECONDS, LARGEST_BYTES)
    upkeep = GatewayUpkeep(
        folder=folder, secret=lambda reference: resolve(reference).get_secret_value(), intake=intake, codec=codec,
        telling=Misconfigured("gateway", telemetry.MISCONFIGURED, now_ms),
    )  # fmt: skip
    if not upkeep.open_doors():
        raise CannotStart("\n".join(f"merchant {name}: {problem}" for name, problem in upkeep.troubles.items()))
    require_topics(settings.kafka, [topics.deliveries(system) for system in topics.WEBHOOK_SYSTEMS])
    telemetry.gateway_from_zero(topics.WEBHOOK_SYSTEMS)
    connections = Connections(Limits(most=_room()))
    telemetry.CONNECTIONS.set_function(lambda: len(connections))
    turning = endpoints.Turning()
    app = build(Doors(upkeep.secrets), intake, codec, now_ms, connections, turning, upkeep)
    # no access log: ReturnGO's address holds its token
    config = uvicorn.Config(
        app, http=protocol(connections), loop="uvloop", access_log=False, log_config=None, server_header=False
    )
    endpoints.serve(
        settings.metrics_host, settings.metrics_port, alive=[turning.check],
        ready=[endpoints.kafka_answers(settings.kafka)],
    )  # fmt: skip
    with _listening(host, port) as listener:
        _stop_quietly()
        log.info("gateway_listening", host=host, port=listener.getsockname()[1], merchants=len(folder.merchants))
        uvicorn.Server(config).run(sockets=[listener])
    return 0


def _room() -> int:
    """As many connections as there are file descriptors for, with some left for Kafka, logs and the listener."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = Limits().most + SPARE_DESCRIPTORS
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(wanted, most) if most > 0 else wanted, most))
    return min(Limits().most, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - SPARE_DESCRIPTORS)


def _listening(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port), backlog=2048, reuse_port=False)
    except OSError as error:
        raise CannotStart(
            f"expected to listen on {host}:{port}, got: {error.strerror}. Free the port or choose another with --port."
        ) from error


def _stop_quietly() -> None:
    """uvicorn stops on these signals and then raises them once more, which would end a clean stop with a failure."""
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda *_: None)
