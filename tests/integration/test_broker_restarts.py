"""The broker of `up`, frozen for longer than it is given: ended, and started again on the same data and port. (Killed
under work: tests/e2e/test_outage.py.)"""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient, NewTopic

from ops import probes
from ops.fitness import Patience
from ops.local.ports import free_port
from ops.supervisor import Supervisor
from ops.up import KAFKA, start_kafka
from tests.integration.test_local_kafka import TOPIC, gone, read_until, send

WAIT_SECONDS = 90.0
IMPATIENT = Patience(again=0.2, told=0.2, hangs=3.0, asks=2, ends=20.0)


def until(holds: Callable[[], object], told: list[str]) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not holds():
        assert time.monotonic() < deadline, told
        time.sleep(0.05)


def test_a_frozen_broker_comes_back_on_the_same_data_and_port(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probes, "KAFKA_SECONDS", 1.0)
    told: list[str] = []
    bootstrap = f"127.0.0.1:{free_port()}"
    with Supervisor(tmp_path / "log", lambda *said: told.append(" ".join(said))) as supervisor:
        start_kafka(supervisor, bootstrap, tmp_path / "kafka", patience=IMPATIENT)
        admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})
        admin.create_topics([NewTopic(TOPIC, num_partitions=1)])[TOPIC].result(WAIT_SECONDS)
        send(bootstrap, TOPIC, b"before")
        frozen = supervisor.pid(KAFKA)
        assert frozen is not None
        os.kill(frozen, signal.SIGSTOP)
        until(lambda: any("started again" in line for line in told), told)
        supervisor.wait_ready(KAFKA, within_seconds=WAIT_SECONDS)
        assert gone(frozen)
        send(bootstrap, TOPIC, b"after")
        assert read_until(bootstrap, TOPIC, b"after") == [b"before", b"after"]
        last = supervisor.pid(KAFKA)
        supervisor.kill(KAFKA)  # nothing of it is kept, and a clean end takes its time
    assert "kafka not ready: does not answer within 1 s" in told
    assert "kafka hangs and is ended: does not answer within 1 s" in told
    assert last is not None
    assert gone(last)
