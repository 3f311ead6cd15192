"""What an HTTP status without an answer comes to. Only what is listed says something of the request.

A status that no list has never refuses a command: after a read it waits, after a write somebody looks first.
"""

from collections.abc import Mapping

import httpx
import msgspec

from sinks.outcomes import Deferred, Misconfigured, Outcome, Uncertain
from sinks.systems import retry_after

MOVED = frozenset({301, 302, 307, 308})  # the method is kept or was never run; 303 would say that it was


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """A system's own list. `systemic`: code and text of statuses about credentials, address or standing, never about
    the request; `throttles`: those that say that the request was not run because there were too many."""

    system: str
    systemic: Mapping[int, tuple[str, str]]
    throttles: frozenset[int] = frozenset({429})


def meaning(listed: Listed, response: httpx.Response, *, writes: bool) -> Outcome:
    """The outcome of a status that is not the system's answer."""
    status = response.status_code
    if status in listed.throttles:
        return Deferred(reason="throttled", after_seconds=retry_after.seconds(response.headers))
    if status in listed.systemic:
        code, detail = listed.systemic[status]
        return Misconfigured(code=code, detail=f"{listed.system} answered {status}: {detail}")
    if status in MOVED:
        return Misconfigured(code="redirected", detail=f"{listed.system} answered {status}: it has another address")
    return Uncertain(reason=f"http_{status}") if writes else Deferred(reason=f"http_{status}")
