"""What becomes of runs in time: those that lost their worker are called so, old ones are forgotten."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import sqlalchemy as sa

from hub.accounts.quotas import accounts_by_retention
from hub.audit.services import record_event
from hub.columns import utc_now
from hub.contracts.actor import SYSTEM
from hub.extensions import db
from hub.http_builder.models import RequestChainRun, RequestRun, RunState
from hub.http_builder.running.chains import interrupt_chain
from hub.http_builder.running.runs import ACTIVE, job_key, move, request_limits
from hub.jobs.models import Job, JobState

#: Longer than any run takes: its own time limit, twice for a digest, and a token before it.
ABANDONED_AFTER = dt.timedelta(minutes=10)
#: A transaction holds the one write lock of SQLite no longer than deleting so many takes.
BATCH = 200


def end_abandoned_runs() -> int:
    """Call INTERRUPTED what nothing works on any more: a command that was killed, a job that was given up. Commits."""
    before = utc_now() - ABANDONED_AFTER
    working = sa.select(Job.unique_key).where(Job.state.in_((JobState.QUEUED, JobState.RUNNING)), Job.unique_key.is_not(None))
    chains = sa.select(RequestChainRun.id).where(
        RequestChainRun.state.in_(ACTIVE),
        RequestChainRun.created_at < before,
        ("chain_run:" + RequestChainRun.id).not_in(working),
    )
    for chain_run_id in db.session.scalars(chains).all():
        interrupt_chain(chain_run_id)
    since = sa.func.coalesce(RequestRun.started_at, RequestRun.created_at, type_=RequestRun.created_at.type)
    runs = sa.select(RequestRun.id).where(
        RequestRun.state.in_(ACTIVE),
        RequestRun.chain_run_id.is_(None),
        since < before,
        (job_key("") + RequestRun.id).not_in(working),
    )
    ended = [run_id for run_id in db.session.scalars(runs).all() if move(run_id, ACTIVE, RunState.INTERRUPTED)]
    db.session.commit()
    return len(ended)


def prune_runs() -> int:
    """Forget runs too old for the plan of their owner, and of each request those beyond its newest. Answers how many; commits."""
    limits = request_limits()
    is_over = RequestRun.state.not_in(ACTIVE)
    kept = [(utc_now() - dt.timedelta(days=days), owners) for days, owners in accounts_by_retention(limits.keep_days).items()]
    rank = sa.func.row_number().over(
        partition_by=(RequestRun.user_id, RequestRun.request_id), order_by=(RequestRun.created_at.desc(), RequestRun.id.desc())
    )
    ranked = sa.select(RequestRun.id, rank.label("place")).where(is_over).subquery()
    surplus = sa.select(ranked.c.id).where(ranked.c.place > limits.keep_runs).limit(BATCH)
    deleted = _delete_all(surplus)
    ended = 0
    for before, owners in kept:
        old = sa.select(RequestRun.id).where(is_over, RequestRun.created_at < before, RequestRun.user_id.in_(owners))
        deleted += _delete_all(old.limit(BATCH))
        ended += _delete_chain_runs(before, owners)
    if deleted or ended:
        record_event(SYSTEM, "request_run.prune", "request_run", details={"runs": deleted, "chain_runs": ended})
    db.session.commit()
    return deleted


def _delete_chain_runs(before: dt.datetime, owners: sa.Select[str]) -> int:
    is_old = sa.and_(RequestChainRun.state.not_in(ACTIVE), RequestChainRun.created_at < before)
    gone = sa.delete(RequestChainRun).where(is_old, RequestChainRun.user_id.in_(owners)).returning(RequestChainRun.id)
    return len(db.session.scalars(gone.execution_options(synchronize_session=False)).all())


def _delete_all(batch: sa.Select[str]) -> int:
    count = 0
    while ids := _delete(db.session.scalars(batch).all()):
        count += ids
    return count


def _delete(run_ids: Sequence[str]) -> int:
    if run_ids:
        gone = sa.delete(RequestRun).where(RequestRun.id.in_(run_ids))
        db.session.execute(gone.execution_options(synchronize_session=False))
    db.session.commit()
    return len(run_ids)
