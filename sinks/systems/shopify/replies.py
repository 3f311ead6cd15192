"""Shopify's three layers of errors, read in order: HTTP status, top-level `errors`, `userErrors` of the payload.

Whatever is not an answer ends the conversation with the outcome. Words of Shopify end here and in `refusals`.
"""

from typing import Any, TypeVar

import httpx
import msgspec

from sinks.outcomes import Deferred, Misconfigured, Outcome, Rejected, Uncertain
from sinks.systems import retry_after
from sinks.systems.ended import Ended
from sinks.systems.shopify import refusals
from sinks.systems.shopify.connection import Bill, bill_of
from sinks.systems.shopify.documents import Document

Shape = TypeVar("Shape")

# Statuses that speak of credentials, address or the shop's standing, never of the command.
SYSTEMIC = {
    401: ("unauthorized", "the access token is not accepted"),
    402: ("shop_frozen", "the shop is frozen for non-payment"),
    403: ("forbidden", "the access token may not do this"),
    404: ("not_found", "no shop or API version answers at this address"),
    423: ("shop_locked", "the shop is locked"),
}
TRANSIENT = frozenset({"INTERNAL_SERVER_ERROR", "SERVICE_UNAVAILABLE", "TIMEOUT"})


class _Extensions(msgspec.Struct, frozen=True):
    code: str | None = None


class _TopError(msgspec.Struct, frozen=True):
    message: str = ""
    extensions: _Extensions = _Extensions()
    path: tuple[str | int, ...] = ()


class _Envelope(msgspec.Struct, frozen=True):
    data: dict[str, Any] | None = None
    errors: tuple[_TopError, ...] = ()


def data(document: Document, response: httpx.Response) -> dict[str, Any]:
    """`data` of an answer whose roots are all there or truly absent; Ended for everything else."""
    if response.status_code != httpx.codes.OK:
        raise Ended(_status(document, response))
    try:
        body = msgspec.json.decode(response.content, type=_Envelope)
    except msgspec.MsgspecError:
        raise Ended(transient(document, "unreadable_answer")) from None
    roots = body.data
    # An error beside a root that is there (a field we may not read) must not undo what the root reports.
    fatal = [e for e in body.errors if roots is None or not e.path or roots.get(str(e.path[0])) is None]
    if fatal and not (document.mutation is False and all(e.extensions.code == "RESOURCE_NOT_FOUND" for e in fatal)):
        raise Ended(_top_level(document, fatal[0], response))
    if roots is None:
        raise Ended(transient(document, "answer_without_data"))
    return roots


def shaped(document: Document, response: httpx.Response, shape: type[Shape]) -> Shape:
    """The same, as the record that the flow works with; Ended when the answer does not have that shape."""
    try:
        return msgspec.convert(data(document, response), shape)
    except msgspec.ValidationError:
        raise Ended(transient(document, "unexpected_answer")) from None


def payload(document: Document, response: httpx.Response, shape: type[Shape]) -> Shape:
    """The one root of a mutation, as the record that the flow works with; Ended when it is null or of another shape."""
    root = next(iter(data(document, response).values()), None)
    try:
        return msgspec.convert(root, shape)
    except msgspec.ValidationError:
        raise Ended(transient(document, "unexpected_answer")) from None


def version_checked(response: httpx.Response, pinned: str) -> None:
    """Ended when another API version served us: Shopify falls forward silently when one is retired."""
    served = response.headers.get("x-shopify-api-version", pinned)
    if response.is_success and served != pinned:
        raise Ended(
            Misconfigured(
                code="api_version_changed",
                detail=f"expected Shopify to serve API version {pinned}, it served {served}: update the merchant file",
            )
        )


def transient(document: Document, reason: str) -> Outcome:
    """No usable answer: a read is simply repeated, after a write somebody has to look."""
    return Uncertain(reason=reason) if document.mutation else Deferred(reason=reason)


def _status(document: Document, response: httpx.Response) -> Outcome:
    status = response.status_code
    if status == httpx.codes.TOO_MANY_REQUESTS:
        return Deferred(reason="throttled", after_seconds=retry_after.seconds(response.headers))
    if status in SYSTEMIC:
        code, detail = SYSTEMIC[status]
        return Misconfigured(code=code, detail=f"Shopify answered {status}: {detail}")
    if response.is_redirect:
        return Misconfigured(code="redirected", detail=f"Shopify answered {status}: the shop has another address")
    if response.is_server_error or status == httpx.codes.REQUEST_TIMEOUT or response.is_success:
        return transient(document, f"http_{status}")
    return Rejected(code="rejected_by_system", detail=f"Shopify answered {status} to {document.name}")


def _top_level(document: Document, error: _TopError, response: httpx.Response) -> Outcome:
    code = error.extensions.code
    if code == "THROTTLED":
        return Deferred(reason="throttled", after_seconds=(bill_of(response.content) or Bill()).wait_seconds)
    if code in TRANSIENT:
        return transient(document, code.lower())
    known = refusals.top_level(document.name, code, error.message)
    if known is not None:
        return known
    if document.mutation:
        return Uncertain(reason=f"unknown_error_{code}")
    return Rejected(code="rejected_by_system", detail=f"{document.name}: {error.message[:200]} ({code})")
