"""`returnflow ledger`: the SQL database of effects, quotas, parked lanes and cursors."""

import sys
from typing import TYPE_CHECKING

import click
import msgspec

from ops.cli.faults import plain_faults
from ops.cli.layout import Column
from ops.cli.settings import with_settings, without_password
from ops.cli.show import as_json, describe, heading, more, on_terminal, print_json, table
from ops.when import at

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from schemas.settings import ProcessSettings

COLUMNS = (
    Column("batch", only="pipe"),
    Column("merchant", only="pipe"),
    Column("system", only="pipe"),
    Column("state", only="pipe"),
    Column("known as", only="pipe"),
    Column("first sent", only="pipe"),
    Column("times sent", only="pipe"),
    Column("became", only="pipe"),
    Column("command"),
    Column("kind"),
    Column("outcome"),
    Column("key", long=True),
)


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """A command of a batch. `outcome` is None until it is settled."""

    command_id: str
    kind: str
    key: str
    outcome: str | None


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """One request for several commands; one that was refused has let its commands go."""

    batch_id: str
    merchant: str
    system: str
    state: str
    reference: str
    sends: int
    first_sent_ms: int | None
    external_ids: dict[str, str]
    commands: tuple[Member, ...]


@click.group(epilog=more("ledger upgrade", "ledger batch 1000000065"))
def ledger() -> None:
    """Create or upgrade the ledger's tables; look at what went out together."""


@ledger.command(epilog=more("ledger upgrade", "ledger upgrade --ledger postgresql://returnflow@db.internal/returnflow"))
@with_settings("ledger")
def upgrade(settings: "ProcessSettings") -> None:
    """Bring the ledger to the newest form; harmless when it is there already."""
    from sinks.ledger.engine import open_engine

    with plain_faults(settings):
        open_engine(settings.ledger_url).dispose()
    click.echo(f"The ledger at {without_password(settings.ledger_url)} is up to date.")


@ledger.command(epilog=more("ledger batch BATCH", "ledger batch BATCH --json", columns=COLUMNS))
@click.argument("batch")
@with_settings("ledger")
@as_json
def batch(settings: "ProcessSettings", batch: str, as_json: bool) -> None:
    """The commands of BATCH: its id, or how the system's own history names it.

    Exit status 1 when there is no such batch.
    JSON: {batch_id, merchant, system, state, reference, sends, first_sent_ms, external_ids, commands: [{command_id,
    kind, key, outcome}]}; state is open, applied, refused or unsent.
    """
    from sinks.ledger.engine import opened

    with plain_faults(settings), opened(settings.ledger_url) as engine, engine.connect() as connection:
        found = _find(connection, batch.rpartition("/")[2])
    if found is None:
        click.echo(
            f"expected the id of a batch, or its name in the system's own history, got {batch!r}: the ledger at "
            f"{without_password(settings.ledger_url)} knows none.",
            err=True,
        )
        sys.exit(1)
    if as_json:
        print_json(found)
        return
    external = ", ".join(f"{name} {value}" for name, value in sorted(found.external_ids.items()))
    told: list[tuple[str, object]] = [
        ("batch", found.batch_id), ("merchant", found.merchant), ("system", found.system), ("state", found.state),
        ("known as", found.reference), ("first sent", at(found.first_sent_ms)), ("times sent", found.sends),
        ("became", external),
    ]  # fmt: skip
    if on_terminal():
        describe(told)
        heading("Commands")
    shared = [value for _, value in told]
    table(COLUMNS, [(*shared, each.command_id, each.kind, each.outcome or "open", each.key) for each in found.commands])


def _find(connection: "Connection", batch_id: str) -> Batch | None:
    import orjson
    from sqlalchemy import select

    from sinks.ledger.tables import batches, effects

    row = connection.execute(select(batches).where(batches.c.batch_id == batch_id)).first()
    if row is None:
        return None
    columns = [effects.c[name] for name in Member.__struct_fields__]
    of_it = select(*columns).where(effects.c.batch_id == batch_id).order_by(effects.c.command_id)
    same = {name: getattr(row, name) for name in Batch.__struct_fields__ if name not in ("external_ids", "commands")}
    return Batch(
        external_ids=orjson.loads(row.external_ids),
        commands=tuple(Member(**each._mapping) for each in connection.execute(of_it)),
        **same,
    )
