"""Effects that go out together: batches, and which effect is bound to which."""

import sqlalchemy as sa
from alembic import op

revision = "r0002"
down_revision = "r0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "batches",
        sa.Column("batch_id", sa.String(64), primary_key=True),
        sa.Column("merchant", sa.String(64), nullable=False),
        sa.Column("system", sa.String(32), nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("reference", sa.Text, nullable=False),
        sa.Column("members", sa.Integer, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("external_ids", sa.Text, nullable=False),
        sa.Column("moved", sa.Text, nullable=False),
        sa.Column("held_by", sa.String(64)),
        sa.Column("held_until_ms", sa.BigInteger, nullable=False),
        sa.Column("sends", sa.Integer, nullable=False),
        sa.Column("first_sent_ms", sa.BigInteger),
        sa.Column("updated_ms", sa.BigInteger, nullable=False),
    )
    op.add_column("effects", sa.Column("batch_id", sa.String(64)))
    op.add_column("effects", sa.Column("alone", sa.Boolean, nullable=False, server_default=sa.false()))
    op.create_index("effects_by_batch", "effects", ["batch_id"])


def downgrade() -> None:
    op.drop_index("effects_by_batch", "effects")
    with op.batch_alter_table("effects") as effects:
        effects.drop_column("alone")
        effects.drop_column("batch_id")
    op.drop_table("batches")
