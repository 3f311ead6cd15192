"""Refusals of the local Kafka: one plain message, exit status 2, nothing left behind."""

import socket
import subprocess
import sys

import pytest

from ops.local.failures import LocalServiceError
from ops.local.kafka import LocalKafka, kafka_from_environment
from ops.local.ports import HIGHEST, LOWEST, free_port, is_free


def test_a_taken_port_is_refused_with_what_to_do() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(LocalServiceError) as refusal:
            LocalKafka.start(port=port)
    message = str(refusal.value)
    assert f"port {port} on 127.0.0.1" in message
    assert f"RETURNFLOW_KAFKA_BOOTSTRAP=127.0.0.1:{port}" in message


def test_the_command_ends_with_one_message_and_status_2() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        command = [sys.executable, "-m", "ops.local", "--port", str(port)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2
    assert done.stderr.startswith(f"Expected port {port}")
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_another_cluster_that_does_not_answer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETURNFLOW_KAFKA_BOOTSTRAP", "127.0.0.1:1")
    with (
        pytest.raises(LocalServiceError, match=r"127\.0\.0\.1:1 \(from RETURNFLOW_KAFKA_BOOTSTRAP\)"),
        kafka_from_environment(answer_within_seconds=0.5),
    ):
        raise AssertionError("must not be reached")


def test_free_ports_stay_below_the_range_of_outgoing_connections() -> None:
    port = free_port()
    assert LOWEST <= port < HIGHEST
    assert is_free(port)
    with socket.create_server(("127.0.0.1", port)):
        assert not is_free(port)
