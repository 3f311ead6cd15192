"""The local Kafka under faults: what was acknowledged survives, and nothing survives us."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from confluent_kafka import Consumer, KafkaException, Message, Producer
from confluent_kafka.admin import AdminClient, NewTopic

from ops.local.kafka import LocalKafka, answers, cluster_id

TOPIC = "survivors"
WAIT_SECONDS = 60
PARENT = """
import time
from ops.local.kafka import LocalKafka
kafka = LocalKafka.start()
print(kafka.pid, kafka.bootstrap, flush=True)
time.sleep(600)
"""


@pytest.fixture(scope="module")
def broker(own_broker: LocalKafka) -> LocalKafka:
    """With a topic."""
    admin = AdminClient({"bootstrap.servers": own_broker.bootstrap})
    admin.create_topics([NewTopic(TOPIC, num_partitions=1)])[TOPIC].result(WAIT_SECONDS)
    return own_broker


def send(bootstrap: str, topic: str, value: bytes) -> None:
    """Send one record and wait for its acknowledgement."""
    producer = Producer({"bootstrap.servers": bootstrap, "acks": "all", "log_level": 0})
    acknowledged: list[Message] = []
    producer.produce(topic, value, on_delivery=lambda error, message: acknowledged.append(message))
    assert producer.flush(WAIT_SECONDS) == 0
    assert [message.error() for message in acknowledged] == [None]


def gone(pid: int) -> bool:
    """Whether no process has that id."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def read_until(bootstrap: str, topic: str, wanted: bytes) -> list[bytes]:
    """The records of a topic up to the wanted one, or all there are, as a member of a new group."""
    settings = {"bootstrap.servers": bootstrap, "group.id": f"reader-{time.time_ns()}", "log_level": 0}
    consumer = Consumer({**settings, "auto.offset.reset": "earliest"})
    consumer.subscribe([topic])
    values: list[bytes] = []
    deadline = time.monotonic() + WAIT_SECONDS
    try:
        while wanted not in values and time.monotonic() < deadline:
            message = consumer.poll(0.2)
            if message is not None and message.error() is None:
                values.append(message.value() or b"")
    finally:
        consumer.close()
    return values


def test_acknowledged_records_survive_a_kill_and_a_restart(broker: LocalKafka) -> None:
    send(broker.bootstrap, TOPIC, b"before the kill")
    old = broker.pid
    broker.kill()
    assert not answers(broker.bootstrap, timeout_seconds=0.5)
    broker.restart()
    assert broker.pid != old
    assert b"before the kill" in read_until(broker.bootstrap, TOPIC, b"before the kill")


def test_a_frozen_broker_answers_nobody_and_goes_on_afterwards(broker: LocalKafka) -> None:
    broker.pause()
    assert not answers(broker.bootstrap, timeout_seconds=0.5)
    broker.resume()
    send(broker.bootstrap, TOPIC, b"after the pause")
    assert answers(broker.bootstrap, timeout_seconds=10)


def test_it_listens_on_loopback_only(broker: LocalKafka) -> None:
    socket.create_connection(("127.0.0.1", broker.port), timeout=5).close()
    with pytest.raises(OSError):  # a server on all interfaces would answer here
        socket.create_connection(("127.0.0.2", broker.port), timeout=5)


def test_an_unknown_topic_is_not_made_by_writing_to_it(broker: LocalKafka) -> None:
    settings = {"bootstrap.servers": broker.bootstrap, "message.timeout.ms": 1500, "log_level": 0}
    producer = Producer({**settings, "topic.metadata.propagation.max.ms": 500})
    errors: list[str] = []
    producer.produce("typing-error", b"x", on_delivery=lambda error, message: errors.append(error.name()))
    producer.flush(WAIT_SECONDS)
    assert len(errors) == 1
    topics = AdminClient({"bootstrap.servers": broker.bootstrap}).list_topics(timeout=WAIT_SECONDS).topics
    assert "typing-error" not in topics


def test_a_killed_parent_takes_the_broker_along(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid, bootstrap = parent.stdout.readline().split()
        assert answers(bootstrap, timeout_seconds=10)
        parent.kill()
    deadline = time.monotonic() + WAIT_SECONDS
    while not gone(int(pid)):
        assert time.monotonic() < deadline, f"broker {pid} outlived its parent"
        time.sleep(0.05)


def test_a_stopped_broker_leaves_nothing_and_another_data_directory_is_kept(tmp_path: Path) -> None:
    with LocalKafka.start(data_dir=tmp_path / "kept") as kafka:
        pid = kafka.pid
    assert gone(pid)
    assert (tmp_path / "kept" / "data" / "meta.properties").exists()
    with pytest.raises(KafkaException):
        AdminClient({"bootstrap.servers": kafka.bootstrap, "log_level": 0}).list_topics(timeout=0.5)


def test_a_broker_is_known_by_its_cluster_and_no_other_is_taken_for_it(broker: LocalKafka, tmp_path: Path) -> None:
    another = cluster_id(tmp_path)
    assert cluster_id(tmp_path) == another  # kept with the data
    assert answers(broker.bootstrap, 10)
    assert not answers(broker.bootstrap, 10, cluster_id=another)
    assert answers(broker.bootstrap, 10, cluster_id=broker.cluster_id)
