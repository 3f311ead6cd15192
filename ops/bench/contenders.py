"""`python -m ops.bench.contenders NAME …`: one contender in a process of its own, until SIGTERM.

Each reads facts, keeps a row per key in RocksDB, writes the row to a changelog and the output to a topic, and commits
only what Kafka has acknowledged.
"""

import signal
import sys
import time
from pathlib import Path
from typing import Any

import msgspec

from ops.bench.core import Row, TallyCore, dump, load, tally
from schemas.kafka import librdkafka
from streams.shell.settings import ShellSettings

COMMIT_SECONDS = 1.0


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """What a contender is told; passed as one JSON argument."""

    bootstrap: str
    group: str
    facts: str
    outputs: str
    changelog: str
    data_dir: str
    metrics_port: int = 0


def bare(job: Job) -> None:
    """What one writes by hand: consume, decide, produce, one row per key and batch, flush and commit once a second.
    No rebalance, no recovery, no order between acknowledgement and store: a ceiling, not a program."""
    import confluent_kafka
    import rocksdict

    consumer = confluent_kafka.Consumer(
        {**librdkafka(job.bootstrap), "group.id": job.group, "auto.offset.reset": "earliest",
         "enable.auto.commit": False}
    )  # fmt: skip
    producer = confluent_kafka.Producer(
        {**librdkafka(job.bootstrap), "enable.idempotence": True, "linger.ms": 5,
         "partitioner": "murmur2_random", "queue.buffering.max.messages": 500_000}
    )  # fmt: skip
    options = rocksdict.Options(raw_mode=True)
    options.create_if_missing(True)
    store = rocksdict.Rdict(job.data_dir, options)
    consumer.subscribe([job.facts])
    failed: list[Any] = []

    def acknowledged(error: Any, _message: Any) -> None:
        if error is not None:
            failed.append(error)

    committed_at = time.monotonic()
    while not failed:
        rows: dict[bytes, Row] = {}
        for message in consumer.consume(500, 0.1):
            key = message.key()
            row = rows.get(key)
            if row is None and (stored := store.get(key)) is not None:
                row = load(stored)
            rows[key], output = tally(row, message.value())
            _produce(producer, job.outputs, output, key, acknowledged)
        batch = rocksdict.WriteBatch(raw_mode=True)
        for key, row in rows.items():
            value = dump(row)
            batch.put(key, value)
            _produce(producer, job.changelog, value, key, acknowledged)
        store.write(batch)
        producer.poll(0)
        if time.monotonic() - committed_at > COMMIT_SECONDS:
            producer.flush()
            _commit(consumer)
            committed_at = time.monotonic()
    sys.exit(f"not delivered: {failed[0]}")


def _produce(producer: Any, topic: str, value: bytes, key: bytes, acknowledged: Any) -> None:
    while True:
        try:
            producer.produce(topic, value, key, on_delivery=acknowledged)
        except BufferError:
            producer.poll(0.05)
        else:
            return


def _commit(consumer: Any) -> None:
    import confluent_kafka

    try:
        consumer.commit(asynchronous=False)
    except confluent_kafka.KafkaException as error:
        if error.args[0].code() != confluent_kafka.KafkaError._NO_OFFSET:
            raise


def shell(job: Job) -> None:
    """Our shell with RocksDB."""
    from streams.shell.app import run

    settings = ShellSettings(
        group=job.group, table="bench", bootstrap=job.bootstrap, data_dir=Path(job.data_dir),
        commit_seconds=COMMIT_SECONDS, metrics_port=job.metrics_port,
    )  # fmt: skip
    sys.exit(run(settings, TallyCore(job.outputs), [job.facts], lambda topic: f"{topic}-dead-letters"))


def quix(job: Job) -> None:
    """Quix Streams with its RocksDB state and changelog; no fsync, as in the others."""
    from quixstreams import Application, State
    from quixstreams.models import TopicConfig
    from quixstreams.state.rocksdb import RocksDBOptions

    app = Application(
        broker_address=job.bootstrap, consumer_group=job.group, auto_offset_reset="earliest",
        commit_interval=COMMIT_SECONDS, state_dir=job.data_dir, rocksdb_options=RocksDBOptions(use_fsync=False),
        producer_extra_config={"linger.ms": 5, "partitioner": "murmur2_random"}, loglevel="WARNING",
    )  # fmt: skip
    config = TopicConfig(num_partitions=16, replication_factor=1)
    facts = app.topic(job.facts, key_deserializer="bytes", value_deserializer="bytes", config=config)
    outputs = app.topic(job.outputs, key_serializer="bytes", value_serializer="bytes", config=config)

    def advance(value: bytes, state: State[str, list[Any]]) -> bytes:
        stored = state.get("row")
        row, output = tally(Row(*stored) if stored else None, value)
        state.set("row", [row.count, row.total, row.last])
        return output

    app.dataframe(facts).apply(advance, stateful=True).to_topic(outputs)
    app.run()


CONTENDERS = {"bare": bare, "shell": shell, "quix": quix}


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        CONTENDERS[sys.argv[1]](msgspec.json.decode(sys.argv[2], type=Job))
    except KeyboardInterrupt:
        sys.exit(0)
