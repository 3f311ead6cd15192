"""A person pauses a merchant's system while the real processes run: nothing of it goes out, not after a crash either,
and when it is resumed it happens once."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from ops.local.kafka import LocalKafka
from ops.local.ports import free_port
from tests.integration.sources.processes import environment, own_kafka, start, stop, until, write_merchant
from tests.integration.sources.sandbox import Sandbox, sandbox_process

SHOPS = {"shop-held": "held.myshopify.com", "shop-free": "free.myshopify.com"}
WITHIN_SECONDS = 90.0
LOCATION = """
[[locations]]
source = "returngo"
code = "11"
location_id = "11"
"""
READERS = (["source", "returngo"], ["source", "shopify"], ["agent", "cases"], ["agent", "stock"])


@pytest.fixture(scope="module")
def broker() -> Iterator[LocalKafka]:
    """One that no other processes work on."""
    with own_kafka() as kafka:
        yield kafka


class Running:
    """Two shops of one sandbox; the sink may be killed."""

    def __init__(self, bootstrap: str, folder: Path, sandbox: Sandbox, shops: dict[str, str]) -> None:
        self.sandbox = sandbox
        self.metrics = free_port()
        merchants = folder / "merchants"
        merchants.mkdir()
        self._shops = shops
        for name, domain in shops.items():
            sandbox.shop(domain)
            write_merchant(merchants, name, base_url=sandbox.url, shop=domain)
            path = merchants / f"{name}.toml"
            path.write_text(path.read_text() + LOCATION)
        self.env = environment(
            bootstrap, merchants, RETURNFLOW_LEDGER_URL=f"sqlite:///{folder}/ledger.db",
            RETURNFLOW_DATA_DIR=f"{folder}/data", RETURNFLOW_SESSION_TIMEOUT_SECONDS="6",
            RETURNFLOW_SINK_CLAIM_SECONDS="5",
        )  # fmt: skip
        self.readers = [start(arguments, self.env) for arguments in READERS]
        self.begin()

    def begin(self) -> None:
        self.sink = start(["sink", "shopify", "--metrics-port", str(self.metrics)], self.env)

    def kill(self) -> None:
        """kill -9."""
        os.kill(self.sink.pid, signal.SIGKILL)
        self.sink.wait()

    def command(self, *arguments: str, status: int = 0) -> "subprocess.CompletedProcess[str]":
        """A `returnflow` command, which must end so."""
        argv = [sys.executable, "-m", "ops.cli", *arguments]
        done = subprocess.run(argv, env=self.env, capture_output=True, text=True, check=False)
        assert done.returncode == status, done.stdout + done.stderr
        return done

    def json(self, *arguments: str) -> Any:
        return orjson.loads(self.command(*arguments, "--json").stdout)

    def comes_back(self, merchant: str, order: str) -> None:
        """A mug that was sold is returned and found sellable."""
        domain = self._shops[merchant]
        self.sandbox.order(domain, order, "MUG")
        made = self.sandbox.rma(domain, order)
        for step in ("approve", "receive"):
            self.sandbox.step(domain, made["rma_id"], step)
        unit = {"unit": made["units"][0], "returned": True, "restockable": True, "location_id": 11}
        self.sandbox.step(domain, made["rma_id"], "validate", units=[unit])

    def refunds(self, merchant: str) -> int:
        books = self.sandbox.get(f"/books?shop={self._shops[merchant]}")
        return sum(len(each["refunds"]) for each in books["orders"].values())

    def parked(self) -> int:
        """Commands of the held merchant that wait in the ledger."""
        return sum(each["commands"] for each in self.json("sink", "status") if each["merchant"] == "shop-held")

    def held_state(self, merchant: str = "shop-held") -> str:
        """The merchant's line of the metric, "" while there is none."""
        try:
            page = httpx.get(f"http://127.0.0.1:{self.metrics}/metrics").text
        except httpx.TransportError:
            return ""
        begins = f'returnflow_sink_held_state{{merchant="{merchant}",'
        return next((line for line in page.splitlines() if line.startswith(begins)), "")


@contextmanager
def running(bootstrap: str, folder: Path, shops: dict[str, str]) -> Iterator[Running]:
    """Each test has shops of its own: every sandbox begins with the same numbers, and topics remember."""
    with sandbox_process() as sandbox:
        made = Running(bootstrap, folder, sandbox, shops)
        try:
            yield made
        finally:
            statuses = stop(*made.readers, made.sink)
    assert statuses == [0] * len(statuses)


HELD = 'returnflow_sink_held_state{merchant="shop-held",system="shopify"} 1.0'
SCOPE = ("--system", "shopify", "--merchant", "shop-held")


@pytest.mark.req("OPS-3", "OPS-4", "INV-2")
def test_what_a_person_pauses_waits_through_a_crash_and_happens_once(broker: LocalKafka, tmp_path: Path) -> None:
    with running(broker.bootstrap, tmp_path, SHOPS) as made:
        refuses_what_is_not_there(made)
        made.command("sink", "pause", *SCOPE, "--why", "stock count", "--by", "ann")
        until(lambda: made.held_state() == HELD, WITHIN_SECONDS)
        made.comes_back("shop-held", "#H1")
        made.comes_back("shop-free", "#F1")
        until(lambda: made.refunds("shop-free") == 1 and made.parked() >= 2, WITHIN_SECONDS)
        shown_in_three_places(made)
        made.kill()
        made.begin()
        until(lambda: made.held_state() == HELD, WITHIN_SECONDS)
        made.comes_back("shop-free", "#F2")
        until(lambda: made.refunds("shop-free") == 2, WITHIN_SECONDS)
        assert made.refunds("shop-held") == 0
        assert made.command("sink", "resume", *SCOPE, "--by", "bob").stdout.startswith("resumed: shopify of shop-held")
        until(lambda: made.refunds("shop-held") == 1 and made.parked() == 0, WITHIN_SECONDS)
        until(lambda: made.held_state() == HELD.replace("1.0", "0.0"))
        assert [each["why_cleared"] for each in told(made, "--all")] == ["resumed by bob"]
        made.comes_back("shop-held", "#H2")
        until(lambda: made.refunds("shop-held") == 2, WITHIN_SECONDS)


def refuses_what_is_not_there(made: Running) -> None:
    nobody = made.command("sink", "pause", "--merchant", "nobody", "--why", "x", status=2).stderr
    assert "(shop-free, shop-held), got 'nobody'" in nobody
    assert "expected one of returngo, shopify" in made.command("sink", "pause", "--system", "ebay", "--why", "x",
                                                               status=2).stderr  # fmt: skip
    assert "got neither" in made.command("sink", "pause", "--why", "x", status=2).stderr
    assert "Nothing is paused by a person." in made.command("sink", "resume", *SCOPE, status=1).stderr
    assert made.command("sink", "status").stderr == "Nothing is paused.\n"


def shown_in_three_places(made: Running) -> None:
    """Metrics were seen before; exceptions and lag say it, and pausing again changes nothing."""
    assert "paused already" in made.command("sink", "pause", *SCOPE, "--why", "again", "--by", "bob").stdout
    (raised,) = told(made)
    assert raised["raised"]["detail"] == "shopify of shop-held is paused by ann: stock count"
    lag = [each for each in made.json("lag", "--group", "returnflow-sink-shopify") if each["parked"]]
    assert sum(each["parked"] for each in lag) == made.parked()
    assert {tuple(each["paused"]) for each in lag} == {("shop-held",)}
    assert "paused: shopify for shop-held" in made.command("lag").stderr
    other = made.command("sink", "resume", "--system", "shopify", status=1).stderr
    assert "`returnflow sink resume --system shopify --merchant shop-held`" in other


def told(made: Running, *more: str) -> list[Any]:
    """Of its own shop: the broker is shared."""
    found: list[Any] = made.json("exceptions", "list", "--type", "paused_by_a_person", *more)
    return [each for each in found if each["raised"]["merchant"] == "shop-held"]


@pytest.mark.req("OPS-3")
def test_a_merchant_whose_file_is_gone_can_still_be_paused(broker: LocalKafka, tmp_path: Path) -> None:
    shops = {"shop-gone": "gone.myshopify.com", "shop-stays": "stays.myshopify.com"}
    with running(broker.bootstrap, tmp_path, shops) as made:
        made.comes_back("shop-gone", "#G1")
        until(lambda: made.refunds("shop-gone") == 1, WITHIN_SECONDS)
        (tmp_path / "merchants" / "shop-gone.toml").unlink()
        paused = made.command("sink", "pause", "--merchant", "shop-gone", "--why", "left us").stdout
        assert paused.startswith("paused: every system of shop-gone.")
        until(lambda: made.held_state("shop-gone") == HELD.replace("shop-held", "shop-gone"))
