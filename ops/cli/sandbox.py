"""`returnflow sandbox`: the stand-in for ReturnGO and Shopify as a process, and a return that comes in through it."""

import shlex
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, get_args
from urllib.parse import urlsplit

import click

from ops.cli.faults import plain_faults
from ops.cli.settings import with_settings
from ops.cli.show import as_json, more, print_json
from ops.sandbox_return import STEPS, Grade
from schemas.startup import CannotStart

if TYPE_CHECKING:
    from ops.data_directory import Running
    from ops.demo.client import Warehouse
    from schemas.merchant import Merchant
    from schemas.settings import ProcessSettings

EXAMPLE = "demo-shop"


@click.group(invoke_without_command=True, epilog=more("sandbox", "sandbox --port 8900", "sandbox return"))
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8900, show_default=True, type=click.IntRange(0, 65535), help="Port to listen on.")
@with_settings("log-level", "log-format")
@click.pass_context
def sandbox(ctx: click.Context, settings: "ProcessSettings", host: str, port: int) -> None:
    """Stand in for ReturnGO and Shopify, with books that can be read and faults on demand.

    Without a command: runs until Ctrl-C. `returnflow up --sandbox` starts it with everything else.
    """
    if ctx.invoked_subcommand is not None:
        return
    from ops import sandbox as process
    from ops.logs import configure

    configure(settings, "sandbox")
    with plain_faults(settings):
        status = process.main(host, port)
    sys.exit(status)


_RETURNS = more(
    "sandbox return", "sandbox return --grade damaged --quantity 2",
    "sandbox return --order 1001 --sku MUG --until approved",
)  # fmt: skip


@sandbox.command("return", epilog=_RETURNS)
@click.option("--merchant", help="Whose; else the only one beside demo-shop, or that.")
@click.option("--order", metavar="NAME", help="An order that is there, such as #1001; else one is placed.")
@click.option("--sku", help="What comes back; else the first goods in stock.")
@click.option("--quantity", default=1, show_default=True, type=click.IntRange(1, 100))
@click.option("--grade", default="sellable", show_default=True, type=click.Choice(get_args(Grade)))
@click.option("--reason", help="The customer's; else the first that the merchant file knows.")
@click.option("--until", default="inspected", show_default=True, type=click.Choice(STEPS), help="The last step.")
@with_settings("data-dir")
@as_json
def make_return(settings: "ProcessSettings", merchant: str | None, as_json: bool, **wanted: object) -> None:
    """Make a whole return in the sandbox of a running `up --sandbox` or `demo` (by its data directory).

    An order is placed, its return requested, approved, shipped, received and inspected; Returnflow hears of each step
    as it does from real systems.

    JSON: {rma, order, merchant, sku, quantity, grade, tracking}; grade and tracking are null before their step.
    """
    from ops.closing import follow
    from ops.demo.client import Refused, Sandbox
    from ops.sandbox_return import Wanted, make

    here = running(settings.data_dir)
    port = urlsplit(here.sandbox or "").port or 0
    chosen = _merchant(Path(here.merchants), merchant)
    with plain_faults(settings):
        try:
            with closing(Sandbox(port)) as there:
                tell: Callable[[str], object] = (lambda _: None) if as_json else click.echo
                asked = Wanted(**wanted)  # type: ignore[arg-type]  # click has checked them
                made = make(there, chosen, _warehouse(here, chosen), asked, tell)
        except Refused as problem:
            raise CannotStart(str(problem)) from problem
    if as_json:
        print_json(made)
        return
    click.echo(f"\nFollow it:\n  {shlex.join(follow(made.rma, here.kafka))}")


def running(data_dir: Path) -> "Running":
    """Whose sandbox runs with that data directory; raises CannotStart when none does."""
    from ops.data_directory import running_in

    found = running_in(data_dir)
    if found is None or found.sandbox is None:
        raise CannotStart(
            f"expected a running `returnflow up --sandbox` with the data directory {data_dir}, found none. Start it, "
            "or name its directory with --data-dir."
        )
    return found


def _merchant(folder: Path, name: str | None) -> "Merchant":
    from ops.cli.merchants import named
    from schemas.merchant_folder import MerchantFolder

    if name is not None:
        return named(folder, name)
    known = MerchantFolder.opened(folder).merchants
    own = sorted(known.keys() - {EXAMPLE})
    if len(own) == 1:
        return known[own[0]]
    if EXAMPLE not in known:
        raise CannotStart(f"expected --merchant with one of {', '.join(own)}, got none")
    return known[EXAMPLE]


def _warehouse(here: "Running", merchant: "Merchant") -> "Warehouse | None":
    """Where it is the one who inspects."""
    from ops.demo.client import Warehouse

    door = merchant.systems.warehouse
    if door is None or merchant.model.inspecting.source != "warehouse":
        return None
    return Warehouse(urlsplit(here.gateway).port or 0, merchant.merchant, made_up(door.webhook_secrets[0]))


def made_up(reference: str) -> str:
    """A secret that protects nothing: of the worked example, or made for this sandbox."""
    from ops.sandbox_shop import SECRETS

    kind, _, name = reference.partition(":")
    return SECRETS[name] if kind == "env" else Path(name).read_text(encoding="ascii")
