"""Dead letters as people see them: where from, why, how often, and what is in them. Pure but for reading a topic."""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from ops.kafka import Seen, read
from schemas import dead_letters as headers
from schemas import ids
from schemas.catalogue import Record
from schemas.codec import Codec, Undecodable
from schemas.facts import Delivery
from schemas.kafka import Brokers
from schemas.topics import CATALOGUE

PREVIEW_BYTES = 256
HIDDEN = "may hold personal data; --raw shows it"


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the list. `source` is where the record came from, `topic/partition/offset`."""

    topic: str
    partition: int
    offset: int
    at_ms: int
    reason: str
    error: str
    source: str
    attempts: int | None
    size: int


class Content(msgspec.Struct, frozen=True, kw_only=True):
    """One record in full. `fields` when it could be decoded, else `preview` (hex) and `why_undecodable`."""

    topic: str
    partition: int
    offset: int
    at_ms: int
    key: str
    headers: dict[str, str]
    size: int
    record: str | None = None
    fields: dict[str, Any] | None = None
    why_undecodable: str | None = None
    preview: str | None = None
    hidden: str | None = None


def listed(bootstrap: Brokers, topics: Sequence[str], since_ms: int | None) -> list[DeadLetter]:
    """Dead letters of the given topics, oldest first."""
    found = (summary(seen) for topic in topics for seen in read(bootstrap, topic, since_ms=since_ms))
    return sorted(found, key=lambda each: (each.at_ms, each.topic, each.partition, each.offset))


def summary(seen: Seen) -> DeadLetter:
    """What the headers tell, without touching the value."""
    said = text_headers(seen)
    source = [said.get(name, "") for name in (headers.SOURCE_TOPIC, headers.SOURCE_PARTITION, headers.SOURCE_OFFSET)]
    return DeadLetter(
        topic=seen.topic,
        partition=seen.partition,
        offset=seen.offset,
        at_ms=seen.timestamp_ms,
        reason=said.get(headers.REASON, "unknown"),
        error=said.get(headers.ERROR, ""),
        source="/".join(source) if source[0] else "",
        attempts=headers.number(dict(seen.headers).get(headers.ATTEMPTS)),
        size=len(seen.value or b""),
    )


def content(seen: Seen, codec: Codec, *, raw: bool) -> Content:
    """The whole record; bodies of webhooks only with `raw`."""
    shared = Content(
        topic=seen.topic,
        partition=seen.partition,
        offset=seen.offset,
        at_ms=seen.timestamp_ms,
        key=(seen.key or b"").decode(errors="backslashreplace"),
        headers=text_headers(seen),
        size=len(seen.value or b""),
    )
    try:
        record = codec.decode(seen.value)
    except Undecodable as problem:
        return _undecoded(shared, seen, str(problem), raw=raw)
    fields = dict(_fields(record, raw=raw))
    hidden = HIDDEN if isinstance(record, Delivery) and not raw else None
    return msgspec.structs.replace(shared, record=type(record).__name__, fields=fields, hidden=hidden)


def text_headers(seen: Seen) -> dict[str, str]:
    """Headers as text; ours are, others may be anything."""
    return {name: value.decode(errors="backslashreplace") for name, value in seen.headers}


def _undecoded(shared: Content, seen: Seen, why: str, *, raw: bool) -> Content:
    """Bytes that say nothing about themselves are only shown where no webhook body can be among them."""
    if not raw and _may_be_personal(seen):
        return msgspec.structs.replace(shared, why_undecodable=why, hidden=HIDDEN)
    preview = (seen.value or b"")[:PREVIEW_BYTES].hex(" ")
    return msgspec.structs.replace(shared, why_undecodable=why, preview=preview)


def _may_be_personal(seen: Seen) -> bool:
    source = text_headers(seen).get(headers.SOURCE_TOPIC, seen.topic)
    known = CATALOGUE.get(source)
    return known is None or known.key == "source" or Delivery in known.records


def _fields(record: Record, *, raw: bool) -> Iterator[tuple[str, Any]]:
    for name, value in msgspec.structs.asdict(record).items():
        if not isinstance(record, Delivery) or name not in ("body", "headers"):
            yield name, value
        elif name == "headers":
            yield name, value if raw else sorted(value)
        else:
            yield name, _body(value) if raw else f"{len(value)} bytes, digest {ids.digest(value)}"


def _body(body: bytes) -> str:
    return body.decode(errors="backslashreplace")
