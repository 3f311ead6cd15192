"""Gateway and sources on a real Kafka, against the sandbox; and looking at what they published."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ops.local.ports import free_port
from schemas.catalogue import Record
from schemas.facts import ObservedEffect, OrderSnapshot, ReturnEvent
from schemas.stock import StockItem
from tests.integration.sources.processes import (
    SECRETS,
    environment,
    records,
    start,
    stop,
    until,
    write_merchant,
)
from tests.integration.sources.sandbox import Sandbox

SHOP, DOMAIN = "shop-e", "demo.myshopify.com"
POOR, POOR_DOMAIN = "shop-poor", "poor.myshopify.com"
SOURCES = ("returngo", "shopify", "warehouse")
WITHIN_SECONDS = 120.0  # a killed worker takes its share of the quota with it for a minute


class Pipeline:
    """Running sources, each of which may be killed and started again."""

    def __init__(self, bootstrap: str, folder: Path, sandbox: Sandbox, gateway_port: int) -> None:
        self.bootstrap = bootstrap
        self.sandbox = sandbox
        self.gateway_url = f"http://127.0.0.1:{gateway_port}"
        self._env = environment(bootstrap, folder, RETURNFLOW_LEDGER_URL=f"sqlite:///{folder}/ledger.db",
                                RETURNFLOW_SESSION_TIMEOUT_SECONDS="6")  # fmt: skip
        self._gateway = start(["gateway", "--port", str(gateway_port)], self._env)
        self._sources = {name: self._source(name) for name in SOURCES}

    def _source(self, name: str) -> "subprocess.Popen[bytes]":
        return start(["source", name], self._env)

    def kill(self, name: str) -> None:
        """kill -9."""
        os.kill(self._sources[name].pid, signal.SIGKILL)
        self._sources[name].wait()

    def restart(self, name: str) -> None:
        """Another process in place of the killed one."""
        self._sources[name] = self._source(name)

    def stop(self) -> list[int]:
        """Exit statuses of all after SIGTERM."""
        return [stop(each) for each in [self._gateway, *self._sources.values()]]

    def all_of(self, topic: str) -> list[Record]:
        return records(self.bootstrap, topic)

    def events(self, rma_id: str) -> list[ReturnEvent]:
        """Facts of one RMA, in no particular order."""
        found = self.all_of("return-events")
        return [each for each in found if isinstance(each, ReturnEvent) and each.rma_id == rma_id]

    def kinds(self, rma_id: str) -> set[str]:
        return {each.kind for each in self.events(rma_id)}

    def reaches(self, rma_id: str, *kinds: str) -> None:
        """Waits until the RMA has facts of these kinds."""
        until(lambda: set(kinds) <= self.kinds(rma_id), WITHIN_SECONDS)

    def snapshot(self, order_id: str) -> OrderSnapshot:
        """Waits for the order; its newest version."""

        def found() -> list[OrderSnapshot]:
            listed = self.all_of("order-snapshots")
            return [each for each in listed if isinstance(each, OrderSnapshot) and each.order_id == order_id]

        versions: list[OrderSnapshot] = until(found, WITHIN_SECONDS)
        return max(versions, key=lambda each: each.version_ms)

    def item(self, sku: str) -> StockItem:
        """Waits for the SKU; its newest version."""

        def found() -> list[StockItem]:
            return [each for each in self.all_of("stock-items") if isinstance(each, StockItem) and each.sku == sku]

        versions: list[StockItem] = until(found, WITHIN_SECONDS)
        return max(versions, key=lambda each: each.version_ms)

    def effects(self, order_id: str) -> list[ObservedEffect]:
        """Effects seen on an order by now."""
        listed = self.all_of("observed-effects")
        return [each for each in listed if isinstance(each, ObservedEffect) and each.order_id == order_id]


@contextmanager
def running(bootstrap: str, folder: Path, sandbox: Sandbox) -> Iterator[Pipeline]:
    """The pipeline for two merchants: one with calls to spare, one with hardly any. It ends with status 0."""
    port = free_port()
    sandbox.shop(DOMAIN)
    sandbox.shop(POOR_DOMAIN, daily_limit=100, returngo_key=SECRETS["G_KEY_POOR"])
    gateway = f"http://127.0.0.1:{port}"
    write_merchant(folder, SHOP, base_url=sandbox.url, shop=DOMAIN, gateway=gateway)
    write_merchant(folder, POOR, base_url=sandbox.url, shop=POOR_DOMAIN, gateway=gateway, key="G_KEY_POOR",
                   daily_calls=100, reserve=80)  # fmt: skip
    pipeline = Pipeline(bootstrap, folder, sandbox, port)
    try:
        until(lambda: _subscribed(sandbox), WITHIN_SECONDS)
        yield pipeline
    finally:
        statuses = pipeline.stop()
    assert statuses == [0] * len(statuses)


def _subscribed(sandbox: Sandbox) -> bool:
    """Whether both sources have made their subscriptions for both merchants."""
    calls = sandbox.get("/calls?limit=500")
    made = [each for each in calls["calls"] if each["operation"] in ("POST /webhook", "webhookSubscriptionCreate")]
    return len(made) >= 2 * (7 + 16)
