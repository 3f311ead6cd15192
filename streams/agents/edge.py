"""The edge of both agents: bytes to facts and records to bytes, keys checked, what is refused told to its owner."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TypeVar

import msgspec

from schemas import ids, topics
from schemas.catalogue import Record as Known
from schemas.codec import Codec
from schemas.codec import Undecodable as Broken
from schemas.exceptions import Evidence, ExceptionRaised, raised
from schemas.facts import ObservedEffect, OrderSnapshot, ReturnEvent
from schemas.merchant import Merchant
from schemas.misconfigured import MERCHANT_FILE
from streams.domain.learn import Fact, time_of
from streams.domain.output import Output as Made
from streams.shell.contract import Output, Record, Undecodable

F = TypeVar("F", bound=msgspec.Struct)
UNKNOWN_MERCHANT = "unknown_merchant"
# Clocks and zones of systems are wrong by hours; what is dated further ahead would outdo every later word.
MOST_AHEAD_MS = 86_400_000


class Edge:
    """Shared by the two cores of one process: the codec and the merchants. `look_again` is called before a merchant is
    said to be unknown: a source may have seen its new file first."""

    def __init__(
        self, codec: Codec, merchants: Mapping[str, Merchant], look_again: Callable[[], None] = lambda: None
    ) -> None:
        self._codec = codec
        self._merchants = merchants
        self._look_again = look_again

    def fact(self, record: Record, kinds: Mapping[str, type[F]]) -> F:
        """The fact that this topic carries; raises Undecodable."""
        try:
            fact = self._codec.decode(record.value)
        except Broken as problem:
            raise Undecodable("undecodable", str(problem)) from problem
        kind = kinds[record.topic]
        if not isinstance(fact, kind):
            raise Undecodable("wrong_record", f"expected a {kind.__name__} on {record.topic}, got a {_name(fact)}")
        return fact

    def rules(self, merchant: str) -> Merchant:
        """The merchant's configuration; raises Undecodable when there is none."""
        if merchant not in self._merchants:
            self._look_again()
        rules = self._merchants.get(merchant)
        if rules is None:
            raise Undecodable(UNKNOWN_MERCHANT, f"expected one of {sorted(self._merchants)}, got another merchant")
        return rules

    def knows(self, merchant: str) -> bool:
        """Whether there is a file for it."""
        return merchant in self._merchants

    def outputs(self, made: Iterable[Made]) -> list[Output]:
        """Records as bytes."""
        return [Output(topic=m.topic, key=m.key, value=self._codec.encode(m.record)) for m in made]

    def encode(self, record: Known) -> bytes:
        """A record in wire format."""
        return self._codec.encode(record)

    def refused(self, record: Record, reason: str, error: str) -> Sequence[Output]:
        """An exception next to a dead letter: one per record, or one per merchant for whom there is no file."""
        merchant = record.key.decode(errors="replace").partition("|")[0]
        if reason == UNKNOWN_MERCHANT:
            return [self._exception(self._stranger(merchant, record))]
        subject = f"{record.topic}/{record.partition}/{record.offset}"
        exception = raised(
            "undecodable", merchant=merchant if merchant in self._merchants else "", at_ms=record.timestamp_ms,
            exception_id=ids.exception_id(
                merchant=merchant, kind="undecodable", order_id="", rma_id="", subject=subject
            ),
            detail=f"record {subject} was set aside, {reason}: {error}", evidence=evidence(record), resolvable=True,
        )  # fmt: skip
        return [self._exception(exception)]

    def _stranger(self, merchant: str, record: Record) -> ExceptionRaised:
        """The record says itself whose it is (`check_key`), so the name may be told."""
        return raised(
            "misconfigured", merchant=merchant, at_ms=record.timestamp_ms,
            exception_id=ids.exception_id(
                merchant=merchant, kind="misconfigured", order_id="", rma_id="", subject=MERCHANT_FILE
            ),  # as of a file that is broken: it is cleared when the file is taken up
            detail=f"expected a usable merchant file for {merchant}, found none. Its facts are kept as dead letters "
            f"with the reason {UNKNOWN_MERCHANT}; mend or put back the file, then resubmit them.",
            evidence=evidence(record),
        )  # fmt: skip

    def _exception(self, exception: ExceptionRaised) -> Output:
        return Output(topic=topics.EXCEPTIONS, key=exception.exception_id.encode(), value=self._codec.encode(exception))


def evidence(record: Record) -> Evidence:
    """Where the fact can be read."""
    return Evidence(topic=record.topic, partition=record.partition, offset=record.offset)


def check_key(record: Record, expected: bytes) -> None:
    """A record under another key would be decided on in another row; raises Undecodable."""
    if record.key != expected:
        raise Undecodable("wrong_key", "expected the key merchant|order or merchant|item that the record itself names")


def check_time(record: Record, told: Fact) -> None:
    """Nothing is told before it happens; raises Undecodable. What decides has no clock, so it is asked here."""
    if not isinstance(told, ReturnEvent | ObservedEffect | OrderSnapshot) or record.timestamp_ms <= 0:
        return
    at_ms, latest_ms = time_of(told), record.timestamp_ms + MOST_AHEAD_MS
    if at_ms > latest_ms:
        raise Undecodable(
            "future", f"expected a time up to a day after it was told, {_date(latest_ms)}, got {_date(at_ms)}"
        )


def _date(at_ms: int) -> str:
    try:
        return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="seconds")
    except (OverflowError, ValueError):
        return "one after the year 9999"


def _name(fact: Known) -> str:
    return type(fact).__name__
