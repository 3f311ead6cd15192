"""Writes a few records for a person's command and waits until Kafka has them. Touches the broker."""

from collections.abc import Iterable

import msgspec
from confluent_kafka import KafkaError, Producer

from ops.kafka import quiet
from schemas.codec import Codec
from schemas.exceptions import ExceptionCleared, ExceptionRaised
from schemas.kafka import Brokers
from schemas.startup import CannotStart
from schemas.topics import EXCEPTIONS

TOLD_WITHIN_SECONDS = 15.0


class Outgoing(msgspec.Struct, frozen=True, kw_only=True):
    """A record to write. `partition` -1: where its key belongs. `timestamp_ms` 0: now. A value of None deletes its key
    from a compacted topic."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()
    partition: int = -1
    timestamp_ms: int = 0


def append(bootstrap: Brokers, records: Iterable[Outgoing], what: str) -> None:
    """Returns when Kafka has them all; raises CannotStart, naming `what` they are."""
    failed: list[KafkaError] = []
    producer = Producer(
        quiet(bootstrap)
        | {"acks": "all", "partitioner": "murmur2_random", "message.timeout.ms": int(TOLD_WITHIN_SECONDS * 1000)}
    )
    for each in records:
        producer.produce(
            each.topic, value=each.value, key=each.key, partition=each.partition, timestamp=each.timestamp_ms,
            headers=list(each.headers), on_delivery=lambda error, _: failed.append(error) if error else None,
        )  # fmt: skip
        producer.poll(0)
    left = producer.flush(TOLD_WITHIN_SECONDS + 1)
    if left or failed:
        why = failed[0].str() if failed else "no answer"
        raise CannotStart(f"expected Kafka at {bootstrap} to take {what}, got: {why}")


def tell(bootstrap: Brokers, codec: Codec, record: ExceptionRaised | ExceptionCleared, what: str) -> None:
    """An exception, raised or cleared; as `append`."""
    told = Outgoing(topic=EXCEPTIONS, key=record.exception_id.encode(), value=codec.encode(record))
    append(bootstrap, [told], what)
