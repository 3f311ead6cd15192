"""How a worker process starts and ends: a plain message and a status, nothing half done."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Producer

from tests import processes
from tests.integration.shell.harness import WORKER, Books, Topics, worker_arguments
from tests.processes import Done


@pytest.fixture
def topics(kafka: str) -> Iterator[Topics]:
    with Topics.create(kafka) as made:
        yield made


def run_worker(*arguments: str) -> Done:
    return processes.done(WORKER, arguments)


def test_an_unreachable_broker_is_one_line_and_status_2(topics: Topics, tmp_path: Path) -> None:
    done = run_worker(*worker_arguments("127.0.0.1:1", topics, tmp_path))
    assert done.returncode == 2
    assert done.stderr.strip().splitlines() == [
        f"{topics.group}: no Kafka broker answered at 127.0.0.1:1 within 3 s "
        "(Failed to get metadata: Local: Broker transport failure). "
        "Is it running, and is the address right?"
    ]


def test_a_missing_topic_is_named(kafka: str, topics: Topics, tmp_path: Path) -> None:
    done = run_worker(*worker_arguments(kafka, topics, tmp_path, "--sources", f"{topics.facts},no-such-topic"))
    assert done.returncode == 2
    # a busy broker may not show those of a moment ago yet
    assert re.search(r"missing are (\S+, )*no-such-topic(, \S+)*\. Create them with", done.stderr)


def test_unequal_partition_counts_are_shown(kafka: str, topics: Topics, new_topic: object, tmp_path: Path) -> None:
    assert callable(new_topic)
    odd = new_topic("odd", partitions=3)
    done = run_worker(*worker_arguments(kafka, topics, tmp_path, "--sources", f"{topics.facts},{odd}"))
    assert done.returncode == 2
    assert f"expected equal partition counts, got {topics.facts}: 4, {odd}: 3" in done.stderr


@pytest.mark.req("EXC-6")
def test_a_bad_release_does_not_drain_the_topic_into_dead_letters(kafka: str, topics: Topics, tmp_path: Path) -> None:
    producer = Producer({"bootstrap.servers": kafka})
    for number in range(40):
        producer.produce(topics.facts, b'{"id":"raise"}', f"key-{number}")
    assert producer.flush(10) == 0
    done = run_worker(*worker_arguments(kafka, topics, tmp_path, "--unexpected-limit", "1"))
    assert done.returncode == 70
    assert "1 unexpected failures in a row, the last one ValueError at worker.py:" in done.stderr
    books = Books(kafka, topics)
    assert books.dead_letters() == []
    assert books.lag() == 40
