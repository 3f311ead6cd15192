"""ReturnGO's polls: changed RMAs, changed transactions, and a sweep of open RMAs. Touches HTTP and SQL.

An RMA's date of change does not move when only its parcel or its inspections do, so open RMAs are read again now and
then, those not read for longest first, within a share of the day's calls.
"""

from typing import Any

import msgspec

from schemas.merchant import ReturnGo
from sinks.systems.page import Page
from sinks.systems.returngo import read
from sinks.transport import Transport
from streams.sources.fields import ident, obj
from streams.sources.memory import Memory
from streams.sources.polling import Changed, Row, sound
from streams.sources.reading import ask
from streams.sources.returngo import OPEN, rma_number
from streams.sources.source_returngo import RmaNote, transaction_state
from streams.sources.work import Resource

DAY_SECONDS = 86_400
SWEEP_SHARE = 0.25  # of the day's calls that are not the money path's
SWEPT_AFTER_MS = 3_600_000  # read again at the earliest
MOST_OPEN = 5_000


class _Poll:
    """What both polls share. The first one finds the returns that are under way."""

    first_look_back_ms = 30 * DAY_SECONDS * 1000

    def __init__(self, merchant: str, store: ReturnGo, transport: Transport, memory: Memory) -> None:
        self.merchant = merchant
        self.overlap_seconds = float(store.overlap_seconds)
        self._transport = transport
        self._memory = memory

    @property
    def _connection(self) -> Any:
        return self._transport.connection(self.merchant)

    def _rma(self, rma_id: str) -> Resource:
        return Resource(merchant=self.merchant, kind="rma", name=rma_id)


class RmaPoll(_Poll):
    """RMAs whose date of change moved. The list tells neither what changed nor when: each is read."""

    name = "rmas"

    async def pages(self, since_ms: int, cursor: str | None) -> Page:
        return await ask(self._transport, self.merchant, read.rmas_since(self._connection, since_ms, cursor), "news")

    async def changed(self, page: Page, begun_ms: int) -> Changed:
        """All but those read since this poll was first tried."""
        listed, problems = sound(page.rows, lambda row: rma_number(obj(row, "rmas").get("rmaId"), "rmas.rmaId"))
        notes = await self._memory.notes(self.merchant, [f"rma:{each}" for each in listed])
        read_ms = {name: msgspec.json.decode(note, type=RmaNote).read_ms for name, note in notes.items()}
        old = [each for each in dict.fromkeys(listed) if read_ms.get(f"rma:{each}", 0) < begun_ms]
        return Changed(resources=tuple(map(self._rma, old)), problems=problems)


class TransactionPoll(_Poll):
    """Transactions that changed: their RMAs are read, unless they were read with just this state."""

    name = "transactions"

    async def pages(self, since_ms: int, cursor: str | None) -> Page:
        flow = read.transactions_since(self._connection, since_ms, cursor)
        return await ask(self._transport, self.merchant, flow, "news")

    async def changed(self, page: Page, begun_ms: int) -> Changed:  # noqa: ARG002  see Poll
        """The list does not name the RMA: its units do. One that no RMA of ours has is found with its RMA."""
        listed, problems = sound(page.rows, _listed)
        known = await self._memory.notes(self.merchant, [each.name for each in listed])
        news = [each for each in listed if known.get(each.name) != each.state]
        rmas = await self._memory.notes(self.merchant, [unit for each in news for unit in each.units])
        found = [next((rmas[unit] for unit in each.units if unit in rmas), "") for each in news]
        return Changed(resources=tuple(self._rma(each) for each in dict.fromkeys(found) if each), problems=problems)


class _Listed(msgspec.Struct, frozen=True, kw_only=True):
    """A transaction of the list, by the names that the memory knows."""

    name: str
    state: str
    units: tuple[str, ...]


def _listed(row: Row) -> _Listed:
    units = obj(row, "transactions").get("returnItemIds")
    return _Listed(
        name=f"transaction:{ident(row.get('id'), 'transactions.id')}", state=transaction_state(row),
        units=tuple(
            f"unit:{ident(each, 'transactions.returnItemIds')}" for each in (units if isinstance(units, list) else ())
        ),
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
        notes = {name.removeprefix("rma:"): msgspec.json.decode(note, type=RmaNote) for name, note in listed.items()}
        old = {
            rma: note for rma, note in notes.items() if note.status in OPEN and note.read_ms < now_ms - SWEPT_AFTER_MS
        }
        chosen = sorted(old, key=lambda rma: old[rma].read_ms)[: int(self._credit)]
        self._credit -= len(chosen)
        return [Resource(merchant=self._merchant, kind="rma", name=rma) for rma in chosen]

    def _save_up(self, now_ms: int) -> None:
        since_ms = now_ms if self._credited_ms is None else self._credited_ms
        self._credited_ms = now_ms
        self._credit = min(self._credit + (now_ms - since_ms) / 1000 * self._per_second, 50.0)
