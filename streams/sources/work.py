"""What the sources pass among their parts: resources, what reading one taught, what a consumed record asks for."""

from typing import Literal

import msgspec

from schemas.facts import ObservedEffect, OrderSnapshot, ReturnEvent
from schemas.stock import StockItem, StockLevel

Fact = ReturnEvent | OrderSnapshot | ObservedEffect | StockItem | StockLevel
Cause = Literal["signal", "trigger", "poll", "sweep", "again"]
# effect: a command may follow, so the reserve of the quota may be used. news: gives way when a day's calls grow short.
# request: one or the other, by what is known when it is read. page: of a list, within all but the reserve.
Urgency = Literal["effect", "request", "news", "page"]


class Resource(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that can be read in a system."""

    merchant: str
    # The last two only lead to their order.
    kind: Literal["rma", "order", "sku", "item", "variant", "return", "reverse"]
    name: str  # its id, or the SKU

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}"


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """A read of a resource: `before` is the last number of its order of reading when the read began, `first` the next
    one, never below the clock (epoch milliseconds)."""

    resource: Resource
    before: int
    first: int


class Place(msgspec.Struct, frozen=True):
    """A consumed record. `turn` tells it from the same record, consumed when its partition had come back."""

    topic: str
    partition: int
    offset: int
    turn: int = 0


class Learnt(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a read. `notes` go to the source's memory by name; None forgets one. `more` is to be read next."""

    facts: tuple[Fact, ...] = ()
    notes: dict[str, str | None] = {}
    more: tuple[Resource, ...] = ()
    absent: bool = False


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What a row of a list taught about a resource, whose last number in its order of reading was `before`."""

    resource: Resource
    before: int
    facts: tuple[Fact, ...]
    notes: dict[str, str | None]


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """A read that a record asks for, `after_seconds` to gather what else comes for the same resource."""

    resource: Resource
    urgency: Urgency
    cause: Cause
    after_seconds: float = 0.0


class Complaint(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery with nothing usable in it, or one that a person must answer; `subject` tells it from others, so that
    the same one is raised once."""

    merchant: str
    subject: str
    detail: str
    at_ms: int
    resource: Resource | None = None  # that it was about; None: it does not say
    kind: str = "malformed_delivery"


class Routed(msgspec.Struct, frozen=True, kw_only=True):
    """What a consumed record asks for; `result` is its word in the metrics."""

    result: Literal["read", "direct", "waits", "repeat", "ignored", "malformed", "held"]
    wanted: tuple[Wanted, ...] = ()
    merchant: str = ""
    facts: tuple[Fact, ...] = ()
    notes: dict[str, str | None] = {}
    complaint: Complaint | None = None


class DeadLetter(Exception):
    """A record that cannot be a delivery of ours; `reason` is a word of a closed set."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


class Unread(Exception):
    """The system did not answer the question. `after_seconds`: when it says to ask again, None when it does not."""

    def __init__(self, reason: str, after_seconds: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.after_seconds = after_seconds


class Unexpected(Unread):
    """Our code failed on the question or the answer. `place`: type and line; what else the fault says stays out."""

    def __init__(self, place: str) -> None:
        super().__init__("unexpected")
        self.place = place


class Misconfigured(Unread):
    """It will not answer before somebody corrects credentials, scope or address."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(code)
        self.code = code
        self.detail = detail
