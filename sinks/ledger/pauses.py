"""Merchants' systems that the sinks have paused, until a probe or a person clears them. What a person pauses is held
(`holds`), apart from this: no probe and no mended file ends it."""

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection, delete, insert, or_, select, update

from schemas.clock import TOLERANCE_MS
from sinks.ledger.tables import effects, paused

EVERY_MERCHANT = "*"
EVERY_SYSTEM = "*"


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
    patience_anew(connection, system=system, merchant=merchant)
    return connection.execute(delete(paused).where(row.system == system, row.merchant == merchant)).rowcount > 0


def patience_anew(connection: Connection, *, system: str, merchant: str) -> None:
    """The time of a pause is no time of failing: what failed before it would be given up at the first try after it."""
    row = effects.c
    scope = [row.state != "settled", row.failing_since_ms.is_not(None)]
    scope += [] if system == EVERY_SYSTEM else [row.system == system]
    scope += [] if merchant == EVERY_MERCHANT else [row.merchant == merchant]
    connection.execute(update(effects).where(*scope).values(failing_since_ms=None))
