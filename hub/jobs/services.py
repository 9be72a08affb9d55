"""The work queue in the database: safe with any number of workers on any number of machines.

A job is claimed by one atomic UPDATE. The worker holds a lease and renews it; a job whose lease has run out belongs to a
dead worker and runs again. Each claim counts ``attempts`` up, and every later write of that run carries its number, so
that a run which was given up can't touch the job any more.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from hub.columns import utc_now
from hub.errors import NotFound
from hub.extensions import DEFERRED, db
from hub.identifiers import new_id
from hub.jobs.models import Job, JobState
from hub.jobs.registry import LANES, JobContext, Lane, RetryLater, job, periodic

__all__ = [
    "JobContext",
    "Lane",
    "RetryLater",
    "claim_job",
    "enqueue",
    "fail_exhausted_jobs",
    "find_job",
    "finish_job",
    "get_job",
    "has_due_job",
    "job",
    "periodic",
    "postpone_job",
    "prune_jobs",
    "renew_lease",
    "run_again",
]

LEASE = dt.timedelta(seconds=60)
#: How often a job that keeps losing its worker is run; afterwards it has FAILED.
MAX_ATTEMPTS = 5
KEEP_FINISHED = dt.timedelta(days=7)
_ACTIVE = (JobState.QUEUED, JobState.RUNNING)


def enqueue(
    name: str,
    *,
    unique_key: str | None = None,
    run_at: dt.datetime | None = None,
    job_id: str | None = None,
    **arguments: Any,
) -> Job:
    """Queue a job in the present transaction; the caller commits, so that the job is there exactly when the change is.

    Where a queued or running job has the ``unique_key`` already, that one is returned. ``job_id`` fixes the id: a job that
    exists under it, in whatever state, is returned.
    """
    insert = sqlite_insert if db.engine.dialect.name == "sqlite" else postgresql_insert
    row = {
        "id": job_id or new_id(),
        "name": name,
        "arguments": arguments,
        "unique_key": unique_key,
        "run_at": run_at or utc_now(),
    }
    while True:
        created = db.session.scalar(insert(Job).values(row).on_conflict_do_nothing().returning(Job))
        found = created or (db.session.get(Job, job_id) if job_id else None) or (find_job(unique_key) if unique_key else None)
        if found:  # else the one in the way has finished between the two statements
            return found


def get_job(job_id: str) -> Job:
    """The job as it stands; whether the actor may see it is for the room that queued it to check."""
    found = db.session.get(Job, job_id, populate_existing=True)
    if found is None:
        raise NotFound()
    return found


def find_job(unique_key: str, *, active: bool = True) -> Job | None:
    """The queued or running job with this key; with ``active`` False the newest one in any state."""
    statement = sa.select(Job).where(Job.unique_key == unique_key).order_by(Job.created_at.desc(), Job.id.desc()).limit(1)
    if active:
        statement = statement.where(Job.state.in_(_ACTIVE))
    return db.session.scalar(statement.execution_options(populate_existing=True))


def _is_due(now: dt.datetime, lane: Lane | None) -> sa.ColumnElement[bool]:
    waiting = sa.and_(Job.state == JobState.QUEUED, Job.run_at <= now)
    orphaned = sa.and_(Job.state == JobState.RUNNING, Job.lease_until < now, Job.attempts < MAX_ATTEMPTS)
    return sa.and_(sa.or_(waiting, orphaned), _is_in(lane))


def _is_in(lane: Lane | None) -> sa.ColumnElement[bool]:
    if lane is None:
        return sa.true()
    if lane is Lane.DEFAULT:
        return Job.name.not_in(list(LANES))
    return Job.name.in_([name for name, its_lane in LANES.items() if its_lane is lane])


def has_due_job(lane: Lane | None = None) -> bool:
    """Whether there is something to claim, in any lane or in that one. Takes no write lock, so it may be asked often."""
    db.session.connection(execution_options=DEFERRED)
    found = db.session.scalar(sa.select(Job.id).where(_is_due(utc_now(), lane)).limit(1))
    db.session.rollback()
    return found is not None


def claim_job(job_id: str | None = None, lane: Lane | None = None) -> Job | None:
    """Take the job that is due longest (of the lane), or that one, for ``LEASE``; None where there is none. Commits."""
    now = utc_now()
    due = sa.select(Job.id).where(_is_due(now, lane))
    if job_id is not None:
        due = due.where(Job.id == job_id)
    chosen = due.order_by(Job.run_at, Job.id).limit(1).with_for_update(skip_locked=True).scalar_subquery()
    claimed = db.session.scalar(
        sa.update(Job)
        .where(Job.id == chosen)
        .values(state=JobState.RUNNING, attempts=Job.attempts + 1, lease_until=now + LEASE, error=None)
        .returning(Job)
        .execution_options(synchronize_session=False, populate_existing=True)
    )
    db.session.commit()
    return claimed


def _update_own(context: JobContext, **values: Any) -> bool:
    """Change the job's row if it is still this run's. Commits."""
    own = sa.and_(Job.id == context.job_id, Job.attempts == context.attempt, Job.state == JobState.RUNNING)
    result = db.session.execute(sa.update(Job).where(own).values(**values).execution_options(synchronize_session=False))
    db.session.commit()
    return cast("sa.CursorResult[Any]", result).rowcount == 1


def renew_lease(context: JobContext) -> bool:
    """Heartbeat: extend the lease and store the progress. False when the job belongs to another run by now. Commits."""
    return _update_own(context, lease_until=utc_now() + LEASE, **context.describe())


def finish_job(context: JobContext, error: str | None = None) -> bool:
    """End the run: DONE, or FAILED with a message for the person. False when the job was another run's. Commits."""
    state = JobState.FAILED if error else JobState.DONE
    return _update_own(context, state=state, error=error, finished_at=utc_now(), lease_until=None, **context.describe())


def postpone_job(context: JobContext, seconds: float, message: str | None = None) -> bool:
    """Give the job back to the queue, to run again in ``seconds``. Commits."""
    run_at = utc_now() + dt.timedelta(seconds=seconds)
    return _update_own(context, state=JobState.QUEUED, run_at=run_at, error=message, lease_until=None, **context.describe())


def run_again(context: JobContext, run_at: dt.datetime) -> bool:
    """End the run and queue its job anew, in one transaction: for work that goes on for ever, where ``RetryLater`` would
    count healthy runs among those that lost their worker. False when the job was another run's. Commits."""
    own = sa.and_(Job.id == context.job_id, Job.attempts == context.attempt, Job.state == JobState.RUNNING)
    ended = {"state": JobState.DONE, "finished_at": utc_now(), "lease_until": None, **context.describe()}
    done = sa.update(Job).where(own).values(ended).returning(Job.name, Job.unique_key, Job.arguments)
    row = db.session.execute(done.execution_options(synchronize_session=False)).one_or_none()
    if row is not None:
        enqueue(row.name, unique_key=row.unique_key, run_at=run_at, **row.arguments)
    db.session.commit()
    return row is not None


def fail_exhausted_jobs() -> None:
    """Give up jobs that have lost their worker ``MAX_ATTEMPTS`` times: they probably kill it. Commits."""
    now = utc_now()
    exhausted = sa.and_(Job.state == JobState.RUNNING, Job.lease_until < now, Job.attempts >= MAX_ATTEMPTS)
    message = f"The worker stopped {MAX_ATTEMPTS} times while it ran this job."
    db.session.execute(
        sa.update(Job)
        .where(exhausted)
        .values(state=JobState.FAILED, error=message, finished_at=now, lease_until=None)
        .execution_options(synchronize_session=False)
    )
    db.session.commit()


def enqueue_tick(name: str, seconds: int) -> Job:
    """Queue the run of a periodic job for the present period. The id comes from the period: all workers queue the same one."""
    tick = int(utc_now().timestamp()) // seconds
    digest = hashlib.sha256(f"{name}@{tick}".encode()).hexdigest()
    queued = enqueue(name, unique_key=f"periodic:{name}", job_id="p" + digest[:24])
    db.session.commit()
    return queued


def prune_jobs() -> None:
    """Delete jobs that finished more than ``KEEP_FINISHED`` ago. Commits."""
    db.session.execute(
        sa.delete(Job)
        .where(Job.state.in_((JobState.DONE, JobState.FAILED)), Job.finished_at < utc_now() - KEEP_FINISHED)
        .execution_options(synchronize_session=False)
    )
    db.session.commit()
