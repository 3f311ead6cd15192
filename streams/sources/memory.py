"""What a source remembers between reads, in the ledger: notes by name, and which facts it has sent. Touches SQL.

All of it may be lost without harm: facts would be sent again under the same ids, and polls would look further back;
the order of reading goes on from the clock (ADR 0025).
"""

from collections.abc import Callable, Collection, Mapping, Sequence

from sqlalchemy import ColumnElement, Connection, Delete, Table, delete, or_, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite

from schemas import ids
from schemas.text import held, replaced
from sinks.ledger.ledger import Ledger
from sinks.ledger.tables import source_cursors, source_seen
from streams.sources.work import Resource

LONGEST_NAME = 64
LONGEST_SLOT = 200
_AT_ONCE = 200  # bound parameters of one statement
PURGED_AT_ONCE = 500


class Memory:
    """One system's notes; other systems' may be read."""

    def __init__(self, ledger: Ledger, system: str, now_ms: Callable[[], int]) -> None:
        self._ledger = ledger
        self._system = system
        self._now_ms = now_ms

    @property
    def system(self) -> str:
        """Whose notes these are."""
        return self._system

    def now_ms(self) -> int:
        """By the clock that dates the notes."""
        return self._now_ms()

    def of(self, system: str) -> "Memory":
        """Another system's notes."""
        return Memory(self._ledger, system, self._now_ms)

    async def notes(self, merchant: str, names: Sequence[str], system: str | None = None) -> dict[str, str]:
        """Positions of the names that are known."""
        short = {shortened(name, LONGEST_NAME): name for name in names}
        if not short:
            return {}

        def read(connection: Connection) -> dict[str, str]:
            found: dict[str, str] = {}
            for part in _parts(list(short)):
                where = _mine(source_cursors, merchant, system or self._system)
                chosen = select(source_cursors.c.name, source_cursors.c.position)
                rows = connection.execute(chosen.where(*where, source_cursors.c.name.in_(part)))
                found |= {short[row.name]: row.position for row in rows}
            return found

        return await self._ledger.run(read)

    async def listed(self, merchant: str, prefix: str, most: int, holding: Collection[str] = ()) -> dict[str, str]:
        """Notes whose names begin with `prefix`, those not written for longest first.

        `holding`: only notes with one of these texts in them. Whoever wants few of many must say so here: the notes
        that nobody wants are never written again, so they would fill the list for ever.
        """

        def read(connection: Connection) -> dict[str, str]:
            table = source_cursors
            chosen = select(table.c.name, table.c.position).where(
                *_mine(table, merchant, self._system), table.c.name.startswith(prefix, autoescape=True)
            )
            if holding:
                chosen = chosen.where(or_(*(table.c.position.contains(each, autoescape=True) for each in holding)))
            return {
                row.name: row.position for row in connection.execute(chosen.order_by(table.c.updated_at_ms).limit(most))
            }

        return await self._ledger.run(read)

    async def touch(self, merchant: str, names: Sequence[str]) -> None:
        """Put notes at the end of the list, as if they had just been written."""
        now_ms = self._now_ms()

        def write(connection: Connection) -> None:
            for part in _parts([shortened(name, LONGEST_NAME) for name in names]):
                where = (*_mine(source_cursors, merchant, self._system), source_cursors.c.name.in_(part))
                connection.execute(update(source_cursors).where(*where).values(updated_at_ms=now_ms))

        await self._ledger.run(write)

    async def keep(self, merchant: str, notes: Mapping[str, str | None]) -> None:
        """Write notes; None forgets one."""
        await self._ledger.run(lambda connection: self._keep(connection, merchant, notes))

    async def unsent(self, merchant: str, slots: Mapping[str, str]) -> set[str]:
        """The slots whose last sent fact is not the given one."""

        def read(connection: Connection) -> set[str]:
            known: dict[str, str] = {}
            for part in _parts([shortened(slot, LONGEST_SLOT) for slot in slots]):
                where = (*_mine(source_seen, merchant, self._system), source_seen.c.resource.in_(part))
                rows = connection.execute(select(source_seen.c.resource, source_seen.c.digest).where(*where))
                known |= {row.resource: row.digest for row in rows}
            return {slot for slot, digest in slots.items() if known.get(shortened(slot, LONGEST_SLOT)) != digest}

        return await self._ledger.run(read)

    async def turns(self, resources: Sequence[Resource]) -> dict[Resource, int]:
        """As `turn`, of several of one merchant."""
        known = await self.notes(resources[0].merchant, [_turn(each) for each in resources]) if resources else {}
        return {each: int(known.get(_turn(each), "0")) for each in resources}

    async def turn(self, resource: Resource) -> int:
        """The last number in the order of reading that was given to facts of a resource; 0: none yet."""
        name = _turn(resource)
        return int((await self.notes(resource.merchant, [name])).get(name, "0"))

    async def take(self, resource: Resource, before: int, last: int, slots: Collection[str]) -> bool:
        """Take the numbers up to `last` for facts that are about to be sent in these slots; False when others were
        given since `before` was. What the slots held is forgotten with it: if the process ends before the facts are
        remembered, whatever is read next is sent."""
        row = {**self._row(resource.merchant), "name": shortened(_turn(resource), LONGEST_NAME), "position": str(last)}
        now_ms = self._now_ms()

        def write(connection: Connection) -> bool:
            if not _swap(connection, {**row, "updated_at_ms": now_ms}, before):
                return False
            for part in _parts([shortened(slot, LONGEST_SLOT) for slot in slots]):
                where = (*_mine(source_seen, resource.merchant, self._system), source_seen.c.resource.in_(part))
                connection.execute(delete(source_seen).where(*where))
            return True

        return await self._ledger.run(write)

    async def sent(self, merchant: str, slots: Mapping[str, str], notes: Mapping[str, str | None]) -> None:
        """These facts are on Kafka, and these notes go with them: one transaction."""
        await self._ledger.run(lambda connection: self._sent(connection, merchant, slots, notes))

    async def sent_in_turn(
        self, resource: Resource, last: int, slots: Mapping[str, str], notes: Mapping[str, str | None]
    ) -> bool:
        """As `sent`, unless another read of the resource took a number after `last`: what it found is newer."""
        name = shortened(_turn(resource), LONGEST_NAME)

        def write(connection: Connection) -> bool:
            where = (*_mine(source_cursors, resource.merchant, self._system), source_cursors.c.name == name)
            known = connection.execute(select(source_cursors.c.position).where(*where)).scalar()
            if int(known or "0") != last:
                return False
            self._sent(connection, resource.merchant, slots, notes)
            return True

        return await self._ledger.run(write)

    def _sent(
        self, connection: Connection, merchant: str, slots: Mapping[str, str], notes: Mapping[str, str | None]
    ) -> None:
        now_ms = self._now_ms()
        rows = [
            {**self._row(merchant), "resource": shortened(slot, LONGEST_SLOT), "digest": digest, "seen_at_ms": now_ms}
            for slot, digest in slots.items()
        ]
        _upsert(connection, source_seen, rows)
        self._keep(connection, merchant, notes)

    async def purge(self, before_ms: int) -> dict[str, int]:
        """Forget some of what was sent or noted long ago and never touched since: how much, by what it was. In small
        parts, for others wait for the ledger meanwhile: ask again while there is something."""

        def write(connection: Connection) -> dict[str, int]:
            return {
                what: connection.execute(_old(table, self._system, at, before_ms)).rowcount
                for what, table, at in (
                    ("digests", source_seen, source_seen.c.seen_at_ms),
                    ("notes", source_cursors, source_cursors.c.updated_at_ms),
                )
            }

        return await self._ledger.run(write)

    def _keep(self, connection: Connection, merchant: str, notes: Mapping[str, str | None]) -> None:
        now_ms = self._now_ms()
        kept = [
            {
                **self._row(merchant),
                "name": shortened(name, LONGEST_NAME),
                "position": position,
                "updated_at_ms": now_ms,
            }
            for name, position in notes.items()
            if position is not None
        ]
        _upsert(connection, source_cursors, kept)
        for name in [name for name, position in notes.items() if position is None]:
            where = (
                *_mine(source_cursors, merchant, self._system),
                source_cursors.c.name == shortened(name, LONGEST_NAME),
            )
            connection.execute(delete(source_cursors).where(*where))

    def _row(self, merchant: str) -> dict[str, str]:
        return {"merchant": merchant, "system": self._system}


def _old(table: Table, system: str, at: ColumnElement[int], before_ms: int) -> Delete:
    keys = list(table.primary_key)
    old = select(*keys).where(table.c.system == system, at < before_ms).limit(PURGED_AT_ONCE)
    return delete(table).where(tuple_(*keys).in_(old))


def shortened(name: str, most: int) -> str:
    """A name that fits its column: a long one, or one that no database holds, keeps its kind and becomes a digest."""
    if len(name) <= most and held(name):
        return name
    return f"{replaced(name.partition(':')[0])[:24]}:{ids.digest(name.encode(errors='surrogatepass'))}"


def _turn(resource: Resource) -> str:
    return f"turn:{resource}"


def _swap(connection: Connection, row: Mapping[str, str | int], before: int) -> bool:
    """Replace the number `before` by the row's; False when it is not there."""
    table = source_cursors
    if before:
        where = (*(table.c[key] == row[key] for key in ("merchant", "system", "name")), table.c.position == str(before))
        return connection.execute(update(table).where(*where).values(**row)).rowcount == 1
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    return connection.execute(insert(table).values(**row).on_conflict_do_nothing()).rowcount == 1


def _parts(names: list[str]) -> list[list[str]]:
    return [names[i : i + _AT_ONCE] for i in range(0, len(names), _AT_ONCE)]


def _mine(table: Table, merchant: str, system: str) -> tuple[ColumnElement[bool], ...]:
    return table.c.merchant == merchant, table.c.system == system


def _upsert(connection: Connection, table: Table, rows: Sequence[Mapping[str, object]]) -> None:
    if not rows:
        return
    keys = [column.name for column in table.primary_key]
    rest = [column.name for column in table.columns if column.name not in keys]
    if connection.dialect.name == "postgresql":
        made = postgresql.insert(table)
        updated = made.on_conflict_do_update(index_elements=keys, set_={name: made.excluded[name] for name in rest})
        connection.execute(updated, list(rows))
    else:
        lite = sqlite.insert(table)
        replaced = lite.on_conflict_do_update(index_elements=keys, set_={name: lite.excluded[name] for name in rest})
        connection.execute(replaced, list(rows))
