"""The work queue of the embedded engine."""

from __future__ import annotations

import datetime as dt
import enum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from hub.columns import Count, Created, JsonObject, Key, Now, UtcDateTime, enum_column, utc_now
from hub.extensions import Model


class JobState(enum.StrEnum):
    """Where a job stands."""

    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    DONE = "DONE"
    FAILED = "FAILED"


class Job(Created, Model):
    """One piece of background work (ours). A RUNNING job whose lease has run out belongs to a dead worker and runs again."""

    __tablename__ = "jobs"
    __table_args__ = (
        sa.Index("ix_jobs_due", "state", "run_at", "id"),
        # At most one queued or running job per key, e.g. one sync an instance.
        sa.Index(
            "uq_jobs_unique_key",
            "unique_key",
            unique=True,
            sqlite_where=sa.text("state IN ('QUEUED', 'RUNNING')"),
            postgresql_where=sa.text("state IN ('QUEUED', 'RUNNING')"),
        ),
    )

    id: Mapped[Key]
    name: Mapped[str] = mapped_column(sa.String(80))
    arguments: Mapped[JsonObject]
    unique_key: Mapped[str | None] = mapped_column(sa.String(120))
    state: Mapped[JobState] = mapped_column(
        enum_column(JobState, "job_state"), default=JobState.QUEUED, server_default=JobState.QUEUED
    )
    run_at: Mapped[dt.datetime] = mapped_column(UtcDateTime, default=utc_now, server_default=Now())
    lease_until: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    attempts: Mapped[Count]
    done: Mapped[Count]
    total: Mapped[int | None]
    note: Mapped[str | None] = mapped_column(sa.Text)
    error: Mapped[str | None] = mapped_column(sa.Text)
    finished_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
