"""Merchants' systems that are paused, by us or by a person, until a probe or a person clears them."""

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection, delete, insert, or_, select, update

from schemas.clock import TOLERANCE_MS
from sinks.ledger.tables import paused

EVERY_MERCHANT = "*"


class Pause(msgspec.Struct, frozen=True, kw_only=True):
    """Why nothing is sent, since when, and when the next probe is due."""

    system: str
    merchant: str  # EVERY_MERCHANT: all of them
    code: str
    detail: str
    since_ms: int
    probe_ms: int


def pause(connection: Connection, pauses: Sequence[Pause]) -> list[bool]:
    """Whether each is new; a pause that is there already stays as it was."""
    answers = []
    for each in pauses:
        row = paused.c
        there = connection.execute(select(row.code).where(row.system == each.system, row.merchant == each.merchant))
        new = there.first() is None
        if new:
            connection.execute(insert(paused), [msgspec.to_builtins(each)])
        answers.append(new)
    return answers


def current(connection: Connection, system: str) -> list[Pause]:
    """All pauses of a system."""
    rows = connection.execute(select(paused).where(paused.c.system == system))
    return [Pause(**row._mapping) for row in rows]


def due_probe(connection: Connection, *, system: str, now_ms: int, next_ms: int) -> Pause | None:
    """A pause whose probe is due, now postponed to `next_ms` so that one worker probes."""
    row = paused.c
    # further ahead than any probe is put off: by a clock that has been set back
    due = or_(row.probe_ms <= now_ms, row.probe_ms > next_ms + TOLERANCE_MS)
    statement = select(paused).where(row.system == system, due).order_by(row.probe_ms).limit(1)
    found = connection.execute(statement.with_for_update(skip_locked=True)).first()
    if found is None:
        return None
    connection.execute(
        update(paused).where(row.system == system, row.merchant == found.merchant).values(probe_ms=next_ms)
    )
    return Pause(**found._mapping)


def probe_at(connection: Connection, *, system: str, merchant: str, at_ms: int) -> None:
    """The probe of this pause is due then."""
    row = paused.c
    connection.execute(update(paused).where(row.system == system, row.merchant == merchant).values(probe_ms=at_ms))


def clear(connection: Connection, *, system: str, merchant: str) -> bool:
    """Whether there was such a pause. What it held up is due: parked lanes are tried as soon as nothing pauses them."""
    row = paused.c
    return connection.execute(delete(paused).where(row.system == system, row.merchant == merchant)).rowcount > 0
