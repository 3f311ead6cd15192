"""`returnflow budget`: how far the calls of a day last, and what is left out until then."""

import time

import click

from ops.cli.faults import plain_faults
from ops.cli.settings import with_settings
from ops.cli.show import as_json, print_json
from ops.when import at as moment
from ops.when import lasting
from schemas import secrets
from schemas.merchant_folder import MerchantFolder
from schemas.settings import ProcessSettings
from sinks import shedding
from sinks.connecting import connect_all
from sinks.ledger import budgets
from sinks.ledger.budgets import Budget
from sinks.ledger.engine import open_engine
from sinks.systems import SYSTEMS


@click.command()
@with_settings("ledger", "merchants")
@as_json
def budget(settings: ProcessSettings, as_json: bool) -> None:
    """How many of the calls that a system grants a day are left, and until when they last.

    JSON: a list of {system, owner, merchants, capacity, reserve, left, used, waiting, backlog, gives_way, ends_ms,
    resets_ms}; ends_ms is null when the calls last until the day ends.
    """
    with plain_faults(settings):
        found = _budgets(settings)
    if as_json:
        print_json(found)
    for each in [] if as_json else found:
        click.echo("\n".join(in_words(each, _now_ms())))
    if not (found or as_json):
        click.echo("No merchant uses a system that counts the calls of a day.")


def _budgets(settings: ProcessSettings) -> list[Budget]:
    merchants = MerchantFolder.opened(settings.merchants).merchants
    engine = open_engine(settings.ledger_url)
    found: list[Budget] = []
    with engine.begin() as connection:
        for name, system in sorted(SYSTEMS.items()):
            if name != "returngo":  # the only one that counts days; the others' secrets are none of our business here
                continue
            made, problems = connect_all(system, merchants, lambda ref: secrets.resolve(ref).get_secret_value())
            for merchant, problem in problems.items():
                click.echo(f"{merchant}: {problem}", err=True)
            limits = {merchant: system.limits(each) for merchant, each in made.items()}
            for owner, (limit, named) in budgets.owners(limits).items():
                found.append(budgets.budget(connection, name, owner, limit, named, _now_ms()))
    engine.dispose()
    return found


def in_words(each: Budget, now_ms: int) -> list[str]:
    """What people read."""
    used = sum(each.used.values())
    until = f"the day ends in {lasting((each.resets_ms - now_ms) / 1000)}"
    if each.left < 1:
        ends = f"the budget is used up: {until}"
    elif each.ends_ms is None:
        ends = f"the budget lasts: {until}"
    else:
        ends = f"the budget ends at {_clock(each.ends_ms)}: {until}"
    told = [
        f"{each.system} {each.owner} ({', '.join(each.merchants)}): {used:.0f} of {each.capacity:.0f} calls used, "
        f"{max(each.left, 0.0):.0f} left; {ends}"
    ]
    for priority in (*shedding.LEFT_OUT_FIRST, *shedding.NEVER_LEFT_OUT):
        state = ", left out now" if priority in each.gives_way else ""
        told.append(f"  {shedding.IN_WORDS[priority]}: {each.used.get(priority, 0.0):.0f}{state}")
    told.append(f"  left out and waiting: {each.waiting['marks']} marks, {each.waiting['reads']} reads")
    return told


def _clock(ms: int) -> str:
    return moment(ms)[11:16] + " UTC"


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
