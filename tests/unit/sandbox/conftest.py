"""A fresh sandbox with the seeded shop for each test."""

from collections.abc import AsyncIterator

import pytest

from ops.sandbox.settings import Settings
from tests.unit.sandbox.box import Box


@pytest.fixture
async def box() -> AsyncIterator[Box]:
    """The sandbox."""
    made = Box(Settings(hang_seconds=0.05))
    await made.open()
    yield made
    await made.close()
