"""Workers under supervision, a steady load, and the books that show whether anything was lost, doubled or forgotten."""

import os
import re
import signal
import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import msgspec
from confluent_kafka import Consumer, KafkaError, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, NewTopic

from ops.kafka import committed
from ops.local.ports import free_port
from tests.integration.shell.worker import Answer, Fact, Row
from tests.processes import Process, start

PARTITIONS = 4
KEYS = 80
WORKER = "tests.integration.shell.worker"


def wait_for(what: str, done: Callable[[], bool], seconds: float = 120.0) -> None:
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.1)


class Topics(msgspec.Struct, frozen=True, kw_only=True):
    group: str
    facts: str
    deadlines: str
    answers: str
    dead_letters: str
    changelog: str

    @property
    def sources(self) -> tuple[str, str]:
        return self.facts, self.deadlines

    def limit_answers(self, bootstrap: str, largest_bytes: int) -> None:
        """Kafka refuses answers that are larger from now on."""
        entry = ConfigEntry("max.message.bytes", str(largest_bytes), incremental_operation=AlterConfigOpType.SET)
        topic = ConfigResource(ConfigResource.Type.TOPIC, self.answers, incremental_configs=[entry])
        admin = AdminClient({"bootstrap.servers": bootstrap})
        for each in admin.incremental_alter_configs([topic]).values():
            each.result(30)

    @classmethod
    @contextmanager
    def create(cls, bootstrap: str) -> Iterator["Topics"]:
        group = f"shell-{uuid.uuid4().hex[:8]}"
        names = [f"{group}-{name}" for name in ("facts", "deadlines", "answers", "dead", "numbers-changelog")]
        admin = AdminClient({"bootstrap.servers": bootstrap})
        for made in admin.create_topics([NewTopic(name, PARTITIONS, 1) for name in names]).values():
            made.result(30)
        try:
            yield cls(
                group=group, facts=names[0], deadlines=names[1], answers=names[2], dead_letters=names[3],
                changelog=names[4],
            )  # fmt: skip
        finally:
            for deleted in admin.delete_topics(names).values():
                deleted.result(30)


def worker_arguments(bootstrap: str, topics: Topics, data_dir: Path, *more: str) -> list[str]:
    return [
        "--bootstrap", bootstrap, "--group", topics.group, "--data-dir", str(data_dir),
        "--sources", ",".join(topics.sources), "--answers", topics.answers, "--dead-letters", topics.dead_letters,
        *more,
    ]  # fmt: skip


class Worker:
    """A worker process that is started again when it fails, as a supervisor does, and not when it stops cleanly."""

    def __init__(self, bootstrap: str, topics: Topics, data_dir: Path, *more: str) -> None:
        self._metrics = f"http://127.0.0.1:{(port := free_port())}/metrics"
        self._arguments = worker_arguments(bootstrap, topics, data_dir, "--metrics-port", str(port), *more)
        self._log = data_dir.with_suffix(".log")
        self.exits: list[int] = []
        self._stopping = False
        self._process = self._spawn()
        self._supervisor = threading.Thread(target=self._supervise, daemon=True)
        self._supervisor.start()

    def works(self) -> bool:
        """Whether it has its partitions and their rows."""
        try:
            shown = httpx.get(self._metrics).text
        except httpx.HTTPError:
            return False
        return re.search(r'recovery_seconds_count\{agent="numbers"\} [1-9]', shown) is not None

    def signal(self, number: signal.Signals) -> None:
        os.kill(self._process.pid, number)

    def stop(self) -> int:
        """SIGTERM; the exit status."""
        self._stopping = True
        self._process.send_signal(signal.SIGTERM)
        self._supervisor.join(90)
        assert not self._supervisor.is_alive(), f"the worker did not stop within 90 s: {self.log()}"
        return self.exits[-1]

    def kill(self) -> None:
        self._stopping = True
        self._process.kill()
        self._supervisor.join(30)

    def log(self) -> str:
        return self._log.read_text()[-3000:]

    def _spawn(self) -> Process:
        return start(WORKER, self._arguments, out=self._log)

    def _supervise(self) -> None:
        while True:
            self.exits.append(self._process.wait())
            if self._stopping or self.exits[-1] == 0:
                return
            self._process = self._spawn()


class Load:
    """Facts with ids of their own, at a steady rate, until stopped."""

    def __init__(self, bootstrap: str, topic: str, per_second: int) -> None:
        self._producer = Producer({"bootstrap.servers": bootstrap, "partitioner": "murmur2_random", "linger.ms": 5})
        self._topic = topic
        self._per_second = per_second
        self._stop = threading.Event()
        self.sent: dict[str, set[str]] = defaultdict(set)  # key → ids
        self._count = 0
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def raw(self, key: str, value: bytes) -> None:
        self._producer.produce(self._topic, value, key)

    def burst(self, count: int) -> None:
        for _ in range(count):
            self._one()

    def due(self, key: str, due_ms: int) -> str:
        """A fact that sets a deadline; gives the id of the deadline's own fact, which is expected as well."""
        fact, deadline = Fact("sets-deadline", due_ms), f"deadline-{due_ms}"
        self.raw(key, msgspec.json.encode(fact))
        self.sent[key] |= {fact.id, deadline}
        return deadline

    def finish(self) -> dict[str, set[str]]:
        self._stop.set()
        self._thread.join()
        assert self._producer.flush(30) == 0
        return self.sent

    def _run(self) -> None:
        while not self._stop.wait(0.05):
            self.burst(self._per_second // 20)

    def _one(self) -> None:
        self._count += 1
        key, fact = f"key-{self._count % KEYS}", f"fact-{self._count}"
        self.sent[key].add(fact)
        self._producer.produce(self._topic, msgspec.json.encode(Fact(fact)), key)
        self._producer.poll(0)


class Books:
    """What Kafka says happened."""

    def __init__(self, bootstrap: str, topics: Topics) -> None:
        self._bootstrap = bootstrap
        self._topics = topics

    def lag(self) -> int:
        """Records that are not committed, over all sources; a partition without a commit counts whole."""
        ends = self._ends(self._topics.sources)
        known = committed(self._bootstrap, self._topics.group, ends)
        return sum(end - known.get(at, 0) for at, end in ends.items())

    def answers(self) -> dict[str, list[Answer]]:
        found: dict[str, list[Answer]] = defaultdict(list)
        for key, value in self._read(self._topics.answers):
            assert value is not None
            found[key].append(msgspec.json.decode(value, type=Answer))
        return found

    def dead_letters(self) -> list[tuple[str, bytes | None]]:
        return list(self._read(self._topics.dead_letters))

    def changelog(self) -> dict[str, Row]:
        """The table, as a fresh reader of the changelog finds it."""
        rows: dict[str, bytes | None] = dict(self._read(self._topics.changelog))
        return {key: msgspec.msgpack.decode(row, type=Row) for key, row in rows.items() if row is not None}

    def _ends(self, topics: tuple[str, ...]) -> dict[tuple[str, int], int]:
        consumer = Consumer({"bootstrap.servers": self._bootstrap, "group.id": "books"})
        try:
            return {
                (topic, partition): consumer.get_watermark_offsets(TopicPartition(topic, partition))[1]
                for topic in topics
                for partition in range(PARTITIONS)
            }
        finally:
            consumer.close()

    def _read(self, topic: str) -> Iterator[tuple[str, bytes | None]]:
        consumer = Consumer({"bootstrap.servers": self._bootstrap, "group.id": "books", "enable.partition.eof": True})
        consumer.assign([TopicPartition(topic, partition, 0) for partition in range(PARTITIONS)])
        open_partitions = set(range(PARTITIONS))
        while open_partitions:
            message = consumer.poll(10)
            assert message is not None, f"no more records of {topic} within 10 s"
            if message.error() is None:
                yield message.key().decode(), message.value()
            else:
                assert message.error().code() == KafkaError._PARTITION_EOF, message.error()
                open_partitions.discard(message.partition())
        consumer.close()


def assert_nothing_lost_or_doubled(books: Books, sent: dict[str, set[str]]) -> None:
    """Every fact has an answer, all answers of a fact agree, and the table holds exactly the facts."""
    answers = books.answers()
    for key, ids in sent.items():
        numbers: dict[str, set[int]] = defaultdict(set)
        for answer in answers[key]:
            numbers[answer.id].add(answer.number)
        assert ids <= numbers.keys(), f"lost: {sorted(ids - numbers.keys())[:5]} of {key}"
        conflicts = {fact: seen for fact, seen in numbers.items() if len(seen) > 1}
        assert not conflicts, f"answered differently: {conflicts} of {key}"
    rows = books.changelog()
    forgotten = {key: sorted(ids - rows[key].numbers.keys())[:3] for key, ids in sent.items()}
    assert not any(forgotten.values()), f"forgotten by the table: {forgotten}"


def audit(bootstrap: str, topics: Topics, books: Books, name: str, sent: dict[str, set[str]]) -> None:
    """Ask each key's worker what its row holds: the rows that a worker decides with are those of the changelog."""
    producer = Producer({"bootstrap.servers": bootstrap, "partitioner": "murmur2_random"})
    for key in sent:
        producer.produce(topics.facts, msgspec.json.encode(Fact(name)), key)
        sent[key].add(name)
    assert producer.flush(30) == 0
    wait_for("the audit is answered and committed", lambda: books.lag() == 0)
    answers = books.answers()
    for key, ids in sent.items():
        mine = [answer for answer in answers[key] if answer.id == name]
        assert mine, f"no answer for {key}"
        assert {answer.known for answer in mine} == {len(ids)}, f"{key}: the worker's row is not the changelog's"
