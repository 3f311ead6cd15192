"""One budget of time for all of stopping. Looks at the clock."""

import asyncio
import time
from collections.abc import Awaitable

import structlog

log = structlog.get_logger()

# What every part gets, even if those before it left nothing: enough to close what answers.
LEAST_SECONDS = 0.1


class Budget:
    """`seconds` from the first time that somebody asks what is left."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._ends_at: float | None = None

    @property
    def left(self) -> float:
        """Seconds, never less than a little."""
        now = time.monotonic()
        if self._ends_at is None:
            self._ends_at = now + self._seconds
        return max(LEAST_SECONDS, self._ends_at - now)


async def within(seconds: float, part: str, ending: Awaitable[object]) -> None:
    """Await the ending of a part of the worker, but no longer; what does not come to an end is left as it is.

    It is cancelled and not waited for, since what hangs may not even notice. The process is about to end anyway.
    """
    task = asyncio.ensure_future(ending)
    done, _ = await asyncio.wait({task}, timeout=seconds)
    if done:
        task.result()
    else:
        task.cancel()
        log.warning("stop_cut_short", part=part, seconds=round(seconds, 1))
