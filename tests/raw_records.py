"""Record batches as no client library writes them: header names of any bytes."""

import gzip
import struct
from collections.abc import Mapping, Sequence
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.util import calc_crc32c

_LENGTH, _CRC, _ATTRIBUTES, _RECORDS = 8, 17, 21, 61  # places in a batch
_GZIP = 1


def batch(names: Sequence[bytes], *, zipped: bool = False) -> bytes:
    """A batch with a record for each header name."""
    builder = DefaultRecordBatchBuilder(2, 0, 0, -1, -1, -1, 1_000_000)
    stands_for = {}
    for i, name in enumerate(names):
        stand_in = f"{i:#<{len(name)}}"[: len(name)]
        stands_for[stand_in.encode()] = name
        builder.append(i, timestamp=1, key=b"k", value=b"value", headers=[(stand_in, b"v")])
    return renamed(bytes(builder.build()), stands_for, zipped=zipped)


def renamed(raw: bytes, names: Mapping[bytes, bytes], *, zipped: bool = False) -> bytes:
    """The batch with other names of the same length, and a checksum that fits."""
    head, records = bytearray(raw[:_RECORDS]), raw[_RECORDS:]
    for name, other in names.items():
        if name:
            records = records.replace(b"%c%b" % (len(name) * 2, name), b"%c%b" % (len(name) * 2, other))
    if zipped:
        records = gzip.compress(records)
        head[_ATTRIBUTES + 1] |= _GZIP
    struct.pack_into(">i", head, _LENGTH, len(head) + len(records) - _LENGTH - 4)
    struct.pack_into(">I", head, _CRC, calc_crc32c(bytes(head[_ATTRIBUTES:]) + records))
    return bytes(head) + records


class _Renaming:
    """Stands in for the builder of a batch that is about to be sent."""

    def __init__(self, builder: Any, names: Mapping[bytes, bytes]) -> None:
        self._builder, self._names = builder, names

    def __getattr__(self, name: str) -> Any:
        return getattr(self._builder, name)

    def build(self) -> bytearray:
        return bytearray(renamed(bytes(self._builder.build()), self._names))


async def produce(
    bootstrap: str, topic: str, records: Sequence[tuple[bytes, bytes, Sequence[bytes]]], partition: int = 0
) -> None:
    """Records of key, value and header names, in one batch."""
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap)
    await producer.start()
    try:
        made, names = producer.create_batch(), dict[bytes, bytes]()
        for key, value, headers in records:
            stand_ins = [f"~{len(names) + i:~<{len(name) - 1}}" for i, name in enumerate(headers)]
            names |= {each.encode(): name for each, name in zip(stand_ins, headers, strict=True)}
            made.append(timestamp=None, key=key, value=value, headers=[(each, b"v") for each in stand_ins])
        made._builder = _Renaming(made._builder, names)
        await (await producer.send_batch(made, topic, partition=partition))
    finally:
        await producer.stop()
