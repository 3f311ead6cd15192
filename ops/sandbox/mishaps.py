"""Calls that go wrong on the wire: error statuses, answers that never come, connections that are cut."""

import asyncio
import json
import re

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from ops.sandbox.faults import AFTER_ALL, STRAY, Plan

BEFORE = frozenset({"timeout_before_apply", "lost_before_apply"})
AFTER = frozenset({"timeout_after_apply", "lost_after_apply"})
NAMED = re.compile(r"^(?!python|aiohttp|curl|okhttp|java)[\w.-]+/\d", re.IGNORECASE)
LATE = "timeout_late_apply"
LATE_SECONDS = 60.0
_STATUSES: dict[str, tuple[int, dict[str, str]]] = {
    **{str(status): (status, {"errors": "Sorry", "message": "Sorry"}) for status in STRAY},
    "expired_token": (401, {"errors": "[API] Invalid API key or access token (unrecognized login or wrong password)"}),
    "401": (
        401,
        {
            "errors": "[API] Invalid API key or access token (unrecognized login or wrong password)",
            "message": "Unauthorized",
        },
    ),
    "403": (403, {"errors": "Forbidden", "message": "Forbidden"}),
    "404": (404, {"errors": "Not Found", "message": "Not Found"}),
    "429": (429, {"errors": "Too many requests", "message": "Too Many Requests"}),
    "quota_exhausted": (429, {"message": "Limit Exceeded"}),
    "500": (500, {"errors": "Internal Server Error", "message": "Internal server error"}),
    "502": (502, {"message": "Bad Gateway"}),
    "503": (503, {"errors": "Service Unavailable", "message": "Service Unavailable"}),
    "504": (504, {"message": "Endpoint request timed out"}),
}


def unnamed(request: Request) -> bool:
    """Whether a caller does not say who it is: no name and version, or its library's."""
    return NAMED.match(request.headers.get("user-agent", "")) is None


def http_fault(plan: Plan) -> Response | None:
    """The answer of a fault that is a status; nothing was applied. A 429 with `seconds` says so in Retry-After."""
    if plan.fault not in _STATUSES:
        return None
    status, body = _STATUSES[plan.fault]
    headers = {"Retry-After": f"{plan.seconds:g}"} if plan.seconds is not None and status in (429, 503) else {}
    return Response(json.dumps(body).encode(), status_code=status, media_type="application/json", headers=headers)


def http_fault_after(plan: Plan | None) -> Response | None:
    """The answer of a fault that is a status, although all was applied."""
    known = {f"{status}_after_apply": status for status in AFTER_ALL}
    return Response(b"", status_code=known[plan.fault]) if plan and plan.fault in known else None


def hang_seconds(plan: Plan | None, usual: float) -> float:
    """How long a call hangs; the seconds of what comes late are until it comes."""
    return usual if plan is None or plan.seconds is None or plan.fault == LATE else plan.seconds


async def hang(request: Request, seconds: float) -> Response:
    """Says nothing for so many real seconds, or until the caller hangs up; then a gateway's 504."""
    gone = asyncio.ensure_future(_hung_up(request))
    await asyncio.wait({gone}, timeout=seconds)
    gone.cancel()
    return Response(b'{"message": "Endpoint request timed out"}', status_code=504, media_type="application/json")


async def _hung_up(request: Request) -> None:
    message = await request.receive()
    while message["type"] != "http.disconnect":
        message = await request.receive()


class _Lost(Response):
    """Promises a body and never sends it: the server then cuts the connection. Only on a real port."""

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"4096")]})


def lost() -> Response:
    """The connection breaks before the answer is through."""
    return _Lost()
