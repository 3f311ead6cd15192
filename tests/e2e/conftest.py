"""One pipeline for all end-to-end tests: its own Kafka, sandbox, gateway, sources, agents and sinks."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ops.demo.stage import stage
from schemas.settings import ProcessSettings
from tests.e2e.day import MOST_SECONDS, PLAYS, Day
from tests.e2e.world import World, open_others


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Who waits for the end of the day waits longer than any other test may."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.timeout(MOST_SECONDS + 60))


@pytest.fixture(scope="package")  # the pipeline runs no longer than it is needed
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Everything up, on a broker of its own whatever the environment says: group ids and topics are fixed names."""
    folder = tmp_path_factory.mktemp("e2e")
    told: list[str] = []
    settings = ProcessSettings.model_construct()
    with stage(settings, (), lambda *said: told.append(" ".join(said)), folder=folder, also=open_others) as running:
        seen = World(running)
        yield seen
        seen.close()


@pytest.fixture(scope="package")  # the pipeline runs no longer than it is needed
def day(world: World, request: pytest.FixtureRequest) -> Iterator[Day]:
    """The played tests of this run, all begun."""
    wanted = [getattr(item, "function", None) for item in request.session.items]
    running = Day(world, [PLAYS[each] for each in wanted if each in PLAYS])
    yield running
    running.close()
