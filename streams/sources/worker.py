"""`returnflow source <system>`: one source process. The composition root of the sources; touches all they touch."""

import asyncio
import signal
from collections.abc import Coroutine

import structlog
import uvloop
from prometheus_client import REGISTRY, CollectorRegistry

from schemas import endpoints, secrets, topics
from schemas.clock import now_ms
from schemas.merchant_folder import MerchantFolder
from schemas.registry import codec_from
from schemas.settings import ProcessSettings
from schemas.startup import CannotStart
from sinks.ledger.engine import ledger_answers
from streams.sources import telemetry
from streams.sources.broker import require_topics
from streams.sources.parts import Environment, Parts, build, topics_of
from streams.sources.rounds import every

log = structlog.get_logger(__name__)
DRAIN_SECONDS = 10.0
SUPPORTED = ("returngo", "shopify", "warehouse", "carrier")


def main(settings: ProcessSettings, system: str) -> int:
    """Read a system until SIGTERM or SIGINT; 0 after a clean stop. Raises CannotStart and what configuration raises."""
    environment = _environment(settings, system)
    telemetry.source_from_zero(system)
    require_topics(settings.kafka, _topics(system))
    serving = environment.serving
    endpoints.serve(
        settings.metrics_host, settings.metrics_port, alive=[serving.turning.check],
        ready=[
            serving.joined.check, endpoints.kafka_answers(settings.kafka), ledger_answers(settings.ledger_url)
        ],
    )  # fmt: skip
    uvloop.run(_until_signal(environment))
    return 0


def _environment(settings: ProcessSettings, system: str) -> Environment:
    if system not in SUPPORTED:
        raise CannotStart(f"source {system}: expected one of {', '.join(SUPPORTED)}")
    folder = MerchantFolder.opened(settings.merchants)
    require_users(system, folder)
    return Environment(
        system=system, folder=folder, bootstrap=settings.kafka,
        secret=lambda reference: secrets.resolve(reference).get_secret_value(), ledger_url=settings.ledger_url,
        codec=codec_from(settings.registry_url), session_seconds=settings.session_timeout_seconds,
        now_ms=now_ms,
    )  # fmt: skip


def require_users(system: str, folder: MerchantFolder) -> None:
    """Raises CannotStart when no merchant uses the system."""
    if all(getattr(each.systems, system) is None for each in folder.merchants.values()):
        problems = "".join(f"\n{problem}" for problem in folder.troubles.values())
        raise CannotStart(
            f"source {system}: expected a merchant with a section [systems.{system}], found none{problems}"
        )


def _topics(system: str) -> list[str]:
    written = (topics.RETURN_EVENTS, topics.ORDER_SNAPSHOTS, topics.OBSERVED_EFFECTS, topics.STOCK_ITEMS,
               topics.STOCK_LEVELS, topics.EXCEPTIONS, topics.dead_letters(system))  # fmt: skip
    return [*topics_of(system), *written]


async def _until_signal(environment: Environment) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await run(environment, stop, REGISTRY)


async def run(environment: Environment, stop: asyncio.Event, registry: CollectorRegistry) -> None:
    """A source until `stop`. What it cannot handle is raised, after what is settled was committed."""
    environment.serving.turning.watch(asyncio.get_running_loop())
    async with build(environment, registry) as parts:
        parts.consumer.subscribe(topics_of(environment.system), listener=parts.consuming)
        await parts.consumer.start()
        log.info("source_started", system=environment.system, merchants=sorted(environment.folder.merchants))
        try:
            await _first_end(stop, _work(parts))
        finally:
            await parts.signals.drain(DRAIN_SECONDS)
            await parts.consuming.commit()
            await parts.consumer.stop()
    log.info("source_stopped", system=environment.system)


def _work(parts: Parts) -> list[Coroutine[None, None, None]]:
    by_clock = [every(seconds, parts.consuming.polls, work) for seconds, work in parts.rounds]
    consuming, signals, upkeep = parts.consuming, parts.signals, parts.upkeep
    return [consuming.run(), consuming.commit_for_ever(), signals.run(), upkeep.run(), *by_clock]


async def _first_end(stop: asyncio.Event, work: list[Coroutine[None, None, None]]) -> None:
    """Runs side by side until `stop`, or until one of them breaks: then its error is raised."""
    tasks = [asyncio.create_task(each) for each in work]
    stopped = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait([*tasks, stopped], return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in [*tasks, stopped]:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
    for each in ended:
        if isinstance(each, Exception):
            raise each
