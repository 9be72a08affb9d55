"""Note suspicious runs, and repairs that wait for proof"""

import sqlalchemy as sa
from alembic import op

from hub import columns

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("executions") as table:
        table.add_column(sa.Column("suspicion", columns.Json, nullable=True))
        table.add_column(sa.Column("suspicions", sa.Integer(), nullable=True))
    op.create_index(
        "ix_executions_suspicious",
        "executions",
        ["instance_id", sa.literal_column("started_at DESC"), sa.literal_column("id DESC")],
        sqlite_where=sa.text("suspicions > 0"),
        postgresql_where=sa.text("suspicions > 0"),
    )
    op.create_index(
        "ix_executions_scanned",
        "executions",
        ["workflow_id", sa.literal_column("started_at DESC")],
        sqlite_where=sa.text("suspicions IS NOT NULL"),
        postgresql_where=sa.text("suspicions IS NOT NULL"),
    )
    with op.batch_alter_table("repairs") as table:
        table.add_column(sa.Column("awaits_version", sa.String(64), nullable=True))
        table.add_column(sa.Column("awaits_since", columns.UtcDateTime(), nullable=True))
        table.create_index("ix_repairs_awaits_version", ["awaits_version"])


def downgrade() -> None:
    with op.batch_alter_table("repairs") as table:
        table.drop_index("ix_repairs_awaits_version")
        table.drop_column("awaits_since")
        table.drop_column("awaits_version")
    op.drop_index("ix_executions_scanned", "executions")
    op.drop_index("ix_executions_suspicious", "executions")
    with op.batch_alter_table("executions") as table:
        table.drop_column("suspicions")
        table.drop_column("suspicion")
