"""What differs between Kafka and the catalogue, and which of it may be mended without losing a record."""

import msgspec
import pytest

from ops.topics import APPLY, Actual, differences, wanted_config
from schemas.topics import CATALOGUE, Topic

NAME = "return-events"
ONE = {NAME: CATALOGUE[NAME]}
RIGHT = Actual(partitions=6, replication=1, config={**wanted_config(CATALOGUE[NAME]), "segment.bytes": "1"})


def with_config(**config: str) -> dict[str, Actual]:
    changed = {name.replace("_", "."): value for name, value in config.items()}
    return {NAME: msgspec.structs.replace(RIGHT, config={**RIGHT.config, **changed})}


def test_a_kafka_as_in_the_catalogue_has_no_difference() -> None:
    everything = {
        name: Actual(partitions=topic.partitions, replication=3, config=wanted_config(topic))
        for name, topic in CATALOGUE.items()
    }
    assert differences({**everything, "somebody-elses": RIGHT}) == []


def test_every_missing_topic_is_named() -> None:
    found = differences({})
    assert [each.topic for each in found] == list(CATALOGUE)
    assert {(each.what, each.remedy) for each in found} == {("missing", APPLY)}


def test_partitions_are_never_changed_by_us() -> None:
    (found,) = differences({NAME: msgspec.structs.replace(RIGHT, partitions=3)}, ONE)
    assert (found.what, found.expected, found.actual) == ("partitions", "6", "3")
    assert found.remedy.startswith("by hand")


@pytest.mark.parametrize(("actual", "by_us"), [("1000", True), ("99999999999999", False), ("-1", False)])
def test_retention_is_only_lengthened(actual: str, by_us: bool) -> None:
    (found,) = differences(with_config(retention_ms=actual), ONE)
    assert (found.what, found.actual) == ("retention.ms", actual)
    assert (found.remedy == APPLY) is by_us


def test_for_ever_is_longer_than_anything() -> None:
    topic = msgspec.structs.replace(CATALOGUE[NAME], retention_ms=-1)
    (found,) = differences({NAME: RIGHT}, {NAME: topic})
    assert (found.expected, found.remedy) == ("-1", APPLY)


def test_compaction_is_not_switched_on_behind_anyones_back() -> None:
    (found,) = differences(with_config(cleanup_policy="compact"), ONE)
    assert (found.what, found.expected, found.remedy) == (
        "cleanup.policy",
        "delete",
        "by hand: records would be deleted",
    )


def test_the_order_of_cleanup_policies_means_nothing() -> None:
    topic: Topic = CATALOGUE["exceptions"]
    config = {**wanted_config(topic), "cleanup.policy": "delete,compact"}
    assert differences({topic.name: Actual(partitions=6, replication=1, config=config)}, {topic.name: topic}) == []


def test_a_setting_that_the_broker_does_not_tell_is_set() -> None:
    topic = CATALOGUE["shopify-deliveries"]
    config = {name: value for name, value in wanted_config(topic).items() if name != "max.message.bytes"}
    (found,) = differences({topic.name: Actual(partitions=6, replication=1, config=config)}, {topic.name: topic})
    assert (found.what, found.actual, found.remedy) == ("max.message.bytes", "unset", APPLY)
