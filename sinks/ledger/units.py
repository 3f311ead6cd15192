"""Which command a unit's money moves with. Of two commands that name the same unit, only the first ever pays for it."""

from collections.abc import Mapping, Sequence, Set

from sqlalchemy import Connection, bindparam, insert, select, update

from sinks.ledger.tables import effects, paid_units

_UNIT = paid_units.c.unit == bindparam("_unit")
_MOVE = update(paid_units).where(_UNIT).values(command_id=bindparam("_command_id"))


def holders(connection: Connection, units: Sequence[str]) -> tuple[dict[str, str], set[str]]:
    """Command by unit, of those units that have one, and the units that a refused command has. Locks what it finds."""
    if not units:
        return {}, set()
    held = select(paid_units.c.unit, paid_units.c.command_id).where(paid_units.c.unit.in_(set(units)))
    found = {row.unit: row.command_id for row in connection.execute(held.with_for_update())}
    ended = select(effects.c.command_id).where(
        effects.c.command_id.in_(set(found.values())), effects.c.outcome == "rejected"
    )
    refused = {row.command_id for row in connection.execute(ended)} if found else set()
    freed = {unit for unit, command_id in found.items() if command_id in refused}
    return {unit: command_id for unit, command_id in found.items() if unit not in freed}, freed


def take(command_id: str, units: Sequence[str], held: dict[str, str], wanted: dict[str, str]) -> str | None:
    """The command that has one of the units already; None: all are this one's now, in `held`, news in `wanted` too."""
    for unit in units:
        if held.get(unit, command_id) != command_id:
            return held[unit]
    mine = {unit: command_id for unit in units if unit not in held}
    held |= mine
    wanted |= mine
    return None


def hold(connection: Connection, wanted: Mapping[str, str], freed: Set[str]) -> None:
    """Give units (by name) to their commands; `freed` are those that a refused command has."""
    moved = [{"_unit": unit, "_command_id": command_id} for unit, command_id in wanted.items() if unit in freed]
    if moved:
        connection.execute(_MOVE, moved)
    new = [{"unit": unit, "command_id": command_id} for unit, command_id in wanted.items() if unit not in freed]
    if new:
        connection.execute(insert(paid_units), new)  # taken meanwhile by another worker: each is looked at again
