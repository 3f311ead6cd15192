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

from ops.child import Child, Status
from ops.fitness import Ask, Heard, Patience
from ops.supervisor import Supervisor
from schemas.startup import CannotStart, DiskFull

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


def when(holds: Callable[[], bool]) -> Ask:
    """A child that lives, and serves while something holds."""
    return lambda: Heard() if holds() else Heard(serves="not so yet")


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
    supervisor.start("a", python("raise SystemExit(3)"), ask=when(lambda: False))
    eventually(lambda: sum("exit status 3" in line for line in told.lines) == 2)
    pauses = [line.split(" in ")[1].split(" (")[0] for line in told.lines if "exit status 3" in line]
    assert pauses == ["0.5 s", "1 s"]


def test_a_child_that_cannot_start_says_why_in_its_own_words(supervisor: Supervisor) -> None:
    supervisor.start("a", python("import sys; print('noise'); sys.exit('expected X, got Y')"), ask=when(lambda: False))
    supervisor.start(
        "b", python("import sys; print('expected P, got Q', file=sys.stderr); sys.exit(2)"), ask=when(lambda: False)
    )
    with pytest.raises(CannotStart, match="b cannot start: expected P, got Q"):
        supervisor.wait_ready("b")
    with pytest.raises(CannotStart, match="expected a to serve within 1 s") as late:
        supervisor.wait_ready("a", within_seconds=1)
    assert "expected X, got Y" in str(late.value)


def test_ready_is_what_the_probe_says(supervisor: Supervisor, tmp_path: Path) -> None:
    flag = tmp_path / "flag"
    supervisor.start("a", python(f"open({str(flag)!r}, 'w'); import time; time.sleep(60)"), ask=when(flag.exists))
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
        supervisor.start("stubborn", python(stubborn.format(str(flag))), ask=when(flag.exists))
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


QUICK = Patience(again=0.05, told=0.1, hangs=0.25, asks=2, ends=5.0, apart=0.0)
WAKES = """
import pathlib, signal, sys, time
alive = pathlib.Path(sys.argv[1])
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
while True:
    alive.write_text(str(time.time()))
    time.sleep(0.02)
"""


def beats(path: Path) -> Ask:
    """A child that lives while it writes."""

    def ask() -> Heard:
        silent = not path.exists() or time.time() - float(path.read_text() or 0) > 0.2
        return Heard(serves="silent", lives="silent") if silent else Heard()

    return ask


def test_a_frozen_child_is_seen_and_told_wakes_to_an_order_to_end_and_is_started_again(
    supervisor: Supervisor, told: Told, tmp_path: Path
) -> None:
    supervisor.start("a", [*python(WAKES), str(tmp_path / "beat")], ask=beats(tmp_path / "beat"), patience=QUICK)
    supervisor.wait_ready("a")
    first = supervisor.pid("a")
    assert first is not None
    os.kill(first, signal.SIGSTOP)
    eventually(lambda: status(supervisor, "a").restarts == 1)
    supervisor.wait_ready("a")
    assert told.lines[2:5] == [
        "a not ready: silent",
        "a hangs and is ended: silent",
        f"a ended with exit status 0, starts again in 0.5 s (log: {tmp_path / 'a.log'})",
    ]
    assert gone(first)


def test_one_that_hangs_and_does_not_end_is_killed(supervisor: Supervisor, tmp_path: Path) -> None:
    stubborn = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + FOR_EVER
    answer = [Heard()]
    patience = Patience(again=0.05, hangs=0.1, asks=2, ends=0.2, apart=0.0)
    supervisor.start("a", python(stubborn), ask=lambda: answer[0], patience=patience)
    supervisor.wait_ready("a")
    answer[0] = Heard(serves="mute", lives="mute")
    eventually(lambda: status(supervisor, "a").restarts == 1)
    assert status(supervisor, "a").last_exit == -signal.SIGKILL


def test_an_outage_of_what_all_wait_for_restarts_nobody_and_is_told_once(supervisor: Supervisor, told: Told) -> None:
    answer = [Heard()]
    for name in ("a", "b", "c"):
        supervisor.start(name, python(FOR_EVER), ask=lambda: answer[0], patience=QUICK)
    supervisor.wait_ready()
    answer[0] = Heard(serves="Kafka does not answer")
    eventually(lambda: all(each.state == "not ready" for each in supervisor.children()))
    time.sleep(0.6)  # more than twice as long as a hang would need
    assert [each.why for each in supervisor.children()] == ["Kafka does not answer"] * 3
    answer[0] = Heard()
    eventually(lambda: all(each.state == "ready" for each in supervisor.children()))
    assert {each.restarts for each in supervisor.children()} == {0}
    assert sorted(line for line in told.lines if "started" not in line) == sorted(
        f"{name} {what}" for name in "abc" for what in ("ready", "not ready: Kafka does not answer", "ready")
    )


def test_of_many_that_hang_at_once_one_after_the_other_is_restarted(supervisor: Supervisor) -> None:
    answer = [Heard()]
    patience = Patience(again=0.05, hangs=0.1, asks=2, apart=600.0)
    for name in ("a", "b"):
        supervisor.start(name, python(FOR_EVER), ask=lambda: answer[0], patience=patience)
    supervisor.wait_ready()
    answer[0] = Heard(serves="mute", lives="mute")
    eventually(lambda: any(each.restarts for each in supervisor.children()))
    time.sleep(0.5)
    assert sorted(each.restarts for each in supervisor.children()) == [0, 1]


def test_a_machine_without_room_for_a_process_is_told_and_tried_again(
    supervisor: Supervisor, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    supervisor.start("a", python(FOR_EVER))
    supervisor.start("b", python(FOR_EVER))
    supervisor.wait_ready()
    spawn, full = Child.spawn, [OSError(28, "No space left on device")]

    def crowded(child: Child) -> None:
        if full:
            raise full.pop()
        spawn(child)

    monkeypatch.setattr(Child, "spawn", crowded)
    supervisor.kill("a")
    supervisor.kill("b")
    eventually(lambda: [each.restarts for each in supervisor.children()] == [1, 1])
    assert sum("cannot be started (No space left on device), tried again in" in line for line in told.lines) == 1


def test_a_child_that_was_frozen_by_us_is_nobody_s_hang(supervisor: Supervisor, told: Told, tmp_path: Path) -> None:
    supervisor.start("a", [*python(WAKES), str(tmp_path / "beat")], ask=beats(tmp_path / "beat"), patience=QUICK)
    supervisor.wait_ready("a")
    supervisor.pause("a")
    time.sleep(0.6)
    supervisor.resume("a")
    supervisor.wait_ready("a")
    assert not any("hangs" in line for line in told.lines)


def test_a_full_disk_is_told_whether_a_process_of_ours_finds_it_or_another(supervisor: Supervisor, told: Told) -> None:
    line = '{"event": "cannot_start", "reason": "the disk that holds x is full"}'
    supervisor.start("ours", python(f"import sys; print({line!r}); sys.exit(74)"), ask=when(lambda: False))
    with pytest.raises(DiskFull, match="ours cannot start: the disk that holds x is full"):
        supervisor.wait_ready("ours")
    kafka = "print('java.io.IOException: No space left on device'); raise SystemExit(1)"
    supervisor.start("kafka", python(kafka), ask=when(lambda: False))
    eventually(lambda: any("is full (mounted at" in line for line in told.lines))


def test_the_log_of_a_child_that_does_not_do_so_itself_is_turned_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ops.supervisor.MOST_LOG_BYTES", 1_000)
    with Supervisor(tmp_path) as supervisor:
        supervisor.start("kafka", python("print('x' * 2_000, flush=True); import time; time.sleep(60)"))
        eventually((tmp_path / "kafka.log.1").exists)
        eventually(lambda: (tmp_path / "kafka.log").stat().st_size < 1_000)
