"""Erases what is there about orders or a customer, place by place. Touches Kafka and the ledger.

In this order: the cases agent is told, and the ledger's memory goes, so that nothing is learnt anew meanwhile; then
what lies in topics. All of it may be run again: what is gone already is not found a second time.
"""

import time
from collections.abc import Callable, Iterable, Sequence

from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient
from sqlalchemy import Engine

from ops import erasing
from ops.erasing import Line, Names, Subject
from ops.kafka import ANSWER_WITHIN_SECONDS, Seen, committed, read
from ops.producing import Outgoing, append
from schemas import ids, topics
from schemas.clock import wall_ms
from schemas.codec import Codec, Undecodable
from schemas.exceptions import ExceptionCleared, ExceptionRaised
from schemas.facts import Delivery, OrderErased
from schemas.kafka import Brokers
from sinks.ledger.engine import written_over
from streams.domain import row as rows
from streams.domain.state import Case

AGENT_WITHIN_SECONDS = 30.0
_AGAIN_SECONDS = 0.5


class Eraser:
    """Of one cluster and one ledger. With `dry_run` everything is counted and nothing is changed."""

    def __init__(
        self, kafka: Brokers, client: AdminClient, codec: Codec, engine: Engine, *, dry_run: bool
    ) -> None:  # fmt: skip
        self._kafka = kafka
        self._client = client
        self._codec = codec
        self._engine = engine
        self._dry_run = dry_run

    def subjects(self, merchant: str, orders: Iterable[str], customer: str, *, all_orders: bool) -> list[Subject]:
        """The orders that are meant, with all their names."""
        with self._engine.begin() as connection:
            mine = erasing.orders_of(connection, merchant, customer) if customer else []
        wanted = dict.fromkeys([*orders, *mine])
        cases = self._cases(lambda key: _of(key, merchant, None if all_orders else wanted))
        if all_orders:
            wanted = dict.fromkeys([*wanted, *(order for _, order in map(ids.split_key, cases))])
        with self._engine.begin() as connection:
            returns = erasing.rmas_of(connection, merchant, wanted)
        return [
            erasing.subject(merchant, order, cases.get(ids.order_key(merchant, order)), returns.get(order, ()))
            for order in wanted
        ]

    def _cases(self, wanted: Callable[[bytes], bool]) -> dict[bytes, Case]:
        """Rows of the cases agent as their changelog has them."""
        found: dict[bytes, bytes] = {}
        for seen in read(self._kafka, topics.changelog("cases")):
            if seen.key is not None and wanted(seen.key):
                found.pop(seen.key, None)
                if seen.value:
                    found[seen.key] = seen.value
        return {key: rows.load(value) for key, value in found.items()}

    def erase(self, subjects: Sequence[Subject], wanted: Names, by: str) -> list[Line]:
        """Every place with what was taken from it."""
        lines = [self._forget(subjects, by)]
        with self._engine.begin() as connection:
            lines += erasing.in_ledger(connection, wanted, dry_run=self._dry_run)
        if not self._dry_run:
            written_over(self._engine)
        lines += [self._deliveries(topics.deliveries(system), system, wanted) for system in topics.WEBHOOK_SYSTEMS]
        lines += [self._dead_letters(name, wanted) for name in topics.DEAD_LETTERS]
        return [*lines, self._exceptions(wanted)]

    def _forget(self, subjects: Sequence[Subject], by: str) -> Line:
        left = {each.key: each for each in subjects if not each.erased}
        what, why = "rows of the cases agent", ""
        if left and not self._dry_run:
            now_ms = wall_ms()
            append(self._kafka, [self._fact(each, now_ms, by) for each in left.values()], "the orders to forget")
            waiting = self._not_forgotten(set(left))
            why = f"{len(waiting)} when the agent runs: it has not said so yet" if waiting else ""
        return Line(
            place=topics.changelog("cases"), what=what, count=sum(each.known for each in left.values()), why=why
        )

    def _fact(self, subject: Subject, now_ms: int, by: str) -> Outgoing:
        fact = OrderErased(
            fact_id=ids.fact_id("erase", f"{subject.merchant}/{subject.order_id}", str(now_ms)),
            merchant=subject.merchant, order_id=subject.order_id, erased_at_ms=now_ms, by=by,
        )  # fmt: skip
        return Outgoing(topic=topics.ERASURES, key=subject.key, value=self._codec.encode(fact))

    def _not_forgotten(self, keys: set[bytes]) -> set[bytes]:
        deadline = time.monotonic() + AGENT_WITHIN_SECONDS
        while True:
            done = {key for key, case in self._cases(keys.__contains__).items() if case.erased_ms is not None}
            if done == keys or time.monotonic() > deadline:
                return keys - done
            time.sleep(_AGAIN_SECONDS)

    def _deliveries(self, topic: str, system: str, wanted: Names) -> Line:
        """Webhooks up to the last that is about them, which takes older ones of others along: they have been read. What
        their source has not read yet stays, and is told."""
        last: dict[int, int] = {}
        count = 0
        for seen in read(self._kafka, topic):
            if self._about(seen, wanted):
                count, last[seen.partition] = count + 1, seen.offset + 1
        done = committed(self._kafka, topics.group_of(f"source {system}"), [(topic, number) for number in last])
        ends = {number: min(end, done.get((topic, number), 0)) for number, end in last.items()}
        unread = sum(ends[number] < end for number, end in last.items())
        self._delete(topic, {number: end for number, end in ends.items() if end})
        why = f"{unread} partition(s) have some that the source has not read: run it again" if unread else ""
        return Line(place=topic, what="webhooks, with all before them in their partitions", count=count, why=why)

    def _dead_letters(self, topic: str, wanted: Names) -> Line:
        """Those of others are written again behind them, then everything before is deleted."""
        kept: dict[int, list[Seen]] = {}
        hit: set[int] = set()
        ends: dict[int, int] = {}
        count = 0
        for seen in read(self._kafka, topic):
            ends[seen.partition] = seen.offset + 1
            if self._about(seen, wanted):
                count += 1
                hit.add(seen.partition)
            else:
                kept.setdefault(seen.partition, []).append(seen)
        if hit and not self._dry_run:
            append(
                self._kafka, (_same(seen) for number in hit for seen in kept.get(number, [])), "dead letters of others"
            )
            self._delete(topic, {number: ends[number] for number in hit})
        return Line(place=topic, what="dead letters", count=count)

    def _delete(self, topic: str, ends: dict[int, int]) -> None:
        if self._dry_run or not ends:
            return
        places = [TopicPartition(topic, number, end) for number, end in ends.items()]
        for answer in self._client.delete_records(places, request_timeout=ANSWER_WITHIN_SECONDS).values():
            answer.result()

    def _about(self, seen: Seen, wanted: Names) -> bool:
        merchant, _, rest = (seen.key or b"").decode(errors="replace").partition("|")
        if merchant == wanted.merchant and rest in wanted.resources:
            return True
        try:
            record = self._codec.decode(seen.value)
        except Undecodable:
            return _bare(seen, wanted)
        if getattr(record, "merchant", None) != wanted.merchant:
            return False
        if isinstance(record, Delivery):
            return record.resource_id in wanted.resources or wanted.in_bytes(record.body)
        return getattr(record, "order_id", None) in wanted.orders or getattr(record, "rma_id", None) in wanted.rmas

    def _exceptions(self, wanted: Names) -> Line:
        found: set[bytes] = set()
        for seen in read(self._kafka, topics.EXCEPTIONS):
            if seen.key is None:
                continue
            if seen.value is None:
                found.discard(seen.key)
            try:
                record = self._codec.decode(seen.value)
            except Undecodable:
                continue
            if isinstance(record, ExceptionRaised | ExceptionCleared) and _names(record, wanted):
                found.add(seen.key)
        if not self._dry_run:
            gone = [Outgoing(topic=topics.EXCEPTIONS, key=key, value=None) for key in sorted(found)]
            append(self._kafka, gone, "the deletion of exceptions")
        return Line(place=topics.EXCEPTIONS, what="exceptions", count=len(found))


def _of(key: bytes, merchant: str, orders: Iterable[str] | None) -> bool:
    whose, _, order = key.decode(errors="replace").partition("|")
    return whose == merchant and (orders is None or order in orders)


def _bare(seen: Seen, wanted: Names) -> bool:
    """Bytes that are no record: they say nothing of their merchant but what stands in them."""
    value = seen.value or b""
    return wanted.merchant.encode() in value and wanted.in_bytes(value)


def _same(seen: Seen) -> Outgoing:
    return Outgoing(
        topic=seen.topic, key=seen.key, value=seen.value, headers=seen.headers, partition=seen.partition,
        timestamp_ms=max(seen.timestamp_ms, 0),
    )  # fmt: skip


def _names(record: ExceptionRaised | ExceptionCleared, wanted: Names) -> bool:
    if record.merchant != wanted.merchant:
        return False
    if record.order_id in wanted.orders or record.rma_id in wanted.rmas:
        return True
    return isinstance(record, ExceptionRaised) and wanted.in_bytes(record.detail.encode())
