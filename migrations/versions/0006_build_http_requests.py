"""Build, send and keep HTTP requests"""

import sqlalchemy as sa
from alembic import op

from hub import columns

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "environments",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("user_id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("active", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), server_default=columns.Now(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_environments_user_id_users"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_environments")),
        sa.UniqueConstraint("user_id", "name", name=op.f("uq_environments_user_id_name")),
    )
    op.create_table(
        "oauth_tokens",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("user_id", sa.String(length=32), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("access_token", sa.Text(), nullable=False),
        sa.Column("refresh_token", sa.Text(), nullable=True),
        sa.Column("expires_at", columns.UtcDateTime(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), server_default=columns.Now(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_oauth_tokens_user_id_users"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_oauth_tokens")),
        sa.UniqueConstraint("user_id", "fingerprint", name=op.f("uq_oauth_tokens_user_id_fingerprint")),
    )
    op.create_table(
        "request_chains",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("user_id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("steps", columns.Json, server_default="[]", nullable=False),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), server_default=columns.Now(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_request_chains_user_id_users"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_request_chains")),
    )
    with op.batch_alter_table("request_chains") as table:
        table.create_index("ix_request_chains_user_id", ["user_id"], unique=False)

    op.create_table(
        "request_files",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("user_id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("media_type", sa.String(length=200), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), server_default=columns.Now(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_request_files_user_id_users"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_request_files")),
    )
    with op.batch_alter_table("request_files") as table:
        table.create_index("ix_request_files_user_id", ["user_id"], unique=False)

    op.create_table(
        "import_sources",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("user_id", sa.String(length=32), nullable=False),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), server_default=columns.Now(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_import_sources_user_id_users"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_sources")),
    )
    with op.batch_alter_table("import_sources") as table:
        table.create_index("ix_import_sources_user_id", ["user_id"], unique=False)

    op.create_table(
        "request_chain_runs",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("user_id", sa.String(length=32), nullable=False),
        sa.Column("chain_id", sa.String(length=32), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "QUEUED",
                "RUNNING",
                "DONE",
                "FAILED",
                "REFUSED",
                "INTERRUPTED",
                "CANCELED",
                name="chain_run_state",
                native_enum=False,
                create_constraint=True,
                length=16,
            ),
            nullable=False,
        ),
        sa.Column("finished_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_at", columns.UtcDateTime(), server_default=columns.Now(), nullable=False),
        sa.ForeignKeyConstraint(["chain_id"], ["request_chains.id"], name=op.f("fk_request_chain_runs_chain_id_request_chains"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_request_chain_runs_user_id_users"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_request_chain_runs")),
    )
    with op.batch_alter_table("request_chain_runs") as table:
        table.create_index("ix_request_chain_runs_chain_id", ["chain_id"], unique=False)

    op.create_table(
        "variables",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("user_id", sa.String(length=32), nullable=False),
        sa.Column("environment_id", sa.String(length=32), nullable=True),
        sa.Column("request_id", sa.String(length=32), nullable=True),
        sa.Column("scope", sa.String(length=60), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("value", sa.Text(), nullable=True),
        sa.Column("secret_value", sa.Text(), nullable=True),
        sa.Column("is_secret", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("hosts", columns.Json, server_default="[]", nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), server_default=columns.Now(), nullable=False),
        sa.ForeignKeyConstraint(["environment_id"], ["environments.id"], name=op.f("fk_variables_environment_id_environments"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["request_id"], ["requests.id"], name=op.f("fk_variables_request_id_requests"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_variables_user_id_users"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_variables")),
        sa.UniqueConstraint("user_id", "scope", "name", name=op.f("uq_variables_user_id_scope_name")),
    )
    with op.batch_alter_table("variables") as table:
        table.create_index("ix_variables_environment_id", ["environment_id"], unique=False)
        table.create_index("ix_variables_request_id", ["request_id"], unique=False)

    op.create_table(
        "request_runs",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("user_id", sa.String(length=32), nullable=False),
        sa.Column("request_id", sa.String(length=32), nullable=True),
        sa.Column("environment_id", sa.String(length=32), nullable=True),
        sa.Column("chain_run_id", sa.String(length=32), nullable=True),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "QUEUED",
                "RUNNING",
                "DONE",
                "FAILED",
                "REFUSED",
                "INTERRUPTED",
                "CANCELED",
                name="run_state",
                native_enum=False,
                create_constraint=True,
                length=16,
            ),
            nullable=False,
        ),
        sa.Column(
            "method",
            sa.Enum(
                "GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", name="run_method", native_enum=False, create_constraint=True, length=16
            ),
            nullable=False,
        ),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("definition", columns.Json, server_default="{}", nullable=False),
        sa.Column("inputs", sa.Text(), nullable=True),
        sa.Column("sent", columns.Json, nullable=True),
        sa.Column("status_code", sa.Integer(), nullable=True),
        sa.Column("reason", sa.String(length=200), nullable=True),
        sa.Column("http_version", sa.String(length=20), nullable=True),
        sa.Column("response_headers", columns.Json, server_default="[]", nullable=False),
        sa.Column("media_type", sa.String(length=200), nullable=True),
        sa.Column("wire_size", sa.Integer(), nullable=True),
        sa.Column("body_size", sa.Integer(), nullable=True),
        sa.Column("truncated", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("timing", columns.Json, nullable=True),
        sa.Column("hops", columns.Json, server_default="[]", nullable=False),
        sa.Column("tls", columns.Json, nullable=True),
        sa.Column("duration_ms", sa.Double(), nullable=True),
        sa.Column("error", columns.Json, nullable=True),
        sa.Column("assertions", columns.Json, server_default="[]", nullable=False),
        sa.Column("passed", sa.Boolean(), nullable=True),
        sa.Column("extracted", columns.Json, server_default="[]", nullable=False),
        sa.Column("started_at", columns.UtcDateTime(), nullable=True),
        sa.Column("finished_at", columns.UtcDateTime(), nullable=True),
        sa.Column("analysis_id", sa.String(length=32), nullable=True),
        sa.Column("applied", columns.Json, nullable=True),
        sa.Column("repeats_id", sa.String(length=32), nullable=True),
        sa.Column("created_at", columns.UtcDateTime(), server_default=columns.Now(), nullable=False),
        sa.ForeignKeyConstraint(
            ["chain_run_id"], ["request_chain_runs.id"], name=op.f("fk_request_runs_chain_run_id_request_chain_runs"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["environment_id"], ["environments.id"], name=op.f("fk_request_runs_environment_id_environments"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["request_id"], ["requests.id"], name=op.f("fk_request_runs_request_id_requests"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_request_runs_user_id_users"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["analysis_id"], ["ai_analyses.id"], name=op.f("fk_request_runs_analysis_id_ai_analyses"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["repeats_id"], ["request_runs.id"], name=op.f("fk_request_runs_repeats_id_request_runs"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_request_runs")),
    )
    with op.batch_alter_table("request_runs") as table:
        table.create_index(
            "ix_request_runs_active",
            ["user_id"],
            unique=False,
            sqlite_where=sa.text("state IN ('QUEUED', 'RUNNING')"),
            postgresql_where=sa.text("state IN ('QUEUED', 'RUNNING')"),
        )
        table.create_index("ix_request_runs_analysis_id", ["analysis_id"], unique=False)
        table.create_index("ix_request_runs_chain_run_id", ["chain_run_id"], unique=False)
        table.create_index("ix_request_runs_repeats_id", ["repeats_id"], unique=False)
        table.create_index("ix_request_runs_request_created", ["request_id", "created_at", "id"], unique=False)
        table.create_index("ix_request_runs_user_created", ["user_id", "created_at", "id"], unique=False)

    op.create_table(
        "request_run_bodies",
        sa.Column("run_id", sa.String(length=32), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["request_runs.id"], name=op.f("fk_request_run_bodies_run_id_request_runs"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_request_run_bodies")),
    )
    with op.batch_alter_table("requests") as table:
        table.add_column(sa.Column("settings", columns.Json, server_default="{}", nullable=False))
        table.add_column(sa.Column("assertions", columns.Json, server_default="[]", nullable=False))
        table.add_column(sa.Column("extractions", columns.Json, server_default="[]", nullable=False))
        table.add_column(sa.Column("variables", columns.Json, server_default="[]", nullable=False))
        table.add_column(sa.Column("folder", sa.String(length=200), nullable=True))
        table.add_column(sa.Column("documentation", sa.Text(), nullable=True))
        table.add_column(sa.Column("service_id", sa.String(length=80), nullable=True))
        table.add_column(sa.Column("endpoint_id", sa.String(length=120), nullable=True))
        table.add_column(sa.Column("origin", sa.String(length=400), nullable=True))
        table.add_column(sa.Column("imported", columns.Json, nullable=True))
        table.add_column(sa.Column("deleted_at", columns.UtcDateTime(), nullable=True))
        table.create_index("ix_requests_user_updated", ["user_id", "updated_at", "id"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("requests") as table:
        table.drop_index("ix_requests_user_updated")
        table.drop_column("deleted_at")
        table.drop_column("imported")
        table.drop_column("origin")
        table.drop_column("endpoint_id")
        table.drop_column("service_id")
        table.drop_column("documentation")
        table.drop_column("folder")
        table.drop_column("variables")
        table.drop_column("extractions")
        table.drop_column("assertions")
        table.drop_column("settings")

    op.drop_table("request_run_bodies")
    with op.batch_alter_table("request_runs") as table:
        table.drop_index("ix_request_runs_user_created")
        table.drop_index("ix_request_runs_request_created")
        table.drop_index("ix_request_runs_chain_run_id")
        table.drop_index(
            "ix_request_runs_active",
            sqlite_where=sa.text("state IN ('QUEUED', 'RUNNING')"),
            postgresql_where=sa.text("state IN ('QUEUED', 'RUNNING')"),
        )

    op.drop_table("request_runs")
    with op.batch_alter_table("variables") as table:
        table.drop_index("ix_variables_request_id")
        table.drop_index("ix_variables_environment_id")

    op.drop_table("variables")
    with op.batch_alter_table("request_chain_runs") as table:
        table.drop_index("ix_request_chain_runs_chain_id")

    op.drop_table("request_chain_runs")
    with op.batch_alter_table("import_sources") as table:
        table.drop_index("ix_import_sources_user_id")

    op.drop_table("import_sources")
    with op.batch_alter_table("request_files") as table:
        table.drop_index("ix_request_files_user_id")

    op.drop_table("request_files")
    with op.batch_alter_table("request_chains") as table:
        table.drop_index("ix_request_chains_user_id")

    op.drop_table("request_chains")
    op.drop_table("oauth_tokens")
    op.drop_table("environments")
