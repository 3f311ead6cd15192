"""The three kinds of exchange that a Shopify flow is made of: read, write, and the write that is the effect itself."""

from typing import Any, TypeVar

import httpx
import msgspec

from sinks.contract import EFFECT, OPERATION, NotSent, ReadFlow, Unanswered
from sinks.outcomes import Deferred, Uncertain
from sinks.systems.ended import Ended
from sinks.systems.shopify import documents, replies
from sinks.systems.shopify.connection import Connection

Shape = TypeVar("Shape")
Variables = dict[str, Any]  # what GraphQL takes: text, numbers, lists and objects of these


def read(c: Connection, stem: str, variables: Variables) -> ReadFlow[dict[str, Any]]:
    """`data` as Shopify says it, for readers that hand it on."""
    document = documents.load(stem)
    return replies.data(document, (yield from _asked(c, stem, variables)))


def look(c: Connection, stem: str, variables: Variables, shape: type[Shape]) -> ReadFlow[Shape]:
    """A read before a write, as a record; also makes sure that the pinned API version answers."""
    document = documents.load(stem)
    response = yield from _asked(c, stem, variables)
    replies.version_checked(response, c.api_version)
    return replies.shaped(document, response, shape)


def _asked(c: Connection, stem: str, variables: Variables) -> ReadFlow[httpx.Response]:
    """The answer to what is no effect; without one nothing was done, so the command waits."""
    try:
        return (yield request(c, stem, encoded(stem, variables), {}))
    except NotSent as error:
        raise Ended(Deferred(reason="not_sent", after_seconds=error.after_seconds)) from error
    except Unanswered as error:
        raise Ended(Deferred(reason="no_answer")) from error


def write(c: Connection, stem: str, variables: Variables, shape: type[Shape]) -> ReadFlow[Shape]:
    """The payload of a write that prepares or tidies up and may be repeated: a claim, a closed return.

    Without an answer the effect is as it was before, so the command waits; it does not become uncertain.
    """
    document = documents.load(stem)
    try:
        return replies.payload(document, (yield from _asked(c, stem, variables)), shape)
    except Ended as ended:
        if isinstance(ended.outcome, Uncertain):
            raise Ended(Deferred(reason=ended.outcome.reason)) from ended
        raise


def effect(c: Connection, stem: str, variables: Variables, shape: type[Shape]) -> ReadFlow[Shape]:
    """The payload of the write that the command is about. From here on a lost answer leaves the command uncertain."""
    document = documents.load(stem)
    response = yield request(c, stem, encoded(stem, variables), {EFFECT: True})
    return replies.payload(document, response, shape)


def encoded(stem: str, variables: Variables) -> bytes:
    """The body of a request, always written alike."""
    document = documents.load(stem)
    # Sorted keys: Shopify compares the input of a repeated key as it is written.
    body = {"operationName": document.name, "query": document.text, "variables": variables}
    return msgspec.json.encode(body, order="sorted")


def request(c: Connection, stem: str, content: bytes, extensions: dict[str, Any]) -> httpx.Request:
    """A request with a body that was encoded before."""
    return httpx.Request(
        "POST",
        c.url,
        headers={"Content-Type": "application/json", "Accept": "application/json"},
        content=content,
        extensions={OPERATION: documents.load(stem).name, **extensions},
    )
