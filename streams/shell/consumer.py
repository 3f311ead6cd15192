"""Reading: one Faust message per fetched batch of a partition, and commits that cannot step over work. Touches Kafka.

Stock Faust was seen to lose records whenever a member is expelled or a second worker joins and leaves: what is fetched
between a seek and the clearing of the agents' queues is gone, the gap in the offsets counts as acknowledged, and so
does what a stream skips. Each override below closes one of these ways; `tests/unit/shell/test_faust_names.py` holds
the private names that they rest on.
"""

import time
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from typing import Any

import faust
from faust.transport.drivers.aiokafka import Consumer as FaustConsumer
from faust.transport.drivers.aiokafka import Transport as FaustTransport
from faust.types import TP
from faust.types.tuples import ConsumerMessage


class BatchSchema(faust.Schema[Any, Any]):
    """Leaves a message as it is: decoding in Faust would acknowledge a record that cannot be decoded."""

    def loads_key(self, app: Any, message: Any, **_: Any) -> Any:  # noqa: ARG002
        return message.key

    def loads_value(self, app: Any, message: Any, **_: Any) -> Any:  # noqa: ARG002
        return message.value


class Batch(ConsumerMessage):
    """Records of one partition, in order; `value` holds them, `offset` is the last one's.

    `done` is set by the settle step alone: Faust also acknowledges messages that it skips.
    """

    __slots__ = ("done", "first_offset", "handed_at")

    def __init__(self, tp: TP, records: list[Any], generation: int) -> None:
        last = records[-1]
        super().__init__(
            tp.topic, tp.partition, last.offset, last.timestamp / 1000, last.timestamp_type, None, None,
            records,  # type: ignore[arg-type]  # Faust passes on what it is given: see BatchSchema
            None, 0, 0, tp, generation_id=generation,
        )  # fmt: skip
        self.first_offset: int = records[0].offset
        self.done = False
        self.handed_at = time.monotonic()


class BatchConsumer(FaustConsumer):
    """Hands out batches and commits the contiguous prefix of those that were settled."""

    transport: "BatchTransport"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._handed: dict[TP, deque[Batch]] = defaultdict(deque)  # since the last seek, in order, not yet in a prefix
        self._first: dict[TP, int] = {}  # where fetching began since the assignment: nothing before it was ever seen
        self._safe: dict[TP, int] = {}  # end of the settled prefix: what may be committed
        self._epoch = 0  # rises with every seek begun …
        self._sought = 0  # … and this follows when it has succeeded
        self._confirmed: dict[TP, int] = {}  # what Kafka has taken as committed
        self._uncommitted_at: float | None = None  # since when settled work waits for that
        super().__init__(*args, **kwargs)

    def oldest_unsettled_seconds(self) -> float:
        """Age of the oldest batch that was handed out and is not settled."""
        heads = [next((b.handed_at for b in queue if not b.done), None) for queue in self._handed.values()]
        return max((time.monotonic() - at for at in heads if at is not None), default=0.0)

    def uncommitted_seconds(self) -> float:
        """For how long settled work waits to be committed. A worker that reaches the partitions but not the group's
        coordinator would go on for good, while its partitions belong to another."""
        return 0.0 if self._uncommitted_at is None else time.monotonic() - self._uncommitted_at

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, Batch]]:  # noqa: ASYNC109  # Faust's signature
        epoch = self._epoch
        fetched, active = await self._wait_next_records(timeout)
        if not fetched or self.should_stop:
            return
        for tp, records in fetched.items():
            if self.app.topics.acks_enabled_for(tp.topic):
                self._first.setdefault(tp, records[0].offset)
        if not self.flow_active:
            await self._seek_while_stopped()
            return
        if epoch != self._epoch or self._sought != self._epoch:
            # fetched across a seek, or the last seek failed: the fetch position is past these records, read them again
            await self._reseek()
            return
        generation = self.app.consumer_generation_id
        for tp, part in self._parts(fetched, active):
            if self._overtaken(epoch, generation):
                return  # whoever did that seeks next
            batch = Batch(tp, part, generation)
            if self.app.topics.acks_enabled_for(tp.topic):
                self._handed[tp].append(batch)
            yield tp, batch

    def _overtaken(self, epoch: int, generation: int) -> bool:
        return not self.flow_active or epoch != self._epoch or generation != self.app.consumer_generation_id

    def _parts(self, fetched: Mapping[TP, list[Any]], active: set[TP] | None) -> Iterable[tuple[TP, list[Any]]]:
        for tp, records in fetched.items():
            tracked = self.app.topics.acks_enabled_for(tp.topic)
            # a partition that back-pressure took out of `active` meanwhile keeps what was fetched for it: no seek
            # would follow. Only a changelog that was paused is dropped; recovery seeks it before it reads again.
            if not tracked and active is not None and tp not in active | self._buffered_partitions:
                continue
            self.app.monitor.track_tp_end_offset(tp, self.highwater(tp))
            for start in range(0, len(records), self.transport.batch_records):
                yield tp, records[start : start + self.transport.batch_records]

    async def _seek_while_stopped(self) -> None:
        try:
            await self.perform_seek()
        except Exception as error:  # whoever stopped the flow seeks again before it resumes
            self.log.warning("seek while the flow is stopped: %r", error)

    async def perform_seek(self) -> None:
        """Seek every partition to what is committed. Every caller in Faust resumes the flow right after; nothing may be
        fetched or queued between the seek and that resume, which clears the queues."""
        self.stop_flow()
        self.app.flow_control.suspend()
        await self._reseek()

    async def _reseek(self) -> None:
        self._epoch = mine = self._epoch + 1
        self._take_settled()
        self._handed.clear()
        await super().perform_seek()
        # aiokafka seeks only what has a committed offset, and never a changelog. What was fetched and not handed out
        # counts too: the first records of a partition may be dropped before anybody but `_first` knows of them.
        # `_read_offset` is what Kafka just said; `_committed_offset` would count a failed commit as done.
        uncommitted = {tp: self._safe.get(tp, at) for tp, at in self._first.items() if not self._read_offset[tp]}
        here = self.assignment()
        wanted = {tp: at for tp, at in uncommitted.items() if tp in here} | self._changelog_positions(here)
        if wanted:
            await self.seek_wait(wanted)
        self._sought = max(self._sought, mine)

    def _changelog_positions(self, assigned: set[TP]) -> dict[TP, int]:
        """Where the rows end. Changelog batches that wait in a queue are cleared, and those in `getmany` dropped, like
        all others: without this seek a standby, or a recovery begun after a failed seek, would miss them."""
        stores = {table.changelog_topic_name: table.data for table in self.app.tables.values()}
        offsets = {tp: stores[tp.topic].offset(tp.partition) for tp in assigned if tp.topic in stores}
        return {tp: 0 if offset is None else offset + 1 for tp, offset in offsets.items()}

    def _take_settled(self) -> None:
        for tp, queue in self._handed.items():
            while queue and queue[0].done:
                self._safe[tp] = queue.popleft().offset + 1
                self._uncommitted_at = self._uncommitted_at or time.monotonic()

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        committed: bool = await super()._commit(offsets)
        if committed:
            self._confirmed.update(offsets)
            if all(self._confirmed.get(tp) == offset for tp, offset in self._safe.items()):
                self._uncommitted_at = None
        return committed

    def _new_offset(self, tp: TP) -> int | None:
        # Faust's book of single offsets counts a gap as acknowledged: it is kept empty and not used
        self._acked[tp].clear()
        self._acked_index[tp].clear()
        return self._safe.get(tp)

    def _filter_tps_with_pending_acks(self, topics: Any = None) -> Iterator[TP]:
        self._take_settled()
        return iter([tp for tp in self._safe if topics is None or tp in topics or tp.topic in topics])

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """The prefix is one of batches: gaps left by compaction do not matter."""

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        await super().on_partitions_revoked(revoked)  # waits for the work in flight and commits it
        for tp in revoked:
            self._handed.pop(tp, None)
            self._first.pop(tp, None)
            self._safe.pop(tp, None)
            self._confirmed.pop(tp, None)
        self._uncommitted_at = None  # of the partitions that stay, the next settled batch starts it anew


class BatchTransport(FaustTransport):
    """The aiokafka transport with the consumer above."""

    Consumer = BatchConsumer

    def __init__(self, url: Any, app: Any, batch_records: int) -> None:
        super().__init__(url, app)
        self.batch_records = batch_records
