"""Shopify's three layers of errors, read in order: HTTP status, top-level `errors`, `userErrors` of the payload.

Whatever is not an answer ends the conversation with the outcome. Words of Shopify end here and in `refusals`.
"""

from typing import Any, TypeVar

import httpx
import msgspec

from schemas import lenient_json
from sinks.outcomes import Deferred, Misconfigured, Outcome, Uncertain
from sinks.systems import statuses
from sinks.systems.ended import Ended
from sinks.systems.shopify import refusals
from sinks.systems.shopify.connection import THROTTLES, Bill, bill_of
from sinks.systems.shopify.documents import Document
from sinks.systems.statuses import Listed

Shape = TypeVar("Shape")

LISTED = Listed(
    system="Shopify",
    systemic={
        401: ("unauthorized", "the access token is not accepted"),
        402: ("shop_frozen", "the shop is frozen for non-payment"),
        403: ("forbidden", "the access token may not do this"),
        404: ("not_found", "no shop or API version answers at this address"),
        423: ("shop_locked", "the shop is locked"),
    },
    throttles=THROTTLES,
)
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
        raise Ended(statuses.meaning(LISTED, response, writes=document.mutation))
    body = _envelope(response.content)
    if body is None:
        raise Ended(transient(document, "unreadable_answer"))
    roots = body.data
    fatal = [error for error in body.errors if _fatal(document, error, roots)]
    if fatal and not (document.mutation is False and all(e.extensions.code == "RESOURCE_NOT_FOUND" for e in fatal)):
        raise Ended(refusals.weightiest([_top_level(document, error, response, roots) for error in fatal]))
    if roots is None or not roots.keys() >= set(document.roots):
        raise Ended(transient(document, "answer_without_data"))
    return roots


def _fatal(document: Document, error: _TopError, roots: dict[str, Any] | None) -> bool:
    """An error beside a root that is there does not undo what a mutation reports. In a read it may have taken a part
    that then looks as if it were not there (a claim, a refund): only a field that we may not read is no such part."""
    if roots is None or not error.path or roots.get(str(error.path[0])) is None:
        return True
    return not document.mutation and error.extensions.code not in ("ACCESS_DENIED", "RESOURCE_NOT_FOUND")


def _envelope(content: bytes) -> _Envelope | None:
    """An answer; None when it is no JSON. One text in it that is no UTF-8 does not make the rest unreadable."""
    try:
        return msgspec.json.decode(content, type=_Envelope)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        pass
    try:
        return msgspec.convert(lenient_json.loads(content), _Envelope)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None


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


def _top_level(document: Document, error: _TopError, response: httpx.Response, roots: dict[str, Any] | None) -> Outcome:
    code = error.extensions.code
    if code == "THROTTLED":
        return Deferred(reason="throttled", after_seconds=(bill_of(response.content) or Bill()).wait_seconds)
    if code in TRANSIENT:
        return transient(document, code.lower())
    if document.mutation and _ran(error, roots):
        return Uncertain(reason=f"answer_refused_{code}")
    known = refusals.top_level(document.name, code, error.message)
    if known is None or (isinstance(known, Uncertain) and not document.mutation):
        return transient(document, f"unknown_error_{code}" if known is None else known.reason)
    return known


def _ran(error: _TopError, roots: dict[str, Any] | None) -> bool:
    """An error inside of the payload took the payload with it, not what the mutation did."""
    return roots is not None and len(error.path) > 1 and str(error.path[0]) in roots
