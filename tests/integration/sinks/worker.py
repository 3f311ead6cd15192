"""A sink worker as a process of its own, with the toy system: `worker.py <kafka> <ledger> <system> <peer url>`."""

import asyncio
import signal
import sys

from prometheus_client import CollectorRegistry

from schemas.codec import Codec
from sinks.parts import Environment
from sinks.settings import SinkSettings
from sinks.worker import run
from tests.unit.sinks.toy import Toy, merchant


async def work(bootstrap: str, ledger_url: str, system: str, url: str) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    environment = Environment(
        system=Toy(system),
        merchants={name: merchant(name, system, url) for name in ("shop", "other")},
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
