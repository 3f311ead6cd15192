"""The folder of each run: the newest few stay, none is taken from a run that is up. Touches the file system."""

import fcntl
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

KEPT_RUNS = 5
RUNNING = "running"  # locked for as long as the run is up, whatever becomes of its process


@contextmanager
def run_folder(runs: Path) -> Iterator[Path]:
    """A new folder in `runs`, held until the end. Of earlier ones that nobody holds, all but the newest few go."""
    runs.mkdir(parents=True, exist_ok=True)
    with (runs / ".lock").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)  # a folder that is being made is not held yet
        for old in sorted(each for each in runs.iterdir() if each.is_dir())[:-KEPT_RUNS]:
            if not _held(old):
                shutil.rmtree(old, ignore_errors=True)
        folder = Path(tempfile.mkdtemp(prefix=time.strftime("%Y%m%d-%H%M%S-"), dir=runs))
        lock = (folder / RUNNING).open("w")
        fcntl.flock(lock, fcntl.LOCK_EX)
    with lock:
        yield folder


def _held(folder: Path) -> bool:
    try:
        with (folder / RUNNING).open() as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False  # of a version that held none
    except OSError:
        return True
    return False
