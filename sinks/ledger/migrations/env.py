"""Run by Alembic on the connection that sinks.ledger.migrate hands over; it never opens one itself."""

from alembic import context

from sinks.ledger.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,  # on SQLite too: the connection says BEGIN itself
)
with context.begin_transaction():
    context.run_migrations()
