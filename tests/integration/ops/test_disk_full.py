"""Disks that are full in earnest: told which one and what to do, a status that the runbooks know, nothing lost."""

import json
from pathlib import Path

import pytest

from tests.integration.ops.small_disk import FILL, on_small_disk, script

LEDGER = """
import asyncio, sys, threading, time
import structlog
from ops import logs
from schemas.settings import ProcessSettings
from sinks.ledger.ledger import Ledger
from sinks.ledger.tables import source_cursors
from sqlalchemy import insert, select, func

logs.configure(ProcessSettings(), "toy")
ledger = Ledger(f"sqlite:///{folder}/ledger.db")

def write(number):
    row = dict(merchant="m", system="s", name=f"n{number}", position="x" * 20_000, updated_at_ms=1)
    return lambda connection: connection.execute(insert(source_cursors), [row])

async def main():
    await ledger.run(write(0))
    ballast = fill(folder, leave=8192)
    threading.Timer(1.5, ballast.unlink).start()
    await asyncio.gather(*(ledger.run(write(n)) for n in range(1, 40)))
    return await ledger.run(lambda c: c.execute(select(func.count()).select_from(source_cursors)).scalar_one())

print(asyncio.run(main()))
ledger.close()
"""


def prelude(folder: Path) -> str:
    return f"{FILL}\nfolder = {str(folder)!r}\n"


@pytest.mark.req("OPS-4")
def test_a_ledger_without_room_waits_and_loses_nothing(tmp_path: Path) -> None:
    done = on_small_disk(tmp_path / "small", "4m", *script(prelude(tmp_path / "small") + LEDGER))
    assert (done.returncode, done.stdout) == (0, "40\n"), done.stderr
    lines = [json.loads(each) for each in done.stderr.splitlines()]
    (first, *_) = [each for each in lines if each["event"] == "disk_full"]
    assert f"the disk that holds {tmp_path / 'small' / 'ledger.db'} is full" in first["what"]
    assert "RETURNFLOW_LEDGER_URL" in first["what"]


def test_a_process_does_not_start_on_a_full_disk_and_says_which(tmp_path: Path) -> None:
    small = tmp_path / "small"
    text = f"""
fill(folder)
import sys
sys.argv = ["returnflow", "sink", "shopify", "--ledger", "sqlite:///{small}/ledger.db"]
sys.argv += ["--merchants", "merchants/examples"]
from ops.cli import main
main()
"""
    done = on_small_disk(small, "1m", *script(prelude(small) + text), env={"RETURNFLOW_KAFKA_BOOTSTRAP": "127.0.0.1:1"})
    line = json.loads(done.stderr.splitlines()[-1])
    assert (done.returncode, line["event"]) == (74, "cannot_start"), done.stderr
    assert f"the disk that holds {small / 'ledger.db'} is full (mounted at {small}" in line["reason"]


def test_what_rocksdb_says_of_a_full_disk_ends_an_agent_with_the_status_of_full_disks(tmp_path: Path) -> None:
    small = tmp_path / "small"
    text = """
import rocksdict
from schemas import disks
from streams.shell.agent import ends_process
from streams.shell.store import _Room

table = rocksdict.Rdict(f"{folder}/table", rocksdict.Options(raw_mode=True))
ballast = fill(folder)
with ends_process("settling", Path(folder)):
    for number in range(2_000):
        table[b"key-%d" % number] = b"x" * 4_000
"""
    done = on_small_disk(small, "8m", *script(prelude(small) + text))
    assert done.returncode == 74, done.stderr
    assert f"agent stopped: settling: the disk that holds {small} is full" in done.stderr
    again = (
        prelude(small)
        + "\nfill(folder)\n"
        + """
from streams.shell.store import _Room
import rocksdict
with _Room(Path(folder) / "table"):
    rocksdict.Rdict(f"{folder}/table", rocksdict.Options(raw_mode=True))
"""
    )
    done = on_small_disk(small, "1m", *script(again))
    assert (done.returncode, "opening its tables: the disk" in done.stderr) == (74, True), done.stderr


def test_a_log_on_a_full_disk_stops_nothing_and_tells_what_is_missing(tmp_path: Path) -> None:
    small = tmp_path / "small"
    text = """
os.dup2(os.open(f"{folder}/toy.log", os.O_WRONLY | os.O_APPEND | os.O_CREAT), 2)
import structlog
from ops import logs
from schemas.settings import ProcessSettings
logs.configure(ProcessSettings(), "toy")
log = structlog.get_logger()
log.info("before")
ballast = fill(folder)
for number in range(200):
    log.info("line", number=number, text="x" * 100)
ballast.unlink()
log.info("after")
print(Path(f"{folder}/toy.log").read_text())
"""
    done = on_small_disk(small, "1m", *script(prelude(small) + text))
    assert done.returncode == 0, done.stderr
    lines = done.stdout.strip().splitlines()
    events = [json.loads(each) for each in lines if each.endswith("}")]
    written = [each["number"] for each in events if each["event"] == "line"]
    (lost,) = [each["lines"] for each in events if each["event"] == "log_lines_lost"]
    assert written == list(range(len(written)))
    assert len(written) + lost == 200
    assert [events[0]["event"], events[-1]["event"]] == ["before", "after"]
