"""What our own side says of the day: commands, results, exceptions, the ledger's effects.

Touches the broker and the ledger.
"""

from collections.abc import Iterator

import msgspec
from sqlalchemy import select

from ops import inbox
from ops.demo.stage import Stage
from ops.kafka import read
from schemas.codec import Codec
from schemas.commands import Annotate, Command, CommandResult, Exchange, Journal, Refund, Restock, StoreCredit
from schemas.exceptions import ExceptionRaised
from schemas.kafka import Brokers
from schemas.topics import AGENTS, COMMAND_RESULTS, SYSTEMS, commands_of, dead_letters
from sinks.ledger.engine import opened
from sinks.ledger.tables import effects

USED = ("shopify", "returngo")
KINDS = Restock | Refund | StoreCredit | Exchange | Annotate | Journal


class Effect(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the ledger."""

    command_id: str
    kind: str
    state: str
    outcome: str | None


class Records(msgspec.Struct, frozen=True, kw_only=True):
    """The day of all merchants. `results` may hold several for one command: a repeat says the same again."""

    commands: dict[str, Command]
    results: dict[str, list[CommandResult]]
    exceptions: tuple[ExceptionRaised, ...]  # open ones
    effects: dict[str, Effect]
    dead_letters: dict[str, int]  # by topic, those without a key too


def gather(stage: Stage) -> Records:
    """Everything as it is now."""
    codec, bootstrap, ours = stage.codec, stage.settings.kafka, stage.merchants
    commands = {each.command_id: each for each in _commands(codec, bootstrap) if each.merchant in ours}
    results: dict[str, list[CommandResult]] = {}
    for seen in read(bootstrap, COMMAND_RESULTS):
        result = codec.decode_as(CommandResult, seen.value)
        if result.merchant in ours:
            results.setdefault(result.command_id, []).append(result)
    found = inbox.load(bootstrap, codec)
    raised = tuple(i.raised for i in found.items if i.state == "open" and i.raised.merchant in ours)
    names = [dead_letters(each) for each in (*SYSTEMS, *AGENTS)]
    mine = tuple(f"{merchant}|".encode() for merchant in ours)  # keys are as in the topic that a record came from
    dead = {name: sum((each.key or mine[0]).startswith(mine) for each in read(bootstrap, name)) for name in names}
    return Records(
        commands=commands,
        results=results,
        exceptions=raised,
        effects=_effects(stage),
        dead_letters={name: count for name, count in dead.items() if count},
    )


def _commands(codec: Codec, bootstrap: Brokers) -> Iterator[Command]:
    for system in USED:
        for seen in read(bootstrap, commands_of(system)):
            record = codec.decode(seen.value)
            if isinstance(record, KINDS):
                yield record


def _effects(stage: Stage) -> dict[str, Effect]:
    with opened(stage.settings.ledger_url) as engine, engine.connect() as connection:
        row = effects.c
        found = connection.execute(
            select(row.command_id, row.kind, row.state, row.outcome).where(row.merchant.in_(stage.merchants))
        )
        return {
            each.command_id: Effect(command_id=each.command_id, kind=each.kind, state=each.state, outcome=each.outcome)
            for each in found
        }
