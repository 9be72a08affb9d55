"""Give templates all that a request needs"""

import sqlalchemy as sa
from alembic import op

from hub import columns

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("templates") as table:
        table.add_column(sa.Column("plugin", sa.String(length=80), server_default=sa.text("''"), nullable=False))
        table.add_column(sa.Column("position", sa.Integer(), server_default="0", nullable=False))
        table.add_column(sa.Column("service", columns.Json, server_default="{}", nullable=False))
        table.add_column(sa.Column("endpoint", columns.Json, server_default="{}", nullable=False))
        table.add_column(sa.Column("search_text", sa.Text(), server_default=sa.text("''"), nullable=False))


def downgrade() -> None:
    with op.batch_alter_table("templates") as table:
        table.drop_column("search_text")
        table.drop_column("endpoint")
        table.drop_column("service")
        table.drop_column("position")
        table.drop_column("plugin")
