"""Brings a ledger's tables to this version, by one process at a time. May touch the database."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

from schemas.startup import CannotStart

# Any number will do, as long as no other program on the same database picked it.
ADVISORY_LOCK = 7_340_921_385


def upgrade(engine: Engine) -> None:
    """Tables as this version wants them; raises CannotStart for a ledger that a newer version has written."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    with engine.begin() as connection:
        # SQLite: BEGIN IMMEDIATE has the lock already.
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ADVISORY_LOCK})
        _refuse_newer(connection, ScriptDirectory.from_config(config))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _refuse_newer(connection: Connection, scripts: ScriptDirectory) -> None:
    known = {script.revision for script in scripts.walk_revisions()}
    for revision in MigrationContext.configure(connection).get_current_heads():
        if revision not in known:
            where = connection.engine.url.render_as_string(hide_password=True)
            raise CannotStart(
                f"ledger {where}: expected tables of a revision among {', '.join(sorted(known))}, got {revision}; "
                "run the newer version, or point RETURNFLOW_LEDGER_URL at another ledger"
            )
