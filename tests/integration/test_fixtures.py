"""The suite's own fixtures: they give what they promise."""

from collections.abc import Callable

import sqlalchemy
from confluent_kafka.admin import AdminClient


def test_topics_are_new_and_have_what_was_asked_for(kafka: str, new_topic: Callable[..., str]) -> None:
    first, second = new_topic("facts", partitions=3, config={"cleanup.policy": "compact"}), new_topic("facts")
    assert first != second
    found = AdminClient({"bootstrap.servers": kafka}).list_topics(timeout=30).topics
    assert (len(found[first].partitions), len(found[second].partitions)) == (3, 1)


def test_databases_are_new_and_empty_and_postgresql_18(postgres_url: str) -> None:
    engine = sqlalchemy.create_engine(postgres_url)
    with engine.connect() as connection:
        version = connection.execute(sqlalchemy.text("SHOW server_version")).scalar_one()
    assert sqlalchemy.inspect(engine).get_table_names() == []
    assert version.startswith("18.")
    engine.dispose()
