"""Analyses of failures, and the repairs made from them."""

from __future__ import annotations

import datetime as dt
import enum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from hub.columns import Created, Flag, Json, JsonList, Key, Timestamps, UtcDateTime, enum_column
from hub.encrypted_columns import encrypted_column
from hub.extensions import Model


class AiAnalysis(Created, Model):
    """One diagnosis. ``error_data`` is the evidence, ``analysis`` the ``Diagnosis``, both as JSON."""

    __tablename__ = "ai_analyses"
    __table_args__ = (
        sa.Index("ix_ai_analyses_user_id", "user_id"),
        sa.Index("ix_ai_analyses_execution_id", "execution_id"),
        sa.Index("ix_ai_analyses_fingerprint", "user_id", "fingerprint"),
        sa.Index("ix_ai_analyses_source", "source"),
        sa.Index("ix_ai_analyses_page", "user_id", sa.column("created_at").desc(), sa.column("id").desc()),
    )

    id: Mapped[Key]
    user_id: Mapped[str] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"))
    execution_id: Mapped[str | None] = mapped_column(sa.ForeignKey("executions.id", ondelete="SET NULL"))
    error_data: Mapped[dict[str, Any]] = mapped_column(Json, deferred=True)
    request_data: Mapped[dict[str, Any] | None] = mapped_column(Json)
    analysis: Mapped[dict[str, Any]] = mapped_column(Json)
    suggestions: Mapped[list[Any]] = mapped_column(Json)
    confidence: Mapped[float]
    applied: Mapped[Flag]
    helpful: Mapped[bool | None]
    # Ours: see docs/data-model.md.
    analyzer: Mapped[str] = mapped_column(sa.String(60))
    cause: Mapped[str] = mapped_column(sa.String(60))
    node: Mapped[str | None] = mapped_column(sa.Text)
    #: Rule id, or version of a model, whose cases are counted together; see ``learning.source_key``.
    source: Mapped[str] = mapped_column(sa.String(200), default="none", server_default=sa.text("'none'"))
    #: P(cause right) as it was first shown; ``confidence`` is the analyzer's own number.
    calibrated: Mapped[float | None]
    #: What the failure was about when there is no execution row (a file): the workflow's name.
    title: Mapped[str] = mapped_column(sa.Text, default="", server_default=sa.text("''"))
    #: Marks of the failure (``hub.executions.fingerprint``); NULL where it came from a file or nothing is known of it.
    fingerprint: Mapped[str | None] = mapped_column(sa.String(32))
    fingerprint_case: Mapped[str | None] = mapped_column(sa.String(32))
    #: Whether it is one of the month's analyses that a plan limits: not of the sample, and not what a model added.
    counted: Mapped[Flag]


class RepairState(enum.StrEnum):
    """Where a repair stands; the last four are final."""

    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    APPLIED = "APPLIED"
    ROLLED_BACK = "ROLLED_BACK"
    REFUSED = "REFUSED"
    #: The repair failed and the old workflow could not be put back: a person has to look.
    STUCK = "STUCK"


class Verdict(enum.StrEnum):
    """What the retry proved."""

    VERIFIED = "verified"
    PARTIAL = "partial"
    UNPROVEN = "unproven"
    FAILED = "failed"
    REGRESSED = "regressed"


class Repair(Timestamps, Model):
    """One attempt to apply a suggestion (ours). Every step is stored before it is made, so a killed worker can go on."""

    __tablename__ = "repairs"
    __table_args__ = (sa.Index("ix_repairs_analysis_id", "analysis_id"), sa.Index("ix_repairs_state", "state"))

    id: Mapped[Key]
    analysis_id: Mapped[str] = mapped_column(sa.ForeignKey("ai_analyses.id", ondelete="CASCADE"))
    user_id: Mapped[str] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"))
    suggestion_index: Mapped[int]
    #: Hash of the diff that the person saw and agreed to.
    digest: Mapped[str] = mapped_column(sa.String(64))
    state: Mapped[RepairState] = mapped_column(
        enum_column(RepairState, "repair_state"), default=RepairState.QUEUED, server_default=RepairState.QUEUED
    )
    step: Mapped[str] = mapped_column(sa.String(40), default="queued", server_default="queued")
    verdict: Mapped[Verdict | None] = mapped_column(enum_column(Verdict, "verdict"))
    #: The workflow document before the repair, for the way back.
    pre_image: Mapped[dict[str, Any] | None] = mapped_column(Json, deferred=True)
    pre_version_id: Mapped[str | None] = mapped_column(sa.String(64))
    new_version_id: Mapped[str | None] = mapped_column(sa.String(64))
    went_live: Mapped[Flag]
    retry_n8n_execution_id: Mapped[str | None] = mapped_column(sa.String(80))
    #: Applied without proof: the version whose next run proves it. None where nothing is waited for.
    awaits_version: Mapped[str | None] = mapped_column(sa.String(64), index=True)
    #: Runs that began up to then were looked at already.
    awaits_since: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    #: What happened, step by step: ``[{"at", "step", "note"}]``.
    log: Mapped[JsonList]
    message: Mapped[str | None] = mapped_column(sa.Text)
    #: The suggestion's own number and P(fix works) as it was shown, both from before the repair.
    confidence: Mapped[float | None]
    calibrated: Mapped[float | None]
    #: True where nobody pressed the button.
    automatic: Mapped[Flag]
    finished_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)


PRE_IMAGE = encrypted_column(Repair, "pre_image", inside="sealed")


class AutomationStop(Created, Model):
    """Automation is stopped for a scope (ours): ``hub``, ``user:<id>`` or ``instance:<id>``. No row, no stop."""

    __tablename__ = "automation_stops"

    scope: Mapped[str] = mapped_column(sa.String(60), primary_key=True)
    #: Who stopped it; None where it was the command line.
    user_id: Mapped[str | None] = mapped_column(sa.String(32))
