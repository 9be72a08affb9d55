"""Make the hub's tables"""

import sqlalchemy as sa
from alembic import op

from hub import columns

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit_logs",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("user_id", sa.String(length=32), nullable=True),
        sa.Column("action", sa.String(length=80), nullable=False),
        sa.Column("resource", sa.String(length=80), nullable=False),
        sa.Column("resource_id", sa.String(length=80), nullable=True),
        sa.Column("ip_address", sa.String(length=45), nullable=True),
        sa.Column("user_agent", sa.String(length=400), nullable=True),
        sa.Column("success", sa.Boolean(), nullable=False),
        sa.Column("details", columns.Json, nullable=True),
        sa.Column("created_at", columns.UtcDateTime(), server_default=columns.Now(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_logs")),
    )
    with op.batch_alter_table("audit_logs", schema=None) as batch_op:
        batch_op.create_index("idx_audit_logs_created", [sa.literal_column("created_at DESC")], unique=False)
        batch_op.create_index("idx_audit_logs_user_action", ["user_id", "action"], unique=False)
        batch_op.create_index("ix_audit_logs_action", ["action"], unique=False)
        batch_op.create_index("ix_audit_logs_user_id", ["user_id"], unique=False)
        batch_op.create_index(
            "ix_audit_logs_user_page",
            ["user_id", sa.literal_column("created_at DESC"), sa.literal_column("id DESC")],
            unique=False,
        )

    op.create_table(
        "jobs",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("arguments", columns.Json, server_default="{}", nullable=False),
        sa.Column("unique_key", sa.String(length=120), nullable=True),
        sa.Column(
            "state",
            sa.Enum(
                "QUEUED", "RUNNING", "DONE", "FAILED", name="job_state", native_enum=False, create_constraint=True, length=16
            ),
            server_default="QUEUED",
            nullable=False,
        ),
        sa.Column("run_at", columns.UtcDateTime(), server_default=columns.Now(), nullable=False),
        sa.Column("lease_until", columns.UtcDateTime(), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("done", sa.Integer(), server_default="0", nullable=False),
        sa.Column("total", sa.Integer(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("finished_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_at", columns.UtcDateTime(), server_default=columns.Now(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
    )
    with op.batch_alter_table("jobs", schema=None) as batch_op:
        batch_op.create_index("ix_jobs_due", ["state", "run_at", "id"], unique=False)
        batch_op.create_index(
            "uq_jobs_unique_key",
            ["unique_key"],
            unique=True,
            sqlite_where=sa.text("state IN ('QUEUED', 'RUNNING')"),
            postgresql_where=sa.text("state IN ('QUEUED', 'RUNNING')"),
        )

    op.create_table(
        "rate_buckets",
        sa.Column("key", sa.String(length=120), nullable=False),
        sa.Column("window_start", columns.UtcDateTime(), nullable=False),
        sa.Column("count", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_rate_buckets")),
    )
    op.create_table(
        "templates",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("service_id", sa.String(length=80), nullable=False),
        sa.Column("service_name", sa.String(length=200), nullable=False),
        sa.Column("service_icon", sa.Text(), nullable=True),
        sa.Column("category", sa.String(length=80), nullable=False),
        sa.Column("endpoint_id", sa.String(length=120), nullable=False),
        sa.Column("endpoint_name", sa.String(length=200), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column(
            "method",
            sa.Enum(
                "GET",
                "POST",
                "PUT",
                "PATCH",
                "DELETE",
                "HEAD",
                "OPTIONS",
                name="http_method",
                native_enum=False,
                create_constraint=True,
                length=16,
            ),
            nullable=False,
        ),
        sa.Column("url_template", sa.Text(), nullable=False),
        sa.Column("headers", columns.Json, server_default="{}", nullable=False),
        sa.Column("body_template", columns.Json, nullable=True),
        sa.Column("variables", columns.Json, server_default="[]", nullable=False),
        sa.Column("documentation", sa.Text(), nullable=True),
        sa.Column("is_official", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("usage_count", sa.Integer(), server_default="0", nullable=False),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), server_default=columns.Now(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_templates")),
        sa.UniqueConstraint("service_id", "endpoint_id", name=op.f("uq_templates_service_id_endpoint_id")),
    )
    with op.batch_alter_table("templates", schema=None) as batch_op:
        batch_op.create_index("ix_templates_category", ["category"], unique=False)
        batch_op.create_index("ix_templates_service_id", ["service_id"], unique=False)

    op.create_table(
        "users",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("email", sa.String(length=320), nullable=False),
        sa.Column("password", sa.String(length=255), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("avatar", sa.Text(), nullable=True),
        sa.Column(
            "plan",
            sa.Enum("FREE", "PRO", "TEAM", "ENTERPRISE", name="plan", native_enum=False, create_constraint=True, length=16),
            server_default="FREE",
            nullable=False,
        ),
        sa.Column("settings", columns.Json, server_default="{}", nullable=False),
        sa.Column("email_verified", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("verify_token", sa.String(length=64), nullable=True),
        sa.Column("reset_token", sa.String(length=64), nullable=True),
        sa.Column("reset_token_exp", columns.UtcDateTime(), nullable=True),
        sa.Column("two_factor_enabled", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("two_factor_secret", sa.Text(), nullable=True),
        sa.Column(
            "role",
            sa.Enum("USER", "OPERATOR", name="role", native_enum=False, create_constraint=True, length=16),
            server_default="USER",
            nullable=False,
        ),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), server_default=columns.Now(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("email", name=op.f("uq_users_email")),
        sa.UniqueConstraint("reset_token", name=op.f("uq_users_reset_token")),
        sa.UniqueConstraint("verify_token", name=op.f("uq_users_verify_token")),
    )
    with op.batch_alter_table("users", schema=None) as batch_op:
        batch_op.create_index("idx_users_email", ["email"], unique=False)

    op.create_table(
        "api_keys",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("user_id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("key_prefix", sa.String(length=16), nullable=False),
        sa.Column("permissions", columns.Json, server_default="[]", nullable=False),
        sa.Column("last_used_at", columns.UtcDateTime(), nullable=True),
        sa.Column("expires_at", columns.UtcDateTime(), nullable=True),
        sa.Column("is_revoked", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), server_default=columns.Now(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_api_keys_user_id_users"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("key", name=op.f("uq_api_keys_key")),
    )
    with op.batch_alter_table("api_keys", schema=None) as batch_op:
        batch_op.create_index("ix_api_keys_key", ["key"], unique=False)
        batch_op.create_index("ix_api_keys_user_id", ["user_id"], unique=False)

    op.create_table(
        "instances",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("user_id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("url", sa.String(length=2000), nullable=False),
        sa.Column("api_key", sa.Text(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "CONNECTED",
                "DISCONNECTED",
                "ERROR",
                "SYNCING",
                name="instance_status",
                native_enum=False,
                create_constraint=True,
                length=16,
            ),
            server_default="DISCONNECTED",
            nullable=False,
        ),
        sa.Column("version", sa.String(length=40), nullable=True),
        sa.Column("last_sync", columns.UtcDateTime(), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("is_sample", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("error_code", sa.String(length=40), nullable=True),
        sa.Column("error_details", columns.Json, server_default="{}", nullable=False),
        sa.Column("key_expires_at", columns.UtcDateTime(), nullable=True),
        sa.Column("capabilities", columns.Json, server_default="{}", nullable=False),
        sa.Column("latency_ms", sa.Double(), nullable=True),
        sa.Column("sync_interval_minutes", sa.Integer(), server_default="5", nullable=False),
        sa.Column("sync_state", columns.Json, server_default="{}", nullable=False),
        sa.Column("epoch", sa.Integer(), server_default="0", nullable=False),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), server_default=columns.Now(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_instances_user_id_users"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_instances")),
        sa.UniqueConstraint("user_id", "url", name=op.f("uq_instances_user_id_url")),
    )
    with op.batch_alter_table("instances", schema=None) as batch_op:
        batch_op.create_index("idx_instances_user_status", ["user_id", "status"], unique=False)
        batch_op.create_index("ix_instances_status", ["status"], unique=False)
        batch_op.create_index("ix_instances_user_id", ["user_id"], unique=False)

    op.create_table(
        "requests",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("user_id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column(
            "method",
            sa.Enum(
                "GET",
                "POST",
                "PUT",
                "PATCH",
                "DELETE",
                "HEAD",
                "OPTIONS",
                name="http_method",
                native_enum=False,
                create_constraint=True,
                length=16,
            ),
            nullable=False,
        ),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("headers", columns.Json, server_default="{}", nullable=False),
        sa.Column("params", columns.Json, server_default="{}", nullable=False),
        sa.Column("body", columns.Json, nullable=True),
        sa.Column("auth", columns.Json, nullable=True),
        sa.Column("last_used", columns.UtcDateTime(), nullable=True),
        sa.Column("usage_count", sa.Integer(), server_default="0", nullable=False),
        sa.Column("favorite", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("tags", columns.Json, server_default="[]", nullable=False),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), server_default=columns.Now(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_requests_user_id_users"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_requests")),
    )
    with op.batch_alter_table("requests", schema=None) as batch_op:
        batch_op.create_index("idx_requests_user", ["user_id"], unique=False)
        batch_op.create_index("ix_requests_method", ["method"], unique=False)

    op.create_table(
        "sessions",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("user_id", sa.String(length=32), nullable=False),
        sa.Column("token", sa.String(length=64), nullable=False),
        sa.Column("refresh_token", sa.String(length=64), nullable=False),
        sa.Column("user_agent", sa.String(length=400), nullable=True),
        sa.Column("ip_address", sa.String(length=45), nullable=True),
        sa.Column("expires_at", columns.UtcDateTime(), nullable=False),
        sa.Column("last_seen_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_at", columns.UtcDateTime(), server_default=columns.Now(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_sessions_user_id_users"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sessions")),
        sa.UniqueConstraint("refresh_token", name=op.f("uq_sessions_refresh_token")),
        sa.UniqueConstraint("token", name=op.f("uq_sessions_token")),
    )
    with op.batch_alter_table("sessions", schema=None) as batch_op:
        batch_op.create_index("ix_sessions_token", ["token"], unique=False)
        batch_op.create_index("ix_sessions_user_id", ["user_id"], unique=False)

    op.create_table(
        "workflows",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("instance_id", sa.String(length=32), nullable=False),
        sa.Column("n8n_id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("nodes", columns.Json, nullable=False),
        sa.Column("connections", columns.Json, nullable=False),
        sa.Column("settings", columns.Json, server_default="{}", nullable=False),
        sa.Column("tags", columns.Json, server_default="[]", nullable=False),
        sa.Column("total_executions", sa.Integer(), server_default="0", nullable=False),
        sa.Column("successful_executions", sa.Integer(), server_default="0", nullable=False),
        sa.Column("is_archived", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("node_count", sa.Integer(), server_default="0", nullable=False),
        sa.Column("version_id", sa.String(length=64), nullable=True),
        sa.Column("active_version_id", sa.String(length=64), nullable=True),
        sa.Column("content_hash", sa.String(length=64), server_default=sa.text("''"), nullable=False),
        sa.Column("n8n_created_at", columns.UtcDateTime(), nullable=True),
        sa.Column("n8n_updated_at", columns.UtcDateTime(), nullable=True),
        sa.Column("vanished_at", columns.UtcDateTime(), nullable=True),
        sa.Column("last_execution_at", columns.UtcDateTime(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), server_default=columns.Now(), nullable=False),
        sa.ForeignKeyConstraint(
            ["instance_id"], ["instances.id"], name=op.f("fk_workflows_instance_id_instances"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_workflows")),
        sa.UniqueConstraint("instance_id", "n8n_id", name=op.f("uq_workflows_instance_id_n8n_id")),
    )
    with op.batch_alter_table("workflows", schema=None) as batch_op:
        batch_op.create_index("idx_workflows_instance", ["instance_id"], unique=False)
        batch_op.create_index("ix_workflows_active", ["active"], unique=False)
        batch_op.create_index("ix_workflows_page", ["instance_id", "name", "id"], unique=False)

    op.create_table(
        "executions",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("workflow_id", sa.String(length=32), nullable=False),
        sa.Column("n8n_execution_id", sa.String(length=80), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "RUNNING",
                "SUCCESS",
                "FAILED",
                "WAITING",
                "CANCELED",
                name="execution_status",
                native_enum=False,
                create_constraint=True,
                length=16,
            ),
            nullable=False,
        ),
        sa.Column("mode", sa.String(length=20), nullable=False),
        sa.Column("data", columns.Json, nullable=True),
        sa.Column("error", columns.Json, nullable=True),
        sa.Column("started_at", columns.UtcDateTime(), nullable=False),
        sa.Column("finished_at", columns.UtcDateTime(), nullable=True),
        sa.Column("duration", sa.Double(), nullable=True),
        sa.Column("instance_id", sa.String(length=32), nullable=False),
        sa.Column("n8n_status", sa.String(length=20), nullable=False),
        sa.Column("retry_of", sa.String(length=80), nullable=True),
        sa.Column("retry_success_id", sa.String(length=80), nullable=True),
        sa.Column("wait_till", columns.UtcDateTime(), nullable=True),
        sa.Column("workflow_version_id", sa.String(length=64), nullable=True),
        sa.Column(
            "detail_state",
            sa.Enum(
                "NONE",
                "STORED",
                "TRUNCATED",
                "UNAVAILABLE",
                name="detail_state",
                native_enum=False,
                create_constraint=True,
                length=16,
            ),
            server_default="NONE",
            nullable=False,
        ),
        sa.Column("error_message", sa.Text(), nullable=True),
        sa.Column("error_node", sa.Text(), nullable=True),
        sa.Column("vanished_at", columns.UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["instance_id"], ["instances.id"], name=op.f("fk_executions_instance_id_instances"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["workflow_id"], ["workflows.id"], name=op.f("fk_executions_workflow_id_workflows"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_executions")),
        sa.UniqueConstraint("workflow_id", "n8n_execution_id", name=op.f("uq_executions_workflow_id_n8n_execution_id")),
    )
    with op.batch_alter_table("executions", schema=None) as batch_op:
        batch_op.create_index("idx_executions_started_at", [sa.literal_column("started_at DESC")], unique=False)
        batch_op.create_index("idx_executions_workflow_status", ["workflow_id", "status"], unique=False)
        batch_op.create_index(
            "ix_executions_page",
            ["instance_id", sa.literal_column("started_at DESC"), sa.literal_column("id DESC")],
            unique=False,
        )
        batch_op.create_index("ix_executions_remote", ["instance_id", "n8n_execution_id"], unique=False)
        batch_op.create_index("ix_executions_status", ["status"], unique=False)
        batch_op.create_index(
            "ix_executions_status_page",
            ["instance_id", "status", sa.literal_column("started_at DESC"), sa.literal_column("id DESC")],
            unique=False,
        )
        batch_op.create_index("ix_executions_workflow_id", ["workflow_id"], unique=False)
        batch_op.create_index(
            "ix_executions_workflow_page",
            ["workflow_id", sa.literal_column("started_at DESC"), sa.literal_column("id DESC")],
            unique=False,
        )

    op.create_table(
        "workflow_versions",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("workflow_id", sa.String(length=32), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("DRAFT", "LIVE", name="version_kind", native_enum=False, create_constraint=True, length=16),
            nullable=False,
        ),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("n8n_version_id", sa.String(length=64), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("nodes", columns.Json, nullable=False),
        sa.Column("connections", columns.Json, nullable=False),
        sa.Column("settings", columns.Json, nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), server_default=columns.Now(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workflow_id"], ["workflows.id"], name=op.f("fk_workflow_versions_workflow_id_workflows"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_workflow_versions")),
        sa.UniqueConstraint(
            "workflow_id", "kind", "content_hash", name=op.f("uq_workflow_versions_workflow_id_kind_content_hash")
        ),
    )
    with op.batch_alter_table("workflow_versions", schema=None) as batch_op:
        batch_op.create_index("ix_workflow_versions_page", ["workflow_id", "created_at"], unique=False)

    op.create_table(
        "ai_analyses",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("user_id", sa.String(length=32), nullable=False),
        sa.Column("execution_id", sa.String(length=32), nullable=True),
        sa.Column("error_data", columns.Json, nullable=False),
        sa.Column("request_data", columns.Json, nullable=True),
        sa.Column("analysis", columns.Json, nullable=False),
        sa.Column("suggestions", columns.Json, nullable=False),
        sa.Column("confidence", sa.Double(), nullable=False),
        sa.Column("applied", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("helpful", sa.Boolean(), nullable=True),
        sa.Column("analyzer", sa.String(length=60), nullable=False),
        sa.Column("cause", sa.String(length=60), nullable=False),
        sa.Column("node", sa.Text(), nullable=True),
        sa.Column("title", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), server_default=columns.Now(), nullable=False),
        sa.ForeignKeyConstraint(
            ["execution_id"], ["executions.id"], name=op.f("fk_ai_analyses_execution_id_executions"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_ai_analyses_user_id_users"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ai_analyses")),
    )
    with op.batch_alter_table("ai_analyses", schema=None) as batch_op:
        batch_op.create_index("ix_ai_analyses_execution_id", ["execution_id"], unique=False)
        batch_op.create_index(
            "ix_ai_analyses_page", ["user_id", sa.literal_column("created_at DESC"), sa.literal_column("id DESC")], unique=False
        )
        batch_op.create_index("ix_ai_analyses_user_id", ["user_id"], unique=False)

    op.create_table(
        "repairs",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("analysis_id", sa.String(length=32), nullable=False),
        sa.Column("user_id", sa.String(length=32), nullable=False),
        sa.Column("suggestion_index", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "QUEUED",
                "RUNNING",
                "APPLIED",
                "ROLLED_BACK",
                "REFUSED",
                "STUCK",
                name="repair_state",
                native_enum=False,
                create_constraint=True,
                length=16,
            ),
            server_default="QUEUED",
            nullable=False,
        ),
        sa.Column("step", sa.String(length=40), server_default="queued", nullable=False),
        sa.Column(
            "verdict",
            sa.Enum(
                "verified",
                "partial",
                "unproven",
                "failed",
                "regressed",
                name="verdict",
                native_enum=False,
                create_constraint=True,
                length=16,
            ),
            nullable=True,
        ),
        sa.Column("pre_image", columns.Json, nullable=True),
        sa.Column("pre_version_id", sa.String(length=64), nullable=True),
        sa.Column("new_version_id", sa.String(length=64), nullable=True),
        sa.Column("went_live", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("retry_n8n_execution_id", sa.String(length=80), nullable=True),
        sa.Column("log", columns.Json, server_default="[]", nullable=False),
        sa.Column("message", sa.Text(), nullable=True),
        sa.Column("finished_at", columns.UtcDateTime(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), server_default=columns.Now(), nullable=False),
        sa.ForeignKeyConstraint(
            ["analysis_id"], ["ai_analyses.id"], name=op.f("fk_repairs_analysis_id_ai_analyses"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_repairs_user_id_users"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_repairs")),
    )
    with op.batch_alter_table("repairs", schema=None) as batch_op:
        batch_op.create_index("ix_repairs_analysis_id", ["analysis_id"], unique=False)
        batch_op.create_index("ix_repairs_state", ["state"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("repairs", schema=None) as batch_op:
        batch_op.drop_index("ix_repairs_state")
        batch_op.drop_index("ix_repairs_analysis_id")

    op.drop_table("repairs")
    with op.batch_alter_table("ai_analyses", schema=None) as batch_op:
        batch_op.drop_index("ix_ai_analyses_user_id")
        batch_op.drop_index("ix_ai_analyses_page")
        batch_op.drop_index("ix_ai_analyses_execution_id")

    op.drop_table("ai_analyses")
    with op.batch_alter_table("workflow_versions", schema=None) as batch_op:
        batch_op.drop_index("ix_workflow_versions_page")

    op.drop_table("workflow_versions")
    with op.batch_alter_table("executions", schema=None) as batch_op:
        batch_op.drop_index("ix_executions_workflow_page")
        batch_op.drop_index("ix_executions_workflow_id")
        batch_op.drop_index("ix_executions_status_page")
        batch_op.drop_index("ix_executions_status")
        batch_op.drop_index("ix_executions_remote")
        batch_op.drop_index("ix_executions_page")
        batch_op.drop_index("idx_executions_workflow_status")
        batch_op.drop_index("idx_executions_started_at")

    op.drop_table("executions")
    with op.batch_alter_table("workflows", schema=None) as batch_op:
        batch_op.drop_index("ix_workflows_page")
        batch_op.drop_index("ix_workflows_active")
        batch_op.drop_index("idx_workflows_instance")

    op.drop_table("workflows")
    with op.batch_alter_table("sessions", schema=None) as batch_op:
        batch_op.drop_index("ix_sessions_user_id")
        batch_op.drop_index("ix_sessions_token")

    op.drop_table("sessions")
    with op.batch_alter_table("requests", schema=None) as batch_op:
        batch_op.drop_index("ix_requests_method")
        batch_op.drop_index("idx_requests_user")

    op.drop_table("requests")
    with op.batch_alter_table("instances", schema=None) as batch_op:
        batch_op.drop_index("ix_instances_user_id")
        batch_op.drop_index("ix_instances_status")
        batch_op.drop_index("idx_instances_user_status")

    op.drop_table("instances")
    with op.batch_alter_table("api_keys", schema=None) as batch_op:
        batch_op.drop_index("ix_api_keys_user_id")
        batch_op.drop_index("ix_api_keys_key")

    op.drop_table("api_keys")
    with op.batch_alter_table("users", schema=None) as batch_op:
        batch_op.drop_index("idx_users_email")

    op.drop_table("users")
    with op.batch_alter_table("templates", schema=None) as batch_op:
        batch_op.drop_index("ix_templates_service_id")
        batch_op.drop_index("ix_templates_category")

    op.drop_table("templates")
    op.drop_table("rate_buckets")
    with op.batch_alter_table("jobs", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_jobs_unique_key",
            sqlite_where=sa.text("state IN ('QUEUED', 'RUNNING')"),
            postgresql_where=sa.text("state IN ('QUEUED', 'RUNNING')"),
        )
        batch_op.drop_index("ix_jobs_due")

    op.drop_table("jobs")
    with op.batch_alter_table("audit_logs", schema=None) as batch_op:
        batch_op.drop_index("ix_audit_logs_user_page")
        batch_op.drop_index("ix_audit_logs_user_id")
        batch_op.drop_index("ix_audit_logs_action")
        batch_op.drop_index("idx_audit_logs_user_action")
        batch_op.drop_index("idx_audit_logs_created")

    op.drop_table("audit_logs")
