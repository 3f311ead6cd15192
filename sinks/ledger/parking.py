"""Keys that cannot go on: their commands wait here in order, so that the offsets of their partition may move on."""

from collections.abc import Collection, Sequence
from typing import Any

import msgspec
import orjson
from sqlalchemy import ColumnElement, Connection, and_, case, delete, func, insert, or_, select, tuple_, update

from schemas.clock import TOLERANCE_MS
from sinks.contract import LEFT_OUT
from sinks.ledger.tables import parked_commands, parked_lanes

Key = tuple[str, str]  # system, key


class Arrival(msgspec.Struct, frozen=True, kw_only=True):
    """A record as it came, enough to carry it out or dead-letter it later."""

    system: str
    merchant: str
    key: str
    command_id: str
    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    value: bytes
    headers: tuple[tuple[str, bytes], ...] = ()


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """An arrival in its place."""

    seq: int
    arrival: Arrival


class Park(msgspec.Struct, frozen=True, kw_only=True):
    """Parks a key with one more command; a key that is parked already keeps its due time."""

    arrival: Arrival
    reason: str
    now_ms: int
    due_ms: int


class Lane(msgspec.Struct, frozen=True, kw_only=True):
    """A parked key that this worker holds, with its first commands in order."""

    key: str
    merchant: str
    reason: str
    waiting: tuple[Waiting, ...]


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """For metrics: parked lanes and commands per merchant, and when the oldest command came."""

    merchant: str
    reason: str
    lanes: int
    commands: int
    oldest_ms: int


def why(reason: str) -> str:
    """The word for a key that cannot go on: what gives way to others is not failing."""
    return LEFT_OUT if reason == LEFT_OUT else "failing"


def parked_keys(connection: Connection, keys: Sequence[Key]) -> set[Key]:
    """Which of the keys are parked. Locks them: none can be freed before this transaction ends."""
    if not keys:
        return set()
    lane = parked_lanes.c
    statement = select(lane.system, lane.key).where(
        lane.system.in_({system for system, _ in keys}), lane.key.in_({key for _, key in keys})
    )
    return {(row.system, row.key) for row in connection.execute(statement.with_for_update())}


def queue(connection: Connection, arrivals: Sequence[Arrival]) -> None:
    """Append to parked keys. A record that waits already, read again or sent again, is not appended again."""
    if not arrivals:
        return
    row = parked_commands.c
    ids = {each.command_id for each in arrivals}
    statement = select(row.command_id, row.value).where(row.command_id.in_(ids))
    waiting = {(each.command_id, each.value) for each in connection.execute(statement)}
    rows = []
    for each in arrivals:
        if (each.command_id, each.value) not in waiting:
            waiting.add((each.command_id, each.value))
            rows.append(_row(each))
    if rows:
        connection.execute(insert(parked_commands), rows)


def _row(arrival: Arrival) -> dict[str, Any]:
    row = {name: getattr(arrival, name) for name in arrival.__struct_fields__}
    headers = orjson.dumps([[name, value.hex()] for name, value in arrival.headers]).decode()
    return row | {"headers": headers, "parked_ms": arrival.timestamp_ms}


def park(connection: Connection, parks: Sequence[Park]) -> list[None]:
    """Park keys, each with its command."""
    already = parked_keys(connection, [(each.arrival.system, each.arrival.key) for each in parks])
    lanes = []
    for each in parks:
        key = (each.arrival.system, each.arrival.key)
        if key not in already:
            already.add(key)
            lanes.append(
                {
                    "system": each.arrival.system,
                    "key": each.arrival.key,
                    "merchant": each.arrival.merchant,
                    "reason": each.reason,
                    "since_ms": each.now_ms,
                    "due_ms": each.due_ms,
                    "held_until_ms": each.now_ms,
                }
            )
    if lanes:
        connection.execute(insert(parked_lanes), lanes)
    queue(connection, [each.arrival for each in parks])
    return [None for _ in parks]


def take(
    connection: Connection, *, system: str, merchant: str, worker: str, now_ms: int, until_ms: int, limit: int
) -> list[Lane]:
    """Lanes of a merchant that are due, now held by `worker`."""
    lane = parked_lanes.c
    statement = (
        select(parked_lanes)
        .where(lane.system == system, lane.merchant == merchant, _due(now_ms), _free(now_ms, until_ms))
        .order_by(lane.due_ms)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return [_hold(connection, row, worker, until_ms) for row in connection.execute(statement).all()]


def take_any(
    connection: Connection, *, system: str, merchant: str | None, worker: str, now_ms: int, until_ms: int,
    but: Collection[str] = (),
) -> Lane | None:  # fmt: skip
    """The lane that was not tried for longest, due or not; of one merchant, or of any `but` some."""
    lane = parked_lanes.c
    statement = select(parked_lanes).where(lane.system == system, _free(now_ms, until_ms), lane.merchant.not_in(but))
    if merchant is not None:
        statement = statement.where(lane.merchant == merchant)
    statement = statement.order_by(lane.due_ms).limit(1).with_for_update(skip_locked=True)
    row = connection.execute(statement).first()
    return None if row is None else _hold(connection, row, worker, until_ms)


def _free(now_ms: int, until_ms: int) -> ColumnElement[bool]:
    """Not held by anybody, or longer than anybody holds one: then the clock has been set back since."""
    lane = parked_lanes.c
    return or_(lane.held_by.is_(None), lane.held_until_ms <= now_ms, lane.held_until_ms > until_ms + TOLERANCE_MS)


def _due(now_ms: int) -> ColumnElement[bool]:
    """Its time has come; or it was let go in the future, by a clock that has been set back, and nobody knows when its
    time is: an attempt too early does no harm."""
    lane = parked_lanes.c
    return or_(lane.due_ms <= now_ms, and_(lane.held_by.is_(None), lane.held_until_ms > now_ms + TOLERANCE_MS))


def _hold(connection: Connection, row: Any, worker: str, until_ms: int) -> Lane:
    lane = parked_lanes.c
    connection.execute(
        update(parked_lanes)
        .where(lane.system == row.system, lane.key == row.key)
        .values(held_by=worker, held_until_ms=until_ms)
    )
    return Lane(
        key=row.key, merchant=row.merchant, reason=row.reason, waiting=_first(connection, row.system, row.key, 20)
    )


def _first(connection: Connection, system: str, key: str, limit: int) -> tuple[Waiting, ...]:
    row = parked_commands.c
    statement = select(parked_commands).where(row.system == system, row.key == key).order_by(row.seq).limit(limit)
    return tuple(waiting_of(each) for each in connection.execute(statement))


def waiting_of(row: Any) -> Waiting:
    """An arrival as its row has it."""
    fields = {name: getattr(row, name) for name in Arrival.__struct_fields__ if name != "headers"}
    headers = tuple((name, bytes.fromhex(value)) for name, value in orjson.loads(row.headers))
    return Waiting(seq=row.seq, arrival=Arrival(headers=headers, **fields))


def keep(connection: Connection, *, system: str, key: str, worker: str, until_ms: int) -> bool:
    """Whether the lane is still held by `worker`; it then is until `until_ms`."""
    lane = parked_lanes.c
    statement = update(parked_lanes).where(lane.system == system, lane.key == key, lane.held_by == worker)
    return connection.execute(statement.values(held_until_ms=until_ms)).rowcount == 1


def remove(connection: Connection, seqs: Sequence[int]) -> list[None]:
    """Commands that have ended, with their result published."""
    connection.execute(delete(parked_commands).where(parked_commands.c.seq.in_(seqs)))
    return [None for _ in seqs]


def let_go(
    connection: Connection, *, system: str, key: str, worker: str, reason: str, due_ms: int, now_ms: int
) -> bool:
    """Give a held lane back: freed if nothing waits in it (True), else due again at `due_ms`."""
    lane, row = parked_lanes.c, parked_commands.c
    mine = (lane.system == system, lane.key == key, lane.held_by == worker)
    # The lock comes first: an arrival that is just queueing behind this lane is seen by the count.
    if connection.execute(select(lane.key).where(*mine).with_for_update()).first() is None:
        return False
    left = connection.execute(
        select(func.count()).select_from(parked_commands).where(row.system == system, row.key == key)
    ).scalar_one()
    if left == 0:
        connection.execute(delete(parked_lanes).where(*mine))
        return True
    values = {"held_by": None, "held_until_ms": now_ms, "due_ms": due_ms, "reason": reason}
    connection.execute(update(parked_lanes).where(*mine).values(**values))
    return False


def standing(connection: Connection, system: str) -> list[Standing]:
    """What is parked, per merchant and reason."""
    lane, row = parked_lanes.c, parked_commands.c
    joined = tuple_(row.system, row.key) == tuple_(lane.system, lane.key)
    # a record may have no time of its own: it came before its lane was parked, and nothing earlier is known of it
    came_ms = case((row.timestamp_ms > 0, row.timestamp_ms), else_=lane.since_ms)
    statement = (
        select(lane.merchant, lane.reason, func.count(lane.key.distinct()), func.count(), func.min(came_ms))
        .select_from(parked_lanes.join(parked_commands, joined))
        .where(lane.system == system)
        .group_by(lane.merchant, lane.reason)
    )
    return [
        Standing(merchant=each[0], reason=each[1], lanes=each[2], commands=each[3], oldest_ms=each[4])
        for each in connection.execute(statement)
    ]
