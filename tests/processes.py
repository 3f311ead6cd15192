"""Starts processes of ours for tests: real ones, forked from one that has loaded what they need.

A new interpreter takes two seconds of a core until Faust and the clients of Kafka are loaded, and a run starts more
than a hundred.
"""

import multiprocessing
import os
import runpy
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from multiprocessing.connection import wait
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import NamedTuple

COMMANDS = ("line", "exceptions", "patterns", "dlq", "budget", "lag", "topics", "ledger", "merchants", "processes")
LOADED = (
    *(f"ops.cli.{name}" for name in COMMANDS), "ops.sandbox", "streams.agents", "streams.sources.gateway",
    "streams.sources.worker", "streams.shell.app", "sinks.worker", "sinks.systems", "faust",
)  # fmt: skip
_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(list(LOADED))


_ONE_AT_A_TIME = threading.Lock()  # two threads that look for one status would take it from each other


class Process:
    """A running process; the part of subprocess.Popen that tests use."""

    def __init__(self, process: ForkServerProcess) -> None:
        self._process = process
        assert process.pid is not None
        self.pid = process.pid

    @property
    def returncode(self) -> int | None:
        """Negative for a signal, None while it runs."""
        with _ONE_AT_A_TIME:
            return self._process.exitcode

    def poll(self) -> int | None:
        """The same."""
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Its status when it has ended; raises subprocess.TimeoutExpired."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while (status := self.returncode) is None:
            left = None if deadline is None else deadline - time.monotonic()
            if left is not None and left <= 0:
                raise subprocess.TimeoutExpired(self._process.name, timeout or 0.0)
            wait([self._process.sentinel], left)
        return status

    def send_signal(self, number: int) -> None:
        """Nothing happens to a process that has ended."""
        if self.returncode is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL."""
        self.send_signal(signal.SIGKILL)


class Done(NamedTuple):
    """How a command ended and what it printed."""

    returncode: int
    stdout: str
    stderr: str


def start(
    module: str, arguments: Sequence[str], env: Mapping[str, str] | None = None,
    out: Path | None = None, err: Path | None = None,
) -> Process:  # fmt: skip
    """`python -m module arguments…` with exactly this environment (None: ours); what it prints is added to the files,
    by default goes where our output goes."""
    told = dict(os.environ if env is None else env)
    name = " ".join([module, *arguments])
    process = _FORKS.Process(target=_run, args=(module, list(arguments), told, out, err or out), name=name, daemon=True)
    with _ONE_AT_A_TIME:
        process.start()
    return Process(process)


def done(module: str, arguments: Sequence[str], env: Mapping[str, str] | None = None, within: float = 120.0) -> Done:
    """The same to its end; raises subprocess.TimeoutExpired."""
    with tempfile.TemporaryDirectory() as folder:
        out, err = Path(folder, "out"), Path(folder, "err")
        out.touch()
        err.touch()
        running = start(module, arguments, env, out, err)
        try:
            status = running.wait(within)
        finally:
            running.kill()
        return Done(status, out.read_text(), err.read_text())


def _run(module: str, arguments: list[str], env: dict[str, str], out: Path | None, err: Path | None) -> None:
    """In the new process."""
    for path, stream in ((out, sys.stdout), (err, sys.stderr)):
        if path is not None:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            os.dup2(descriptor, stream.fileno())
    os.environ.clear()
    os.environ.update(env)
    sys.argv[1:] = arguments
    runpy.run_module(module, run_name="__main__", alter_sys=True)
