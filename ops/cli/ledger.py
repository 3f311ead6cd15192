"""`returnflow ledger`: the SQL database of effects, quotas, parked lanes and cursors."""

import click

from ops.cli.faults import plain_faults
from ops.cli.settings import with_settings, without_password
from schemas.settings import ProcessSettings
from sinks.ledger.engine import open_engine


@click.group()
def ledger() -> None:
    """Create or upgrade the ledger's tables."""


@ledger.command()
@with_settings("ledger")
def upgrade(settings: ProcessSettings) -> None:
    """Bring the ledger to the newest form; harmless when it is there already."""
    with plain_faults(settings):
        open_engine(settings.ledger_url).dispose()
    click.echo(f"The ledger at {without_password(settings.ledger_url)} is up to date.")
