"""A process that was left over is known by what it holds, and ended before the next one starts."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ops.local.pid_file import end_left_over
from ops.local.process import GuardedProcess

# starts a child that holds the file, and dies without a word to it or to its watchdog
ORPHANING = """
import os, signal, sys
from pathlib import Path
from ops.local.process import GuardedProcess
child = GuardedProcess(["sleep", "300"], log=Path(sys.argv[1]) / "log", pid_file=Path(sys.argv[1]) / "a.pid")
os.kill(child._watchdog._process.pid, signal.SIGKILL)
print(child.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return Path(f"/proc/{pid}/stat").exists() and " Z " in Path(f"/proc/{pid}/stat").read_text()


@pytest.fixture
def orphan(tmp_path: Path) -> int:
    said = subprocess.run(
        [sys.executable, "-c", ORPHANING, str(tmp_path)], capture_output=True, text=True, check=False
    ).stdout
    assert not gone(int(said))
    return int(said)


def test_an_orphan_is_found_by_its_file_and_ended(orphan: int, tmp_path: Path) -> None:
    assert end_left_over(tmp_path / "a.pid") == orphan
    assert gone(orphan)
    assert end_left_over(tmp_path / "a.pid") is None


def test_the_next_process_with_the_file_ends_the_one_before(orphan: int, tmp_path: Path) -> None:
    process = GuardedProcess(["sleep", "300"], log=tmp_path / "log", pid_file=tmp_path / "a.pid")
    assert gone(orphan)
    assert (tmp_path / "a.pid").read_text() == str(process.pid)
    process.kill()


def test_a_number_that_another_process_has_by_now_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "a.pid").write_text(str(os.getpid()))
    assert end_left_over(tmp_path / "a.pid") is None
    assert end_left_over(tmp_path / "none.pid") is None
