"""Group failures by fingerprint

No row is read here: the worker makes the marks of stored executions (``hub.failures.jobs``), and the next sync stores each
workflow once more, with the credentials that it uses, because its ``content_hash`` is forgotten.
"""

import sqlalchemy as sa
from alembic import op

from hub import columns

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

FAILURE = sa.text("fingerprint <> ''")
CREDENTIAL = sa.text("credential_id IS NOT NULL")
UNMARKED = sa.text("fingerprint IS NULL AND detail_state IN ('STORED', 'TRUNCATED')")
INDEXES = (
    ("ix_executions_failure", FAILURE, ["instance_id", "fingerprint", "started_at", "workflow_id"]),
    ("ix_executions_credential", CREDENTIAL, ["instance_id", "credential_id", "started_at", "workflow_id"]),
    ("ix_executions_unmarked", UNMARKED, ["id"]),
)
COLUMNS = (("fingerprint", 32), ("fingerprint_case", 32), ("error_node_type", 120), ("error_code", 40), ("credential_id", 64))


def upgrade() -> None:
    with op.batch_alter_table("executions", schema=None) as batch_op:
        for name, length in COLUMNS:
            batch_op.add_column(sa.Column(name, sa.String(length=length), nullable=True))
    for name, condition, keys in INDEXES:
        op.create_index(name, "executions", keys, unique=False, sqlite_where=condition, postgresql_where=condition)
    with op.batch_alter_table("ai_analyses", schema=None) as batch_op:
        for name in ("fingerprint", "fingerprint_case"):
            batch_op.add_column(sa.Column(name, sa.String(length=32), nullable=True))
        batch_op.create_index("ix_ai_analyses_fingerprint", ["user_id", "fingerprint"], unique=False)
    with op.batch_alter_table("workflows", schema=None) as batch_op:
        batch_op.add_column(sa.Column("credentials", columns.Json, server_default="[]", nullable=False))
    op.execute("UPDATE workflows SET content_hash = ''")


def downgrade() -> None:
    op.drop_column("workflows", "credentials")
    op.drop_index("ix_ai_analyses_fingerprint", table_name="ai_analyses")
    for name in ("fingerprint_case", "fingerprint"):
        op.drop_column("ai_analyses", name)
    for name, _, _ in INDEXES:
        op.drop_index(name, table_name="executions")
    for name, _ in reversed(COLUMNS):
        op.drop_column("executions", name)
