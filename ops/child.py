"""One child of a supervisor: what it takes to run it again, and how it fares. Touches the process table and its log."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from ops.fitness import Ask, Fitness, Patience
from ops.local.process import GuardedProcess

# hangs: it was told to end; waiting: it is started again soon; paused and stopped: by us.
State = Literal["starting", "ready", "not ready", "hangs", "paused", "waiting", "stopped"]
ASKED: tuple[State, ...] = ("starting", "ready", "not ready")

FIRST_BACKOFF_SECONDS = 0.5
LONGEST_BACKOFF_SECONDS = 30.0
STEADY_AFTER_SECONDS = 30.0  # a child that ran so long starts its backoff anew


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """A child as it is now."""

    name: str
    state: State
    pid: int | None
    restarts: int
    last_exit: int | None
    log: Path
    why: str = ""  # what is wrong, in its own words, while it does not serve


class Child:
    """What is needed to run one child again, and how it fares."""

    def __init__(
        self, name: str, argv: Sequence[str], env: Mapping[str, str], log: Path, ask: Ask, patience: Patience
    ) -> None:
        self.name, self.argv, self.env, self.log, self.ask, self.patience = (
            name,
            list(argv),
            dict(env),
            log,
            ask,
            patience,
        )
        self.was_ready = False
        self.restarts = 0
        self.last_exit: int | None = None
        self.start_again_at = 0.0
        self.backoff_seconds = FIRST_BACKOFF_SECONDS
        self.asked = False  # and not answered yet
        self.spawn()

    def spawn(self) -> None:
        self.process = GuardedProcess(self.argv, log=self.log, env=self.env, pid_file=self.log.with_suffix(".pid"))
        self.state: State = "starting"
        self.started_at, self.ask_at, self.kill_at = time.monotonic(), 0.0, 0.0
        self.fitness = Fitness(self.patience)

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

    def status(self) -> Status:
        pid = None if self.ended() else self.process.pid
        why = self.fitness.why if self.state in ("starting", "not ready", "hangs") else ""
        return Status(
            name=self.name, state=self.state, pid=pid, restarts=self.restarts, last_exit=self.last_exit, log=self.log,
            why=why,
        )  # fmt: skip
