"""Standard output and error of a command whose reader may leave early or whose disk may be full. Touches both."""

import io
import os
import sys
from typing import Any, TextIO

WRITTEN_IN_PART = os.EX_IOERR  # exit status: the output could not be written


class _Stream(io.FileIO):
    """A reader who has seen enough (`| head`) is no fault: the rest goes nowhere, the exit status stays what it is."""

    def write(self, data: object) -> int | None:  # type: ignore[override]  # bytes-like, as BufferedWriter gives it
        try:
            return super().write(data)  # type: ignore[arg-type]
        except OSError as problem:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self.fileno())
            os.close(nowhere)
            if not isinstance(problem, BrokenPipeError) and self.fileno() == 1:
                _told(f"returnflow: the output cannot be written: {problem.strerror}\n")
                raise SystemExit(WRITTEN_IN_PART) from None
            return super().write(data)  # type: ignore[arg-type]


def guarded() -> None:
    """From now on standard output and error behave so. What the terminal's alphabet lacks is escaped, not a fault."""
    sys.stdout = _over(sys.stdout)
    sys.stderr = _over(sys.stderr)


def flushed() -> None:
    """Everything is written, or SystemExit(WRITTEN_IN_PART)."""
    if sys.stdout is not None:
        sys.stdout.flush()


def _told(text: str) -> None:
    """On standard error, whatever became of standard output."""
    if sys.stderr is not None:
        sys.stderr.write(text)
        sys.stderr.flush()


def _over(stream: TextIO | None) -> Any:
    if stream is None:  # closed by whoever started us
        return stream
    raw = _Stream(stream.fileno(), "w", closefd=False)
    return io.TextIOWrapper(
        io.BufferedWriter(raw), encoding=stream.encoding, errors="backslashreplace", line_buffering=stream.isatty()
    )
