"""Refresh sessions"""

import sqlalchemy as sa
from alembic import op

from hub import columns

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("sessions") as table:
        table.add_column(sa.Column("authenticated_at", columns.UtcDateTime(), nullable=True))
    op.execute("UPDATE sessions SET authenticated_at = created_at")
    with op.batch_alter_table("sessions") as table:
        table.alter_column("authenticated_at", existing_type=columns.UtcDateTime(), nullable=False)


def downgrade() -> None:
    with op.batch_alter_table("sessions") as table:
        table.drop_column("authenticated_at")
