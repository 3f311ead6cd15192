"""Keeps child processes running: starts, watches, restarts with backoff, stops in reverse order, leaves no orphans.

Touches the process table and one log file per child. Every child dies with us, however we die.
"""

import os
import signal
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

import msgspec

from ops.local.process import GuardedProcess
from schemas.startup import CannotStart

State = Literal["starting", "ready", "paused", "waiting", "stopped"]
# What happened to which child, in words; called from the watching thread.
Tell = Callable[[str, str], None]
Ready = Callable[[], bool]

WATCH_EVERY_SECONDS = 0.1
FIRST_BACKOFF_SECONDS = 0.5
LONGEST_BACKOFF_SECONDS = 30.0
STEADY_AFTER_SECONDS = 30.0  # a child that ran so long starts its backoff anew
STOP_WITHIN_SECONDS = 45.0
EACH_STOP_WITHIN_SECONDS = 25.0  # a sink finishes what it has begun within 20
LEAST_STOP_SECONDS = 1.0  # also when others used up the budget
CANNOT_START = 2
FIRST_WORD_SECONDS, NEXT_WORD_SECONDS = 1.0, 5.0  # of who is waited for


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """A child as it is now."""

    name: str
    state: State
    pid: int | None
    restarts: int
    last_exit: int | None
    log: Path


class _Child:
    """What is needed to run one child again, and how it fares."""

    def __init__(self, name: str, argv: Sequence[str], env: Mapping[str, str], log: Path, ready: Ready) -> None:
        self.name, self.argv, self.env, self.log, self.ready = name, list(argv), dict(env), log, ready
        self.state: State = "starting"
        self.was_ready = False
        self.restarts = 0
        self.last_exit: int | None = None
        self.start_again_at = 0.0
        self.backoff_seconds = FIRST_BACKOFF_SECONDS
        self.spawn()

    def spawn(self) -> None:
        self.process = GuardedProcess(self.argv, log=self.log, env=self.env, pid_file=self.log.with_suffix(".pid"))
        self.state, self.started_at = "starting", time.monotonic()

    def ended(self) -> bool:
        return self.process.exit_status is not None

    def schedule_again(self, now: float) -> float:
        """Seconds until the next start: doubles while the child keeps failing early."""
        if now - self.started_at >= STEADY_AFTER_SECONDS:
            self.backoff_seconds = FIRST_BACKOFF_SECONDS
        delay = self.backoff_seconds
        self.backoff_seconds = min(delay * 2, LONGEST_BACKOFF_SECONDS)
        self.start_again_at, self.state = now + delay, "waiting"
        return delay


class Supervisor:
    """Children by name. Use as a context manager: leaving it stops all of them."""

    def __init__(self, logs: Path, tell: Tell = lambda *_: None) -> None:
        logs.mkdir(parents=True, exist_ok=True)
        self._logs, self._tell = logs, tell
        self._children: dict[str, _Child] = {}
        self._lock = threading.RLock()
        self._done = threading.Event()
        self._watcher = threading.Thread(target=self._watch, name="supervisor", daemon=True)
        self._watcher.start()

    def start(
        self, name: str, argv: Sequence[str], env: Mapping[str, str] | None = None, ready: Ready = lambda: True
    ) -> None:
        """Run `argv` until `stop`, again after every end. `env` is added to ours; `ready` says when it serves."""
        with self._lock:
            if name in self._children and self._children[name].state != "stopped":
                raise ValueError(f"expected a new name for a child, got {name!r}, which runs already")
            log = self._logs / f"{name}.log"
            self._children[name] = _Child(name, argv, {**os.environ, **(env or {})}, log, ready)
        self._tell(name, f"started, process {self.pid(name)}")

    def wait_ready(self, *names: str, within_seconds: float = 60.0) -> None:
        """Return when the named children (all, without names) serve; CannotStart with a child's last words if not."""
        began = time.monotonic()
        deadline, word_at = began + within_seconds, began + FIRST_WORD_SECONDS
        for name in names or tuple(self._children):
            child = self._children[name]
            while child.state != "ready":
                if time.monotonic() > word_at:
                    word_at = time.monotonic() + NEXT_WORD_SECONDS
                    self._tell(name, f"not ready yet, after {time.monotonic() - began:.0f} s")
                if child.last_exit == CANNOT_START and not child.was_ready:
                    raise CannotStart(f"{name} cannot start: {child.process.last_words(1)}")
                if time.monotonic() > deadline:
                    raise CannotStart(
                        f"expected {name} to serve within {within_seconds:g} s, but it does not. "
                        f"The end of {child.log}:\n{child.process.last_words()}"
                    )
                time.sleep(WATCH_EVERY_SECONDS / 2)

    def pid(self, name: str) -> int | None:
        """Process id, None while the child waits for its next start."""
        with self._lock:
            child = self._children[name]
            return None if child.ended() else child.process.pid

    def kill(self, name: str, by: signal.Signals = signal.SIGKILL) -> None:
        """Send a signal; what ends is started again."""
        with self._lock:
            child = self._children[name]
            if not child.ended():
                os.kill(child.process.pid, by)
        self._tell(name, f"was sent {by.name}")

    def pause(self, name: str) -> None:
        """Freeze a child: it keeps its connections and answers nobody."""
        self.kill(name, signal.SIGSTOP)
        with self._lock:
            self._children[name].state = "paused"

    def resume(self, name: str) -> None:
        """Let a frozen child run on."""
        with self._lock:
            self._children[name].state = "starting"
        self.kill(name, signal.SIGCONT)

    def stop(self, *names: str, within_seconds: float = STOP_WITHIN_SECONDS) -> None:
        """Stop the named children (all, without names), last started first, within one shrinking budget."""
        deadline = time.monotonic() + within_seconds
        for name in [each for each in reversed(self._children) if not names or each in names]:
            child = self._children[name]
            with self._lock:
                was, child.state = child.state, "stopped"
            if was != "stopped":
                left = max(deadline - time.monotonic(), LEAST_STOP_SECONDS)
                self._stop(child, time.monotonic() + min(left, EACH_STOP_WITHIN_SECONDS))

    def children(self) -> list[Status]:
        """Every child as it is now, in the order of their start."""
        with self._lock:
            return [
                Status(
                    name=each.name,
                    state=each.state,
                    pid=self.pid(each.name),
                    restarts=each.restarts,
                    last_exit=each.last_exit,
                    log=each.log,
                )
                for each in self._children.values()
            ]

    def close(self) -> None:
        """Stop all and watch no more. Safe to call twice."""
        self.stop()
        self._done.set()
        self._watcher.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _stop(self, child: _Child, deadline: float) -> None:
        process = child.process
        if process.exit_status is None:
            process.resume()
            os.kill(process.pid, signal.SIGTERM)
        while process.exit_status is None and time.monotonic() < deadline:
            time.sleep(0.02)
        how = "did not stop in time, killed" if process.exit_status is None else "stopped"
        process.kill()
        child.last_exit = process.exit_status
        self._tell(child.name, how)

    def _watch(self) -> None:
        while not self._done.wait(WATCH_EVERY_SECONDS):
            for child in list(self._children.values()):
                with self._lock:
                    self._look_at(child, time.monotonic())
                self._ask(child)

    def _look_at(self, child: _Child, now: float) -> None:
        if child.state == "waiting" and now >= child.start_again_at:
            child.restarts += 1
            child.spawn()
            self._tell(child.name, f"started again, process {self.pid(child.name)}")
        elif child.state in ("starting", "ready", "paused") and child.ended():
            child.process.kill()  # it has ended: this releases its watchdog
            child.last_exit = child.process.exit_status
            delay = child.schedule_again(now)
            self._tell(child.name, f"ended {_how(child.last_exit)}, starts again in {delay:g} s (log: {child.log})")

    def _ask(self, child: _Child) -> None:
        """Whether a starting child serves by now. The question takes time, so it is asked without the lock."""
        if child.state != "starting" or not child.ready():
            return
        with self._lock:
            self._became_ready(child)

    def _became_ready(self, child: _Child) -> None:
        """The answer may be old by now: only a child that still starts becomes ready."""
        if child.state == "starting" and not child.ended():
            child.state, child.was_ready = "ready", True
            self._tell(child.name, "ready")


def _how(status: int | None) -> str:
    if status is not None and status < 0:
        return f"by {signal.Signals(-status).name}"
    return f"with exit status {status}"
