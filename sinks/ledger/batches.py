"""Batches: effects that go out in one request. Written down before it is sent, so that a repeat is the same request.

A batch is open until somebody saw that it was applied, or that it did nothing. While it is open its members go out with
it and in no other way. Only who holds a batch sends it or says that it did nothing, so its members are not let go while
a request of it is under way.
"""

from typing import Any, Literal

import msgspec
import orjson
from sqlalchemy import ColumnElement, Connection, insert, select, update

from schemas.clock import ahead
from sinks.ledger.effects import LONGEST_CLAIM_MS
from sinks.ledger.tables import batches, effects


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """A command, and the name under which it is claimed."""

    command_id: str
    holder: str


class Opening(msgspec.Struct, frozen=True, kw_only=True):
    """A new batch, held until `until_ms`; so are the claims of its members."""

    batch_id: str
    merchant: str
    system: str
    body: bytes
    reference: str
    members: tuple[Member, ...]
    holder: str
    now_ms: int
    until_ms: int


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """Ours to send. `first_sent_ms` None: no request of it can have gone out before."""

    merchant: str
    body: bytes
    reference: str
    members: int
    sends: int  # with the one that is to come
    first_sent_ms: int | None


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """Another has it until then."""

    until_ms: int


class Applied(msgspec.Struct, frozen=True, kw_only=True):
    """It was applied; `moved` are the targets that the answer lists."""

    external_ids: dict[str, str]
    moved: frozenset[tuple[str, ...]]


class Freed(msgspec.Struct, frozen=True):
    """It did nothing; its members were let go."""


Answer = Taken | Held | Applied | Freed


def open_batch(connection: Connection, opening: Opening) -> frozenset[str]:
    """Binds the members to the batch, or names those whose claims were lost; then nothing was written.

    The same opening once more finds its own work.
    """
    rows = _members(connection, opening)
    lost = frozenset(
        each.command_id
        for each in opening.members
        if (row := rows.get(each.command_id)) is None
        or row.state != "claimed"
        or row.claimed_by != each.holder
        or row.batch_id not in (None, opening.batch_id)
    )
    if lost:
        return lost
    if _row(connection, opening.batch_id) is None:
        connection.execute(insert(batches), [_new(opening)])
    mine = effects.c.command_id.in_([each.command_id for each in opening.members])
    values = {"batch_id": opening.batch_id, "claim_until_ms": opening.until_ms, "updated_ms": opening.now_ms}
    connection.execute(update(effects).where(mine).values(**values))
    return frozenset()


def _members(connection: Connection, opening: Opening) -> dict[str, Any]:
    row = effects.c
    ids = [each.command_id for each in opening.members]
    # In one order everywhere: two workers that lock the same rows must not wait for each other.
    statement = (
        select(row.command_id, row.state, row.claimed_by, row.batch_id)
        .where(row.command_id.in_(ids))
        .order_by(row.command_id)
        .with_for_update()
    )
    return {found.command_id: found for found in connection.execute(statement)}


def _new(opening: Opening) -> dict[str, Any]:
    same = ("batch_id", "merchant", "system", "body", "reference")
    return {name: getattr(opening, name) for name in same} | {
        "members": len(opening.members),
        "state": "open",
        "external_ids": "{}",
        "moved": "[]",
        "held_by": opening.holder,
        "held_until_ms": opening.until_ms,
        "sends": 1,
        "first_sent_ms": opening.now_ms,  # committed before the request: the system's memory of the key begins later
        "updated_ms": opening.now_ms,
    }


def take(
    connection: Connection, *, batch_id: str, holder: str, now_ms: int, until_ms: int, sure_ms: int | None = None
) -> Answer:
    """How a batch stands; an open one that nobody holds is now held by `holder`. `sure_ms` as of a claim."""
    row = _row(connection, batch_id)
    if row is None:
        raise LookupError(f"expected batch {batch_id}, to which an effect is bound, the ledger has none of that id")
    if row.state == "applied":
        moved = frozenset(tuple(target) for target in orjson.loads(row.moved))
        return Applied(external_ids=orjson.loads(row.external_ids), moved=moved)
    if row.state != "open":
        return Freed()
    if row.held_by != holder and row.held_until_ms > (now_ms if sure_ms is None else sure_ms):
        longest_ms = now_ms + LONGEST_CLAIM_MS
        if ahead(row.held_until_ms, now_ms, LONGEST_CLAIM_MS):  # by a clock that has been set back: see effects
            cut = update(batches).where(batches.c.batch_id == batch_id).values(held_until_ms=longest_ms)
            connection.execute(cut)
        return Held(until_ms=min(row.held_until_ms, longest_ms))
    # Committed before the request, as at the opening: whoever finds it without an end must think that it went out.
    sent = {"sends": row.sends + 1, "first_sent_ms": now_ms if row.first_sent_ms is None else row.first_sent_ms}
    values = {"held_by": holder, "held_until_ms": until_ms, "updated_ms": now_ms, **sent}
    connection.execute(update(batches).where(batches.c.batch_id == batch_id).values(**values))
    same = {name: getattr(row, name) for name in ("merchant", "body", "reference", "members", "first_sent_ms")}
    return Taken(sends=row.sends + 1, **same)


def _row(connection: Connection, batch_id: str) -> Any:
    return connection.execute(select(batches).where(batches.c.batch_id == batch_id).with_for_update()).first()


def renew(connection: Connection, *, batch_id: str, holder: str, until_ms: int) -> bool:
    """Whether the batch is still held by `holder`; it then is until `until_ms`."""
    statement = update(batches).where(*_held(batch_id, holder)).values(held_until_ms=until_ms)
    return connection.execute(statement).rowcount == 1


def let_go(connection: Connection, *, batch_id: str, holder: str, unsent: bool) -> None:
    """Nothing of it is under way any more: whoever is next need not wait. `unsent`: nothing of it ever was."""
    values: dict[str, Any] = {"held_by": None, "held_until_ms": 0}
    if unsent:
        values["first_sent_ms"] = None
    connection.execute(update(batches).where(*_held(batch_id, holder)).values(**values))


def applied(connection: Connection, *, batch_id: str, end: Applied, now_ms: int) -> bool:
    """Write down that it was applied; whoever saw it may. False: its members were let go already."""
    values = {
        "state": "applied",
        "external_ids": orjson.dumps(end.external_ids).decode(),
        "moved": orjson.dumps(sorted(end.moved)).decode(),
        "held_by": None,
        "held_until_ms": 0,
        "updated_ms": now_ms,
    }
    row = batches.c
    connection.execute(update(batches).where(row.batch_id == batch_id, row.state == "open").values(**values))
    found = _row(connection, batch_id)
    return found is not None and found.state == "applied"


def free(
    connection: Connection, *, batch_id: str, holder: str, state: Literal["refused", "unsent"], now_ms: int
) -> bool:
    """Write down that it did nothing, and let its members go; of a refused one each alone. False: not ours to say."""
    values = {"state": state, "held_by": None, "held_until_ms": 0, "updated_ms": now_ms}
    if connection.execute(update(batches).where(*_held(batch_id, holder)).values(**values)).rowcount == 0:
        found = _row(connection, batch_id)
        return found is not None and found.state == state
    # Nothing but this batch was ever sent for them: to whoever is next they were never sent.
    freed: dict[str, Any] = {"batch_id": None, "first_sent_ms": None}
    members = (effects.c.batch_id == batch_id, effects.c.state != "settled")
    connection.execute(
        update(effects).where(*members).values(**freed, **({"alone": True} if state == "refused" else {}))
    )
    return True


def _held(batch_id: str, holder: str) -> tuple[ColumnElement[bool], ...]:
    row = batches.c
    return row.batch_id == batch_id, row.state == "open", row.held_by == holder
