"""The work of one agent: batches decided, told, written, stored, settled, in this order. Touches Kafka and the store.

1 decide and hand the outputs to the producer: one synchronous step, no rebalance can come between; 2 a bounded window;
3 in order: outputs acknowledged by Kafka → changelog records to the producer; 4 in order: these acknowledged → rows and
offset into the store → settled, so committable. A row therefore never knows of a fact whose outputs Kafka has not got,
and the store is always an exact prefix of its changelog, whatever kills the process. What this order cannot handle ends
the process (`stop`): uncommitted work is redelivered, while going on could commit past it.
"""

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import confluent_kafka
import msgspec

from schemas import disks
from schemas.dead_letters import plain
from schemas.faults import where
from schemas.startup import DiskFull
from streams.shell.batch import Decider, Read, TooManyUnexpected, Work
from streams.shell.contract import Record, S
from streams.shell.delivery import Delivery, delivery_seconds
from streams.shell.metrics import Metrics
from streams.shell.settings import ShellSettings
from streams.shell.stop import stop
from streams.shell.store import RowStore
from streams.shell.timer import Timer

PULSE_SECONDS = 0.25


class InFlight(msgspec.Struct, kw_only=True):
    """A decided batch on its way: outputs, then rows. `number` tells its rows in the overlay from later ones."""

    event: Any
    work: Work
    outputs: Delivery
    rows: Delivery
    number: int
    decided_at: float


class BatchAgent:
    """Deciding and settling for one table. `overlay` holds rows that are decided and not yet in the store."""

    def __init__(
        self, settings: ShellSettings, decider: Decider[S], producer: confluent_kafka.Producer, metrics: Metrics
    ) -> None:
        self._settings = settings
        self._decider = decider
        self._producer = producer
        self._metrics = metrics
        self._overlay: dict[int, dict[bytes, tuple[int, bytes | None]]] = defaultdict(dict)
        self._window: asyncio.Queue[InFlight] = asyncio.Queue(settings.window_batches)  # until the outputs are there
        self._told: asyncio.Queue[InFlight] = asyncio.Queue(settings.window_batches)  # until the rows are there
        self._number = 0
        self._pulse_at = time.monotonic()
        # the broker counts from the last heartbeat that it got, which may be one interval before a freeze
        self._frozen_seconds = settings.session_timeout_seconds - settings.heartbeat_seconds

    async def decide_all(self, stream: Any, table: Any, timer: Timer) -> None:
        """The body of the Faust agent; its concurrency is 1, and nothing escapes it."""
        with ends_process("deciding", self._settings.data_dir):
            async for event in stream.noack().events():
                await self._window.put(self._step(event, table.data, timer))
                self._metrics.window_batches.set(self._window.qsize())

    async def write_all(self) -> None:
        """Write the rows of what was decided, one batch after the other, each when Kafka has all that it led to."""
        with ends_process("writing rows", self._settings.data_dir):
            while True:
                flying = await self._window.get()
                self._metrics.window_batches.set(self._window.qsize())
                await flying.outputs.wait()
                self._write(flying)
                await self._told.put(flying)

    async def settle_all(self, stream: Any, table: Any) -> None:
        """Settle what was written, one batch after the other."""
        with ends_process("settling", self._settings.data_dir):
            while True:
                flying = await self._told.get()
                await flying.rows.wait()
                self._settle(flying, table.data)
                await stream.ack(flying.event)

    async def pulse(self) -> None:
        """Notices that the process was frozen: this task was, too. `_step` looks as well, whichever wakes first."""
        self._pulse_at = time.monotonic()
        while True:
            self._stop_if_frozen()
            self._pulse_at = time.monotonic()
            self._producer.poll(0)  # it asks for its next token then, also when there is nothing to deliver
            await asyncio.sleep(PULSE_SECONDS)

    def reader(self, store: RowStore, partition: int) -> Read:
        """Rows as decided so far, delivered or not."""
        overlay, stored = self._overlay[partition], store.reader(partition)

        def read(key: bytes) -> bytes | None:
            newer = overlay.get(key)
            return stored(key) if newer is None else newer[1]

        return read

    def undelivered(self, partition: int) -> list[tuple[bytes, bytes | None]]:
        """Rows that are decided and not yet in the store."""
        return [(key, row) for key, (_, row) in self._overlay[partition].items()]

    def _step(self, event: Any, store: RowStore, timer: Timer) -> InFlight:
        message, started = event.message, time.monotonic()
        partition = message.partition
        work = self._decider.decide([_record(r) for r in message.value], self.reader(store, partition))
        self._stop_if_frozen()
        self._number += 1
        outputs = Delivery(self._producer)
        for output in work.outputs:
            outputs.send(output)
        self._overlay[partition].update((key, (self._number, row)) for key, row in work.rows.items())
        timer.decided(partition, work)
        self._producer.poll(0)
        now = time.monotonic()
        self._metrics.decide_seconds.observe(now - started)
        return InFlight(
            event=event, work=work, outputs=outputs, rows=Delivery(self._producer), number=self._number, decided_at=now
        )

    def _write(self, flying: InFlight) -> None:
        """The rows leave no later than the outputs might have: together they have one session, see delivery.py."""
        self._stop_if_frozen()
        age, limit = time.monotonic() - flying.decided_at, delivery_seconds(self._settings)
        if age > limit:
            stop(f"Kafka took {age:.1f} s for the outputs of a batch, limit {limit:g} s: its rows must not follow")
        flying.rows.send_rows(self._settings.changelog, flying.event.message.partition, list(flying.work.rows.items()))
        self._producer.poll(0)

    def _stop_if_frozen(self) -> None:
        """Kafka may have given the partitions of a frozen worker to another one, and Faust learns of it only after its
        next exchange with the broker. Until then two workers would write the same rows."""
        silent = time.monotonic() - self._pulse_at
        if silent > self._frozen_seconds:
            stop(
                f"frozen for {silent:.1f} s, the session ends after {self._settings.session_timeout_seconds:g} s: "
                "the partitions may belong to another worker"
            )

    def _settle(self, flying: InFlight, store: RowStore) -> None:
        message, rows = flying.event.message, flying.work.rows
        partition, overlay = message.partition, self._overlay[message.partition]
        if rows:
            self._stop_if_not_alone(store.offset(partition), len(rows), flying.rows.last_offset, partition)
            store.write(partition, rows, flying.rows.last_offset)
        for key in rows:
            if overlay[key][0] == flying.number:
                del overlay[key]
        message.done = True
        metrics, work = self._metrics, flying.work
        metrics.batch_size.observe(len(message.value))
        metrics.delivery_seconds.observe(time.monotonic() - flying.decided_at)
        topics = Counter(output.topic for output in work.outputs)
        metrics.settled(message.topic, len(message.value), topics, work.refused)

    def _stop_if_not_alone(self, before: int | None, rows: int, last: int, partition: int) -> None:
        """A changelog partition has one writer, so its offsets have no gap: other records in between are those of a
        worker that had it before or has it now, and the store would step over them."""
        if before is not None and last != before + rows:
            stop(
                f"the changelog {self._settings.changelog} partition {partition} has records of another worker: "
                f"expected offset {before + rows} for the last of {rows} rows, got {last}"
            )


def _record(raw: Any) -> Record:
    return Record(
        topic=raw.topic, partition=raw.partition, offset=raw.offset, timestamp_ms=raw.timestamp,
        key=raw.key or b"", value=raw.value, headers=plain(raw.headers),
    )  # fmt: skip


@contextmanager
def ends_process(doing: str, data_dir: Path) -> Iterator[None]:
    """Any exception ends the process; a cancellation (clean stop) passes. `data_dir`: whose disk may be full."""
    try:
        yield
    except TooManyUnexpected as error:
        stop(str(error))
    except Exception as error:  # the guard of the agent: see the module's text
        if disks.no_room(error, data_dir):
            stop(f"{doing}: {disks.told(data_dir, 'RETURNFLOW_DATA_DIR')}", DiskFull.status)
        stop(f"{doing}: {where(error)}")  # the message of the error may hold values of a row
