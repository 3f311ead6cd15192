"""Children are kept running, stopped in order, and never left behind."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ops.supervisor import Status, Supervisor
from schemas.startup import CannotStart

FOR_EVER = "import time\nwhile True: time.sleep(60)"
DEADLINE_SECONDS = 15.0


class Told:
    """What the supervisor said, in order."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def __call__(self, name: str, what: str) -> None:
        self.lines.append(f"{name} {what}")


def python(code: str) -> list[str]:
    return [sys.executable, "-S", "-c", textwrap.dedent(code)]


def eventually(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.02)


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def supervisor(tmp_path: Path, told: Told) -> Iterator[Supervisor]:
    with Supervisor(tmp_path, told) as running:
        yield running


def status(supervisor: Supervisor, name: str) -> Status:
    return next(each for each in supervisor.children() if each.name == name)


def test_a_killed_child_is_started_again_and_that_is_seen(supervisor: Supervisor, told: Told) -> None:
    supervisor.start("a", python(FOR_EVER))
    supervisor.wait_ready("a")
    first = supervisor.pid("a")
    supervisor.kill("a")
    eventually(lambda: status(supervisor, "a").restarts == 1)
    supervisor.wait_ready("a")
    assert supervisor.pid("a") not in (None, first)
    assert status(supervisor, "a").last_exit == -signal.SIGKILL
    assert any("ended by SIGKILL, starts again in 0.5 s" in line for line in told.lines)


def test_a_child_that_keeps_failing_is_given_longer_pauses(supervisor: Supervisor, told: Told) -> None:
    supervisor.start("a", python("raise SystemExit(3)"), ready=lambda: False)
    eventually(lambda: sum("exit status 3" in line for line in told.lines) == 2)
    pauses = [line.split(" in ")[1].split(" (")[0] for line in told.lines if "exit status 3" in line]
    assert pauses == ["0.5 s", "1 s"]


def test_a_child_that_cannot_start_says_why_in_its_own_words(supervisor: Supervisor) -> None:
    supervisor.start("a", python("import sys; print('noise'); sys.exit('expected X, got Y')"), ready=lambda: False)
    supervisor.start(
        "b", python("import sys; print('expected P, got Q', file=sys.stderr); sys.exit(2)"), ready=lambda: False
    )
    with pytest.raises(CannotStart, match="b cannot start: expected P, got Q"):
        supervisor.wait_ready("b")
    with pytest.raises(CannotStart, match="expected a to serve within 1 s") as late:
        supervisor.wait_ready("a", within_seconds=1)
    assert "expected X, got Y" in str(late.value)


def test_ready_is_what_the_probe_says(supervisor: Supervisor, tmp_path: Path) -> None:
    flag = tmp_path / "flag"
    supervisor.start("a", python(f"open({str(flag)!r}, 'w'); import time; time.sleep(60)"), ready=flag.exists)
    supervisor.wait_ready()
    assert flag.exists()
    assert status(supervisor, "a").state == "ready"


def test_a_child_has_its_own_environment_and_log(supervisor: Supervisor) -> None:
    supervisor.start("a", python("import os; print(os.environ['FOR_A'], flush=True)\n" + FOR_EVER), {"FOR_A": "hello"})
    log = status(supervisor, "a").log
    eventually(lambda: log.read_text() == "hello\n")


def test_a_paused_child_stays_and_goes_on_when_resumed(supervisor: Supervisor) -> None:
    supervisor.start("a", python(FOR_EVER))
    supervisor.wait_ready("a")
    pid = supervisor.pid("a")
    supervisor.pause("a")
    assert status(supervisor, "a").state == "paused"
    supervisor.resume("a")
    supervisor.wait_ready("a")
    assert supervisor.pid("a") == pid


def test_all_stop_in_reverse_order_also_stubborn_and_frozen_ones(tmp_path: Path, told: Told) -> None:
    stubborn = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); open({!r}, 'w')\n" + FOR_EVER
    flag = tmp_path / "flag"
    with Supervisor(tmp_path, told) as supervisor:
        supervisor.start("first", python(FOR_EVER))
        supervisor.start("stubborn", python(stubborn.format(str(flag))), ready=flag.exists)
        supervisor.start("frozen", python(FOR_EVER))
        supervisor.wait_ready()
        supervisor.pause("frozen")
        pids = [supervisor.pid(each.name) for each in supervisor.children()]
        supervisor.stop(within_seconds=1.5)
        ends = [line for line in told.lines if "stop" in line]
        assert ends == ["frozen stopped", "stubborn did not stop in time, killed", "first stopped"]
    assert all(pid is not None and gone(pid) for pid in pids)
    assert len([line for line in told.lines if "stop" in line]) == 3


def test_a_stopped_child_stays_stopped_until_it_is_started_anew(supervisor: Supervisor) -> None:
    supervisor.start("a", python(FOR_EVER))
    with pytest.raises(ValueError, match="expected a new name"):
        supervisor.start("a", python(FOR_EVER))
    supervisor.stop("a")
    assert (status(supervisor, "a").state, supervisor.pid("a")) == ("stopped", None)
    supervisor.start("a", python(FOR_EVER))
    supervisor.wait_ready("a")


def test_no_child_outlives_a_killed_supervisor(tmp_path: Path) -> None:
    script = f"""
        import sys, time
        from pathlib import Path
        from ops.supervisor import Supervisor
        supervisor = Supervisor(Path({str(tmp_path)!r}))
        supervisor.start("a", [sys.executable, "-c", "import time; time.sleep(600)"])
        print(supervisor.pid("a"), flush=True)
        time.sleep(600)
    """
    with subprocess.Popen([sys.executable, "-c", textwrap.dedent(script)], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert not gone(child)
        parent.kill()
    eventually(lambda: gone(child))
