"""Exceptions folded to what is open now: raised, counted again, cleared. Pure but for reading the topic."""

from collections.abc import Iterable
from typing import Literal

import msgspec

from ops.kafka import Seen, Wanted, read
from schemas.codec import Codec, Undecodable
from schemas.exceptions import ExceptionCleared, ExceptionRaised
from schemas.kafka import Brokers
from schemas.topics import EXCEPTIONS


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """An exception and what became of it."""

    state: Literal["open", "cleared"]
    raised: ExceptionRaised
    cleared_at_ms: int | None = None
    why_cleared: str | None = None


class Inbox(msgspec.Struct, frozen=True, kw_only=True):
    """Every exception of the topic, oldest first, and how many records could not be read."""

    items: tuple[Item, ...]
    undecodable: int


def load(bootstrap: Brokers, codec: Codec, wanted: Wanted = lambda _: True) -> Inbox:
    """The inbox as the topic has it now; `wanted` looks at raw values, so a narrow question is answered quickly."""
    return fold(read(bootstrap, EXCEPTIONS, wanted=wanted), codec)


def fold(records: Iterable[Seen], codec: Codec) -> Inbox:
    """The last word on each exception. Its key keeps raised and cleared in order; a clearing alone is nothing."""
    items: dict[str, Item] = {}
    undecodable = 0
    for seen in records:
        if seen.value is None:
            items.pop((seen.key or b"").decode(errors="replace"), None)
            continue
        try:
            record = codec.decode(seen.value)
        except Undecodable:
            undecodable += 1
            continue
        _apply(items, record)
    ordered = sorted(items.values(), key=lambda item: (item.raised.since_ms, item.raised.exception_id))
    return Inbox(items=tuple(ordered), undecodable=undecodable)


def _apply(items: dict[str, Item], record: object) -> None:
    match record:
        case ExceptionRaised():
            items[record.exception_id] = Item(state="open", raised=record)
        case ExceptionCleared() if record.exception_id in items:
            items[record.exception_id] = Item(
                state="cleared",
                raised=items[record.exception_id].raised,
                cleared_at_ms=record.cleared_at_ms,
                why_cleared=record.why,
            )
        case _:
            return
