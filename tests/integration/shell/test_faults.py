"""The shell under faults, on a real Kafka: nothing lost or answered twice differently, table equal to changelog."""

import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ops.local.kafka import LocalKafka
from tests.integration.shell.harness import (
    Books,
    Load,
    Topics,
    Worker,
    assert_nothing_lost_or_doubled,
    audit,
    wait_for,
)


@pytest.fixture
def topics(kafka: str) -> Iterator[Topics]:
    with Topics.create(kafka) as made:
        yield made


@pytest.fixture
def books(kafka: str, topics: Topics) -> Books:
    return Books(kafka, topics)


Start = Callable[..., Worker]


@pytest.fixture
def start(kafka: str, topics: Topics, tmp_path: Path) -> Iterator[Start]:
    """Starts workers by name; whatever becomes of the test, none of them outlives it."""
    started: list[Worker] = []

    def begin(name: str, *more: str) -> Worker:
        started.append(Worker(kafka, topics, tmp_path / name, *more))
        return started[-1]

    yield begin
    for each in started:
        each.kill()


def test_a_frozen_worker_and_poison_lose_nothing(kafka: str, topics: Topics, books: Books, start: Start) -> None:
    first = start("first")  # RocksDB: it is started again on what its end left behind
    second = start("second", "--store", "memory")
    load = Load(kafka, topics.facts, per_second=400)
    load.raw("key-1", b"not json")
    load.raw("key-2", b'{"id":"raise"}')
    wait_for("both work", lambda: len(books.answers()) >= 60)
    first.signal(signal.SIGSTOP)
    load.burst(2000)
    time.sleep(9)  # the fault itself: longer than the session of 6 s
    first.signal(signal.SIGCONT)
    load.burst(2000)
    time.sleep(2)  # let the woken worker do what harm it can, under load
    sent = load.finish()
    wait_for("the lag is worked off", lambda: books.lag() == 0)
    assert_nothing_lost_or_doubled(books, sent)
    audit(kafka, topics, books, "audit", sent)
    assert {(key, value) for key, value in books.dead_letters()} == {
        ("key-1", b"not json"),
        ("key-2", b'{"id":"raise"}'),
    }
    assert second.exits == [], second.log()
    assert first.stop() == 0, first.log()
    assert first.exits == [70, 0], first.log()
    assert second.stop() == 0, second.log()


def test_joining_leaving_and_killing_lose_nothing(
    kafka: str, topics: Topics, books: Books, start: Start, tmp_path: Path
) -> None:
    """Both workers are given one place for their tables, as instances of one service are."""
    more = ("--standbys", "1", "--data-dir", str(tmp_path / "shared"))
    first = start("first", *more)
    load = Load(kafka, topics.facts, per_second=400)
    load.burst(1000)
    deadline = load.due("key-due", int(time.time() * 1000) + 25_000)
    wait_for("the first works", lambda: len(books.answers()) >= 60)
    for cycle in range(3):
        second = start("second", *more)
        load.burst(1000)
        wait_for("it has joined", second.works)
        time.sleep(1)  # under load
        if cycle < 2:
            assert second.stop() == 0, second.log()
    first.kill()
    load.burst(1000)
    # set before the kill, reached after it: the worker that takes over has it from the rows
    wait_for("the deadline is answered", lambda: any(each.id == deadline for each in books.answers()["key-due"]))
    sent = load.finish()
    wait_for("the lag is worked off", lambda: books.lag() == 0)
    assert_nothing_lost_or_doubled(books, sent)
    audit(kafka, topics, books, "standby-took-over", sent)
    assert second.exits == [], second.log()
    assert {each.name for each in tmp_path.glob("shared*")} == {"shared", "shared-2"}
    second.kill()
    fresh = start("fresh")
    audit(kafka, topics, books, "fresh-recovered", sent)
    assert_nothing_lost_or_doubled(books, sent)
    assert fresh.stop() == 0, fresh.log()


def test_what_kafka_did_not_take_is_told_by_the_next_worker(
    kafka: str, topics: Topics, books: Books, start: Start
) -> None:
    worker = start("worker")
    load = Load(kafka, topics.facts, per_second=40)
    wait_for("it works", lambda: len(books.answers()) >= 60)
    topics.limit_answers(kafka, 1)  # the rows of the same facts would be taken
    wait_for("it ends", lambda: worker.exits != [])
    topics.limit_answers(kafka, 1_000_000)
    sent = load.finish()
    wait_for("the lag is worked off", lambda: books.lag() == 0)
    assert_nothing_lost_or_doubled(books, sent)
    assert worker.exits[0] == 70, worker.log()
    assert worker.stop() == 0, worker.log()


def test_a_stop_ends_in_time_when_kafka_is_gone(own_broker: LocalKafka, tmp_path: Path) -> None:
    with Topics.create(own_broker.bootstrap) as topics:
        worker = Worker(own_broker.bootstrap, topics, tmp_path / "worker", "--stop-seconds", "3")
        wait_for("it works", worker.works)
        own_broker.pause()
        try:
            assert worker.stop() == 70
        finally:
            own_broker.resume()
        assert "no clean stop within 3 s" in worker.log()
