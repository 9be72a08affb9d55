"""Ask a model"""

import sqlalchemy as sa
from alembic import op

from hub import columns

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "plugin_settings",
        sa.Column("plugin", sa.String(length=80), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("report", columns.Json, nullable=True),
        sa.Column("checked_at", columns.UtcDateTime(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), server_default=columns.Now(), nullable=False),
        sa.PrimaryKeyConstraint("plugin", name=op.f("pk_plugin_settings")),
    )
    op.create_table(
        "model_limits",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column(
            "plan",
            sa.Enum("FREE", "PRO", "TEAM", "ENTERPRISE", name="model_limit_plan", native_enum=False, create_constraint=True, length=16),
            nullable=True,
        ),
        sa.Column("user_id", sa.String(length=32), nullable=True),
        sa.Column("monthly_questions", sa.Integer(), nullable=True),
        sa.Column("monthly_tokens", sa.BigInteger(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), server_default=columns.Now(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_model_limits_user_id_users"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_model_limits")),
        sa.UniqueConstraint("plan", name=op.f("uq_model_limits_plan")),
        sa.UniqueConstraint("user_id", name=op.f("uq_model_limits_user_id")),
    )
    op.create_table(
        "model_calls",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("user_id", sa.String(length=32), nullable=False),
        sa.Column("analysis_id", sa.String(length=32), nullable=True),
        sa.Column("answer_id", sa.String(length=32), nullable=True),
        sa.Column("analyzer", sa.String(length=80), nullable=False),
        sa.Column("model", sa.String(length=200), nullable=False),
        sa.Column(
            "state",
            sa.Enum("QUEUED", "RUNNING", "DONE", "FAILED", name="model_call_state", native_enum=False, create_constraint=True, length=16),
            server_default="QUEUED",
            nullable=False,
        ),
        sa.Column("stage", sa.String(length=40), nullable=True),
        sa.Column("fresh", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("from_cache", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("cache_key", sa.String(length=64), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("sent", columns.Json, server_default="[]", nullable=False),
        sa.Column("content", sa.Text(), nullable=True),
        sa.Column("notes", columns.Json, server_default="[]", nullable=False),
        sa.Column("failure", columns.Json, nullable=True),
        sa.Column("tokens_in", sa.Integer(), server_default="0", nullable=False),
        sa.Column("tokens_out", sa.Integer(), server_default="0", nullable=False),
        sa.Column("is_estimate", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("cost", sa.Double(), nullable=True),
        sa.Column("seconds", sa.Double(), nullable=True),
        sa.Column("finished_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_at", columns.UtcDateTime(), server_default=columns.Now(), nullable=False),
        sa.ForeignKeyConstraint(
            ["analysis_id"], ["ai_analyses.id"], name=op.f("fk_model_calls_analysis_id_ai_analyses"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["answer_id"], ["ai_analyses.id"], name=op.f("fk_model_calls_answer_id_ai_analyses"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_model_calls_user_id_users"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_model_calls")),
    )
    with op.batch_alter_table("model_calls", schema=None) as batch_op:
        batch_op.create_index("ix_model_calls_user_month", ["user_id", "created_at"], unique=False)
        batch_op.create_index("ix_model_calls_analysis_id", ["analysis_id"], unique=False)
        batch_op.create_index("ix_model_calls_answer_id", ["answer_id"], unique=False)
        batch_op.create_index("ix_model_calls_cache", ["user_id", "cache_key"], unique=False)


def downgrade() -> None:
    op.drop_table("model_calls")
    op.drop_table("model_limits")
    op.drop_table("plugin_settings")
