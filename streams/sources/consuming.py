"""Consumes deliveries (and triggers), routes each record, commits what is settled. Touches Kafka.

Commit order of one record: 1 its facts, exception or dead letter are acknowledged by Kafka, 2 the ledger remembers
them, 3 it counts as settled, 4 its offset is committed once every record before it is settled too.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError
from aiokafka.structs import ConsumerRecord

from schemas import topics
from schemas.clock import steady_ms
from schemas.codec import Codec, Undecodable
from schemas.dead_letters import plain
from schemas.endpoints import Joined
from schemas.facts import Delivery, ReturnEvent
from schemas.merchant import Merchant
from schemas.stock import RestockIntent
from sinks.work import Received
from streams.sources import envelope, telemetry
from streams.sources.bad_deliveries import BadDeliveries
from streams.sources.fields import Malformed
from streams.sources.progress import Progress
from streams.sources.publishing import Outbox
from streams.sources.signals import Signals
from streams.sources.strangers import Strangers
from streams.sources.unexpected import faults_shown
from streams.sources.work import Complaint, DeadLetter, Place, Resource, Routed, Unexpected

log = structlog.get_logger(__name__)
MOST_UNSETTLED = 5_000  # beyond this nothing more is fetched
MOST_PER_FETCH = 200
COMMIT_SECONDS = 0.5
MOST_FAILURES = 20


class Source(Protocol):
    """What differs between systems."""

    system: str
    merchants: Mapping[str, Merchant]

    async def route(self, delivery: Delivery) -> Routed:
        """What a delivery asks for; never raises for what is in it."""

    def revoked(self) -> None:
        """Records may be consumed again."""


Trigger = Callable[[ReturnEvent | RestockIntent], Awaitable[Routed]]
# Facts of others that make a source read.
TRIGGERS: dict[str, type[ReturnEvent] | type[RestockIntent]] = {
    topics.RETURN_EVENTS: ReturnEvent,
    topics.RESTOCK_INTENTS: RestockIntent,
}


class Consuming(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka ships no types
    """One consumer of one process."""

    def __init__(
        self, *, consumer: AIOKafkaConsumer, source: Source, trigger: Trigger | None, signals: Signals, outbox: Outbox,
        progress: Progress, strangers: Strangers, bad: BadDeliveries, codec: Codec,
        now_ms: Callable[[], int], joined: Joined, steady_ms: Callable[[], int] = steady_ms,
    ) -> None:  # fmt: skip
        self._consumer = consumer
        self._source = source
        self._trigger = trigger
        self._signals = signals
        self._outbox = outbox
        self._progress = progress
        self._strangers = strangers
        self._bad = bad
        self._codec = codec
        self._now_ms = now_ms
        self._steady_ms = steady_ms
        self._joined = joined
        self._failures = 0
        telemetry.UNSETTLED.labels(source.system).set_function(lambda: progress.unsettled)
        telemetry.OLDEST_UNSETTLED.labels(source.system).set_function(self._oldest_seconds)

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            self._hold_back()
            fetched = await self._consumer.getmany(timeout_ms=500, max_records=MOST_PER_FETCH)
            steady = self._steady_ms()
            # All are taken before anything is awaited: a rebalance finds each of them, or none of them consumed.
            taken = [
                (record, self._progress.taken(record.topic, record.partition, record.offset, steady))
                for batch in fetched.values()
                for record in batch
            ]
            await asyncio.gather(*(self._take(record, place) for record, place in taken))

    async def commit_for_ever(self) -> None:
        """Commits twice a second, until cancelled."""
        while True:
            await asyncio.sleep(COMMIT_SECONDS)
            await self.commit()

    async def commit(self) -> None:
        """Commit what is settled; a failure is made good by the next one."""
        wanted = self._progress.to_commit()
        mine = self._consumer.assignment()
        offsets = {TopicPartition(*key): at for key, at in wanted.items() if TopicPartition(*key) in mine}
        if not offsets:
            return
        try:
            await self._consumer.commit(offsets)
        except (CommitFailedError, IllegalStateError, KafkaError) as error:
            log.warning("commit_failed", system=self._source.system, error=type(error).__name__)
        else:
            self._progress.committed({(tp.topic, tp.partition): at for tp, at in offsets.items()})

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        self._joined.left()
        await self.commit()
        gone = {(tp.topic, tp.partition) for tp in revoked}
        self._progress.revoked(gone)
        self._signals.revoked(gone)
        self._source.revoked()

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        self._joined.complete()
        log.info("assigned", system=self._source.system, partitions=len(set(assigned)))

    def polls(self) -> bool:
        """Whether this worker does the polling: one of a group has the first partition."""
        return TopicPartition(topics.deliveries(self._source.system), 0) in self._consumer.assignment()

    def _hold_back(self) -> None:
        mine = self._consumer.assignment()
        if self._progress.unsettled >= MOST_UNSETTLED:
            self._consumer.pause(*mine)
        elif paused := self._consumer.paused():
            self._consumer.resume(*(paused & mine))

    def _oldest_seconds(self) -> float:
        oldest = self._progress.oldest_ms()
        return 0.0 if oldest is None else (self._steady_ms() - oldest) / 1000

    async def _take(self, record: ConsumerRecord[Any, Any], place: Place) -> None:
        if not self._progress.holds(place):
            return  # its partition went before its turn came: a source that saw it now would call it a repeat later
        try:
            routed = await self._routed(record)
            if routed is not None:
                with self._limited("following a record"):
                    await self._follow(routed)
        except DeadLetter as refused:
            await self._refuse(record, refused.reason, str(refused))
            routed = None
        if routed is not None:
            telemetry.CONSUMED.labels(self._source.system, routed.result).inc()
        if not self._progress.holds(place):
            return  # its partition went meanwhile: who has it now asks for the reads
        if routed is not None and routed.wanted:
            self._progress.joined(place, len(routed.wanted) - 1)
            self._signals.add(routed.wanted, place)
        else:
            self._progress.settled(place)

    async def _routed(self, record: ConsumerRecord[Any, Any]) -> Routed | None:
        asked: Awaitable[Routed]
        kind = TRIGGERS.get(record.topic)
        if self._trigger is not None and kind is not None:
            try:
                event = self._codec.decode_as(kind, record.value)
            except Undecodable:
                return None  # the agent that owns this topic dead-letters it
            merchant, asked = event.merchant, self._trigger(event)
        else:
            delivery = self._delivery(record)
            merchant, asked = delivery.merchant, self._source.route(delivery)
        with self._limited("routing a record"):
            routed = await asked
            return routed if merchant in self._source.merchants else await self._strangers.held(merchant, routed)

    @contextmanager
    def _limited(self, doing: str) -> Iterator[None]:
        """A record that makes our code raise is set aside; many in a row are a bad release, which ends the process.

        What no store holds is the record's own fault: it is set aside however many there are.
        """
        try:
            with faults_shown(self._source.system, doing):
                yield
        except Malformed as error:
            raise DeadLetter("unstorable", str(error)) from None
        except Unexpected as error:
            self._failures += 1
            if self._failures >= MOST_FAILURES:
                raise
            raise DeadLetter("unexpected", error.place) from None
        self._failures = 0

    def _delivery(self, record: ConsumerRecord[Any, Any]) -> Delivery:
        try:
            delivery = self._codec.decode_as(Delivery, record.value)
        except Undecodable as error:
            raise DeadLetter("undecodable", str(error)) from error
        if delivery.system != self._source.system:
            raise DeadLetter("wrong_system", f"expected a delivery of {self._source.system}, got another system's")
        return delivery

    async def _refuse(self, record: ConsumerRecord[Any, Any], reason: str, detail: str) -> None:
        received = Received(
            topic=record.topic, partition=record.partition, offset=record.offset, timestamp_ms=record.timestamp,
            key=record.key, value=record.value, headers=plain(record.headers),
        )  # fmt: skip
        where = f"{record.topic}/{record.partition}/{record.offset}"
        await self._outbox.dead_letter(received, reason, detail)
        at_ms = received.came_ms(self._now_ms())
        merchant, about = self._named(record.key)
        complaint = Complaint(
            merchant=merchant, subject=where, detail=f"{where}: {detail}", at_ms=at_ms, resource=about
        )
        await self._bad.told("undecodable", complaint, ask=True)
        telemetry.CONSUMED.labels(self._source.system, "dead_letter").inc()
        log.error("dead_letter", where=where, reason=reason)

    def _named(self, key: bytes | None) -> tuple[str, Resource | None]:
        """Whose a delivery is and what it is about, as its key tells: merchant|resource."""
        merchant, _, resource_id = (key or b"").decode(errors="replace").partition("|")
        if merchant not in self._source.merchants:
            return "", None
        return merchant, envelope.resource(self._source.system, merchant, resource_id)

    async def _follow(self, routed: Routed) -> None:
        if routed.complaint is not None:
            if routed.complaint.kind == "malformed_delivery":
                await self._bad.told("malformed_delivery", routed.complaint, ask=not routed.wanted)
            else:
                told = routed.complaint
                await self._outbox.complain(
                    told.kind, told.merchant, told.subject, told.detail, told.at_ms, resolvable=True
                )  # fmt: skip
        if routed.facts or routed.notes:
            await self._outbox.facts(routed.merchant, routed.facts, routed.notes)
