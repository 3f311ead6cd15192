"""What a decision function and the shell say to each other. Pure: bytes and states in, bytes and states out."""

from collections.abc import Callable, Sequence
from typing import Generic, Protocol, TypeVar

import msgspec

from schemas.dead_letters import Headers

S = TypeVar("S")

DeadLetterTopic = Callable[[str], str]  # source topic → topic of its dead letters


class Undecodable(Exception):
    """A record that can never be decided on: dead letter, the agent goes on.

    `reason` is a word from the core's own closed set (it labels a metric); `error` says what was expected and what
    came, without values of the record (no personal data).
    """

    def __init__(self, reason: str, error: str) -> None:
        super().__init__(f"{reason}: {error}")
        self.reason = reason
        self.error = error


class Record(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A consumed Kafka record, untouched. `timestamp_ms` is the record's own (producer or broker time)."""

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes
    value: bytes | None
    headers: Headers = ()


class Output(msgspec.Struct, frozen=True, kw_only=True):
    """A record to produce. The partition follows from the key (murmur2, as in Java clients)."""

    topic: str
    key: bytes
    value: bytes | None
    headers: Headers = ()


class Decided(msgspec.Struct, Generic[S], frozen=True, kw_only=True):
    """What one record leads to.

    `state` is the new state of the key, None deletes its row; give back the very same object when nothing changed and
    no row is written. `due_ms` is the earliest deadline of the row (epoch ms), None when it has none.
    """

    state: S | None
    outputs: Sequence[Output] = ()
    due_ms: int | None = None


class Core(Protocol[S]):
    """A pure decision function with the codec of its rows; one per agent.

    Records may come again (at-least-once): a state must remember what it has applied and answer a known record with
    the same outputs. No method may wait, read a clock, or touch the outside.
    """

    def load(self, row: bytes) -> S:
        """State from a table row."""

    def dump(self, state: S) -> bytes:
        """Table row of a state; at most about 1 MiB."""

    def decide(self, state: S | None, record: Record) -> Decided[S]:
        """Apply one record. Raises Undecodable; any other exception dead-letters the record as `unexpected`."""

    def due(self, row: bytes) -> int | None:
        """Earliest deadline of a row, the `due_ms` it was decided with. Called for every row of a recovered partition:
        read the one field, do not decode the row."""

    def reached(self, key: bytes, state: S, due_ms: int) -> Output | None:
        """The record that tells the agent that `due_ms` has come; the same bytes whenever it is asked again.
        None when the deadline no longer matters."""

    def refused(self, record: Record, reason: str, error: str) -> Sequence[Output]:
        """What else to emit next to a dead letter, such as an exception for its owner; may be empty."""


class Rules(Protocol):
    """What a core decides by, where that may change while the agent runs."""

    def look(self) -> bool:
        """Whether they are others since the last look. Asked about once a second, in a thread of its own; from now on
        the core decides by the new ones."""

    def news(self) -> Sequence[Output]:
        """What is to be told of it, the same until `told`."""

    def told(self) -> None:
        """Kafka has what `news` gave."""

    def stale(self, key: bytes, row: bytes) -> bool:
        """Whether the row is open and was decided on by other rules than those that hold now. Called for every row of a
        recovered partition: do not decode more than that needs."""

    def again(self, key: bytes, row: bytes) -> Output | None:
        """The record that makes the core decide on a stale row anew; it must not be stale then."""
