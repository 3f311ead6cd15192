"""Deliveries that nobody can use, told to people once, and closed when what they were about has been read since.

A delivery that names its resource is made good by the next read of that resource; any is made good once every poll of
the merchant has begun after it came and has ended: then everything that it can have told of was read. The ledger
remembers them, so no restart leaves one open. Touches SQL and Kafka.
"""

from collections.abc import Callable, Iterable

import msgspec

from schemas import ids
from streams.sources.again import Again
from streams.sources.memory import Memory
from streams.sources.publishing import Outbox
from streams.sources.work import Complaint, Resource

MOST = 200  # that are closed at a time
POLL = "poll:"  # in front of the notes of polls, see Window
_PREFIX = "bad:"


class BadNote(msgspec.Struct, frozen=True, kw_only=True):
    """An open exception about a delivery; its merchant is the note's."""

    kind: str
    subject: str
    at_ms: int


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """A poll's cursor: where the last complete one began, and when the one under way was first begun. While none was
    `complete`, `since_ms` is how far the first one looks back."""

    since_ms: int
    begun_ms: int | None = None
    complete: bool = True


class BadDeliveries:
    """Of one system."""

    def __init__(self, outbox: Outbox, memory: Memory, now_ms: Callable[[], int]) -> None:
        self._outbox = outbox
        self._memory = memory
        self._now_ms = now_ms

    async def told(self, kind: str, complaint: Complaint, *, ask: bool) -> None:
        """Tell people of it, and remember that they were told; `ask`: what it was about is to be read soon. One of no
        merchant is closed by a person."""
        await self._outbox.complain(
            kind, complaint.merchant, complaint.subject, complaint.detail, complaint.at_ms, resolvable=True
        )
        if not complaint.merchant:
            return
        about = complaint.resource
        note = BadNote(kind=kind, subject=complaint.subject, at_ms=complaint.at_ms)
        name = f"{_about(str(about or ''))}{_short(complaint.subject)}"
        notes: dict[str, str | None] = {name: msgspec.json.encode(note).decode()}
        if about is not None and ask:
            notes |= Again(self._memory).at_once(about)
        await self._memory.keep(complaint.merchant, notes)

    async def read(self, resource: Resource, begun_ms: int) -> None:
        """It was read well, by a read that began then."""
        found = await self._memory.listed(resource.merchant, _about(str(resource)), MOST)
        await self._close(resource.merchant, found.items(), begun_ms, f"{resource} was read since")

    async def polled(self, merchant: str) -> None:
        """A poll of the merchant has ended well."""
        found = await self._memory.listed(merchant, _PREFIX, MOST)
        if not found:
            return
        polls = await self._memory.listed(merchant, POLL, MOST)
        windows = [msgspec.json.decode(each, type=Window) for each in polls.values()]
        since_ms = min((each.since_ms for each in windows), default=0)
        await self._close(merchant, found.items(), since_ms, "every poll has read since what had changed")

    async def _close(self, merchant: str, found: Iterable[tuple[str, str]], begun_ms: int, why: str) -> None:
        for name, text in found:
            note = msgspec.json.decode(text, type=BadNote)
            if note.at_ms <= begun_ms:
                await self._outbox.clear(note.kind, merchant, note.subject, why)
                await self._memory.keep(merchant, {name: None})


def _about(resource: str) -> str:
    return f"{_PREFIX}{_short(resource or '?')}:"


def _short(text: str) -> str:
    return ids.digest(text.encode(errors="surrogatepass"))[:16]
