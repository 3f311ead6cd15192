"""Runs the sandbox as a process: uvicorn on one port until it is told to stop."""

import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from ops.sandbox.app import build
from ops.sandbox.settings import Settings


def serve(host: str, port: int, settings: Settings) -> int:
    """Blocks until SIGINT or SIGTERM and returns 0; port 0 takes a free one and says which. A port in use: OSError."""
    listening = socket.create_server((host, port), backlog=2048)
    config = uvicorn.Config(
        build(settings), log_level="warning", access_log=False, timeout_keep_alive=75, timeout_graceful_shutdown=2
    )
    print(f"sandbox on http://{host}:{listening.getsockname()[1]}", flush=True)
    with listening, _stopping_is_no_failure():
        uvicorn.Server(config).run(sockets=[listening])
    return 0


@contextmanager
def _stopping_is_no_failure() -> Iterator[None]:
    """uvicorn raises the signal that stopped it once more at its end; here that is not to end the process."""
    before = {each: signal.signal(each, lambda *_: None) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
