"""Malformed secrets in every place of a merchant file: no process tells them, whatever becomes of it."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from ops.local.kafka import LocalKafka
from ops.local.ports import free_port
from tests.integration.sources.processes import SECRETS, environment, raw_records, write_merchant
from tests.unit.schemas.test_secrets import MALFORMED

PLANTED = "s3cr"  # begins every malformed secret
PLACES = ("G_KEY", "G_TOKEN", "G_ACCESS", "G_NEW", "G_WAREHOUSE", "G_CARRIER")
RUNS_SECONDS = 4.0
PROCESSES = (
    ("gateway",), ("source", "returngo"), ("source", "shopify"), ("source", "warehouse"), ("sink", "shopify"),
    ("sink", "returngo"),
)  # fmt: skip


@pytest.mark.req("OPS-10")
def test_no_process_tells_a_malformed_secret(lone_broker: LocalKafka, tmp_path: Path) -> None:
    kinds = [kind for kind in MALFORMED if kind not in ("empty", "NUL")]
    secrets = {place: MALFORMED[kinds[at % len(kinds)]] for at, place in enumerate(PLACES)}
    merchants = tmp_path / "merchants"
    merchants.mkdir()
    write_merchant(merchants, "shop-s", base_url=f"http://127.0.0.1:{free_port()}")
    env = environment(lone_broker.bootstrap, merchants, **{**SECRETS, **secrets})
    env["RETURNFLOW_LEDGER_URL"] = f"sqlite:///{tmp_path}/ledger.db"
    told = [_run(command, env, tmp_path / f"{'-'.join(command)}.log") for command in PROCESSES]
    lines = [running.args for running in told]
    time.sleep(RUNS_SECONDS)
    for running in told:
        running.terminate()
        running.wait(20)
    written = {path.name: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert {name for name, content in written.items() if PLANTED.encode() in content} == set()
    assert not any(PLANTED in str(line) for line in lines)
    kept = [
        seen for topic in ("exceptions", "shopify-dead-letters") for seen in raw_records(lone_broker.bootstrap, topic)
    ]
    assert not any(PLANTED.encode() in (seen.value or b"") for seen in kept)


def test_the_ledger_is_for_its_owner_alone(lone_broker: LocalKafka, tmp_path: Path) -> None:
    env = environment(lone_broker.bootstrap, tmp_path, RETURNFLOW_LEDGER_URL=f"sqlite:///{tmp_path}/state/ledger.db")
    subprocess.run([sys.executable, "-m", "ops.cli", "ledger", "upgrade"], env=env, check=True, capture_output=True)
    made = [tmp_path / "state", *(tmp_path / "state").iterdir()]
    assert {oct(path.stat().st_mode & 0o077) for path in made} == {"0o0"}


def _run(command: tuple[str, ...], env: dict[str, str], log: Path) -> "subprocess.Popen[bytes]":
    arguments = [*command, *(["--port", str(free_port())] if command == ("gateway",) else [])]
    with log.open("wb") as out:
        return subprocess.Popen([sys.executable, "-m", "ops.cli", *arguments], env=env, stdout=out, stderr=out)
