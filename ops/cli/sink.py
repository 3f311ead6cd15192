"""`returnflow sink`: a system's worker, and what a person may do with it: pause, resume, see what is paused."""

import sys
from typing import TYPE_CHECKING

import click

from ops.cli import Lasting
from ops.cli.faults import plain_faults
from ops.cli.layout import Column
from ops.cli.processes import OWN, run
from ops.cli.settings import who_says, with_settings
from ops.cli.show import as_json, more, on_terminal, print_json, say, table
from ops.when import at
from schemas.topics import COMMAND_SYSTEMS

if TYPE_CHECKING:
    from schemas.settings import ProcessSettings

COLUMNS = (
    Column("system"), Column("merchant"), Column("since"), Column("by"), Column("waiting"), Column("why", long=True),
)  # fmt: skip


@click.group(
    epilog=more(
        "sink shopify", 'sink pause --system shopify --merchant demo-shop --why "stock count"', "sink status",
        'sink resume --system shopify --merchant demo-shop --why "counted"',
    )
)  # fmt: skip
def sink() -> None:
    """Apply the commands for one system, or pause, resume and look at what is paused."""


def _worker(system: str) -> click.Command:
    @click.command(system, cls=Lasting, short_help=f"The worker of {system}.", epilog=more(f"sink {system}"))
    @with_settings(*OWN)
    def worker(settings: "ProcessSettings") -> None:
        from sinks import worker as process

        run(settings, f"sink-{system}", lambda: process.main(settings, system))

    worker.help = f"Apply the commands for {system} over HTTP and report how each ended, until asked to stop."
    return worker


for _system in COMMAND_SYSTEMS:
    sink.add_command(_worker(_system))


_system_option = click.option("--system", help="Only this system, such as shopify; else every one.")
_merchant_option = click.option("--merchant", help="Only this merchant; else every one.")
_by = who_says("Who says so")


@sink.command(epilog=more('sink pause --merchant demo-shop --why "they move house"'))
@_system_option
@_merchant_option
@click.option("--why", required=True, help="The reason, for those who find it paused.")
@_by
@with_settings("kafka", "registry", "ledger", "merchants")
def pause(
    settings: "ProcessSettings", system: str | None, merchant: str | None, why: str, by: str
) -> None:  # fmt: skip
    """Send nothing more to a system, for a merchant, or for a merchant's system, until `returnflow sink resume`.

    Within two seconds every running worker knows it; what is under way ends as usual, and what comes waits in the
    ledger, in order, for as long as it takes. It outlives restarts, and nothing but `resume` ends it.
    """
    from ops import holding
    from schemas.clock import wall_ms

    with plain_faults(settings), holding.opened(settings) as desk:
        wanted = desk.scope(system, merchant, why=why, by=by, at_ms=wall_ms())
        stands = desk.hold(wanted)
    if stands is not wanted:
        click.echo(f"paused already: {stands.what}, since {at(stands.since_ms)} by {stands.by}: {stands.why}")
        return
    click.echo(
        f"paused: {stands.what}. What is under way ends; `returnflow sink resume` with the same options goes on."
    )


@sink.command(epilog=more("sink resume --merchant demo-shop"))
@_system_option
@_merchant_option
@click.option("--why", default="", help="What became of the reason.")
@_by
@with_settings("kafka", "registry", "ledger", "merchants")
def resume(
    settings: "ProcessSettings", system: str | None, merchant: str | None, why: str, by: str
) -> None:  # fmt: skip
    """End a pause; give the options that it was made with. What waited goes out in order, at the system's pace.

    Exit status 1 when nothing is paused by exactly these options.
    """
    from ops import holding
    from schemas.clock import wall_ms

    with plain_faults(settings), holding.opened(settings) as desk:
        wanted = desk.scope(system, merchant, why=why, by=by, at_ms=wall_ms(), known=False)
        ended = desk.resume(wanted)
        others = holding.ways_out(desk.current()) if ended is None else ""
    if ended is not None:
        click.echo(f"resumed: {ended.what}, paused since {at(ended.since_ms)} by {ended.by}: {ended.why}")
        return
    click.echo(f"not paused: {wanted.what}. {others}", err=True)
    sys.exit(1)


@sink.command(epilog=more("sink status", "sink status --json", columns=COLUMNS))
@with_settings("ledger")
@as_json
def status(settings: "ProcessSettings", as_json: bool) -> None:
    """What is paused, by whom and why, and how many commands wait for it in the ledger.

    JSON: a list of {system, merchant, by, why, since_ms, commands, oldest_ms}; "*" stands for every one, `by` is
    "returnflow" for what the sinks paused themselves, oldest_ms is null when nothing waits.
    """
    from ops import holding

    with plain_faults(settings):
        found = holding.standing(settings.ledger_url)
    if as_json:
        print_json(found)
        return
    if found or not on_terminal():
        table(COLUMNS, [(e.system, e.merchant, at(e.since_ms)[:16], e.by, e.commands, e.why) for e in found])
    if not found:
        say("Nothing is paused.")
