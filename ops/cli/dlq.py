"""`returnflow dlq`: dead letters, listed and shown."""

import sys
import time
from typing import TYPE_CHECKING

import click

from ops.cli.faults import plain_faults
from ops.cli.layout import Column
from ops.cli.settings import codec_of, with_settings
from ops.cli.show import as_json, describe, heading, more, on_terminal, print_json, say, table
from ops.when import at, since
from schemas.topics import CATALOGUE, DEAD_LETTERS

if TYPE_CHECKING:
    from ops.deadletters import Content, DeadLetter
    from schemas.settings import ProcessSettings

COLUMNS = (
    Column("topic", only="pipe"),
    Column("partition", only="pipe"),
    Column("offset", only="pipe"),
    Column("dead letter", only="terminal"),
    Column("time", short=lambda text: text[5:16]),
    Column("reason"),
    Column("tries"),
    Column("from", only="pipe"),
    Column("error", long=True),
)


@click.group(epilog=more("dlq list", "dlq show cases-dead-letters 0 12"))
def dlq() -> None:
    """Dead letters: what was set aside and why."""


_LISTED = more("dlq list", "dlq list --since 12h", "dlq list --topic cases-dead-letters", columns=COLUMNS)


@dlq.command("list", epilog=_LISTED)
@click.option(
    "--topic", type=click.Choice(DEAD_LETTERS), metavar="TOPIC", help="Only this topic; else all dead letters."
)
@click.option(
    "--since", "begin", metavar="WHEN", help="Only younger ones: 30m, 12h, 7d, or a time such as 2026-03-01T08:00."
)
@with_settings("kafka")
@as_json
def list_dead_letters(settings: "ProcessSettings", topic: str | None, begin: str | None, as_json: bool) -> None:
    """Dead letters, oldest first.

    JSON: a list of {topic, partition, offset, at_ms, reason, error, source, attempts, size}; source is the
    topic/partition/offset that the record came from.
    """
    try:
        begin_ms = since(begin, time.time_ns() // 1_000_000) if begin else None
    except ValueError as problem:
        raise click.BadParameter(str(problem), param_hint="--since") from problem
    from ops.deadletters import listed

    with plain_faults(settings):
        found = listed(settings.kafka, (topic,) if topic else DEAD_LETTERS, begin_ms)
    if as_json:
        print_json(found)
        return
    if found or not on_terminal():
        table(COLUMNS, [_row(each) for each in found])
    if not found:
        where = f"in {topic}" if topic else f"in any of the {len(DEAD_LETTERS)} topics that keep them"
        say(f"There is no dead letter {where}{f' since {at(begin_ms)}' if begin else ''}.")


@dlq.command(epilog=more("dlq show cases-dead-letters 0 12", "dlq show shopify-deliveries 3 481 --raw"))
@click.argument("topic", type=click.Choice(tuple(CATALOGUE)), metavar="TOPIC")
@click.argument("partition", type=click.IntRange(0))
@click.argument("offset", type=click.IntRange(0))
@click.option("--raw", is_flag=True, help="Show webhook bodies and headers too: they may hold personal data.")
@with_settings("kafka", "registry")
@as_json
def show(settings: "ProcessSettings", topic: str, partition: int, offset: int, raw: bool, as_json: bool) -> None:
    """One record of any topic in full. Exit status 1 when it is not there.

    JSON: {topic, partition, offset, at_ms, key, headers, size, record, fields, why_undecodable, preview, hidden}.
    """
    from ops.deadletters import content
    from ops.kafka import read_one

    with plain_faults(settings):
        codec = codec_of(settings)
        seen = read_one(settings.kafka, topic, partition, offset)
    if seen is None:
        click.echo(
            f"There is no record at {topic}/{partition}/{offset}: it never was, or retention deleted it.", err=True
        )
        sys.exit(1)
    found = content(seen, codec, raw=raw)
    if as_json:
        print_json(found)
    else:
        _print_one(found)


def _row(each: "DeadLetter") -> tuple[object, ...]:
    why = _why(each) if on_terminal() else each.error
    place = (each.topic, each.partition, each.offset)
    return (*place, _place(each), at(each.at_ms), each.reason, each.attempts, each.source, why)


def _place(each: "DeadLetter | Content") -> str:
    return f"{each.topic}/{each.partition}/{each.offset}"


def _why(each: "DeadLetter") -> str:
    return f"{each.error} (from {each.source})" if each.source else each.error


def _print_one(found: "Content") -> None:
    place: list[tuple[str, object]] = [
        ("place", _place(found)), ("time", at(found.at_ms)), ("key", found.key), ("size", f"{found.size} bytes"),
        ("record", found.record), ("not readable", found.why_undecodable), ("first bytes", found.preview),
        ("left out", found.hidden),
    ]  # fmt: skip
    headers: list[tuple[str, object]] = list(found.headers.items())
    fields: list[tuple[str, object]] = [(name, _text(value)) for name, value in (found.fields or {}).items()]
    if not on_terminal():  # one table
        named = (("header", headers), ("field", fields))
        describe([*place, *((f"{kind}.{name}", value) for kind, listed in named for name, value in listed)])
        return
    describe(place)
    for title, listed in (("Headers", headers), ("Fields", fields)):
        if listed:
            heading(title)
            describe(listed)


def _text(value: object) -> str:
    import msgspec

    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
