"""How one attempt at a command ended: a closed set. Vendor words end where these begin."""

import msgspec

from schemas.commands import LineShare, Suggestion
from schemas.money import Money


class Applied(msgspec.Struct, frozen=True, kw_only=True):
    """The system confirmed the effect."""

    external_ids: dict[str, str] = {}
    amount: Money | None = None  # what really moved
    quantity: int | None = None
    detail: str | None = None
    lines: tuple[LineShare, ...] = ()  # what a refund paid for each line, where the system says so


class AlreadyApplied(msgspec.Struct, frozen=True, kw_only=True):
    """A look or a duplicate reply shows our mark: the effect is there, made by an earlier attempt."""

    external_ids: dict[str, str] = {}
    amount: Money | None = None
    quantity: int | None = None
    detail: str | None = None


class Deferred(msgspec.Struct, frozen=True, kw_only=True):
    """Nothing was done; try again after `after_seconds` (None: by the retry policy). Spends no attempt."""

    reason: str
    after_seconds: float | None = None
    notes: dict[str, str] = {}  # handed to the next attempt of this command


class Uncertain(msgspec.Struct, frozen=True, kw_only=True):
    """The effect may or may not be there: look before writing again. `new_key`: the system wants a new key."""

    reason: str
    new_key: bool = False
    notes: dict[str, str] = {}  # handed to the next attempt of this command


class Rejected(msgspec.Struct, frozen=True, kw_only=True):
    """The system understood and refused, or our check did: a data fault, retrying cannot cure it."""

    code: str  # an exception type of schemas.exceptions
    detail: str  # for people, no personal data
    suggested: Suggestion | None = None  # the system's own figure, where ours was refused by it


class Misconfigured(msgspec.Struct, frozen=True, kw_only=True):
    """Credentials, scope, address or version are wrong: pause this merchant's system, dead-letter nothing."""

    code: str
    detail: str


Outcome = Applied | AlreadyApplied | Deferred | Uncertain | Rejected | Misconfigured
