"""`returnflow patterns`: what comes back, counted by reason, SKU, location, disposition, time."""

import csv
import sys
from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING

import click

from ops.cli.completion import merchants
from ops.cli.faults import plain_faults
from ops.cli.layout import Column
from ops.cli.settings import codec_of, with_settings
from ops.cli.show import more, on_terminal, print_json, say, table
from schemas.topics import CASE_JOURNAL

if TYPE_CHECKING:
    from ops.patterns import Dimension, Row
    from schemas.journal import CaseStep
    from schemas.settings import ProcessSettings

UNTOLD = "(not told)"


def _dimensions(_context: click.Context, _option: click.Parameter, text: str) -> "tuple[Dimension, ...]":
    from ops.patterns import DIMENSIONS

    chosen = [part.strip() for part in text.split(",")]
    by = tuple(each for part in chosen for each in DIMENSIONS if each == part)
    if len(by) != len(chosen) or len(set(by)) != len(by):
        raise click.BadParameter(f"expected some of {','.join(DIMENSIONS)}, each once, got {text!r}")
    return by


def _day(_context: click.Context, _option: click.Parameter, text: str | None) -> date | None:
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(f"expected a day such as 2026-03-01, got {text!r}") from None


_DIMENSIONS = "reason, sku, location, disposition, day, week, month"


_EPILOG = more(
    "patterns demo-shop", "patterns demo-shop --by reason,week --since 2026-03-01",
    "patterns demo-shop --by sku --format csv > returns.csv",
)  # fmt: skip


@click.command(epilog=_EPILOG)
@click.argument("merchant", shell_complete=merchants)
@click.option(
    "--by", default="sku,reason,disposition", show_default=True, callback=_dimensions, metavar="DIMENSIONS",
    help=f"What is told apart: some of {_DIMENSIONS}, with commas and no spaces.",
)  # fmt: skip
@click.option("--since", callback=_day, metavar="DAY", help="Only what was inspected on this day or later.")
@click.option("--until", callback=_day, metavar="DAY", help="Only what was inspected on this day or earlier.")
@click.option("--format", "shape", default="table", show_default=True, type=click.Choice(("table", "csv", "json")))
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@with_settings("kafka", "registry", "merchants")
def patterns(
    settings: "ProcessSettings", merchant: str, by: "tuple[Dimension, ...]", since: date | None, until: date | None,
    shape: str, as_json: bool,
) -> None:  # fmt: skip
    """How many units of MERCHANT were inspected, by reason, SKU, location, disposition or time.

    A unit counts once, as its newest inspection found it. Reasons are the customers' (the merchant's labels), locations
    are as the inspection names them, days are those of the merchant's time zone. The journal goes back 400 days.
    Columns in a pipe: the dimensions as asked for, units, share.
    JSON: {merchant, time_zone, since, until, units, rows: [{…dimensions, units}]}; a value that nobody told is "".
    """
    from ops.cli.merchants import named
    from ops.patterns import counted, gather, inspected, sources

    if since and until and since > until:
        raise click.BadParameter(f"expected no day after --until {until}, got {since}", param_hint="--since")
    with plain_faults(settings):
        rules = named(settings.merchants, merchant)
        found = gather(_steps(settings, merchant), sources(rules))
    rows = counted(inspected(found), by, rules.zone, since, until)
    total = sum(row.units for row in rows)
    when = f"{since or 'the start of the journal'} to {until or 'now'}, {rules.time_zone}"
    if as_json or shape == "json":
        print_json({
            "merchant": merchant, "time_zone": rules.time_zone, "since": since, "until": until, "units": total,
            "rows": [dict(zip(by, row.values, strict=True)) | {"units": row.units} for row in rows],
        })  # fmt: skip
    elif shape == "csv":
        csv.writer(sys.stdout, lineterminator="\n").writerows([(*by, "units"), *((*r.values, r.units) for r in rows)])
    if as_json or shape != "table":
        return
    if rows or not on_terminal():
        _print(rows, by, total)
    counted_units = f"{total} {'unit was' if total == 1 else 'units were'}" if rows else "No unit was"
    say(f"{counted_units} inspected for {merchant}, from {when}.")


def _steps(settings: "ProcessSettings", merchant: str) -> "Iterator[CaseStep]":
    from ops.kafka import read
    from schemas.codec import Undecodable
    from schemas.journal import CaseStep

    codec, name = codec_of(settings), merchant.encode()
    for seen in read(settings.kafka, CASE_JOURNAL, wanted=lambda value: value is not None and name in value):
        try:
            step = codec.decode_as(CaseStep, seen.value)
        except Undecodable as problem:
            click.echo(f"{CASE_JOURNAL}/{seen.partition}/{seen.offset} is passed over: {problem}", err=True)
            continue
        if step.merchant == merchant:
            yield step


def _print(rows: "list[Row]", by: "tuple[Dimension, ...]", total: int) -> None:
    cells = [(*(value or UNTOLD for value in row.values), row.units, f"{row.units / total:.0%}") for row in rows]
    table([*(Column(each, long=each == "reason") for each in by), Column("units"), Column("share")], cells)
