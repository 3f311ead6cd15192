"""Keeps child processes running: starts, asks again and again how they fare, restarts with backoff what has ended or
hangs, stops in reverse order, leaves no orphans.

Touches the process table and one log file per child. Every child dies with us, however we die.
"""

import contextlib
import math
import os
import signal
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from ops.child import ASKED, Child, Status
from ops.fitness import USUAL, Ask, Fitness, Heard, Patience
from schemas import disks
from schemas.startup import CannotStart, DiskFull

# What happened to which child, in words; called from the watching thread.
Tell = Callable[[str, str], None]

WATCH_EVERY_SECONDS = 0.1
STOP_WITHIN_SECONDS = 45.0
EACH_STOP_WITHIN_SECONDS = 25.0  # a sink finishes what it has begun within 20
LEAST_STOP_SECONDS = 1.0  # also when others used up the budget
CANNOT_START = (CannotStart.status, DiskFull.status)
MOST_LOG_BYTES = 30_000_000  # of a child that does not turn its log over itself
FIRST_WORD_SECONDS, NEXT_WORD_SECONDS = 1.0, 5.0  # of who is waited for


class Supervisor:
    """Children by name. Use as a context manager: leaving it stops all of them."""

    def __init__(self, logs: Path, tell: Tell = lambda *_: None) -> None:
        logs.mkdir(parents=True, exist_ok=True)
        self._logs, self._tell = logs, tell
        self._children: dict[str, Child] = {}
        self._lock = threading.RLock()
        self._done = threading.Event()
        self._hung_at = -math.inf
        self._watcher = threading.Thread(target=self._watch, name="supervisor", daemon=True)
        self._watcher.start()

    def start(
        self, name: str, argv: Sequence[str], env: Mapping[str, str] | None = None, ask: Ask = Heard,
        patience: Patience = USUAL,
    ) -> None:  # fmt: skip
        """Run `argv` until `stop`, again after every end and hang. `env` is added to ours; `ask` says how it fares."""
        with self._lock:
            if name in self._children and self._children[name].state != "stopped":
                raise ValueError(f"expected a new name for a child, got {name!r}, which runs already")
            log = self._logs / f"{name}.log"
            self._children[name] = Child(name, argv, {**os.environ, **(env or {})}, log, ask, patience)
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
                if child.last_exit in CANNOT_START and not child.was_ready:
                    kind = DiskFull if child.last_exit == DiskFull.status else CannotStart
                    raise kind(f"{name} cannot start: {child.process.last_words(1)}")
                if time.monotonic() > deadline:
                    raise CannotStart(
                        f"expected {name} to serve within {within_seconds:g} s, but it does not: {child.fitness.why}. "
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
            child = self._children[name]
            child.state, child.ask_at, child.fitness = "starting", 0.0, Fitness(child.patience)
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
            return [each.status() for each in self._children.values()]

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

    def _stop(self, child: Child, deadline: float) -> None:
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
                    now = time.monotonic()
                    self._look_at(child, now)
                    due = child.state in ASKED and not child.asked and now >= child.ask_at
                    child.asked = child.asked or due
                if due:  # an answer may take seconds, and nobody else should wait for it
                    threading.Thread(target=self._ask, args=(child,), name=f"ask {child.name}", daemon=True).start()

    def _look_at(self, child: Child, now: float) -> None:
        child.process.turn_over(MOST_LOG_BYTES)
        if child.state == "waiting" and now >= child.start_again_at:
            self._start_again(child, now)
        elif child.state in (*ASKED, "paused", "hangs") and child.ended():
            child.process.kill()  # it has ended: this releases its watchdog
            child.last_exit = child.process.exit_status
            delay = child.schedule_again(now)
            how = f"{_how(child.last_exit)}{_no_room(child)}"
            self._tell(child.name, f"ended {how}, starts again in {delay:g} s (log: {child.log})")
        elif child.state == "hangs" and now >= child.kill_at:
            os.kill(child.process.pid, signal.SIGKILL)

    def _start_again(self, child: Child, now: float) -> None:
        """A disk without room, or no room for one more process, is no reason to stop watching the others."""
        try:
            child.spawn()
        except OSError as error:
            delay = child.schedule_again(now)
            self._tell(child.name, f"cannot be started ({error.strerror}), tried again in {delay:g} s")
            return
        child.restarts += 1
        self._tell(child.name, f"started again, process {child.process.pid}")

    def _ask(self, child: Child) -> None:
        process, fitness = child.process, child.fitness
        try:
            heard = child.ask()
            with self._lock:
                if child.process is process and child.fitness is fitness and child.state in ASKED:
                    self._hear(child, heard, time.monotonic())
        finally:
            child.asked = False

    def _hear(self, child: Child, heard: Heard, now: float) -> None:
        """The answer may be old by now: one that has ended meanwhile is the next look's business."""
        if child.ended():
            return
        found = child.fitness.heard(heard, now)
        child.ask_at = now + (0.0 if found == "starting" else child.patience.again)
        if found == "hangs":
            self._end_hanging(child, now)
        elif found != child.state:
            child.state, child.was_ready = found, True
            self._tell(child.name, found if found == "ready" else f"{found}: {child.fitness.why}")

    def _end_hanging(self, child: Child, now: float) -> None:
        """It wakes to an order to end, so that it may end well; what else hangs waits for its turn."""
        if now - self._hung_at < child.patience.apart:
            return
        self._hung_at, child.state, child.kill_at = now, "hangs", now + child.patience.ends
        os.kill(child.process.pid, signal.SIGTERM)
        os.kill(child.process.pid, signal.SIGCONT)
        self._tell(child.name, f"hangs and is ended: {child.fitness.why}")


def _no_room(child: Child) -> str:
    """A broker says no more than this of a full disk, among many lines."""
    said = ""
    with contextlib.suppress(OSError):  # its log may be gone
        said = child.process.last_words(30)
    if "No space left on device" not in said:
        return ""
    return f", for {disks.told(child.log.parent.parent, 'RETURNFLOW_DATA_DIR or --data-dir')}"


def _how(status: int | None) -> str:
    if status is not None and status < 0:
        return f"by {signal.Signals(-status).name}"
    return f"with exit status {status}"
