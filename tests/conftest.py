"""Fixtures of the whole suite: a real Kafka, a real PostgreSQL, and the check of the requirement marks."""

import os
import shutil
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient, NewTopic
from hypothesis import settings

from ops.local.kafka import OTHER_CLUSTER, LocalKafka, kafka_from_environment
from ops.local.postgres import LocalPostgres, local_postgres

# The gate judges every change by the same examples. `pytest --hypothesis-profile=default` looks for new ones.
settings.register_profile("gate", derandomize=True)
settings.load_profile("gate")

REQUIREMENT_IDS = frozenset(Path(__file__).with_name("requirement_ids.txt").read_text(encoding="utf-8").split())

# Tests that need a tool of Debian's. CI installs them all, so there an absent one is a failure; elsewhere its test is
# not collected, and the header says so.
TOOL_TESTS = {
    "kcat": "integration/test_kcat.py",
    "docker-compose": "integration/test_docker_compose.py",
    "promtool": "contract/test_promtool.py",
}
LEFT_OUT = {
    tool: test for tool, test in TOOL_TESTS.items() if shutil.which(tool) is None and os.environ.get("CI") != "true"
}
collect_ignore = list(LEFT_OUT.values())

NewTopicFactory = Callable[..., str]


def pytest_report_header() -> list[str]:
    """Say what is left out, so that nobody takes a smaller suite for the whole one."""
    return [f"{tool} is not installed: tests/{test} is not collected" for tool, test in LEFT_OUT.items()]


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist looks for the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every `req` mark names requirements that exist; tests that share a fixture stay together."""
    problems = []
    for item in items:
        item.add_marker(pytest.mark.xdist_group(_together(item.path)))
        for mark in item.iter_markers("req"):
            unknown = [each for each in mark.args if each not in REQUIREMENT_IDS]
            if unknown or not mark.args:
                problems.append(f"{item.nodeid}: {unknown or 'no id at all'}")
    if problems:
        listed = "\n  ".join(problems)
        raise pytest.UsageError(f"req marks must name ids of tests/requirement_ids.txt, but:\n  {listed}")


class LongestFirst:
    """Groups that take minutes begin first; the many short ones fill what is left, so no worker ends long before the
    others."""

    @pytest.hookimpl(trylast=True)  # the order of chance is made before
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items.sort(key=lambda item: _rank(item.path))


def pytest_configure(config: pytest.Config) -> None:
    """Orders the tests."""
    config.pluginmanager.register(LongestFirst())


# What starts processes, the longest first, and the files that compute for more than ten seconds.
_LONG = (
    "e2e", "integration/sources", "integration/broker", "integration/cli", "integration",
    "unit/domain/test_every_state", "unit/domain/test_reprocessing", "unit/domain/test_growth",
    "unit/sources/test_returngo_day",
)  # fmt: skip
_ON_THE_BROKER = (
    "shell", "sinks", "test_fixtures.py", "test_header_names.py", "test_kcat.py", "test_local_kafka.py",
    "test_runbook_lines.py",
)  # fmt: skip


def _rank(path: Path) -> int:
    group = _together(path)
    return next((rank for rank, name in enumerate(_LONG) if group.startswith(name)), len(_LONG))


def _together(path: Path) -> str:
    """What one worker of a parallel run has to itself: the tests that share a broker, or one file."""
    folder, *rest = path.relative_to(Path(__file__).parent).parts
    if folder == "integration":
        return "integration/broker" if rest[0] in _ON_THE_BROKER else f"integration/{rest[0]}"
    return "e2e" if folder == "e2e" else "/".join([folder, *rest])


@pytest.fixture(scope="session")
def own_broker() -> Iterator[LocalKafka]:
    """A broker of ours whatever the environment says: it may be frozen and killed, and is left running."""
    with LocalKafka.start() as broker:
        yield broker


@pytest.fixture(scope="session")
def kafka(request: pytest.FixtureRequest) -> Iterator[str]:
    """Bootstrap address: of RETURNFLOW_KAFKA_BOOTSTRAP, else of one local broker for the whole session."""
    if os.environ.get(OTHER_CLUSTER):
        with kafka_from_environment() as bootstrap:
            yield bootstrap
    else:
        yield request.getfixturevalue("own_broker").bootstrap


def _wait_until_led(admin: AdminClient, name: str, partitions: int) -> None:
    """A broker acknowledges a topic before it shows it, and shows it before it has leaders."""
    deadline = time.monotonic() + 90
    while True:
        found = admin.list_topics(name, timeout=30).topics[name].partitions
        if len(found) == partitions and all(each.leader >= 0 for each in found.values()):
            return
        assert time.monotonic() < deadline, f"the topic {name} has no leaders yet"
        time.sleep(0.02)


@pytest.fixture(scope="session")
def new_topic(kafka: str) -> Iterator[NewTopicFactory]:
    """`new_topic("facts", partitions=4, config={...}) -> name`: a topic no other test has; removed at the end."""
    admin = AdminClient({"bootstrap.servers": kafka, "log_level": 0})
    made: list[str] = []

    def make(stem: str = "topic", *, partitions: int = 1, config: dict[str, str] | None = None) -> str:
        name = f"{stem}-{uuid.uuid4().hex[:12]}"
        topic = NewTopic(name, num_partitions=partitions, replication_factor=1, config=config or {})
        admin.create_topics([topic])[name].result(30)
        made.append(name)
        _wait_until_led(admin, name, partitions)
        return name

    yield make
    if made:
        for deleted in admin.delete_topics(made).values():
            deleted.result(30)


@pytest.fixture(scope="session")
def postgres() -> Iterator[LocalPostgres]:
    """One local PostgreSQL for the whole session; `postgres.new_database()` for fixtures of a wider scope."""
    with local_postgres() as server:
        yield server


@pytest.fixture
def postgres_url(postgres: LocalPostgres) -> str:
    """SQLAlchemy URL of a database of this test's own."""
    return postgres.new_database()
