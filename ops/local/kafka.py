"""A real single-node Apache Kafka (KRaft) on this machine, as a context manager.

Touches processes, the loopback interface, a temporary data directory, the jar cache and, the first time, the network.
"""

import os
import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

import msgspec
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from ops.local.broker_config import broker_command, broker_properties, format_command
from ops.local.failures import LocalServiceError
from ops.local.jars import cache_directory, ensure_jars, fetch_with_jgo, read_lock
from ops.local.java import java_executable
from ops.local.pid_file import end_left_over
from ops.local.ports import free_port, is_free
from ops.local.process import GuardedProcess
from schemas.kafka import Brokers, Cluster, librdkafka, started

READY_WITHIN_SECONDS = 90
OTHER_CLUSTER = "RETURNFLOW_KAFKA_BOOTSTRAP"
BROKER_PID = "broker.pid"


class Guard(msgspec.Struct, frozen=True, kw_only=True):
    """A broker that lets in only whom it knows: settings of the broker, options of `kafka-storage format`."""

    protocol: Literal["SSL", "SASL_SSL"]
    properties: Mapping[str, str]
    format_options: tuple[str, ...]
    admin: Cluster  # who may do everything; the address is put in when it is known


class LocalKafka:
    """A running broker: `with LocalKafka.start() as kafka: kafka.bootstrap`. Fault tests pause, kill and restart it."""

    def __init__(
        self, *, java: Path, jars: list[Path], port: int, run: Path, temporary: bool,
        guard: "Guard | None" = None, measured: bool = False,
    ) -> None:  # fmt: skip
        self.port = port
        self.bootstrap = f"127.0.0.1:{port}"
        self._java = java
        self._jars = jars
        self._run = run
        self._properties = run / "server.properties"
        self.cluster_id = cluster_id(run)
        self._remove_with_us = [run] if temporary else []
        self._broker: GuardedProcess | None = None
        self._guard = guard
        self._measured = measured

    @classmethod
    def start(
        cls, port: int = 0, data_dir: Path | None = None, guard: "Guard | None" = None, *, measured: bool = False
    ) -> Self:
        """Start a broker and return when it serves; port 0 picks a free one.

        `data_dir` keeps the data; without it the data is temporary. `guard`: who is let in, and how. `measured`: its
        speed matters more than a quick start.
        Raises LocalServiceError with what to do.
        """
        kafka = cls._made(port, data_dir, guard, measured=measured)
        try:
            kafka._format()
            kafka._launch()
        except BaseException:
            kafka.stop()
            raise
        return kafka

    @classmethod
    def command(cls, port: int, data_dir: Path) -> list[str]:
        """The command line of a broker whose data is prepared, for who runs it in place of itself: then what happens to
        the broker happens to that very process. Raises LocalServiceError."""
        kafka = cls._made(port, data_dir, None, measured=False)
        kafka._format()
        return broker_command(kafka._java, kafka._jars, kafka._properties)

    @classmethod
    def _made(cls, port: int, data_dir: Path | None, guard: "Guard | None", *, measured: bool) -> Self:
        if data_dir is not None:
            end_left_over(data_dir / BROKER_PID)
        if port and not is_free(port):
            raise LocalServiceError(
                f"Expected port {port} on 127.0.0.1 to be free for Kafka, but something listens there. Stop it, "
                f"choose another port, or set {OTHER_CLUSTER}=127.0.0.1:{port} if it is the Kafka you want to use."
            )
        java = java_executable()
        jars = ensure_jars(read_lock(), cache_directory(os.environ) / "kafka", fetch_with_jgo)
        run = data_dir or Path(tempfile.mkdtemp(prefix="returnflow-kafka-"))
        run.mkdir(parents=True, exist_ok=True)
        return cls(
            java=java, jars=jars, port=port or free_port(), run=run, temporary=data_dir is None, guard=guard,
            measured=measured,
        )  # fmt: skip

    @property
    def cluster(self) -> Brokers:
        """Where it is, and for a guarded one as whom to ask."""
        guard = self._guard
        return self.bootstrap if guard is None else msgspec.structs.replace(guard.admin, bootstrap=self.bootstrap)

    @property
    def pid(self) -> int:
        """Process id of the broker."""
        return self._running().pid

    @property
    def exit_status(self) -> int | None:
        """None while it runs; negative for a signal."""
        return self._running().exit_status

    def pause(self) -> None:
        """Freeze the broker: connections stay open, requests time out."""
        self._running().pause()

    def resume(self) -> None:
        """Let a frozen broker run on."""
        self._running().resume()

    def kill(self) -> None:
        """`kill -9`; the data stays for `restart`."""
        self._running().kill()

    def restart(self) -> None:
        """Run the broker again on the same port and data, after a kill or instead of the running one."""
        self._running().stop()
        self._launch()

    def stop(self) -> None:
        """Stop, cleanly where data is kept, and remove temporary data. Safe to call twice."""
        if self._broker is not None:
            end = self._broker.kill if self._remove_with_us else self._broker.stop
            end()
        for directory in self._remove_with_us:
            shutil.rmtree(directory, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _running(self) -> GuardedProcess:
        if self._broker is None:
            raise LocalServiceError("This Kafka was never started: use LocalKafka.start().")
        return self._broker

    def _format(self) -> None:
        controller_port = free_port(besides=[self.port])
        data, guard = self._run / "data", self._guard
        text = (
            broker_properties(port=self.port, controller_port=controller_port, data=data)
            if guard is None
            else broker_properties(
                port=self.port,
                controller_port=controller_port,
                data=data,
                protocol=guard.protocol,
                more=guard.properties,
            )
        )
        self._properties.write_text(text, encoding="utf-8")
        command = format_command(
            self._java, self._jars, self._properties, self.cluster_id, *(guard.format_options if guard else ())
        )
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise LocalServiceError(f"Kafka could not prepare {data}: {(done.stdout + done.stderr).strip()}")

    def _launch(self) -> None:
        command = broker_command(self._java, self._jars, self._properties, measured=self._measured)
        self._broker = GuardedProcess(
            command, log=self._run / "broker.log", remove_with_us=self._remove_with_us,
            pid_file=self._run / BROKER_PID,
        )  # fmt: skip
        deadline = time.monotonic() + READY_WITHIN_SECONDS
        while not answers(self.cluster, timeout_seconds=1, cluster_id=self.cluster_id):
            if self._broker.exit_status is not None:
                raise LocalServiceError(
                    f"Kafka ended with status {self._broker.exit_status} while starting on port {self.port}. "
                    f"Its last words:\n{self._broker.last_words()}"
                )
            if time.monotonic() > deadline:
                raise LocalServiceError(
                    f"Expected Kafka to serve {self.bootstrap} within {READY_WITHIN_SECONDS} s, but it does not. "
                    f"Its last words:\n{self._broker.last_words()}"
                )
            time.sleep(0.05)


def cluster_id(run: Path) -> str:
    """The id of the cluster whose data are kept there, made the first time: by it a broker is told from any other."""
    kept, told = run / "cluster-id", run / "data" / "meta.properties"
    if told.exists():
        lines = told.read_text(encoding="utf-8").splitlines()
        return next(line.partition("=")[2] for line in lines if line.startswith("cluster.id="))
    if not kept.exists():
        run.mkdir(parents=True, exist_ok=True)
        # 16 bytes in base64; the letter in front keeps it from looking like an option of the tool that takes it
        kept.write_text("R" + secrets.token_urlsafe(16)[1:], encoding="ascii")
    return kept.read_text(encoding="ascii")


def answers(bootstrap: Brokers, timeout_seconds: float, cluster_id: str | None = None) -> bool:
    """Whether a cluster with at least one live broker answers the Admin API there; with an id, that very cluster."""
    quick = {"reconnect.backoff.max.ms": 100, "log_level": 0}
    client = started(AdminClient({**librdkafka(bootstrap), **quick}))
    try:
        found = client.list_topics(timeout=timeout_seconds)
    except KafkaException:
        return False
    return bool(found.brokers) and cluster_id in (None, found.cluster_id)


@contextmanager
def kafka_from_environment(answer_within_seconds: float = 10, *, measured: bool = False) -> Iterator[str]:
    """Address of the cluster in RETURNFLOW_KAFKA_BOOTSTRAP, else of a local one that lives as long as the block."""
    if other := os.environ.get(OTHER_CLUSTER):
        if not answers(other, timeout_seconds=answer_within_seconds):
            raise LocalServiceError(
                f"Expected a Kafka at {other} (from {OTHER_CLUSTER}), but none answers. Start it, correct the address, "
                "or unset the variable to use a local Kafka."
            )
        yield other
        return
    with LocalKafka.start(measured=measured) as kafka:
        yield kafka.bootstrap
