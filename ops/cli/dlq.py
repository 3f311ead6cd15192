"""`returnflow dlq`: dead letters, listed and shown."""

import sys
import time

import click
import msgspec

from ops.cli.faults import plain_faults
from ops.cli.settings import with_settings
from ops.cli.show import as_json, console, describe, heading, print_json, table
from ops.deadletters import TOPICS, Content, DeadLetter, content, listed
from ops.kafka import read_one
from ops.when import at, since
from schemas.registry import codec_from
from schemas.settings import ProcessSettings
from schemas.topics import CATALOGUE


@click.group()
def dlq() -> None:
    """Dead letters: what was set aside and why."""


@dlq.command("list")
@click.option("--topic", type=click.Choice(TOPICS), metavar="TOPIC", help="Only this topic; else all dead letters.")
@click.option(
    "--since", "begin", metavar="WHEN", help="Only younger ones: 30m, 12h, 7d, or a time such as 2026-03-01T08:00."
)
@with_settings("kafka")
@as_json
def list_dead_letters(settings: ProcessSettings, topic: str | None, begin: str | None, as_json: bool) -> None:
    """Dead letters, oldest first.

    JSON: a list of {topic, partition, offset, at_ms, reason, error, source, attempts, size}; source is the
    topic/partition/offset that the record came from.
    """
    try:
        begin_ms = since(begin, time.time_ns() // 1_000_000) if begin else None
    except ValueError as problem:
        raise click.BadParameter(str(problem), param_hint="--since") from problem
    with plain_faults(settings):
        found = listed(settings.kafka, (topic,) if topic else TOPICS, begin_ms)
    if as_json:
        print_json(found)
    elif found:
        _print(found)
    else:
        click.echo(f"No dead letters in {topic or f'any of {len(TOPICS)} topics'}{' since then' if begin else ''}.")


@dlq.command()
@click.argument("topic", type=click.Choice(tuple(CATALOGUE)), metavar="TOPIC")
@click.argument("partition", type=click.IntRange(0))
@click.argument("offset", type=click.IntRange(0))
@click.option("--raw", is_flag=True, help="Show webhook bodies and headers too: they may hold personal data.")
@with_settings("kafka", "registry")
@as_json
def show(settings: ProcessSettings, topic: str, partition: int, offset: int, raw: bool, as_json: bool) -> None:
    """One record of any topic in full. Exit status 1 when it is not there.

    JSON: {topic, partition, offset, at_ms, key, headers, size, record, fields, why_undecodable, preview, hidden}.
    """
    with plain_faults(settings):
        codec = codec_from(settings.registry_url)
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


def _print(found: list[DeadLetter]) -> None:
    rows = [
        (_place(each), at(each.at_ms), each.reason, "" if each.attempts is None else each.attempts, _why(each))
        for each in found
    ]
    console().print(table(("dead letter", "time", "reason", "tries", "error"), rows, wrap="error"))


def _place(each: DeadLetter | Content) -> str:
    return f"{each.topic}/{each.partition}/{each.offset}"


def _why(each: DeadLetter) -> str:
    return f"{each.error} (from {each.source})" if each.source else each.error


def _print_one(found: Content) -> None:
    out = console()
    size = f"{found.size} bytes"
    out.print(describe([("place", _place(found)), ("time", at(found.at_ms)), ("key", found.key), ("size", size)]))
    if found.headers:
        out.print(heading("\nHeaders"))
        out.print(describe(list(found.headers.items())))
    out.print(heading(f"\n{found.record or 'Not decodable'}"))
    if found.fields is not None:
        out.print(describe([(name, _text(value)) for name, value in found.fields.items()]))
    if found.why_undecodable is not None:
        out.print(found.why_undecodable, markup=False)
    if found.preview is not None:
        out.print(found.preview, markup=False)
    if found.hidden is not None:
        out.print(f"({found.hidden})", markup=False)


def _text(value: object) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
