"""`returnflow sink <system>`: one worker process. The composition root of the sinks; touches everything they touch."""

import asyncio
import signal
import time

import pydantic
import structlog
import uvloop
from prometheus_client import CollectorRegistry, ProcessCollector

from schemas import endpoints, secrets
from schemas.clock import now_ms
from schemas.merchant import MerchantFileError
from schemas.merchant_folder import MerchantFolder
from schemas.registry import codec_from
from schemas.settings import ProcessSettings
from schemas.startup import CannotStart
from sinks.budget import within
from sinks.failure import Failure
from sinks.ledger.engine import ledger_answers
from sinks.measure import measure
from sinks.parts import Environment, Parts, build
from sinks.settings import SinkSettings
from sinks.systems import SYSTEMS

log = structlog.get_logger()

# Share of the time for stopping that is kept for closing what was opened.
CLOSING = 0.25


def main(settings: ProcessSettings, system: str) -> int:
    """Carry out a system's commands until SIGTERM or SIGINT; 0 after a clean end. Raises CannotStart."""
    environment = _environment(settings, system)
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    serving = environment.serving
    endpoints.serve(
        settings.metrics_host, settings.metrics_port, registry=registry, alive=[serving.turning.check],
        ready=[
            serving.joined.check, endpoints.kafka_answers(settings.kafka), ledger_answers(settings.ledger_url)
        ],
    )  # fmt: skip
    uvloop.run(_until_signal(environment, registry))
    return 0


def _environment(settings: ProcessSettings, system: str) -> Environment:
    if system not in SYSTEMS:
        raise CannotStart(f"sink {system}: expected one of {', '.join(sorted(SYSTEMS))}")
    try:
        folder = MerchantFolder.opened(settings.merchants)
    except MerchantFileError as error:
        raise CannotStart(str(error)) from error
    return Environment(
        system=SYSTEMS[system],
        folder=folder,
        secret=lambda reference: secrets.resolve(reference).get_secret_value(),
        bootstrap=settings.kafka,
        ledger_url=settings.ledger_url,
        codec=codec_from(settings.registry_url),
        session_seconds=settings.session_timeout_seconds,
        settings=_settings(),
    )


def _settings() -> SinkSettings:
    try:
        return SinkSettings()
    except pydantic.ValidationError as error:
        lines = [
            f"RETURNFLOW_SINK_{str(each['loc'][0]).upper()}: {each['msg']}, got {each['input']!r}"
            for each in error.errors(include_url=False)
        ]
        raise CannotStart("\n".join(lines)) from error


async def _until_signal(environment: Environment, registry: CollectorRegistry) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await run(environment, stop, registry)


async def run(environment: Environment, stop: asyncio.Event, registry: CollectorRegistry) -> None:
    """A worker until `stop`. Whatever it cannot handle is raised, after what is settled was committed."""
    failed = Failure(stop.set)
    environment.serving.turning.watch(asyncio.get_running_loop())
    async with build(environment, registry, failed) as parts:
        await parts.pauses.refresh()
        await parts.upkeep.look()
        parts.intake.subscribe()
        log.info("sink_started", system=environment.system.name, merchants=sorted(parts.transport.merchants))
        ticking = asyncio.create_task(_tick(parts, environment.settings.tick_seconds, stop))
        ticking.add_done_callback(failed.of)
        try:
            while not stop.is_set():
                await parts.intake.poll()
        finally:
            stop.set()
            await _finish(parts, ticking)
    log.info("sink_stopped", system=environment.system.name, clean=failed.error is None)
    if failed.error is not None:
        raise failed.error


async def _finish(parts: Parts, ticking: "asyncio.Task[None]") -> None:
    """What is not finished within the budget is read again by the next worker."""
    seconds = parts.stopping.left * (1 - CLOSING)
    await asyncio.gather(
        parts.intake.end(seconds),
        within(seconds, "redriver", parts.redriver.end(seconds / 2)),
        within(seconds, "ticking", asyncio.wait({ticking})),
    )
    ticking.cancel()


async def _tick(parts: Parts, seconds: float, stop: asyncio.Event) -> None:
    """Commits, redrives and measures, about every `seconds`."""
    while not stop.is_set():
        started = time.monotonic()
        await parts.intake.commit()
        await parts.upkeep.look()
        await parts.redriver.tick()
        await parts.retention.tick()
        await measure(parts, now_ms())
        try:
            await asyncio.wait_for(stop.wait(), max(0.05, seconds - (time.monotonic() - started)))
        except TimeoutError:
            continue
