"""The ground a contender runs on: topics, facts, its process on a core of its own, and the measured times."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic, OffsetSpec

from ops.bench.contenders import Job
from ops.bench.core import encode_fact
from ops.local.ports import free_port
from schemas.kafka import librdkafka

PARTITIONS = 16
KEYS = 20_000


def _admin(bootstrap: str) -> AdminClient:
    return AdminClient({**librdkafka(bootstrap), "log_level": 3})


def new_topic(bootstrap: str, name: str, config: dict[str, str] | None = None) -> str:
    topic = NewTopic(name, PARTITIONS, 1, config=config or {})
    admin = _admin(bootstrap)
    admin.create_topics([topic])[name].result(30)
    return name


def delete_topics(bootstrap: str, names: list[str]) -> None:
    admin = _admin(bootstrap)
    for deleted in admin.delete_topics(names).values():
        deleted.exception(30)


def fact_producer(bootstrap: str) -> Producer:
    return Producer(
        {**librdkafka(bootstrap), "linger.ms": 5, "partitioner": "murmur2_random",
         "queue.buffering.max.messages": 1_000_000}
    )  # fmt: skip


def fill(bootstrap: str, topic: str, count: int) -> None:
    producer = fact_producer(bootstrap)
    for number in range(count):
        producer.produce(topic, encode_fact(number, 0), b"key-%d" % (number % KEYS))
        if number % 10_000 == 0:
            producer.poll(0)
    producer.flush()


@contextmanager
def ground(name: str, bootstrap: str, facts: str) -> Iterator[Job]:
    """Topics and a data directory of a contender's own; removed afterwards."""
    group = f"bench-{name}-{uuid.uuid4().hex[:8]}"
    data_dir = tempfile.mkdtemp(prefix="returnflow-bench-")
    # the broker's clock on each output: when Kafka had it
    outputs = new_topic(bootstrap, f"{group}-outputs", {"message.timestamp.type": "LogAppendTime"})
    changelog = new_topic(bootstrap, f"{group}-bench-changelog", {"cleanup.policy": "compact"})
    try:
        yield Job(
            bootstrap=bootstrap, group=group, facts=facts, outputs=outputs, changelog=changelog, data_dir=data_dir,
            metrics_port=free_port(),
        )  # fmt: skip
    finally:
        shutil.rmtree(data_dir, ignore_errors=True)
        delete_topics(bootstrap, [outputs, changelog, f"changelog__{group}--{facts}--default"])


@contextmanager
def at_work(name: str, job: Job) -> Iterator[None]:
    """The contender's process, pinned to one core. What it writes to stderr is shown when it fails."""
    with tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "ops.bench.contenders", name, msgspec.json.encode(job).decode()],
            preexec_fn=_own_core, stderr=errors,
        )  # fmt: skip
        try:
            yield
        finally:
            process.terminate()
            status = process.wait(60)
            errors.seek(0)
            said = errors.read()
    if status:
        raise RuntimeError(f"{name} ended with status {status}: {said[-2000:]}")


def _own_core() -> None:
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[-1]})


def count_of(bootstrap: str, topic: str) -> int:
    """Records of a topic; a partition that was just made and has no leader yet counts as empty."""
    admin = _admin(bootstrap)
    latest = {TopicPartition(topic, partition): OffsetSpec.latest() for partition in range(PARTITIONS)}
    found = admin.list_offsets(latest).values()
    return sum(each.result().offset for each in found if each.exception(10) is None)


def wait_for_outputs(bootstrap: str, topic: str, count: int, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while (found := count_of(bootstrap, topic)) < count:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{topic}: expected {count} outputs within {seconds:g} s, got {found}")
        time.sleep(0.5)


def append_times_ms(bootstrap: str, topic: str) -> list[int]:
    """When Kafka took each output, in order."""
    consumer = Consumer({**librdkafka(bootstrap), "group.id": "bench-times"})
    consumer.assign([TopicPartition(topic, p, 0) for p in range(PARTITIONS)])
    times: list[int] = []
    remaining = count_of(bootstrap, topic)
    while len(times) < remaining:
        times.extend(message.timestamp()[1] for message in consumer.consume(10_000, 1.0))
    consumer.close()
    return sorted(times)
