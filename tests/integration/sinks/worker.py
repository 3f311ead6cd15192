"""A sink worker as a process of its own, with the toy system: `worker.py kafka ledger system url [freeze [batch]]`.

With a number for `freeze` it freezes itself, once, when so many effects have passed it and the next one is about to go
out: after the runtime's last look into the ledger, before the connection. `batch` is the merchants' window in seconds.
"""

import asyncio
import os
import signal
import sys

import httpx
from prometheus_client import CollectorRegistry

from schemas.codec import Codec
from sinks.parts import Environment
from sinks.settings import SinkSettings
from sinks.worker import run
from tests.unit.sinks.toy import Connection, Toy, merchant


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


async def work(bootstrap: str, ledger_url: str, system: str, url: str, freeze: str = "", batch: str = "0") -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    environment = Environment(
        system=Freezing(system, int(freeze)) if freeze else Toy(system),
        merchants={name: merchant(name, system, url, float(batch)) for name in ("shop", "other")},
        secret=lambda _: "good",
        bootstrap=bootstrap,
        ledger_url=ledger_url,
        codec=Codec(),
        session_seconds=6.0,
        settings=SinkSettings(
            request_seconds=1.0, claim_seconds=3.0, tick_seconds=0.2, shutdown_seconds=5.0, longest_wait_seconds=1.0
        ),
    )
    await run(environment, stop, CollectorRegistry())


if __name__ == "__main__":
    asyncio.run(work(*sys.argv[1:]))
