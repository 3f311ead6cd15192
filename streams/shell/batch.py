"""One batch of one partition, decided: records and rows in, outputs and rows out. Pure: sends and stores nothing."""

from collections.abc import Callable, Sequence
from typing import Generic

import msgspec

from schemas.faults import where
from streams.shell import dead_letters
from streams.shell.contract import Core, DeadLetterTopic, Output, Record, S, Undecodable

Read = Callable[[bytes], bytes | None]
# outputs with the key that they stand and fall with; None: dead letters, which leave in any case
Emitted = list[tuple[bytes | None, Sequence[Output]]]


class TooManyUnexpected(Exception):
    """So many records in a row made the core raise that the core is at fault: nothing of this batch may be sent."""


class Work(msgspec.Struct, kw_only=True):
    """What a batch leads to. One row per key, not per record; `dues` has every key that was decided on."""

    outputs: list[Output]
    rows: dict[bytes, bytes | None]
    dues: dict[bytes, int | None]
    refused: list[str]  # reasons of the dead letters, for the metrics
    added: int  # rows that are new, less rows that are deleted


class _InARow:
    """Counts unexpected failures of one step of the core; a success starts anew."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._failures = 0

    def passed(self) -> None:
        self._failures = 0

    def failed(self, failure: Exception) -> None:
        self._failures += 1
        if self._failures >= self._limit:
            raise TooManyUnexpected(
                f"{self._failures} unexpected failures in a row, the last one {where(failure)}: expected "
                "single bad records, this looks like a bad release. Nothing of this batch was sent."
            ) from failure


class _Open(Generic[S]):
    """A batch that is being decided."""

    __slots__ = ("aside", "changed", "dues", "emitted", "refused", "rowless", "states")

    def __init__(self) -> None:
        self.states: dict[bytes, S | None] = {}  # of every key so far
        self.changed: dict[bytes, S | None] = {}  # of those that need a row
        self.rowless: set[bytes] = set()  # keys that had no row before the batch
        self.dues: dict[bytes, int | None] = {}
        self.emitted: Emitted = []
        self.aside: set[tuple[str, int]] = set()  # topic and offset of what has its dead letter
        self.refused: list[str] = []


class Decider(Generic[S]):
    """Decides batches with one core. Between batches it keeps only the counts of unexpected failures in a row."""

    def __init__(
        self, core: Core[S], topic: DeadLetterTopic, *, unexpected_limit: int, max_bytes: int,
        clock: Callable[[], int],
    ) -> None:  # fmt: skip
        self._core = core
        self._topic = topic
        self._clock = clock  # dates dead letters, decides nothing
        self._max_bytes = max_bytes
        self._deciding, self._dumping, self._refusing = (_InARow(unexpected_limit) for _ in range(3))

    def decide(self, records: Sequence[Record], read: Read) -> Work:
        """All records in order; `read` gives the row of a key as it was before the batch.

        A record that fails changes no state and its neighbours go on. Raises TooManyUnexpected.
        """
        batch: _Open[S] = _Open()
        for record in records:
            try:
                self._apply(record, read, batch)
            except Undecodable as error:
                self._set_aside(record, error.reason, error.error, batch)
            except Exception as error:  # the guard: a record that makes the core raise must not stop its neighbours
                self._deciding.failed(error)
                self._set_aside(record, dead_letters.UNEXPECTED, where(error), batch)
            else:
                self._deciding.passed()
        return self._finish(records, batch)

    def _apply(self, record: Record, read: Read, batch: _Open[S]) -> None:
        key = record.key
        state = batch.states[key] if key in batch.states else self._load(key, read, batch)
        decided = self._core.decide(state, record)
        batch.states[key] = decided.state
        if decided.state is not state:
            batch.changed[key] = decided.state
        if decided.outputs:
            batch.emitted.append((key, decided.outputs))
        batch.dues[key] = decided.due_ms

    def _load(self, key: bytes, read: Read, batch: _Open[S]) -> S | None:
        if not key:
            raise Undecodable(dead_letters.NO_KEY, "expected a key that names the row, the record has none")
        row = read(key)
        if row is None:
            batch.rowless.add(key)
            return None
        return self._core.load(row)

    def _set_aside(self, record: Record, reason: str, error: str, batch: _Open[S]) -> None:
        batch.emitted.append((None, self._refuse(record, reason, error)))
        batch.aside.add((record.topic, record.offset))
        batch.refused.append(reason)

    def _finish(self, records: Sequence[Record], batch: _Open[S]) -> Work:
        """Rows of the changed keys. A key whose row or output cannot be written is refused as a whole: an output
        without its row, or the other way round, must not leave."""
        work = Work(outputs=[], rows={}, dues=batch.dues, refused=batch.refused, added=0)
        broken = self._oversized(batch.emitted)
        for key, state in batch.changed.items():
            try:
                work.rows[key] = self._row(state)
            except Undecodable as error:
                broken[key] = (error.reason, error.error)
            except Exception as error:  # the guard: as for decide
                self._dumping.failed(error)
                broken[key] = (dead_letters.UNEXPECTED, where(error))
            else:
                self._dumping.passed()
        for emitted_by, outputs in batch.emitted:
            if emitted_by is None or emitted_by not in broken:
                work.outputs.extend(outputs)
        if broken:
            fresh = [record for record in records if (record.topic, record.offset) not in batch.aside]
            self._refuse_keys(fresh, broken, work)
        for key, row in work.rows.items():
            work.added += (row is not None) - (key not in batch.rowless)
        return work

    def _row(self, state: S | None) -> bytes | None:
        if state is None:
            return None
        row = self._core.dump(state)
        if len(row) > self._max_bytes:
            raise Undecodable(dead_letters.TOO_LARGE, f"the row grew to {len(row)} bytes, limit {self._max_bytes}")
        return row

    def _oversized(self, emitted: Emitted) -> dict[bytes, tuple[str, str]]:
        limit = self._max_bytes
        return {
            key: (dead_letters.TOO_LARGE, f"an output for {output.topic} of {len(output.value)} bytes, limit {limit}")
            for key, outputs in emitted
            for output in outputs
            if key is not None and output.value is not None and len(output.value) > limit
        }

    def _refuse_keys(self, records: Sequence[Record], broken: dict[bytes, tuple[str, str]], work: Work) -> None:
        for key in broken:
            work.rows.pop(key, None)
            work.dues.pop(key, None)
        for record in records:
            if record.key in broken:
                reason, error = broken[record.key]
                work.outputs.extend(self._refuse(record, reason, error))
                work.refused.append(reason)

    def _refuse(self, record: Record, reason: str, error: str) -> list[Output]:
        now_ms = self._clock()
        letter = dead_letters.dead_letter(record, reason, error, self._topic, now_ms)
        came_ms = min(record.timestamp_ms, now_ms) if record.timestamp_ms > 0 else now_ms
        dated = msgspec.structs.replace(record, timestamp_ms=came_ms)
        try:
            more = self._core.refused(dated, reason, error)
        except Exception as failure:  # the dead letter leaves, whatever the core makes of it
            self._refusing.failed(failure)
            return [letter]
        self._refusing.passed()
        return [letter, *more]
