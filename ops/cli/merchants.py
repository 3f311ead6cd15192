"""`returnflow merchants`: are the merchant files valid, what do they say in effect, and what would a change change."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from ops.cli.faults import plain_faults
from ops.cli.settings import with_settings
from ops.cli.show import as_json, console, describe, print_json, table
from schemas.merchant import Merchant, MerchantFileError, load, load_all
from schemas.merchant_values import differences, values
from schemas.secrets import SecretMissing, resolve
from schemas.settings import ProcessSettings
from schemas.startup import CannotStart

_KINDS = ("env:", "file:")


@click.group()
def merchants() -> None:
    """Check, show and compare merchant files."""


@merchants.command()
@with_settings("merchants")
@as_json
def check(settings: ProcessSettings, as_json: bool) -> None:
    """Validate every merchant file and look for the secrets it names. Exit status 1 when a secret is missing.

    JSON: a list of {merchant, currency, time_zone, systems, models, locations, missing_secrets}.
    """
    with plain_faults(settings):
        rows = [_row(each) for each in load_all(settings.merchants).values()]
    if as_json:
        print_json(rows)
    else:
        _print(rows)
    sys.exit(1 if any(row["missing_secrets"] for row in rows) else 0)


@merchants.command()
@click.argument("merchant")
@with_settings("merchants")
@as_json
def show(settings: ProcessSettings, merchant: str, as_json: bool) -> None:
    """Every key of MERCHANT with the value that takes effect, the defaults of its operating models included.

    JSON: one object, key → value.
    """
    with plain_faults(settings):
        found = values(named(settings.merchants, merchant))
    if as_json:
        print_json(found)
    else:
        console().print(describe(list(found.items())))


@merchants.command()
@click.argument("old", type=click.Path(path_type=Path))
@click.argument("new", type=click.Path(path_type=Path))
@as_json
def diff(old: Path, new: Path, as_json: bool) -> None:
    """What takes another effect with the merchant file NEW than with OLD. Exit status 1 when something does.

    JSON: a list of {key, old, new}; null: the key is not there.
    """
    try:
        found = differences(load(old), load(new))
    except MerchantFileError as problem:
        raise CannotStart(str(problem)) from problem
    if as_json:
        print_json([{"key": key, "old": before, "new": after} for key, before, after in found])
    elif found:
        cells = [[key, *("" if v is None else v for v in pair)] for key, *pair in found]
        console().print(table(("key", "old", "new"), cells, wrap="new"))
    else:
        click.echo("both take the same effect")
    sys.exit(1 if found else 0)


def named(folder: Path, merchant: str) -> Merchant:
    """The merchant of this name among the files of a folder; raises CannotStart when there is none."""
    known = load_all(folder)
    if merchant not in known:
        raise CannotStart(f"expected one of {', '.join(sorted(known))}, got {merchant!r}")
    return known[merchant]


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
        "models": [f"{each.name}: {each.system}" for each in (merchant.model, *merchant.models)],
        "locations": len(merchant.locations),
        "missing_secrets": problems,
    }


def _print(rows: list[dict[str, Any]]) -> None:
    names = ("merchant", "currency", "time_zone", "systems", "models", "locations")
    cells = [[", ".join(row[n]) if isinstance(row[n], list) else row[n] for n in names] for row in rows]
    console().print(
        table(("merchant", "currency", "time zone", "systems", "models", "locations"), cells, wrap="models")
    )
    for row in rows:
        for problem in row["missing_secrets"]:
            click.echo(f"{row['merchant']}: {problem}", err=True)
