"""What the ledger forgets for its age. In small parts: other processes wait for the same tables meanwhile.

An effect is forgotten only when Kafka has its command no more (sinks.settings), and never while it is open. Which
command has paid for a unit is not forgotten at all: another command for it must never be sent.
"""

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection, delete, exists, func, select

from sinks.ledger.parking import Waiting, waiting_of
from sinks.ledger.pauses import EVERY_MERCHANT, EVERY_SYSTEM
from sinks.ledger.tables import batches, effects, held, paid_units, parked_commands, parked_lanes, quota_leases

AT_ONCE = 200


class Pruned(msgspec.Struct, frozen=True, kw_only=True):
    """Rows that are gone."""

    effects: int
    batches: int
    leases: int


def newest_ms(connection: Connection, system: str) -> int | None:
    """When an effect of this system was settled last."""
    row = effects.c
    statement = select(func.max(row.updated_ms)).where(row.system == system, row.state == "settled")
    found: int | None = connection.execute(statement).scalar_one()
    return found


def prune(connection: Connection, *, system: str, before_ms: int, unheard_ms: int) -> Pruned:
    """Forget some of what has ended before `before_ms`, and leases of holders not heard of since `unheard_ms`."""
    return Pruned(
        effects=_effects(connection, system, before_ms),
        batches=_batches(connection, system, before_ms),
        leases=connection.execute(
            delete(quota_leases).where(quota_leases.c.system == system, quota_leases.c.until_ms < unheard_ms)
        ).rowcount,
    )


def _effects(connection: Connection, system: str, before_ms: int) -> int:
    row = effects.c
    waits = exists().where(parked_commands.c.command_id == row.command_id)
    statement = (
        select(row.command_id, row.outcome)
        .where(row.system == system, row.state == "settled", row.updated_ms < before_ms, ~waits)
        .order_by(row.updated_ms)
        .limit(AT_ONCE)
    )
    found = connection.execute(statement).all()
    refused = [each.command_id for each in found if each.outcome == "rejected"]
    if refused:  # they hold no unit: whoever looks finds that by their effect, which is about to go
        connection.execute(delete(paid_units).where(paid_units.c.command_id.in_(refused)))
    if found:
        connection.execute(delete(effects).where(row.command_id.in_([each.command_id for each in found])))
    return len(found)


def _batches(connection: Connection, system: str, before_ms: int) -> int:
    row = batches.c
    member = exists().where(effects.c.batch_id == row.batch_id)
    old = (
        select(row.batch_id)
        .where(row.system == system, row.state != "open", row.updated_ms < before_ms, ~member)
        .limit(AT_ONCE)
    )
    return connection.execute(delete(batches).where(row.batch_id.in_(old))).rowcount


def waited_too_long(connection: Connection, *, system: str, before_ms: int, now_ms: int) -> Sequence[Waiting]:
    """Commands that came before `before_ms` and wait in lanes that nobody is at, some of them; none that a person has
    paused, however long."""
    row, lane, pause = parked_commands.c, parked_lanes.c, held.c
    paused = exists().where(
        pause.system.in_((EVERY_SYSTEM, row.system)), pause.merchant.in_((EVERY_MERCHANT, row.merchant))
    )
    taken = exists().where(
        lane.system == row.system, lane.key == row.key, lane.held_by.is_not(None), lane.held_until_ms > now_ms
    )
    old = (
        select(parked_commands)
        .where(row.system == system, row.parked_ms.between(1, before_ms - 1), ~taken, ~paused)
        .order_by(row.seq)
        .limit(AT_ONCE)
    )
    return [waiting_of(each) for each in connection.execute(old)]


def drop_empty(connection: Connection, *, system: str) -> None:
    """Lanes in which nothing waits any more and that nobody holds."""
    lane, row = parked_lanes.c, parked_commands.c
    waits = exists().where(row.system == lane.system, row.key == lane.key)
    connection.execute(delete(parked_lanes).where(lane.system == system, lane.held_by.is_(None), ~waits))
