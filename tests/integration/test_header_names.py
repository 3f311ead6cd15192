"""A record whose header names are no UTF-8, in a real Kafka: whoever reads its topic reads it and what follows."""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from ops.kafka import UNREADABLE, read, read_one
from sinks.consume import consumer
from tests.integration.shell.harness import Books, Topics, Worker, wait_for
from tests.raw_records import produce

ODD, SHOWN = b"\xff\xfe\xc0\x80", r"\xff\xfe\xc0\x80"
RECORDS = [(b"k1", b"one", [b"name-of-1"]), (b"k2", b"two", [b"name-of-2", ODD]), (b"k3", b"three", [])]
SEEN = [
    (b"k1", b"one", ["name-of-1"]), (b"k2", b"two", ["name-of-2", SHOWN]), (b"k3", b"three", []), (b"k4", b"four", []),
]  # fmt: skip


def filled(kafka: str, topic: str) -> None:
    asyncio.run(produce(kafka, topic, RECORDS))
    asyncio.run(produce(kafka, topic, [(b"k4", b"four", [])]))


@pytest.mark.req("OPS-2")
def test_a_sink_and_a_source_read_it_and_go_on(kafka: str, new_topic: Callable[..., str]) -> None:
    topic = new_topic("odd-names")
    filled(kafka, topic)

    async def four() -> list[tuple[bytes, bytes, list[str]]]:
        reading = consumer(kafka, f"group-of-{topic}", 10)
        reading.subscribe([topic])
        await reading.start()
        try:
            found = [await asyncio.wait_for(reading.getone(), 60) for _ in range(4)]
        finally:
            await reading.stop()
        return [(each.key, each.value, [name for name, _ in each.headers]) for each in found]

    assert asyncio.run(four()) == SEEN


@pytest.mark.req("OPS-2")
def test_the_tools_of_people_show_it(kafka: str, new_topic: Callable[..., str]) -> None:
    topic = new_topic("odd-names")
    filled(kafka, topic)
    for _ in range(20):  # the interpreter takes quicker paths for what it has done often
        list(read(kafka, topic))
    found = [(each.key, each.value, each.headers) for each in read(kafka, topic)]
    assert found == [
        (b"k1", b"one", (("name-of-1", b"v"),)), (b"k2", b"two", UNREADABLE), (b"k3", b"three", ()),
        (b"k4", b"four", ()),
    ]  # fmt: skip
    one = read_one(kafka, topic, 0, 1)
    assert one is not None
    assert (one.value, one.headers) == (b"two", UNREADABLE)


@pytest.mark.req("OPS-2")
def test_an_agent_decides_on_it(kafka: str, tmp_path: Path) -> None:
    with Topics.create(kafka) as topics:
        records = [(b"k%d" % n, b'{"id":"%d"}' % n, [ODD] if n == 1 else []) for n in range(3)]
        asyncio.run(produce(kafka, topics.facts, records))
        worker = Worker(kafka, topics, tmp_path / "data")
        try:
            wait_for("all facts are decided", lambda: len(Books(kafka, topics).answers()) == 3)
            assert worker.exits == []
        finally:
            worker.kill()
            logging.info(worker.log())
