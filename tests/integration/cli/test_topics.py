"""Topics are created as in the catalogue; nothing is ever deleted or shrunk."""

import json
import time

import msgspec
import pytest
from click.testing import CliRunner
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, NewTopic, ResourceType

from ops.cli import main
from ops.kafka import admin, read
from ops.topics import apply, create, differences, read_actual
from schemas.topics import CATALOGUE
from tests.integration.cli.conftest import parsed

CHOSEN = ("exceptions", "shopify-deliveries", "sitoo-commands")


def configure(client: AdminClient, topic: str, name: str, value: str) -> None:
    resource = ConfigResource(ResourceType.TOPIC, topic)
    resource.add_incremental_config(ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET))
    for answer in client.incremental_alter_configs([resource]).values():
        answer.result()


@pytest.mark.req("OPS-1")
def test_missing_topics_are_created_as_in_the_catalogue_and_the_rest_is_left_to_a_person(cluster: str) -> None:
    client = admin(cluster)
    catalogue = {f"x-{name}": msgspec.structs.replace(CATALOGUE[name], name=f"x-{name}") for name in CHOSEN}
    client.create_topics([NewTopic("x-sitoo-commands", num_partitions=3)])["x-sitoo-commands"].result(30)
    deadline = time.monotonic() + 90
    while "x-sitoo-commands" not in read_actual(client, catalogue):
        assert time.monotonic() < deadline, "the broker acknowledged a topic that it does not show"
        time.sleep(0.05)
    mended = {(each.topic, each.what) for each in apply(client, replication=None, catalogue=catalogue)}
    assert mended == {
        ("x-exceptions", "missing"),
        ("x-shopify-deliveries", "missing"),
        ("x-sitoo-commands", "retention.ms"),
    }
    actual = read_actual(client, catalogue)
    assert [(each.topic, each.what) for each in differences(actual, catalogue)] == [("x-sitoo-commands", "partitions")]
    assert actual["x-exceptions"].partitions == 6
    assert actual["x-exceptions"].config["cleanup.policy"] in ("compact,delete", "delete,compact")
    assert actual["x-shopify-deliveries"].config["max.message.bytes"] == "3145728"
    assert apply(client, replication=None, catalogue=catalogue) == []


def test_two_processes_may_create_the_same_topic(cluster: str) -> None:
    topic = msgspec.structs.replace(CATALOGUE["exceptions"], name="x-twice")
    client = admin(cluster)
    create(client, [topic], replication=1)
    create(client, [topic], replication=1)
    late = time.monotonic() + 60  # a broker acknowledges a topic before it shows it
    while "x-twice" not in read_actual(client, ["x-twice"]):
        assert time.monotonic() < late
        time.sleep(0.05)


def test_apply_again_changes_nothing_mends_what_is_too_short_and_keeps_every_record(cluster: str) -> None:
    client = admin(cluster)
    producer = Producer({"bootstrap.servers": cluster})
    producer.produce("carrier-dead-letters", b"kept", b"k")
    assert producer.flush(30) == 0
    configure(client, "carrier-dead-letters", "retention.ms", "86400000")
    configure(client, "carrier-deliveries", "retention.ms", "9999999999999")
    first = CliRunner().invoke(main, ["topics", "apply", "--json", "--kafka", cluster])
    second = CliRunner().invoke(main, ["topics", "apply", "--json", "--kafka", cluster])
    configure(client, "carrier-deliveries", "retention.ms", str(CATALOGUE["carrier-deliveries"].retention_ms))
    assert [each["topic"] for each in json.loads(first.stdout)["changed"]] == ["carrier-dead-letters"]
    left = json.loads(second.stdout)
    assert (left["created"], left["changed"]) == ([], [])
    assert [(each["topic"], each["remedy"]) for each in left["left"]] == [
        ("carrier-deliveries", "by hand: records would be deleted")
    ]
    assert b"kept" in [seen.value for seen in read(cluster, "carrier-dead-letters")]
    diff = CliRunner().invoke(main, ["topics", "diff", "--kafka", cluster])
    assert (diff.exit_code, diff.stderr) == (0, f"All {len(CATALOGUE)} topics are as in the catalogue.\n")


def test_the_catalogue_can_be_listed_without_a_kafka() -> None:
    rows = parsed(CliRunner().invoke(main, ["topics", "list", "--json"]))
    assert [row["name"] for row in rows] == list(CATALOGUE)
    assert "case-journal" in CliRunner().invoke(main, ["topics", "list"]).stdout
