"""The processes follow the merchants' files: a system that is used gets its own, one that nobody uses loses them."""

import json
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ops import crew as crews
from ops.crew import TARGETS, Crew
from ops.local.ports import free_port
from ops.supervisor import Supervisor
from ops.up import Addresses
from schemas import merchant_folder
from schemas.settings import ProcessSettings

# Stands in for `returnflow …`: serves as every process does, and says what it was given.
PROCESS = """
import os, sys
from http.server import BaseHTTPRequestHandler, HTTPServer
class Ready(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("X-Returnflow-Run", os.environ["RETURNFLOW_RUN"])
        self.end_headers()
    def log_message(self, *_): pass
print(*sys.argv[1:], os.environ["RETURNFLOW_INSTANCE"], flush=True)
HTTPServer(("127.0.0.1", int(os.environ["RETURNFLOW_METRICS_PORT"])), Ready).serve_forever()
"""
MERCHANT = 'merchant = "{name}"\ntime_zone = "UTC"\ncurrency = "EUR"\n[systems.{system}]\nwebhook_secrets = ["env:A"]\n'
WITHIN_SECONDS = 20.0


def written(folder: Path, name: str, system: str) -> Path:
    path = folder / f"{name}.toml"
    path.write_text(MERCHANT.format(name=name, system=system))
    return path


def until(crew: Crew, holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WITHIN_SECONDS
    while not holds():
        assert time.monotonic() < deadline
        crew.look()
        time.sleep(0.02)


@pytest.fixture
def supervisor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Supervisor]:
    monkeypatch.setattr(crews, "returnflow", lambda: [sys.executable, "-S", "-c", textwrap.dedent(PROCESS)])
    monkeypatch.setattr(merchant_folder, "GONE_AFTER_SECONDS", 0.1)
    with Supervisor(tmp_path / "log") as running:
        yield running


def started(supervisor: Supervisor, tmp_path: Path, addresses: Addresses) -> Crew:
    settings = ProcessSettings(merchants=tmp_path / "merchants", data_dir=tmp_path)
    crew = Crew(supervisor, settings, addresses, {})
    crew.start()
    return crew


def names(crew: Crew) -> list[str]:
    return [each.name for each in crew.parts]


def targets(folder: Path) -> dict[str, list[str]]:
    """By job, the names of the processes that Prometheus is to ask."""
    found: dict[str, list[str]] = {}
    for each in json.loads((folder / TARGETS).read_text()):
        found.setdefault(each["labels"]["job"], []).append(each["labels"]["process"])
    return found


def test_the_first_file_that_uses_a_system_starts_its_processes_and_the_last_that_goes_stops_them(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    (tmp_path / "merchants").mkdir()
    written(tmp_path / "merchants", "one", "warehouse")
    crew = started(supervisor, tmp_path, Addresses(metrics_from=free_port()))
    assert names(crew) == ["agent-cases", "agent-stock", "source-warehouse", "gateway"]
    new = written(tmp_path / "merchants", "two", "carrier")
    until(crew, lambda: "source-carrier" in names(crew))
    supervisor.wait_ready("source-carrier")
    ports = [each.metrics_port for each in crew.parts]
    assert len(set(ports)) == len(ports)
    assert targets(tmp_path)["source-carrier"] == ["source-carrier"]
    new.unlink()
    until(crew, lambda: "source-carrier" not in names(crew))
    assert {each.name: each.state for each in supervisor.children()}["source-carrier"] == "stopped"
    assert "source-carrier" not in targets(tmp_path)
    written(tmp_path / "merchants", "two", "carrier")
    until(crew, lambda: "source-carrier" in names(crew))
    supervisor.wait_ready("source-carrier")


def test_those_that_share_the_work_have_names_and_ports_of_their_own(supervisor: Supervisor, tmp_path: Path) -> None:
    (tmp_path / "merchants").mkdir()
    written(tmp_path / "merchants", "one", "warehouse")
    crew = started(supervisor, tmp_path, Addresses(metrics_from=free_port(), agents=2))
    assert names(crew) == [
        "agent-cases", "agent-cases-2", "agent-stock", "agent-stock-2", "source-warehouse", "gateway",
    ]  # fmt: skip
    assert targets(tmp_path)["agent-cases"] == ["agent-cases", "agent-cases-2"]
    given = {each.name: each.log.read_text().split() for each in supervisor.children()}
    assert (given["agent-cases"], given["agent-cases-2"]) == (["agent", "cases", "1"], ["agent", "cases", "2"])
