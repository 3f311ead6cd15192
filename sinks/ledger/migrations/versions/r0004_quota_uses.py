"""What was used of a quota that is granted for a period, hour by hour."""

import sqlalchemy as sa
from alembic import op

revision = "r0004"
down_revision = "r0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "quota_uses",
        sa.Column("merchant", sa.String(64), nullable=False),
        sa.Column("system", sa.String(32), nullable=False),
        sa.Column("name", sa.String(32), nullable=False),
        sa.Column("hour", sa.BigInteger, nullable=False),
        sa.Column("priority", sa.String(16), nullable=False),
        sa.Column("calls", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("merchant", "system", "name", "hour", "priority"),
    )


def downgrade() -> None:
    op.drop_table("quota_uses")
