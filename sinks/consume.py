"""Reads the command topic and commits what is settled, through every rebalance. May touch Kafka.

Assignments are eager: a rebalance takes all partitions and gives some back, so each gets an `Assignment` of its own.
"""

import asyncio
from collections.abc import Callable, Collection
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError

from schemas import header_names
from schemas.dead_letters import plain
from schemas.endpoints import Joined
from schemas.kafka import Brokers, aiokafka
from sinks.assignment import Assignment, Place
from sinks.budget import Budget, within
from sinks.telemetry import SinkTelemetry
from sinks.work import Received

log = structlog.get_logger()

POLL_SECONDS = 0.2
DAY_MS = 86_400_000


def consumer(bootstrap: Brokers, group: str, session_seconds: float) -> AIOKafkaConsumer:
    """A member of `group` that commits only by hand and stays a member however long it has no room for records."""
    header_names.escaped()
    return AIOKafkaConsumer(
        **aiokafka(bootstrap),
        group_id=group,
        client_id=group,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        session_timeout_ms=int(session_seconds * 1000),
        heartbeat_interval_ms=int(session_seconds * 1000 / 10),
        rebalance_timeout_ms=int(max(session_seconds, 30.0) * 1000),
        max_poll_interval_ms=DAY_MS,  # a full memory is no reason to leave; "oldest unsettled" tells of a stuck worker
    )


class Intake(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka ships no types
    """`run` until told to stop. `assign` makes the assignment for the partitions that this member was given."""

    def __init__(
        self,
        *,
        kafka: AIOKafkaConsumer,
        topic: str,
        assign: Callable[[Collection[Place]], Assignment],
        telemetry: SinkTelemetry,
        system: str,
        drain_seconds: float,
        joined: Joined,
    ) -> None:
        self._kafka = kafka
        self._topic = topic
        self._assign = assign
        self._telemetry = telemetry
        self._system = system
        self._drain_seconds = drain_seconds
        self._joined = joined
        self.current: Assignment | None = None

    def subscribe(self) -> None:
        """Join the group; partitions come by `on_partitions_assigned`."""
        self._kafka.subscribe([self._topic], listener=self)

    async def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        """Finish or abandon what is under way within the budget, then commit what is settled."""
        self._joined.left()
        assignment, self.current = self.current, None
        if assignment is None:
            return
        await assignment.end(self._drain_seconds)
        await self._commit(assignment)
        log.info("revoked", system=self._system, partitions=sorted(each.partition for each in revoked))

    async def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        """Begin anew at what was committed. Nothing is awaited before `current` is set: records may follow at once."""
        self.current = self._assign([(each.topic, each.partition) for each in assigned])
        self._joined.complete()
        log.info("assigned", system=self._system, partitions=sorted(each.partition for each in assigned))

    async def poll(self) -> None:
        """Read as much as there is room for; returns after a short while in any case."""
        assignment = self.current
        if assignment is None:
            await asyncio.sleep(POLL_SECONDS / 4)
            return
        room = await assignment.room(POLL_SECONDS)
        if room == 0 or assignment is not self.current:
            return
        batches = await self._kafka.getmany(timeout_ms=int(POLL_SECONDS * 1000), max_records=room)
        # A rebalance may have happened meanwhile. What aiokafka returns belongs to the partitions it holds now.
        for records in batches.values():
            if self.current is None:
                raise RuntimeError("expected no records between two assignments, got some; they will be read again")
            self._telemetry.records.labels(self._system).inc(len(records))
            self.current.accept(_received(record) for record in records)

    async def commit(self) -> None:
        """Commit what is settled."""
        if self.current is not None:
            await self._commit(self.current)

    async def _commit(self, assignment: Assignment) -> None:
        offsets = assignment.committable()
        if not offsets:
            return
        try:
            await self._kafka.commit({TopicPartition(*place): offset for place, offset in offsets.items()})
        except (CommitFailedError, IllegalStateError) as error:
            # Not ours any more: its next owner reads these records again, and the ledger knows what they did.
            log.warning("commit_refused", system=self._system, error=type(error).__name__)
        except KafkaError as error:
            log.warning("commit_waits", system=self._system, error=type(error).__name__)
        else:
            assignment.committed(offsets)

    async def end(self, budget_seconds: float) -> None:
        """Finish, commit, leave the group, all within the budget.

        Whether the group notices that we left is up to the broker: else it gives our partitions away later.
        """
        budget = Budget(budget_seconds)
        assignment, self.current = self.current, None
        if assignment is not None:
            await within(budget.left * 0.7, "commands", assignment.end(budget.left / 2))
            await within(budget.left / 2, "commit", self._commit(assignment))
        await within(budget.left, "consumer", self._kafka.stop())


def _received(record: Any) -> Received:
    return Received(
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        timestamp_ms=record.timestamp,
        key=record.key,
        value=record.value,
        headers=plain(record.headers),
    )
