"""A real disk of a few megabytes for a process of its own: a tmpfs in a mount namespace that ends with the process."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
_MOUNT = 'mount -t tmpfs -o size="$1" tmpfs "$2" && shift 2 && exec "$@"'


def on_small_disk(
    folder: Path, size: str, *command: str, env: dict[str, str] | None = None
) -> "subprocess.CompletedProcess[str]":
    """Run a command that finds `folder` on a disk of that size."""
    folder.mkdir(parents=True, exist_ok=True)
    apart = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--user", "--map-root-user", "--mount"]
    return subprocess.run(
        [*apart, "sh", "-c", _MOUNT, "sh", size, str(folder), *command], capture_output=True, text=True, check=False,
        timeout=120, env={**os.environ, "PYTHONPATH": str(ROOT), **(env or {})},
    )  # fmt: skip


def script(text: str) -> tuple[str, ...]:
    """A command that runs Python."""
    return (sys.executable, "-c", text)


FILL = '''
import os
from pathlib import Path

def fill(folder, leave=0):
    """A file that takes all the room but `leave` bytes."""
    ballast = Path(folder) / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 4096)
        except OSError:
            pass
    if leave:
        os.truncate(ballast, ballast.stat().st_size - leave)
    return ballast
'''
