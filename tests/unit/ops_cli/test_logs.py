"""What a process logs, and how loud: run as processes, since logging is set up once for each."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import orjson
import pytest

from ops.log_output import Output

SCRIPT = """
import logging
from aiokafka import errors
from ops import logs
from schemas.settings import ProcessSettings

logs.configure(ProcessSettings(log_format="json"), "sink-toy")
logging.getLogger("{logger}").error("Request failed: %s", errors.{error}("group"))
"""


def level_of(logger: str, error: str) -> str:
    """How the one line of such an error is marked."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(logger=logger, error=error)], capture_output=True, check=True
    )
    line = orjson.loads(done.stderr)
    assert "Request failed" in line["event"]
    assert line["process"] == "sink-toy"
    return str(line["level"])


@pytest.mark.parametrize("error", ["GroupCoordinatorNotAvailableError", "RebalanceInProgressError"])
def test_what_every_start_and_rebalance_brings_is_no_error(error: str) -> None:
    assert level_of("aiokafka.consumer.group_coordinator", error) == "warning"


@pytest.mark.parametrize(
    ("logger", "error"),
    [
        ("aiokafka.consumer.group_coordinator", "KafkaConnectionError"),
        ("aiokafka.consumer.group_coordinator", "GroupAuthorizationFailedError"),
        ("elsewhere", "RebalanceInProgressError"),
    ],
)
def test_everything_else_stays_one(logger: str, error: str) -> None:
    assert level_of(logger, error) == "error"


PROCESS = Path(__file__).with_name("logging_process.py")
PRODUCTION = {**os.environ, "RETURNFLOW_LOG_FORMAT": "json", "PYTHONPATH": str(Path(__file__).parents[3])}


@pytest.mark.req("OPS-4")
def test_every_line_is_json_whoever_says_it_and_holds_no_message_of_a_fault() -> None:
    done = subprocess.run([sys.executable, "-W", "always", PROCESS], capture_output=True, check=False, env=PRODUCTION)
    lines = [orjson.loads(each) for each in done.stderr.splitlines()]
    assert {each["process"] for each in lines} == {"toy"}
    assert all(each["level"] and each["timestamp"] and each["event"] for each in lines)
    events = [each["event"] for each in lines]
    assert {"ours", "ours_caught", "uncaught", "uncaught_in_thread", "uncaught_in_callback"} <= set(events)
    assert {each["logger"] for each in lines if "logger" in each} == {
        "aiokafka", "faust.app", "mode.loop", "httpx", "alembic.runtime.migration", "sqlalchemy.engine",
        "uvicorn.error", "library", "py.warnings", "asyncio",
    }  # fmt: skip
    assert ("ours", "R7", "1001") in [(each["event"], each.get("rma_id"), each.get("order_id")) for each in lines]
    assert "Task exception was never retrieved" in events
    assert b"hunter2" not in done.stderr + done.stdout
    faults = {each["event"]: each["fault"] for each in lines if "fault" in each}
    assert faults["uncaught"] == "RuntimeError from OSError (No space left on device)"
    assert {each["of"]: each["times"] for each in lines if each["event"] == "repeated"} == {
        "waits": 4, "Unable connect to node 1 after 0 ms": 4,
    }  # fmt: skip
    assert done.returncode == 1


def test_a_log_without_room_stops_nothing() -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run([sys.executable, PROCESS, "--full"], stderr=full, check=False, env=PRODUCTION)
    assert done.returncode == 0


def test_lines_that_were_not_written_are_told_when_there_is_room(monkeypatch: pytest.MonkeyPatch) -> None:
    room, written = [0], list[bytes]()

    def write(_: int, data: bytes) -> int:
        taken = data[: room[0]]
        if not taken:
            raise OSError(errno.ENOSPC, "No space left on device")
        room[0] -= len(taken)
        written.append(taken)
        return len(taken)

    monkeypatch.setattr(os, "write", write)
    output = Output(None, 1, lambda lines, why: f"{lines} missing: {why}\n")
    room[0] = 3
    for text in ("torn\n", "gone\n"):
        output.write(text)
    room[0] = 1_000
    output.write("there\n")
    assert b"".join(written) == b"tor\n2 missing: No space left on device\nthere\n"


def test_a_log_file_is_turned_over_and_no_line_is_lost(tmp_path: Path) -> None:
    file = tmp_path / "toy.log"
    script = f"""
import os
from pathlib import Path
from ops.log_output import Output
output = Output(Path({str(file)!r}), 4_000, lambda *_: "")
for number in range(1_500):
    output.write(f"line {{number:06}}\\n")
    os.write(1 if number % 2 else 2, b"native %06d\\n" % number)
"""
    with file.open("ab") as log:
        subprocess.run([sys.executable, "-c", script], stdout=log, stderr=log, check=True, env=PRODUCTION)
    kept = sorted(tmp_path.iterdir())
    assert [each.name for each in kept] == ["toy.log", "toy.log.1", "toy.log.2", "toy.log.3"]
    assert all(each.stat().st_size < 10_000 for each in kept)
    lines = "".join(each.read_text() for each in [*reversed(kept[1:]), file]).splitlines()
    last = len(lines) // 2
    expected = [f"{what} {n:06}" for n in range(1_500 - last, 1_500) for what in ("line", "native")]
    assert lines[-len(expected) :] == expected
