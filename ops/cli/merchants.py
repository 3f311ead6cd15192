"""`returnflow merchants`: are the merchant files valid, what do they say in effect, and what would a change change."""

import getpass
import socket
import sys
import time
from pathlib import Path
from typing import Any

import click

from ops import configuration, inbox
from ops.cli.faults import plain_faults
from ops.cli.init import init
from ops.cli.settings import with_settings
from ops.cli.show import as_json, console, describe, print_json, table
from ops.kafka import read
from ops.secret_references import missing
from ops.when import at
from schemas.configuration import changed
from schemas.merchant import Merchant, MerchantFileError, load, parse
from schemas.merchant_folder import MerchantFolder
from schemas.merchant_values import differences, values
from schemas.registry import codec_from
from schemas.settings import ProcessSettings
from schemas.startup import CannotStart
from schemas.topics import CONFIGURATION_CHANGES


@click.group()
def merchants() -> None:
    """Write, check, show and compare merchant files."""


merchants.add_command(init)


@merchants.command()
@click.argument("merchant", required=False)
@with_settings("merchants")
@as_json
def check(settings: ProcessSettings, merchant: str | None, as_json: bool) -> None:
    """Validate every merchant file, or MERCHANT's, and look for the secrets it names. Exit status 1 when one is missing
    or broken.

    JSON: a list of {merchant, currency, time_zone, systems, models, locations, missing_secrets}.
    """
    with plain_faults(settings):
        if merchant is not None:
            named(settings.merchants, merchant)
        folder = MerchantFolder.opened(settings.merchants)
        rows = [_row(each) for name, each in folder.merchants.items() if merchant in (None, name)]
    troubles = [problem for name, problem in folder.troubles.items() if merchant in (None, name)]
    if as_json:
        print_json(rows)
    else:
        _print(rows)
    for problem in troubles:
        click.echo(problem, err=True)
    sys.exit(1 if troubles or any(row["missing_secrets"] for row in rows) else 0)


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


@merchants.command()
@click.argument("new", type=click.Path(path_type=Path))
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--by", default=lambda: f"{getpass.getuser()}@{socket.gethostname()}", help="Who changes it.")
@with_settings("kafka", "registry", "merchants")
def apply(settings: ProcessSettings, new: Path, yes: bool, by: str) -> None:
    """Put the file NEW in place of its merchant's file: checked, shown, asked, written in one piece, recorded.

    Shown is what takes another effect, and which open exceptions wait for the merchant file. Every process that runs
    takes the file up within seconds; what it concerns is judged again. Exit status 1 when nothing is applied.
    """
    with plain_faults(settings):
        content, merchant = read_new(new)
        target = configuration.place_of(settings.merchants, merchant.merchant)
        configuration.check_fits(content, settings.merchants, target, merchant.merchant)
        old = _in_force(target)
        codec = codec_from(settings.registry_url)
        found = inbox.load(settings.kafka, codec)
    for problem in missing(merchant):
        click.echo(f"here: {problem}", err=True)
    _show_change(old, merchant, configuration.waiting_for(merchant, old, found.items))
    if old is not None and old.digest == merchant.digest:
        click.echo("nothing takes another effect, nothing is applied")
        sys.exit(1)
    if not yes and not click.confirm(f"Apply to {target}?"):
        sys.exit(1)
    with plain_faults(settings):
        configuration.put(content, settings.merchants, target)
        change = changed(old, merchant, time.time_ns() // 1_000_000, by)
        configuration.tell(settings.kafka, codec, change)
    click.echo(f"applied: {merchant.merchant} is judged by {merchant.digest}")


@merchants.command()
@click.argument("merchant", required=False)
@with_settings("kafka", "registry")
@as_json
def changes(settings: ProcessSettings, merchant: str | None, as_json: bool) -> None:
    """Changes of merchant files, of all or of MERCHANT, oldest first: when, by whom, which keys, from which digest to
    which. The history of a line names the digest that it was judged by.

    JSON: a list of {fact_id, merchant, digest, before, keys, changed_at_ms, by}.
    """
    with plain_faults(settings):
        records = read(settings.kafka, CONFIGURATION_CHANGES)
        told = configuration.changes(records, codec_from(settings.registry_url))
    found = [each for each in told if merchant in (None, each.merchant)]
    if as_json:
        print_json(found)
        return
    cells = [
        [at(c.changed_at_ms), c.merchant, c.by or "(the file)", c.before, c.digest, ", ".join(c.keys)] for c in found
    ]
    console().print(table(("changed", "merchant", "by", "before", "digest", "keys"), cells, wrap="keys"))


def read_new(path: Path) -> tuple[bytes, Merchant]:
    """A file that is to be applied, read once; raises MerchantFileError."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise MerchantFileError(f"{path}: cannot be read ({error.strerror})") from error
    return content, parse(path, content)


def _in_force(target: Path) -> Merchant | None:
    """What the file says that is to be replaced; None: nothing usable."""
    try:
        return load(target)
    except MerchantFileError:
        return None


def _show_change(old: Merchant | None, new: Merchant, waiting: list[configuration.Waiting]) -> None:
    found = [] if old is None else differences(old, new)
    if old is None:
        click.echo(f"{new.merchant}: no usable file was there")
    elif found:
        cells = [[key, *("" if v is None else v for v in pair)] for key, *pair in found]
        console().print(table(("key", "old", "new"), cells, wrap="new"))
    for each in waiting:
        about = f" {each.about!r}" if each.about else ""
        named = ": the change names it" if each.named else ""
        click.echo(f"{each.exceptions} open {each.type}{about}, units {each.units}{named}")
    if not waiting:
        click.echo("no open exception waits for the merchant file")


def named(folder: Path, merchant: str) -> Merchant:
    """The merchant of this name among the files of a folder; raises CannotStart when there is none."""
    looked = MerchantFolder.opened(folder)
    known = looked.merchants
    if merchant not in known and merchant in looked.troubles:
        raise CannotStart(looked.troubles[merchant])
    if merchant not in known:
        raise CannotStart(f"expected one of {', '.join(sorted(known))}, got {merchant!r}")
    return known[merchant]


def _row(merchant: Merchant) -> dict[str, Any]:
    systems = [name for name, configured in merchant.systems if configured is not None]
    return {
        "merchant": merchant.merchant,
        "currency": merchant.currency,
        "time_zone": merchant.time_zone,
        "systems": systems,
        "models": [f"{each.name}: {each.system}" for each in (merchant.model, *merchant.models)],
        "locations": len(merchant.locations),
        "missing_secrets": missing(merchant),
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
