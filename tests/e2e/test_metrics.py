"""What alerts, boards and runbooks ask for is what the processes of a running pipeline really export."""

import os
import subprocess
import sys

import httpx
import pytest
from prometheus_client import CollectorRegistry, generate_latest

from ops.demo.words import back, line
from ops.local.ports import free_port
from ops.standing import SupervisorTelemetry
from ops.up import environment
from tests.e2e.day import played
from tests.e2e.shops import Shop
from tests.e2e.world import CALM, World, until
from tests.promql import exported, missing


@pytest.mark.req("OPS-4")
@played
def test_every_series_and_label_that_anybody_asks_for_is_there(world: World) -> None:
    shop = Shop(world, CALM)
    sku = shop.goods()
    order = shop.sold(line(sku))
    order.asked(back(sku)).received().inspected("sellable")
    port = free_port()
    argv = [sys.executable, "-m", "ops.cli", "lag", "--serve", str(port), "--every", "1"]
    urls = [part.metrics_url for part in world.stage.parts] + [f"http://127.0.0.1:{port}/metrics"]
    with subprocess.Popen(argv, env={**os.environ, **environment(world.stage.settings)}) as exporter:
        try:
            order.ended()
            until(lambda: absent(urls, world), lambda found: not found)
        finally:
            exporter.terminate()


def absent(urls: list[str], world: World) -> list[str]:
    """What is asked for and not exported by any of them, nor by their supervisor."""
    supervisor = CollectorRegistry()
    supervisor.register(SupervisorTelemetry(world.stage.supervisor.children))
    pages = [generate_latest(supervisor).decode()]
    try:
        pages += [httpx.get(url, timeout=10.0).raise_for_status().text for url in urls]
    except httpx.TransportError as problem:  # a process that just begins, or was killed by a test beside this one
        return [str(problem)]
    return missing(exported(pages))
