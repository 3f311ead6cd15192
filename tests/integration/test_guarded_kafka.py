"""Every process on a Kafka with TLS, users and rights: each as a user of its own that may do what it needs, no more.

Some say who they are with a password, some with a token; each kind of client is among both.
"""

import os
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import orjson
import pytest

from ops.demo import shop
from ops.demo.client import Sandbox
from ops.demo.merchants import EXAMPLE_MERCHANT, open_merchant, secrets_of
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
from tests import processes
from tests.integration.guarded import (
    ADMIN,
    KEY_PASSWORD,
    Files,
    grant,
    guarded_kafka,
    password_of,
    variables,
    with_token,
    write_files,
)
from tests.integration.tokens import IdentityProvider, identity_provider
from tests.processes import Done, Process

PROCESSES = ("gateway", "source returngo", "source shopify", "agent cases", "agent stock", "sink shopify")
WITHIN_SECONDS = 120.0
WITH_TOKEN = ("gateway", "source shopify", "agent stock", "lag")
TOKEN_SECONDS = 10
DOMAIN = f"{EXAMPLE_MERCHANT}.myshopify.com"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return write_files(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def provider(files: Files) -> Iterator[IdentityProvider]:
    with identity_provider(password_of, TOKEN_SECONDS, files.server) as found:
        yield found


@pytest.fixture(scope="module")
def kafka(files: Files, provider: IdentityProvider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalKafka]:
    keys = tmp_path_factory.mktemp("keys") / "keys.json"
    keys.write_bytes(provider.keys())
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ADMIN_PASSWORD", password_of(ADMIN))
        patch.setenv("KAFKA_KEY_PASSWORD", KEY_PASSWORD)
        with guarded_kafka(files, sorted({each.user for each in rights()}), keys) as found:
            grant(found, rights())
            yield found


@pytest.fixture(scope="module")
def guarded(kafka: LocalKafka, files: Files, provider: IdentityProvider) -> "Guarded":
    return Guarded(kafka, files, provider)


class Guarded(NamedTuple):
    """The broker and who may come in."""

    kafka: LocalKafka
    files: Files
    provider: IdentityProvider

    def variables(self, process: str) -> dict[str, str]:
        """What a process is told: its own user, with a password or with a token."""
        told = variables(self.kafka.bootstrap, self.files, f"returnflow-{process.replace(' ', '-')}")
        return with_token(told, self.files, self.provider.url) if process in WITH_TOKEN else told

    def done(self, process: str, *arguments: str, **more: str) -> Done:
        """A command to its end, as the user of a process."""
        return processes.done("ops.cli", arguments, {**os.environ, **self.variables(process), **more}, WITHIN_SECONDS)


@pytest.fixture(scope="module")
def topics(guarded: Guarded) -> None:
    """Created by the user that may do this and nothing else."""
    made = guarded.done("setup", "topics", "apply")
    assert made.returncode == 0, made.stderr


class Running:
    """The processes, each with its own user, and the shop that they serve."""

    def __init__(self, guarded: Guarded, folder: Path, stack: ExitStack) -> None:
        gateway, sandbox = free_port(), free_port()
        self._guarded, self._folder, self._stack = guarded, folder, stack
        self.ports: dict[str, int] = {}
        self._gateway = gateway
        self._processes: dict[str, Process] = {}
        self._start("sandbox", ["sandbox", "--port", str(sandbox)], {})
        self.sandbox = stack.enter_context(closing(Sandbox(sandbox)))
        until(lambda: answers(f"http://127.0.0.1:{sandbox}/_sandbox/clock"), self)
        text = merchant_file(
            EXAMPLE.read_text(), EXAMPLE_MERCHANT, Addresses(gateway_port=gateway, sandbox_port=sandbox)
        )
        (folder / "merchants").mkdir()
        orders = [
            {"name": name, "customer_id": 1001, "lines": [{"sku": "TEE-M", "quantity": 1}]} for name in ("#1", "#2")
        ]
        customer = {"id": 1001, "name": "Customer 1001", "email": "customer.1001@example.com"}
        opened = {"products": shop.PRODUCTS, "customers": [customer], "orders": orders}
        self._secrets = open_merchant(folder / "merchants", self.sandbox, EXAMPLE_MERCHANT, text, {}, opened)

    def _start(self, name: str, arguments: list[str], env: Mapping[str, str]) -> None:
        log = self._folder / f"{name.replace(' ', '-')}.log"
        process = processes.start("ops.cli", arguments, {**os.environ, **env}, log)
        self._stack.callback(process.wait)
        self._stack.callback(process.kill)
        self._processes[name] = process

    def serve(self) -> None:
        """All processes at once; returns when each says that it serves."""
        for name in PROCESSES:
            self.ports[name] = free_port(besides=self.ports.values())
            own = {
                **self._guarded.variables(name),
                **self._secrets,
                "RETURNFLOW_MERCHANTS": str(self._folder / "merchants"),
                "RETURNFLOW_DATA_DIR": str(self._folder / "data"),
                "RETURNFLOW_LEDGER_URL": f"sqlite:///{self._folder}/ledger.db",
                "RETURNFLOW_METRICS_PORT": str(self.ports[name]),
            }
            door = ["--port", str(self._gateway)] if name == "gateway" else []
            self._start(name, [*name.split(), *door], own)
        for port in self.ports.values():
            until(lambda port=port: answers(f"http://127.0.0.1:{port}/ready"), self)

    def returned(self, order: str) -> str:
        """One piece comes back and is found sellable; the return."""
        unit = {"sku": "TEE-M", "quantity": 1, "reason": "Does not fit", "resolution": "RefundToPaymentMethod"}
        rma = self.sandbox.request(DOMAIN, {"order": order, "units": [unit]})
        for step in ("approve", "receive"):
            self.sandbox.step(DOMAIN, rma, step, {})
        graded = inspection("sellable")
        self.sandbox.step(DOMAIN, rma, graded.step, graded.body)
        return rma

    def ready(self, process: str) -> httpx.Response:
        """What it says."""
        return httpx.get(f"http://127.0.0.1:{self.ports[process]}/ready", timeout=15)

    def said(self) -> str:
        """All logs."""
        logs = sorted(self._folder.glob("*.log"))
        return "\n".join(f"== {each.stem}\n{each.read_text()[-4000:]}" for each in logs)

    def ended(self) -> list[str]:
        return [name for name, each in self._processes.items() if each.poll() is not None]


@pytest.fixture
def running(guarded: Guarded, topics: None, tmp_path: Path) -> Iterator[Running]:
    with ExitStack() as stack:
        yield Running(guarded, tmp_path, stack)


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
    guarded: Guarded, running: Running
) -> None:
    running.serve()
    rma = running.returned("#1")
    first = until(lambda: results(guarded.kafka.cluster), running)
    assert first[0].merchant == EXAMPLE_MERCHANT
    looked = guarded.done("look", "line", "why", rma)
    assert (looked.returncode, looked.stderr) == (0, "")
    behind = orjson.loads(guarded.done("lag", "lag", "--json").stdout)
    assert {each["group"] for each in behind} >= {"returnflow-cases", "returnflow-sink-shopify"}
    without_tokens(guarded.provider, running)
    running.returned("#2")
    orders = {each.order_id for each in first}
    until(lambda: {each.order_id for each in results(guarded.kafka.cluster)} > orders, running)
    secret = [*(password_of(f"returnflow-{each.replace(' ', '-')}") for each in PROCESSES), KEY_PASSWORD]
    shown = [*secret, *(token for _, token in guarded.provider.given)]
    assert [each for each in shown if each in running.said()] == []


def without_tokens(provider: IdentityProvider, running: Running) -> None:
    """Tokens are renewed while they count; who gets none says so until there are some again, and then goes on."""
    for process in ("gateway", "source shopify", "agent stock"):
        user = f"returnflow-{process.replace(' ', '-')}"
        until(lambda user=user: sum(client == user for client, _ in provider.given) >= 2, running)
        assert running.ready(process).status_code == 200
    provider.away = True
    for process in ("gateway", "source shopify", "agent stock"):
        until(lambda process=process: "token for Kafka" in running.ready(process).text, running)
    said = running.ready("gateway").text
    assert f"from {provider.url} for returnflow-gateway, got: HTTP 503" in said
    assert running.ready("source returngo").status_code == 200
    provider.away = False
    for process in ("gateway", "source shopify", "agent stock"):
        until(lambda process=process: running.ready(process).is_success, running)


def test_what_keeps_a_process_out_is_told_in_plain_words(guarded: Guarded, topics: None, tmp_path: Path) -> None:
    wrong = "a-wrong-password"
    ways: list[tuple[str, tuple[str, ...], dict[str, str], str]] = [
        ("agent cases", ("agent", "cases"), {"KAFKA_PASSWORD": wrong}, "refuses the user or its password"),
        ("agent cases", ("agent", "cases"), {"RETURNFLOW_KAFKA_CA_FILE": str(guarded.files.stranger)},
         "a certificate that is not trusted"),
        ("gateway", ("gateway", "--port", "0"), {"KAFKA_PASSWORD": wrong}, "got: HTTP 401 invalid_client"),
        ("sink shopify", ("sink", "shopify"), {"RETURNFLOW_KAFKA_SASL_USERNAME": "returnflow-gateway",
                       "KAFKA_PASSWORD": password_of("returnflow-gateway")}, "may see (rights: `return"),
        ("look", ("exceptions", "list"), {"KAFKA_PASSWORD": wrong}, "refuses the user or its password"),
    ]  # fmt: skip
    with ThreadPoolExecutor(len(ways)) as pool:
        ends = [
            pool.submit(
                guarded.done, process, *arguments, RETURNFLOW_DATA_DIR=str(tmp_path / str(number)),
                RETURNFLOW_LEDGER_URL=f"sqlite:///{tmp_path}/{number}.db", RETURNFLOW_MERCHANTS=str(EXAMPLE.parent),
                **secrets_of(EXAMPLE_MERCHANT), **different,
            )
            for number, (process, arguments, different, _) in enumerate(ways)
        ]  # fmt: skip
    for end, (process, _, different, told) in zip(ends, ways, strict=True):
        status, *printed = end.result()
        said = "".join(printed)
        assert (status, told in said) == (2, True), (process, different, said)
        assert "Traceback" not in said
        assert not [secret for secret in different.values() if "password" in secret and secret in said]
