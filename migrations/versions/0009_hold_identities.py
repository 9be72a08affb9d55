"""Hold identities"""

import sqlalchemy as sa
from alembic import op

from hub import columns

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "mails",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("recipient", sa.String(length=320), nullable=False),
        sa.Column("subject", sa.String(length=400), nullable=False),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("purpose", sa.String(length=40), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column(
            "state",
            sa.Enum("QUEUED", "SENT", "FAILED", "KEPT", name="mail_state", native_enum=False, create_constraint=True, length=16),
            nullable=False,
        ),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("sent_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_at", columns.UtcDateTime(), server_default=columns.Now(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mails")),
    )
    op.create_index("ix_mails_created_at", "mails", ["created_at"])


    op.create_table(
        "registrations",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("email", sa.String(length=320), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("password", sa.String(length=255), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("token", sa.String(length=64), nullable=True),
        sa.Column("expires_at", columns.UtcDateTime(), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), server_default=columns.Now(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_registrations")),
        sa.UniqueConstraint("token", name=op.f("uq_registrations_token")),
    )
    op.create_index("ix_registrations_email", "registrations", ["email"])
    op.create_table(
        "known_devices",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("user_id", sa.String(length=32), nullable=False),
        sa.Column("token", sa.String(length=64), nullable=False),
        sa.Column("last_used_at", columns.UtcDateTime(), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), server_default=columns.Now(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_known_devices_user_id_users"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_known_devices")),
        sa.UniqueConstraint("user_id", "token", name=op.f("uq_known_devices_user_id_token")),
    )
    op.create_index("ix_known_devices_token", "known_devices", ["token"])
    with op.batch_alter_table("users") as table:
        table.add_column(sa.Column("verify_token_exp", columns.UtcDateTime(), nullable=True))
        table.add_column(sa.Column("new_email", sa.String(length=320), nullable=True))
    # Whoever has an account from before was let in without a mail; they are not asked for one now.
    op.execute(sa.update(sa.table("users", sa.column("email_verified", sa.Boolean()))).values(email_verified=True))


def downgrade() -> None:
    with op.batch_alter_table("users") as table:
        table.drop_column("new_email")
        table.drop_column("verify_token_exp")
    op.drop_table("known_devices")
    op.drop_table("registrations")
    op.drop_table("mails")
