"""Once a second: deadlines that have come, and whether work is stuck. Reads the clock that `build` was given."""

import asyncio
import time
from collections.abc import Callable
from typing import Any, Protocol

import confluent_kafka

from streams.shell.batch import Read, Work
from streams.shell.contract import Core, Output, S
from streams.shell.deadlines import Deadlines
from streams.shell.delivery import Delivery
from streams.shell.guarded import Guarded
from streams.shell.metrics import Metrics
from streams.shell.settings import ShellSettings
from streams.shell.stop import stop
from streams.shell.store import RowStore

PER_TICK = 1000  # keeps one tick short
ROWS_PER_STEP = 2000  # of a recovered partition, between two turns of the event loop

Clock = Callable[[], int]


class Reader(Protocol):
    def __call__(self, store: RowStore, partition: int) -> Read: ...


class Timer:
    """The deadlines of the active partitions, as records: nothing that decides reads a clock."""

    def __init__(
        self, settings: ShellSettings, core: Core[S], producer: confluent_kafka.Producer, metrics: Metrics, clock: Clock
    ) -> None:
        self._settings = settings
        self._core: Core[Any] = core
        self._producer = producer
        self._metrics = metrics
        self._clock = clock
        self._guarded = Guarded(settings.table, metrics)
        self._assigned_at: float | None = None
        self._rows: dict[int, int] = {}
        self._seen: Callable[[int, bytes, bytes], None] | None = None
        self.deadlines = Deadlines(int(settings.deadline_repeat_seconds * 1000))

    def tell(self, seen: Callable[[int, bytes, bytes], None]) -> None:
        """`seen` hears of each row of a recovered partition."""
        self._seen = seen

    def found(self, partition: int, key: bytes, row: bytes) -> None:
        """A row whose deadline may have been dropped."""
        self.deadlines.found(partition, key, self._due(key, row))

    def decided(self, partition: int, work: Work) -> None:
        """Take over what a batch of the partition decided."""
        self.deadlines.update(partition, work.dues)
        self._rows[partition] = self._rows.get(partition, 0) + work.added

    def assigned(self) -> None:
        """Partitions were given to this worker; their rows are recovered next."""
        self._metrics.rebalanced()
        self._assigned_at = time.monotonic()

    async def recovered(self, store: RowStore, active: set[int]) -> None:
        """Take up the deadlines of partitions that are new here, or whose rows another worker has changed."""
        fresh = self.deadlines.keep(active) | (store.applied & active)
        for partition in fresh:
            dues = await self._dues(store, partition)
            self.deadlines.fill(partition, dues)
            self._rows[partition] = len(dues)
        store.applied.clear()
        if self._assigned_at is not None:
            self._metrics.recovery_seconds.observe(time.monotonic() - self._assigned_at)
            self._assigned_at = None

    async def _dues(self, store: RowStore, partition: int) -> list[tuple[bytes, int | None]]:
        found = []
        for count, (key, row) in enumerate(store.rows(partition)):
            found.append((key, self._due(key, row)))
            if self._seen is not None:
                self._seen(partition, key, row)
            if count % ROWS_PER_STEP == 0:
                await asyncio.sleep(0)
        return found

    def _due(self, key: bytes, row: bytes) -> int | None:
        return self._guarded.ask("due", key, lambda: self._core.due(row))

    async def tick(self, store: RowStore, reader: Reader, active: set[int]) -> None:
        """Produce what is due in the active partitions."""
        self._metrics.rows.set(sum(count for partition, count in self._rows.items() if partition in active))
        delivery, produced = Delivery(self._producer), 0
        for partition, key, due_ms in list(self.deadlines.reached(self._clock(), PER_TICK)):
            output = self._reached(reader(store, partition), key, due_ms)
            if output is None:
                self.deadlines.drop(partition, key)
            else:
                delivery.send(output)
                produced += 1
        await delivery.wait()
        self._metrics.deadlines(produced)

    def _reached(self, read: Read, key: bytes, due_ms: int) -> Output | None:
        row = read(key)
        if row is None:
            return None
        return self._guarded.ask("reached", key, lambda: self._core.reached(key, self._core.load(row), due_ms))

    def stop_if_stuck(self, unsettled_seconds: float, uncommitted_seconds: float) -> None:
        """A batch that was dropped on the way keeps its offset back for good: start again and read it again."""
        self._metrics.oldest_unsettled_seconds.set(unsettled_seconds)
        limit = self._settings.unsettled_limit_seconds
        if unsettled_seconds > limit:
            stop(f"a batch is unsettled for {unsettled_seconds:.0f} s, limit {limit:g} s")
        if uncommitted_seconds > limit:
            stop(f"settled work is uncommitted for {uncommitted_seconds:.0f} s, limit {limit:g} s")
