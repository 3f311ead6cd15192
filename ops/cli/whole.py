"""Commands that run the whole pipeline: `demo`, `up`, `bench`."""

import sys
from typing import TYPE_CHECKING

import click

from ops.cli.faults import plain_faults
from ops.cli.settings import with_settings
from ops.cli.show import more

if TYPE_CHECKING:
    from schemas.settings import ProcessSettings


@click.command(epilog=more("up --sandbox", "up --kafka kafka.internal:9092 --merchants /etc/returnflow/merchants"))
@click.option(
    "--sandbox",
    is_flag=True,
    help="Play ReturnGO and the shop of every merchant file here; nothing leaves the machine.",
)
@click.option(
    "--kafka-port", default=9092, show_default=True, type=click.IntRange(1, 65535), help="Of a local Kafka of its own."
)
@click.option(
    "--gateway-port", default=8080, show_default=True, type=click.IntRange(1, 65535), help="Where webhooks come in."
)
@click.option("--sandbox-port", default=8900, show_default=True, type=click.IntRange(1, 65535), help="Of --sandbox.")
@click.option(
    "--metrics-from", default=9401, show_default=True, type=click.IntRange(1, 65000), help="First metrics port."
)
@click.option("--agents", default=1, show_default=True, type=click.IntRange(1, 16), help="Processes of each agent.")
@click.option("--sinks", default=1, show_default=True, type=click.IntRange(1, 16), help="Processes of each sink.")
@with_settings("kafka", "registry", "ledger", "merchants", "data-dir", "log-level")
def up(settings: "ProcessSettings", sandbox: bool, **listening: int) -> None:
    """Run everything until Ctrl-C: local Kafka (unless one is configured), topics, ledger, every process, lag exporter.

    Says first what is missing, all of it, and starts nothing then (exit status 2). Kafka, ledger, tables and logs lie
    in the data directory; each process writes <data-dir>/log/<name>.log, and one that ends is started again, with
    growing pauses. With --sandbox every start begins with nothing. Examples:

    \b
      returnflow up --sandbox
      returnflow up --sandbox --data-dir other --kafka-port 9192 --gateway-port 8180 --sandbox-port 8190
      returnflow up --agents 2 --sinks 3
      returnflow up --kafka broker:9092 --ledger postgresql://…
    """
    from ops.foreground import run
    from ops.up import Addresses

    with plain_faults(settings):
        sys.exit(run(settings, Addresses(**listening), with_sandbox=sandbox))


@click.command(epilog=more("demo", "demo --end", "demo --kafka 127.0.0.1:9092"))
@click.option("--stay/--end", default=None, help="Keep everything up afterwards, or end (default: stay on a terminal).")
@with_settings("kafka", "log-level")
def demo(settings: "ProcessSettings", stay: bool | None) -> None:
    """Play a shop's day of returns and compare what happened with what should have. Exit status 1 when they differ."""
    from ops import demo as scenario

    with plain_faults(settings):
        sys.exit(scenario.main(settings, stay=sys.stdout.isatty() if stay is None else stay))


@click.command(context_settings={"ignore_unknown_options": True}, epilog=more("bench"))
@click.argument("arguments", nargs=-1)
def bench(arguments: tuple[str, ...]) -> None:
    """Measure speed, as ratios within one run; ARGUMENTS go to the benches."""
    import subprocess

    sys.exit(subprocess.call([sys.executable, "-m", "ops.bench", *arguments]))
