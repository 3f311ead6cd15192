"""The two kinds of exchange with ReturnGO, and what its status codes mean. Error bodies are free text: not parsed."""

from decimal import Decimal
from typing import Any

import httpx
import msgspec

from schemas import lenient_json
from sinks.contract import EFFECT, OPERATION, NotSent, ReadFlow, Unanswered
from sinks.outcomes import Deferred, Outcome, Rejected, Uncertain
from sinks.systems import retry_after, statuses
from sinks.systems.ended import Ended
from sinks.systems.returngo.connection import DAY_SECONDS, Connection, budget_is_gone
from sinks.systems.statuses import Listed

LISTED = Listed(
    system="ReturnGO",
    systemic={
        401: ("unauthorized", "the API key is not accepted"),
        403: ("no_such_shop", "the API key does not reach this x-shop-name"),
    },
)


def read(c: Connection, operation: str, path: str, params: dict[str, str]) -> ReadFlow[Any]:
    """The JSON of an answer with decimals as Decimal, or None for 404; Ended for everything else."""
    url = httpx.URL(f"{c.base_url}{path}", params=params)
    request = httpx.Request("GET", url, headers={"Accept": "application/json"}, extensions={OPERATION: operation})
    try:
        response = yield request
    except NotSent as error:
        raise Ended(Deferred(reason=error.code, after_seconds=error.after_seconds)) from error
    except Unanswered as error:
        raise Ended(Deferred(reason="no_answer")) from error
    if response.status_code == httpx.codes.NOT_FOUND:
        return None
    if not response.is_success:
        raise Ended(_refused(response, writes=False))
    try:
        answer = lenient_json.loads(response.content, parse_float=Decimal)
    except (ValueError, RecursionError):
        answer = None
    if answer is None:  # also `null`: what is not there is answered with a status
        raise Ended(Deferred(reason="unreadable_answer"))
    return answer


def write(
    c: Connection, operation: str, method: str, path: str, body: dict[str, str], *, on_400: str
) -> ReadFlow[httpx.Response]:
    """A change; returns the answer of a success. `on_400`: the exception type when ReturnGO calls it invalid."""
    request = httpx.Request(
        method,
        f"{c.base_url}{path}",
        headers={"Content-Type": "application/json", "Accept": "application/json"},
        content=msgspec.json.encode(body, order="sorted"),
        extensions={OPERATION: operation, EFFECT: True},
    )
    response = yield request
    if response.is_success:
        if response.content.lstrip().startswith(b"<"):  # a page for people, of something that stands in front of it
            raise Ended(Uncertain(reason="unreadable_answer"))
        return response
    if response.status_code == httpx.codes.BAD_REQUEST:
        raise Ended(Rejected(code=on_400, detail=f"ReturnGO calls {operation} of {path} invalid (400)"))
    if response.status_code == httpx.codes.NOT_FOUND:
        raise Ended(Rejected(code="rejected_by_system", detail=f"ReturnGO knows nothing at {path} (404)"))
    raise Ended(_refused(response, writes=True))


def _refused(response: httpx.Response, *, writes: bool) -> Outcome:
    if response.status_code == httpx.codes.TOO_MANY_REQUESTS and budget_is_gone(response):
        return Deferred(reason="daily_budget_used_up", after_seconds=_until_midnight(response.headers.get("date", "")))
    return statuses.meaning(LISTED, response, writes=writes)


def _until_midnight(date: str) -> float | None:
    """Seconds to the next UTC day by the answer's own clock; when ReturnGO's day begins is not published."""
    now = retry_after.moment(date)
    return None if now is None else DAY_SECONDS - now.timestamp() % DAY_SECONDS
