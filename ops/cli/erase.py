"""`returnflow erase`: forget an order or a customer, as far as anything leads to them."""

import sys
from typing import TYPE_CHECKING

import click

from ops.cli.faults import plain_faults
from ops.cli.layout import Column
from ops.cli.settings import who_says, with_settings
from ops.cli.show import as_json, more, print_json, say, table

if TYPE_CHECKING:
    from ops.erasing import Subject
    from schemas.settings import ProcessSettings

COLUMNS = (Column("state"), Column("count"), Column("where"), Column("what", long=True), Column("note", only="pipe"))

KEPT = (
    ("facts, commands, results, history", "ids and amounts, no customer: books and proofs", "until their 400 days end"),
    ("expected-returns", "ids of order, RMA and parcel", "until its 90 days end"),
    ("ledger, effects and paid units", "ids and amounts: nothing is paid a second time", "as long as effects are kept"),
    ("rows of the stock agent", "ids of order and RMA beside quantities", "while the item has rows"),
    ("logs", "ids of order and RMA", "until they are turned over"),
)


@click.command(
    epilog=more(
        "erase --merchant demo-shop --order 5001 --dry-run", "erase --merchant demo-shop --customer 191167",
        columns=COLUMNS,
    )
)  # fmt: skip
@click.option("--merchant", required=True, help="Whose order or customer it is.")
@click.option("--order", "orders", multiple=True, help="The shop's order id; may be given several times.")
@click.option("--customer", default="", help="The shop's customer id: every order that is known to be theirs.")
@click.option("--all-orders", is_flag=True, help="Every order of the merchant.")
@click.option("--dry-run", is_flag=True, help="Only say what there is.")
@who_says("Who says so")
@with_settings("kafka", "registry", "ledger")
@as_json
def erase(
    settings: "ProcessSettings", merchant: str, orders: tuple[str, ...], customer: str, all_orders: bool, dry_run: bool,
    by: str, as_json: bool,
) -> None:  # fmt: skip
    """Take away what leads from an order to its customer: in topics, tables, parked keys, dead letters and memories.

    Nothing is erased while goods or money of it are under way (exit status 1): finish or resolve that first. The order
    is not learnt again afterwards, by no late webhook and no replay; what was paid stays known, without a customer.

    JSON: {orders, removed: [{place, what, count, why}], kept: [{place, what, until}]}.
    """
    from ops import erasing
    from ops.erase import Eraser
    from ops.kafka import admin
    from schemas.registry import codec_from
    from sinks.ledger.engine import opened

    if not (orders or customer or all_orders):
        raise click.UsageError("expected --order, --customer or --all-orders, got none: say what is meant")
    with plain_faults(settings), opened(settings.ledger_url) as engine:
        eraser = Eraser(
            settings.kafka, admin(settings.kafka), codec_from(settings.registry_url), engine, dry_run=dry_run
        )
        subjects = eraser.subjects(merchant, orders, customer, all_orders=all_orders)
        _refuse_open(subjects)
        removed = eraser.erase(subjects, erasing.names(merchant, subjects, customer), by)
    if as_json:
        kept = [{"place": place, "what": what, "until": until} for place, what, until in KEPT]
        print_json({"orders": [each.order_id for each in subjects], "removed": removed, "kept": kept})
        return
    named = ", ".join(each.order_id for each in subjects) or "none that is known"
    say(f"{'Would erase' if dry_run else 'Erased'} of {merchant}: orders {named}")
    done = "would go" if dry_run else "removed"
    gone = [
        (done, e.count, e.place, "; ".join(filter(None, (e.what, e.why))), e.why) for e in removed if e.count or e.why
    ]
    table(COLUMNS, [*gone, *(("stays", "", place, f"{what}; {until}", until) for place, what, until in KEPT)])
    if not gone:
        say("Nothing was there.")
    elif not dry_run:
        say("Older versions of its rows and exceptions are gone once Kafka compacts, within seven days.")


def _refuse_open(subjects: "list[Subject]") -> None:
    open_ = {each.order_id: each.open for each in subjects if each.open}
    if not open_:
        return
    for order, commands in open_.items():
        click.echo(f"order {order} has {len(commands)} command(s) under way: {', '.join(commands)}", err=True)
    click.echo("Nothing was erased: finish, resume or resolve them first (`returnflow line why`).", err=True)
    sys.exit(1)
