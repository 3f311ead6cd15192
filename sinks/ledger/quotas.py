"""Quota leases: any number of processes stay under one limit, because each leases before it spends."""

from collections.abc import Sequence

import msgspec
from sqlalchemy import ColumnElement, Connection, Table, func, insert, select, update

from sinks import quota
from sinks.contract import Limit, Seen
from sinks.ledger.tables import quota_leases, quotas
from sinks.quota import Bucket, Grant, Priority


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """Asks for `need` tokens, and reports: `returned` are not needed after all, `outstanding` are leased and unspent.

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
    seen: Seen | None = None


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
    if each.need > 0:
        bucket, granted = quota.grant(bucket, each.limit, each.need, each.priority)
    connection.execute(update(quotas).where(*_same(quotas, each)).values(**msgspec.to_builtins(bucket)))
    _report(connection, each, each.outstanding + granted.tokens)
    return granted


def _read(connection: Connection, each: Ask) -> Bucket:
    found = connection.execute(select(quotas).where(*_same(quotas, each)).with_for_update()).first()
    if found is not None:
        stored = Bucket(**{name: found._mapping[name] for name in Bucket.__struct_fields__})
        return quota.configured(stored, each.limit)
    bucket = quota.fresh(each.limit, each.now_ms)
    names = {"merchant": each.merchant, "system": each.system, "name": each.limit.name}
    connection.execute(insert(quotas), [names | msgspec.to_builtins(bucket)])
    return bucket


def _others(connection: Connection, each: Ask) -> float:
    row = quota_leases.c
    statement = select(func.coalesce(func.sum(row.tokens), 0.0)).where(
        *_same(quota_leases, each), row.holder != each.holder, row.until_ms > each.now_ms
    )
    return float(connection.execute(statement).scalar_one())


def _report(connection: Connection, each: Ask, outstanding: float) -> None:
    row = quota_leases.c
    values = {"tokens": outstanding, "until_ms": each.until_ms}
    where = (*_same(quota_leases, each), row.holder == each.holder)
    if connection.execute(update(quota_leases).where(*where).values(**values)).rowcount == 0:
        names = {"merchant": each.merchant, "system": each.system, "name": each.limit.name, "holder": each.holder}
        connection.execute(insert(quota_leases), [names | values])


def _same(table: Table, each: Ask) -> tuple[ColumnElement[bool], ...]:
    row = table.c
    return row.merchant == each.merchant, row.system == each.system, row.name == each.limit.name


def remaining(connection: Connection, *, merchant: str, system: str, limit: Limit, now_ms: int) -> float:
    """What is left of a quota, without what is leased."""
    row = quotas.c
    statement = select(quotas).where(row.merchant == merchant, row.system == system, row.name == limit.name)
    found = connection.execute(statement).first()
    if found is None:
        return limit.capacity
    stored = Bucket(**{name: found._mapping[name] for name in Bucket.__struct_fields__})
    return quota.refilled(quota.configured(stored, limit), limit, 0.0, now_ms).tokens
