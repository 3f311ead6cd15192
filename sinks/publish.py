"""Puts records on Kafka and comes back when they are acknowledged. May touch the broker, may wait for it."""

import asyncio
from collections.abc import Sequence

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, KafkaTimeoutError, MessageSizeTooLargeError

from schemas.kafka import Brokers, aiokafka

log = structlog.get_logger()

LONGEST_WAIT_SECONDS = 10.0
# Dead letters carry whatever came; their topics allow for it.
MOST_BYTES = 3_145_728


def producer(bootstrap: Brokers) -> AIOKafkaProducer:
    """A producer whose acknowledgement means that all in-sync replicas have the record."""
    return AIOKafkaProducer(
        **aiokafka(bootstrap),
        client_id="returnflow-sink",
        acks="all",
        enable_idempotence=True,
        linger_ms=2,
        compression_type="gzip",
        max_request_size=MOST_BYTES,
    )


class TooLarge(ValueError):
    """Kafka takes no record of this size, whenever it is offered: the fault of what it was made of."""


class Publisher:
    """Every record that a worker writes. A record that Kafka cannot take now is offered again, for ever."""

    def __init__(self, kafka: AIOKafkaProducer) -> None:
        self._kafka = kafka

    async def publish(
        self, topic: str, key: bytes | None, value: bytes | None, headers: Sequence[tuple[str, bytes]] = ()
    ) -> None:
        """Returns when the record is acknowledged; a fault that waiting cannot cure is raised and ends the process."""
        wait = 0.2
        while True:
            try:
                await self._kafka.send_and_wait(topic, value=value, key=key, headers=list(headers))
            except MessageSizeTooLargeError:
                size = len(value or b"")
                raise TooLarge(f"expected a record that {topic} takes, got one of {size} bytes") from None
            except KafkaError as error:
                if not (error.retriable or isinstance(error, KafkaTimeoutError)):
                    raise
                log.warning("publish_waits", topic=topic, error=type(error).__name__)
                await asyncio.sleep(wait)
                wait = min(LONGEST_WAIT_SECONDS, wait * 2)
            else:
                return
