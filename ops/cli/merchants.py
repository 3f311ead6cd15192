"""`returnflow merchants`: are the merchant files valid, and do their secrets exist."""

import sys
from collections.abc import Iterator
from typing import Any

import click

from ops.cli.faults import plain_faults
from ops.cli.settings import with_settings
from ops.cli.show import as_json, console, print_json, table
from schemas.merchant import Merchant, load_all
from schemas.secrets import SecretMissing, resolve
from schemas.settings import ProcessSettings

_KINDS = ("env:", "file:")


@click.group()
def merchants() -> None:
    """Check the merchant files and their secrets."""


@merchants.command()
@with_settings("merchants")
@as_json
def check(settings: ProcessSettings, as_json: bool) -> None:
    """Validate every merchant file and look for the secrets it names. Exit status 1 when a secret is missing.

    JSON: a list of {merchant, currency, time_zone, systems, locations, missing_secrets}.
    """
    with plain_faults(settings):
        rows = [_row(each) for each in load_all(settings.merchants).values()]
    if as_json:
        print_json(rows)
    else:
        _print(rows)
    sys.exit(1 if any(row["missing_secrets"] for row in rows) else 0)


def secrets_of(merchant: Merchant) -> list[str]:
    """Every secret reference in a merchant file."""
    return sorted(set(_references(merchant.systems.model_dump())))


def _references(value: Any) -> Iterator[str]:
    match value:
        case dict():
            for part in value.values():
                yield from _references(part)
        case list() | tuple():
            for part in value:
                yield from _references(part)
        case str() if value.startswith(_KINDS):
            yield value
        case _:
            return


def _missing(reference: str) -> str | None:
    try:
        resolve(reference)
    except SecretMissing as problem:
        return str(problem)
    return None


def _row(merchant: Merchant) -> dict[str, Any]:
    systems = [name for name, configured in merchant.systems if configured is not None]
    problems = [problem for reference in secrets_of(merchant) if (problem := _missing(reference))]
    return {
        "merchant": merchant.merchant,
        "currency": merchant.currency,
        "time_zone": merchant.time_zone,
        "systems": systems,
        "locations": len(merchant.locations),
        "missing_secrets": problems,
    }


def _print(rows: list[dict[str, Any]]) -> None:
    names = ("merchant", "currency", "time_zone", "systems", "locations")
    cells = [[", ".join(row[n]) if n == "systems" else row[n] for n in names] for row in rows]
    console().print(table(("merchant", "currency", "time zone", "systems", "locations"), cells, wrap="systems"))
    for row in rows:
        for problem in row["missing_secrets"]:
            click.echo(f"{row['merchant']}: {problem}", err=True)
