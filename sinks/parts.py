"""Puts a worker together from its settings. Opens the ledger, the HTTP client and the Kafka clients, in that order."""

import asyncio
import random
import uuid
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import msgspec
from aiokafka.errors import KafkaError
from prometheus_client import CollectorRegistry

from schemas import brokers, topics
from schemas.clock import CLOCK, now_ms
from schemas.codec import Codec
from schemas.endpoints import Serving
from schemas.kafka import Brokers
from schemas.merchant_folder import MerchantFolder
from schemas.misconfigured import Misconfigured
from schemas.startup import CannotStart
from sinks import breaker
from sinks.apply import Applier
from sinks.assignment import Assignment, Item, Place
from sinks.batches import Batches
from sinks.budget import Budget, within
from sinks.claim import ClaimTimes
from sinks.connecting import Connecting, open_transport
from sinks.consume import Intake, consumer
from sinks.contract import System
from sinks.dispatch import Dispatch
from sinks.failure import Failure
from sinks.lanes import Lanes
from sinks.ledger.ledger import Ledger
from sinks.pauses import Pauses
from sinks.policy import Patience
from sinks.publish import Publisher, producer
from sinks.redrive import Redriver
from sinks.retention import Retention
from sinks.settings import SinkSettings
from sinks.settle import Settlement
from sinks.telemetry import SinkTelemetry
from sinks.transport import Transport, TransportSettings
from sinks.upkeep import Upkeep

ANSWER_WITHIN_SECONDS = 5.0


class Environment(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker is started with. `secret` resolves a reference of a merchant file."""

    system: System
    folder: MerchantFolder
    secret: Callable[[str], str]
    bootstrap: Brokers
    ledger_url: str
    codec: Codec
    session_seconds: float
    settings: SinkSettings
    serving: Serving = msgspec.field(default_factory=Serving)


class Parts(msgspec.Struct, frozen=True, kw_only=True):
    """A worker that is ready to run."""

    intake: Intake
    redriver: Redriver
    ledger: Ledger
    transport: Transport
    pauses: Pauses
    upkeep: Upkeep
    retention: Retention
    telemetry: SinkTelemetry
    stopping: Budget


@asynccontextmanager
async def build(environment: Environment, registry: CollectorRegistry, failed: Failure) -> AsyncIterator[Parts]:
    """Everything open and connected; closed again in reverse order and in time. Raises CannotStart in plain words."""
    system, settings, merchants = environment.system, environment.settings, environment.folder.merchants
    worker = uuid.uuid4().hex
    telemetry = SinkTelemetry(registry)
    telemetry.from_zero(system.name)
    stopping = Budget(settings.shutdown_seconds)
    async with AsyncExitStack() as stack:
        ledger = Ledger(environment.ledger_url, telemetry.ledger.observe)
        stack.callback(lambda: ledger.close(stopping.left))
        opening = open_transport(
            system=system, merchants=merchants, secret=environment.secret, ledger=ledger,
            telemetry=telemetry.requests, settings=_transport_settings(settings), now_ms=now_ms,
        )  # fmt: skip
        transport = await opening.__aenter__()
        stack.push_async_callback(lambda: within(stopping.left / 2, "transport", opening.__aexit__(None, None, None)))
        await asyncio.to_thread(_require_topics, environment)
        kafka = producer(environment.bootstrap)
        reader = consumer(environment.bootstrap, topics.group_of(f"sink {system.name}"), environment.session_seconds)
        await _start(kafka, reader, environment, stack, stopping)
        settlement = Settlement(
            system=system.name, ledger=ledger, publisher=Publisher(kafka), codec=environment.codec,
            telemetry=telemetry, now_ms=now_ms,
        )  # fmt: skip
        pauses = Pauses(
            system=system.name, ledger=ledger, settlement=settlement, telemetry=telemetry,
            probe_seconds=settings.probe_seconds, equal_rejections=settings.equal_rejections, now_ms=now_ms,
        )  # fmt: skip
        batches = _batches(environment, worker, transport, ledger, telemetry)
        if batches is not None:
            stack.push_async_callback(lambda: within(stopping.left / 2, "batches", batches.end()))
        applier = Applier(
            worker=worker, transport=transport, merchants=merchants, ledger=ledger, settlement=settlement,
            pauses=pauses, telemetry=telemetry, patience=_patience(settings), times=_times(settings),
            batches=batches, now_ms=now_ms, chance=random.random, sure_ms=CLOCK.sure_ms,
        )  # fmt: skip

        def assign(places: Collection[Place]) -> Assignment:
            return Assignment(
                places=places, system=system.name, codec=environment.codec, applier=applier, settlement=settlement,
                ledger=ledger, lanes=_lanes(settings, len(merchants)), park_seconds=settings.park_seconds,
                failed=failed, now_ms=now_ms,
            )  # fmt: skip

        yield Parts(
            intake=Intake(
                kafka=reader, topic=topics.commands_of(system.name), assign=assign, telemetry=telemetry,
                system=system.name, drain_seconds=environment.session_seconds / 3, joined=environment.serving.joined,
            ),
            redriver=Redriver(
                worker=worker, ledger=ledger, codec=environment.codec, applier=applier, settlement=settlement,
                pauses=pauses, transport=transport, most=max(1, settings.buffered // 4),
                failed=failed, now_ms=now_ms,
            ),
            ledger=ledger, transport=transport, pauses=pauses, telemetry=telemetry, stopping=stopping,
            upkeep=Upkeep(
                folder=environment.folder, connecting=Connecting(transport, merchants, environment.secret),
                telling=Misconfigured(f"sink {system.name}", telemetry.misconfigured, now_ms), pauses=pauses,
                publish=settlement.publish_exception,
            ),
            retention=Retention(
                system=system.name, days=settings.retention_days, ledger=ledger, codec=environment.codec,
                settlement=settlement, telemetry=telemetry,
            ),
        )  # fmt: skip


async def _start(kafka: Any, reader: Any, environment: Environment, stack: AsyncExitStack, stopping: Budget) -> None:
    # Also what did not start has to be closed.
    stack.push_async_callback(lambda: within(stopping.left / 2, "producer", kafka.stop()))
    stack.push_async_callback(lambda: within(stopping.left / 2, "consumer", reader.stop()))
    try:
        await kafka.start()
        await reader.start()
    except (KafkaError, OSError) as error:
        raise CannotStart(_no_kafka(environment, str(error))) from error


def _require_topics(environment: Environment) -> None:
    """Asked before aiokafka connects, which would tell of every failed try in lines of its own."""
    try:
        there = brokers.ask(environment.bootstrap, ANSWER_WITHIN_SECONDS).topics
    except brokers.Unreachable as error:
        raise CannotStart(_no_kafka(environment, str(error))) from error
    name = environment.system.name
    needed = {topics.commands_of(name), topics.dead_letters(name), topics.COMMAND_RESULTS, topics.EXCEPTIONS}
    if missing := sorted(needed - set(there)):
        raise CannotStart(
            f"Kafka at {environment.bootstrap} has no topic {', '.join(missing)}{brokers.unseen(environment.bootstrap)}"
            "; run `returnflow topics apply`"
        )


def _no_kafka(environment: Environment, said: str) -> str:
    return f"expected a Kafka at {environment.bootstrap}, got: {said}; check RETURNFLOW_KAFKA_BOOTSTRAP"


def _transport_settings(settings: SinkSettings) -> TransportSettings:
    return TransportSettings(
        connect_seconds=settings.connect_seconds,
        request_seconds=settings.request_seconds,
        patience_seconds=settings.patience_seconds,
        connections=settings.connections,
        breaker=breaker.Settings(
            failures=settings.breaker_failures,
            open_seconds=settings.breaker_open_seconds,
            longest_seconds=settings.breaker_longest_seconds,
        ),
    )


def _patience(settings: SinkSettings) -> Patience:
    return Patience(
        first_seconds=settings.first_wait_seconds,
        longest_seconds=settings.longest_wait_seconds,
        give_up_seconds=settings.give_up_seconds,
    )


def _times(settings: SinkSettings) -> ClaimTimes:
    # A claim outlives any one request, so a claim that has run out means that nothing of ours is under way.
    claim_seconds = max(settings.claim_seconds, settings.request_seconds + 5)
    return ClaimTimes(claim_ms=int(claim_seconds * 1000), request_ms=int((settings.request_seconds + 1) * 1000))


def _batches(
    environment: Environment, worker: str, transport: Transport, ledger: Ledger, telemetry: SinkTelemetry
) -> Batches | None:
    batching, times = environment.system.batching, _times(environment.settings)
    if batching is None:
        return None
    dispatch = Dispatch(
        worker=worker, transport=transport, batching=batching, ledger=ledger, telemetry=telemetry, times=times,
        now_ms=now_ms, sure_ms=CLOCK.sure_ms,
    )  # fmt: skip
    return Batches(
        system=environment.system.name, dispatch=dispatch, batching=batching, merchants=environment.folder.merchants,
        times=times,
    )  # fmt: skip


def _lanes(settings: SinkSettings, merchants: int) -> Lanes[Item]:
    # With several merchants none gets more than half: what one cannot send must leave room for the others.
    share = settings.buffered if merchants < 2 else max(1, settings.buffered // 2)
    return Lanes(most=settings.buffered, most_per_merchant=share)
