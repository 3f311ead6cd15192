"""A sink worker against a system that answers in 50 ms: commands in flight and per second, all of it real.

Kafka, SQLite ledger with durable commits, HTTP to another process, results acknowledged, offsets committed.
"""

import asyncio
import logging
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import httpx
import structlog
import uvloop
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic
from prometheus_client import CollectorRegistry

from ops.bench.figure import Figure, Kafka
from schemas import ids, topics
from schemas.codec import Codec
from schemas.commands import Command, CommandKind, Restock
from schemas.kafka import librdkafka
from schemas.merchant import Merchant, Systems
from schemas.merchant_folder import MerchantFolder
from sinks.contract import EFFECT, Attempt, Batching, Flow, Limit, Seen
from sinks.outcomes import Applied, Uncertain
from sinks.parts import Environment
from sinks.settings import SinkSettings
from sinks.worker import run as run_worker

COMMANDS = 6_000
PARTITIONS = 6
IN_FLIGHT = 400
BUFFERED = 1_000
LIMIT = Limit(name="calls", capacity=1e6, per_second=1e6, in_flight=IN_FLIGHT)


class Slow:
    """Satisfies sinks.contract.System: one request per command."""

    handles: frozenset[CommandKind] = frozenset({"restock"})
    key_horizon_seconds: float | None = None
    batching: Batching | None = None

    def __init__(self, name: str, url: str) -> None:
        self.name = name
        self._url = url

    def connect(self, merchant: Merchant, secret: Callable[[str], str]) -> str:  # noqa: ARG002
        return self._url

    def authorize(self, connection: str, request: httpx.Request) -> httpx.Request:  # noqa: ARG002
        return request

    def limits(self, connection: str) -> Sequence[Limit]:  # noqa: ARG002
        return (LIMIT,)

    def cost(self, request: httpx.Request) -> dict[str, float]:  # noqa: ARG002
        return {LIMIT.name: 1.0}

    def seen(self, request: httpx.Request, response: httpx.Response) -> dict[str, Seen]:  # noqa: ARG002
        return {}

    def flow(self, command: Command, connection: str, merchant: Merchant, attempt: Attempt) -> Flow:  # noqa: ARG002
        body = {"id": command.command_id, "key": attempt.idempotency_key}
        answer = yield httpx.Request("POST", connection, json=body, extensions={EFFECT: True})
        if answer.status_code != 200:
            return Uncertain(reason=f"answered {answer.status_code}")
        return Applied(external_ids={"id": "1"})


def run(kafka: Kafka) -> Sequence[Figure]:
    """Carry out a backlog and see how wide and how fast."""
    # A line per command is what production writes; here it would measure the terminal.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    bootstrap, system = kafka(), f"bench-{uuid.uuid4().hex[:8]}"
    _topics(bootstrap, system)
    _backlog(bootstrap, system)
    with _peer() as url, tempfile.TemporaryDirectory() as folder:
        started, cpu = time.perf_counter(), time.process_time()
        registry = CollectorRegistry()
        under_way = uvloop.run(_carry_out(_environment(bootstrap, system, url, folder), registry))
        seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
        figures: dict[str, Any] = httpx.get(f"{url}/figures", trust_env=False).json()
    labels = {"system": system, "merchant": "bench", "outcome": "answered"}
    waited = registry.get_sample_value("returnflow_sink_request_seconds_sum", labels) or 0.0
    commits = registry.get_sample_value("returnflow_sink_ledger_seconds_count") or 1.0
    busy = figures["seconds"]
    return [
        Figure(name="commands in flight, median while there was a backlog", value=f"{under_way:.0f}", target="≥ 200"),
        # Little's law, over the time in which the system had requests at all
        Figure(name="requests in flight, as the worker has them, mean", value=f"{waited / busy:.0f}"),
        Figure(name="requests in flight, as the system sees them, most", value=f"{figures['most']}"),
        Figure(name="requests in flight, as the system sees them, mean", value=f"{figures['mean']:.0f}"),
        Figure(name="commands/s while it was busy", value=f"{figures['answered'] / busy:.0f}"),
        Figure(name="commands/s with start and last commit", value=f"{COMMANDS / seconds:.0f}"),
        Figure(name="CPU per command", value=f"{cpu / COMMANDS * 1e3:.2f} ms"),
        Figure(name="commands per ledger commit", value=f"{COMMANDS / commits:.0f}"),
    ]


def _topics(bootstrap: str, system: str) -> None:
    admin = AdminClient({**librdkafka(bootstrap)})
    there = admin.list_topics(timeout=10).topics
    names = (topics.commands_of(system), topics.dead_letters(system), topics.COMMAND_RESULTS, topics.EXCEPTIONS)
    wanted = [NewTopic(name, num_partitions=PARTITIONS, replication_factor=1) for name in names if name not in there]
    for made in admin.create_topics(wanted).values():
        made.result(30)


def _backlog(bootstrap: str, system: str) -> None:
    producer, codec = Producer({**librdkafka(bootstrap), "linger.ms": 20}), Codec()
    for number in range(COMMANDS):
        sku, units = f"S{number}", (f"u{number}",)
        command = Restock(
            command_id=ids.command_id(
                merchant="bench", system=system, kind="restock", rma_id="R", unit_ids=units, generation=0
            ),
            merchant="bench", system=system, order_id=str(number), rma_id="R", unit_ids=units, generation=0,
            decided_at_ms=0, sku=sku, item_id=sku, location_id="1", quantity=1, stock_status="available",
        )  # fmt: skip
        producer.produce(
            topics.commands_of(system), key=ids.item_key("bench", system, sku), value=codec.encode(command)
        )
        producer.poll(0)
    producer.flush(30)


@contextmanager
def _peer() -> Iterator[str]:
    process = subprocess.Popen([sys.executable, "-m", "ops.bench.slow_peer"], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.kill()
        process.wait(10)


def _environment(bootstrap: str, system: str, url: str, folder: str) -> Environment:
    systems: dict[str, Any] = {system.replace("-", "_"): url}
    merchant = Merchant.model_construct(
        merchant="bench", time_zone="UTC", currency="EUR", systems=_AnySystems.model_construct(**systems)
    )
    return Environment(
        system=Slow(system, url),
        folder=MerchantFolder.fixed({"bench": merchant}),
        secret=lambda _: "",
        bootstrap=bootstrap,
        ledger_url=f"sqlite:///{folder}/ledger.db",
        codec=Codec(),
        session_seconds=10.0,
        settings=SinkSettings(connections=IN_FLIGHT, buffered=BUFFERED, tick_seconds=0.1),
    )


class _AnySystems(Systems):
    """The systems of a merchant, with the one of this bench."""

    model_config = {"extra": "allow"}  # noqa: RUF012


async def _carry_out(environment: Environment, registry: CollectorRegistry) -> float:
    """Commands that are being carried out: median of a look every tenth of a second."""
    stop = asyncio.Event()
    working = asyncio.create_task(run_worker(environment, stop, registry))
    labels = {"system": environment.system.name, "merchant": "bench", "kind": "restock", "outcome": "applied"}
    seen: list[float] = []
    while (done := registry.get_sample_value("returnflow_sink_commands_total", labels) or 0.0) < COMMANDS:
        if 0 < done < COMMANDS - BUFFERED:
            under_way = {"system": environment.system.name}
            seen.append(registry.get_sample_value("returnflow_sink_in_flight_commands", under_way) or 0.0)
        await asyncio.sleep(0.1)
        if working.done():
            break
    stop.set()
    await working
    return statistics.median(seen)
