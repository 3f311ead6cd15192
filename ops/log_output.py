"""Where log lines go: standard error, and the file behind it, which is turned over before it grows too large.

Writing never fails: a process whose log has no room goes on, and tells how many lines are missing once there is some.
Touches the file descriptors 1 and 2 and the log's folder.
"""

import contextlib
import os
import threading
from collections.abc import Callable
from pathlib import Path

STDOUT, STDERR = 1, 2
KEPT = 3  # files that were turned over; the oldest goes
LOOK_EVERY = 64  # lines


class Output:
    """A text file as structlog and logging want one. `file`: what standard error is, when it is to be turned over at
    `most_bytes`; `lost` makes the line that tells of lines that could not be written."""

    def __init__(self, file: Path | None, most_bytes: int, lost: Callable[[int, str], str]) -> None:
        self._file, self._most_bytes, self._telling = file, most_bytes, lost
        self._lock = threading.RLock()
        self._lost, self._why, self._torn, self._lines = 0, "", False, 0

    def write(self, text: str) -> int:
        """Never raises for the disk or the reader."""
        with self._lock:
            if self._lost and self._put(self._telling(self._lost, self._why)):
                self._lost = 0
            if not self._put(text):
                self._lost += 1
            self._lines += 1
            if self._lines % LOOK_EVERY == 0:
                self.turn_over()
        return len(text)

    def flush(self) -> None:
        """Every line is written at once."""

    def isatty(self) -> bool:
        return os.isatty(STDERR)

    def _put(self, text: str) -> bool:
        data = text.encode("utf-8", "backslashreplace")
        if self._torn:
            data = b"\n" + data
        done = 0
        try:
            while done < len(data):
                done += os.write(STDERR, data[done:])
        except OSError as error:
            self._torn = self._torn or done > 0
            self._why = error.strerror or type(error).__name__
            return False
        self._torn = False
        return True

    def turn_over(self) -> None:
        """Begin a new file when the present one is too large. What others of this process write to the descriptors goes
        to the one or to the other, so nothing is lost in between."""
        with contextlib.suppress(OSError):  # no room, or somebody else moved it: the next look tries again
            self._turn_over()

    def _turn_over(self) -> None:
        here = os.fstat(STDERR)
        if self._file is None or here.st_size < self._most_bytes or not os.path.samestat(here, self._file.stat()):
            return
        fresh = self._file.with_name(f"{self._file.name}.new")
        opened = os.open(fresh, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            for number in range(KEPT - 1, 0, -1):
                with contextlib.suppress(FileNotFoundError):
                    turned(self._file, number).rename(turned(self._file, number + 1))
            self._file.rename(turned(self._file, 1))
            fresh.rename(self._file)
            if os.path.samestat(os.fstat(STDOUT), here):
                os.dup2(opened, STDOUT)
            os.dup2(opened, STDERR)
        finally:
            os.close(opened)


def turned(file: Path, number: int) -> Path:
    """The file that was turned over so many turns ago."""
    return file.with_name(f"{file.name}.{number}")
