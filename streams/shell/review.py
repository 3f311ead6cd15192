"""Rows that were decided on by rules which hold no more: decided on anew, some a second. Touches Kafka.

Whether a row is such a one stands in the row itself, so nothing is forgotten by a crash or a rebalance: who has the
partition next finds it again.
"""

import asyncio
from collections.abc import Callable, Iterable

import confluent_kafka

from streams.shell.batch import Read
from streams.shell.contract import Output, Rules
from streams.shell.delivery import Delivery
from streams.shell.guarded import Guarded
from streams.shell.metrics import Metrics
from streams.shell.store import RowStore

ROWS_PER_STEP = 2000  # between two turns of the event loop

Reader = Callable[[RowStore, int], Read]
Undelivered = Callable[[int], Iterable[tuple[bytes, bytes | None]]]
Due = Callable[[int, bytes, bytes], None]


class Review:
    """Of one worker. `taken_up` is told of every row that a change of rules makes it look at."""

    def __init__(
        self, table: str, rules: Rules, producer: confluent_kafka.Producer, metrics: Metrics, per_second: int,
        taken_up: Due,
    ) -> None:  # fmt: skip
        self._rules = rules
        self._producer = producer
        self._metrics = metrics
        self._per_second = per_second
        self._taken_up = taken_up
        self._guarded = Guarded(table, metrics)
        self._waiting: dict[int, dict[bytes, None]] = {}
        self._changed = False

    def keep(self, partitions: set[int]) -> None:
        """Forget all other partitions."""
        for partition in self._waiting.keys() - partitions:
            del self._waiting[partition]

    def seen(self, partition: int, key: bytes, row: bytes) -> None:
        """A row of a partition that was taken over."""
        if self._stale(key, row):
            self._waiting.setdefault(partition, {})[key] = None

    async def tick(
        self, store: RowStore, reader: Reader, undelivered: Undelivered, active: Callable[[], set[int]]
    ) -> None:
        """Once a second: take up changed rules, tell of them, and have some stale rows decided on anew."""
        self._changed = await asyncio.to_thread(self._rules.look) or self._changed
        if self._changed:
            self._changed = False
            for partition in active():
                await self._look_through(store, partition, list(undelivered(partition)), active)
        delivery = Delivery(self._producer)
        for output in self._rules.news():
            delivery.send(output)
        await delivery.wait()
        self._rules.told()
        await self._some(store, reader, active())

    async def _look_through(
        self, store: RowStore, partition: int, newer: list[tuple[bytes, bytes | None]], active: Callable[[], set[int]]
    ) -> None:
        """All rows that were decided on before the rules changed: stored, or on their way."""
        for key, row in newer:
            if row is not None:
                self.seen(partition, key, row)
        for count, (key, row) in enumerate(store.rows(partition), 1):
            self.seen(partition, key, row)
            self._taken_up(partition, key, row)
            if count % ROWS_PER_STEP == 0:
                await asyncio.sleep(0)
                if partition not in active():
                    return

    async def _some(self, store: RowStore, reader: Reader, active: set[int]) -> None:
        self.keep(active)
        delivery, left = Delivery(self._producer), self._per_second
        for partition, keys in self._waiting.items():
            read = reader(store, partition)
            for key in list(keys)[:left]:
                del keys[key]
                left -= 1
                output = self._again(key, read(key))
                if output is not None:
                    delivery.send(output)
        await delivery.wait()
        self._metrics.reviews(self._per_second - left)
        self._metrics.to_review.set(sum(map(len, self._waiting.values())))

    def _stale(self, key: bytes, row: bytes) -> bool:
        return self._guarded.ask("stale", key, lambda: self._rules.stale(key, row)) or False

    def _again(self, key: bytes, row: bytes | None) -> Output | None:
        """None: it is gone, or was decided on meanwhile."""
        if row is None or not self._stale(key, row):
            return None
        return self._guarded.ask("again", key, lambda: self._rules.again(key, row))
