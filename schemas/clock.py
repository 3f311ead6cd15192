"""Time. Waits are measured by `steady_ms`, which nobody can set. What is stored or told is dated by `now_ms`, the wall
clock: it may be set at any time, in either direction, so whoever reads a stored time checks it against now (`ahead`).
"""

import threading
import time
from collections.abc import Callable

import structlog

# What clocks of several machines may differ by, and what a time server may correct in one step, without a word.
TOLERANCE_MS = 5_000
# After a jump ahead, leases of others end by where the clock would be without it for this long: longer than any lease.
HOLD_MS = 120_000

log = structlog.get_logger(__name__)
Now = Callable[[], int]


def wall_ms() -> int:
    """The wall clock as it is: epoch milliseconds."""
    return time.time_ns() // 1_000_000


def steady_ms() -> int:
    """Milliseconds since some moment; never goes back. Only differences within one process mean anything."""
    return time.monotonic_ns() // 1_000_000


def ahead(stored_ms: int, now_ms: int, most_ms: int) -> bool:
    """Whether a stored time lies further ahead than any wait that was ever begun: it was written by a clock that has
    been set back since."""
    return stored_ms > now_ms + most_ms + TOLERANCE_MS


class Clock:
    """The wall clock of a process, which notices that it was set. Safe for any thread."""

    def __init__(self, wall: Now = wall_ms, steady: Now = steady_ms) -> None:
        self._wall, self._steady = wall, steady
        self._lock = threading.Lock()
        self._offset = wall() - steady()
        self._ahead_ms = 0  # by how much it jumped ahead
        self._until = 0  # and until when (steady) that is not believed
        self._moved = 0  # the last jump
        self._calm_since = steady()

    def now_ms(self) -> int:
        """Epoch milliseconds. A jump since the last call is logged, once."""
        return self._look()[0]

    def sure_ms(self) -> int:
        """By when a lease of somebody else has surely ended: no later than now, and for a while after a jump ahead
        where the clock would be without it. A lease is as long as it was, however the clock was set meanwhile."""
        wall, steady = self._look()
        return wall - self._ahead_ms if steady < self._until else wall

    def either_ms(self) -> tuple[int, ...]:
        """Now, by the clock as it is and as it would be without its last jump: nobody here knows which one is right."""
        wall, _ = self._look()
        return (wall, wall - self._moved) if self._moved else (wall,)

    def calm_ms(self) -> int:
        """How long it has run without a jump, since the process began: what must not be done by a wrong time waits."""
        return self._look()[1] - self._calm_since

    def _look(self) -> tuple[int, int]:
        with self._lock:
            wall, steady = self._wall(), self._steady()
            moved, self._offset = wall - steady - self._offset, wall - steady
            if abs(moved) > TOLERANCE_MS:
                self._jumped(moved, steady)
        if abs(moved) > TOLERANCE_MS:
            log.warning(
                "clock_jumped", seconds=round(moved / 1000, 1),
                what="the wall clock was set, or the machine slept; waits go on, stored times are checked against now",
            )  # fmt: skip
        return wall, steady

    def _jumped(self, moved: int, steady: int) -> None:
        self._moved, self._calm_since = moved, steady
        held = self._ahead_ms if steady < self._until else 0
        self._ahead_ms = max(0, held + moved)
        self._until = steady + HOLD_MS if self._ahead_ms else 0


CLOCK = Clock()  # of this process
now_ms = CLOCK.now_ms
