"""How far the calls of a period will last: what is left, what waits, what was used for what. Reads the ledger."""

from collections.abc import Iterable, Mapping, Sequence

import msgspec
from sqlalchemy import Connection, func, select

from sinks import shedding
from sinks.contract import LEFT_OUT, Limit
from sinks.ledger import quotas
from sinks.ledger.tables import parked_commands, parked_lanes, source_cursors


class Budget(msgspec.Struct, frozen=True, kw_only=True):
    """One owner's. `waiting` was left out; `ends_ms` is None when the calls last until the period ends."""

    system: str
    owner: str
    merchants: tuple[str, ...]
    capacity: float
    reserve: float
    left: float
    used: dict[str, float]
    waiting: dict[str, int]
    backlog: int
    gives_way: tuple[str, ...]  # what is left out now
    ends_ms: int | None
    resets_ms: int


def owners(limits: Mapping[str, Sequence[Limit]]) -> dict[str, tuple[Limit, tuple[str, ...]]]:
    """Each owner's limit of a period with his merchants, of the limits by merchant."""
    found: dict[str, tuple[Limit, tuple[str, ...]]] = {}
    for merchant, each in sorted(limits.items()):
        for limit in [one for one in each if one.period_seconds is not None]:
            name = limit.owner or merchant
            found[name] = (limit, (*found.get(name, (limit, ()))[1], merchant))
    return found


def budget(
    connection: Connection, system: str, owner: str, limit: Limit, merchants: tuple[str, ...], now_ms: int
) -> Budget:
    """As it stands."""
    one = merchants[0]  # the owner's row is any of theirs
    uses = quotas.used(connection, merchant=one, system=system, limit=limit, now_ms=now_ms)
    left = quotas.remaining(connection, merchant=one, system=system, limit=limit, now_ms=now_ms)
    resets_ms = shedding.resets_ms(limit, now_ms)
    begun = (resets_ms - int((limit.period_seconds or 0) * 1000)) // shedding.HOUR_MS
    used: dict[str, float] = {}
    for each in uses:
        if each.hour >= begun:
            used[each.priority] = used.get(each.priority, 0.0) + each.calls
    left_out, others = _parked(connection, system, merchants)
    reads = _reads(connection, system, merchants)
    gives_way = [p for p in shedding.LEFT_OUT_FIRST if left - 1 < shedding.kept(uses, limit, p, now_ms)]
    return Budget(
        system=system, owner=owner, merchants=merchants, capacity=limit.capacity, reserve=limit.reserve, left=left,
        used=used, waiting={"marks": left_out, "reads": reads}, backlog=others, gives_way=tuple(gives_way),
        ends_ms=shedding.ends_ms(uses, limit, left, others, now_ms), resets_ms=resets_ms,
    )  # fmt: skip


def _parked(connection: Connection, system: str, merchants: Iterable[str]) -> tuple[int, int]:
    """Commands that were left out, and others that wait."""
    lane, row = parked_lanes.c, parked_commands.c
    statement = (
        select(lane.reason == LEFT_OUT, func.count())
        .select_from(parked_lanes.join(parked_commands, (row.system == lane.system) & (row.key == lane.key)))
        .where(lane.system == system, lane.merchant.in_(list(merchants)))
        .group_by(lane.reason == LEFT_OUT)
    )
    found = {bool(left_out): count for left_out, count in connection.execute(statement)}
    return found.get(True, 0), found.get(False, 0)


def _reads(connection: Connection, system: str, merchants: Iterable[str]) -> int:
    """Reads that were left out (streams/sources/again.py)."""
    note = source_cursors.c
    statement = select(func.count()).where(
        note.system == system, note.merchant.in_(list(merchants)), note.name.startswith("again:"),
        note.position.contains('"left_out":true'),
    )  # fmt: skip
    return int(connection.execute(statement).scalar_one())
