"""Real processes: mending a merchant's file releases what waited for it, and nobody's mistakes stop anybody else."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from ops.local.kafka import LocalKafka
from ops.local.ports import free_port
from schemas.exceptions import ExceptionCleared, ExceptionRaised
from schemas.journal import CaseStep
from schemas.stock import RestockIntent
from tests.integration.sources.processes import (
    SECRETS,
    environment,
    records,
    start,
    stop,
    until,
    write_merchant,
)
from tests.integration.sources.sandbox import Sandbox, sandbox_process

SHOP, DOMAIN = "shop-mended", "mended.myshopify.com"
WITHIN_SECONDS = 90.0
LOCATION = """
[[locations]]
source = "returngo"
code = "11"
location_id = "11"
"""
PROCESSES = (["source", "returngo"], ["source", "shopify"], ["agent", "cases"], ["agent", "stock"], ["sink", "shopify"])


class Merchants:
    """One who is sound but for a location, and three with a mistake each."""

    def __init__(self, folder: Path, sandbox: Sandbox) -> None:
        self.folder = folder
        self._sandbox = sandbox
        folder.mkdir()
        for name in (SHOP, "bad-file", "bad-secret", "bad-key"):
            self.write(name)
        self.spoil("bad-file", "currency", "curency")
        self.spoil("bad-secret", "env:G_ACCESS", f"file:{folder.parent}/access")
        self.spoil("bad-key", "env:G_KEY", "env:G_KEY_WRONG")

    def write(self, name: str, more: str = "") -> None:
        write_merchant(self.folder, name, base_url=self._sandbox.url, shop=DOMAIN, key="G_KEY_MENDED")
        path = self.folder / f"{name}.toml"
        path.write_text(path.read_text().replace("G_KEY_MENDED", "G_KEY") + more)

    def spoil(self, name: str, what: str, instead: str) -> None:
        path = self.folder / f"{name}.toml"
        path.write_text(path.read_text().replace(what, instead))


class Running:
    def __init__(self, bootstrap: str, merchants: Merchants) -> None:
        folder = merchants.folder.parent
        self.bootstrap = bootstrap
        env = environment(
            bootstrap, merchants.folder, RETURNFLOW_LEDGER_URL=f"sqlite:///{folder}/ledger.db",
            RETURNFLOW_DATA_DIR=f"{folder}/data", RETURNFLOW_SESSION_TIMEOUT_SECONDS="6", G_KEY_WRONG="rg-key-wrong",
            RETURNFLOW_SECRETS_DIR=str(folder),
        )  # fmt: skip
        self.port, self.metrics = free_port(), free_port()
        gateway = ["gateway", "--port", str(self.port), "--metrics-port", str(self.metrics)]
        self.processes = [start(arguments, env) for arguments in (gateway, *PROCESSES)]

    def troubles(self) -> dict[str, set[str]]:
        """By merchant, the subjects of what is misconfigured now, in the words of their details."""
        last: dict[str, ExceptionRaised | ExceptionCleared] = {}
        for each in records(self.bootstrap, "exceptions"):
            if isinstance(each, ExceptionRaised | ExceptionCleared) and each.type == "misconfigured":
                last[each.exception_id] = each
        found: dict[str, set[str]] = {}
        for each in last.values():
            if isinstance(each, ExceptionRaised):
                found.setdefault(each.merchant, set()).add(each.detail)
        return found

    def exceptions(self, merchant: str) -> set[str]:
        """Types that were raised."""
        found = records(self.bootstrap, "exceptions")
        return {each.type for each in found if isinstance(each, ExceptionRaised) and each.merchant == merchant}

    def count(self, kind: str, merchant: str) -> int:
        """How many exceptions of a kind were raised for a merchant, those that are one only once."""
        found = records(self.bootstrap, "exceptions")
        raised = [each for each in found if isinstance(each, ExceptionRaised) and each.type == kind]
        return len({each.exception_id for each in raised if each.merchant == merchant})

    def intents(self) -> list[RestockIntent]:
        found = records(self.bootstrap, "restock-intents")
        return [each for each in found if isinstance(each, RestockIntent) and each.merchant == SHOP]

    def told(self, what: str) -> list[CaseStep]:
        """Steps of the history that are about this."""
        steps = records(self.bootstrap, "case-journal")
        return [each for each in steps if isinstance(each, CaseStep) and (each.merchant, each.what) == (SHOP, what)]

    def returngo(self, merchant: str) -> int:
        """The gateway's answer to a webhook of this merchant."""
        url = f"http://127.0.0.1:{self.port}/returngo/{merchant}/{SECRETS['G_TOKEN']}"
        return httpx.post(url, json={"eventName": "RMA_UPDATED", "rmaId": "1"}).status_code

    def shown(self) -> str:
        """The gateway's metrics."""
        return httpx.get(f"http://127.0.0.1:{self.metrics}/metrics").text


@contextmanager
def running(bootstrap: str, merchants: Merchants) -> Iterator[Running]:
    made = Running(bootstrap, merchants)
    try:
        yield made
        assert [each.poll() for each in made.processes] == [None] * len(made.processes)
    finally:
        statuses = stop(*made.processes)
    assert statuses == [0] * len(made.processes)


def inspected_return(sandbox: Sandbox, order: str) -> None:
    """Goods that came back to a location which no file maps at first."""
    sandbox.order(DOMAIN, order, "MUG")
    made = sandbox.rma(DOMAIN, order)
    for step in ("approve", "receive"):
        sandbox.step(DOMAIN, made["rma_id"], step)
    unit = {"unit": made["units"][0], "returned": True, "restockable": True, "location_id": 11}
    sandbox.step(DOMAIN, made["rma_id"], "validate", units=[unit])


@pytest.mark.req("OPS-2", "EXC-6", "INV-2")
def test_mending_a_file_releases_what_waited_and_no_mistake_stops_another_merchant(
    lone_broker: LocalKafka, tmp_path: Path
) -> None:
    with sandbox_process() as sandbox:
        sandbox.shop(DOMAIN)
        merchants = Merchants(tmp_path / "merchants", sandbox)
        with running(lone_broker.bootstrap, merchants) as made:
            inspected_return(sandbox, "#M1")
            play(made, merchants, tmp_path)
            play_without(made, merchants, sandbox)


def play(made: Running, merchants: Merchants, folder: Path) -> None:
    until(lambda: "unmapped_location" in made.exceptions(SHOP), WITHIN_SECONDS)
    until(lambda: made.troubles().keys() >= {"bad-file", "bad-secret", "bad-key"}, WITHIN_SECONDS)
    troubles = made.troubles()
    assert SHOP not in troubles
    assert any("bad-file.toml: curency: there is no such key" in each for each in troubles["bad-file"])
    assert any("bad-secret.toml: systems.shopify.access_token: secret file:" in each for each in troubles["bad-secret"])
    assert any("systems.returngo.api_key" in each for each in troubles["bad-key"])
    assert (made.returngo(SHOP), made.returngo("bad-secret"), made.returngo("bad-file")) == (202, 202, 401)
    assert 'returnflow_merchant_misconfigured{merchant="bad-file",what="file"} 1.0' in made.shown()
    assert made.intents() == []

    merchants.write(SHOP, LOCATION)
    until(made.intents, WITHIN_SECONDS)
    (step,) = made.told("configuration")
    assert step.detail.startswith("judged by the configuration ")
    merchants.write("bad-file")
    merchants.write("bad-key")
    (folder / "access").write_text(SECRETS["G_ACCESS"])
    until(lambda: not made.troubles(), WITHIN_SECONDS)
    assert made.returngo("bad-file") == 202


def play_without(made: Running, merchants: Merchants, sandbox: Sandbox) -> None:
    """A file is gone, and comes back. Its neighbour, who reads the same shop, says how far the day is."""

    def unmapped() -> int:
        return made.count("unmapped_location", "bad-file")

    orders, before = len(made.intents()), unmapped()
    (merchants.folder / f"{SHOP}.toml").unlink()
    until(lambda: made.returngo(SHOP) == 401, WITHIN_SECONDS)
    assert any(f"the file of merchant {SHOP} is gone" in each for each in made.troubles()[SHOP])
    inspected_return(sandbox, "#M2")
    until(lambda: unmapped() > before, WITHIN_SECONDS)
    assert (len(made.intents()), made.returngo("bad-file")) == (orders, 202)
    merchants.write(SHOP, LOCATION)
    until(lambda: len(made.intents()) > orders, WITHIN_SECONDS)
    until(lambda: not made.troubles(), WITHIN_SECONDS)
    assert made.returngo(SHOP) == 202
