"""Deadlines of the rows of the active partitions: which keys are due, and when to say so again. Pure."""

import heapq
from collections.abc import Iterable, Iterator

import msgspec


class _Entry(msgspec.Struct):
    due_ms: int
    fire_ms: int  # when to produce next; the due time itself until it was produced once


class Deadlines:
    """One heap per partition. An entry leaves only when its row is decided on again, so that a crash or a lost
    leadership repeats a deadline and never loses one."""

    def __init__(self, repeat_ms: int) -> None:
        self._repeat_ms = repeat_ms
        self._entries: dict[int, dict[bytes, _Entry]] = {}
        self._heaps: dict[int, list[tuple[int, bytes]]] = {}
        self._latest_ms = 0

    def keep(self, partitions: set[int]) -> set[int]:
        """Forget all other partitions; gives those that are new and must be filled."""
        for partition in self._entries.keys() - partitions:
            del self._entries[partition], self._heaps[partition]
        return partitions - self._entries.keys()

    def fill(self, partition: int, dues: Iterable[tuple[bytes, int | None]]) -> None:
        """Start a partition anew from the dues of its rows."""
        entries = {key: _Entry(due, due) for key, due in dues if due is not None}
        self._entries[partition] = entries
        heap = [(entry.fire_ms, key) for key, entry in entries.items()]
        heapq.heapify(heap)
        self._heaps[partition] = heap

    def update(self, partition: int, dues: dict[bytes, int | None]) -> None:
        """Take over what a batch decided. A due time that was produced already keeps waiting for its repeat."""
        entries = self._entries.setdefault(partition, {})
        heap = self._heaps.setdefault(partition, [])
        for key, due in dues.items():
            if due is None:
                entries.pop(key, None)
            elif (known := entries.get(key)) is None or known.due_ms != due:
                entries[key] = _Entry(due, due)
                heapq.heappush(heap, (due, key))
        if len(heap) > 1000 and len(heap) > 4 * len(entries):
            self._compact(partition)

    def found(self, partition: int, key: bytes, due: int | None) -> None:
        """A row's due time, as far as none is known of it."""
        if due is not None and key not in self._entries.get(partition, {}):
            self.update(partition, {key: due})

    def reached(self, now_ms: int, limit: int) -> Iterator[tuple[int, bytes, int]]:
        """(partition, key, due) of up to `limit` entries that are due; each is armed for its repeat. When the clock was
        set back, no repeat is further away than it ever was."""
        if now_ms < self._latest_ms:
            self._nearer(now_ms)
        self._latest_ms = now_ms
        for partition, heap in self._heaps.items():
            entries = self._entries[partition]
            while heap and heap[0][0] <= now_ms and limit:
                fire, key = heapq.heappop(heap)
                entry = entries.get(key)
                if entry is None or entry.fire_ms != fire:
                    continue  # decided on since: another heap item stands for it, or none
                entry.fire_ms = now_ms + self._repeat_ms
                heapq.heappush(heap, (entry.fire_ms, key))
                limit -= 1
                yield partition, key, entry.due_ms

    def _nearer(self, now_ms: int) -> None:
        for partition, entries in self._entries.items():
            for entry in entries.values():
                if entry.fire_ms != entry.due_ms:  # it was produced
                    entry.fire_ms = min(entry.fire_ms, now_ms + self._repeat_ms)
            self._compact(partition)

    def drop(self, partition: int, key: bytes) -> None:
        """The deadline no longer matters."""
        self._entries.get(partition, {}).pop(key, None)

    def __len__(self) -> int:
        return sum(map(len, self._entries.values()))

    def _compact(self, partition: int) -> None:
        heap = [(entry.fire_ms, key) for key, entry in self._entries[partition].items()]
        heapq.heapify(heap)
        self._heaps[partition] = heap
