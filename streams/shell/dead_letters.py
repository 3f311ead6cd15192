"""Dead letters: the original bytes under context headers. Pure."""

from streams.shell.contract import DeadLetterTopic, Headers, Output, Record

UNEXPECTED = "unexpected"
NO_KEY = "no_key"
TOO_LARGE = "too_large"

# header names; an operator's tools read them
SOURCE_TOPIC = "source-topic"
SOURCE_PARTITION = "source-partition"
SOURCE_OFFSET = "source-offset"
SOURCE_TIMESTAMP_MS = "source-timestamp-ms"
STAGE = "stage"
REASON = "reason"
ERROR = "error"
ATTEMPTS = "attempts"
FIRST_SEEN_MS = "first-seen-ms"
OURS = frozenset(
    (SOURCE_TOPIC, SOURCE_PARTITION, SOURCE_OFFSET, SOURCE_TIMESTAMP_MS, STAGE, REASON, ERROR, ATTEMPTS, FIRST_SEEN_MS)
)


def dead_letter(record: Record, reason: str, error: str, topic: DeadLetterTopic) -> Output:
    """The record as it came, whatever its size, addressed to its dead-letter topic.

    A record that was dead-lettered before and resubmitted keeps its first-seen time and counts one attempt more.
    """
    before = dict(record.headers)
    return Output(
        topic=topic(record.topic),
        key=record.key,
        value=record.value,
        headers=(
            *(header for header in record.headers if header[0] not in OURS),
            *_context(record, reason, error),
            (ATTEMPTS, b"%d" % (_number(before.get(ATTEMPTS), 0) + 1)),
            (FIRST_SEEN_MS, b"%d" % _number(before.get(FIRST_SEEN_MS), record.timestamp_ms)),
        ),
    )


def _context(record: Record, reason: str, error: str) -> Headers:
    return (
        (SOURCE_TOPIC, record.topic.encode()),
        (SOURCE_PARTITION, b"%d" % record.partition),
        (SOURCE_OFFSET, b"%d" % record.offset),
        (SOURCE_TIMESTAMP_MS, b"%d" % record.timestamp_ms),
        (STAGE, b"decide"),
        (REASON, reason.encode()),
        (ERROR, error.encode()[:1000]),
    )


def _number(value: bytes | None, otherwise: int) -> int:
    return int(value) if value is not None and value.isdigit() else otherwise
