"""Pauses by a person: of a system, of a merchant, or of a merchant's system. Durable, and ended by a person alone."""

from collections.abc import Iterable

import msgspec
from sqlalchemy import Connection, delete, exists, func, insert, or_, select

from sinks.ledger.pauses import EVERY_MERCHANT, EVERY_SYSTEM, patience_anew
from sinks.ledger.tables import effects, held, parked_commands, parked_lanes

# Why a lane waits, in the ledger: neither it nor its system is failing.
HELD = "held"


class Hold(msgspec.Struct, frozen=True, kw_only=True):
    """What a person paused; EVERY_SYSTEM and EVERY_MERCHANT stand for all."""

    system: str
    merchant: str
    why: str
    by: str
    since_ms: int

    def covers(self, system: str, merchant: str) -> bool:
        return self.system in (EVERY_SYSTEM, system) and self.merchant in (EVERY_MERCHANT, merchant)

    @property
    def what(self) -> str:
        """In words."""
        system = "every system" if self.system == EVERY_SYSTEM else self.system
        return system if self.merchant == EVERY_MERCHANT else f"{system} of {self.merchant}"


class Backlog(msgspec.Struct, frozen=True, kw_only=True):
    """Commands that wait in the ledger though their offsets are settled, of one merchant's system and partition."""

    system: str
    merchant: str
    topic: str
    partition: int
    commands: int
    oldest_ms: int


def hold(connection: Connection, wanted: Hold) -> Hold:
    """The hold as it stands: `wanted`, or the one that was there before."""
    found = _same(connection, wanted.system, wanted.merchant)
    if found is None:
        connection.execute(insert(held), [msgspec.to_builtins(wanted)])
    return found or wanted


def resume(connection: Connection, *, system: str, merchant: str) -> Hold | None:
    """The hold that is ended by this, None when there was none. What it held up is due at once."""
    found = _same(connection, system, merchant)
    if found is not None:
        connection.execute(delete(held).where(held.c.system == system, held.c.merchant == merchant))
        patience_anew(connection, system=system, merchant=merchant)
    return found


def _same(connection: Connection, system: str, merchant: str) -> Hold | None:
    row = connection.execute(select(held).where(held.c.system == system, held.c.merchant == merchant)).first()
    return None if row is None else Hold(**row._mapping)


def current(connection: Connection, system: str | None = None) -> list[Hold]:
    """All holds, or those that concern a system; oldest first."""
    statement = select(held).order_by(held.c.since_ms)
    if system is not None:
        statement = statement.where(held.c.system.in_((EVERY_SYSTEM, system)))
    return [Hold(**row._mapping) for row in connection.execute(statement)]


def backlog(connection: Connection) -> list[Backlog]:
    """Everything that waits in parked lanes, for whatever reason."""
    row = parked_commands.c
    place = (row.system, row.merchant, row.topic, row.partition)
    statement = select(*place, func.count(), func.min(row.parked_ms)).group_by(*place).order_by(*place)
    return [
        Backlog(system=each[0], merchant=each[1], topic=each[2], partition=each[3], commands=each[4], oldest_ms=each[5])
        for each in connection.execute(statement)
    ]


def known(connection: Connection, merchants: Iterable[str]) -> set[str]:
    """Which of these merchants the ledger has commands of, whether they have a file or not."""
    return {
        name
        for name in merchants
        if connection.execute(
            select(or_(*(exists().where(table.c.merchant == name) for table in (parked_lanes, effects, held))))
        ).scalar_one()
    }
