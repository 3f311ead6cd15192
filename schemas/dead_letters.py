"""Dead letters: the original bytes under headers of ours. The one home of the headers' names and values. Pure.

The tools that list dead letters and put them back read these names.
"""

from collections.abc import Iterable

from schemas import product

SOURCE_TOPIC = "source-topic"
SOURCE_PARTITION = "source-partition"
SOURCE_OFFSET = "source-offset"
SOURCE_TIMESTAMP_MS = "source-timestamp-ms"
STAGE = "stage"
REASON = "reason"
ERROR = "error"
ATTEMPTS = "attempts"
FIRST_SEEN_MS = "first-seen-ms"
LAST_SEEN_MS = "last-seen-ms"
COMMAND_ID = "command-id"
VERSION = "version"
OURS = frozenset(
    (SOURCE_TOPIC, SOURCE_PARTITION, SOURCE_OFFSET, SOURCE_TIMESTAMP_MS, STAGE, REASON, ERROR, ATTEMPTS, FIRST_SEEN_MS,
     LAST_SEEN_MS, COMMAND_ID, VERSION)
)  # fmt: skip
MOST_ERROR_BYTES = 1000
_MOST_DIGITS = 18  # of a number that fits into 64 bits

Headers = tuple[tuple[str, bytes], ...]
Raw = Iterable[tuple[str, bytes | None]] | None  # as clients hand them over: a header may be there without a value


def plain(headers: Raw) -> Headers:
    """The headers of a record as it came: one without a value has an empty one."""
    return tuple((name, bytes(value or b"")) for name, value in headers or ())


def headers(
    before: Headers, *, topic: str, partition: int, offset: int, timestamp_ms: int, stage: str, reason: str,
    error: str, attempts: int | None, now_ms: int, command_id: str = "",
) -> Headers:  # fmt: skip
    """The record's own headers (`before`) and ours; `topic` to `timestamp_ms` say where it came from.

    A record that was set aside before keeps the time when it was first seen, and `attempts` None counts one more.
    """
    known = dict(before)
    first_ms = number(known.get(FIRST_SEEN_MS)) or (min(timestamp_ms, now_ms) if timestamp_ms > 0 else now_ms)
    values = {
        SOURCE_TOPIC: topic,
        SOURCE_PARTITION: str(partition),
        SOURCE_OFFSET: str(offset),
        SOURCE_TIMESTAMP_MS: str(timestamp_ms),
        STAGE: stage,
        REASON: reason,
        ERROR: error,
        ATTEMPTS: str((number(known.get(ATTEMPTS)) or 0) + 1 if attempts is None else attempts),
        FIRST_SEEN_MS: str(first_ms),
        LAST_SEEN_MS: str(now_ms),
        COMMAND_ID: command_id,
        VERSION: product.version(),
    }
    own = tuple((name, value) for name, value in before if name not in OURS)
    return own + tuple((name, _bytes(value)) for name, value in values.items() if value)


def number(value: bytes | None) -> int | None:
    """What a header of ours says; None for what is no number of ours."""
    return int(value) if value is not None and value.isdigit() and len(value) <= _MOST_DIGITS else None


def _bytes(text: str) -> bytes:
    return text.encode(errors="backslashreplace")[:MOST_ERROR_BYTES]
