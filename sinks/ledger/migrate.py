"""Brings a ledger's tables to this version, by one process at a time. May touch the database."""

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, inspect, text

from schemas.startup import CannotStart

if TYPE_CHECKING:
    from alembic.script import ScriptDirectory

# Any number will do, as long as no other program on the same database picked it.
ADVISORY_LOCK = 7_340_921_385
MIGRATIONS = Path(__file__).with_name("migrations")


def upgrade(engine: Engine) -> None:
    """Tables as this version wants them; raises CannotStart for a ledger that a newer version has written."""
    with engine.begin() as connection:
        # SQLite: BEGIN IMMEDIATE has the lock already.
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ADVISORY_LOCK})
        if not _is_newest(connection):
            _upgrade(connection)


def _is_newest(connection: Connection) -> bool:
    """Whether nothing is to be done, as mostly: alembic alone takes half a second to load."""
    newest = max(path.stem.partition("_")[0] for path in (MIGRATIONS / "versions").glob("r*.py"))
    if not inspect(connection).has_table("alembic_version"):
        return False
    return list(connection.execute(text("SELECT version_num FROM alembic_version")).scalars()) == [newest]


def _upgrade(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    _refuse_newer(connection, ScriptDirectory.from_config(config))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _refuse_newer(connection: Connection, scripts: "ScriptDirectory") -> None:
    from alembic.runtime.migration import MigrationContext

    known = {script.revision for script in scripts.walk_revisions()}
    for revision in MigrationContext.configure(connection).get_current_heads():
        if revision not in known:
            where = connection.engine.url.render_as_string(hide_password=True)
            raise CannotStart(
                f"ledger {where}: expected tables of a revision among {', '.join(sorted(known))}, got {revision}; "
                "run the newer version, or point RETURNFLOW_LEDGER_URL at another ledger"
            )
