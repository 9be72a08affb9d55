"""Bill plans"""

import sqlalchemy as sa
from alembic import op

from hub import columns

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

PLANS = ("FREE", "PRO", "TEAM", "ENTERPRISE")


def upgrade() -> None:
    with op.batch_alter_table("users") as table:
        table.add_column(sa.Column("plan_changed_at", columns.UtcDateTime(), nullable=True))
        table.add_column(sa.Column("previous_plan", _plan("previous_plan"), nullable=True))
    # Until now everything was kept: what plans keep shorter is forgotten after the same grace as with a smaller plan.
    op.execute("UPDATE users SET plan_changed_at = CURRENT_TIMESTAMP, previous_plan = 'ENTERPRISE' WHERE plan <> 'ENTERPRISE'")
    with op.batch_alter_table("ai_analyses") as table:
        table.add_column(sa.Column("counted", sa.Boolean(), server_default=sa.false(), nullable=False))
    has_detail = sa.text("detail_state IN ('STORED', 'TRUNCATED')")
    op.create_index(
        "ix_executions_detail",
        "executions",
        ["instance_id", "started_at", "id"],
        unique=False,
        sqlite_where=has_detail,
        postgresql_where=has_detail,
    )
    op.create_table(
        "billing_accounts",
        sa.Column("user_id", sa.String(length=32), nullable=False),
        sa.Column("provider", sa.String(length=80), nullable=False),
        sa.Column("customer", sa.String(length=255), nullable=False),
        sa.Column("subscription", sa.String(length=255), nullable=False),
        sa.Column("plan", _plan("billing_plan"), nullable=True),
        sa.Column("status", sa.String(length=40), nullable=False),
        sa.Column("read_at", columns.UtcDateTime(), nullable=False),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), server_default=columns.Now(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_billing_accounts_user_id_users"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_billing_accounts")),
    )
    op.create_index("ix_billing_accounts_customer", "billing_accounts", ["provider", "customer"], unique=False)
    op.create_table(
        "billing_events",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("provider", sa.String(length=80), nullable=False),
        sa.Column("event_id", sa.String(length=255), nullable=False),
        sa.Column("kind", sa.String(length=80), nullable=False),
        sa.Column("subscription", sa.String(length=255), nullable=True),
        sa.Column("payment_failed", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("handled_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_at", columns.UtcDateTime(), server_default=columns.Now(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_billing_events")),
        sa.UniqueConstraint("provider", "event_id", name=op.f("uq_billing_events_provider_event_id")),
    )
    op.create_index("ix_billing_events_created_at", "billing_events", ["created_at"], unique=False)


def _plan(name: str) -> sa.Enum:
    return sa.Enum(*PLANS, name=name, native_enum=False, create_constraint=True, length=16)


def downgrade() -> None:
    op.drop_table("billing_events")
    op.drop_table("billing_accounts")
    op.drop_index("ix_executions_detail", table_name="executions")
    with op.batch_alter_table("ai_analyses") as table:
        table.drop_column("counted")
    with op.batch_alter_table("users") as table:
        table.drop_constraint(op.f("ck_users_previous_plan"), type_="check")
        table.drop_column("previous_plan")
        table.drop_column("plan_changed_at")
