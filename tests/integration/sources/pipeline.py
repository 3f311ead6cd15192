"""Gateway and sources on a real Kafka, against the sandbox; and looking at what they published."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ops.kafka import admin
from ops.lag import measure
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
from tests.processes import Process

SHOP, DOMAIN = "shop-e", "demo.myshopify.com"
POOR, POOR_DOMAIN = "shop-poor", "poor.myshopify.com"
QUIET, QUIET_DOMAIN = "shop-quiet", "quiet.myshopify.com"  # what its webhooks lose, no poll finds for an hour
SOURCES = ("returngo", "shopify", "warehouse")
WITHIN_SECONDS = 120.0  # a killed worker takes its share of the quota with it for a minute


class Pipeline:
    """Running sources, each of which may be killed and started again."""

    def __init__(self, bootstrap: str, folder: Path, sandbox: Sandbox, gateway_port: int) -> None:
        self.bootstrap = bootstrap
        self.folder = folder
        self.sandbox = sandbox
        self.gateway_url = f"http://127.0.0.1:{gateway_port}"
        self._env = environment(bootstrap, folder, RETURNFLOW_LEDGER_URL=f"sqlite:///{folder}/ledger.db",
                                RETURNFLOW_SESSION_TIMEOUT_SECONDS="6")  # fmt: skip
        self._gateway = start(["gateway", "--port", str(gateway_port)], self._env)
        self._sources = {name: self._source(name) for name in SOURCES}

    def _source(self, name: str) -> Process:
        return start(["source", name], self._env)

    def kill(self, name: str) -> None:
        """kill -9."""
        os.kill(self._sources[name].pid, signal.SIGKILL)
        self._sources[name].wait()

    def leave(self, name: str) -> None:
        """SIGTERM; the process has to end well."""
        assert stop(self._sources[name]) == [0]

    def restart(self, name: str) -> None:
        """Another process in place of the one that ended."""
        self._sources[name] = self._source(name)

    @contextmanager
    def second(self, name: str) -> Iterator[None]:
        """One more worker of a source, which joins now and leaves at the end."""
        process = self._source(name)
        try:
            until(lambda: self._workers(f"returnflow-source-{name}") == 2, WITHIN_SECONDS)
            yield
        finally:
            statuses = stop(process)
        assert statuses == [0]

    def _workers(self, group: str) -> int:
        """Members of a group that have their partitions."""
        asked = admin(self.bootstrap)  # its answers never come once it is collected
        described = asked.describe_consumer_groups([group])[group].result()
        return sum(bool(each.assignment.topic_partitions) for each in described.members)

    def behind(self, group: str) -> int:
        """Records of its topics that a group has not committed."""
        return sum(each.messages for each in measure(admin(self.bootstrap), self.bootstrap, 0, group))

    def stop(self) -> list[int]:
        """Exit statuses of all after SIGTERM."""
        return stop(self._gateway, *self._sources.values())

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
        """Waits for the item of the SKU; its newest version. Other shops of these tests have the same SKUs."""

        def found() -> list[StockItem]:
            items = (each for each in self.all_of("stock-items") if isinstance(each, StockItem))
            return [each for each in items if each.item_id and (each.merchant, each.sku) == (SHOP, sku)]

        versions: list[StockItem] = until(found, WITHIN_SECONDS)
        return max(versions, key=lambda each: each.version_ms)

    def effects(self, order_id: str) -> list[ObservedEffect]:
        """Effects seen on an order by now."""
        listed = self.all_of("observed-effects")
        return [each for each in listed if isinstance(each, ObservedEffect) and each.order_id == order_id]


@contextmanager
def running(bootstrap: str, folder: Path, sandbox: Sandbox) -> Iterator[Pipeline]:
    """The pipeline for three merchants: with calls to spare, with hardly any, without polls. It ends with status 0."""
    port = free_port()
    sandbox.shop(DOMAIN)
    sandbox.shop(QUIET_DOMAIN, returngo_key=SECRETS["G_KEY_QUIET"])
    sandbox.shop(POOR_DOMAIN, daily_limit=100, returngo_key=SECRETS["G_KEY_POOR"])
    gateway = f"http://127.0.0.1:{port}"
    write_merchant(folder, SHOP, base_url=sandbox.url, shop=DOMAIN, gateway=gateway)
    write_merchant(folder, POOR, base_url=sandbox.url, shop=POOR_DOMAIN, gateway=gateway, key="G_KEY_POOR",
                   daily_calls=100, reserve=80)  # fmt: skip
    write_merchant(folder, QUIET, base_url=sandbox.url, shop=QUIET_DOMAIN, gateway=gateway, key="G_KEY_QUIET",
                   poll_seconds=3600)  # fmt: skip
    pipeline = Pipeline(bootstrap, folder, sandbox, port)
    try:
        until(lambda: _subscribed(sandbox), WITHIN_SECONDS)
        yield pipeline
    finally:
        statuses = pipeline.stop()
    assert statuses == [0] * len(statuses)


def _subscribed(sandbox: Sandbox) -> bool:
    """Whether both sources have made their subscriptions for every merchant."""
    calls = sandbox.get("/calls?limit=500")
    made = [each for each in calls["calls"] if each["operation"] in ("POST /webhook", "webhookSubscriptionCreate")]
    return len(made) >= 3 * (7 + 16)
