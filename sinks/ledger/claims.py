"""What is asked of the ledger about an effect, and what it answers. Times are epoch milliseconds."""

import msgspec

from sinks.ledger.parking import Arrival


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """Asks for the right to carry a command out until `until_ms`.

    `arrival` is the record it came in, which queues behind its key if that is parked; None when the parked lane itself
    is being carried out. `units` are names of what its money is for.
    """

    command_id: str
    merchant: str
    system: str
    kind: str
    key: str
    fingerprint: str
    idempotency_key: str
    worker: str
    now_ms: int
    until_ms: int
    arrival: Arrival | None
    units: tuple[str, ...] = ()
    sure_ms: int | None = None  # claims that ended by then have surely ended; None: by now


class Claimed(msgspec.Struct, frozen=True, kw_only=True):
    """It is ours. With `first_sent_ms` an earlier attempt may have written: look before writing.

    With `batch_id` it goes out in that batch and in no other way; `alone`: in none. `paid_by`: the command that pays
    for one of its units already; nothing may be sent.
    """

    idempotency_key: str
    epoch: int = 0
    attempts: int = 0
    first_sent_ms: int | None = None
    failing_since_ms: int | None = None
    left_ms: int | None = None  # when it was let go last
    notes: dict[str, str] = {}
    batch_id: str | None = None
    alone: bool = False
    paid_by: str | None = None


class Settled(msgspec.Struct, frozen=True, kw_only=True):
    """It has ended; `result` is the record to publish again."""

    result: bytes


class Busy(msgspec.Struct, frozen=True, kw_only=True):
    """Another worker has it until then."""

    until_ms: int


class Behind(msgspec.Struct, frozen=True, kw_only=True):
    """Its key is parked; the arrival waits there now."""


class Contradicts(msgspec.Struct, frozen=True, kw_only=True):
    """The id is taken by a command of other content; `result` of that one, if it has ended."""

    result: bytes | None


Answer = Claimed | Settled | Busy | Behind | Contradicts


class Settle(msgspec.Struct, frozen=True, kw_only=True):
    """How a command ended, with the record that says so."""

    command_id: str
    outcome: str
    external_ids: dict[str, str]
    result: bytes
    attempts: int
    now_ms: int


class Renew(msgspec.Struct, frozen=True, kw_only=True):
    """Asks for more time."""

    command_id: str
    worker: str
    until_ms: int


class Release(msgspec.Struct, frozen=True, kw_only=True):
    """Lets a claim go with what was learned, for whoever is next."""

    command_id: str
    worker: str
    now_ms: int
    epoch: int
    idempotency_key: str
    attempts: int
    first_sent_ms: int | None
    failing_since_ms: int | None
    notes: dict[str, str]
