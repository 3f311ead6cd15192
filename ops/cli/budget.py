"""`returnflow budget`: how far the calls of a day last, and what is left out until then."""

import sys
import time
from typing import TYPE_CHECKING

import click

from ops.cli.faults import plain_faults
from ops.cli.layout import Column
from ops.cli.settings import with_settings
from ops.cli.show import as_json, more, on_terminal, print_json, say, table
from ops.when import at as moment
from ops.when import lasting

if TYPE_CHECKING:
    from schemas.settings import ProcessSettings
    from sinks.ledger.budgets import Budget

COLUMNS = (
    Column("system"), Column("owner"), Column("merchants"), Column("calls a day"), Column("used"), Column("left"),
    Column("kept back"), Column("left out now"), Column("waiting marks"), Column("waiting reads"), Column("ends"),
    Column("day ends"),
)  # fmt: skip


@click.command(epilog=more("budget", "budget --merchants /etc/returnflow/merchants", "budget --json", columns=COLUMNS))
@with_settings("ledger", "merchants")
@as_json
def budget(settings: "ProcessSettings", as_json: bool) -> None:
    """How many of the calls that a system grants a day are left, and until when they last.

    Exit status 1 when the budget of a merchant cannot be told, for a secret or a file of it is missing.
    JSON: a list of {system, owner, merchants, capacity, reserve, left, used, waiting, backlog, gives_way, ends_ms,
    resets_ms}; ends_ms is null when the calls last until the day ends.
    """
    with plain_faults(settings):
        found, problems = _budgets(settings)
    if as_json:
        print_json(found)
    elif not on_terminal():
        table(COLUMNS, [_row(each) for each in found])
    else:
        for each in found:
            click.echo("\n".join(in_words(each, _now_ms())))
    for merchant, problem in problems.items():
        click.echo(f"{merchant}: {problem}", err=True)
    if not (found or problems or as_json):
        say("No merchant uses a system that counts the calls of a day.")
    sys.exit(1 if problems else 0)


def _budgets(settings: "ProcessSettings") -> "tuple[list[Budget], dict[str, str]]":
    """Budgets by owner, and what keeps those of some merchants from being told."""
    from schemas import secrets
    from schemas.merchant_folder import MerchantFolder
    from sinks.connecting import connect_all
    from sinks.ledger import budgets
    from sinks.ledger.engine import opened
    from sinks.systems import SYSTEMS

    merchants = MerchantFolder.opened(settings.merchants).merchants
    found: list[Budget] = []
    wrong: dict[str, str] = {}
    with opened(settings.ledger_url) as engine, engine.begin() as connection:
        for name, system in sorted(SYSTEMS.items()):
            if name != "returngo":  # the only one that counts days; the others' secrets are none of our business here
                continue
            made, problems = connect_all(system, merchants, lambda ref: secrets.resolve(ref).get_secret_value())
            wrong |= problems
            limits = {merchant: system.limits(each) for merchant, each in made.items()}
            for owner, (limit, named) in budgets.owners(limits).items():
                found.append(budgets.budget(connection, name, owner, limit, named, _now_ms()))
    return found, wrong


def _row(each: "Budget") -> tuple[object, ...]:
    used = sum(each.used.values())
    left_out = ", ".join(each.gives_way)
    return (
        each.system, each.owner, ", ".join(each.merchants), round(each.capacity), round(used), round(max(each.left, 0)),
        round(each.reserve), left_out, each.waiting["marks"], each.waiting["reads"], moment(each.ends_ms),
        moment(each.resets_ms),
    )  # fmt: skip


def in_words(each: "Budget", now_ms: int) -> list[str]:
    """What people read."""
    from sinks import shedding

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
