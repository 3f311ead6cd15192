"""`returnflow exceptions`: what a person must look at, and closing what nothing else closes."""

import sys
import typing
from typing import TYPE_CHECKING

import click

from ops.cli.completion import merchants
from ops.cli.faults import plain_faults
from ops.cli.layout import Column
from ops.cli.settings import codec_of, who_says, with_settings
from ops.cli.show import as_json, describe, more, on_terminal, print_json, say, table
from ops.when import at
from schemas.exceptions import TYPES, Team
from schemas.startup import CannotStart

if TYPE_CHECKING:
    from ops.inbox import Inbox, Item
    from schemas.settings import ProcessSettings

SHORT = 8  # of an id, for people; `show` and `resolve` take any beginning
STATES = {"open": "open", "cleared": "closed"}
COLUMNS = (
    Column("id", short=lambda text: text[:SHORT]),
    Column("merchant"),
    Column("type"),
    Column("owner", only="pipe"),
    Column("severity", only="pipe"),
    Column("state", only="pipe"),
    Column("RMA", only="pipe"),
    Column("order", only="pipe"),
    Column("RMA/order", only="terminal"),
    Column("since", short=lambda text: text[5:16]),
    Column("due", only="pipe"),
    Column("what is wrong", long=True),
    Column("next step", only="pipe"),
)


@click.group(epilog=more("exceptions list", "exceptions show 6a9a1d3b", 'exceptions resolve 6a9a1d3b --why "read it"'))
def exceptions() -> None:
    """What a person must look at, with owner and next step."""


_LISTED = more(
    "exceptions list", "exceptions list --owner finance --merchant demo-shop", "exceptions list --closed",
    "exceptions list | cut -f 1,3", columns=COLUMNS,
)  # fmt: skip


@exceptions.command("list", epilog=_LISTED)
@click.option("--owner", type=click.Choice(typing.get_args(Team)), help="Only what this team owns.")
@click.option("--type", "kind", type=click.Choice(sorted(TYPES)), metavar="TYPE", help="Only of this type.")
@click.option("--merchant", shell_complete=merchants, help="Only of this merchant.")
@click.option("--open", "which", flag_value="open", default=True, help="Only what is open (default).")
@click.option("--closed", "which", flag_value="cleared", help="Only what is closed, by itself or by a person.")
@click.option("--all", "which", flag_value="all", help="Both.")
@with_settings("kafka", "registry")
@as_json
def list_exceptions(
    settings: "ProcessSettings", owner: str | None, kind: str | None, merchant: str | None, which: str, as_json: bool
) -> None:
    """Exceptions, oldest first.

    JSON: a list of {state: open|cleared, raised: {exception_id, type, owner, severity, merchant, detail, next_step,
    since_ms, due_ms, order_id, rma_id, line_id, unit_ids, sku, location, system, expected, actual, command_id, repeats,
    actions, evidence, resolvable}, cleared_at_ms, why_cleared, cleared_by}; cleared_by is "" when it closed by itself.
    """
    with plain_faults(settings):
        found = _load(settings)
    shown = [
        item
        for item in found.items
        if which in ("all", item.state)
        and (owner or item.raised.owner) == item.raised.owner
        and (kind or item.raised.type) == item.raised.type
        and (merchant or item.raised.merchant) == item.raised.merchant
    ]
    if as_json:
        print_json(shown)
        return
    if shown or not on_terminal():
        table(COLUMNS, [_row(item) for item in shown])
    if not shown:
        asked = {"--owner": owner, "--type": kind, "--merchant": merchant}
        say(_nothing(found, which, " ".join(f"{name} {value}" for name, value in asked.items() if value)))


@exceptions.command(epilog=more("exceptions show 6a9a1d3b", "exceptions show 6a9a1d3b --json"))
@click.argument("exception_id", metavar="ID")
@with_settings("kafka", "registry")
@as_json
def show(settings: "ProcessSettings", exception_id: str, as_json: bool) -> None:
    """One exception in full; ID may be cut short. Exit status 1 when there is none, or more than one.

    JSON: one object as in `list`.
    """
    with plain_faults(settings):
        found = _one(_load(settings), exception_id)
    if as_json:
        print_json(found)
    else:
        describe(_fields(found))


_RESOLVED = more(
    'exceptions resolve 6a9a1d3b --why "looked at the delivery: a test of the vendor"',
    'exceptions resolve 6a9a1d3b --why "read the order by hand" --by thandi@example.com',
)


@exceptions.command(epilog=_RESOLVED)
@click.argument("exception_id", metavar="ID")
@click.option("--why", required=True, help="What you found or did; kept with the exception. No personal data.")
@who_says("Who closes it")
@with_settings("kafka", "registry")
def resolve(settings: "ProcessSettings", exception_id: str, why: str, by: str) -> None:
    """Close an exception that tells of one record or delivery, such as `undecodable` and `malformed_delivery`.

    Who, when and why are recorded, and shown by `exceptions show` and `exceptions list --closed`. Those that close by
    themselves when their cause is gone are refused: closed by hand they would hide what is still wrong. Exit status 1
    when nothing is closed.
    """
    from ops import resolving

    if not why.strip():
        raise click.BadParameter("expected a reason in words, got none", param_hint="--why")
    with plain_faults(settings):
        found = _one(_load(settings), exception_id)
        try:
            closed = resolving.resolve(settings.kafka, codec_of(settings), found, why.strip(), by)
        except resolving.NotByHand as refused:
            click.echo(str(refused), err=True)
            sys.exit(1)
    click.echo(f"Closed: {closed.exception_id} ({closed.type}), by {closed.by}: {closed.why}")


def _load(settings: "ProcessSettings") -> "Inbox":
    from ops.inbox import load
    from schemas.topics import EXCEPTIONS

    found = load(settings.kafka, codec_of(settings))
    if found.undecodable:
        click.echo(
            f"{found.undecodable} records of the topic {EXCEPTIONS} cannot be read and are left out: was one written "
            "by a newer version of Returnflow?",
            err=True,
        )
    return found


def _one(found: "Inbox", begun: str) -> "Item":
    """The exception whose id begins so; ends the command when there is none, or more than one."""
    if not begun:
        raise CannotStart("expected the beginning of an exception's id, got an empty one")
    named = [item for item in found.items if item.raised.exception_id.startswith(begun)]
    if len(named) == 1:
        return named[0]
    if named:
        ids = ", ".join(item.raised.exception_id for item in named[:5])
        click.echo(f"{len(named)} exceptions have an id that begins with {begun!r}: {ids}. Give more of it.", err=True)
    else:
        click.echo(
            f"No exception has an id that begins with {begun!r}. `returnflow exceptions list --all` shows those that "
            f"there are: {len(found.items)}.",
            err=True,
        )
    sys.exit(1)


def _nothing(found: "Inbox", which: str, asked: str) -> str:
    states = [item.state for item in found.items]
    total = len(states) if which == "all" else states.count(which)  # type: ignore[arg-type]  # compared as text
    kind = {"open": "open exception", "cleared": "closed exception", "all": "exception"}[which]
    if asked:
        return f"No {kind} has {asked}; without that there {'is 1' if total == 1 else f'are {total}'}."
    closed = states.count("cleared") if which == "open" else 0
    return f"There is no {kind}{f' ({closed} closed: --closed)' if closed else ''}."


def _row(item: "Item") -> tuple[object, ...]:
    raised = item.raised
    owner = f"{raised.owner}: " if on_terminal() else ""
    what = f"{owner}{raised.detail}" + (f" ({_closed(item)})" if item.state == "cleared" else "")
    return (
        raised.exception_id, raised.merchant, raised.type, raised.owner, raised.severity, STATES[item.state],
        raised.rma_id, raised.order_id, raised.rma_id or raised.order_id, at(raised.since_ms), at(raised.due_ms), what,
        raised.next_step,
    )  # fmt: skip


def _closed(item: "Item") -> str:
    by = f" by {item.cleared_by}" if item.cleared_by else ""
    return f"closed {at(item.cleared_at_ms)}{by}: {item.why_cleared}"


def _fields(item: "Item") -> list[tuple[str, object]]:
    from ops.resolving import ends

    raised = item.raised
    place = raised.evidence
    return [
        ("id", raised.exception_id),
        ("type", f"{raised.type}: {TYPES[raised.type].meaning}" if raised.type in TYPES else raised.type),
        ("state", "open" if item.state == "open" else _closed(item)),
        ("owner", raised.owner),
        ("severity", raised.severity),
        ("what is wrong", raised.detail),
        ("next step", raised.next_step),
        ("closes", ends(raised) if item.state == "open" else ""),
        ("merchant", raised.merchant),
        ("order", raised.order_id),
        ("RMA", raised.rma_id),
        ("line", raised.line_id),
        ("units", ", ".join(raised.unit_ids)),
        ("SKU", raised.sku),
        ("location", raised.location),
        ("system", raised.system),
        ("expected", raised.expected),
        ("got", raised.actual),
        ("command", raised.command_id),
        ("since", at(raised.since_ms)),
        ("due", at(raised.due_ms)),
        ("seen", f"{raised.repeats} times" if raised.repeats > 1 else ""),
        ("shown by", f"{place.topic}/{place.partition}/{place.offset}" if place is not None else ""),
    ]
