"""Workflows as n8n has them, and their earlier versions."""

from __future__ import annotations

import datetime as dt
import enum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from hub.columns import Count, Created, Flag, Json, JsonList, JsonObject, Key, TextList, Timestamps, UtcDateTime, enum_column
from hub.extensions import Model


class Workflow(Timestamps, Model):
    """One workflow. ``nodes``/``connections``/``settings`` are the draft; what runs live is the newest LIVE version."""

    __tablename__ = "workflows"
    __table_args__ = (
        sa.UniqueConstraint("instance_id", "n8n_id"),
        sa.Index("idx_workflows_instance", "instance_id"),
        sa.Index("ix_workflows_active", "active"),
        sa.Index("ix_workflows_page", "instance_id", "name", "id"),
    )

    id: Mapped[Key]
    instance_id: Mapped[str] = mapped_column(sa.ForeignKey("instances.id", ondelete="CASCADE"))
    n8n_id: Mapped[str] = mapped_column(sa.String(64))
    name: Mapped[str] = mapped_column(sa.Text)
    active: Mapped[Flag]
    nodes: Mapped[list[Any]] = mapped_column(Json, deferred=True)
    connections: Mapped[dict[str, Any]] = mapped_column(Json, deferred=True)
    settings: Mapped[JsonObject] = mapped_column(deferred=True)
    tags: Mapped[TextList]
    total_executions: Mapped[Count]
    successful_executions: Mapped[Count]
    # Ours: see docs/data-model.md.
    is_archived: Mapped[Flag]
    node_count: Mapped[Count]
    version_id: Mapped[str | None] = mapped_column(sa.String(64))
    active_version_id: Mapped[str | None] = mapped_column(sa.String(64))
    #: Hash over all that n8n can change about a workflow; equal means nothing to write.
    content_hash: Mapped[str] = mapped_column(sa.String(64), default="", server_default=sa.text("''"))
    n8n_created_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    n8n_updated_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    #: When a complete scan (confirmed by a 404) no longer found it. The row and its executions stay.
    vanished_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    last_execution_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    #: ``[id, name, kind]`` in n8n of each credential that the draft or what runs live uses.
    credentials: Mapped[JsonList] = mapped_column(deferred=True)


class VersionKind(enum.StrEnum):
    """Whether a version was seen as the draft or as what runs live."""

    DRAFT = "DRAFT"
    LIVE = "LIVE"


class WorkflowVersion(Created, Model):
    """A version of a workflow as it was seen (ours). One row per workflow, kind and content."""

    __tablename__ = "workflow_versions"
    __table_args__ = (
        sa.UniqueConstraint("workflow_id", "kind", "content_hash"),
        sa.Index("ix_workflow_versions_page", "workflow_id", "created_at"),
    )

    id: Mapped[Key]
    workflow_id: Mapped[str] = mapped_column(sa.ForeignKey("workflows.id", ondelete="CASCADE"))
    kind: Mapped[VersionKind] = mapped_column(enum_column(VersionKind, "version_kind"))
    content_hash: Mapped[str] = mapped_column(sa.String(64))
    n8n_version_id: Mapped[str | None] = mapped_column(sa.String(64))
    name: Mapped[str] = mapped_column(sa.Text)
    nodes: Mapped[list[Any]] = mapped_column(Json)
    connections: Mapped[dict[str, Any]] = mapped_column(Json)
    settings: Mapped[dict[str, Any]] = mapped_column(Json)
