"""A sink worker as a process of its own: `worker.py kafka ledger system url [freeze [batch]]`.

A system whose name begins with `shop-` is Shopify, with the sandbox at `url`; any other is the toy system.
With a number for `freeze` it freezes itself, once, when so many effects have passed it and the next one is about to go
out: after the runtime's last look into the ledger, before the connection. `batch` is the merchants' window in seconds.
"""

import asyncio
import os
import signal
import sys
from typing import Any

import httpx
from prometheus_client import CollectorRegistry

from schemas.codec import Codec
from schemas.merchant import Merchant
from schemas.merchant_folder import MerchantFolder
from sinks.parts import Environment
from sinks.settings import SinkSettings
from sinks.systems.shopify import Shopify
from sinks.worker import run
from tests.unit.sinks.toy import Connection, Toy, ToySystems, merchant
from tests.unit.systems import givens
from tests.unit.systems.sandbox_shop import DOMAIN

REQUEST_SECONDS = {"toy": 1.0, "shop": 3.0}


class Freezing(Toy):
    """Stops its own process; whoever started it lets it go on."""

    def __init__(self, name: str, after: int) -> None:
        super().__init__(name)
        self.left = after

    def authorize(self, connection: Connection, request: httpx.Request) -> httpx.Request:
        if request.method == "POST":
            self.left -= 1
            if self.left == -1:
                os.kill(os.getpid(), signal.SIGSTOP)
        return super().authorize(connection, request)


class Shop(Shopify):
    """Shopify, with topics of its own."""

    def __init__(self, name: str) -> None:
        self.name = name


def shop_merchant(system: str, url: str) -> Merchant:
    """Whose shop is the sandbox's."""
    known = givens.MERCHANT.systems.shopify
    assert known is not None
    shopify = known.model_copy(update={"base_url": f"{url}/shopify/{DOMAIN}"})
    systems: Any = {"shopify": shopify, system.replace("-", "_"): shopify}
    return givens.MERCHANT.model_copy(update={"systems": ToySystems.model_construct(**systems)})


def toy(system: str, url: str, freeze: str, batch: str) -> dict[str, Any]:
    """The toy system and its merchants."""
    return {
        "system": Freezing(system, int(freeze)) if freeze else Toy(system),
        "folder": MerchantFolder.fixed({n: merchant(n, system, url, float(batch)) for n in ("shop", "other")}),
        "secret": lambda _: "good",
    }


def shop(system: str, url: str) -> dict[str, Any]:
    """Shopify and its one merchant."""
    found = shop_merchant(system, url)
    folder = MerchantFolder.fixed({found.merchant: found})
    return {"system": Shop(system), "folder": folder, "secret": givens.SECRETS.__getitem__}


async def work(bootstrap: str, ledger_url: str, system: str, url: str, freeze: str = "", batch: str = "0") -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    kind = system.partition("-")[0]
    environment = Environment(
        **(shop(system, url) if kind == "shop" else toy(system, url, freeze, batch)),
        bootstrap=bootstrap,
        ledger_url=ledger_url,
        codec=Codec(),
        session_seconds=6.0,
        settings=SinkSettings(
            request_seconds=REQUEST_SECONDS[kind],
            claim_seconds=3.0,
            tick_seconds=0.2,
            shutdown_seconds=5.0,
            longest_wait_seconds=1.0,
        ),
    )
    await run(environment, stop, CollectorRegistry())


if __name__ == "__main__":
    asyncio.run(work(*sys.argv[1:]))
