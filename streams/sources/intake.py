"""Appending to Kafka from the gateway's event loop: one future per record, answered when Kafka has it.

confluent-kafka's producer batches in its own threads; its callbacks run in `poll`, which this loop calls itself, so no
callback crosses a thread. Idempotence stays off: a repeated delivery is harmless, and a producer that never enters a
fatal state outlives every trouble of the broker.
"""

import asyncio
import contextlib

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from schemas.kafka import Brokers, librdkafka

POLL_SECONDS = 0.002
IDLE_SECONDS = 1.0


class Unavailable(Exception):
    """Kafka did not acknowledge in time; the sender has to try again."""


class Intake:
    """Bounded: beyond the queue's limits and after `timeout_seconds` a record is refused, never kept in silence."""

    def __init__(self, bootstrap: Brokers, timeout_seconds: float, largest_bytes: int) -> None:
        self._producer = Producer(
            {
                **librdkafka(bootstrap),
                "acks": "all",
                "enable.idempotence": False,
                "partitioner": "murmur2_random",
                "linger.ms": 2,
                "message.max.bytes": largest_bytes + 100_000,
                "message.timeout.ms": int(timeout_seconds * 1000),
                "request.timeout.ms": int(timeout_seconds * 1000),
                "socket.timeout.ms": max(int(timeout_seconds * 1000), 1000),
                "queue.buffering.max.messages": 20_000,
                "queue.buffering.max.kbytes": 131_072,
                "reconnect.backoff.max.ms": 1000,
                "log_level": 0,
            }
        )
        self._outstanding = 0
        self._work = asyncio.Event()

    @property
    def outstanding(self) -> int:
        """Records that Kafka has not answered for."""
        return self._outstanding

    async def append(self, topic: str, key: bytes, value: bytes) -> None:
        """Returns once every in-sync replica has the record; raises Unavailable."""
        answered: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def delivered(error: KafkaError | None, _: Message) -> None:
            self._outstanding -= 1
            if answered.done():  # the sender hung up
                return
            if error is None:
                answered.set_result(None)
            else:
                answered.set_exception(Unavailable(error.str()))

        try:
            self._producer.produce(topic, value, key, on_delivery=delivered)
        except (BufferError, KafkaException) as error:
            raise Unavailable(str(error)) from error
        self._outstanding += 1
        self._work.set()
        await answered

    async def run(self) -> None:
        """Serves delivery callbacks until cancelled; nearly idle when nothing is outstanding: the client also asks for
        its next token when it is polled."""
        while True:
            if self._outstanding == 0:
                self._work.clear()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._work.wait(), IDLE_SECONDS)
            self._producer.poll(0)
            await asyncio.sleep(POLL_SECONDS)

    def close(self, timeout_seconds: float) -> None:
        """Waits for what is still on its way."""
        self._producer.flush(timeout_seconds)
