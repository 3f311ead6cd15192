"""Fixtures of the sink runtime: the scripted peer and a worker on it."""

import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.unit.sinks.peer import Peer, running_peer
from tests.unit.sinks.rig import Rig

MakeRig = Callable[..., Awaitable[Rig]]


@pytest.fixture
def peer() -> Iterator[Peer]:
    with running_peer() as running:
        yield running


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/ledger.db"


@pytest.fixture
async def make_rig(peer: Peer, sqlite_url: str) -> AsyncIterator[MakeRig]:
    """`await make_rig("shop", request_seconds=…)`: a running worker; several share the ledger."""
    async with AsyncExitStack() as stack:

        async def make(*names: str, **changed: Any) -> Rig:
            rig = Rig(peer, sqlite_url, names or ("shop",), **changed)
            return await stack.enter_async_context(rig.running())

        yield make


@pytest.fixture
def unused_port() -> int:
    """A port where nobody listens."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port: int = held.getsockname()[1]
    return port
