"""Fact produced → output readable, through the shell, at a steady 2 500 facts/s over 16 partitions."""

import threading
import time
import uuid
from collections.abc import Sequence

from confluent_kafka import Consumer, Producer

from ops.bench import field
from ops.bench.core import decode_tally, encode_fact
from ops.bench.figure import Figure, Kafka
from schemas.kafka import librdkafka

FACTS_PER_SECOND = 2_500
WARM_SECONDS = 5.0
MEASURED_SECONDS = 15.0
TICK_SECONDS = 0.002


def run(kafka: Kafka) -> Sequence[Figure]:
    bootstrap = kafka()
    facts = field.new_topic(bootstrap, f"bench-facts-{uuid.uuid4().hex[:8]}")
    with field.ground("latency", bootstrap, facts) as job, field.at_work("shell", job):
        field.fill(bootstrap, facts, 1000)
        field.wait_for_outputs(bootstrap, job.outputs, 1000, seconds=60)  # it has started
        milliseconds = _measure(bootstrap, facts, job.outputs)
    field.delete_topics(bootstrap, [facts])
    ordered = sorted(milliseconds)

    def percentile(share: float) -> str:
        return f"{ordered[min(len(ordered) - 1, int(len(ordered) * share))]:.0f} ms"

    return [
        Figure(
            name=f"p50 of {len(ordered):,} facts at {FACTS_PER_SECOND:,}/s", value=percentile(0.5), target="< 50 ms"
        ),
        Figure(name="p99", value=percentile(0.99), target="< 200 ms"),
        Figure(name="worst", value=percentile(1.0)),
    ]


def _measure(bootstrap: str, facts: str, outputs: str) -> list[float]:
    consumer = Consumer({**librdkafka(bootstrap), "group.id": "bench-latency", "auto.offset.reset": "latest"})
    consumer.subscribe([outputs])
    consumer.poll(5.0)
    stop = threading.Event()
    generator = threading.Thread(target=_generate, args=(field.fact_producer(bootstrap), facts, stop))
    generator.start()
    milliseconds = []
    warm, end = time.monotonic() + WARM_SECONDS, time.monotonic() + WARM_SECONDS + MEASURED_SECONDS
    while time.monotonic() < end:
        for message in consumer.consume(500, 0.005):
            sent_ns = decode_tally(message.value())["sent_ns"]
            if sent_ns and time.monotonic() > warm:
                milliseconds.append((time.time_ns() - sent_ns) / 1e6)
    stop.set()
    generator.join()
    consumer.close()
    return milliseconds


def _generate(producer: Producer, topic: str, stop: threading.Event) -> None:
    started, sent = time.monotonic(), 0
    while not stop.wait(TICK_SECONDS):
        due = int((time.monotonic() - started) * FACTS_PER_SECOND)
        for number in range(sent, due):
            producer.produce(topic, encode_fact(number, time.time_ns()), b"key-%d" % (number % field.KEYS))
        sent = due
        producer.poll(0)
    producer.flush()
