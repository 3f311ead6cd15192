"""What a ReturnGO webhook asks for. Pure: it is only a hint, for anybody might have sent it.

A read costs a call of the day, so there is one per stage that can lead to a command, and one while the parcel is under
way. What the lists of changes tell by themselves is left to the polls.
"""

from typing import Literal

import msgspec
import orjson

from streams.sources.work import Urgency

# Signals for one RMA gather so many times as long as others where nobody waits for goods in hand.
REQUEST_GATHERS = 12.0
STATUSES = frozenset({
    "Pending", "Approved", "Received", "Validated", "Done", "Rejected", "Canceled", "Expired", "LabelCreated",
    "Shipped",
})  # fmt: skip
Stage = Literal["", "request", "receipt", "over", "stopped", "parcel"]


class Hint(msgspec.Struct, frozen=True, kw_only=True):
    """`urgency` None: left to the polls, unless `stage` says what else it depends on."""

    urgency: Urgency | None
    stage: Stage = ""
    transaction: str = ""  # the one that it is about


def hint(event: str, body: bytes) -> Hint:
    """What the webhook says; an event we do not know is read as news."""
    said = _object(body)
    match event:
        case "RMA_CREATED" | "RMA_STATUS_UPDATED":
            return _of_rma(event, _word(said, "status"))
        case "SHIPMENT_CREATED" | "SHIPMENT_STATUS_UPDATED":
            return _of_shipment(event, _word(said, "status"))
        case "TRANSACTION_CREATED":
            return Hint(urgency="effect", transaction=_transaction(said))
        case "SHIPMENT_TRACKER_STATUS_UPDATED":
            return Hint(urgency=None)
        case "REFUND_CREATED":  # the list of transactions has all of it
            return Hint(urgency=None)
        case _:
            return Hint(urgency="news")


def _of_rma(event: str, status: str) -> Hint:
    match status:
        case "Approved":
            return Hint(urgency="request", stage="request")
        case "Pending" if event == "RMA_CREATED":
            return Hint(urgency=None)  # nothing can follow from it before it is approved
        case "Received":
            return Hint(urgency=None, stage="receipt")
        case "Done":
            return Hint(urgency="effect", stage="over")
        case "Rejected" | "Canceled":
            return Hint(urgency="effect", stage="stopped")
        case "" if event == "RMA_CREATED":
            return Hint(urgency="news")
        case _:
            return Hint(urgency="effect")


def _of_shipment(event: str, status: str) -> Hint:
    match status:
        case "Shipped":
            return Hint(urgency="news", stage="parcel")
        case "Received":
            return Hint(urgency=None, stage="receipt")
        case "Pending" | "LabelCreated" | "Canceled":
            return Hint(urgency=None, stage="parcel")
        case "" if event == "SHIPMENT_CREATED":
            return Hint(urgency=None, stage="parcel")
        case _:
            return Hint(urgency="effect")


def _object(body: bytes) -> dict[str, object]:
    try:
        read = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return read if isinstance(read, dict) else {}


def _word(said: dict[str, object], key: str) -> str:
    value = said.get(key)
    return value if isinstance(value, str) else ""


def _transaction(said: dict[str, object]) -> str:
    inner = said.get("transaction")
    named = [said.get("transactionId"), inner.get("id") if isinstance(inner, dict) else None]
    return next((str(each) for each in named if isinstance(each, str | int) and not isinstance(each, bool)), "")[:64]
