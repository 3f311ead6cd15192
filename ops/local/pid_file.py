"""A process that runs holds its pid file locked, so one that was left over is told from one that is gone.

The lock is the kernel's: it goes with the process, however that ends, and a number that was given out again is never
taken for the process. Touches files and the process table.
"""

import contextlib
import fcntl
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

GONE_WITHIN_SECONDS = 10.0


@contextlib.contextmanager
def held(path: Path) -> Iterator[IO[str]]:
    """The file, locked; whoever inherits it holds the lock on. What held it before is ended first."""
    end_left_over(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="ascii") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield file


def end_left_over(path: Path) -> int | None:
    """End the process that holds the file, if one does, and wait until it is gone; its process id."""
    try:
        file = path.open(encoding="ascii")
    except OSError:
        return None
    with file:
        pid = file.read().strip()
        if _free(file) or not pid.isdigit():
            return None
        deadline = time.monotonic() + GONE_WITHIN_SECONDS
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(pid), signal.SIGKILL)
        while not _free(file) and time.monotonic() < deadline:
            time.sleep(0.02)
    return int(pid)


def _free(file: IO[str]) -> bool:
    """Whether nobody holds it; then we do, until we close it."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
