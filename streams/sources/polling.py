"""Polls close the gaps that webhooks leave. One worker of a group polls; cursors are kept in the ledger. Touches HTTP.

A poll looks back to where the last complete one began, less an overlap, and its cursor moves only once everything it
found was read: what fails half-way is found again by the next.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from typing import Any, Protocol, TypeVar

import msgspec
import structlog

from schemas import clock
from sinks.systems.page import Page
from streams.sources import telemetry
from streams.sources.bad_deliveries import POLL, BadDeliveries, Window
from streams.sources.desk import Desk
from streams.sources.fields import Malformed
from streams.sources.memory import Memory
from streams.sources.publishing import Outbox
from streams.sources.troubles import Troubles
from streams.sources.unexpected import faults_shown
from streams.sources.work import Cause, Misconfigured, Resource, Told, Unexpected, Unread, Urgency

log = structlog.get_logger(__name__)
T = TypeVar("T")
Row = dict[str, Any]  # vendor JSON
READS_AT_ONCE = 8
DAY_MS = 86_400_000


class Changed(msgspec.Struct, frozen=True, kw_only=True):
    """Resources to read, and what is wrong with rows that name none."""

    resources: tuple[Resource, ...]
    problems: tuple[str, ...] = ()
    urgencies: dict[Resource, Urgency] = {}  # of those that are more than news
    told: tuple[Told, ...] = ()  # what rows tell by themselves


class Poll(Protocol):
    """What differs between polls."""

    name: str
    merchant: str
    overlap_seconds: float
    first_look_back_ms: int  # where the very first poll begins

    def pages(self, since_ms: int, cursor: str | None) -> Awaitable[Page]:
        """One page of changes; raises Unread."""

    def changed(self, page: Page, since_ms: int, begun_ms: int) -> Awaitable["Changed"]:
        """What of it is to be read, `begun_ms` being the time since when a read counts; the page shows changes since
        `since_ms`."""


class Poller:
    """Runs the polls of one system."""

    def __init__(self, system: str, desk: Desk, outbox: Outbox, memory: Memory, now_ms: Callable[[], int]) -> None:
        self._system = system
        self._desk = desk
        self._outbox = outbox
        self._memory = memory
        self._troubles = Troubles(outbox, memory, now_ms)
        self._bad = BadDeliveries(outbox, memory, now_ms)
        self._now_ms = now_ms
        self._completed: dict[tuple[str, str], int] = {}  # when the last complete one began, by the steady clock

    async def once(self, poll: Poll) -> bool:
        """One poll; False when something of it could not be read, so that its cursor stays."""
        steady = clock.steady_ms()
        window = await self._begin(poll)
        assert window.begun_ms is not None
        since_ms = max(window.since_ms - int(poll.overlap_seconds * 1000), 0)
        unread = await self._through(poll, since_ms, window.begun_ms)
        if unread is not None:
            log.warning(
                "poll_incomplete", system=self._system, poll=poll.name, merchant=poll.merchant, reason=unread.reason
            )
            if isinstance(unread, Unexpected):
                await self._failed(poll, unread)
            return False
        self._completed[poll.merchant, poll.name] = steady
        await self._end(poll, window.begun_ms)
        await self._troubles.answered(poll.merchant, f"poll {poll.name}", f"poll {poll.name}")
        await self._bad.polled(poll.merchant)
        return True

    async def _through(self, poll: Poll, since_ms: int, begun_ms: int) -> Unread | None:
        """All pages, also behind a resource that cannot be read; the first failure."""
        failed: Unread | None = None
        try:
            async for page in self._pages(poll, since_ms):
                with faults_shown(self._system, f"poll {poll.name}"):
                    found = await poll.changed(page, since_ms, begun_ms)
                await self._complain(poll, found.problems)
                try:
                    for each in found.told:
                        await self._desk.tell(each)
                    await self.read(found.resources, "poll", found.urgencies)
                except Unread as error:
                    failed = failed or error
        except Unread as error:
            if isinstance(error, Misconfigured):  # a resource that is refused is told by who reads it
                await self._troubles.refused(poll.merchant, f"poll {poll.name}", error)
            failed = failed or error
        return failed

    async def _pages(self, poll: Poll, since_ms: int) -> AsyncIterator[Page]:
        cursor: str | None = None
        while True:
            with faults_shown(self._system, f"poll {poll.name}"):
                page = await poll.pages(since_ms, cursor)
            yield page
            cursor = page.next_cursor
            if cursor is None:
                return

    async def _failed(self, poll: Poll, error: Unexpected) -> None:
        detail = (
            f"expected to read {self._system}'s list of {poll.name}, our code failed: {error.place}. The poll is tried "
            "again from the same time."
        )
        await self._troubles.raised("undecodable", poll.merchant, f"poll {poll.name}", detail)

    async def _complain(self, poll: Poll, problems: Iterable[str]) -> None:
        """A row that cannot be read must not hold up the rest: a person learns of it."""
        for each in problems:
            detail = f"a row of {self._system}'s list of {poll.name}: {each}"
            await self._outbox.complain(
                "malformed_delivery",
                poll.merchant,
                f"poll {poll.name} {each}",
                detail,
                self._now_ms(),
                resolvable=True,
            )

    async def read(
        self, resources: Iterable[Resource], cause: Cause, urgencies: Mapping[Resource, Urgency] | None = None
    ) -> None:
        """Read them, a few at once; raises Unread after all were tried."""
        slots = asyncio.Semaphore(READS_AT_ONCE)

        async def one(resource: Resource) -> Unread | None:
            async with slots:
                try:
                    await self._desk.read(resource, (urgencies or {}).get(resource, "news"), cause)
                except Unread as error:
                    return error
                return None

        failed = [each for each in await asyncio.gather(*map(one, resources)) if each is not None]
        if failed:
            raise failed[0]

    async def _begin(self, poll: Poll) -> Window:
        name = f"{POLL}{poll.name}"
        known = (await self._memory.notes(poll.merchant, [name])).get(name)
        now_ms = self._now_ms()
        window = msgspec.json.decode(known, type=Window) if known else _first(poll, now_ms)
        window = self._checked(poll, window, now_ms)
        if window.begun_ms is None:
            window = msgspec.structs.replace(window, begun_ms=now_ms)
            await self._memory.keep(poll.merchant, {name: msgspec.json.encode(window).decode()})
        self._watch(poll, window)
        return window

    def _checked(self, poll: Poll, window: Window, now_ms: int) -> Window:
        """A cursor that is ahead of the clock would find nothing until the clock has come there. When the last poll
        began is known by the steady clock; after a start it is not, so we look back a day."""
        if window.since_ms - int(poll.overlap_seconds * 1000) > now_ms:
            log.warning("poll_cursor_ahead", system=self._system, poll=poll.name, merchant=poll.merchant)
            steady = self._completed.get((poll.merchant, poll.name))
            back_ms = min(poll.first_look_back_ms, DAY_MS) if steady is None else clock.steady_ms() - steady
            return Window(since_ms=now_ms - back_ms)
        if window.begun_ms is not None and window.begun_ms > now_ms:
            return msgspec.structs.replace(window, begun_ms=None)
        return window

    async def _end(self, poll: Poll, begun_ms: int) -> None:
        window = Window(since_ms=begun_ms)
        await self._memory.keep(poll.merchant, {f"{POLL}{poll.name}": msgspec.json.encode(window).decode()})
        self._watch(poll, window)

    def _watch(self, poll: Poll, window: Window) -> None:
        """Its age runs from the last complete one, by the steady clock where this process saw it; before there was any
        from when the first one began: how far that looks back is no age."""
        series = telemetry.POLL_AGE.labels(self._system, poll.merchant, poll.name)
        steady = self._completed.get((poll.merchant, poll.name))
        if steady is None:
            now_ms = self._now_ms()
            since_ms = window.since_ms if window.complete else window.begun_ms or now_ms
            steady = clock.steady_ms() - max(now_ms - since_ms, 0)
        series.set_function(lambda: (clock.steady_ms() - steady) / 1000)


def _first(poll: Poll, now_ms: int) -> Window:
    return Window(since_ms=now_ms - poll.first_look_back_ms, complete=False)


def sound(rows: Iterable[Row], of: Callable[[Row], T]) -> tuple[list[T], tuple[str, ...]]:
    """`of` each row that can be read, and what is wrong with the others."""
    found: list[T] = []
    problems: list[str] = []
    for row in rows:
        try:
            found.append(of(row))
        except Malformed as error:
            problems.append(str(error))
    return found, tuple(problems)
