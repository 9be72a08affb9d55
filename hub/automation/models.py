"""How far the hub may go by itself with each workflow, and what it did."""

from __future__ import annotations

import datetime as dt
import enum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from hub.columns import Created, JsonObject, Key, UtcDateTime, enum_column
from hub.extensions import Model


class AutomationLevel(enum.StrEnum):
    """The rungs, each with all that stand before it."""

    OFF = "OFF"
    #: Each new kind of failure is analysed.
    EXPLAIN = "EXPLAIN"
    #: A change that would repair it waits for the person's click.
    PROPOSE = "PROPOSE"
    #: The change is saved as a draft and proven by a retry.
    VERIFY = "VERIFY"
    #: A change that is proven goes live.
    PUBLISH = "PUBLISH"

    @property
    def proposes(self) -> bool:
        """Whether changes are offered at all."""
        return self in (AutomationLevel.PROPOSE, AutomationLevel.VERIFY, AutomationLevel.PUBLISH)

    @property
    def repairs(self) -> bool:
        """Whether anything is changed in n8n by itself."""
        return self in (AutomationLevel.VERIFY, AutomationLevel.PUBLISH)


class RunOutcome(enum.StrEnum):
    """What became of one failed execution."""

    WORKING = "WORKING"
    EXPLAINED = "EXPLAINED"
    #: A change waits for a person; ``reason`` says why it was not made, where the level would allow it.
    PROPOSED = "PROPOSED"
    #: A repair was begun; how it ended stands there.
    REPAIR = "REPAIR"
    SKIPPED = "SKIPPED"
    #: The same failure was dealt with a short time before.
    REPEATED = "REPEATED"


class WorkflowAutomation(Model):
    """The level that a person set (ours). No row: off."""

    __tablename__ = "workflow_automation"

    workflow_id: Mapped[str] = mapped_column(sa.ForeignKey("workflows.id", ondelete="CASCADE"), primary_key=True)
    level: Mapped[AutomationLevel] = mapped_column(enum_column(AutomationLevel, "automation_level"))
    set_by: Mapped[str | None] = mapped_column(sa.String(32))
    #: Failures that began earlier are left alone.
    set_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    #: When the hub itself fell back to PROPOSE, because repairs did not hold.
    lowered_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)


class AutomationRun(Created, Model):
    """What the hub did by itself about one failed execution (ours)."""

    __tablename__ = "automation_runs"
    __table_args__ = (
        sa.UniqueConstraint("execution_id"),
        sa.Index("ix_automation_runs_page", "user_id", sa.column("created_at").desc(), sa.column("id").desc()),
        sa.Index("ix_automation_runs_failure", "workflow_id", "fingerprint_case", "created_at"),
        sa.Index("ix_automation_runs_analysis_id", "analysis_id"),
        sa.Index("ix_automation_runs_repair_id", "repair_id"),
    )

    id: Mapped[Key]
    user_id: Mapped[str] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"))
    workflow_id: Mapped[str] = mapped_column(sa.ForeignKey("workflows.id", ondelete="CASCADE"))
    execution_id: Mapped[str] = mapped_column(sa.ForeignKey("executions.id", ondelete="CASCADE"))
    #: The execution's (``hub.executions.fingerprint``): equal for the same failure of the same node with the same parameters.
    fingerprint_case: Mapped[str | None] = mapped_column(sa.String(32))
    #: The level at that time.
    level: Mapped[AutomationLevel] = mapped_column(enum_column(AutomationLevel, "run_level"))
    outcome: Mapped[RunOutcome] = mapped_column(enum_column(RunOutcome, "run_outcome"))
    #: A code of ``automation.words``, with what its sentence needs.
    reason: Mapped[str | None] = mapped_column(sa.String(40))
    details: Mapped[JsonObject]
    analysis_id: Mapped[str | None] = mapped_column(sa.ForeignKey("ai_analyses.id", ondelete="SET NULL"))
    repair_id: Mapped[str | None] = mapped_column(sa.ForeignKey("repairs.id", ondelete="SET NULL"))
    #: The proposed change: which suggestion, and the digest of its diff.
    suggestion_index: Mapped[int | None]
    digest: Mapped[str | None] = mapped_column(sa.String(64))
    dismissed_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
