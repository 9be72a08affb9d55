"""What the first page says, in few queries: how the servers are, how much ran and failed, and what to look at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from hub.analyses.models import AiAnalysis
from hub.automation.services import RunRow, Switch, get_switch, list_waiting
from hub.contracts.actor import Actor
from hub.executions.models import ExecutionStatus
from hub.executions.services import ExecutionRow, list_executions
from hub.executions.trends import (
    DayCount,
    FailingWorkflow,
    RecentCounts,
    count_by_day,
    count_recent,
    count_suspicious,
    list_most_failing,
)
from hub.extensions import db
from hub.instances.models import Instance
from hub.instances.services import list_instances
from hub.workflows.models import Workflow

SHOWN_INSTANCES = 8
SHOWN_FAILURES = 6
SHOWN_WAITING = 5


@dataclass(frozen=True, slots=True)
class Explained:
    """An analysis of a failure, as far as a list shows it."""

    analysis_id: str
    cause: str


@dataclass(frozen=True, slots=True)
class Overview:
    """Everything on the dashboard. ``explained`` is by execution id, for the failures that were analysed, be it elsewhere."""

    instances: Sequence[Instance]
    more_instances: bool
    active_workflows: int
    workflows: int
    recent: RecentCounts
    days: list[DayCount]
    failures: Sequence[ExecutionRow]
    explained: dict[str, Explained]
    most_failing: Sequence[FailingWorkflow]
    #: Successes of 7 days that look wrong.
    suspicious: int
    waiting: Sequence[RunRow]
    switch: Switch


def get_overview(actor: Actor) -> Overview:
    """The dashboard of one person. A new account gets empty lists and zeros."""
    instances = list_instances(actor, limit=SHOWN_INSTANCES)
    active, total = _count_workflows(actor)
    failures = list_executions(actor, status=ExecutionStatus.FAILED, limit=SHOWN_FAILURES).rows
    return Overview(
        instances=instances.rows,
        more_instances=instances.next_cursor is not None,
        active_workflows=active,
        workflows=total,
        recent=count_recent(actor),
        days=count_by_day(actor),
        failures=failures,
        explained=_find_explained(actor, failures),
        most_failing=list_most_failing(actor),
        suspicious=count_suspicious(actor),
        waiting=list_waiting(actor, limit=SHOWN_WAITING),
        switch=get_switch(actor),
    )


def _count_workflows(actor: Actor) -> tuple[int, int]:
    """(active, all) of the workflows that n8n still has."""
    active = sa.func.coalesce(sa.func.sum(sa.case((Workflow.active, 1), else_=0)), 0)
    statement = (
        sa.select(active, sa.func.count())
        .select_from(Workflow)
        .join(Instance, Instance.id == Workflow.instance_id)
        .where(Instance.user_id == actor.user_id, Workflow.vanished_at.is_(None), Workflow.is_archived.is_(False))
    )
    found, total = db.session.execute(statement).one()
    return int(found), int(total)


def _find_explained(actor: Actor, rows: Sequence[ExecutionRow]) -> dict[str, Explained]:
    """The newest analysis of each execution that has one, else of another one with the same fingerprint."""
    if not rows:
        return {}
    ids, fingerprints = [row.id for row in rows], [row.fingerprint for row in rows if row.fingerprint]
    statement = (
        sa.select(AiAnalysis.execution_id, AiAnalysis.fingerprint, AiAnalysis.id, AiAnalysis.cause)
        .where(
            AiAnalysis.user_id == actor.user_id,
            sa.or_(AiAnalysis.execution_id.in_(ids), AiAnalysis.fingerprint.in_(fingerprints)),
        )
        .order_by(AiAnalysis.created_at)
    )
    known: dict[str | None, Explained] = {}
    for execution_id, fingerprint, key, cause in db.session.execute(statement):
        known[execution_id] = known[fingerprint] = Explained(key, cause)
    found = {row.id: known.get(row.id) or known.get(row.fingerprint or row.id) for row in rows}
    return {key: explained for key, explained in found.items() if explained}
