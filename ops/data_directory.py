"""The data directory of `up`: one run at a time, nothing left over from one that was killed, and who runs there.

Kafka, ledger, tables, logs and what the sandbox's merchants need lie in it. Touches the file system and processes.
"""

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import msgspec

from ops import run_file
from ops.local.kafka import BROKER_PID
from ops.local.pid_file import end_left_over
from schemas.startup import CannotStart

LOCK, RUNNING, MARK = "up.lock", "up.json", "sandbox.txt"
KAFKA, LOGS = "kafka", "log"
_MARKED = "All that lies beside this file belongs to `returnflow up --sandbox`, which removes it when it starts.\n"


class Running(msgspec.Struct, frozen=True, kw_only=True):
    """Who runs here, for commands of another terminal."""

    pid: int
    kafka: str
    gateway: str
    sandbox: str | None
    merchants: str  # the folder of files that the processes read


@contextlib.contextmanager
def held(path: Path) -> Iterator[None]:
    """Nobody else runs there meanwhile, and what a killed run left running is ended. A directory that cannot be made is
    no matter here: who checks it says so. Raises CannotStart when another one runs there."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        file = (path / LOCK).open("a+", encoding="ascii")
    except OSError:
        yield
        return
    with file:
        _locked(file, path)
        for pid_file in (*(path / LOGS).glob("*.pid"), path / KAFKA / BROKER_PID):
            end_left_over(pid_file)
        (path / RUNNING).unlink(missing_ok=True)
        try:
            yield
        finally:
            (path / RUNNING).unlink(missing_ok=True)


def _locked(file: IO[str], path: Path) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        raise CannotStart(
            f"{path}: Returnflow is running there already (process {file.read().strip() or 'unknown'}). "
            "Stop it, or choose another --data-dir and other ports."
        ) from None
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()


def wrong(path: Path, *, sandbox: bool) -> str | None:
    """Why the directory does not fit: what a sandbox has played is never mixed with what really happened."""
    marked = (path / MARK).exists()
    if marked and not sandbox:
        return f"{path} holds what a sandbox played; choose another --data-dir, or remove it"
    others = [each.name for each in path.iterdir() if each.name != LOCK] if path.is_dir() and not marked else []
    if sandbox and others:
        return (
            f"{path} holds {', '.join(sorted(others)[:3])}{' …' if others[3:] else ''}, which no sandbox made; "
            "choose another --data-dir, or remove it"
        )
    return None


def clean(path: Path) -> bool:
    """Empty for a sandbox, whose memory ended with its run; whether anything was there. See `wrong` first."""
    (path / MARK).write_text(_MARKED, encoding="ascii")
    left = [each for each in path.iterdir() if each.name not in (LOCK, MARK)]
    for each in left:
        if each.is_dir() and not each.is_symlink():
            shutil.rmtree(each)
        else:
            each.unlink()
    return bool(left)


def tell(path: Path, running: Running) -> None:
    """For `running_in`, until the run ends."""
    run_file.put(path / RUNNING, running)


def running_in(path: Path) -> Running | None:
    """Who runs there now; of one that was killed the file may be left."""
    return run_file.of_living(path / RUNNING, Running, lambda found: found.pid)
