"""The whole pipeline as child processes of one supervisor: what to start, with which settings, in which order.

Touches the broker (topics), the ledger (migrations) and starts processes.
"""

import os
import sys
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from ops import probes
from ops.fitness import Patience
from ops.kafka import admin
from ops.local.jars import cache_directory, ensure_jars, fetch_with_jgo, read_lock
from ops.local.kafka import cluster_id
from ops.supervisor import Supervisor
from ops.topics import apply
from schemas.endpoints import RUN
from schemas.merchant import Merchant
from schemas.registry import register_all
from schemas.settings import ProcessSettings
from schemas.topics import AGENTS, COMMAND_SYSTEMS, SYSTEMS
from sinks.ledger.engine import open_engine

KAFKA, SANDBOX, LAG = "kafka", "sandbox", "lag"
KAFKA_WITHIN_SECONDS = 90.0
BROKER = Patience(starts=300.0)  # after a crash it reads its logs first
RUNNING = uuid.uuid4().hex  # names this run to its own processes, and to nobody else
OF_THIS_RUN = {RUN: RUNNING}


class Addresses(msgspec.Struct, frozen=True, kw_only=True):
    """Where the parts listen on 127.0.0.1; metrics ports count up from `metrics_from` in order of start. `agents` and
    `sinks`: how many processes of each agent and of each sink share the work."""

    gateway_port: int = 8080
    sandbox_port: int = 8900
    metrics_from: int = 9401
    kafka_port: int = 9092  # of a broker of our own
    agents: int = 1
    sinks: int = 1

    @property
    def gateway_url(self) -> str:
        return f"http://127.0.0.1:{self.gateway_port}"

    @property
    def sandbox_url(self) -> str:
        return f"http://127.0.0.1:{self.sandbox_port}"


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One process of ours: its name, its command line after `returnflow`, and its metrics port."""

    name: str
    arguments: tuple[str, ...]
    metrics_port: int
    instance: int = 1  # of those that share the work

    @property
    def kind(self) -> str:
        """`sink-shopify`: the same for all that share the work."""
        return self.name if self.instance == 1 else self.name.removesuffix(f"-{self.instance}")

    @property
    def metrics_url(self) -> str:
        return f"{self.url}/metrics"

    @property
    def url(self) -> str:
        """Where its /metrics, /health and /ready are."""
        return f"http://127.0.0.1:{self.metrics_port}"


def parts(merchants: Mapping[str, Merchant], addresses: Addresses) -> list[Part]:
    """Every process the merchants need, downstream first: the gateway starts last and stops first."""
    copies = {"agent": addresses.agents, "sink": addresses.sinks}
    pairs = [
        (pair, instance)
        for pair in _pairs(configured_systems(merchants))
        for instance in range(1, copies.get(pair[0], 1) + 1)
    ]
    workers = [
        Part(name=_name(pair, instance), arguments=pair, metrics_port=port, instance=instance)
        for port, (pair, instance) in enumerate(pairs, addresses.metrics_from)
    ]
    gateway = ("gateway", "--port", str(addresses.gateway_port))
    return [*workers, Part(name="gateway", arguments=gateway, metrics_port=addresses.metrics_from + len(workers))]


def _name(pair: tuple[str, str], instance: int) -> str:
    """`agent-cases`, and for further ones `agent-cases-2` …"""
    return "-".join(pair if instance == 1 else (*pair, str(instance)))


def configured_systems(merchants: Mapping[str, Merchant]) -> list[str]:
    """Systems that at least one merchant uses, in the order of the catalogue."""
    used = {name for each in merchants.values() for name, system in each.systems if system is not None}
    return [system for system in SYSTEMS if system.replace("-", "_") in used]


def _pairs(systems: list[str]) -> Iterator[tuple[str, str]]:
    for system in systems:
        if system in COMMAND_SYSTEMS:
            yield ("sink", system)
    for agent in AGENTS:
        yield ("agent", agent)
    for system in systems:
        yield ("source", system)


def start_kafka(supervisor: Supervisor, bootstrap: str, data: Path, patience: Patience = BROKER) -> None:
    """A local broker on the bootstrap's port, ready when this returns. Fetches the jars first, with progress shown."""
    ensure_jars(read_lock(), cache_directory(os.environ) / "kafka", fetch_with_jgo)
    port = bootstrap.rpartition(":")[2]
    argv = [sys.executable, "-m", "ops.local", "--become", "--port", port, "--data-dir", str(data)]
    supervisor.start(KAFKA, argv, ask=probes.kafka(bootstrap, cluster_id(data)), patience=patience)
    supervisor.wait_ready(KAFKA, within_seconds=KAFKA_WITHIN_SECONDS)


def wants_own_kafka(settings: ProcessSettings) -> bool:
    """Whether nobody has named a Kafka; our own is for this machine alone and knows no users."""
    return not {"kafka_bootstrap", "kafka_security_protocol"} & settings.model_fields_set


def start_sandbox(supervisor: Supervisor, port: int) -> None:
    """The stand-in for ReturnGO and Shopify, ready when this returns."""
    ask = probes.endpoints(f"http://127.0.0.1:{port}", RUNNING)
    supervisor.start(SANDBOX, [*returnflow(), "sandbox", "--port", str(port)], OF_THIS_RUN, ask)
    supervisor.wait_ready(SANDBOX)


def prepare(settings: ProcessSettings) -> int:
    """Topics, schemas and ledger tables; returns how many topics were created."""
    mended = apply(admin(settings.kafka), replication=None)
    if settings.registry_url is not None:
        register_all(settings.registry_url)
    open_engine(settings.ledger_url).dispose()
    return sum(each.what == "missing" for each in mended)


def start_lag(supervisor: Supervisor, settings: ProcessSettings, port: int) -> None:
    """The exporter of consumer lag."""
    argv = [*returnflow(), "lag", "--kafka", settings.kafka_bootstrap, "--serve", str(port)]
    ask = probes.endpoints(f"http://127.0.0.1:{port}", RUNNING)
    supervisor.start(LAG, argv, environment(settings) | OF_THIS_RUN, ask)


def environment(settings: ProcessSettings) -> dict[str, str]:
    """The same settings as variables, for a child process."""
    values = settings.model_dump(mode="json", exclude_none=True)
    return {f"RETURNFLOW_{name.upper()}": str(value) for name, value in values.items()}


def returnflow() -> list[str]:
    """The command line of `returnflow` in this interpreter."""
    return [sys.executable, "-m", "ops.cli"]
