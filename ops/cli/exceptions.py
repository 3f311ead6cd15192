"""`returnflow exceptions`: what a person must look at."""

import sys
import typing

import click

from ops.cli.faults import plain_faults
from ops.cli.settings import with_settings
from ops.cli.show import as_json, console, describe, print_json, table
from ops.inbox import Inbox, Item, load
from ops.when import at
from schemas.exceptions import TYPES, Team
from schemas.registry import codec_from
from schemas.settings import ProcessSettings
from schemas.topics import EXCEPTIONS


@click.group()
def exceptions() -> None:
    """What a person must look at, with owner and next step."""


@exceptions.command("list")
@click.option("--owner", type=click.Choice(typing.get_args(Team)), help="Only what this team owns.")
@click.option("--type", "kind", type=click.Choice(sorted(TYPES)), metavar="TYPE", help="Only of this type.")
@click.option("--merchant", help="Only of this merchant.")
@click.option("--open/--all", "only_open", default=True, help="Only open ones (default), or cleared ones too.")
@with_settings("kafka", "registry")
@as_json
def list_exceptions(
    settings: ProcessSettings, owner: str | None, kind: str | None, merchant: str | None, only_open: bool, as_json: bool
) -> None:
    """Exceptions, oldest first.

    JSON: a list of {state: open|cleared, raised: {exception_id, type, owner, severity, merchant, detail, next_step,
    since_ms, due_ms, order_id, rma_id, line_id, unit_ids, sku, location, system, expected, actual, command_id, repeats,
    actions, evidence}, cleared_at_ms, why_cleared}.
    """
    with plain_faults(settings):
        found = _load(settings)
    shown = [
        item
        for item in found.items
        if (not only_open or item.state == "open")
        and (owner or item.raised.owner) == item.raised.owner
        and (kind or item.raised.type) == item.raised.type
        and (merchant or item.raised.merchant) == item.raised.merchant
    ]
    if as_json:
        print_json(shown)
    elif shown:
        _print(shown)
    else:
        click.echo(f"No such exception among the {len(found.items)} in {EXCEPTIONS}.")


@exceptions.command()
@click.argument("exception_id")
@with_settings("kafka", "registry")
@as_json
def show(settings: ProcessSettings, exception_id: str, as_json: bool) -> None:
    """One exception in full; EXCEPTION_ID may be cut short. Exit status 1 when there is none, or more than one.

    JSON: one object as in `list`.
    """
    with plain_faults(settings):
        found = [item for item in _load(settings).items if item.raised.exception_id.startswith(exception_id)]
    if len(found) != 1:
        which = "No exception has" if not found else f"{len(found)} exceptions have"
        click.echo(f"{which} an id that starts with {exception_id!r} in {EXCEPTIONS}.", err=True)
        sys.exit(1)
    if as_json:
        print_json(found[0])
    else:
        console().print(describe(_fields(found[0])))


def _load(settings: ProcessSettings) -> Inbox:
    found = load(settings.kafka, codec_from(settings.registry_url))
    if found.undecodable:
        click.echo(f"{found.undecodable} records in {EXCEPTIONS} could not be read and are left out.", err=True)
    return found


def _print(items: list[Item]) -> None:
    rows = [
        (
            item.raised.exception_id[:8],
            item.raised.type,
            item.raised.owner,
            item.raised.rma_id or item.raised.order_id,
            at(item.raised.since_ms)[:16],
            ("" if item.state == "open" else "[cleared] ") + item.raised.detail,
        )
        for item in items
    ]
    console().print(table(("id", "type", "owner", "RMA/order", "since", "what is wrong"), rows, wrap="what is wrong"))


def _fields(item: Item) -> list[tuple[str, object]]:
    raised = item.raised
    place = raised.evidence
    return [
        ("id", raised.exception_id),
        ("type", f"{raised.type}: {TYPES[raised.type].meaning}" if raised.type in TYPES else raised.type),
        ("state", item.state if item.why_cleared is None else f"{item.state}: {item.why_cleared}"),
        ("owner", raised.owner),
        ("severity", raised.severity),
        ("what is wrong", raised.detail),
        ("next step", raised.next_step),
        ("may be done", ", ".join(raised.actions)),
        ("merchant", raised.merchant),
        ("order", raised.order_id),
        ("RMA", raised.rma_id),
        ("line", raised.line_id),
        ("units", ", ".join(raised.unit_ids)),
        ("sku", raised.sku),
        ("location", raised.location),
        ("system", raised.system),
        ("expected", raised.expected),
        ("actual", raised.actual),
        ("command", raised.command_id),
        ("since", at(raised.since_ms)),
        ("due", at(raised.due_ms)),
        ("seen", f"{raised.repeats} times" if raised.repeats > 1 else ""),
        ("cleared", at(item.cleared_at_ms)),
        ("shown by", f"{place.topic}/{place.partition}/{place.offset}" if place is not None else ""),
    ]
