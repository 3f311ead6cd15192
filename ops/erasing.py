"""What is there about an order, by which names it goes, and what of it can be taken away. Pure but for the ledger.

Facts, commands, results and histories hold ids and amounts; they stay, with what was paid. A customer is nowhere in
them: who an order is of stands in the memory of the Shopify source alone, and goes with it.
"""

import base64
import re
from collections.abc import Collection, Iterable

import msgspec
import orjson
from sqlalchemy import Column, ColumnElement, Connection, and_, delete, insert, or_, select, update

from schemas import ids
from schemas.numbers import LATEST_MS
from sinks.ledger.tables import effects, parked_commands, parked_lanes, source_cursors, source_seen
from streams.domain.erased import under_way
from streams.domain.state import Case

CUSTOMER_OF = "customer-of:"
ERASED = "erased:"
_SHOPIFY = "shopify"


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """An order with all that it is called by. `open`: commands under way; `erased`: it is forgotten already."""

    merchant: str
    order_id: str
    rma_ids: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()  # of parcels
    open: tuple[str, ...] = ()
    known: bool = False
    erased: bool = False

    @property
    def key(self) -> bytes:
        return ids.order_key(self.merchant, self.order_id)


class Names(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that records about the subjects may be found by."""

    merchant: str
    orders: frozenset[str]
    rmas: frozenset[str]
    numbers: frozenset[str]
    customer: str = ""

    @property
    def resources(self) -> frozenset[str]:
        """As deliveries name what they are about."""
        asked = {f"{kind}:{self.customer}" for kind in ("customers/redact", "customers/data_request") if self.customer}
        return self.orders | self.rmas | self.numbers | asked

    def in_bytes(self, value: bytes) -> bool:
        """Whether one of the names stands in them as a whole: what cannot be decoded is looked through like that."""
        named = {each.encode() for each in self.resources | ({self.customer} if self.customer else set()) if each}
        return any(each in named for each in _TOKENS.findall(value))


_TOKENS = re.compile(rb"[A-Za-z0-9_.-]+")


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the report: where, what of it, how much, and why it stays where it does."""

    place: str
    what: str
    count: int
    why: str = ""


def subject(merchant: str, order_id: str, case: Case | None, returns: Iterable[str]) -> Subject:
    """The order by what its case knows of it, and by the returns that their source remembers."""
    if case is None:
        return Subject(merchant=merchant, order_id=order_id, rma_ids=tuple(sorted(returns)))
    rmas = case.learnt.rmas
    return Subject(
        merchant=merchant, order_id=order_id, rma_ids=tuple(sorted({*rmas, *returns} - {""})), known=True,
        numbers=tuple(sorted({each.tracking.value for each in rmas.values() if each.tracking})),
        open=tuple(under_way(case)), erased=case.erased_ms is not None,
    )  # fmt: skip


def names(merchant: str, subjects: Iterable[Subject], customer: str) -> Names:
    """All names of all of them."""
    listed = list(subjects)
    return Names(
        merchant=merchant, customer=customer, orders=frozenset(each.order_id for each in listed),
        rmas=frozenset(name for each in listed for name in each.rma_ids),
        numbers=frozenset(name for each in listed for name in each.numbers),
    )  # fmt: skip


def orders_of(connection: Connection, merchant: str, customer: str) -> list[str]:
    """Orders that are known to be a customer's."""
    row = source_cursors.c
    statement = select(row.name).where(
        row.merchant == merchant, row.system == _SHOPIFY, row.name.startswith(CUSTOMER_OF), row.position == customer
    )
    return sorted(name.removeprefix(CUSTOMER_OF) for name in connection.execute(statement).scalars())


def rmas_of(connection: Connection, merchant: str, orders: Collection[str]) -> dict[str, list[str]]:
    """Returns of orders, by what ReturnGO's source remembers: an order may have no case any more."""
    row = source_cursors.c
    statement = select(row.name, row.position).where(row.merchant == merchant, row.name.startswith("rma:"))
    found: dict[str, list[str]] = {}
    for name, note in connection.execute(statement):
        said = orjson.loads(note)
        if isinstance(said, dict) and said.get("order_id") in orders:
            found.setdefault(said["order_id"], []).append(name.removeprefix("rma:"))
    return found


def in_ledger(connection: Connection, wanted: Names, *, dry_run: bool) -> list[Line]:
    """What the ledger's tables lose, or would: what sources remember, marks that wait, notes of settled attempts."""
    return [
        _memory(connection, wanted, dry_run=dry_run),
        _parked(connection, wanted, dry_run=dry_run),
        _notes(connection, wanted, dry_run=dry_run),
    ]


def _memory(connection: Connection, wanted: Names, *, dry_run: bool) -> Line:
    count = 0
    for table, column in ((source_cursors, "name"), (source_seen, "resource")):
        mine = select(table).where(table.c.merchant == wanted.merchant)
        rows = [row._mapping for row in connection.execute(mine)]
        about = [row for row in rows if _about(str(row[column]), str(row.get("position") or ""), wanted)]
        count += len(about)
        for row in () if dry_run else about:
            same = and_(*(each == row[each.name] for each in table.primary_key.columns))
            connection.execute(delete(table).where(same))
    if not dry_run:
        _never_again(connection, wanted)
    return Line(place="ledger, memory of sources", what="notes on order, returns, parcels, customer", count=count)


def _about(name: str, note: str, wanted: Names) -> bool:
    kind, _, rest = name.partition(":")
    if kind == "waiting":  # a whole delivery
        return wanted.in_bytes(base64.b64decode(orjson.loads(note).get("delivery", "")))
    return kind != "erased" and bool(wanted.resources & {rest, *rest.split(":"), note})


def _never_again(connection: Connection, wanted: Names) -> None:
    """What a source is not to read any more; these notes outlive all others."""
    for system, named in (("shopify", wanted.orders), ("returngo", wanted.rmas)):
        for name in sorted(named):
            row = {"merchant": wanted.merchant, "system": system, "name": f"{ERASED}{name}"}
            where = and_(*(source_cursors.c[key] == value for key, value in row.items()))
            connection.execute(delete(source_cursors).where(where))
            connection.execute(insert(source_cursors), [row | {"position": "", "updated_at_ms": LATEST_MS}])


def _parked(connection: Connection, wanted: Names, *, dry_run: bool) -> Line:
    """Marks for people that wait; whatever moves goods or money is under way, and then nothing is erased."""
    row = parked_commands.c
    keys = [f"{wanted.merchant}|{order}" for order in wanted.orders]
    mine = and_(row.merchant == wanted.merchant, or_(*(_of_key(row.key, key) for key in keys)))
    count = len(connection.execute(select(row.seq).where(mine)).all())
    if not dry_run:
        connection.execute(delete(parked_commands).where(mine))
        lane = parked_lanes.c
        connection.execute(
            delete(parked_lanes).where(lane.merchant == wanted.merchant, or_(*(_of_key(lane.key, key) for key in keys)))
        )
    return Line(place="ledger, parked keys", what="notes and tags that waited", count=count)


def _notes(connection: Connection, wanted: Names, *, dry_run: bool) -> Line:
    row = effects.c
    keys = [f"{wanted.merchant}|{order}" for order in wanted.orders]
    mine = and_(
        row.merchant == wanted.merchant, row.state == "settled", row.notes != "{}",
        or_(*(_of_key(row.key, key) for key in keys)),
    )  # fmt: skip
    count = len(connection.execute(select(row.command_id).where(mine)).all())
    if not dry_run:
        connection.execute(update(effects).where(mine).values(notes="{}"))
    return Line(place="ledger, effects", what="notes of attempts", count=count)


def _of_key(column: Column[str], key: str) -> ColumnElement[bool]:
    return or_(column == key, column.startswith(f"{key}|", autoescape=True))
