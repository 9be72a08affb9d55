"""Save requests into n8n"""

import sqlalchemy as sa
from alembic import op

from hub import columns

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "node_saves",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("user_id", sa.String(length=32), nullable=False),
        sa.Column("request_id", sa.String(length=32), nullable=False),
        sa.Column("workflow_id", sa.String(length=32), nullable=False),
        sa.Column("node", sa.Text(), nullable=False),
        sa.Column("is_new", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column(
            "state",
            sa.Enum("SAVING", "SAVED", "REFUSED", "UNDONE", name="save_state", native_enum=False, create_constraint=True, length=16),
            nullable=False,
        ),
        sa.Column("changes", sa.Text(), nullable=False),
        sa.Column("version_id", sa.String(length=64), nullable=True),
        sa.Column("went_live", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("problem", sa.String(length=40), nullable=True),
        sa.Column("message", sa.Text(), nullable=True),
        sa.Column("undone_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_at", columns.UtcDateTime(), server_default=columns.Now(), nullable=False),
        sa.ForeignKeyConstraint(["request_id"], ["requests.id"], name=op.f("fk_node_saves_request_id_requests"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_node_saves_user_id_users"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["workflow_id"], ["workflows.id"], name=op.f("fk_node_saves_workflow_id_workflows"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_node_saves")),
    )
    with op.batch_alter_table("node_saves") as table:
        table.create_index("ix_node_saves_request_created", ["request_id", "created_at", "id"], unique=False)
        table.create_index("ix_node_saves_workflow_id", ["workflow_id"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("node_saves") as table:
        table.drop_index("ix_node_saves_workflow_id")
        table.drop_index("ix_node_saves_request_created")

    op.drop_table("node_saves")
