"""The topic catalogue against a Kafka: what differs, and creating what is missing. Deletes and shrinks nothing.

Touches the broker's topics and their settings.
"""

import time
from collections.abc import Iterable, Mapping

import msgspec
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewTopic,
    ResourceType,
)

from ops.kafka import ANSWER_WITHIN_SECONDS
from schemas.topics import CATALOGUE, Topic

CHANGE_WITHIN_SECONDS = 60.0
# settings that the catalogue decides; everything else is the cluster's business
RETENTION, CLEANUP = "retention.ms", "cleanup.policy"
_GROWS = (RETENTION, "max.message.bytes")
MISSING = "missing"
APPLY = "returnflow topics apply"


class Actual(msgspec.Struct, frozen=True, kw_only=True):
    """A topic as the broker has it."""

    partitions: int
    replication: int
    config: dict[str, str]


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is not as in the catalogue; `remedy` says who can mend it."""

    topic: str
    what: str  # missing, partitions, or the name of a setting
    expected: str
    actual: str
    remedy: str


def wanted_config(topic: Topic) -> dict[str, str]:
    """The settings of a topic that the catalogue decides."""
    return {CLEANUP: topic.cleanup, RETENTION: str(topic.retention_ms), **topic.config}


def differences(actual: Mapping[str, Actual], catalogue: Mapping[str, Topic] = CATALOGUE) -> list[Difference]:
    """All differences, in the order of the catalogue. Topics that are not ours are no difference."""
    return [each for topic in catalogue.values() for each in _of_topic(topic, actual.get(topic.name))]


def _of_topic(topic: Topic, found: Actual | None) -> Iterable[Difference]:
    if found is None:
        yield Difference(topic=topic.name, what=MISSING, expected="topic", actual="none", remedy=APPLY)
        return
    if found.partitions != topic.partitions:
        yield Difference(
            topic=topic.name, what="partitions", expected=str(topic.partitions), actual=str(found.partitions),
            remedy="by hand: keys would move to other partitions",
        )  # fmt: skip
    for name, value in wanted_config(topic).items():
        came = found.config.get(name, "unset")
        if not _same(name, value, came):
            remedy = APPLY if _keeps_all(name, value, came) else "by hand: records would be deleted"
            yield Difference(topic=topic.name, what=name, expected=value, actual=came, remedy=remedy)


def _same(name: str, expected: str, actual: str) -> bool:
    if name == CLEANUP:
        return set(expected.split(",")) == {part.strip() for part in actual.split(",")}
    return expected == actual


def _keeps_all(name: str, expected: str, actual: str) -> bool:
    """Whether the change can be made without losing a record: -1 is for ever."""
    if name == CLEANUP:
        return False
    if name not in _GROWS or not actual.lstrip("-").isdigit():
        return True
    return expected == "-1" or (actual != "-1" and int(expected) > int(actual))


def read_actual(admin: AdminClient, names: Iterable[str] = CATALOGUE) -> dict[str, Actual]:
    """Those of the named topics that exist."""
    wanted = set(names)
    metadata = admin.list_topics(timeout=ANSWER_WITHIN_SECONDS).topics
    resources = [ConfigResource(ResourceType.TOPIC, name) for name in metadata if name in wanted]
    if not resources:
        return {}
    answers = admin.describe_configs(resources, request_timeout=ANSWER_WITHIN_SECONDS)
    found = {}
    for resource, answer in answers.items():
        partitions = metadata[resource.name].partitions
        found[resource.name] = Actual(
            partitions=len(partitions),
            replication=min((len(p.replicas) for p in partitions.values()), default=0),
            config={name: entry.value for name, entry in answer.result().items() if entry.value is not None},
        )
    return found


def create(admin: AdminClient, topics: Iterable[Topic], replication: int) -> None:
    """Create topics; one that another process created in the meantime is fine."""
    new = [
        NewTopic(each.name, num_partitions=each.partitions, replication_factor=replication, config=wanted_config(each))
        for each in topics
    ]
    if not new:
        return
    answers = admin.create_topics(new, operation_timeout=CHANGE_WITHIN_SECONDS, request_timeout=CHANGE_WITHIN_SECONDS)
    for answer in answers.values():
        try:
            answer.result()
        except KafkaException as problem:
            if problem.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise


def apply(admin: AdminClient, replication: int | None, catalogue: Mapping[str, Topic] = CATALOGUE) -> list[Difference]:
    """Mend every difference that can be mended without losing a record; returns what was mended."""
    found = differences(read_actual(admin, catalogue), catalogue)
    mended = [each for each in found if each.remedy == APPLY]
    missing = [catalogue[each.topic] for each in mended if each.what == MISSING]
    create(admin, missing, replication or default_replication(admin))
    change(admin, [each for each in mended if each.what != MISSING])
    _wait_until_seen(admin, mended, catalogue)
    return mended


def _wait_until_seen(admin: AdminClient, mended: list[Difference], catalogue: Mapping[str, Topic]) -> None:
    """Brokers acknowledge a change before each of them shows it; who starts next must find it."""
    deadline = time.monotonic() + CHANGE_WITHIN_SECONDS
    while not _led(admin, catalogue) or any(
        each in mended for each in differences(read_actual(admin, catalogue), catalogue)
    ):
        if time.monotonic() > deadline:
            return
        time.sleep(0.05)


def _led(admin: AdminClient, catalogue: Mapping[str, Topic]) -> bool:
    """Whether every partition can be written and read: a new one has no leader for a moment."""
    there = admin.list_topics(timeout=ANSWER_WITHIN_SECONDS).topics
    return all(
        partition.leader >= 0 for name in catalogue if name in there for partition in there[name].partitions.values()
    )


def change(admin: AdminClient, wanted: Iterable[Difference]) -> None:
    """Set the settings of existing topics; only for differences that lose nothing."""
    resources: dict[str, ConfigResource] = {}
    for each in wanted:
        resource = resources.setdefault(each.topic, ConfigResource(ResourceType.TOPIC, each.topic))
        entry = ConfigEntry(each.what, each.expected, incremental_operation=AlterConfigOpType.SET)
        resource.add_incremental_config(entry)
    if resources:
        for answer in admin.incremental_alter_configs(list(resources.values())).values():
            answer.result()


def default_replication(admin: AdminClient) -> int:
    """Three copies where the cluster has three brokers, else as many as there are brokers."""
    return min(3, len(admin.list_topics(timeout=ANSWER_WITHIN_SECONDS).brokers))
