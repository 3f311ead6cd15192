"""Nobody's words are anywhere after a run of every process, and an erased customer leaves none of theirs behind."""

import base64
import hashlib
import hmac
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from standardwebhooks.webhooks import Webhook

from ops.kafka import admin, read
from ops.local.kafka import LocalKafka
from ops.local.ports import free_port
from tests.integration.sources.processes import SECRETS, environment, own_kafka, stop, until, write_merchant
from tests.integration.sources.sandbox import Sandbox, sandbox_process

SHOP, DOMAIN, OTHER = "shop-erased", "erased.myshopify.com", "900000001"
WORD = "zqPlanted"  # begins everything that a person wrote
CUSTOMER = 918273645
WITHIN_SECONDS = 120.0
LOCATION = """
[[locations]]
source = "returngo"
code = "11"
location_id = "11"
"""
PROCESSES = (
    ["source", "returngo"], ["source", "shopify"], ["source", "warehouse"], ["source", "carrier"], ["agent", "cases"],
    ["agent", "stock"], ["sink", "shopify"], ["sink", "returngo"],
)  # fmt: skip


@pytest.fixture(scope="module")
def broker() -> Iterator[LocalKafka]:
    """One that no other processes work on."""
    with own_kafka() as kafka:
        yield kafka


def word(place: str) -> str:
    return f"{WORD} {place} ann@example.com"


class Running:
    """Every process, each with a log of its own."""

    def __init__(self, bootstrap: str, folder: Path, sandbox: Sandbox) -> None:
        self.bootstrap, self.folder, self.sandbox = bootstrap, folder, sandbox
        self.ledger = folder / "ledger.db"
        people = [
            {"id": CUSTOMER, "name": word("name"), "email": f"{WORD}@example.com"},
            {"id": 1001, "name": "Somebody", "email": "somebody@example.com"},
        ]
        sandbox.shop(DOMAIN, customers=people)
        merchants = folder / "merchants"
        merchants.mkdir()
        write_merchant(merchants, SHOP, base_url=sandbox.url, shop=DOMAIN)
        path = merchants / f"{SHOP}.toml"
        path.write_text(path.read_text() + LOCATION)
        self.env = environment(
            bootstrap, merchants, RETURNFLOW_LEDGER_URL=f"sqlite:///{self.ledger}",
            RETURNFLOW_DATA_DIR=f"{folder}/data", RETURNFLOW_SESSION_TIMEOUT_SECONDS="6",
        )  # fmt: skip
        self.port, self.ports = free_port(), [free_port() for _ in range(len(PROCESSES) + 1)]
        commands = (["gateway", "--port", str(self.port)], *PROCESSES)
        self.processes = [self._start(each, port) for each, port in zip(commands, self.ports, strict=True)]
        until(lambda: self._up(), WITHIN_SECONDS)

    def _start(self, arguments: list[str], port: int) -> "subprocess.Popen[bytes]":
        argv = [sys.executable, "-m", "ops.cli", *arguments, "--metrics-port", str(port)]
        with (self.folder / f"{'-'.join(arguments[:2]).replace('--', '')}.log").open("wb") as log:
            return subprocess.Popen(argv, env=self.env, stdout=log, stderr=log)

    def _up(self) -> bool:
        try:
            return all(httpx.get(f"http://127.0.0.1:{port}/health").is_success for port in self.ports)
        except httpx.TransportError:
            return False

    def command(self, *arguments: str, status: int = 0) -> "subprocess.CompletedProcess[str]":
        argv = [sys.executable, "-m", "ops.cli", *arguments]
        done = subprocess.run(argv, env=self.env, capture_output=True, text=True, check=False)
        assert done.returncode == status, done.stdout + done.stderr
        return done

    def shopify(self, topic: str, body: object) -> None:
        raw = orjson.dumps(body)
        signed = base64.b64encode(hmac.new(SECRETS["G_NEW"].encode(), raw, hashlib.sha256).digest()).decode()
        headers = {"X-Shopify-Topic": topic, "X-Shopify-Hmac-Sha256": signed}
        self._taken(f"shopify/{SHOP}", raw, headers)

    def returngo(self, body: object) -> None:
        self._taken(f"returngo/{SHOP}/{SECRETS['G_TOKEN']}", orjson.dumps(body), {})

    def door(self, name: str, body: object) -> None:
        raw, now = orjson.dumps(body), datetime.now(UTC)
        signature = Webhook(SECRETS[f"G_{name.upper()}"]).sign("w1", now, raw.decode())
        headers = {"webhook-id": "w1", "webhook-timestamp": str(int(now.timestamp())), "webhook-signature": signature}
        self._taken(f"{name}/{SHOP}", raw, headers)

    def _taken(self, path: str, raw: bytes, headers: dict[str, str]) -> None:
        assert httpx.post(f"http://127.0.0.1:{self.port}/{path}", content=raw, headers=headers).status_code == 202

    def refunds(self) -> int:
        books = self.sandbox.get(f"/books?shop={DOMAIN}")
        return sum(len(each["refunds"]) for each in books["orders"].values())

    def exceptions(self) -> list[dict[str, Any]]:
        listed: list[dict[str, Any]] = orjson.loads(self.command("exceptions", "list", "--json").stdout)
        return [each["raised"] for each in listed]

    def places(self, what: str) -> set[str]:
        """Where these characters stand: topics, tables, logs, metrics, files."""
        raw = what.encode()
        there = admin(self.bootstrap).list_topics(timeout=10).topics
        found = {
            name for name in there if not name.startswith("__")
            for seen in read(self.bootstrap, name)
            if raw in (seen.value or b"") or raw in (seen.key or b"") or raw in repr(seen.headers).encode()
        }  # fmt: skip
        files = [each for each in self.folder.rglob("*") if each.is_file() and each.parent.name != "merchants"]
        found |= {str(each.relative_to(self.folder)) for each in files if raw in each.read_bytes()}
        return found | {f"metrics {port}" for port in self.ports if what in httpx.get(_metrics(port)).text}


def _metrics(port: int) -> str:
    return f"http://127.0.0.1:{port}/metrics"


@contextmanager
def running(bootstrap: str, folder: Path) -> Iterator[Running]:
    with sandbox_process() as sandbox:
        made = Running(bootstrap, folder, sandbox)
        try:
            yield made
        finally:
            statuses = stop(*made.processes)
    assert statuses == [0] * len(statuses)


def comes_back(made: Running) -> tuple[str, str]:
    """Somebody's mug, with words wherever they can write some; the order and its return."""
    lines = [{"sku": "MUG", "quantity": 1}]
    said = {"name": "#E1", "customer_id": CUSTOMER, "lines": lines}
    order = str(made.sandbox.post(f"/shops/{DOMAIN}/orders", {"orders": [said]})["orders"]["#E1"]["id"])
    unit = {"sku": "MUG", "quantity": 1, "reason": word("reason"), "resolution": "RefundToPaymentMethod"}
    rma = made.sandbox.post(f"/returngo/{DOMAIN}/rmas", {"order": "#E1", "units": [unit]})
    for step in ("approve", "receive"):
        made.sandbox.step(DOMAIN, rma["rma_id"], step)
    graded = {"unit": rma["units"][0], "returned": True, "restockable": True, "location_id": 11}
    made.sandbox.step(DOMAIN, rma["rma_id"], "validate", units=[graded])
    return order, str(rma["rma_id"]).removeprefix("RMA")


def tells(made: Running, order: str, rma: str) -> None:
    """Webhooks of every door, with a person in every field that nobody asked for."""
    person = {"id": CUSTOMER, "email": word("email"), "first_name": word("first"), "phone": word("phone")}
    made.shopify("orders/updated", {"id": int(order), "note": word("note"), "email": word("mail"), "customer": person,
                                    "shipping_address": person, "note_attributes": [word("attribute")]})  # fmt: skip
    made.returngo({"eventName": "RMA_STATUS_UPDATED", "rmaId": rma, "status": "Received", "comment": word("comment"),
                   "customer": person})  # fmt: skip
    made.returngo({"eventName": word("event"), "rmaId": word("rma")})
    line = {"sku": "MUG", "quantity": 1, "grade": "sellable", "location": "11", "reason": word("stain"), "x": word("x")}
    made.door("warehouse", {"type": "receipt", "order": OTHER, "lines": [line], "note": word("note")})
    made.door("carrier", {"type": "tracking", "tracking_number": word("number"), "status": "picked_up", "order": OTHER,
                          "carrier": word("carrier"), "receiver": person})  # fmt: skip
    made.shopify("customers/redact", {"shop_id": 1, "shop_domain": DOMAIN, "customer": person,
                                      "orders_to_redact": [int(order)]})  # fmt: skip


@pytest.mark.req("OPS-10", "OPS-5", "INV-2")
def test_words_of_people_are_nowhere_and_an_erased_customer_leaves_nothing(broker: LocalKafka, tmp_path: Path) -> None:
    with running(broker.bootstrap, tmp_path) as made:
        order, rma = comes_back(made)
        tells(made, order, rma)
        until(lambda: made.refunds() == 1, WITHIN_SECONDS)
        until(lambda: any(each["type"] == "erasure_requested" for each in made.exceptions()), WITHIN_SECONDS)
        assert made.places(WORD) == set()
        assert "ledger.db" in {each.removesuffix("-wal") for each in made.places(str(CUSTOMER))}
        (asked,) = [each for each in made.exceptions() if each["type"] == "erasure_requested"]
        command = f"returnflow erase --merchant {SHOP} --order {order}"
        assert f"`{command}`" in asked["detail"]
        erased(made, command.split()[1:], order)


def erased(made: Running, command: list[str], order: str) -> None:
    until(lambda: _nothing_open(made, command), WITHIN_SECONDS)
    until(lambda: _read(made, command), WITHIN_SECONDS)
    told = made.command(*command)
    assert f"Erased of {SHOP}: orders {order}" in told.stderr
    assert {line.split("\t")[0] for line in told.stdout.splitlines()} == {"state", "removed", "stays"}
    assert made.places(str(CUSTOMER)) == set()
    assert not [each for each in made.exceptions() if each["type"] == "erasure_requested"]
    paid = made.refunds()
    with closing(sqlite3.connect(made.ledger)) as ledger:
        assert ledger.execute("SELECT count(*) FROM paid_units").fetchone()[0] >= 1
    # late webhooks, and the facts once more, as a replay would bring them: nothing comes back, nothing is paid again
    made.shopify("orders/updated", {"id": int(order), "customer": {"id": CUSTOMER}})
    again(made, order)
    until(lambda: _settled(made), WITHIN_SECONDS)
    assert made.places(str(CUSTOMER)) == set()
    assert made.refunds() == paid


def _nothing_open(made: Running, command: list[str]) -> bool:
    argv = [sys.executable, "-m", "ops.cli", *command, "--dry-run"]
    return subprocess.run(argv, env=made.env, capture_output=True, check=False).returncode == 0


def _read(made: Running, command: list[str]) -> bool:
    """Whether every webhook about them has been read: only then may it be deleted."""
    found = orjson.loads(made.command(*command, "--dry-run", "--json").stdout)
    return not any(each["why"] for each in found["removed"])


def again(made: Running, order: str) -> None:
    """Every fact of the order is written a second time."""
    from ops.producing import Outgoing, append

    mine = f"{SHOP}|{order}".encode()
    for topic in ("return-events", "order-snapshots", "observed-effects"):
        seen = [each for each in read(made.bootstrap, topic) if each.key == mine]
        append(made.bootstrap, [Outgoing(topic=topic, key=each.key, value=each.value) for each in seen], topic)


def _settled(made: Running) -> bool:
    listed = orjson.loads(made.command("lag", "--json").stdout)
    return not any(
        each["messages"] for each in listed if each["group"] in ("returnflow-cases", "returnflow-sink-shopify")
    )
