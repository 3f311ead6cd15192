"""Ends a background process, and its temporary data, when we are gone, however we died.

`python watchdog.py PID [DIRECTORY ...]` is the other half: its standard input is a pipe whose other end only we hold,
so end of file means that we are dead. Works on every Unix, unlike a parent-death signal. Standard library only.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path


class Watchdog:
    """Watches for our end until it is released."""

    def __init__(self, pid: int, *, remove: Sequence[Path]) -> None:
        command = [sys.executable, "-I", "-S", __file__, str(pid), *(str(path) for path in remove)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)

    def release(self) -> None:
        """Call when the watched process has ended. Kills first, because end of file is the signal to act."""
        self._process.kill()
        self._process.wait()
        if self._process.stdin is not None:
            self._process.stdin.close()


def main(arguments: list[str]) -> None:
    """Wait for the parent's end, then kill the process and remove the directories: nothing in them is worth a grace."""
    process, *directories = arguments
    sys.stdin.buffer.read()
    with contextlib.suppress(ProcessLookupError):
        os.kill(int(process), signal.SIGKILL)
    for directory in directories:
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main(sys.argv[1:])
