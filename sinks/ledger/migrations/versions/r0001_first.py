"""The first ledger: effects, parked lanes, pauses, quotas, and what the sources remember."""

import sqlalchemy as sa
from alembic import op

revision = "r0001"
down_revision = None
branch_labels = None
depends_on = None

_SERIAL = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "effects",
        sa.Column("command_id", sa.String(64), primary_key=True),
        sa.Column("merchant", sa.String(64), nullable=False),
        sa.Column("system", sa.String(32), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("epoch", sa.Integer, nullable=False),
        sa.Column("idempotency_key", sa.String(64), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("first_sent_ms", sa.BigInteger),
        sa.Column("failing_since_ms", sa.BigInteger),
        sa.Column("notes", sa.Text, nullable=False),
        sa.Column("outcome", sa.String(32)),
        sa.Column("external_ids", sa.Text, nullable=False),
        sa.Column("result", sa.LargeBinary),
        sa.Column("claimed_by", sa.String(64)),
        sa.Column("claim_until_ms", sa.BigInteger, nullable=False),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.Column("updated_ms", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "parked_lanes",
        sa.Column("system", sa.String(32), nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("merchant", sa.String(64), nullable=False),
        sa.Column("reason", sa.String(32), nullable=False),
        sa.Column("since_ms", sa.BigInteger, nullable=False),
        sa.Column("due_ms", sa.BigInteger, nullable=False),
        sa.Column("held_by", sa.String(64)),
        sa.Column("held_until_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("system", "key"),
    )
    op.create_table(
        "parked_commands",
        sa.Column("seq", _SERIAL, primary_key=True, autoincrement=True),
        sa.Column("system", sa.String(32), nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("merchant", sa.String(64), nullable=False),
        sa.Column("command_id", sa.String(64), nullable=False),
        sa.Column("topic", sa.String(249), nullable=False),
        sa.Column("partition", sa.Integer, nullable=False),
        sa.Column("offset", sa.BigInteger, nullable=False),
        sa.Column("timestamp_ms", sa.BigInteger, nullable=False),
        sa.Column("value", sa.LargeBinary, nullable=False),
        sa.Column("headers", sa.Text, nullable=False),
        sa.Column("parked_ms", sa.BigInteger, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "paused",
        sa.Column("system", sa.String(32), nullable=False),
        sa.Column("merchant", sa.String(64), nullable=False),
        sa.Column("code", sa.String(64), nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("since_ms", sa.BigInteger, nullable=False),
        sa.Column("probe_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("system", "merchant"),
    )
    op.create_table(
        "quotas",
        sa.Column("merchant", sa.String(64), nullable=False),
        sa.Column("system", sa.String(32), nullable=False),
        sa.Column("name", sa.String(32), nullable=False),
        sa.Column("tokens", sa.Float, nullable=False),
        sa.Column("capacity", sa.Float, nullable=False),
        sa.Column("per_second", sa.Float, nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("blocked_until_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("merchant", "system", "name"),
    )
    op.create_table(
        "quota_leases",
        sa.Column("merchant", sa.String(64), nullable=False),
        sa.Column("system", sa.String(32), nullable=False),
        sa.Column("name", sa.String(32), nullable=False),
        sa.Column("holder", sa.String(80), nullable=False),
        sa.Column("tokens", sa.Float, nullable=False),
        sa.Column("until_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("merchant", "system", "name", "holder"),
    )
    op.create_table(
        "source_cursors",
        sa.Column("merchant", sa.String(64), nullable=False),
        sa.Column("system", sa.String(32), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("position", sa.Text, nullable=False),
        sa.Column("updated_at_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("merchant", "system", "name"),
    )
    op.create_table(
        "source_seen",
        sa.Column("merchant", sa.String(64), nullable=False),
        sa.Column("system", sa.String(32), nullable=False),
        sa.Column("resource", sa.String(200), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("seen_at_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("merchant", "system", "resource"),
    )
    op.create_index("effects_by_state", "effects", ["system", "state", "updated_ms"])
    op.create_index("parked_lanes_by_due", "parked_lanes", ["system", "merchant", "due_ms"])
    op.create_index("parked_commands_by_key", "parked_commands", ["system", "key", "seq"])
    op.create_index("parked_commands_by_command", "parked_commands", ["command_id"])
    op.create_index("source_seen_by_age", "source_seen", ["seen_at_ms"])


def downgrade() -> None:
    for table in ("source_seen", "source_cursors", "quota_leases", "quotas"):
        op.drop_table(table)
    for table in ("paused", "parked_commands", "parked_lanes", "effects"):
        op.drop_table(table)
