"""Names of record headers that are no UTF-8.

Kafka takes any bytes as a name. aiokafka decodes names strictly while it reads, below every handler: one such record
would end each consumer of its partition, again at every restart. Read here it shows its bytes escaped (`\\xff`), and
is a record like any other. aiokafka has no setting for this, so its parser is replaced; the names that this rests on
are held by tests/unit/schemas/test_header_names.py.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Any

from aiokafka.consumer import fetcher
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import _DefaultRecordBatchPy
from aiokafka.record.memory_records import _MemoryRecordsPy


def escaped() -> None:
    """From now on every aiokafka consumer of this process reads such names."""
    fetcher.MemoryRecords = Records


class Records(_MemoryRecordsPy):  # type: ignore[misc]  # final for type checkers, and aiokafka ships no types
    """The batches of one answer of a broker."""

    def next_batch(self, *args: Any) -> Any:
        """The next of them."""
        raw = self._next_slice
        batch = super().next_batch(*args)
        return batch if batch is None or raw[self.MAGIC_OFFSET] < 2 else Batch(batch, raw)  # no headers before 2


class Batch:
    """One batch as aiokafka's own parser reads it, until that meets a name that it cannot."""

    def __init__(self, batch: Any, raw: memoryview) -> None:
        self._batch, self._raw = batch, raw

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batch, name)

    def __iter__(self) -> Iterator[Any]:
        read = 0
        try:
            for record in self._batch:
                read += 1
                yield record
        except (UnicodeDecodeError, CorruptRecordException):
            yield from islice(_Escaping(self._raw), read, None)


class _Escaping(_DefaultRecordBatchPy):  # type: ignore[misc]
    def _maybe_uncompress(self) -> None:
        super()._maybe_uncompress()
        self._buffer: bytearray = _Text(self._buffer)


class _Text(bytearray):
    """Decodes whatever it holds; only names are decoded."""

    def __getitem__(self, place: Any) -> Any:
        found = super().__getitem__(place)
        return _Text(found) if isinstance(found, bytearray) else found

    def decode(self, *_: str) -> str:
        """As UTF-8, other bytes escaped."""
        return super().decode(errors="backslashreplace")
