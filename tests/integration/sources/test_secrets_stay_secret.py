"""Malformed secrets in every place of a merchant file: no process tells them, whatever becomes of it."""

import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from ops.local.kafka import LocalKafka
from ops.local.ports import free_port
from tests.integration.sources.processes import SECRETS, environment, raw_records, stop, until, write_merchant
from tests.unit.schemas.test_secrets import MALFORMED

PLANTED = "s3cr"  # begins every malformed secret
KINDS = [kind for kind in MALFORMED if kind not in ("empty", "NUL")]  # those that a variable can hold
PLACES = ("KEY", "TOKEN", "ACCESS", "NEW", "WAREHOUSE", "CARRIER")
WITHIN_SECONDS = 90.0
RUNS_SECONDS = 2.0  # of what goes on all the same: its first rounds
PROCESSES = (
    ("gateway",), ("source", "returngo"), ("source", "shopify"), ("source", "warehouse"), ("sink", "shopify"),
    ("sink", "returngo"),
)  # fmt: skip


class Running:
    """A process with a log and metrics of its own."""

    def __init__(self, command: tuple[str, ...], env: dict[str, str], folder: Path) -> None:
        port, self._metrics = free_port(), free_port()
        arguments = [*command, *(["--port", str(port)] if command == ("gateway",) else [])]
        argv = [sys.executable, "-m", "ops.cli", *arguments, "--metrics-port", str(self._metrics)]
        with (folder / f"{'-'.join(command)}.log").open("wb") as out:
            self.process = subprocess.Popen(argv, env=env, stdout=out, stderr=out)

    def shown(self) -> str | None:
        """Its metrics and its line in the list of processes; nothing of one that has ended, None while it starts."""
        if self.process.poll() is not None:
            return "ended"
        try:
            page = httpx.get(f"http://127.0.0.1:{self._metrics}/metrics", timeout=10).text
        except httpx.TransportError:
            return None
        return page + Path(f"/proc/{self.process.pid}/cmdline").read_text()


def merchants(folder: Path) -> dict[str, str]:
    """One for each kind, so that each kind is in each place; the variables with their secrets."""
    found: dict[str, str] = {}
    url = f"http://127.0.0.1:{free_port()}"
    for number, _ in enumerate(KINDS):
        name = f"shop-{number}"
        write_merchant(folder, name, base_url=url, shop=f"s{number}.myshopify.com")
        path = folder / f"{name}.toml"
        path.write_text(path.read_text().replace("env:G_", f"env:S{number}_"))
        found |= {f"S{number}_{place.removeprefix('G_')}": value for place, value in SECRETS.items()}
        found |= {f"S{number}_{place}": MALFORMED[KINDS[(number + at) % len(KINDS)]] for at, place in enumerate(PLACES)}
    return found


@pytest.mark.req("OPS-10")
def test_no_process_tells_a_malformed_secret(lone_broker: LocalKafka, tmp_path: Path) -> None:
    folder = tmp_path / "merchants"
    folder.mkdir()
    env = environment(lone_broker.bootstrap, folder, **merchants(folder))
    env["RETURNFLOW_LEDGER_URL"] = f"sqlite:///{tmp_path}/ledger.db"
    all_running = [Running(command, env, tmp_path) for command in PROCESSES]
    try:
        shown = [until(running.shown, WITHIN_SECONDS) for running in all_running]
        time.sleep(RUNS_SECONDS)
        shown += [running.shown() or "" for running in all_running]
    finally:
        stop(*(running.process for running in all_running))
    written = {path.name: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert {name for name, content in written.items() if PLANTED.encode() in content} == set()
    assert not any(PLANTED in text for text in shown)
    topics = ("exceptions", "shopify-dead-letters")
    kept = [seen for topic in topics for seen in raw_records(lone_broker.bootstrap, topic)]
    assert not any(PLANTED.encode() in (seen.value or b"") for seen in kept)


def test_the_ledger_is_for_its_owner_alone(lone_broker: LocalKafka, tmp_path: Path) -> None:
    env = environment(lone_broker.bootstrap, tmp_path, RETURNFLOW_LEDGER_URL=f"sqlite:///{tmp_path}/state/ledger.db")
    subprocess.run([sys.executable, "-m", "ops.cli", "ledger", "upgrade"], env=env, check=True, capture_output=True)
    made = [tmp_path / "state", *(tmp_path / "state").iterdir()]
    assert {oct(path.stat().st_mode & 0o077) for path in made} == {"0o0"}
