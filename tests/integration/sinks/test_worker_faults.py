"""Sink workers as processes on a real Kafka: killed, joined, stopped; the peer's books show every effect once."""

import random
import signal
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from ops.kafka import committed
from schemas import topics
from schemas.codec import Codec
from schemas.commands import Command, CommandResult
from tests.processes import Process, start
from tests.unit.sinks.peer import REFUSED, Peer, running_peer
from tests.unit.sinks.toy import key_of, refund, restock

WORKER = "tests.integration.sinks.worker"
PARTITIONS = 3


def wait_for(what: str, done: Callable[[], bool], seconds: float = 120.0) -> None:
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.1)


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """A system of its own on the shared Kafka, its peer, its ledger."""

    bootstrap: str
    system: str
    ledger_url: str
    peer: Peer
    url: str = ""  # of whatever is there in the peer's place

    def send(self, commands: list[Command]) -> None:
        producer = Producer({"bootstrap.servers": self.bootstrap})
        codec = Codec()
        for command in commands:
            producer.produce(topics.commands_of(self.system), key=key_of(command), value=codec.encode(command))
        assert producer.flush(30) == 0

    @contextmanager
    def worker(self, *arguments: str) -> Iterator[Process]:
        process = start(WORKER, [self.bootstrap, self.ledger_url, self.system, self.url or self.peer.url, *arguments])
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()
            process.wait(60)

    def results(self) -> dict[str, list[str]]:
        """Outcomes by command id, of this system, as they stand in Kafka now."""
        found: dict[str, list[str]] = {}
        for value in read_all(self.bootstrap, topics.COMMAND_RESULTS):
            result = Codec().decode_as(CommandResult, value)
            if result.system == self.system:
                found.setdefault(result.command_id, []).append(result.outcome)
        return found

    def wait(self, ids: Iterable[str]) -> None:
        """Until these have their results and nothing is left to commit. On a busy machine requests run out of time, and
        a command steps aside into the ledger: then it is committed long before it is done."""
        wanted = set(ids)
        wait_for("all is done and committed", lambda: self.lag() == 0 and self.results().keys() >= wanted)

    def lag(self) -> int:
        """Records that the group has not committed; -1 while a broker that was just frozen knows no leaders."""
        topic = topics.commands_of(self.system)
        known = committed(self.bootstrap, f"returnflow-sink-{self.system}", [(topic, n) for n in range(PARTITIONS)])
        reader = Consumer({"bootstrap.servers": self.bootstrap, "group.id": uuid.uuid4().hex})
        try:
            ends = sum(reader.get_watermark_offsets(TopicPartition(topic, n), 10)[1] for n in range(PARTITIONS))
        except KafkaException:
            return -1
        finally:
            reader.close()
        return int(ends - sum(known.values()))


def read_all(bootstrap: str, topic: str) -> list[bytes]:
    """Every value of a topic up to its end as it is now."""
    reader = Consumer({"bootstrap.servers": bootstrap, "group.id": uuid.uuid4().hex, "enable.auto.commit": False})
    try:
        partitions = reader.list_topics(topic, 10).topics[topic].partitions
        ends = {n: reader.get_watermark_offsets(TopicPartition(topic, n), 10) for n in partitions}
        reader.assign([TopicPartition(topic, n, low) for n, (low, high) in ends.items() if high > low])
        left, values = sum(high - low for low, high in ends.values()), list[bytes]()
        while left > 0:
            record = reader.poll(10)
            assert record is not None, f"{topic} did not give all of its records"
            assert record.error() is None
            values.append(record.value() or b"")
            left -= 1
        return values
    finally:
        reader.close()


@contextmanager
def open_field(bootstrap: str, ledger_url: str, kind: str = "toy") -> Iterator[Field]:
    """A system with topics of its own."""
    system = f"{kind}-{uuid.uuid4().hex[:8]}"
    admin = AdminClient({"bootstrap.servers": bootstrap})
    own = [topics.commands_of(system), topics.dead_letters(system)]
    for name in (*own, topics.COMMAND_RESULTS, topics.EXCEPTIONS):
        made = admin.create_topics([NewTopic(name, num_partitions=PARTITIONS, replication_factor=1)])[name]
        try:
            made.result(30)
        except KafkaException as error:
            assert error.args[0].code() == KafkaError.TOPIC_ALREADY_EXISTS  # noqa: PT017 - shared by other tests
    with running_peer() as peer:
        yield Field(bootstrap=bootstrap, system=system, ledger_url=ledger_url, peer=peer)
    for deleted in admin.delete_topics(own).values():
        deleted.result(30)


@pytest.fixture
def field(kafka: str, tmp_path: Path) -> Iterator[Field]:
    with open_field(kafka, f"sqlite:///{tmp_path}/ledger.db") as opened:
        yield opened


def load(system: str, count: int) -> list[Command]:
    """Refunds and restocks over a few dozen keys; every tenth comes twice, as agents repeat what has no result."""
    commands: list[Command] = []
    for number in range(count):
        merchant = "shop" if number % 3 else "other"
        command = (
            refund(number, merchant=merchant, system=system)
            if number % 2
            else restock(number, merchant=merchant, system=system, sku=f"S{number % 40}")
        )
        commands += [command, command] if number % 10 == 0 else [command]
    return commands


@pytest.mark.req("INV-13", "INV-14", "MON-11")
def test_a_worker_that_is_killed_in_mid_flight_loses_and_doubles_nothing(field: Field) -> None:
    """kill -9, twice, while hundreds of commands are under way; the peer would count every second POST."""
    commands = load(field.system, 240)
    ids = {command.command_id for command in commands}
    field.peer.delay_seconds = 0.05
    field.send(commands)
    for done in (50, 130):
        with field.worker() as process:
            wait_for(f"{done} effects", lambda done=done: len(field.peer.effects) >= done)  # type: ignore[misc]
            time.sleep(random.uniform(0.0, 0.1))  # not a wait: any moment will do
            process.send_signal(signal.SIGKILL)
            process.wait(60)
    with field.worker() as process:
        field.wait(ids)
        process.terminate()
        assert process.wait(60) == 0
    assert field.peer.effects == dict.fromkeys(ids, 1)
    assert field.results().keys() == ids


@pytest.mark.req("INV-13", "INV-14", "OPS-3")
def test_a_second_worker_joins_and_the_first_leaves_under_load(field: Field) -> None:
    """Two rebalances in mid-flight; the first worker ends cleanly on SIGTERM."""
    commands = load(field.system, 240)
    ids = {command.command_id for command in commands}
    field.peer.delay_seconds = 0.05
    with field.worker() as first:
        field.send(commands[:120])
        wait_for("the first is at work", lambda: len(field.peer.effects) >= 30)
        with field.worker() as second:
            field.send(commands[120:])
            wait_for("half is done", lambda: len(field.peer.effects) >= 120)
            first.terminate()
            assert first.wait(60) == 0
            field.wait(ids)
            second.terminate()
            assert second.wait(60) == 0
    assert field.peer.effects == dict.fromkeys(ids, 1)
    assert field.results().keys() == ids


def is_stopped(process: Process) -> bool:
    """Whether a signal has stopped it; Linux says so behind the name of the program."""
    return Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


@pytest.mark.req("INV-13", "INV-14", "MON-11")
def test_a_worker_that_wakes_after_another_took_over_sends_nothing_more(field: Field, postgres_url: str) -> None:
    """SIGSTOP with requests half-way out; its claims run out, the second worker applies all of it, SIGCONT."""
    # SQLite has no server that ends the transaction of a frozen worker: others would wait for it.
    field = msgspec.structs.replace(field, ledger_url=postgres_url)
    commands = load(field.system, 60)
    ids = {command.command_id for command in commands}
    field.send(commands)
    with field.worker("20") as frozen:
        wait_for("it freezes in mid-flight", lambda: is_stopped(frozen))
        with field.worker() as second:
            wait_for("everything is applied", lambda: field.peer.effects.keys() == ids)
            field.wait(ids)
            frozen.send_signal(signal.SIGCONT)
            frozen.terminate()
            assert frozen.wait(30) == 0
            second.terminate()
            assert second.wait(60) == 0
    assert field.peer.effects == dict.fromkeys(ids, 1)
    assert field.results().keys() == ids


def pieces(system: str) -> tuple[list[Command], dict[str, int]]:
    """Restocks for a window, some of them twice, and what they come to by SKU."""
    commands: list[Command] = [restock(number, system=system, sku=f"S{number % 40}") for number in range(240)]
    return [*commands, *commands[::7]], {f"S{number}": 6 for number in range(40)}


@pytest.mark.req("INV-13", "INV-14", "INV-16")
def test_a_worker_that_is_killed_between_writing_a_batch_down_and_its_end_moves_each_unit_once(field: Field) -> None:
    commands, units = pieces(field.system)
    field.peer.delay_seconds = 0.05
    field.send(commands)
    for done in (3, 12):
        with field.worker("", "0.1") as process:
            wait_for(f"{done} batches", lambda done=done: len(field.peer.batches) >= done)  # type: ignore[misc]
            time.sleep(random.uniform(0.0, 0.1))  # not a wait: any moment will do
            process.send_signal(signal.SIGKILL)
            process.wait(60)
    with field.worker("", "0.1") as process:
        field.wait(command.command_id for command in commands)
        process.terminate()
        assert process.wait(60) == 0
    assert field.peer.units == units
    assert field.results().keys() == {command.command_id for command in commands}


@pytest.mark.req("INV-13", "INV-14", "INV-16")
def test_a_worker_that_wakes_with_a_batch_half_way_out_sends_nothing_more(field: Field, postgres_url: str) -> None:
    """SIGSTOP with a batch written down and not sent; the second worker sends it, SIGCONT."""
    # SQLite has no server that ends the transaction of a frozen worker: others would wait for it.
    field = msgspec.structs.replace(field, ledger_url=postgres_url)
    commands, units = pieces(field.system)
    field.send(commands)
    with field.worker("4", "0.1") as frozen:
        wait_for("it freezes in mid-flight", lambda: is_stopped(frozen))
        with field.worker("", "0.1") as second:
            wait_for("everything is applied", lambda: field.peer.units == units)
            field.wait(command.command_id for command in commands)
            sent = len(field.peer.batches)
            frozen.send_signal(signal.SIGCONT)
            frozen.terminate()
            assert frozen.wait(30) == 0
            second.terminate()
            assert second.wait(60) == 0
    assert (field.peer.units, len(field.peer.batches)) == (units, sent)
    assert field.results().keys() == {command.command_id for command in commands}


@pytest.mark.req("EXC-6")
def test_dead_letters_hold_the_original_bytes(field: Field) -> None:
    """A refused command and a record that nobody can read, both on the dead-letter topic before they are committed."""
    refused, good = refund(1, system=field.system), refund(2, system=field.system)
    field.peer.always[refused.command_id] = REFUSED
    producer = Producer({"bootstrap.servers": field.bootstrap})
    producer.produce(topics.commands_of(field.system), key=b"shop|1", value=b"\x00\x00no avro")
    producer.flush(10)
    field.send([refused, good])
    with field.worker() as process:
        field.wait((refused.command_id, good.command_id))
        process.terminate()
        assert process.wait(60) == 0
    letters = read_all(field.bootstrap, topics.dead_letters(field.system))
    assert sorted(letters) == sorted([b"\x00\x00no avro", Codec().encode(refused)])
    assert field.results() == {refused.command_id: ["rejected"], good.command_id: ["applied"]}
