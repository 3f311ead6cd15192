"""`returnflow up`: everything comes up, a killed process comes back, and Ctrl-C leaves nothing behind."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ops.local.ports import free_port

MERCHANT = Path(__file__).parents[3] / "merchants" / "demo-shop.toml"
WAIT_SECONDS = 90.0


class Up:
    """A running `returnflow up` and what it has said so far."""

    def __init__(self, argv: list[str], folder: Path) -> None:
        self._said = folder / "said"
        with self._said.open("wb") as out:
            self.process = subprocess.Popen(argv, stdout=out, stderr=out, cwd=folder)

    @property
    def said(self) -> str:
        return self._said.read_text()

    def wait_for(self, holds: Callable[[str], object]) -> None:
        deadline = time.monotonic() + WAIT_SECONDS
        while not holds(self.said):
            assert self.process.poll() is None, self.said
            assert time.monotonic() < deadline, self.said
            time.sleep(0.05)

    def pids(self, name: str = r"\S+") -> list[int]:
        return [int(pid) for pid in re.findall(rf"  {name} +started(?: again)?, process (\d+)", self.said)]


@pytest.fixture
def up(cluster: str, tmp_path: Path) -> Iterator[Up]:
    gateway, sandbox = free_port(), free_port()
    (tmp_path / "merchants").mkdir()
    text = MERCHANT.read_text().replace(":8900", f":{sandbox}").replace(":8080", f":{gateway}")
    (tmp_path / "merchants" / "demo.toml").write_text(text)
    first_metrics = free_port(besides=[gateway, sandbox])
    options = {"kafka": cluster, "gateway-port": gateway, "sandbox-port": sandbox, "metrics-from": first_metrics}
    argv = [
        sys.executable,
        "-m",
        "ops.cli",
        "up",
        "--sandbox",
        *(f"--{name}={value}" for name, value in options.items()),
    ]
    running = Up(argv, tmp_path)
    yield running
    if running.process.poll() is None:
        running.process.kill()
        running.process.wait()


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


@pytest.mark.req("OPS-3")
def test_everything_comes_up_a_killed_process_comes_back_and_a_stop_is_clean(up: Up) -> None:
    up.wait_for(lambda said: "Ctrl-C stops it." in said)
    (gateway,) = up.pids("gateway")
    os.kill(gateway, signal.SIGKILL)
    up.wait_for(lambda said: "gateway            started again" in said)
    up.wait_for(lambda said: said.count("gateway            ready") == 2)
    assert "ended by SIGKILL, starts again in 0.5 s" in up.said
    up.process.send_signal(signal.SIGINT)
    assert up.process.wait(WAIT_SECONDS) == 0
    assert "Traceback" not in up.said
    stopped = re.findall(r"  (\S+) +stopped\n", up.said)
    assert stopped[:2] == ["lag", "gateway"]
    assert stopped[-1] == "sandbox"
    assert len(stopped) == 10, up.said
    assert all(gone(pid) for pid in up.pids())


@pytest.mark.req("OPS-3")
def test_nothing_outlives_a_killed_up(up: Up) -> None:
    up.wait_for(lambda said: "gateway            started" in said)
    pids = up.pids()
    assert len(pids) >= 9
    up.process.kill()
    up.process.wait()
    deadline = time.monotonic() + 20
    while not all(gone(pid) for pid in pids):
        assert time.monotonic() < deadline
        time.sleep(0.05)
