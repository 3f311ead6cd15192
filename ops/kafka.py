"""Kafka for people's tools: an admin client, and reading a topic from one point up to where it ends now.

Touches the broker; joins no consumer group and commits nothing.
"""

import gc
import operator
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

import msgspec
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition
from confluent_kafka.admin import AdminClient

from schemas.dead_letters import Headers, plain
from schemas.kafka import Brokers, librdkafka, started
from schemas.startup import CannotStart

CONNECT_WITHIN_SECONDS = 5.0  # librdkafka tries on until then, also when the connection is refused
ANSWER_WITHIN_SECONDS = 10.0
STALLED_AFTER_SECONDS = 30.0


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """One record as it lies in a topic."""

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]


# What a broker answers for a moment: after a start, an election, or the creation of a topic.
_PASSING = frozenset(
    {
        KafkaError.NOT_LEADER_FOR_PARTITION,
        KafkaError.LEADER_NOT_AVAILABLE,
        KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
        KafkaError.COORDINATOR_NOT_AVAILABLE,
        KafkaError.NOT_COORDINATOR,
    }
)
# Through this, never `message.headers()`: the quick path to a method checks for no error, and a list whose names are no
# objects would come back.
_read_headers = operator.methodcaller("headers")
UNREADABLE: Headers = (("(unreadable)", b"header names that are no UTF-8"),)
T = TypeVar("T")

# Whether a record is of interest, asked of its raw value before anything is decoded.
Wanted = Callable[[bytes | None], bool]


def admin(bootstrap: Brokers) -> AdminClient:
    """A client that has seen the cluster answer; raises KafkaException when it does not."""
    client = started(AdminClient(quiet(bootstrap)))
    client.list_topics(timeout=CONNECT_WITHIN_SECONDS)
    return client


def patiently(ask: Callable[[], T]) -> T:
    """The broker's answer, asked again while it says that it cannot answer just now."""
    deadline = time.monotonic() + ANSWER_WITHIN_SECONDS
    while True:
        try:
            return ask()
        except KafkaException as problem:
            if problem.args[0].code() not in _PASSING or time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def quiet(bootstrap: Brokers) -> dict[str, Any]:
    """Client settings without librdkafka's own lines on stderr: faults are reported by us."""
    return {**librdkafka(bootstrap), "log_level": 0, "reconnect.backoff.max.ms": 500}


def reader(bootstrap: Brokers) -> Consumer:
    """A consumer outside of any group's membership."""
    ours = {
        "group.id": "returnflow-look",
        "enable.auto.commit": False,
        "enable.partition.eof": True,
        "auto.offset.reset": "earliest",
    }
    return started(Consumer(quiet(bootstrap) | ours))


def committed(bootstrap: Brokers, group: str, places: Iterable[tuple[str, int]]) -> dict[tuple[str, int], int]:
    """Next offset of a group by topic and partition, of those places that it has committed. Does not join the group.

    Asked as a member would: librdkafka's admin client ends the whole process (SIGSEGV) when it is told that the group's
    coordinator is elsewhere, which every broker says for a moment after its start (librdkafka issue 5040).
    """
    wanted = [TopicPartition(*place) for place in places]
    if not wanted:
        return {}
    consumer = started(Consumer(quiet(bootstrap) | {"group.id": group, "enable.auto.commit": False}))
    try:
        found = patiently(lambda: consumer.committed(wanted, timeout=ANSWER_WITHIN_SECONDS))
    finally:
        consumer.close()
    return {(each.topic, each.partition): each.offset for each in found if each.offset >= 0}


def partitions_of(consumer: Consumer, topic: str) -> list[int]:
    """Partitions of a topic; raises CannotStart when there is no such topic."""
    found = consumer.list_topics(topic, timeout=ANSWER_WITHIN_SECONDS).topics.get(topic)
    if found is None or (found.error is not None and found.error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART):
        raise CannotStart(f"expected a topic {topic}, found none. Run `returnflow topics apply` first.")
    if found.error is not None:
        raise KafkaException(found.error)
    return sorted(found.partitions)


def read(
    bootstrap: Brokers,
    topic: str,
    *,
    partitions: Sequence[int] | None = None,
    since_ms: int | None = None,
    wanted: Wanted = lambda _: True,
) -> Iterator[Seen]:
    """Records of a topic from its start (or from `since_ms`) up to where each partition ended when this began."""
    consumer = reader(bootstrap)
    try:
        there = partitions_of(consumer, topic)
        chosen = there if partitions is None else [each for each in partitions if each in there]
        ends = _ends(consumer, topic, chosen)
        starts = [place for place in _starts(consumer, topic, ends, since_ms) if place.offset < ends[place.partition]]
        consumer.assign(starts)
        for seen in _until(consumer, {place.partition: ends[place.partition] for place in starts}, wanted):
            if since_ms is None or seen.timestamp_ms >= since_ms or seen.timestamp_ms < 0:  # below 0: it has no time
                yield seen
    finally:
        consumer.close()


def read_one(bootstrap: Brokers, topic: str, partition: int, offset: int) -> Seen | None:
    """The record at exactly these coordinates, None when it is not there (any more)."""
    consumer = reader(bootstrap)
    try:
        if partition not in partitions_of(consumer, topic):
            return None
        low, high = _range(consumer, topic, partition)
        if not low <= offset < high:
            return None
        consumer.assign([TopicPartition(topic, partition, offset)])
        found = next(_until(consumer, {partition: offset + 1}, lambda _: True), None)
        return found if found is not None and found.offset == offset else None
    finally:
        consumer.close()


def fetched(consumer: Consumer) -> list[Message]:
    """What has come, or the next that comes within half a second; `consume` alone waits for a full batch."""
    there: list[Message] = consumer.consume(1000, timeout=0)
    if there:
        return there
    one = consumer.poll(0.5)
    return [] if one is None else [one]


def _ends(consumer: Consumer, topic: str, partitions: Sequence[int]) -> dict[int, int]:
    return {partition: _range(consumer, topic, partition)[1] for partition in partitions}


def _range(consumer: Consumer, topic: str, partition: int) -> tuple[int, int]:
    """First offset that is there, and the one after the last."""
    place = TopicPartition(topic, partition)
    found: tuple[int, int] = patiently(lambda: consumer.get_watermark_offsets(place, timeout=ANSWER_WITHIN_SECONDS))
    return found


def _starts(consumer: Consumer, topic: str, ends: dict[int, int], since_ms: int | None) -> list[TopicPartition]:
    if since_ms is None:
        return [TopicPartition(topic, partition, _range(consumer, topic, partition)[0]) for partition in ends]
    times = [TopicPartition(topic, partition, since_ms) for partition in ends]
    found = patiently(lambda: consumer.offsets_for_times(times, timeout=ANSWER_WITHIN_SECONDS))
    # -1: nothing is as young as that
    return [place for place in found if place.offset >= 0]


def _until(consumer: Consumer, ends: dict[int, int], wanted: Wanted) -> Iterator[Seen]:
    """Compaction leaves gaps, so a partition is done at its end-of-partition signal or at a record past the end."""
    open_partitions = dict(ends)
    stalled_at = time.monotonic() + STALLED_AFTER_SECONDS
    while open_partitions:
        messages = fetched(consumer)
        if not messages and time.monotonic() > stalled_at:
            left = ", ".join(map(str, open_partitions))
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT, f"nothing came from partitions {left}"))
        for message in messages:
            stalled_at = time.monotonic() + STALLED_AFTER_SECONDS
            seen = _seen(message, open_partitions)
            if seen is not None and wanted(seen.value):
                yield seen


def _seen(message: Message, open_partitions: dict[int, int]) -> Seen | None:
    error, partition = message.error(), message.partition()
    if error is not None:
        if error.code() != KafkaError._PARTITION_EOF:
            raise KafkaException(error)
        open_partitions.pop(partition, None)
        return None
    end, offset = open_partitions.get(partition), message.offset()
    if end is None or offset >= end:
        open_partitions.pop(partition, None)
        return None
    if offset == end - 1:
        del open_partitions[partition]
    return Seen(
        topic=message.topic(),
        partition=partition,
        offset=offset,
        timestamp_ms=message.timestamp()[1],
        key=message.key(),
        value=message.value(),
        headers=_headers(message),
    )


def _headers(message: Message) -> Headers:
    """Those of a record; in place of names that librdkafka's Python client cannot read (no UTF-8), that there are
    some."""
    collecting = gc.isenabled()
    gc.disable()  # a collection in the middle would swallow the error: what came back then were no objects at all
    try:
        return plain(_read_headers(message))
    except SystemError:  # its decoding error comes out as one, and the names with it
        return UNREADABLE
    finally:
        if collecting:
            gc.enable()
