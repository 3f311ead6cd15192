"""ReturnGO's polls: changed RMAs, changed transactions, and a sweep of open RMAs. Touches HTTP and SQL.

What a row tells by itself becomes a fact without a read. An RMA's date of change does not move when only its parcel or
its inspections do, so open RMAs are read again now and then, those not read for longest first, within a share of the
day's calls.
"""

from typing import Any

import msgspec

from schemas.merchant import ReturnGo
from sinks.systems.page import Page
from sinks.systems.returngo import read
from sinks.transport import Transport
from streams.sources import returngo_rows as rows
from streams.sources.fields import ident, label, obj
from streams.sources.memory import Memory
from streams.sources.polling import Changed, Row, sound
from streams.sources.reading import ask
from streams.sources.returngo import OPEN, rma_number
from streams.sources.returngo_rows import RmaNote
from streams.sources.returngo_transactions import transaction
from streams.sources.source_returngo import ships_name, transaction_state
from streams.sources.work import Resource, Told, Urgency

DAY_SECONDS = 86_400
Notes = dict[str, str | None]
SWEEP_SHARE = 0.1  # of the day's calls that are not the money path's
HOUR_MS = 3_600_000
# Read again at the earliest: goods that are here may be inspected in parts, which nothing tells.
SWEPT_AFTER_MS = {"Received": 6 * HOUR_MS}
OTHERS_SWEPT_AFTER_MS = 72 * HOUR_MS
MOST_OPEN = 5_000


class _Poll:
    """What both polls share. The first one finds the returns that are under way."""

    first_look_back_ms = 30 * DAY_SECONDS * 1000

    def __init__(
        self, merchant: str, store: ReturnGo, transport: Transport, memory: Memory, *, needs_receipt: bool = False
    ) -> None:
        self.merchant = merchant
        self._needs_receipt = needs_receipt
        self.overlap_seconds = float(store.overlap_seconds)
        self._transport = transport
        self._memory = memory

    @property
    def _connection(self) -> Any:
        return self._transport.connection(self.merchant)

    def _rma(self, rma_id: str) -> Resource:
        return Resource(merchant=self.merchant, kind="rma", name=rma_id)


class RmaPoll(_Poll):
    """RMAs whose date of change moved. What a row tells by itself is not read."""

    name = "rmas"

    async def pages(self, since_ms: int, cursor: str | None) -> Page:
        return await ask(self._transport, self.merchant, read.rmas_since(self._connection, since_ms, cursor), "page")

    async def changed(self, page: Page, since_ms: int, begun_ms: int) -> Changed:
        """What the rows teach, and what is to be read but for what was read since this poll was first tried."""
        listed, problems = sound(page.rows, _row)
        turns = await self._memory.turns([self._rma(each.name) for each in listed])
        names = [name for rma in listed for name in (f"rma:{rma.name}", f"told:{rma.name}", ships_name(rma.name))]
        notes = await self._memory.notes(self.merchant, names)
        told: list[Told] = []
        urgencies: dict[Resource, Urgency] = {}
        for each in {each.name: each for each in listed}.values():
            known = notes.get(f"rma:{each.name}")
            note = rows.noted(known, self._memory.now_ms()) if known else None
            if note is not None and note.read_ms >= begun_ms:
                continue
            asked = rows.step(
                each.status, note, ships=ships_name(each.name) in notes, needs_receipt=self._needs_receipt,
                since_ms=since_ms,
            )  # fmt: skip
            units = rows.unpacked(notes.get(f"told:{each.name}"))
            resource = self._rma(each.name)
            if note is not None and units and asked in ("received", "resolved"):
                facts = rows.milestone(asked, each.row, note, units, self.merchant, each.name, begun_ms)
                seen = msgspec.structs.replace(note, status=each.status, updated_ms=begun_ms)
                kept: Notes = {f"rma:{each.name}": msgspec.json.encode(seen).decode()}
                told.append(Told(resource=resource, before=turns[resource], facts=tuple(facts), notes=kept))
            elif asked != "nothing":
                urgencies[resource] = _URGENCIES.get(asked, "effect")
        return Changed(resources=tuple(urgencies), problems=problems, urgencies=urgencies, told=tuple(told))


_URGENCIES: dict[str, Urgency] = {"news": "news", "page": "page"}


class _Row(msgspec.Struct, frozen=True, kw_only=True):
    """An RMA of the list."""

    name: str
    status: str
    row: Row


def _row(found: Row) -> _Row:
    row = obj(found, "rmas")
    rows.dates(row, "")  # all of them can be read
    return _Row(
        name=rma_number(row.get("rmaId"), "rmas.rmaId"),
        status=label(row.get("status"), "rmas.status") or "",
        row=dict(row),
    )


class TransactionPoll(_Poll):
    """Transactions that changed: each row has all of a transaction, so nothing is read."""

    name = "transactions"

    async def pages(self, since_ms: int, cursor: str | None) -> Page:
        flow = read.transactions_since(self._connection, since_ms, cursor)
        return await ask(self._transport, self.merchant, flow, "page")

    async def changed(self, page: Page, since_ms: int, begun_ms: int) -> Changed:  # noqa: ARG002  see Poll
        """The list does not name the RMA: its units do. One that no RMA of ours has is found with its RMA."""
        listed, problems = sound(page.rows, _listed)
        states = await self._memory.notes(self.merchant, [each.name for each in listed])
        news = [each for each in listed if states.get(each.name) != each.state]
        rmas = await self._memory.notes(self.merchant, [unit for each in news for unit in each.units])
        found = [(each, rma) for each in news if (rma := next((rmas[u] for u in each.units if u in rmas), ""))]
        turns = await self._memory.turns([self._rma(rma) for _, rma in found])
        names = [name for rma in dict.fromkeys(rma for _, rma in found) for name in (f"rma:{rma}", f"told:{rma}")]
        notes = await self._memory.notes(self.merchant, names)
        told: dict[Resource, Told] = {}
        unknown: list[Resource] = []
        for each, rma in found:
            resource, packed = self._rma(rma), notes.get(f"rma:{rma}")
            note = rows.noted(packed, self._memory.now_ms()) if packed else None
            units = rows.unpacked(notes.get(f"told:{rma}"))
            if note is None or not units:
                unknown.append(resource)
            elif note.read_ms < begun_ms:  # else it was read since, and the next poll lists what changed after that
                fact = rows.of_transaction(each.row, note, units, self.merchant, rma, begun_ms)
                known = told.get(resource) or Told(resource=resource, before=turns[resource], facts=(), notes={})
                told[resource] = msgspec.structs.replace(
                    known, facts=(*known.facts, fact), notes={**known.notes, each.name: each.state}
                )
        return Changed(
            resources=tuple(dict.fromkeys(unknown)), problems=problems, urgencies=dict.fromkeys(unknown, "effect"),
            told=tuple(told.values()),
        )  # fmt: skip


class _Listed(msgspec.Struct, frozen=True, kw_only=True):
    """A transaction of the list, by the names that the memory knows."""

    name: str
    state: str
    units: tuple[str, ...]
    row: Row


def _listed(row: Row) -> _Listed:
    units = obj(row, "transactions").get("returnItemIds")
    transaction(row, "transactions", 0)  # all of it can be read
    return _Listed(
        name=f"transaction:{ident(row.get('id'), 'transactions.id')}", state=transaction_state(row),
        units=tuple(
            f"unit:{ident(each, 'transactions.returnItemIds')}" for each in (units if isinstance(units, list) else ())
        ), row=row,
    )  # fmt: skip


class Sweep:
    """Which open RMAs to read again, with the calls that have been saved up for it."""

    def __init__(self, merchant: str, store: ReturnGo, memory: Memory) -> None:
        self._merchant = merchant
        self._memory = memory
        self._per_second = SWEEP_SHARE * max(store.daily_calls - store.money_reserve, 0) / DAY_SECONDS
        self._credit = 1.0
        self._credited_ms: int | None = None

    async def due(self, now_ms: int) -> list[Resource]:
        """Open RMAs not read for longest, as many as there are calls for."""
        self._save_up(now_ms)
        open_ones = [f'"status":"{status}"' for status in sorted(OPEN)]
        listed = await self._memory.listed(self._merchant, "rma:", MOST_OPEN, holding=open_ones)
        notes = {name.removeprefix("rma:"): rows.noted(note, now_ms) for name, note in listed.items()}
        old = {rma: note for rma, note in notes.items() if note.status in OPEN and _swept_ms(note) < now_ms}
        chosen = sorted(old, key=lambda rma: old[rma].read_ms)[: int(self._credit)]
        self._credit -= len(chosen)
        return [Resource(merchant=self._merchant, kind="rma", name=rma) for rma in chosen]

    def _save_up(self, now_ms: int) -> None:
        since_ms = now_ms if self._credited_ms is None else min(self._credited_ms, now_ms)
        self._credited_ms = now_ms
        self._credit = min(self._credit + (now_ms - since_ms) / 1000 * self._per_second, 50.0)


def _swept_ms(note: RmaNote) -> int:
    return note.read_ms + SWEPT_AFTER_MS.get(note.status, OTHERS_SWEPT_AFTER_MS)
