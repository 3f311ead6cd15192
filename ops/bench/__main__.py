"""`python -m ops.bench [NAME …]`: run the benches named, or all. A new bench is one file here and one line below."""

import functools
import sys
from contextlib import ExitStack

import click
from rich.console import Console
from rich.table import Table

from ops.bench import decide, gateway, growth, latency, recovery, sink, throughput
from ops.bench.figure import Bench
from ops.local.failures import LocalServiceError
from ops.local.kafka import kafka_from_environment

BENCHES: dict[str, Bench] = {
    "decide": Bench("the decisions alone, with their row's codec: µs per fact, bytes per row", decide.run),
    "growth": Bench("one decision on large cases of every shape: ms at two sizes", growth.run),
    "shell": Bench("facts/s of the Faust shell beside a bare loop and Quix Streams, same core", throughput.run),
    "latency": Bench("fact produced → output readable, through the shell at 2 500 facts/s", latency.run),
    "gateway": Bench("signed webhooks through the gateway on one core", gateway.run),
    "sink": Bench("commands through a sink worker to a system that answers in 50 ms", sink.run),
    "recovery": Bench("rows per second that a worker with an empty disk takes from its changelog", recovery.run),
}


@click.command(help="Run benches: " + "; ".join(f"{name}: {bench.about}" for name, bench in BENCHES.items()))
@click.argument("names", nargs=-1, type=click.Choice(list(BENCHES)))
def main(names: tuple[str, ...]) -> None:
    console = Console()
    with ExitStack() as stack:
        kafka = functools.cache(lambda: stack.enter_context(kafka_from_environment(measured=True)))
        for name in names or BENCHES:
            console.print(f"[bold]{name}[/]: {BENCHES[name].about}")
            table = Table(box=None, padding=(0, 2, 0, 0))
            for column in ("figure", "measured", "target"):
                table.add_column(column)
            for figure in BENCHES[name].run(kafka):
                table.add_row(figure.name, figure.value, figure.target)
            console.print(table)


if __name__ == "__main__":
    try:
        main()
    except LocalServiceError as problem:
        sys.exit(str(problem))
