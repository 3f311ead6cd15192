"""What a terminal is told once everything is up: where things are, and what to try first. Pure but for the command."""

import os
import shlex
import shutil
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from ops.up import Addresses
from schemas.merchant import Merchant
from schemas.settings import ProcessSettings

USUAL = ProcessSettings.model_fields


def words(
    settings: ProcessSettings, addresses: Addresses, merchants: Iterable[Merchant], *, sandbox: bool, metrics_to: int,
    rma: str = "10000001",
) -> list[str]:  # fmt: skip
    """One line each, none wider than it must be. `rma`: a return to look at."""
    metrics = f"http://127.0.0.1:{addresses.metrics_from}/metrics (to port {metrics_to})"
    return [
        f"  data      {settings.data_dir}",
        f"  Kafka     {settings.kafka_bootstrap}",
        f"  metrics   {metrics}",
        *([f"  sandbox   {addresses.sandbox_url}/_sandbox/books  (what really happened)"] if sandbox else ()),
        *(line for each in merchants for line in _webhooks(each, addresses.gateway_url)),
        "",
        "Try, in another terminal, in this folder:",
        *(f"  {line}" for line in commands(settings, sandbox=sandbox, rma=rma)),
    ]


def _webhooks(merchant: Merchant, gateway: str) -> list[str]:
    """Where each sender of a merchant sends to; ReturnGO's address ends with a secret, which is not shown."""
    doors = {"returngo": "/<webhook token>"}
    used = [name for name, system in merchant.systems if system is not None]
    return [f"  webhooks  {gateway}/{name}/{merchant.merchant}{doors.get(name, '')}" for name in used]


def commands(settings: ProcessSettings, *, sandbox: bool, rma: str) -> list[str]:
    """The first three, as they work when they are pasted."""
    kafka = _option("--kafka", settings.kafka_bootstrap, USUAL["kafka_bootstrap"].default)
    data = _option("--data-dir", str(settings.data_dir), str(USUAL["data_dir"].default))
    first = [*returnflow(), "sandbox", "return", *data] if sandbox else [*returnflow(), "merchants", "check"]
    second = follow(rma, settings.kafka_bootstrap) if sandbox else [*returnflow(), "lag", *kafka]
    return [shlex.join(each) for each in (first, second, [*returnflow(), "exceptions", "list", *kafka])]


def own_return(settings: ProcessSettings, merchant: str) -> str:
    """A return of a merchant in the sandbox that runs here."""
    data = _option("--data-dir", str(settings.data_dir), str(USUAL["data_dir"].default))
    return shlex.join([*returnflow(), "sandbox", "return", "--merchant", merchant, *data])


def follow(rma: str, kafka: str) -> list[str]:
    """How to see what becomes of a return."""
    return [*returnflow(), "line", "why", rma, *_option("--kafka", kafka, USUAL["kafka_bootstrap"].default)]


def returnflow() -> list[str]:
    """The command as this terminal finds it: by its name where it is on the PATH."""
    own = Path(sys.executable).with_name("returnflow")
    found = shutil.which("returnflow")
    if found and Path(found).resolve() == own.resolve():
        return ["returnflow"]
    near = Path(os.path.relpath(own))
    return [str(own if ".." in near.parts else near)] if own.exists() else [sys.executable, "-m", "ops.cli"]


def _option(name: str, value: str, usual: object) -> Sequence[str]:
    return () if value == usual else (name, value)
