"""One run in a data directory, and nothing of a sandbox mixed with what really happened."""

import os
import subprocess
from pathlib import Path

import msgspec
import pytest

from ops import data_directory
from ops.data_directory import Running, clean, held, running_in, tell, wrong
from ops.local.process import GuardedProcess
from schemas.startup import CannotStart
from tests.unit.ops.local.test_pid_file import gone

RUNNING = Running(pid=1, kafka="k:1", gateway="http://g", sandbox=None, merchants="/m")


def test_a_second_run_is_told_who_runs_there_in_one_line(tmp_path: Path) -> None:
    with held(tmp_path), pytest.raises(CannotStart) as told, held(tmp_path):
        pytest.fail("two runs in one directory")
    assert f"process {os.getpid()}" in str(told.value)
    assert str(told.value).count("\n") == 0
    with held(tmp_path):  # the first has ended
        tell(tmp_path, RUNNING)
        assert running_in(tmp_path) == RUNNING
    assert running_in(tmp_path) is None


def test_a_killed_run_is_not_taken_for_one_that_runs(tmp_path: Path) -> None:
    done = subprocess.Popen(["true"])
    done.wait()
    tell(tmp_path, msgspec.structs.replace(RUNNING, pid=done.pid))
    assert running_in(tmp_path) is None


def test_what_a_killed_run_left_running_is_ended(tmp_path: Path) -> None:
    (tmp_path / "log").mkdir()
    left = GuardedProcess(["sleep", "300"], log=tmp_path / "log" / "a.log", pid_file=tmp_path / "log" / "a.pid")
    tell(tmp_path, RUNNING)  # of the killed one
    with held(tmp_path):
        assert gone(left.pid)
        assert running_in(tmp_path) is None
    left.kill()


def test_a_directory_that_cannot_be_made_is_told_by_who_checks_it() -> None:
    with held(Path("/proc/nowhere")):
        assert not Path("/proc/nowhere").exists()


@pytest.mark.req("INV-1")
def test_a_sandbox_and_the_real_never_share_a_directory(tmp_path: Path) -> None:
    real, played, new = (tmp_path / name for name in ("real", "played", "new"))
    for each in (real, played):
        each.mkdir()
    (real / "ledger.db").write_text("what really happened")
    clean(played)
    assert wrong(real, sandbox=False) is wrong(played, sandbox=True) is wrong(new, sandbox=True) is None
    assert "ledger.db, which no sandbox made" in (wrong(real, sandbox=True) or "")
    assert "holds what a sandbox played" in (wrong(played, sandbox=False) or "")


def test_a_sandbox_starts_with_nothing_but_the_lock(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept").write_text("")
    here = tmp_path / "here"
    with held(here):
        assert not clean(here)
        (here / "kafka").mkdir()
        (here / "kafka" / "data").write_text("old")
        (here / "linked").symlink_to(outside)
        assert clean(here)
        assert {each.name for each in here.iterdir()} == {data_directory.LOCK, data_directory.MARK}
    assert (outside / "kept").exists()


def test_a_lock_goes_with_its_process(tmp_path: Path) -> None:
    """flock in a child that was killed: nothing stale is left."""
    code = f"from ops.data_directory import held; from pathlib import Path; held(Path({str(tmp_path)!r})).__enter__()"
    code += "; import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    subprocess.run([os.sys.executable, "-c", code], check=False)  # type: ignore[attr-defined]
    with held(tmp_path):
        pass
