"""`returnflow lag`: once as a table, or served to Prometheus."""

import sys

import click

from ops.cli.faults import plain_faults
from ops.cli.settings import with_settings
from ops.cli.show import as_json, console, print_json, table
from ops.kafka import admin
from ops.lag import OURS, Lag, measure
from ops.lag_exporter import serve
from ops.logs import configure
from ops.when import lasting
from schemas.clock import now_ms
from schemas.settings import ProcessSettings


@click.command()
@click.option("--group", "prefix", default=OURS, show_default=True, help="Only groups whose name starts so.")
@click.option("--behind", is_flag=True, help="Only partitions with something left to read.")
@click.option("--serve", "port", type=click.IntRange(1, 65535), help="Serve Prometheus on this port until stopped.")
@click.option("--every", default=10.0, show_default=True, help="Seconds between two measurements when serving.")
@with_settings("kafka", "log-level", "log-format")
@as_json
def lag(
    settings: ProcessSettings, prefix: str, behind: bool, port: int | None, every: float, as_json: bool
) -> None:  # fmt: skip
    """How far each consumer group is behind: records, and the age of the first one not settled.

    JSON: a list of {group, topic, partition, committed, end, messages, seconds}; committed is null before the first
    commit, seconds is null while there is a record to read that does not say when it was written.
    """
    with plain_faults(settings):
        if port is not None:
            configure(settings, "lag")
            sys.exit(serve(settings.kafka, settings.metrics_host, port, every))
        found = measure(admin(settings.kafka), settings.kafka, now_ms(), prefix)
    shown = [each for each in found if each.messages] if behind else found
    if as_json:
        print_json(shown)
    elif shown:
        _print(shown)
    else:
        groups = len({each.group for each in found})
        click.echo(f"{groups} groups, nothing left to read." if groups else f"No group has a name with {prefix}….")


def _print(found: list[Lag]) -> None:
    rows = [
        (e.group, e.topic, e.partition, "never" if e.committed is None else e.committed, e.end, e.messages, _age(e))
        for e in found
    ]
    console().print(table(("group", "topic", "partition", "committed", "end", "records", "age"), rows))


def _age(each: Lag) -> str:
    if not each.messages:
        return ""
    return "unknown" if each.seconds is None else lasting(each.seconds)
