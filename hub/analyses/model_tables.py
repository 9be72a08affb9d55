"""What models were asked, what it cost, and how much each person may ask."""

from __future__ import annotations

import datetime as dt
import enum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from hub.accounts.models import Plan
from hub.columns import Count, Created, Flag, Json, JsonList, Key, Timestamps, UtcDateTime, enum_column
from hub.extensions import Model


class CallState(enum.StrEnum):
    """Where a question stands; the last two are final."""

    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    DONE = "DONE"
    FAILED = "FAILED"


class ModelCall(Created, Model):
    """One question to a model (ours). It is written before it leaves, so that none is paid for without a trace."""

    __tablename__ = "model_calls"
    __table_args__ = (
        sa.Index("ix_model_calls_user_month", "user_id", "created_at"),
        sa.Index("ix_model_calls_analysis_id", "analysis_id"),
        sa.Index("ix_model_calls_answer_id", "answer_id"),
        sa.Index("ix_model_calls_cache", "user_id", "cache_key"),
    )

    id: Mapped[Key]
    user_id: Mapped[str] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"))
    #: The analysis that left the failure open, and the one that was made of the answer.
    analysis_id: Mapped[str | None] = mapped_column(sa.ForeignKey("ai_analyses.id", ondelete="SET NULL"))
    answer_id: Mapped[str | None] = mapped_column(sa.ForeignKey("ai_analyses.id", ondelete="SET NULL"))
    analyzer: Mapped[str] = mapped_column(sa.String(80))
    model: Mapped[str] = mapped_column(sa.String(200))
    state: Mapped[CallState] = mapped_column(
        enum_column(CallState, "model_call_state"), default=CallState.QUEUED, server_default=CallState.QUEUED
    )
    stage: Mapped[str | None] = mapped_column(sa.String(40))
    #: Whether a kept answer must not serve.
    fresh: Mapped[Flag]
    from_cache: Mapped[Flag]
    cache_key: Mapped[str | None] = mapped_column(sa.String(64))
    #: Lives of the worker that began to ask.
    attempts: Mapped[Count]
    #: The exact bodies that left, in order.
    sent: Mapped[list[Any]] = mapped_column(Json, default=list, server_default="[]", deferred=True)
    content: Mapped[str | None] = mapped_column(sa.Text, deferred=True)
    #: ``LocalizedText`` each: what was left out of the answer, and what a person should know of the call.
    notes: Mapped[JsonList]
    #: ``ModelFailure``; None where there is an answer.
    failure: Mapped[dict[str, Any] | None] = mapped_column(Json)
    tokens_in: Mapped[Count]
    tokens_out: Mapped[Count]
    #: Whether the tokens are the hub's estimate, because the server counted none or its answer was lost.
    is_estimate: Mapped[Flag]
    cost: Mapped[float | None]
    seconds: Mapped[float | None]
    finished_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)


class ModelLimit(Timestamps, Model):
    """What the people of a plan, or one person, may ask in a month (ours). None means: no limit."""

    __tablename__ = "model_limits"

    id: Mapped[Key]
    plan: Mapped[Plan | None] = mapped_column(enum_column(Plan, "model_limit_plan"), unique=True)
    user_id: Mapped[str | None] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"), unique=True)
    monthly_questions: Mapped[int | None]
    monthly_tokens: Mapped[int | None] = mapped_column(sa.BigInteger)
