"""The long-running processes: each command runs one until it is asked to stop."""

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from ops.cli.faults import plain_faults
from ops.cli.settings import with_settings
from ops.cli.show import more
from schemas.topics import AGENTS, SYSTEMS

if TYPE_CHECKING:
    from schemas.settings import ProcessSettings

OWN = ("kafka", "registry", "ledger", "merchants", "metrics-port", "log-level", "log-format")


def run(settings: "ProcessSettings", name: str, process: Callable[[], int]) -> None:
    from ops.logs import configure

    configure(settings, name if settings.instance == 1 else f"{name}-{settings.instance}")
    with plain_faults(settings):
        status = process()
    sys.exit(status)


@click.command(epilog=more("gateway", "gateway --host 0.0.0.0 --port 8080"))
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8080, show_default=True, type=click.IntRange(0, 65535), help="Port to listen on.")
@with_settings(*OWN)
def gateway(settings: "ProcessSettings", host: str, port: int) -> None:
    """Receive webhooks: check the signature, append to Kafka, answer 2xx once Kafka has it."""
    from streams.sources import gateway as process

    run(settings, "gateway", lambda: process.main(settings, host, port))


@click.command(epilog=more("source returngo", "source shopify --metrics-port 9405"))
@click.argument("system", type=click.Choice(SYSTEMS))
@with_settings(*OWN)
def source(settings: "ProcessSettings", system: str) -> None:
    """Read SYSTEM: its deliveries and, where webhooks may be lost, its changes; publish facts."""
    from streams.sources import worker as process

    run(settings, f"source-{system}", lambda: process.main(settings, system))


@click.command(epilog=more("agent cases", "agent stock --data-dir /var/lib/returnflow"))
@click.argument("name", metavar="AGENT", type=click.Choice(AGENTS))
@with_settings(*OWN, "data-dir")
def agent(settings: "ProcessSettings", name: str) -> None:
    """Decide: AGENT is `cases` (one row per order) or `stock` (one row per SKU)."""
    from streams import agents as process

    run(settings, f"agent-{name}", lambda: process.main(settings, name))
