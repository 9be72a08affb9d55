"""Refresh sessions"""

import sqlalchemy as sa
from alembic import op

from hub import columns

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

KINDS = sa.Enum("BROWSER", "API", name="session_kind", native_enum=False, create_constraint=True, length=16)


def upgrade() -> None:
    op.create_table(
        "hash_keys",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), server_default=columns.Now(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hash_keys")),
    )
    with op.batch_alter_table("sessions") as table:
        table.add_column(sa.Column("authenticated_at", columns.UtcDateTime(), nullable=True))
        table.add_column(sa.Column("kind", KINDS, server_default="BROWSER", nullable=False))
        table.add_column(sa.Column("access_expires_at", columns.UtcDateTime(), nullable=True))
        table.add_column(sa.Column("previous_refresh_token", sa.String(length=64), nullable=True))
        table.add_column(sa.Column("refresh_salt", sa.String(length=64), nullable=True))
        table.add_column(sa.Column("refreshed_at", columns.UtcDateTime(), nullable=True))
    op.execute("UPDATE sessions SET authenticated_at = created_at")
    with op.batch_alter_table("sessions") as table:
        table.alter_column("authenticated_at", existing_type=columns.UtcDateTime(), nullable=False)
    with op.batch_alter_table("api_keys") as table:
        table.add_column(sa.Column("hash_key_id", sa.String(length=32), nullable=True))
        table.add_column(sa.Column("last_used_address", sa.String(length=45), nullable=True))
        table.add_column(sa.Column("refused_at", columns.UtcDateTime(), nullable=True))
        table.create_foreign_key(op.f("fk_api_keys_hash_key_id_hash_keys"), "hash_keys", ["hash_key_id"], ["id"])
        table.create_index("ix_api_keys_key_prefix", ["key_prefix"])


def downgrade() -> None:
    with op.batch_alter_table("api_keys") as table:
        table.drop_index("ix_api_keys_key_prefix")
        table.drop_constraint(op.f("fk_api_keys_hash_key_id_hash_keys"), type_="foreignkey")
        table.drop_column("refused_at")
        table.drop_column("last_used_address")
        table.drop_column("hash_key_id")
    with op.batch_alter_table("sessions") as table:
        table.drop_column("refreshed_at")
        table.drop_column("refresh_salt")
        table.drop_column("previous_refresh_token")
        table.drop_column("access_expires_at")
        table.drop_constraint(op.f("ck_sessions_session_kind"), type_="check")
        table.drop_column("kind")
        table.drop_column("authenticated_at")
    op.drop_table("hash_keys")
