"""Dead letters of sinks and sources: the original bytes and key, with what happened to them in headers. Pure."""

from schemas import dead_letters
from schemas.dead_letters import Headers
from sinks.redact import redact
from sinks.work import Received


def headers(
    received: Received, *, stage: str, reason: str, detail: str, attempts: int, now_ms: int, command_id: str
) -> Headers:
    """The record's own headers and ours; nothing personal and no secret in `detail` stays."""
    return dead_letters.headers(
        received.headers, topic=received.topic, partition=received.partition, offset=received.offset,
        timestamp_ms=received.timestamp_ms, stage=stage, reason=reason, error=redact(detail), attempts=attempts,
        now_ms=now_ms, command_id=command_id,
    )  # fmt: skip
