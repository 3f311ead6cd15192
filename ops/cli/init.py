"""`returnflow merchants init`: writes a merchant file by asking, and by reading the shop."""

import os
import re
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ops.cli.faults import plain_faults
from ops.cli.settings import with_settings
from ops.cli.show import more
from schemas.startup import CannotStart

if TYPE_CHECKING:
    from ops.merchant_file import Answers
    from ops.shop_reading import Shop
    from schemas.settings import ProcessSettings

RETURNGO = "https://api.returngo.ai"
INSPECTS = ("returngo", "warehouse", "either")
API_VERSION = "2026-04"
PLAYED_WITHIN_SECONDS = 10.0


class Asking:
    """Answers from options, else from the person, else the usual ones."""

    def __init__(self, given: dict[str, Any], ask: bool) -> None:
        self._given, self._ask = given, ask

    def __call__(self, name: str, question: str, usual: str | None, **how: Any) -> str:
        given = self._given.get(name)
        if given is not None:
            return str(given)
        flag = f"--{name.replace('_', '-')}"
        if not self._ask:
            if usual is None:
                raise CannotStart(f"expected a value for {flag} ({question}), got none: nothing can be assumed for it")
            return usual
        try:
            return str(click.prompt(question, default=usual, **how))
        except click.Abort:
            raise CannotStart(f"expected an answer to {question!r}; give {flag}, or --yes for what is usual") from None


@click.command(epilog=more("merchants init my-shop", "merchants init my-shop --sandbox --yes"))
@click.argument("merchant", required=False)
@click.option("--shop", metavar="DOMAIN", help="The shop's myshopify.com domain.")
@click.option("--shop-url", metavar="URL", help="Where the Admin API is, if not at https://DOMAIN.")
@click.option("--token", metavar="REFERENCE", help="env:NAME or file:/path of the Admin API token; the shop is read.")
@click.option("--sandbox", is_flag=True, help="Read the demo shop of a running `up --sandbox` instead, to try it.")
@click.option("--currency", help="The shop's currency, as EUR.")
@click.option("--time-zone", help="As Europe/Berlin.")
@click.option("--sellable-to", metavar="ID", help="Location that sellable goods go to.")
@click.option("--damaged-to", metavar="ID", help="Location that damaged goods go to, or none.")
@click.option("--inspects", type=click.Choice(INSPECTS), help="Whose inspection counts.")
@click.option("--gateway-url", metavar="URL", help="Our gateway as ReturnGO and Shopify reach it, or none.")
@click.option("--returngo-url", metavar="URL", default=RETURNGO, show_default=True)
@click.option("--yes", is_flag=True, help="Ask nothing: what is usual, but for the options.")
@with_settings("merchants", "data-dir")
def init(
    settings: "ProcessSettings", merchant: str | None, shop_url: str | None, sandbox: bool, yes: bool,
    returngo_url: str, **given: Any,
) -> None:  # fmt: skip
    """Write the file of a new MERCHANT: what is asked, and what its shop tells of itself (places, currency, tenders).

    Secrets are named in the file and never read from the keyboard. To have the shop read, set the variable of its
    token first, such as MY_SHOP_SHOPIFY_TOKEN.
    """
    from ops.merchant_file import secrets, text
    from schemas.merchant import MerchantFileError, parse

    ask = Asking({**given, "merchant": merchant}, ask=not yes)
    with plain_faults(settings):
        answers = _answers(ask, settings, sandbox, shop_url, returngo_url)
        target = settings.merchants / f"{answers.merchant}.toml"
        content = text(answers).encode()
        try:
            parse(target, content)
        except MerchantFileError as problem:
            raise CannotStart(f"nothing was written, for these answers do not fit together:\n{problem}") from problem
        _write(target, content)
    click.echo(f"\n{target} is written. To serve the real shop, set where Returnflow runs:\n")
    for reference, what in secrets(answers).items():
        click.echo(f"  {reference.partition(':')[2]}\n      {what}")
    click.echo(f"\nThen: returnflow merchants check {answers.merchant}")
    click.echo(f"\n{_first_try(settings, answers.merchant)}")


def _first_try(settings: "ProcessSettings", merchant: str) -> str:
    from ops.closing import own_return
    from ops.data_directory import running_in

    running = running_in(settings.data_dir)
    if running is None or running.sandbox is None or not _played(Path(running.merchants) / f"{merchant}.toml"):
        return "To try it first, without a secret and without the real shop: returnflow up --sandbox"
    return f"The sandbox that runs here plays it. A return of it:\n  {own_return(settings, merchant)}"


def _played(copy: Path) -> bool:
    """Whether the sandbox that runs takes up what was written just now."""
    deadline = time.monotonic() + PLAYED_WITHIN_SECONDS
    while not copy.exists():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def _answers(
    ask: Asking, settings: "ProcessSettings", sandbox: bool, shop_url: str | None, returngo_url: str
) -> "Answers":
    from ops.merchant_file import Answers, variable

    name = ask("merchant", "Name of the merchant (a-z, 0-9, -)", None if not sys.stdin.isatty() else "my-shop")
    _check_name(name, settings.merchants)
    shop = ask("shop", "Domain of the Shopify shop", f"{name}.myshopify.com")
    shop = re.sub(r"^https?://|/.*$", "", shop.strip())
    token = ask._given.get("token") or f"env:{variable(name, 'SHOPIFY_TOKEN')}"
    address = shop_url or f"https://{shop}"
    read = _read(settings, token, address, sandbox)
    usual = _offered(read)
    sellable = ask(
        "sellable_to",
        "Location id for sellable goods (the number in its address in the admin)",
        usual[0] if usual else None,
    )
    damaged = ask("damaged_to", "Location id for damaged goods, or none", usual[-1] if usual else "none")
    gateway = ask("gateway_url", "Public https:// address of our gateway, or none", "none")
    return Answers(
        merchant=name, shop=shop, shop_url=address, returngo_url=returngo_url, token=token,
        currency=ask("currency", "Currency of the shop", read.currency if read else None).upper(),
        time_zone=ask("time_zone", "Time zone of the shop", read.time_zone if read else _here()),
        gateway_url="" if gateway == "none" else gateway.rstrip("/"),
        sellable=sellable, damaged="" if damaged == "none" else damaged,
        inspects=ask("inspects", "Whose inspection counts", "returngo", type=click.Choice(INSPECTS)),  # type: ignore[arg-type]
        places=read.places if read else (), gateways=read.gateways if read else (),
        currencies=read.currencies if read else (),
    )  # fmt: skip


def _check_name(name: str, folder: Path) -> None:
    from ops.configuration import place_of

    target = place_of(folder, name)
    if target.exists():
        raise CannotStart(f"{target} is the file of {name} already; `returnflow merchants apply` changes it")


def _read(settings: "ProcessSettings", token: str, url: str, sandbox: bool) -> "Shop | None":
    """The shop as it tells of itself; None where no token is there to ask with."""
    from ops.shop_reading import read_shop
    from schemas.secrets import SecretMissing, resolve

    if sandbox:
        return _read_sandbox(settings.data_dir)
    kind, _, name = token.partition(":")
    if kind not in ("env", "file"):
        raise CannotStart("--token: expected a reference env:NAME or file:/path, got something else (not shown)")
    if kind == "env" and not os.environ.get(name):
        click.echo(f"{name} is not set, so the shop is not read: you are asked for what it would tell.", err=True)
        return None
    try:
        secret = resolve(token)
    except SecretMissing as problem:
        raise CannotStart(str(problem)) from problem
    return read_shop(url, API_VERSION, secret)


def _read_sandbox(data_dir: Path) -> "Shop":
    from pydantic import SecretStr

    from ops.cli.sandbox import EXAMPLE, made_up, running
    from ops.shop_reading import read_shop
    from schemas.merchant_folder import MerchantFolder

    known = MerchantFolder.opened(Path(running(data_dir).merchants)).merchants
    shop = known.get(EXAMPLE, next(iter(known.values()))).systems.shopify
    if shop is None:
        raise CannotStart("expected a shop in the sandbox, found none")
    return read_shop(shop.base_url, shop.api_version, SecretStr(made_up(shop.access_token)))


def _offered(read: "Shop | None") -> list[str]:
    """Ids that goods can go to; all that the shop has are shown."""
    if read is None:
        return []
    click.echo("Locations of the shop:")
    for each in read.places:
        state = "" if each.active and each.ours else " (closed)" if each.ours else " (a fulfilment service's)"
        click.echo(f"  {each.id}  {each.name}{state}")
    click.echo(f"Paid by, so far: {', '.join(read.gateways) or 'no order yet'}")
    return [each.id for each in read.places if each.active and each.ours]


def _here() -> str:
    """The time zone of this machine, where it is known by a name."""
    zone = os.path.realpath("/etc/localtime").partition("zoneinfo/")[2]
    return os.environ.get("TZ") or zone or "UTC"


def _write(target: Path, content: bytes) -> None:
    from ops import configuration

    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CannotStart(f"expected to write {target}, got: {error.strerror}") from error
    configuration.check_fits(content, target.parent, target, target.stem)
    configuration.put(content, target.parent, target)
