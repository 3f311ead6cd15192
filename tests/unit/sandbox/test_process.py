"""The sandbox as a process: it says where it listens, stops cleanly, and says when it cannot start."""

import signal
import socket
import subprocess
import sys

import httpx
import pytest

from ops.sandbox import main


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_it_listens_until_it_is_told_to_stop(stop: signal.Signals) -> None:
    command = [sys.executable, "-m", "ops.sandbox", "127.0.0.1", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        address = process.stdout.readline().rpartition(" ")[2].strip()
        assert httpx.get(f"{address}/_sandbox/clock", timeout=20).json()["speed"] == 1.0
        assert [httpx.get(f"{address}/{path}", timeout=20).text for path in ("health", "ready")] == ["ok\n", "ok\n"]
        process.send_signal(stop)
        assert process.wait(timeout=20) == 0


def test_a_port_in_use_is_said_in_one_line_and_status_2(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main("127.0.0.1", port) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert f"127.0.0.1:{port}" in said
