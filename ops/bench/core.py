"""The trivial core that every contender runs: Avro fact in, read-modify-write of a keyed row, Avro output."""

import io
from collections.abc import Sequence
from typing import Any

import fastavro
import msgspec

from streams.shell.contract import Decided, Output, Record

FACT = fastavro.parse_schema(
    {
        "type": "record",
        "name": "BenchFact",
        "fields": [
            {"name": "fact_id", "type": "string"},
            {"name": "amount", "type": "long"},
            {"name": "sent_ns", "type": "long"},
            {"name": "note", "type": "string"},
        ],
    }
)
TALLY = fastavro.parse_schema(
    {
        "type": "record",
        "name": "BenchTally",
        "fields": [
            {"name": "fact_id", "type": "string"},
            {"name": "count", "type": "long"},
            {"name": "total", "type": "long"},
            {"name": "sent_ns", "type": "long"},
        ],
    }
)


class Row(msgspec.Struct, frozen=True, array_like=True):
    count: int
    total: int
    last: str


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Row)


def encode_fact(number: int, sent_ns: int) -> bytes:
    """About 80 bytes."""
    out = io.BytesIO()
    fact = {"fact_id": f"fact-{number:012d}", "amount": number % 1000, "sent_ns": sent_ns, "note": "x" * 40}
    fastavro.schemaless_writer(out, FACT, fact)
    return out.getvalue()


def _read(value: bytes, schema: Any) -> Any:
    return fastavro.schemaless_reader(io.BytesIO(value), schema, None)


def decode_tally(value: bytes) -> Any:
    return _read(value, TALLY)


def tally(row: Row | None, value: bytes) -> tuple[Row, bytes]:
    """New row and output of one fact."""
    fact = _read(value, FACT)
    count, total = (row.count, row.total) if row else (0, 0)
    new = Row(count + 1, total + fact["amount"], fact["fact_id"])
    out = io.BytesIO()
    fastavro.schemaless_writer(
        out, TALLY, {"fact_id": new.last, "count": new.count, "total": new.total, "sent_ns": fact["sent_ns"]}
    )
    return new, out.getvalue()


load = _DECODER.decode
dump = _ENCODER.encode


class TallyCore:
    """The same as the shell wants it."""

    def __init__(self, output_topic: str) -> None:
        self._topic = output_topic

    def load(self, row: bytes) -> Row:
        return load(row)

    def dump(self, state: Row) -> bytes:
        return dump(state)

    def due(self, row: bytes) -> int | None:  # noqa: ARG002
        return None

    def decide(self, state: Row | None, record: Record) -> Decided[Row]:
        row, output = tally(state, record.value or b"")
        return Decided(state=row, outputs=(Output(topic=self._topic, key=record.key, value=output),))

    def reached(self, key: bytes, state: Row, due_ms: int) -> Output | None:  # noqa: ARG002
        return None

    def refused(self, record: Record, reason: str, error: str) -> Sequence[Output]:  # noqa: ARG002
        return ()
