"""What a process says of itself on its own port."""

import http.client

import pytest
from prometheus_client import CollectorRegistry

from ops.local.ports import free_port
from schemas import endpoints
from schemas.endpoints import Joined, Turning


def asked(port: int, path: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", path)
    answer = connection.getresponse()
    return answer.status, answer.read().decode()


def test_it_lives_and_does_not_serve_until_it_has_its_partitions() -> None:
    port, joined, turning = free_port(), Joined(), Turning()
    endpoints.serve("127.0.0.1", port, ready=[joined.check], alive=[turning.check], registry=CollectorRegistry())
    assert asked(port, "/health") == (200, "ok\n")
    assert asked(port, "/ready") == (503, "the consumer group has given no partitions yet\n")
    assert "returnflow_ready 0.0" in asked(port, "/metrics")[1]
    joined.complete()
    assert asked(port, "/ready") == (200, "ok\n")
    assert "returnflow_ready 1.0" in asked(port, "/metrics")[1]
    joined.left()
    assert asked(port, "/ready") == (503, "partitions are being given out anew\n")


def test_a_loop_that_hangs_neither_lives_nor_serves(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("schemas.endpoints.time.monotonic", lambda: now[0])
    port, turning = free_port(), Turning()
    endpoints.serve("127.0.0.1", port, alive=[turning.check], registry=CollectorRegistry())
    now[0] = 31.0
    assert asked(port, "/health") == (503, "the loop has not turned for 31 s\n")
    assert asked(port, "/ready")[0] == 503
    turning.turned()
    assert asked(port, "/health") == (200, "ok\n")
