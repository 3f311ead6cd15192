"""An app that is built and never started, and a process exit that can be caught."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from streams.shell.app import build
from streams.shell.settings import ShellSettings
from tests.unit.shell.fakes import EchoCore, Ended


@pytest.fixture
def settings(tmp_path: Path) -> ShellSettings:
    return ShellSettings(
        group="unit", table="rows", bootstrap="127.0.0.1:1", data_dir=tmp_path, store="memory", batch_records=3
    )  # fmt: skip


@pytest.fixture
def build_app() -> Callable[[ShellSettings], Any]:
    return lambda settings: build(settings, EchoCore(), ["facts"], "dead-{}".format, registry=CollectorRegistry())


@pytest.fixture(autouse=True, scope="module")
def exits() -> Iterator[None]:
    """The process ends as `Ended` instead of for good; also for what is left of a test when its fixtures are gone."""

    def leave(status: int) -> None:
        raise Ended(status)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "_exit", leave)
        yield
