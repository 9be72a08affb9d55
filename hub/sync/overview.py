"""What the instance pages show beside the instances themselves: counts and how each sync stands. Three queries at any size."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from hub.columns import utc_now
from hub.executions.models import Execution, ExecutionStatus
from hub.extensions import db
from hub.jobs.models import Job, JobState
from hub.sync.progress import Progress, read_progress, sync_key
from hub.workflows.models import Workflow

FAILURE_PERIOD = dt.timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Overview:
    """One instance's numbers. ``job`` is its queued or running sync, None where there is none."""

    workflows: int
    failures: int
    job: Progress | None


def overview_instances(instance_ids: Sequence[str]) -> dict[str, Overview]:
    """The numbers of instances that the caller may see: present workflows, and failures of the last 24 hours."""
    workflows = _count(Workflow.instance_id, Workflow.instance_id.in_(instance_ids), Workflow.vanished_at.is_(None))
    failures = _count(
        Execution.instance_id,
        Execution.instance_id.in_(instance_ids),
        Execution.status == ExecutionStatus.FAILED,
        Execution.started_at >= utc_now() - FAILURE_PERIOD,
    )
    jobs = find_sync_jobs(instance_ids)
    return {
        instance_id: Overview(workflows.get(instance_id, 0), failures.get(instance_id, 0), jobs.get(instance_id))
        for instance_id in instance_ids
    }


def find_sync_jobs(instance_ids: Sequence[str]) -> dict[str, Progress]:
    """The queued or running sync of each instance that has one."""
    keys = {sync_key(instance_id): instance_id for instance_id in instance_ids}
    active = (JobState.QUEUED, JobState.RUNNING)
    found = db.session.scalars(sa.select(Job).where(Job.unique_key.in_(keys), Job.state.in_(active)))
    return {keys[job.unique_key]: read_progress(job) for job in found if job.unique_key is not None}


def _count(column: sa.orm.InstrumentedAttribute[str], *conditions: sa.ColumnElement[bool]) -> dict[str, int]:
    rows = db.session.execute(sa.select(column, sa.func.count()).where(*conditions).group_by(column))
    return {row[0]: row[1] for row in rows}
