"""Dead letters of an agent. Pure."""

from schemas import dead_letters
from streams.shell.contract import DeadLetterTopic, Output, Record

UNEXPECTED = "unexpected"
NO_KEY = "no_key"
TOO_LARGE = "too_large"


def dead_letter(record: Record, reason: str, error: str, topic: DeadLetterTopic, now_ms: int) -> Output:
    """The record as it came, whatever its size, addressed to its dead-letter topic."""
    headers = dead_letters.headers(
        record.headers, topic=record.topic, partition=record.partition, offset=record.offset,
        timestamp_ms=record.timestamp_ms, stage="decide", reason=reason, error=error, attempts=None, now_ms=now_ms,
    )  # fmt: skip
    return Output(topic=topic(record.topic), key=record.key, value=record.value, headers=headers)
