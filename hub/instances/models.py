"""Connected n8n servers."""

from __future__ import annotations

import datetime as dt
import enum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from hub.columns import Count, Flag, JsonObject, Key, Timestamps, UtcDateTime, enum_column
from hub.encrypted_columns import encrypted_column
from hub.extensions import Model


class InstanceStatus(enum.StrEnum):
    """State of the connection as last seen."""

    CONNECTED = "CONNECTED"
    DISCONNECTED = "DISCONNECTED"
    ERROR = "ERROR"
    SYNCING = "SYNCING"


class Instance(Timestamps, Model):
    """A connected n8n server. ``api_key`` is an envelope of ``hub.crypto`` bound to this row."""

    __tablename__ = "instances"
    __table_args__ = (
        sa.UniqueConstraint("user_id", "url"),
        sa.Index("ix_instances_user_id", "user_id"),
        sa.Index("ix_instances_status", "status"),
        sa.Index("idx_instances_user_status", "user_id", "status"),
    )

    id: Mapped[Key]
    user_id: Mapped[str] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(sa.String(200))
    url: Mapped[str] = mapped_column(sa.String(2000))
    api_key: Mapped[str] = mapped_column(sa.Text)
    status: Mapped[InstanceStatus] = mapped_column(
        enum_column(InstanceStatus, "instance_status"),
        default=InstanceStatus.DISCONNECTED,
        server_default=InstanceStatus.DISCONNECTED,
    )
    version: Mapped[str | None] = mapped_column(sa.String(40))
    last_sync: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    last_error: Mapped[str | None] = mapped_column(sa.Text)
    # Ours: see docs/data-model.md.
    is_sample: Mapped[Flag]
    #: Machine-readable reason of ``last_error`` ("unauthorized", "not-n8n", "timeout", ...); None when all is well.
    error_code: Mapped[str | None] = mapped_column(sa.String(40))
    #: What the words of ``error_code`` need (an address, a status), so that they can be said in any language.
    error_details: Mapped[JsonObject]
    key_expires_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    #: What the instance and the key can do, as last found (``instances.features``).
    capabilities: Mapped[JsonObject]
    latency_ms: Mapped[float | None]
    sync_interval_minutes: Mapped[int] = mapped_column(default=5, server_default="5")
    #: Where the sync strategy stands; owned by ``hub.sync``.
    sync_state: Mapped[JsonObject]
    #: Counts how often execution ids were seen to start anew (a restored database); owned by ``hub.sync``.
    epoch: Mapped[Count]
    #: Since when n8n does not answer, after some patience; None while it does.
    down_since: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)


API_KEY = encrypted_column(Instance, "api_key")
