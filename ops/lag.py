"""Consumer lag, in records and in seconds: committed offsets against what the topics hold. Only reads the broker."""

import time
from collections.abc import Iterable, Mapping

import msgspec
from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, ConsumerGroupDescription, OffsetSpec, TopicMetadata

from ops import kafka
from ops.kafka import ANSWER_WITHIN_SECONDS, fetched, patiently, reader
from schemas.kafka import Brokers
from schemas.topics import AGENTS, CATALOGUE, GROUPS, changelog, group_of

UNDATED = -1  # the timestamp of a record that has none
NEVER = -1  # a group that has not committed anything for a partition
Place = tuple[str, int]
# An agent is assigned its table's changelog, but recovers from it by the store's own offsets and never commits.
_NOT_COMMITTED = frozenset(changelog(agent) for agent in AGENTS)


class Lag(msgspec.Struct, frozen=True, kw_only=True):
    """How far a group is behind on one partition. `seconds` is the age of the first record it has not settled, None
    while there is one and its age is not known: it has no time of its own, or was not read in time. `parked` records
    are settled in Kafka and wait in the ledger; `paused` names whose system is."""

    group: str
    topic: str
    partition: int
    committed: int | None
    end: int
    messages: int
    seconds: float | None
    parked: int = 0
    paused: tuple[str, ...] = ()


def measure(admin: AdminClient, bootstrap: Brokers, now_ms: int, prefix: str = GROUPS) -> list[Lag]:
    """Lag of every group whose name starts with `prefix`, by group, topic and partition."""
    names = groups(admin, prefix)
    held, there = _assigned(admin, names), admin.list_topics(timeout=ANSWER_WITHIN_SECONDS).topics
    everything = [
        (name, number) for name, topic in there.items() if not name.startswith("__") for number in topic.partitions
    ]
    committed = {name: held[name] | kafka.committed(bootstrap, name, everything) for name in names}
    unseen = _not_begun(there, prefix, committed)
    for name, place in unseen:
        committed.setdefault(name, {})[place] = NEVER
    places = {place for offsets in committed.values() for place in offsets}
    spans = _spans(admin, places)
    waiting = {
        (*place, next_offset(offset, spans[place][0]))
        for offsets in committed.values()
        for place, offset in offsets.items()
        if place in spans and next_offset(offset, spans[place][0]) < spans[place][1]
    }
    times = _timestamps(bootstrap, waiting)
    return [
        _lag(group, place, offset, spans[place], times, now_ms)
        for group, offsets in sorted(committed.items())
        for place, offset in sorted(offsets.items())
        if place in spans and not (offset == NEVER and place[0] in _NOT_COMMITTED)
        if (group, place) not in unseen or spans[place][1] > spans[place][0]
    ]


def _not_begun(
    there: Mapping[str, TopicMetadata], prefix: str, known: Mapping[str, Mapping[Place, int]]
) -> set[tuple[str, Place]]:
    """What a group should read by the catalogue and the broker knows nothing of: it is down and never settled a record.
    Without this, a process that was never started would not be behind."""
    return {
        (group, (topic.name, partition))
        for topic in CATALOGUE.values()
        for group in map(group_of, topic.consumers)
        for partition in (there[topic.name].partitions if topic.name in there else ())
        if group.startswith(prefix) and (topic.name, partition) not in known.get(group, {})
    }


def next_offset(committed: int, start: int) -> int:
    """Where the group reads on: what retention deleted is behind it, a group without a commit begins at the start."""
    return max(committed, start)


def groups(admin: AdminClient, prefix: str) -> list[str]:
    """Consumer groups by name."""
    found = admin.list_consumer_groups(request_timeout=ANSWER_WITHIN_SECONDS).result()
    return sorted(each.group_id for each in found.valid if each.group_id.startswith(prefix))


def _assigned(admin: AdminClient, names: list[str]) -> dict[str, dict[Place, int]]:
    """What members hold, before anything is committed: a group that never settled a record is behind as well."""
    if not names:
        return {}
    return {
        name: {
            (place.topic, place.partition): NEVER
            for member in description.members
            if member.assignment is not None
            for place in member.assignment.topic_partitions
        }
        for name, description in patiently(lambda: _described(admin, names)).items()
    }


def _described(admin: AdminClient, names: list[str]) -> dict[str, ConsumerGroupDescription]:
    answers = admin.describe_consumer_groups(names, request_timeout=ANSWER_WITHIN_SECONDS)
    return {name: answer.result() for name, answer in answers.items()}


def _spans(admin: AdminClient, places: Iterable[Place]) -> dict[Place, tuple[int, int]]:
    """First offset and the one after the last, of the partitions that told both: a topic that is just being made or
    deleted, or a partition between two leaders, may answer the one question and not the other."""
    wanted = list(places)
    starts = _offsets(admin, wanted, OffsetSpec.earliest())
    ends = _offsets(admin, wanted, OffsetSpec.latest())
    return {place: (starts[place], ends[place]) for place in starts.keys() & ends.keys()}


def _offsets(admin: AdminClient, places: Iterable[Place], spec: OffsetSpec) -> dict[Place, int]:
    """Offsets of the partitions that exist: a group may remember topics that were deleted."""
    wanted = {TopicPartition(*place): spec for place in places}
    if not wanted:
        return {}
    found = {}
    for place, answer in admin.list_offsets(wanted, request_timeout=ANSWER_WITHIN_SECONDS).items():
        try:
            found[place.topic, place.partition] = answer.result().offset
        except KafkaException:
            continue
    return found


def _timestamps(bootstrap: Brokers, waiting: Iterable[tuple[str, int, int]]) -> Mapping[tuple[str, int, int], int]:
    """Timestamp of the first record at or after each place. One place per partition is read at a time."""
    left, found = set(waiting), dict[tuple[str, int, int], int]()
    if not left:
        return found
    consumer = reader(bootstrap)
    try:
        while left:
            batch = {(topic, partition): offset for topic, partition, offset in sorted(left)}
            found |= _first_timestamps(consumer, batch)
            left -= {(*place, offset) for place, offset in batch.items()}
    finally:
        consumer.close()
    return found


def _first_timestamps(consumer: Consumer, batch: dict[Place, int]) -> dict[tuple[str, int, int], int]:
    consumer.assign([TopicPartition(*place, offset) for place, offset in batch.items()])
    left, found = dict(batch), dict[tuple[str, int, int], int]()
    deadline = time.monotonic() + ANSWER_WITHIN_SECONDS
    while left and time.monotonic() < deadline:
        for message in fetched(consumer):
            offset = left.pop((message.topic(), message.partition()), None)
            if offset is not None and message.error() is None:
                found[message.topic(), message.partition(), offset] = message.timestamp()[1]
    return found


def _lag(
    group: str, place: Place, offset: int, span: tuple[int, int], times: Mapping[tuple[str, int, int], int], now_ms: int
) -> Lag:
    start, end = span
    behind_from = next_offset(offset, start)
    messages = max(0, end - behind_from)
    return Lag(
        group=group,
        topic=place[0],
        partition=place[1],
        committed=None if offset == NEVER else offset,
        end=end,
        messages=messages,
        seconds=_age(times.get((*place, behind_from), UNDATED), now_ms) if messages else 0.0,
    )


def _age(first_ms: int, now_ms: int) -> float | None:
    return None if first_ms <= 0 else max(0.0, (now_ms - first_ms) / 1000)
