"""A ledger on SQLite and on a real PostgreSQL, and the same one as another process has it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sinks.ledger.ledger import Ledger


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/made/on/the/way/ledger.db"
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture
async def ledger(ledger_url: str) -> AsyncIterator[Ledger]:
    opened = Ledger(ledger_url)
    yield opened
    opened.close()


@pytest.fixture
async def other(ledger_url: str, ledger: Ledger) -> AsyncIterator[Ledger]:
    """The same ledger as another process has it."""
    opened = Ledger(ledger_url)
    yield opened
    opened.close()
