"""The append-only log of what was done."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from hub.columns import Created, Json, Key
from hub.extensions import Model


class AuditLog(Created, Model):
    """One event. ``user_id`` is no foreign key: the log outlives the user."""

    __tablename__ = "audit_logs"
    __table_args__ = (
        sa.Index("ix_audit_logs_user_id", "user_id"),
        sa.Index("ix_audit_logs_action", "action"),
        sa.Index("idx_audit_logs_user_action", "user_id", "action"),
        sa.Index("idx_audit_logs_created", sa.column("created_at").desc()),
        sa.Index("ix_audit_logs_user_page", "user_id", sa.column("created_at").desc(), sa.column("id").desc()),
    )

    id: Mapped[Key]
    user_id: Mapped[str | None] = mapped_column(sa.String(32))
    action: Mapped[str] = mapped_column(sa.String(80))
    resource: Mapped[str] = mapped_column(sa.String(80))
    resource_id: Mapped[str | None] = mapped_column(sa.String(80))
    ip_address: Mapped[str | None] = mapped_column(sa.String(45))
    user_agent: Mapped[str | None] = mapped_column(sa.String(400))
    success: Mapped[bool]
    details: Mapped[dict[str, Any] | None] = mapped_column(Json)
