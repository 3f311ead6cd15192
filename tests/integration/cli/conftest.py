"""A Kafka with the catalogue's topics, for these tests alone: they write into topics that others read."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from click.testing import CliRunner, Result
from confluent_kafka import Producer

from ops.cli import main
from ops.local.kafka import LocalKafka
from schemas.catalogue import Record
from schemas.codec import Codec
from tests.integration.cli.real_registry import real_registry

Run = Callable[..., Result]
Send = Callable[..., None]
WAIT_SECONDS = 60


@pytest.fixture(scope="package")
def broker() -> Iterator[str]:
    """Bootstrap address of a local broker without any topic."""
    with LocalKafka.start() as kafka:
        yield kafka.bootstrap


@pytest.fixture(scope="package")
def cluster(broker: str) -> str:
    """The same with the topics of the catalogue."""
    return with_topics(broker)


def with_topics(bootstrap: str) -> str:
    """The broker there, once it has the topics of the catalogue."""
    result = CliRunner().invoke(main, ["topics", "apply", "--kafka", bootstrap])
    assert result.exit_code == 0, result.output
    return bootstrap


@pytest.fixture(scope="package")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a real registry."""
    with real_registry(tmp_path_factory.mktemp("registry") / "registry.log") as url:
        yield url


@pytest.fixture
def run(cluster: str, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run `returnflow …` against the cluster."""
    monkeypatch.setenv("RETURNFLOW_KAFKA_BOOTSTRAP", cluster)
    return lambda *arguments: CliRunner().invoke(main, list(arguments))


@pytest.fixture
def send(cluster: str) -> Send:
    """Produce records as our processes do: acknowledged, with the usual partitioner."""
    producer = Producer({"bootstrap.servers": cluster, "partitioner": "murmur2_random", "acks": "all"})
    codec = Codec()

    def deliver(topic: str, key: bytes, value: Record | bytes, **more: Any) -> None:
        raw = value if isinstance(value, bytes) else codec.encode(value)
        producer.produce(topic, key=key, value=raw, **more)
        assert producer.flush(WAIT_SECONDS) == 0

    return deliver


def parsed(result: Result) -> Any:
    """The JSON that a command printed."""
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)
