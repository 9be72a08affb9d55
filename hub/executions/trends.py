"""How executions went over time: counts for the dashboard and for the page of one workflow."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from hub.columns import utc_now
from hub.contracts.actor import Actor
from hub.executions.models import IS_SUSPICIOUS, Execution, ExecutionStatus
from hub.extensions import db
from hub.instances.models import Instance
from hub.workflows.models import Workflow

DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class DayCount:
    """Executions that began on one day (UTC) and have ended: ``good`` succeeded, ``bad`` failed."""

    day: dt.date
    good: int
    bad: int

    @property
    def total(self) -> int:
        return self.good + self.bad


@dataclass(frozen=True, slots=True)
class RecentCounts:
    """Executions of the last 24 hours, and how many there were in the 24 hours before."""

    total: int
    failed: int
    finished: int
    total_before: int

    @property
    def failure_rate(self) -> float | None:
        """Failed ones among those that have ended, 0..1; None while none has."""
        return self.failed / self.finished if self.finished else None


@dataclass(frozen=True, slots=True)
class FailingWorkflow:
    """A workflow with its failures of a week and the words of the last one."""

    id: str
    name: str
    instance_name: str
    failures: int
    last_failure: dt.datetime


def _owned(actor: Actor) -> sa.ColumnElement[bool]:
    return Execution.instance_id.in_(sa.select(Instance.id).where(Instance.user_id == actor.user_id))


def _count_of(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    return sa.func.coalesce(sa.func.sum(sa.case((condition, 1), else_=0)), 0)


def count_by_day(actor: Actor, *, workflow_id: str | None = None, days: int = 14) -> list[DayCount]:
    """One entry for each of the last ``days`` days, today included, oldest first; days without executions are zero."""
    today = utc_now().date()
    first = today - (days - 1) * DAY
    started = Execution.started_at
    day = sa.func.date(started if db.engine.dialect.name == "sqlite" else sa.func.timezone("UTC", started))
    statement = (
        sa.select(
            day,
            _count_of(Execution.status == ExecutionStatus.SUCCESS),
            _count_of(Execution.status == ExecutionStatus.FAILED),
        )
        .where(_owned(actor), started >= dt.datetime.combine(first, dt.time(), dt.UTC))
        .group_by(day)
    )
    if workflow_id is not None:
        statement = statement.where(Execution.workflow_id == workflow_id)
    found = {str(key): (int(good), int(bad)) for key, good, bad in db.session.execute(statement)}
    wanted = [first + number * DAY for number in range(days)]
    return [DayCount(day, *found.get(day.isoformat(), (0, 0))) for day in wanted]


def count_recent(actor: Actor) -> RecentCounts:
    """Executions of the last 24 hours against those of the 24 hours before."""
    now = utc_now()
    recent = Execution.started_at >= now - DAY
    failed = sa.and_(recent, Execution.status == ExecutionStatus.FAILED)
    finished = sa.and_(recent, Execution.status.in_((ExecutionStatus.SUCCESS, ExecutionStatus.FAILED)))
    row = db.session.execute(
        sa.select(_count_of(recent), _count_of(failed), _count_of(finished), _count_of(sa.not_(recent))).where(
            _owned(actor), Execution.started_at >= now - 2 * DAY
        )
    ).one()
    return RecentCounts(*(int(value) for value in row))


def list_most_failing(actor: Actor, *, days: int = 7, limit: int = 5) -> Sequence[FailingWorkflow]:
    """The workflows with the most failures of the last ``days`` days."""
    failures = sa.func.count().label("failures")
    worst = (
        sa.select(Execution.workflow_id, failures, sa.func.max(Execution.started_at).label("last_failure"))
        .where(_owned(actor), Execution.status == ExecutionStatus.FAILED, Execution.started_at >= utc_now() - days * DAY)
        .group_by(Execution.workflow_id)
        .order_by(failures.desc(), Execution.workflow_id)
        .limit(limit)
        .subquery()
    )
    statement = (
        sa.select(Workflow.id, Workflow.name, Instance.name, worst.c.failures, worst.c.last_failure)
        .join(worst, worst.c.workflow_id == Workflow.id)
        .join(Instance, Instance.id == Workflow.instance_id)
        .order_by(worst.c.failures.desc(), Workflow.id)
    )
    return [FailingWorkflow(*row) for row in db.session.execute(statement)]


def list_retry_chain(actor: Actor, execution: Execution) -> Sequence[Execution]:
    """The execution that this one repeats, and the one that repeated it with success."""
    linked = [n8n_id for n8n_id in (execution.retry_of, execution.retry_success_id) if n8n_id]
    if not linked:
        return []
    statement = sa.select(Execution).where(
        _owned(actor), Execution.instance_id == execution.instance_id, Execution.n8n_execution_id.in_(linked)
    )
    return db.session.scalars(statement.order_by(Execution.started_at)).all()


def count_suspicious(actor: Actor, *, days: int = 7) -> int:
    """Successes of the last ``days`` days that look wrong, of those that were looked at."""
    recent = Execution.started_at > utc_now() - days * DAY
    statement = sa.select(sa.func.count()).select_from(Execution).where(_owned(actor), IS_SUSPICIOUS, recent)
    return db.session.scalar(statement) or 0
