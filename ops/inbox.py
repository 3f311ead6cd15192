"""Exceptions folded to what is open now: raised, counted again, cleared. Pure but for reading the topic."""

from collections.abc import Iterable
from typing import Literal

import msgspec

from ops.kafka import Seen, Wanted, read
from schemas.codec import Codec, Undecodable
from schemas.exceptions import ExceptionCleared, ExceptionRaised, by_hand
from schemas.kafka import Brokers
from schemas.topics import EXCEPTIONS


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """An exception and what became of it."""

    state: Literal["open", "cleared"]
    raised: ExceptionRaised
    cleared_at_ms: int | None = None
    why_cleared: str | None = None
    cleared_by: str = ""  # a person; "": its cause is gone


class Inbox(msgspec.Struct, frozen=True, kw_only=True):
    """Every exception of the topic, oldest first, and how many records could not be read."""

    items: tuple[Item, ...]
    undecodable: int


def load(bootstrap: Brokers, codec: Codec, wanted: Wanted = lambda _: True) -> Inbox:
    """The inbox as the topic has it now; `wanted` looks at raw values, so a narrow question is answered quickly."""
    return fold(read(bootstrap, EXCEPTIONS, wanted=wanted), codec)


def fold(records: Iterable[Seen], codec: Codec) -> Inbox:
    """The last word on each exception."""
    folded = Folded(codec)
    for seen in records:
        folded.take(seen.key, seen.value)
    ordered = sorted(folded.items(), key=lambda item: (item.raised.since_ms, item.raised.exception_id))
    return Inbox(items=tuple(ordered), undecodable=folded.undecodable)


class Folded:
    """The last word on each exception. Its key keeps raised and cleared in order; a clearing alone is nothing."""

    def __init__(self, codec: Codec) -> None:
        self._codec = codec
        self._items: dict[str, Item] = {}
        self.undecodable = 0

    def items(self) -> Iterable[Item]:
        """In no order."""
        return self._items.values()

    def take(self, key: bytes | None, value: bytes | None) -> None:
        """The next record of a partition."""
        if value is None:
            self._items.pop((key or b"").decode(errors="replace"), None)
            return
        try:
            record = self._codec.decode(value)
        except Undecodable:
            self.undecodable += 1
            return
        _apply(self._items, record)


def _apply(items: dict[str, Item], record: object) -> None:
    match record:
        case ExceptionRaised():
            known = items.get(record.exception_id)
            if known is None or not _again(known, record):
                items[record.exception_id] = Item(state="open", raised=record)
        case ExceptionCleared() if record.exception_id in items:
            items[record.exception_id] = Item(
                state="cleared",
                raised=items[record.exception_id].raised,
                cleared_at_ms=record.cleared_at_ms,
                why_cleared=record.why,
                cleared_by=record.by,
            )
        case _:
            return


def _again(known: Item, record: ExceptionRaised) -> bool:
    """Whether what is closed is only told again, by a replay: the same record, no later than it was closed. It stays
    closed. What tells of a state is open again whenever it is raised again."""
    return known.cleared_at_ms is not None and by_hand(record) and record.since_ms <= known.cleared_at_ms
