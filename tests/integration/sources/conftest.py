"""A Kafka of these tests' own (they freeze it, and they consume topics that others write), and our processes on it."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ops.local.kafka import LocalKafka
from tests.integration.sources.pipeline import Pipeline, running
from tests.integration.sources.processes import MERCHANT, Gateway, gateway_process, own_kafka, write_merchant
from tests.integration.sources.sandbox import sandbox_process


@pytest.fixture(scope="package")
def broker() -> Iterator[LocalKafka]:
    """A broker with the topics of the catalogue."""
    with own_kafka() as kafka:
        yield kafka


@pytest.fixture(scope="package")
def lone_broker() -> Iterator[LocalKafka]:
    """Another one, for tests that start all processes of their own and end them: nothing else works on it."""
    with own_kafka() as kafka:
        yield kafka


@pytest.fixture(scope="package")
def merchants(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one merchant who has every door; nothing answers at its systems' addresses."""
    folder = tmp_path_factory.mktemp("merchants")
    write_merchant(folder, MERCHANT, base_url="http://127.0.0.1:9")
    return folder


@pytest.fixture(scope="package")
def gateway(broker: LocalKafka, merchants: Path) -> Iterator[Gateway]:
    """A running gateway process; it has to end with status 0."""
    with gateway_process(broker.bootstrap, merchants) as running:
        yield running


@pytest.fixture(scope="package")
def pipeline(broker: LocalKafka, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    """Gateway and sources against the sandbox."""
    with sandbox_process() as sandbox, running(broker.bootstrap, tmp_path_factory.mktemp("sources"), sandbox) as found:
        yield found


@pytest.fixture
def marker() -> str:
    """A text that no other test sends."""
    return f"m{time.time_ns()}"
