"""Webhooks per second through the gateway on one core, and how long one takes at half of what it must bear.

Starts a gateway process and a load generator process; every webhook is signed, verified and acknowledged by Kafka.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import httpx

from ops.bench.figure import Figure, Kafka
from ops.bench.webhook_load import MERCHANT
from ops.kafka import admin
from ops.local.failures import LocalServiceError
from ops.local.ports import free_port
from ops.topics import apply

MUST_BEAR = 1_000
CONNECTIONS = 32
SECONDS = 8
START_WITHIN_SECONDS = 30
_SECRET = "only-for-this-bench"  # noqa: S105  signs invented webhooks
_FILE = f"""
merchant = "{MERCHANT}"
time_zone = "UTC"
currency = "EUR"
[systems.shopify]
base_url = "http://127.0.0.1:9/shopify"
shop = "bench"
access_token = "env:BENCH_SECRET"
webhook_secrets = ["env:BENCH_SECRET"]
gift_card_secret = "env:BENCH_SECRET"
"""


def run(kafka: Kafka) -> Sequence[Figure]:
    """Throughput with as many senders as it likes, then latency at a steady rate."""
    bootstrap, port, own = kafka(), free_port(), free_port()
    apply(admin(bootstrap), replication=None)
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, f"{MERCHANT}.toml").write_text(_FILE)
        gateway = _start(bootstrap, folder, port, own)
        try:
            _wait(gateway, own)
            most, steady = _load(port, 0), _load(port, MUST_BEAR // 2)
        finally:
            gateway.terminate()
            gateway.wait(15)
    return [
        Figure(name="webhooks per second, one core", value=f"{most['per_second']:,.0f}", target=f">= {MUST_BEAR:,}"),
        Figure(name="p99 at that rate", value=f"{most['p99_ms']:.0f} ms"),
        Figure(name=f"p50 at {MUST_BEAR // 2}/s", value=f"{steady['p50_ms']:.1f} ms"),
        Figure(name=f"p99 at {MUST_BEAR // 2}/s", value=f"{steady['p99_ms']:.1f} ms", target="< 100 ms"),
        Figure(name="not answered 202", value=f"{most['refused'] + steady['refused']:.0f}", target="0"),
    ]


def _start(bootstrap: str, folder: str, port: int, own: int) -> "subprocess.Popen[bytes]":
    env = {
        **os.environ, "RETURNFLOW_KAFKA_BOOTSTRAP": bootstrap, "RETURNFLOW_MERCHANTS": folder, "BENCH_SECRET": _SECRET,
        "RETURNFLOW_LOG_LEVEL": "error",
    }  # fmt: skip
    command = [sys.executable, "-m", "ops.cli", "gateway", "--port", str(port), "--metrics-port", str(own)]
    gateway = subprocess.Popen(command, env=env)
    if hasattr(os, "sched_setaffinity"):  # elsewhere the figure is that of a process, whose Python is one thread
        os.sched_setaffinity(gateway.pid, {min(os.sched_getaffinity(0))})
    return gateway


def _wait(gateway: "subprocess.Popen[bytes]", own: int) -> None:
    deadline = time.monotonic() + START_WITHIN_SECONDS
    while time.monotonic() < deadline:
        if gateway.poll() is not None:
            break
        try:
            httpx.get(f"http://127.0.0.1:{own}/ready").raise_for_status()
        except httpx.HTTPError:
            time.sleep(0.1)
        else:
            return
    raise LocalServiceError(f"Expected the gateway to serve on port {own}, but it ended or did not answer.")


def _load(port: int, rate: int) -> dict[str, float]:
    command = [sys.executable, "-m", "ops.bench.webhook_load", *map(str, (port, _SECRET, CONNECTIONS, SECONDS, rate))]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    figures: dict[str, float] = json.loads(done.stdout)
    return figures
