"""A child that never outlives us, seen with plain small processes."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from ops.local.process import GuardedProcess

WAIT_SECONDS = 60
PARENT = """
import sys, time
from pathlib import Path
from ops.local.process import GuardedProcess
log, data = map(Path, sys.argv[1:])
print(GuardedProcess(["sleep", "300"], log=log, remove_with_us=[data]).pid, flush=True)
time.sleep(300)
"""


def wait_until_gone(pid: int) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        assert time.monotonic() < deadline, f"process {pid} still lives"
        time.sleep(0.02)


def sleeper(tmp_path: Path, data: Path) -> GuardedProcess:
    return GuardedProcess(["sleep", "300"], log=tmp_path / "log", remove_with_us=[data])


def test_a_killed_parent_takes_the_child_and_its_data_along(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    command = [sys.executable, "-c", PARENT, str(tmp_path / "log"), str(data)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        parent.kill()
    wait_until_gone(child)
    deadline = time.monotonic() + WAIT_SECONDS
    while data.exists():
        assert time.monotonic() < deadline, "the data of a dead parent is still there"
        time.sleep(0.02)


def test_stop_works_on_a_frozen_process_and_twice_and_keeps_the_data(tmp_path: Path) -> None:
    process = sleeper(tmp_path, tmp_path)
    process.pause()
    process.stop()
    process.stop()
    assert process.exit_status == -signal.SIGTERM
    assert tmp_path.exists()


def test_pause_freezes_and_resume_lets_run(tmp_path: Path) -> None:
    process = sleeper(tmp_path, tmp_path / "none")
    process.pause()
    assert os.WIFSTOPPED(os.waitpid(process.pid, os.WUNTRACED)[1])
    process.resume()
    assert os.WIFCONTINUED(os.waitpid(process.pid, os.WCONTINUED)[1])
    process.kill()
    assert process.exit_status == -signal.SIGKILL


def test_last_words_are_the_end_of_the_log(tmp_path: Path) -> None:
    process = GuardedProcess(["sh", "-c", "seq 100"], log=tmp_path / "log", remove_with_us=[])
    deadline = time.monotonic() + WAIT_SECONDS
    while process.exit_status is None:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.stop()
    assert process.last_words(lines=3) == "98\n99\n100"


def test_a_process_of_ours_is_told_of_its_log_and_anothers_is_turned_over(tmp_path: Path) -> None:
    log = tmp_path / "log"
    talks = "import os, time; print(os.environ['RETURNFLOW_LOG_FILE'], flush=True); time.sleep(300)"
    process = GuardedProcess([sys.executable, "-c", talks], log=log)
    try:
        deadline = time.monotonic() + WAIT_SECONDS
        while process.last_words() != str(log):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        process.turn_over(most_bytes=10_000)
        assert process.last_words() == str(log)
        process.turn_over(most_bytes=1)
        assert (process.last_words(), (tmp_path / "log.1").read_text()) == ("", f"{log}\n")
    finally:
        process.stop()
