"""How many exceptions are open, for Prometheus: the topic followed as it grows. Touches the broker (reading only)."""

import time
from collections import Counter as Count

import structlog
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition
from prometheus_client import CollectorRegistry, Gauge

from ops.inbox import Folded
from ops.kafka import ANSWER_WITHIN_SECONDS, fetched, partitions_of, reader
from schemas.codec import Codec
from schemas.kafka import Brokers
from schemas.startup import CannotStart
from schemas.topics import EXCEPTIONS

LABELS = ("merchant", "type", "owner", "severity")
log = structlog.get_logger()


class OpenExceptions:
    """One reader of the topic; call `look` every few seconds."""

    def __init__(self, bootstrap: Brokers, codec: Codec, registry: CollectorRegistry) -> None:
        self._bootstrap = bootstrap
        self._folded = Folded(codec)
        self._consumer: Consumer | None = None
        self._gauge = Gauge(
            "returnflow_exceptions_open", "Exceptions that wait for a person.", LABELS, registry=registry
        )  # fmt: skip

    def look(self) -> None:
        """Count anew; when Kafka does not answer the old figures stay."""
        try:
            if self._consumer is None:
                self._consumer = self._begun()
            self._follow(self._consumer)
        except (KafkaException, CannotStart) as problem:
            log.warning("exceptions_not_counted", error=str(problem))
            return
        self._show()

    def _begun(self) -> Consumer:
        consumer = reader(self._bootstrap)
        partitions = partitions_of(consumer, EXCEPTIONS)
        consumer.assign([TopicPartition(EXCEPTIONS, each, 0) for each in partitions])
        ends, until = set[int](), time.monotonic() + ANSWER_WITHIN_SECONDS
        while len(ends) < len(partitions) and time.monotonic() < until:
            ends |= self._take(fetched(consumer))
        return consumer

    def _follow(self, consumer: Consumer) -> None:
        until = time.monotonic() + ANSWER_WITHIN_SECONDS
        while (messages := fetched(consumer)) and time.monotonic() < until:
            self._take(messages)

    def _take(self, messages: list[Message]) -> set[int]:
        """Fold what has come; the partitions that have nothing more."""
        ended = set[int]()
        for message in messages:
            error = message.error()
            if error is None:
                self._folded.take(message.key(), message.value())
            elif error.code() == KafkaError._PARTITION_EOF:
                ended.add(message.partition())
            else:
                raise KafkaException(error)
        return ended

    def _show(self) -> None:
        is_open = [item.raised for item in self._folded.items() if item.state == "open"]
        counted = Count((e.merchant, e.type, e.owner, e.severity) for e in is_open)
        for family in self._gauge.collect():
            for sample in family.samples:
                place = tuple(sample.labels[name] for name in LABELS)
                if place not in counted:
                    self._gauge.labels(*place).set(0)
        for place, number in counted.items():
            self._gauge.labels(*place).set(number)
