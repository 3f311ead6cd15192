"""Opens the ledger's database, SQLite by default or PostgreSQL. May touch the file system and the network."""

import contextlib
import functools
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from schemas import disks
from schemas.endpoints import ANSWER_WITHIN_SECONDS, Check
from schemas.startup import CannotStart, DiskFull
from sinks.ledger.migrate import upgrade

BUSY_SECONDS = 10.0
BUSY_PAUSE_SECONDS = 0.01
CHECKPOINTS, CHECKPOINT_AGAIN_SECONDS = 20, 0.5
JOURNAL_BYTES = 16_777_216
# A process that is frozen in the middle of a transaction must not keep others from its rows for longer than this.
IDLE_SECONDS = 10


def open_engine(url: str) -> Engine:
    """An engine on a ledger whose tables are up to date; raises CannotStart in plain words."""
    address = _address(url)
    shown = _shown(address)
    engine = _sqlite(address) if address.get_backend_name() == "sqlite" else _postgresql(address)
    try:
        upgrade(engine)
    except CannotStart:
        engine.dispose()
        raise
    except DBAPIError as error:
        engine.dispose()
        file = ledger_file(engine)
        if disks.no_room(error, file):
            raise DiskFull(f"ledger: {disks.told(file, 'RETURNFLOW_LEDGER_URL')}") from error
        reason = str(error.orig).strip().splitlines()[0] if str(error.orig).strip() else type(error.orig).__name__
        raise CannotStart(f"ledger {shown}: cannot be opened: {reason}; check RETURNFLOW_LEDGER_URL") from error
    return engine


@contextlib.contextmanager
def opened(url: str) -> Iterator[Engine]:
    """The same, for as long as a command of people needs it."""
    engine = open_engine(url)
    try:
        yield engine
    finally:
        engine.dispose()


def written_over(engine: Engine) -> None:
    """What was deleted is gone from SQLite's journal, too, which a reader may put off."""
    if engine.dialect.name != "sqlite":
        return
    with contextlib.closing(engine.raw_connection()) as raw:
        for _ in range(CHECKPOINTS):
            if not raw.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
                return
            time.sleep(CHECKPOINT_AGAIN_SECONDS)


def ledger_answers(url: str) -> Check:
    """Whether the database answers. Each time on a connection of its own: one that was made before would wait for a
    frozen server without end."""
    address = _address(url)
    within = {"timeout": ANSWER_WITHIN_SECONDS} if address.get_backend_name() == "sqlite" else {"connect_timeout": 2}
    engine = functools.cache(lambda: create_engine(address, connect_args=within, poolclass=NullPool))

    def check() -> str | None:
        try:
            with engine().connect() as connection:
                connection.exec_driver_sql("SELECT 1")
        except SQLAlchemyError as error:
            return f"ledger {_shown(address)} does not answer: {type(error).__name__}"
        return None

    return check


def ledger_file(engine: Engine) -> Path:
    """Where an SQLite ledger lies; for another database "." stands for this machine, which has no part in it."""
    return Path(engine.url.database or ".") if engine.dialect.name == "sqlite" else Path()


def _address(url: str) -> URL:
    try:
        address = make_url(url)
        if address.drivername == "postgresql":
            address = address.set(drivername="postgresql+psycopg")
        address.get_dialect()
    except (ArgumentError, NoSuchModuleError) as error:
        raise CannotStart("RETURNFLOW_LEDGER_URL: expected sqlite:///path or postgresql://user@host/name") from error
    return address


def _shown(address: URL) -> str:
    """Fit for a message: libpq takes passwords among its parameters too."""
    return address.set(query={}).render_as_string(hide_password=True)


def _sqlite(address: URL) -> Engine:
    if address.database:
        try:
            Path(address.database).parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            if disks.no_room(error, Path(address.database)):
                raise DiskFull(f"ledger: {disks.told(Path(address.database), 'RETURNFLOW_LEDGER_URL')}") from error
            raise CannotStart(f"ledger {address.database}: its folder cannot be made ({error.strerror})") from error
    engine = create_engine(address, connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False})
    event.listen(engine, "connect", _configure_sqlite)
    event.listen(engine, "begin", _begin_immediate)
    return engine


def _configure_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves
    _write_ahead(connection)
    # FULL: a claim that was committed survives a power cut. Group commit makes it affordable.
    connection.execute("PRAGMA synchronous=FULL")
    # A reader that stays long lets the journal grow; when it is gone the file gets short again.
    connection.execute(f"PRAGMA journal_size_limit={JOURNAL_BYTES}")
    connection.execute("PRAGMA secure_delete=ON")  # what is erased is not to be found in the file


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Waits as for any lock: SQLite answers a change of the journal's mode at once, whatever the time-out."""
    until = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(BUSY_PAUSE_SECONDS)
        else:
            return


def _begin_immediate(connection: Connection) -> None:
    # A transaction that reads first and writes later would fail under a second process instead of waiting for it.
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _postgresql(address: URL) -> Engine:
    arguments: dict[str, Any] = {"connect_timeout": 10}
    engine = create_engine(address, connect_args=arguments, pool_pre_ping=True)
    event.listen(engine, "connect", _configure_postgresql)
    return engine


def _configure_postgresql(connection: psycopg.Connection[Any], _record: object) -> None:
    connection.autocommit = True  # inside of a transaction it would end with the first rollback
    connection.execute(f"SET idle_in_transaction_session_timeout = '{IDLE_SECONDS}s'")
    connection.autocommit = False
