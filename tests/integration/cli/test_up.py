"""`returnflow up`: everything comes up, a killed process comes back, and Ctrl-C leaves nothing behind."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from ops.local.kafka import LocalKafka
from ops.local.ports import free_port
from schemas.topics import CATALOGUE
from tests.integration.cli.conftest import with_topics

MERCHANT = Path(__file__).parents[3] / "merchants" / "demo-shop.toml"
WAIT_SECONDS = 90.0


class Up:
    """A running `returnflow up` and what it has said so far."""

    def __init__(self, argv: list[str], said: Path, folder: Path) -> None:
        self._said = said / "said"
        with self._said.open("wb") as out:
            # as a script's & starts it: with Ctrl-C ignored
            ignoring = ["sh", "-c", 'trap "" INT; exec "$@"', "sh", *argv]
            self.process = subprocess.Popen(ignoring, stdout=out, stderr=out, cwd=folder)

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

    def stop(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(WAIT_SECONDS)


@pytest.fixture
def own_cluster() -> Iterator[str]:
    """A pipeline writes into topics that the tests beside it count."""
    with LocalKafka.start() as kafka:
        yield with_topics(kafka.bootstrap)


@pytest.fixture
def argv(tmp_path: Path) -> list[str]:
    """The command line, on ports that are free."""
    (tmp_path / "merchants").mkdir()
    shutil.copy(MERCHANT, tmp_path / "merchants")
    ports = [free_port() for _ in range(4)]
    names = ("gateway-port", "sandbox-port", "kafka-port", "metrics-from")
    options = [f"--{name}={port}" for name, port in zip(names, ports, strict=True)]
    return [sys.executable, "-m", "ops.cli", "up", "--sandbox", *options]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[list[str]], Up]]:
    """Start it in its folder, as often as wanted."""
    begun: list[Up] = []

    def begin(argv: list[str]) -> Up:
        folder = tmp_path / f"run{len(begun)}"
        folder.mkdir()
        begun.append(Up(argv, folder, tmp_path))
        return begun[-1]

    yield begin
    for each in begun:
        if each.process.poll() is None:
            each.process.kill()
            each.process.wait()


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def commands(said: str) -> list[str]:
    """What a newcomer is told to try."""
    return [line.strip() for line in said.partition("Try, in another terminal")[2].splitlines()[1:4]]


def pasted(command: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(command, shell=True, cwd=folder, capture_output=True, text=True, timeout=60, check=False)


def until(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not holds():
        assert time.monotonic() < deadline, what
        time.sleep(0.3)


@pytest.mark.req("OPS-3", "OPS-7")
def test_everything_comes_up_plays_ones_own_file_mends_itself_and_stops_cleanly(
    argv: list[str], start: Callable[[list[str]], Up], own_cluster: str, tmp_path: Path
) -> None:
    up = start([*argv, f"--kafka={own_cluster}", "--agents=2", "--sinks=2"])
    up.wait_for(lambda said: "exceptions list" in said)
    fares = f"{sys.executable} -m ops.cli processes --json"
    until(lambda: pasted(fares, tmp_path).returncode == 0, "all serve")
    listed = {each["name"] for each in json.loads(pasted(fares, tmp_path).stdout)["processes"]}
    assert {"agent-cases", "agent-cases-2", "sink-shopify", "sink-shopify-2", "lag", "sandbox"} <= listed
    assert f"  webhooks  http://127.0.0.1:{argv[-4].partition('=')[2]}/shopify/demo-shop\n" in up.said
    second = start([*argv, f"--kafka={own_cluster}"])
    assert second.process.wait(WAIT_SECONDS) == 2
    assert f"Returnflow is running there already (process {up.process.pid})" in second.said
    assert second.said.count("\n") == 1

    made, why, waiting = commands(up.said)
    told = pasted(made, tmp_path)
    assert told.returncode == 0, told.stderr
    assert told.stdout.splitlines()[-1].strip().partition("line")[2] == why.partition("line")[2]
    until(lambda: pasted(why, tmp_path).returncode == 0, "the return is known")
    assert pasted(waiting, tmp_path).returncode == 0

    init = f"{sys.executable} -m ops.cli merchants init my-shop --sandbox --yes"
    done = pasted(init, tmp_path)
    assert done.returncode == 0, done.stderr
    up.wait_for(lambda said: "my-shop            played by the sandbox" in said)
    own = pasted(f"{done.stdout.splitlines()[-1].strip()} --json", tmp_path)
    assert own.returncode == 0, own.stderr
    order = json.loads(own.stdout)["order"]
    for name in ("agent-cases", "agent-stock", "sink-shopify"):  # the others of their kind go on
        os.kill(up.pids(name)[0], signal.SIGKILL)
    books = f"http://127.0.0.1:{argv[-3].partition('=')[2]}/_sandbox/books?shop=my-shop.myshopify.com"
    until(lambda: bool(httpx.get(books).json()["orders"][order]["refunds"]), "one's own return is paid")

    (gateway,) = up.pids("gateway")
    os.kill(gateway, signal.SIGKILL)
    up.wait_for(lambda said: "gateway            started again" in said)
    up.wait_for(lambda said: said.count("gateway            ready") == 2)
    assert "ended by SIGKILL, starts again in 0.5 s" in up.said
    assert up.stop() == 0
    assert "Traceback" not in up.said
    stopped = re.findall(r"  (\S+) +stopped\n", up.said)
    assert stopped[:2] == ["lag", "gateway"]
    assert stopped[-1] == "sandbox"
    assert len(stopped) == 14, up.said
    assert {each.parent.name for each in (tmp_path / "var").glob("*/worker.lock")} == {
        "cases", "cases-2", "stock", "stock-2",
    }  # fmt: skip
    assert all(gone(pid) for pid in up.pids())


@pytest.mark.req("OPS-3")
def test_nothing_outlives_a_killed_up_and_the_next_one_starts_clean(
    argv: list[str], start: Callable[[list[str]], Up], tmp_path: Path
) -> None:
    """With a Kafka of its own. Killed so hard that nobody looks after the broker, either."""
    first = start(argv)
    first.wait_for(lambda said: "demo-shop          played" in said)
    pids = [*first.pids(), int((tmp_path / "var" / "kafka" / "broker.pid").read_text())]
    assert len(pids) == 3
    first.process.kill()
    first.process.wait()
    second = start(argv)
    second.wait_for(lambda said: f"topics             {len(CATALOGUE)} created" in said)
    assert "what an earlier run left in var is removed: the sandbox starts clean" in second.said
    until(lambda: all(gone(pid) for pid in pids), "all of the first are gone")
    assert second.stop() == 0
