"""Quota leases: any number of processes stay under one limit, because each leases before it spends.

A limit with an owner has one row for all of the owner's merchants.
"""

from collections.abc import Sequence

import msgspec
from sqlalchemy import ColumnElement, Connection, Table, delete, func, insert, select, update

from sinks import quota, shedding
from sinks.contract import Limit, Seen
from sinks.ledger.tables import quota_leases, quota_uses, quotas
from sinks.quota import Bucket, Grant, Priority
from sinks.shedding import HOUR_MS, LEFT_OUT_FIRST, TRY_AGAIN_SECONDS, Use

# Kept to forecast a day by the one before; the rest of it is history.
USES_KEPT_HOURS = 8 * 24
# Twice as long as a holder says that it will report again (sinks.gate).
LONGEST_HOLDER_MS = 120_000


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """Asks for `need` tokens, and reports: `returned` are not needed after all, `outstanding` are leased and unspent,
    `used` were spent since the last report.

    With `need` 0 it only reports.
    """

    merchant: str
    system: str
    limit: Limit
    holder: str
    priority: Priority
    need: float
    returned: float
    outstanding: float
    now_ms: int
    until_ms: int  # the holder is forgotten when it has not asked again by then
    used: float = 0.0
    seen: Seen | None = None

    @property
    def whose(self) -> str:
        """Whose quota it is."""
        return whose(self.merchant, self.limit)


def whose(merchant: str, limit: Limit) -> str:
    """Under which name a merchant's quota is kept."""
    return f"owner:{limit.owner}" if limit.owner else merchant


def ask(connection: Connection, asks: Sequence[Ask]) -> list[Grant]:
    """A grant for each, in the order given."""
    return [_ask(connection, each) for each in asks]


def _ask(connection: Connection, each: Ask) -> Grant:
    bucket = _read(connection, each)
    outstanding = each.outstanding + _others(connection, each)
    bucket = quota.refilled(bucket, each.limit, outstanding + each.returned, each.now_ms)
    bucket = quota.given_back(bucket, each.returned)
    if each.seen is not None:
        bucket = quota.corrected(bucket, each.seen, outstanding)
        if each.seen.retry_after_seconds is not None:
            bucket = quota.refused(bucket, each.seen.retry_after_seconds, each.now_ms)
    granted = Grant(tokens=0.0)
    _count(connection, each)
    if each.need > 0:
        again_seconds = TRY_AGAIN_SECONDS if gives_way(each.limit, each.priority) else None
        bucket, granted = quota.grant(bucket, each.limit, each.need, _kept(connection, each), again_seconds)
    connection.execute(update(quotas).where(*_same(quotas, each)).values(**msgspec.to_builtins(bucket)))
    _report(connection, each, each.outstanding + granted.tokens)
    return granted


def gives_way(limit: Limit, priority: Priority) -> bool:
    """Whether it is left out when the period's calls grow short."""
    return limit.period_seconds is not None and priority in LEFT_OUT_FIRST


def _kept(connection: Connection, each: Ask) -> float:
    if each.limit.period_seconds is None:
        return 0.0
    uses = (
        used(connection, merchant=each.merchant, system=each.system, limit=each.limit, now_ms=each.now_ms)
        if gives_way(each.limit, each.priority)
        else []
    )
    return shedding.kept(uses, each.limit, each.priority, each.now_ms)


def _count(connection: Connection, each: Ask) -> None:
    if each.limit.period_seconds is None or not each.used:
        return
    row, hour = quota_uses.c, each.now_ms // HOUR_MS
    where = (*_same(quota_uses, each), row.hour == hour, row.priority == each.priority)
    if connection.execute(update(quota_uses).where(*where).values(calls=row.calls + each.used)).rowcount:
        return
    names = {"merchant": each.whose, "system": each.system, "name": each.limit.name}
    connection.execute(insert(quota_uses), [names | {"hour": hour, "priority": each.priority, "calls": each.used}])
    connection.execute(delete(quota_uses).where(*_same(quota_uses, each), row.hour < hour - USES_KEPT_HOURS))


def used(connection: Connection, *, merchant: str, system: str, limit: Limit, now_ms: int) -> list[Use]:
    """What was used in this period and the one before, by hour and by what for."""
    assert limit.period_seconds is not None
    row = quota_uses.c
    since = (now_ms - 2 * int(limit.period_seconds) * 1000) // HOUR_MS
    statement = select(row.hour, row.priority, row.calls).where(
        row.merchant == whose(merchant, limit),
        row.system == system,
        row.name == limit.name,
        row.hour >= since,
        row.hour <= now_ms // HOUR_MS + 1,
    )
    return [Use(hour=each.hour, priority=each.priority, calls=each.calls) for each in connection.execute(statement)]


def _read(connection: Connection, each: Ask) -> Bucket:
    found = connection.execute(select(quotas).where(*_same(quotas, each)).with_for_update()).first()
    if found is not None:
        stored = Bucket(**{name: found._mapping[name] for name in Bucket.__struct_fields__})
        return quota.configured(stored, each.limit)
    bucket = quota.fresh(each.limit, each.now_ms)
    names = {"merchant": each.whose, "system": each.system, "name": each.limit.name}
    connection.execute(insert(quotas), [names | msgspec.to_builtins(bucket)])
    return bucket


def _others(connection: Connection, each: Ask) -> float:
    row = quota_leases.c
    statement = select(func.coalesce(func.sum(row.tokens), 0.0)).where(
        *_same(quota_leases, each),
        row.holder != each.holder,
        row.until_ms > each.now_ms,
        row.until_ms <= each.now_ms + LONGEST_HOLDER_MS,  # a later one is of a clock that has been set back
    )
    return float(connection.execute(statement).scalar_one())


def _report(connection: Connection, each: Ask, outstanding: float) -> None:
    row = quota_leases.c
    values = {"tokens": outstanding, "until_ms": each.until_ms}
    where = (*_same(quota_leases, each), row.holder == each.holder)
    if connection.execute(update(quota_leases).where(*where).values(**values)).rowcount == 0:
        names = {"merchant": each.whose, "system": each.system, "name": each.limit.name, "holder": each.holder}
        connection.execute(insert(quota_leases), [names | values])


def _same(table: Table, each: Ask) -> tuple[ColumnElement[bool], ...]:
    row = table.c
    return row.merchant == each.whose, row.system == each.system, row.name == each.limit.name


def remaining(connection: Connection, *, merchant: str, system: str, limit: Limit, now_ms: int) -> float:
    """What is left of a quota, without what is leased."""
    row = quotas.c
    statement = select(quotas).where(
        row.merchant == whose(merchant, limit), row.system == system, row.name == limit.name
    )
    found = connection.execute(statement).first()
    if found is None:
        return limit.capacity
    stored = Bucket(**{name: found._mapping[name] for name in Bucket.__struct_fields__})
    return quota.refilled(quota.configured(stored, limit), limit, 0.0, now_ms).tokens
