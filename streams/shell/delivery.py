"""Producing: the records of a batch on their way to Kafka. Touches the broker."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Any

import confluent_kafka

from schemas.kafka import librdkafka
from streams.shell.contract import Output
from streams.shell.settings import ShellSettings
from streams.shell.stop import stop

POLL_SECONDS = 0.001


def new_producer(settings: ShellSettings) -> confluent_kafka.Producer:
    """Idempotent, so that retries keep the order of a partition; murmur2, so that a key meets the partition that Java
    clients and Faust give it. A record that waited too long may belong to a partition that was given to another
    worker: it fails, and the process ends."""
    return confluent_kafka.Producer(
        {
            **librdkafka(settings.bootstrap),
            "client.id": settings.group,
            "enable.idempotence": True,
            "acks": "all",
            "linger.ms": settings.linger_ms,
            "partitioner": "murmur2_random",
            "message.timeout.ms": int(delivery_seconds(settings) * 1000),
            "message.max.bytes": 4 * settings.max_bytes,  # dead letters carry originals; each topic has its own limit
            "queue.buffering.max.messages": 500_000,
            "queue.buffering.max.kbytes": 262_144,
            "log_level": 4,
        },
        logger=logging.getLogger("librdkafka"),  # handed over in `poll`, which `Delivery` calls all the time
    )


def delivery_seconds(settings: ShellSettings) -> float:
    """The most that Kafka may take for the outputs of a batch, and again for its rows: both within one session."""
    return settings.session_timeout_seconds / 2


class Delivery:
    """What one batch (or one tick of the timer) has produced, until Kafka has acknowledged all of it.

    Callbacks run inside `wait` or `send`, on the event loop's thread. A record that cannot be delivered ends the
    process: what was read and not committed is redelivered.
    """

    __slots__ = ("_done", "_pending", "_poll", "_produce", "last_offset")

    def __init__(self, producer: confluent_kafka.Producer) -> None:
        self._produce, self._poll = producer.produce, producer.poll
        self._done: Callable[[Any, Any], None] = self._acknowledged  # bound once: one per record is measurable
        self._pending = 0
        self.last_offset = -1  # of the last changelog record

    def send(self, output: Output) -> None:
        """Queue an output."""
        self._queue(output.topic, output.value, output.key, -1, self._done, output.headers)

    def send_rows(self, changelog: str, partition: int, rows: Sequence[tuple[bytes, bytes | None]]) -> None:
        """Queue the changelog records of a batch, in order, on the batch's own partition."""
        for key, row in rows[:-1]:
            self._queue(changelog, row, key, partition, self._done, ())
        for key, row in rows[-1:]:
            self._queue(changelog, row, key, partition, self._acknowledged_last, ())

    async def wait(self) -> None:
        """Until Kafka has acknowledged everything."""
        while self._pending:
            self._poll(0)
            if self._pending:
                await asyncio.sleep(POLL_SECONDS)

    def _queue(
        self, topic: str, value: bytes | None, key: bytes, partition: int, done: object, headers: Sequence[object]
    ) -> None:
        while True:
            try:
                # an empty sequence of headers is not the same as none: it costs a call into the library per record
                if headers:
                    self._produce(topic, value, key, partition, done, headers=list(headers))
                else:
                    self._produce(topic, value, key, partition, done)
            except BufferError:  # the queue is full: let the broker take some
                self._poll(0.05)
            else:
                self._pending += 1
                return

    def _acknowledged(self, error: Any, message: Any) -> None:
        if error is not None:
            stop(f"Kafka did not take a record for {message.topic()}: {error.str()}")
        self._pending -= 1

    def _acknowledged_last(self, error: Any, message: Any) -> None:
        self._acknowledged(error, message)
        self.last_offset = message.offset()
