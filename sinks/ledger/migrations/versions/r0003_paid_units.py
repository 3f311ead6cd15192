"""Units that money moves for, each with its command."""

import sqlalchemy as sa
from alembic import op

revision = "r0003"
down_revision = "r0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "paid_units",
        sa.Column("unit", sa.Text, primary_key=True),
        sa.Column("command_id", sa.String(64), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("paid_units")
