"""The broker of `up`: whatever ends or freezes it, it is started again on the same data and port."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from confluent_kafka.admin import AdminClient, NewTopic

from ops.child import Status
from ops.fitness import Patience
from ops.local.ports import free_port
from ops.supervisor import Supervisor
from ops.up import KAFKA, start_kafka
from tests.integration.test_local_kafka import TOPIC, gone, read_until, send

WAIT_SECONDS = 90.0
IMPATIENT = Patience(again=0.2, told=0.5, hangs=6.0, asks=2, ends=20.0)  # a probe waits 5 s for its answer


def until(holds: Callable[[], object], told: list[str]) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not holds():
        assert time.monotonic() < deadline, told
        time.sleep(0.05)


def test_a_killed_and_a_frozen_broker_come_back_on_the_same_data_and_port(tmp_path: Path) -> None:
    told: list[str] = []
    bootstrap = f"127.0.0.1:{free_port()}"
    with Supervisor(tmp_path / "log", lambda *said: told.append(" ".join(said))) as supervisor:

        def kafka() -> Status:
            return supervisor.children()[0]

        start_kafka(supervisor, bootstrap, tmp_path / "kafka", patience=IMPATIENT)
        admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})
        admin.create_topics([NewTopic(TOPIC, num_partitions=1)])[TOPIC].result(WAIT_SECONDS)
        first = supervisor.pid(KAFKA)
        assert first is not None
        assert "java" in Path(f"/proc/{first}/cmdline").read_text()  # nothing stands between us and the broker
        for how, what in ((signal.SIGKILL, b"before the kill"), (signal.SIGSTOP, b"before the freeze")):
            send(bootstrap, TOPIC, what)
            before, old = kafka().restarts, supervisor.pid(KAFKA)
            assert old is not None
            os.kill(old, how)
            until(lambda: kafka().restarts > before, told)  # noqa: B023  # asked within the round
            supervisor.wait_ready(KAFKA, within_seconds=WAIT_SECONDS)
            assert gone(old)
        send(bootstrap, TOPIC, b"after both")
        assert read_until(bootstrap, TOPIC, b"after both") == [b"before the kill", b"before the freeze", b"after both"]
        last = supervisor.pid(KAFKA)
    assert any("kafka ended by SIGKILL, starts again in 0.5 s" in line for line in told)
    assert any("kafka not ready: does not answer within 5 s" in line for line in told)
    assert any("kafka hangs and is ended: does not answer within 5 s" in line for line in told)
    assert last is not None
    assert gone(last)


def test_a_broker_on_a_desk_that_dies_ends_its_command_and_is_told(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "ops.local", "--port", "0", "--data-dir", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as desk:
        assert desk.stdout is not None
        line = desk.stdout.readline()
        os.kill(int(line.partition("process ")[2].partition(")")[0]), signal.SIGKILL)
        _, problem = desk.communicate(timeout=WAIT_SECONDS)
    assert (desk.returncode, problem) == (1, "Kafka ended by itself with status -9.\n")
