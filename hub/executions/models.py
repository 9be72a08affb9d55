"""Executions of workflows."""

from __future__ import annotations

import datetime as dt
import enum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from hub.columns import Json, Key, UtcDateTime, enum_column
from hub.extensions import Model


class ExecutionStatus(enum.StrEnum):
    """The seed's five states; ``n8n_status`` keeps n8n's own word (error, crashed, new, ...)."""

    RUNNING = "RUNNING"
    SUCCESS = "SUCCESS"
    FAILED = "FAILED"
    WAITING = "WAITING"
    CANCELED = "CANCELED"


class DetailState(enum.StrEnum):
    """Whether ``data`` and ``error`` were read from n8n."""

    NONE = "NONE"
    STORED = "STORED"
    TRUNCATED = "TRUNCATED"
    UNAVAILABLE = "UNAVAILABLE"


#: Conditions of partial indexes. A statement has to say them word for word, because a parameter would hide the index.
#: Not ``fingerprint > ''``: SQLite would take it for a range and walk an instance's failures for each fingerprint asked for.
IS_FAILURE = sa.text("fingerprint <> ''")
HURTS_CREDENTIAL = sa.text("credential_id IS NOT NULL")
IS_UNMARKED = sa.text("fingerprint IS NULL AND detail_state IN ('STORED', 'TRUNCATED')")
HAS_DETAIL = sa.text("detail_state IN ('STORED', 'TRUNCATED')")


def _partial_index(name: str, condition: sa.TextClause, *columns: str) -> sa.Index:
    return sa.Index(name, *columns, sqlite_where=condition, postgresql_where=condition)


class Execution(Model):
    """One run of a workflow. ``data`` is n8n's ``data`` + ``workflowData``, redacted and capped; read for failures only."""

    __tablename__ = "executions"
    __table_args__ = (
        sa.UniqueConstraint("workflow_id", "n8n_execution_id"),
        sa.Index("ix_executions_workflow_id", "workflow_id"),
        sa.Index("ix_executions_status", "status"),
        sa.Index("idx_executions_started_at", sa.column("started_at").desc()),
        sa.Index("idx_executions_workflow_status", "workflow_id", "status"),
        sa.Index("ix_executions_page", "instance_id", sa.column("started_at").desc(), sa.column("id").desc()),
        sa.Index("ix_executions_status_page", "instance_id", "status", sa.column("started_at").desc(), sa.column("id").desc()),
        sa.Index("ix_executions_workflow_page", "workflow_id", sa.column("started_at").desc(), sa.column("id").desc()),
        sa.Index("ix_executions_remote", "instance_id", "n8n_execution_id"),
        # These hold all that the page of failures counts, so that it never reads the rows.
        _partial_index("ix_executions_failure", IS_FAILURE, "instance_id", "fingerprint", "started_at", "workflow_id"),
        _partial_index("ix_executions_credential", HURTS_CREDENTIAL, "instance_id", "credential_id", "started_at", "workflow_id"),
        _partial_index("ix_executions_unmarked", IS_UNMARKED, "id"),
        _partial_index("ix_executions_detail", HAS_DETAIL, "instance_id", "started_at", "id"),
        sa.Index(
            "ix_executions_suspicious",
            "instance_id",
            sa.column("started_at").desc(),
            sa.column("id").desc(),
            sqlite_where=sa.text("suspicions > 0"),
            postgresql_where=sa.text("suspicions > 0"),
        ),
        sa.Index(
            "ix_executions_scanned",
            "workflow_id",
            sa.column("started_at").desc(),
            sqlite_where=sa.text("suspicions IS NOT NULL"),
            postgresql_where=sa.text("suspicions IS NOT NULL"),
        ),
    )

    id: Mapped[Key]
    workflow_id: Mapped[str] = mapped_column(sa.ForeignKey("workflows.id", ondelete="CASCADE"))
    #: Text, because newer n8n engines use UUIDs. Rows of an earlier epoch carry it as "<epoch>:<id>".
    n8n_execution_id: Mapped[str] = mapped_column(sa.String(80))
    status: Mapped[ExecutionStatus] = mapped_column(enum_column(ExecutionStatus, "execution_status"))
    mode: Mapped[str] = mapped_column(sa.String(20))
    data: Mapped[dict[str, Any] | None] = mapped_column(Json, deferred=True)
    error: Mapped[dict[str, Any] | None] = mapped_column(Json, deferred=True)
    started_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    finished_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    #: Seconds.
    duration: Mapped[float | None]
    # Ours: see docs/data-model.md.
    instance_id: Mapped[str] = mapped_column(sa.ForeignKey("instances.id", ondelete="CASCADE"))
    n8n_status: Mapped[str] = mapped_column(sa.String(20))
    retry_of: Mapped[str | None] = mapped_column(sa.String(80))
    retry_success_id: Mapped[str | None] = mapped_column(sa.String(80))
    wait_till: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    workflow_version_id: Mapped[str | None] = mapped_column(sa.String(64))
    detail_state: Mapped[DetailState] = mapped_column(
        enum_column(DetailState, "detail_state"), default=DetailState.NONE, server_default=DetailState.NONE
    )
    error_message: Mapped[str | None] = mapped_column(sa.Text)
    error_node: Mapped[str | None] = mapped_column(sa.Text)
    vanished_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    #: Marks of ``hub.executions.fingerprint``. NULL: not made yet; empty: no failure, or nothing known of it.
    fingerprint: Mapped[str | None] = mapped_column(sa.String(32))
    fingerprint_case: Mapped[str | None] = mapped_column(sa.String(32))
    error_node_type: Mapped[str | None] = mapped_column(sa.String(120))
    error_code: Mapped[str | None] = mapped_column(sa.String(40))
    #: n8n's id of the credential that was refused, where the failure says so.
    credential_id: Mapped[str | None] = mapped_column(sa.String(64))
    #: Signs that a success did not do its work (``suspicion.Finding`` as JSON), and how many; None where
    #: nobody has looked, -1 where its data was too large or gone.
    suspicion: Mapped[list[Any] | None] = mapped_column(Json, deferred=True)
    suspicions: Mapped[int | None]


#: A literal, not a parameter: the database uses a partial index only where it can prove its condition.
IS_SUSPICIOUS = Execution.suspicions > sa.literal_column("0")
