"""When to stop asking a system that does not answer. Pure; one breaker per merchant and system. `now_ms` is of a steady
clock.

Closed: requests pass. Open: none do. After `open_seconds`, doubled with every failed probe, one request may probe.
"""

from typing import Literal

import msgspec

State = Literal["closed", "open", "half_open"]


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """`failures` in a row open it; the pause grows from `open_seconds` to `longest_seconds`."""

    failures: int = 5
    open_seconds: float = 5.0
    longest_seconds: float = 60.0


class Breaker(msgspec.Struct, frozen=True, kw_only=True):
    """`failures` in a row, and once open until when and how often a probe failed."""

    failures: int = 0
    open_until_ms: int | None = None
    failed_probes: int = 0
    probing: bool = False


def state(breaker: Breaker) -> State:
    """For people and metrics."""
    if breaker.open_until_ms is None:
        return "closed"
    return "half_open" if breaker.probing else "open"


def admit(breaker: Breaker, settings: Settings, now_ms: int) -> tuple[Breaker, float]:
    """Seconds to wait; 0 means the request may go, in an open breaker as its probe."""
    if breaker.open_until_ms is None:
        return breaker, 0.0
    if breaker.probing:
        return breaker, settings.open_seconds
    if now_ms < breaker.open_until_ms:
        return breaker, (breaker.open_until_ms - now_ms) / 1000
    return msgspec.structs.replace(breaker, probing=True), 0.0


def succeeded() -> Breaker:
    """After any usable answer: closed, whatever it was before."""
    return Breaker()


def failed(breaker: Breaker, settings: Settings, now_ms: int) -> Breaker:
    """After no answer or a 5xx. While it is open only the probe counts: stragglers say nothing new."""
    failures = breaker.failures + 1
    if breaker.open_until_ms is None and failures < settings.failures:
        return msgspec.structs.replace(breaker, failures=failures)
    if breaker.open_until_ms is not None and not breaker.probing:
        return breaker
    probes = breaker.failed_probes + (1 if breaker.probing else 0)
    pause = min(settings.longest_seconds, settings.open_seconds * 2.0**probes)
    return Breaker(failures=failures, open_until_ms=now_ms + int(pause * 1000), failed_probes=probes)


def abandoned(breaker: Breaker) -> Breaker:
    """The request was cancelled before anything was learned: the next one may probe."""
    return msgspec.structs.replace(breaker, probing=False)
