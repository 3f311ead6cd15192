"""All that a system's folder must offer, and all that it may know of the runtime.

A flow turns one command into HTTP exchanges without doing any I/O: it yields requests, is sent responses and returns an
Outcome. The runtime drives it and applies quota, breaker, timeout, authentication and redaction around every request.
When a request gets no usable answer the runtime throws one of the two errors below into the flow at its `yield`; a flow
need not catch them: uncaught they become Deferred and Uncertain.

A request may carry two extensions for the runtime: `OPERATION`, a name for metrics and spans, and `EFFECT`, present on
the request that makes the effect and on no other. The claim is persisted before any request goes out; a command whose
attempts only ever read something counts as never sent (`first_sent_ms` is None), unless a crash left that open.
"""

from collections.abc import Callable, Generator, Sequence
from typing import Any, Protocol, TypeVar

import httpx
import msgspec

from schemas.commands import Command, CommandKind
from schemas.merchant import Merchant
from sinks.outcomes import Outcome

T = TypeVar("T")
# yields a request, is sent its response (body read), returns what it learned
ReadFlow = Generator[httpx.Request, httpx.Response, T]

OPERATION = "returnflow.operation"  # httpx.Request.extensions: str
EFFECT = "returnflow.effect"  # httpx.Request.extensions: True
LEFT_OUT = "left_out"  # reason of a Deferred, and of a parked lane
INTERRUPTED = "interrupted"  # Attempt.notes: an earlier attempt was cut off after a request went out


class NotSent(Exception):
    """The request never reached the system (refused, no quota, paused): trying again is safe.

    `after_seconds` is how long it makes no sense to try, where that is known.
    """

    code = "not_sent"

    def __init__(self, reason: str, after_seconds: float | None = None) -> None:
        super().__init__(reason)
        self.after_seconds = after_seconds


class LeftOut(NotSent):
    """It gave way to what matters more, because the calls of the day grow short; it goes out when there are more."""

    code = LEFT_OUT


class Unanswered(Exception):
    """The request may have been applied (read timeout, reset): look before writing again."""


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """What the ledger knows when a command is tried, persisted before the first request goes out."""

    idempotency_key: str
    now_ms: int
    number: int = 1  # 1 for the first
    first_sent_ms: int | None = None  # None: no earlier attempt can have written anything
    notes: dict[str, str] = {}  # what earlier attempts of this command chose to remember
    may_join: bool = False  # the flow may return a Change instead of sending it


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What is left to do for a command when nothing speaks against it: units that may go out with those of others.

    Changes of one `target` (an item, a place, a state) add up, in any order.
    """

    target: tuple[str, ...]
    quantity: int


Flow = ReadFlow[Outcome | Change]


class Moved(msgspec.Struct, frozen=True, kw_only=True):
    """A batch was applied, as a whole; `targets` are those that the answer lists."""

    external_ids: dict[str, str]
    targets: frozenset[tuple[str, ...]]


class Refused(msgspec.Struct, frozen=True, kw_only=True):
    """The system understood a batch and refused it: nothing of it was done, and nothing will be under its key."""

    reason: str


class Batching(Protocol):
    """How a system takes many changes in one request, all or none of them.

    The batch's id is the key by which the system recognises a repeat, for the system's `key_horizon_seconds`.
    """

    most: int  # changes in one request

    def change(self, command: Command) -> Change | None:
        """What a command might leave to a batch; None: it never does."""

    def merge(self, batch_id: str, changes: Sequence[Change]) -> bytes:
        """The body of the request: one change per target. The order of `changes` makes no difference."""

    def reference(self, batch_id: str) -> str:
        """How the system will name the batch to people."""

    def flow(self, connection: Any, body: bytes) -> ReadFlow[Moved | Refused | Outcome]:
        """Sends the body as it is, in one request. An Outcome that is not about the batch itself leaves it open."""


class Limit(msgspec.Struct, frozen=True, kw_only=True):
    """A quota as the system grants it, per merchant or per owner of several.

    A bucket of `capacity` that refills with `per_second`; or, with `period_seconds`, a budget of `capacity` that is
    granted anew at every multiple of the period since the epoch (UTC), of which `reserve` is kept for the money path.
    """

    name: str
    capacity: float
    per_second: float
    period_seconds: float | None = None
    reserve: float = 0.0
    in_flight: int = 16  # requests at once
    owner: str = ""  # merchants with the same one share it; "": each has its own


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What a response says about the bucket; corrects the lease."""

    available: float | None = None
    per_second: float | None = None
    capacity: float | None = None
    requested: float | None = None  # what such a request has to find in the bucket; the next one is paced by that
    spent: float | None = None  # actual cost where it differs from the reserved one
    retry_after_seconds: float | None = None  # set only when the system refused for quota


class System(Protocol):
    """One folder under sinks/systems; listed by name in sinks/systems/__init__.py."""

    name: str
    handles: frozenset[CommandKind]
    key_horizon_seconds: float | None  # how long the system remembers an idempotency key; None: it has none
    batching: Batching | None  # None: one request for each command

    def connect(self, merchant: Merchant, secret: Callable[[str], str]) -> Any:
        """The system's own settings of a merchant; `secret` resolves references. Raises ValueError in plain words."""

    def authorize(self, connection: Any, request: httpx.Request) -> httpx.Request:
        """The request with its credentials; flows never hold them."""

    def limits(self, connection: Any) -> Sequence[Limit]: ...

    def cost(self, request: httpx.Request) -> dict[str, float]:
        """What the request takes from each limit by name, before the system has said what it asks for its operation."""

    def seen(self, request: httpx.Request, response: httpx.Response) -> dict[str, Seen]:
        """What the response says about each limit by name."""

    def flow(self, command: Command, connection: Any, merchant: Merchant, attempt: Attempt) -> Flow:
        """The conversation that applies a command; the first exchange of a repeated attempt looks before it writes."""
