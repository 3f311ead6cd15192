"""Stand-ins for what lies below the shell: Kafka's producer, and the thread in which Faust's consumer fetches."""

import sys
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import msgspec
from faust.types import TP

from streams.shell.contract import Decided, Output, Record


class Ended(BaseException):
    """The process has ended, with this status. Not a SystemExit: an event loop would not keep that in its task."""


class Raw(msgspec.Struct, frozen=True):
    """As aiokafka gives a record."""

    topic: str
    partition: int
    offset: int
    key: bytes | None = b"k"
    value: bytes | None = b"v"
    timestamp: int = 1_000
    timestamp_type: int = 0
    headers: tuple[tuple[str, bytes], ...] = ()


def raws(tp: TP, *offsets: int) -> list[Raw]:
    return [Raw(tp.topic, tp.partition, offset) for offset in offsets]


class FetchThread:
    """Plays the consumer's thread: what it fetches is scripted, what is sought and committed is noted."""

    def __init__(self) -> None:
        self.fetches: deque[dict[TP, list[Raw]]] = deque()
        self.during_fetch: Callable[[], Awaitable[None]] | None = None
        self.assigned: set[TP] = set()
        self.committed: dict[TP, int] = {}
        self.sought: dict[TP, int] = {}
        self.seeks = 0
        self.seeks_fail = 0
        self.commits_succeed = True

    async def getmany(self, active: set[TP], timeout: float) -> dict[TP, list[Raw]]:  # noqa: ASYNC109  # Faust's signature
        if self.during_fetch is not None:
            act, self.during_fetch = self.during_fetch, None
            await act()
        return self.fetches.popleft() if self.fetches else {}

    async def seek_to_committed(self) -> dict[TP, int | None]:
        if self.seeks_fail:
            self.seeks_fail -= 1
            raise TimeoutError
        self.seeks += 1
        self.sought |= {tp: at for tp, at in self.committed.items() if at}
        return {tp: self.committed.get(tp) for tp in self.assigned}

    async def seek_wait(self, positions: dict[TP, int]) -> None:
        self.sought |= positions

    async def commit(self, offsets: dict[TP, int]) -> bool:
        if self.commits_succeed:
            self.committed |= offsets
        return self.commits_succeed

    def assignment(self) -> set[TP]:
        return self.assigned

    def highwater(self, tp: TP) -> int:
        return 0


class Taken(msgspec.Struct):
    topic: str
    value: bytes | None
    key: bytes
    partition: int
    done: Callable[[Any, Any], None]
    headers: Sequence[tuple[str, bytes]] = ()


class Acknowledged(msgspec.Struct):
    at_topic: str
    at_offset: int

    def topic(self) -> str:
        return self.at_topic

    def offset(self) -> int:
        return self.at_offset


class Failure(msgspec.Struct):
    text: str

    def str(self) -> str:
        return self.text


EVERYTHING = sys.maxsize


class HeldProducer:
    """Takes records and acknowledges so many of them; `full` lets so many calls to produce fail first."""

    def __init__(self) -> None:
        self.taken: list[Taken] = []
        self.next_offset: dict[str, int] = {}
        self.full = 0
        self.acknowledging = EVERYTHING
        self.failure: Failure | None = None
        self._open: deque[Taken] = deque()

    def produce(
        self, topic: str, value: bytes | None, key: bytes, partition: int, done: Any, headers: Any = ()
    ) -> None:
        if self.full:
            self.full -= 1
            raise BufferError
        self.taken.append(Taken(topic, value, key, partition, done, headers))
        self._open.append(self.taken[-1])

    def poll(self, _seconds: float) -> None:
        while self.acknowledging and self._open:
            self.acknowledging -= 1
            record = self._open.popleft()
            offset = self.next_offset.get(record.topic, 0)
            self.next_offset[record.topic] = offset + 1
            record.done(self.failure, Acknowledged(record.topic, offset))


class EchoCore:
    """State = the last value; every record is answered with it. A value that is a number is its due time."""

    def load(self, row: bytes) -> bytes:
        if row == b"unreadable":
            raise ValueError(row)
        return row

    def dump(self, state: bytes) -> bytes:
        return state

    def due(self, row: bytes) -> int | None:
        state = self.load(row)
        return int(state) if state.isdigit() else None

    def decide(self, state: bytes | None, record: Record) -> Decided[bytes]:
        new = record.value or b""
        answer = Output(topic="answers", key=record.key, value=(state or b"-") + b">" + new)
        return Decided(state=new, outputs=(answer,), due_ms=self.due(new))

    def reached(self, key: bytes, state: bytes, due_ms: int) -> Output | None:
        return Output(topic="deadlines", key=key, value=b"%d" % due_ms)

    def refused(self, record: Record, reason: str, error: str) -> Sequence[Output]:
        return ()
