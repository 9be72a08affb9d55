"""Learn from repairs, and repair by itself"""

import sqlalchemy as sa
from alembic import op

from hub import columns

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

#: ``hub.analyses.learning.source_key`` as SQL, for answers that are there already.
_SOURCE = """
UPDATE ai_analyses SET source = CASE
  WHEN {said} = 'none' OR analyzer = 'none' THEN 'none'
  WHEN analyzer LIKE 'rules %' AND {said} <> '' THEN substr({said}, 1, 200)
  ELSE substr(analyzer || '/' || {said}, 1, 200) END
"""


def upgrade() -> None:
    _learn()
    _automate()


def _learn() -> None:
    with op.batch_alter_table("ai_analyses", schema=None) as batch_op:
        batch_op.add_column(sa.Column("source", sa.String(length=200), server_default=sa.text("'none'"), nullable=False))
        batch_op.add_column(sa.Column("calibrated", sa.Double(), nullable=True))
        batch_op.create_index("ix_ai_analyses_source", ["source"], unique=False)
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    value = "json_extract(analysis, '$.source')" if is_sqlite else "analysis ->> 'source'"
    op.execute(_SOURCE.format(said=f"coalesce({value}, '')"))
    with op.batch_alter_table("repairs", schema=None) as batch_op:
        batch_op.add_column(sa.Column("confidence", sa.Double(), nullable=True))
        batch_op.add_column(sa.Column("calibrated", sa.Double(), nullable=True))
        batch_op.add_column(sa.Column("automatic", sa.Boolean(), server_default=sa.false(), nullable=False))
    suggestions = "SELECT a.suggestions FROM ai_analyses a WHERE a.id = repairs.analysis_id"
    if is_sqlite:
        path = "'$[' || suggestion_index || '].confidence'"
        op.execute(f"UPDATE repairs SET confidence = json_extract(({suggestions}), {path})")
    else:
        op.execute(f"UPDATE repairs SET confidence = (({suggestions}) -> suggestion_index ->> 'confidence')::float")


def _automate() -> None:
    levels = ("OFF", "EXPLAIN", "PROPOSE", "VERIFY", "PUBLISH")
    outcomes = ("WORKING", "EXPLAINED", "PROPOSED", "REPAIR", "SKIPPED", "REPEATED")
    op.create_table(
        "automation_stops",
        sa.Column("scope", sa.String(length=60), nullable=False),
        sa.Column("user_id", sa.String(length=32), nullable=True),
        sa.Column("created_at", columns.UtcDateTime(), server_default=columns.Now(), nullable=False),
        sa.PrimaryKeyConstraint("scope", name=op.f("pk_automation_stops")),
    )
    op.create_table(
        "workflow_automation",
        sa.Column("workflow_id", sa.String(length=32), nullable=False),
        sa.Column("level", _enum(levels, "automation_level"), nullable=False),
        sa.Column("set_by", sa.String(length=32), nullable=True),
        sa.Column("set_at", columns.UtcDateTime(), nullable=False),
        sa.Column("lowered_at", columns.UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("workflow_id", name=op.f("pk_workflow_automation")),
        sa.ForeignKeyConstraint(
            ["workflow_id"], ["workflows.id"], name=op.f("fk_workflow_automation_workflow_id_workflows"), ondelete="CASCADE"
        ),
    )
    op.create_table(
        "automation_runs",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("user_id", sa.String(length=32), nullable=False),
        sa.Column("workflow_id", sa.String(length=32), nullable=False),
        sa.Column("execution_id", sa.String(length=32), nullable=False),
        sa.Column("fingerprint_case", sa.String(length=32), nullable=True),
        sa.Column("level", _enum(levels, "run_level"), nullable=False),
        sa.Column("outcome", _enum(outcomes, "run_outcome"), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=True),
        sa.Column("details", columns.Json, server_default="{}", nullable=False),
        sa.Column("analysis_id", sa.String(length=32), nullable=True),
        sa.Column("repair_id", sa.String(length=32), nullable=True),
        sa.Column("suggestion_index", sa.Integer(), nullable=True),
        sa.Column("digest", sa.String(length=64), nullable=True),
        sa.Column("dismissed_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_at", columns.UtcDateTime(), server_default=columns.Now(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_automation_runs")),
        _owned("user_id", "users"),
        _owned("workflow_id", "workflows"),
        _owned("execution_id", "executions"),
        _owned("analysis_id", "ai_analyses", "SET NULL"),
        _owned("repair_id", "repairs", "SET NULL"),
        sa.UniqueConstraint("execution_id", name=op.f("uq_automation_runs_execution_id")),
    )
    with op.batch_alter_table("automation_runs", schema=None) as batch_op:
        batch_op.create_index(
            "ix_automation_runs_page", ["user_id", sa.literal_column("created_at DESC"), sa.literal_column("id DESC")], unique=False
        )
        batch_op.create_index("ix_automation_runs_failure", ["workflow_id", "fingerprint_case", "created_at"], unique=False)
        batch_op.create_index("ix_automation_runs_analysis_id", ["analysis_id"], unique=False)
        batch_op.create_index("ix_automation_runs_repair_id", ["repair_id"], unique=False)


def _enum(values: tuple[str, ...], name: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=16)


def _owned(column: str, table: str, ondelete: str = "CASCADE") -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_automation_runs_{column}_{table}")
    return sa.ForeignKeyConstraint([column], [f"{table}.id"], name=name, ondelete=ondelete)


def downgrade() -> None:
    op.drop_table("automation_runs")
    op.drop_table("workflow_automation")
    op.drop_table("automation_stops")
    with op.batch_alter_table("repairs", schema=None) as batch_op:
        batch_op.drop_column("automatic")
        batch_op.drop_column("calibrated")
        batch_op.drop_column("confidence")
    with op.batch_alter_table("ai_analyses", schema=None) as batch_op:
        batch_op.drop_index("ix_ai_analyses_source")
        batch_op.drop_column("calibrated")
        batch_op.drop_column("source")
