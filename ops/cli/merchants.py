"""`returnflow merchants`: are the merchant files valid, what do they say in effect, and what would a change change."""

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ops.cli import completion
from ops.cli.faults import plain_faults
from ops.cli.init import init
from ops.cli.layout import Column
from ops.cli.settings import codec_of, who_says, with_settings
from ops.cli.show import as_json, describe, more, on_terminal, print_json, say, table
from ops.when import at
from schemas.startup import CannotStart

if TYPE_CHECKING:
    from ops.configuration import Waiting
    from schemas.merchant import Merchant
    from schemas.settings import ProcessSettings

CHECKED = (
    Column("merchant"), Column("currency"), Column("time zone"), Column("locations"), Column("systems"),
    Column("models", long=True), Column("missing secrets", only="pipe"),
)  # fmt: skip
DIFFERENCES = (Column("key"), Column("old"), Column("new", long=True))
CHANGES = (
    Column("changed"), Column("merchant"), Column("by"), Column("before"), Column("digest"), Column("keys", long=True),
)  # fmt: skip


@click.group(epilog=more("merchants check", "merchants show demo-shop", "merchants apply FILE"))
def merchants() -> None:
    """Write, check, show and compare merchant files."""


merchants.add_command(init)


@merchants.command(epilog=more("merchants check", "merchants check demo-shop", columns=CHECKED))
@click.argument("merchant", required=False, shell_complete=completion.merchants)
@with_settings("merchants")
@as_json
def check(settings: "ProcessSettings", merchant: str | None, as_json: bool) -> None:
    """Validate every merchant file, or MERCHANT's, and look for the secrets it names. Exit status 1 when one is missing
    or broken.

    JSON: a list of {merchant, currency, time_zone, systems, models, locations, missing_secrets}.
    """
    from schemas.merchant_folder import MerchantFolder

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


@merchants.command(
    epilog=more("merchants show demo-shop", "merchants show web-and-stores --merchants merchants/examples")
)
@click.argument("merchant", shell_complete=completion.merchants)
@with_settings("merchants")
@as_json
def show(settings: "ProcessSettings", merchant: str, as_json: bool) -> None:
    """Every key of MERCHANT with the value that takes effect, the defaults of its operating models included.

    JSON: one object, key → value.
    """
    from schemas.merchant_values import values

    with plain_faults(settings):
        found = values(named(settings.merchants, merchant))
    if as_json:
        print_json(found)
    else:
        describe(list(found.items()))


@merchants.command(epilog=more("merchants diff OLD NEW", "merchants diff OLD NEW --json", columns=DIFFERENCES))
@click.argument("old", type=click.Path(path_type=Path))
@click.argument("new", type=click.Path(path_type=Path))
@as_json
def diff(old: Path, new: Path, as_json: bool) -> None:
    """What takes another effect with the merchant file NEW than with OLD. Exit status 1 when something does.

    JSON: a list of {key, old, new}; null: the key is not there.
    """
    from schemas.merchant import MerchantFileError, load
    from schemas.merchant_values import differences

    try:
        found = differences(load(old), load(new))
    except MerchantFileError as problem:
        raise CannotStart(str(problem)) from problem
    if as_json:
        print_json([{"key": key, "old": before, "new": after} for key, before, after in found])
    elif found or not on_terminal():
        table(DIFFERENCES, found)
    if not found and not as_json:
        say("Both files take the same effect.")
    sys.exit(1 if found else 0)


@merchants.command(epilog=more("merchants apply FILE", "merchants apply FILE --yes --by thandi@example.com"))
@click.argument("new", type=click.Path(path_type=Path))
@click.option("--yes", is_flag=True, help="Do not ask.")
@who_says("Who changes it")
@with_settings("kafka", "registry", "merchants")
def apply(settings: "ProcessSettings", new: Path, yes: bool, by: str) -> None:
    """Put the file NEW in place of its merchant's file: checked, shown, asked, written in one piece, recorded.

    Shown is what takes another effect, and which open exceptions wait for the merchant file. Every process that runs
    takes the file up within seconds; what it concerns is judged again. Exit status 1 when nothing is applied.
    """
    from ops import configuration, inbox
    from ops.secret_references import missing
    from schemas.configuration import changed

    with plain_faults(settings):
        content, merchant = read_new(new)
        target = configuration.place_of(settings.merchants, merchant.merchant)
        configuration.check_fits(content, settings.merchants, target, merchant.merchant)
        old = _in_force(target)
        codec = codec_of(settings)
        found = inbox.load(settings.kafka, codec)
    for problem in missing(merchant):
        click.echo(f"here: {problem}", err=True)
    _show_change(old, merchant, configuration.waiting_for(merchant, old, found.items))
    if old is not None and old.digest == merchant.digest:
        click.echo("Nothing is applied: the file takes the same effect as the one in place.")
        sys.exit(1)
    if not yes and not click.confirm(f"Apply to {target}?"):
        sys.exit(1)
    with plain_faults(settings):
        configuration.put(content, settings.merchants, target)
        change = changed(old, merchant, time.time_ns() // 1_000_000, by)
        configuration.tell(settings.kafka, codec, change)
    click.echo(f"Applied: from now on {merchant.merchant} is judged by the configuration {merchant.digest}.")


@merchants.command(epilog=more("merchants changes", "merchants changes demo-shop", columns=CHANGES))
@click.argument("merchant", shell_complete=completion.merchants, required=False)
@with_settings("kafka", "registry")
@as_json
def changes(settings: "ProcessSettings", merchant: str | None, as_json: bool) -> None:
    """Changes of merchant files, of all or of MERCHANT, oldest first: when, by whom, which keys, from which digest to
    which. The history of a line names the digest that it was judged by.

    JSON: a list of {fact_id, merchant, digest, before, keys, changed_at_ms, by}.
    """
    from ops import configuration
    from ops.kafka import read
    from schemas.topics import CONFIGURATION_CHANGES

    with plain_faults(settings):
        records = read(settings.kafka, CONFIGURATION_CHANGES)
        told = configuration.changes(records, codec_of(settings))
    found = [each for each in told if merchant in (None, each.merchant)]
    if as_json:
        print_json(found)
        return
    cells = [
        [at(c.changed_at_ms), c.merchant, c.by or "(the file)", c.before, c.digest, ", ".join(c.keys)] for c in found
    ]
    if found or not on_terminal():
        table(CHANGES, cells)
    if not found:
        say(f"No change of {f'the file of {merchant}' if merchant else 'any merchant file'} was told yet.")


def read_new(path: Path) -> "tuple[bytes, Merchant]":
    """A file that is to be applied, read once; raises MerchantFileError."""
    from schemas.merchant import MerchantFileError, parse

    try:
        content = path.read_bytes()
    except OSError as error:
        raise MerchantFileError(f"{path}: cannot be read ({error.strerror})") from error
    return content, parse(path, content)


def _in_force(target: Path) -> "Merchant | None":
    """What the file says that is to be replaced; None: nothing usable."""
    from schemas.merchant import MerchantFileError, load

    try:
        return load(target)
    except MerchantFileError:
        return None


def _show_change(old: "Merchant | None", new: "Merchant", waiting: "list[Waiting]") -> None:
    from schemas.merchant_values import differences

    found = [] if old is None else differences(old, new)
    if old is None:
        click.echo(f"{new.merchant} has no usable file yet: this one will be its first.")
    elif found:
        table(DIFFERENCES, found)
    for each in waiting:
        about = f" {each.about!r}" if each.about else ""
        named = ": the change names it" if each.named else ""
        click.echo(f"Open exceptions of type {each.type}{about}: {each.exceptions}, units {each.units}{named}")
    if not waiting:
        click.echo("No open exception waits for the merchant file.")


def named(folder: Path, merchant: str) -> "Merchant":
    """The merchant of this name among the files of a folder; raises CannotStart when there is none."""
    from schemas.merchant_folder import MerchantFolder

    looked = MerchantFolder.opened(folder)
    known = looked.merchants
    if merchant not in known and merchant in looked.troubles:
        raise CannotStart(looked.troubles[merchant])
    if merchant not in known:
        raise CannotStart(f"expected a merchant with a file in {folder}: {', '.join(sorted(known))}; got {merchant!r}")
    return known[merchant]


def _row(merchant: "Merchant") -> dict[str, Any]:
    from ops.secret_references import missing

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
    names = ("merchant", "currency", "time_zone", "locations", "systems", "models", "missing_secrets")
    table(CHECKED, [[", ".join(row[n]) if isinstance(row[n], list) else row[n] for n in names] for row in rows])
    for row in rows:
        for problem in row["missing_secrets"]:
            click.echo(f"{row['merchant']}: {problem}", err=True)
