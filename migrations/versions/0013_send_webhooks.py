"""Send webhooks"""

import sqlalchemy as sa
from alembic import op

from hub import columns

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("instances", schema=None) as batch_op:
        batch_op.add_column(sa.Column("down_since", columns.UtcDateTime(), nullable=True))
    op.create_table(
        "webhooks",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("user_id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("url", sa.String(length=2000), nullable=False),
        sa.Column("events", columns.Json, server_default="[]", nullable=False),
        sa.Column("instance_ids", columns.Json, nullable=True),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("old_secret", sa.Text(), nullable=True),
        sa.Column("old_secret_until", columns.UtcDateTime(), nullable=True),
        sa.Column("enabled", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("disabled_reason", _enum(("by-hand", "gone", "failing"), "webhook_disabled_reason"), nullable=True),
        sa.Column("active_since", columns.UtcDateTime(), nullable=False),
        sa.Column("failing_since", columns.UtcDateTime(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), server_default=columns.Now(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_webhooks_user_id_users"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhooks")),
    )
    op.create_index("ix_webhooks_user_id", "webhooks", ["user_id"], unique=False)
    op.create_table(
        "webhook_deliveries",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("webhook_id", sa.String(length=32), nullable=False),
        sa.Column("type", sa.String(length=40), nullable=False),
        sa.Column("group_key", sa.String(length=80), nullable=True),
        sa.Column("data", columns.Json, server_default="{}", nullable=False),
        sa.Column("body", sa.Text(), nullable=True),
        sa.Column(
            "state", _enum(("PENDING", "DELIVERED", "FAILED"), "webhook_delivery_state"), server_default="PENDING", nullable=False
        ),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("next_attempt_at", columns.UtcDateTime(), nullable=True),
        sa.Column("log", columns.Json, server_default="[]", nullable=False),
        sa.Column("finished_at", columns.UtcDateTime(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), server_default=columns.Now(), nullable=False),
        sa.ForeignKeyConstraint(
            ["webhook_id"], ["webhooks.id"], name=op.f("fk_webhook_deliveries_webhook_id_webhooks"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_deliveries")),
    )
    newest = [sa.literal_column("created_at DESC"), sa.literal_column("id DESC")]
    op.create_index("ix_webhook_deliveries_page", "webhook_deliveries", ["webhook_id", *newest], unique=False)
    op.create_index(
        "ix_webhook_deliveries_pending",
        "webhook_deliveries",
        ["webhook_id", "next_attempt_at", "id"],
        unique=False,
        sqlite_where=sa.text("state = 'PENDING'"),
        postgresql_where=sa.text("state = 'PENDING'"),
    )


def _enum(values: tuple[str, ...], name: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=16)


def downgrade() -> None:
    op.drop_table("webhook_deliveries")
    op.drop_table("webhooks")
    with op.batch_alter_table("instances", schema=None) as batch_op:
        batch_op.drop_column("down_since")
