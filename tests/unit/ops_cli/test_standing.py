"""How the processes of `up` fare, as others see it: a file, a command, metrics."""

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner
from prometheus_client import CollectorRegistry, generate_latest

from ops.child import State, Status
from ops.cli import main
from ops.standing import FILE, SupervisorTelemetry, Told, standing


def status(name: str, state: State, why: str = "", restarts: int = 0) -> Status:
    return Status(
        name=name, state=state, pid=7, restarts=restarts, last_exit=None, log=Path(f"{name}.log"), why=why
    )  # fmt: skip


CHILDREN = [
    status("kafka", "ready", restarts=2), status("gateway", "not ready", "Kafka does not answer"),
    status("source-carrier", "stopped"),
]  # fmt: skip


def test_the_command_shows_what_the_run_has_told_and_says_by_its_status_whether_all_serve(tmp_path: Path) -> None:
    told = Told(tmp_path)
    told.tell(CHILDREN)
    shown = CliRunner().invoke(main, ["processes", "--data-dir", str(tmp_path)])
    assert shown.exit_code == 1
    assert "Kafka does not answer" in shown.output
    assert "source-carrier" not in shown.output  # nobody needs it any more
    told.tell([status("kafka", "ready"), status("source-carrier", "stopped")])
    shown = CliRunner().invoke(main, ["processes", "--data-dir", str(tmp_path), "--json"])
    assert (shown.exit_code, [each["state"] for each in json.loads(shown.output)["processes"]]) == (0, ["ready"])


def test_the_file_of_a_run_that_is_over_says_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Told(tmp_path).tell(CHILDREN)

    def nobody(_pid: int, _signal: int) -> None:
        raise ProcessLookupError

    monkeypatch.setattr(os, "kill", nobody)
    assert standing(tmp_path) is None
    shown = CliRunner().invoke(main, ["processes", "--data-dir", str(tmp_path)])
    assert (shown.exit_code, shown.stderr) == (1, f"No `returnflow up` runs with the data directory {tmp_path}.\n")


def test_it_is_written_only_when_something_has_changed(tmp_path: Path) -> None:
    told = Told(tmp_path)
    told.tell(CHILDREN)
    (tmp_path / FILE).unlink()
    told.tell(CHILDREN)
    assert not (tmp_path / FILE).exists()


def test_what_hangs_is_told_by_its_supervisor() -> None:
    registry = CollectorRegistry()
    registry.register(SupervisorTelemetry(lambda: CHILDREN))
    lines = generate_latest(registry).decode().splitlines()
    assert 'returnflow_process_ready{process="kafka"} 1.0' in lines
    assert 'returnflow_process_ready{process="gateway"} 0.0' in lines
    assert 'returnflow_process_restarts_total{process="kafka"} 2.0' in lines
    assert not any("source-carrier" in line for line in lines)
