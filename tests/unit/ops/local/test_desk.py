"""`python -m ops.local`: what becomes of it when its broker ends, and what it needs to become the broker."""

import os
import signal
from contextlib import nullcontext
from pathlib import Path

import pytest
from click.testing import CliRunner

from ops.local import __main__ as desk
from ops.local.kafka import BROKER_PID, LocalKafka


@pytest.fixture(autouse=True)
def _signals_stay_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signal, "signal", lambda *_: None)


class Dying:
    """A broker that is found dead at the third look."""

    bootstrap, pid = "127.0.0.1:9092", 7

    def __init__(self) -> None:
        self._looks = iter((None, None))

    @property
    def exit_status(self) -> int | None:
        return next(self._looks, -9)


def test_a_broker_that_dies_ends_its_command_and_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(desk, "LOOK_SECONDS", 0.0)
    monkeypatch.setattr(LocalKafka, "start", lambda *_: nullcontext(Dying()))
    done = CliRunner().invoke(desk.main, ["--data-dir", str(tmp_path)])
    assert (done.exit_code, done.stderr) == (1, "Kafka ended by itself with status -9.\n")


@pytest.mark.parametrize("given", [["--port", "0", "--data-dir", "here"], ["--port", "9092"]])
def test_who_is_started_again_must_be_found_again(given: list[str]) -> None:
    done = CliRunner().invoke(desk.main, ["--become", *given])
    assert done.exit_code == 2
    assert "--become needs a --port and a --data-dir" in done.stderr


def test_it_becomes_the_broker_whose_data_it_prepared(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    became: list[list[str]] = []
    monkeypatch.setattr(LocalKafka, "command", lambda port, folder: ["java", str(port), str(folder)])
    monkeypatch.setattr(os, "execv", lambda _program, command: became.append(command))
    desk._become(9092, tmp_path)
    assert became == [["java", "9092", str(tmp_path)]]
    assert (tmp_path / BROKER_PID).read_text().isdigit()
