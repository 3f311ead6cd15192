"""One child process that never outlives us: its log, its signals, its watchdog.

Touches the process table and a log file.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path

from ops.local.pid_file import held
from ops.local.watchdog import Watchdog

STOP_GRACE_SECONDS = 20
LOG_FILE = "RETURNFLOW_LOG_FILE"


class GuardedProcess:
    """A running command in a session of its own, so that Ctrl-C reaches us and we stop it in our order."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        log: Path,
        remove_with_us: Sequence[Path] = (),
        env: Mapping[str, str] | None = None,
        pid_file: Path | None = None,
    ) -> None:
        """`pid_file` is held for as long as it runs; whatever held it before is ended. A process of ours turns its log
        over by itself, of another only what `turn_over` finds."""
        self.log = log
        with log.open("ab") as output, held(pid_file) if pid_file else contextlib.nullcontext() as lock:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True,
                env={**(os.environ if env is None else env), LOG_FILE: str(log.absolute())},
                pass_fds=[lock.fileno()] if lock else (),
            )  # fmt: skip
            if lock:
                lock.write(str(self.pid))
        self._watchdog = Watchdog(self.pid, remove=remove_with_us)

    @property
    def pid(self) -> int:
        """Process id, also after the end."""
        return self._process.pid

    @property
    def exit_status(self) -> int | None:
        """None while it runs; negative for a signal, as subprocess has it."""
        return self._process.poll()

    def pause(self) -> None:
        """Freeze it (SIGSTOP): connections stay open and nobody answers."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Let it run on."""
        os.kill(self.pid, signal.SIGCONT)

    def kill(self) -> None:
        """End it without a chance to clean up, and wait until it is gone."""
        if self.exit_status is None:
            self._process.kill()
            self._process.wait()
        self._watchdog.release()

    def stop(self) -> None:
        """Ask it to end, and insist after a grace; also when it is frozen or gone already."""
        if self.exit_status is None:
            self.resume()
            self._process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(STOP_GRACE_SECONDS)
        self.kill()

    def turn_over(self, most_bytes: int) -> None:
        """Keep the log of a process that does not do so itself from growing: what is there becomes the one before, and
        it begins anew. A line that is written at that very moment may be lost."""
        with contextlib.suppress(OSError):  # no room for two: the next look tries again
            if self.log.stat().st_size > most_bytes:
                shutil.copyfile(self.log, self.log.with_name(f"{self.log.name}.1"))
                os.truncate(self.log, 0)

    def last_words(self, lines: int = 12) -> str:
        """The end of its log, for an error message."""
        with self.log.open(encoding="utf-8", errors="replace") as log:
            return "".join(map(_for_people, deque(log, maxlen=lines))).rstrip()


def _for_people(line: str) -> str:
    """What a process of ours says of why it ended is a line for machines."""
    try:
        said = json.loads(line)
    except ValueError:
        return line
    reason = said.get("reason") if isinstance(said, dict) else None
    return f"{reason}\n" if isinstance(reason, str) else line
