"""Every process on a Kafka with TLS, users and rights: each as a user of its own that may do what it needs, no more."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from ops.demo import shop
from ops.demo.client import Sandbox
from ops.demo.merchants import EXAMPLE_MERCHANT, open_merchant
from ops.demo.stage import EXAMPLE, merchant_file
from ops.demo.words import inspection
from ops.kafka import read
from ops.local.kafka import LocalKafka
from ops.local.ports import free_port
from ops.rights import rights
from ops.up import Addresses
from schemas.codec import Codec
from schemas.commands import CommandResult
from schemas.kafka import Brokers
from schemas.topics import COMMAND_RESULTS
from tests.integration.guarded import (
    ADMIN,
    KEY_PASSWORD,
    Files,
    grant,
    guarded_kafka,
    password_of,
    variables,
    write_files,
)

PROCESSES = ("gateway", "source returngo", "source shopify", "agent cases", "agent stock", "sink shopify")
WITHIN_SECONDS = 120.0
DOMAIN = f"{EXAMPLE_MERCHANT}.myshopify.com"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return write_files(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def kafka(files: Files) -> Iterator[LocalKafka]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ADMIN_PASSWORD", password_of(ADMIN))
        patch.setenv("KAFKA_KEY_PASSWORD", KEY_PASSWORD)
        with guarded_kafka(files, sorted({each.user for each in rights()})) as found:
            grant(found, rights())
            yield found


@pytest.fixture(scope="module")
def topics(kafka: LocalKafka, files: Files) -> str:
    """Created by the user that may do this and nothing else."""
    done = returnflow(files, kafka, "setup", "topics", "apply")
    assert done.returncode == 0, done.stderr
    return done.stdout


def returnflow(
    files: Files, kafka: LocalKafka, process: str, *arguments: str, **more: str
) -> "subprocess.CompletedProcess[str]":
    """A command to its end, as the user of a process."""
    user = f"returnflow-{process.replace(' ', '-')}"
    env = {**os.environ, **variables(kafka.bootstrap, files, user), **more}
    argv = [sys.executable, "-m", "ops.cli", *arguments]
    return subprocess.run(argv, env=env, capture_output=True, text=True, check=False, timeout=WITHIN_SECONDS)


class Running:
    """The processes, each with its own user, and the shop that they serve."""

    def __init__(self, kafka: LocalKafka, files: Files, folder: Path, stack: ExitStack) -> None:
        gateway, sandbox = free_port(), free_port()
        self._kafka, self._files, self._folder, self._stack = kafka, files, folder, stack
        self._gateway = gateway
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._start("sandbox", ["sandbox", "--port", str(sandbox)], {})
        self.sandbox = stack.enter_context(closing(Sandbox(sandbox)))
        until(lambda: answers(f"http://127.0.0.1:{sandbox}/_sandbox/clock"), self)
        text = merchant_file(
            EXAMPLE.read_text(), EXAMPLE_MERCHANT, Addresses(gateway_port=gateway, sandbox_port=sandbox)
        )
        (folder / "merchants").mkdir()
        order = {"name": "#1", "customer_id": 1001, "lines": [{"sku": "TEE-M", "quantity": 1}]}
        customer = {"id": 1001, "name": "Customer 1001", "email": "customer.1001@example.com"}
        opened = {"products": shop.PRODUCTS, "customers": [customer], "orders": [order]}
        self._secrets = open_merchant(folder / "merchants", self.sandbox, EXAMPLE_MERCHANT, text, {}, opened)

    def _start(self, name: str, arguments: list[str], env: Mapping[str, str]) -> None:
        log = (self._folder / f"{name.replace(' ', '-')}.log").open("wb")
        argv = [sys.executable, "-m", "ops.cli", *arguments]
        process = subprocess.Popen(argv, env={**os.environ, **env}, stdout=log, stderr=log)
        self._stack.callback(log.close)
        self._stack.callback(process.wait)
        self._stack.callback(process.kill)
        self._processes[name] = process

    def serve(self) -> None:
        """All processes at once; returns when each says that it serves."""
        ports: list[int] = []
        for name in PROCESSES:
            ports.append(free_port(besides=ports))
            own = {
                **variables(self._kafka.bootstrap, self._files, f"returnflow-{name.replace(' ', '-')}"),
                **self._secrets,
                "RETURNFLOW_MERCHANTS": str(self._folder / "merchants"),
                "RETURNFLOW_DATA_DIR": str(self._folder / "data"),
                "RETURNFLOW_LEDGER_URL": f"sqlite:///{self._folder}/ledger.db",
                "RETURNFLOW_METRICS_PORT": str(ports[-1]),
            }
            door = ["--port", str(self._gateway)] if name == "gateway" else []
            self._start(name, [*name.split(), *door], own)
        for port in ports:
            until(lambda port=port: answers(f"http://127.0.0.1:{port}/ready"), self)

    def said(self) -> str:
        """All logs."""
        logs = sorted(self._folder.glob("*.log"))
        return "\n".join(f"== {each.stem}\n{each.read_text()[-4000:]}" for each in logs)

    def ended(self) -> list[str]:
        return [name for name, each in self._processes.items() if each.poll() is not None]


@pytest.fixture
def running(kafka: LocalKafka, files: Files, topics: str, tmp_path: Path) -> Iterator[Running]:
    with ExitStack() as stack:
        yield Running(kafka, files, tmp_path, stack)


def answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=5).is_success
    except httpx.TransportError:
        return False


def until(look: Any, running: Running) -> Any:
    """The first truthy look; fails with what the processes said."""
    deadline = time.monotonic() + WITHIN_SECONDS
    while not (found := look()):
        assert running.ended() == [], running.said()
        assert time.monotonic() < deadline, running.said()
        time.sleep(0.2)
    return found


def results(cluster: Brokers) -> list[CommandResult]:
    codec = Codec()
    found = [codec.decode(seen.value) for seen in read(cluster, COMMAND_RESULTS) if seen.value is not None]
    return [each for each in found if isinstance(each, CommandResult)]


@pytest.mark.req("OPS-3")
def test_a_return_comes_through_with_a_user_for_each_process_and_no_right_too_many(
    kafka: LocalKafka, files: Files, running: Running
) -> None:
    running.serve()
    unit = {"sku": "TEE-M", "quantity": 1, "reason": "Does not fit", "resolution": "RefundToPaymentMethod"}
    rma = running.sandbox.request(DOMAIN, {"order": "#1", "units": [unit]})
    for step in ("approve", "receive"):
        running.sandbox.step(DOMAIN, rma, step, {})
    graded = inspection("sellable")
    running.sandbox.step(DOMAIN, rma, graded.step, graded.body)
    done = until(lambda: results(kafka.cluster), running)
    assert done[0].merchant == EXAMPLE_MERCHANT
    looked = returnflow(files, kafka, "look", "line", "why", rma)
    assert (looked.returncode, looked.stderr) == (0, "")
    behind = returnflow(files, kafka, "lag", "lag", "--json")
    assert {each["group"] for each in orjson.loads(behind.stdout)} >= {"returnflow-cases", "returnflow-sink-shopify"}
    secret = [*(password_of(f"returnflow-{each.replace(' ', '-')}") for each in PROCESSES), KEY_PASSWORD]
    assert [each for each in secret if each in running.said()] == []


def test_what_keeps_a_process_out_is_told_in_plain_words(
    kafka: LocalKafka, files: Files, topics: str, tmp_path: Path
) -> None:
    ways: list[tuple[str, dict[str, str], str]] = [
        ("agent cases", {"KAFKA_PASSWORD": "a-wrong-password"}, "refuses the user or its password"),
        ("agent cases", {"RETURNFLOW_KAFKA_CA_FILE": str(files.stranger)}, "a certificate that is not trusted"),
        ("agent cases", {"RETURNFLOW_KAFKA_CA_FILE": str(tmp_path / "none")}, "RETURNFLOW_KAFKA_CA_FILE: expected"),
        ("agent cases", {"KAFKA_KEY_PASSWORD": "a-wrong-key-password"}, "RETURNFLOW_KAFKA_CERTIFICATE_FILE and"),
        ("agent cases", {"KAFKA_PASSWORD": ""}, "secret env:KAFKA_PASSWORD: expected a value, found nothing"),
        ("agent stock", {"RETURNFLOW_KAFKA_SASL_USERNAME": "returnflow-gateway",
                         "KAFKA_PASSWORD": password_of("returnflow-gateway")}, "may see (rights: `return"),
    ]  # fmt: skip
    started = []
    for number, (process, different, _) in enumerate(ways):
        own = variables(kafka.bootstrap, files, f"returnflow-{process.replace(' ', '-')}")
        env = {**os.environ, **own, "RETURNFLOW_DATA_DIR": str(tmp_path / str(number)),
               "RETURNFLOW_MERCHANTS": str(EXAMPLE.parent), **different}  # fmt: skip
        argv = [sys.executable, "-m", "ops.cli", *process.split()]
        started.append(subprocess.Popen(argv, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True))
    for each, (process, different, told) in zip(started, ways, strict=True):
        said = each.communicate(timeout=WITHIN_SECONDS)[0]
        assert (each.returncode, told in said) == (2, True), (process, different, said)
        assert "Traceback" not in said
        assert not [secret for secret in different.values() if "password" in secret and secret in said]


def test_people_s_tools_say_it_too(kafka: LocalKafka, files: Files, topics: str) -> None:
    refused = returnflow(files, kafka, "look", "exceptions", "list", KAFKA_PASSWORD="a-wrong-password")
    assert refused.returncode == 2
    assert "refuses the user or its password" in refused.stderr
