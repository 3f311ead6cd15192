"""A worker process of the shell's fault tests: numbers the ids of each key and answers with the number.

The same id gets the same number for ever, so a lost, doubled or forgotten fact shows in the outputs and in the row. An
id that the row has is not answered again: an answer that Kafka had not got when its row was written is lost for good.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from schemas.startup import CannotStart
from streams.shell.app import run
from streams.shell.contract import Decided, Output, Record, Undecodable
from streams.shell.settings import ShellSettings


class Fact(msgspec.Struct):
    """`due_ms` sets the key's deadline; the deadline's own fact has none and so clears it."""

    id: str
    due_ms: int | None = None


class Row(msgspec.Struct, frozen=True):
    numbers: dict[str, int]
    due_ms: int | None = None


class OnlyDue(msgspec.Struct):
    due_ms: int | None = None


class Answer(msgspec.Struct):
    id: str
    number: int
    known: int  # ids in the row


class NumberingCore:
    def __init__(self, answers: str, deadlines: str) -> None:
        self.answers, self.deadlines = answers, deadlines

    def load(self, row: bytes) -> Row:
        return msgspec.msgpack.decode(row, type=Row)

    def dump(self, state: Row) -> bytes:
        return msgspec.msgpack.encode(state)

    def due(self, row: bytes) -> int | None:
        return msgspec.msgpack.decode(row, type=OnlyDue).due_ms

    def decide(self, state: Row | None, record: Record) -> Decided[Row]:
        try:
            fact = msgspec.json.decode(record.value or b"", type=Fact)
        except msgspec.DecodeError as error:
            raise Undecodable("undecodable", "expected a fact as JSON") from error
        if fact.id == "raise":
            raise ValueError(fact)
        row = state or Row({})
        if fact.id in row.numbers:
            return Decided(state=row, outputs=(), due_ms=row.due_ms)
        row = Row({**row.numbers, fact.id: len(row.numbers) + 1}, fact.due_ms)
        answer = msgspec.json.encode(Answer(fact.id, row.numbers[fact.id], len(row.numbers)))
        return Decided(
            state=row, outputs=(Output(topic=self.answers, key=record.key, value=answer),), due_ms=row.due_ms
        )

    def reached(self, key: bytes, state: Row, due_ms: int) -> Output | None:
        return Output(topic=self.deadlines, key=key, value=msgspec.json.encode(Fact(f"deadline-{due_ms}")))

    def refused(self, record: Record, reason: str, error: str) -> Sequence[Output]:
        return ()


def main() -> int:
    parser = argparse.ArgumentParser()
    for name in ("bootstrap", "group", "data-dir", "sources", "answers", "dead-letters"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--store", default="rocksdb")
    parser.add_argument("--standbys", type=int, default=0)
    parser.add_argument("--metrics-port", type=int, default=0)
    parser.add_argument("--unexpected-limit", type=int, default=20)
    parser.add_argument("--stop-seconds", type=float, default=25.0)
    given = parser.parse_args()
    sources = given.sources.split(",")
    settings = ShellSettings(
        group=given.group, table="numbers", bootstrap=given.bootstrap, data_dir=Path(given.data_dir),
        store=given.store, standby_replicas=given.standbys, metrics_port=given.metrics_port,
        session_timeout_seconds=6.0, heartbeat_seconds=1.0, rebalance_timeout_seconds=10.0, commit_seconds=0.5,
        batch_records=50, unexpected_limit=given.unexpected_limit,
        start_timeout_seconds=3.0, stop_seconds=given.stop_seconds, unsettled_limit_seconds=20.0,
    )  # fmt: skip
    core = NumberingCore(given.answers, sources[-1])
    try:
        return run(settings, core, sources, lambda _: given.dead_letters)
    except CannotStart as error:
        sys.stderr.write(f"{error}\n")
        return 2


if __name__ == "__main__":
    sys.exit(main())
