"""Dead letters: the original bytes and key, with what happened to them in headers. Pure."""

import importlib.metadata

from sinks.redact import redact
from sinks.work import Received

# Header names; the tools that list and redrive dead letters read them.
OURS = (
    "source-topic",
    "source-partition",
    "source-offset",
    "source-timestamp-ms",
    "stage",
    "reason",
    "error",
    "attempts",
    "first-seen-ms",
    "last-seen-ms",
    "command-id",
    "version",
)


def headers(
    received: Received, *, stage: str, reason: str, detail: str, attempts: int, now_ms: int, command_id: str
) -> list[tuple[str, bytes]]:
    """The record's own headers and ours. A record that was dead-lettered before keeps the time it was first seen."""
    before = dict(received.headers).get("first-seen-ms", b"")
    values = {
        "source-topic": received.topic,
        "source-partition": str(received.partition),
        "source-offset": str(received.offset),
        "source-timestamp-ms": str(received.timestamp_ms),
        "stage": stage,
        "reason": reason,
        "error": redact(detail),
        "attempts": str(attempts),
        "first-seen-ms": before.decode() if before.isdigit() else str(received.timestamp_ms),
        "last-seen-ms": str(now_ms),
        "command-id": command_id,
        "version": importlib.metadata.version("returnflow"),
    }
    own = [(name, value) for name, value in received.headers if name not in OURS]
    return own + [(name, value.encode()) for name, value in values.items() if value]
