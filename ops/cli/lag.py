"""`returnflow lag`: once as a table, or served to Prometheus."""

import sys
from typing import TYPE_CHECKING, NoReturn

import click

from ops.cli.faults import plain_faults
from ops.cli.layout import Column
from ops.cli.settings import with_settings
from ops.cli.show import as_json, more, on_terminal, print_json, say, table
from ops.when import lasting
from schemas.topics import GROUPS

if TYPE_CHECKING:
    from ops.lag import Lag
    from schemas.settings import ProcessSettings

COLUMNS = (
    Column("group", short=lambda text: text.removeprefix(f"{GROUPS}-")),
    Column("topic", only="pipe"),
    Column("partition", only="pipe"),
    Column("topic/partition", only="terminal"),
    Column("committed"),
    Column("end"),
    Column("records"),
    Column("seconds", only="pipe"),
    Column("age", only="terminal"),
    Column("parked"),
    Column("paused"),
)


@click.command(
    epilog=more(
        "lag", "lag --behind", "lag --group returnflow-sink --json", "lag --serve 9400 --every 15", columns=COLUMNS
    )
)
@click.option("--group", "prefix", default=GROUPS, show_default=True, help="Only groups whose name starts so.")
@click.option("--behind", is_flag=True, help="Only partitions with something left to read.")
@click.option("--serve", "port", type=click.IntRange(1, 65535), help="Serve Prometheus on this port until stopped.")
@click.option("--every", default=10.0, show_default=True, help="Seconds between two measurements when serving.")
@with_settings("kafka", "ledger", "log-level", "log-format")
@as_json
def lag(
    settings: "ProcessSettings", prefix: str, behind: bool, port: int | None, every: float, as_json: bool
) -> None:  # fmt: skip
    """How far each consumer group is behind: records, and the age of the first one not settled.

    `committed` is the next record to be settled, `end` the next one to be written; both count from 0, as Kafka does.
    What a sink has put aside is settled in Kafka and waits in the ledger: `parked`, with whose system is `paused`.
    JSON: a list of {group, topic, partition, committed, end, messages, seconds, parked, paused}; committed is null
    before the first commit, seconds is null while there is a record to read that does not say when it was written,
    paused lists merchants, "*" for every one.
    """
    from ops.kafka import admin
    from ops.lag import measure
    from schemas.clock import now_ms

    with plain_faults(settings):
        if port is not None:
            _serve(settings, port, every)
        found = _with_ledger(measure(admin(settings.kafka), settings.kafka, now_ms(), prefix), settings.ledger_url)
    shown = [each for each in found if each.messages or each.parked] if behind else found
    if as_json:
        print_json(shown)
        return
    if shown or not on_terminal():
        table(COLUMNS, [_row(each) for each in shown])
    for system, merchants in sorted({(e.topic.removesuffix("-commands"), e.paused) for e in found if e.paused}):
        say(f"paused: {system} for {', '.join(merchants)} (`returnflow sink status` says by whom and why)")
    groups = len({each.group for each in found})
    if not groups:
        say(f"No consumer group has a name that begins with {prefix!r}: has any process run on this Kafka?")
    elif not shown:
        say(f"Nothing is left to read: all {groups} groups are at the end.")


def _with_ledger(found: "list[Lag]", ledger_url: str) -> "list[Lag]":
    """Kafka's figures stand without the ledger: what it would add is missed aloud."""
    from sqlalchemy.exc import DBAPIError

    from ops.holding import with_ledger
    from schemas.startup import CannotStart

    try:
        return with_ledger(found, ledger_url)
    except (CannotStart, DBAPIError) as problem:
        said = str(problem).splitlines()[0]
        click.echo(f"what is put aside and paused is not known: {said}", err=True)
        return found


def _serve(settings: "ProcessSettings", port: int, every: float) -> NoReturn:
    from ops.lag_exporter import serve
    from ops.logs import configure

    configure(settings, "lag")
    sys.exit(serve(settings.kafka, settings.metrics_host, port, every))


def _row(each: "Lag") -> tuple[object, ...]:
    committed = "never" if each.committed is None else each.committed
    place = (each.topic, each.partition, f"{each.topic}/{each.partition}")
    aside = (each.parked or "", ", ".join(each.paused))
    return (each.group, *place, committed, each.end, each.messages, each.seconds, _age(each), *aside)


def _age(each: "Lag") -> str:
    if not each.messages:
        return ""
    return "unknown" if each.seconds is None else lasting(each.seconds)
