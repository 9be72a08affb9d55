"""Syncs on demand and by the clock: queues them, runs them, and says how far they are."""

from __future__ import annotations

import datetime as dt
import random
import zlib
from collections.abc import Iterator

import sqlalchemy as sa
from blinker import Signal
from flask import current_app
from flask_babel import gettext as _

from hub.audit.services import record_event
from hub.columns import utc_now
from hub.contracts.actor import Actor
from hub.contracts.events import FailureEvent
from hub.contracts.sync import SyncStrategy
from hub.errors import Unavailable
from hub.extensions import db
from hub.instances.client import N8nClient, N8nError, NotN8n, RateLimited, ServerFault, Starting, TimedOut, Unreachable
from hub.instances.models import Instance
from hub.instances.services import get_connected_instance, get_instance, mark_connected, mark_down, mark_error, open_client
from hub.jobs.models import Job, JobState
from hub.jobs.registry import JobContext, RetryLater
from hub.jobs.services import enqueue, find_job
from hub.sync.engine import Counts, SyncRun, claim_run
from hub.sync.progress import Progress, read_progress, sync_key

JOB = "sync.instance"
#: Errors that often pass by themselves: the job is run again a few times before it has failed.
_TRANSIENT = (ServerFault, Starting, TimedOut, Unreachable)
#: Errors by which n8n does not answer at all.
_DOWN = (*_TRANSIENT, NotN8n)
_QUICK_RETRIES = 3
_RATE_LIMIT_PAUSE = 60.0
_LONGEST_PAUSE = dt.timedelta(hours=6)

#: Sent with the ``Instance`` in the transaction that notes it; once until a sync succeeds, or fails for another reason.
sync_failed = Signal("A sync was given up.")


def request_sync(actor: Actor, instance_id: str) -> Job:
    """Queue a sync now; the one that is queued or running if there is one. ``ReadOnly`` for a sample. Commits."""
    instance = get_connected_instance(actor, instance_id)
    job = enqueue(JOB, unique_key=sync_key(instance.id), instance_id=instance.id)
    if job.state is JobState.QUEUED:
        job.run_at = min(job.run_at, utc_now())
    record_event(actor, "instance.sync", "instance", instance.id, details={"job_id": job.id})
    db.session.commit()
    return job


def get_progress(actor: Actor, instance_id: str) -> Progress:
    """How the newest sync of one of the actor's instances stands."""
    instance = get_instance(actor, instance_id)
    return read_progress(find_job(sync_key(instance.id), active=False))


# --- Running ---------------------------------------------------------------------------------------------------------


def run_sync(instance_id: str, context: JobContext) -> Counts:
    """Bring an instance up to date, from wherever an earlier run stopped. Commits page by page.

    Raises ``RetryLater`` where n8n is likely to answer soon, ``Unavailable`` where it is not; either way the instance tells why.
    """
    instance = db.session.get(Instance, instance_id)
    if instance is None or instance.is_sample:
        return Counts()
    try:
        client = open_client(instance)
    except N8nError as error:
        raise _give_up(instance_id, error) from error
    strategy = _strategy()
    claim_run(instance)
    with client:
        run = SyncRun(instance, client, strategy, max_bytes=current_app.extensions["hub_config"].execution_max_bytes)
        try:
            run.run(lambda counts: _report(context, counts), _notify)
        except N8nError as error:
            raise _give_up(instance_id, error) from error
        _finish(instance_id, client)
    return run.counts


def _strategy() -> SyncStrategy:
    strategies: dict[str, SyncStrategy] = current_app.extensions["hub_plugins"].registry.strategies
    if not strategies:
        raise Unavailable(_("No sync strategy is enabled; see the plugins page."))
    return next(iter(strategies.values()))


def _report(context: JobContext, counts: Counts) -> None:
    numbers = f"{counts.phase} {counts.workflows} {counts.executions} {counts.details}"
    context.report(counts.position, counts.span, numbers)


def _notify(event: FailureEvent) -> None:
    current_app.extensions["hub_plugins"].notify("hub_failures_ingested", event=event)


def _finish(instance_id: str, client: N8nClient) -> None:
    instance = db.session.get(Instance, instance_id, populate_existing=True)
    if instance is not None:
        mark_connected(instance, client)
        instance.last_sync = utc_now()
        instance.sync_state = {**instance.sync_state, "failures": 0, "told_error": None}
        db.session.commit()


def _give_up(instance_id: str, error: N8nError) -> Exception:
    """Note the error on the instance; what to raise for the job."""
    instance = db.session.get(Instance, instance_id, populate_existing=True)
    if instance is None:
        return error
    mark_error(instance, error)
    failures = int(instance.sync_state.get("failures", 0)) + (not isinstance(error, RateLimited))
    instance.sync_state = {**instance.sync_state, "failures": failures}
    message = instance.last_error or error.code
    outcome: Exception = Unavailable(message)
    if isinstance(error, RateLimited):
        pause = _RATE_LIMIT_PAUSE if error.retry_after is None else max(error.retry_after, 1.0)
        outcome = RetryLater(pause, message)
    elif isinstance(error, _TRANSIENT) and failures <= _QUICK_RETRIES:
        # Full jitter, so that many instances behind one proxy do not come back together.
        outcome = RetryLater(random.uniform(1, 5 * 4**failures), message)  # noqa: S311 (no secret)
    else:
        _tell_failure(instance, error)
    db.session.commit()
    return outcome


def _tell_failure(instance: Instance, error: N8nError) -> None:
    """Say that the sync was given up: an n8n that does not answer, and each other reason once."""
    if isinstance(error, _DOWN):
        mark_down(instance)
    if instance.sync_state.get("told_error") != error.code:
        instance.sync_state = {**instance.sync_state, "told_error": error.code}
        sync_failed.send(instance)


# --- By the clock ----------------------------------------------------------------------------------------------------


def schedule_syncs() -> int:
    """Queue the instances whose time has come; how many. Commits."""
    due = list(_due_instances(utc_now()))
    for instance_id in due:
        enqueue(JOB, unique_key=sync_key(instance_id), instance_id=instance_id)
    db.session.commit()
    return len(due)


def _due_instances(now: dt.datetime) -> Iterator[str]:
    columns = (Instance.id, Instance.sync_interval_minutes, Instance.sync_state)
    for instance_id, minutes, state in db.session.execute(sa.select(*columns).where(Instance.is_sample.is_(False))):
        tried_at = state.get("tried_at")
        if tried_at is None or dt.datetime.fromisoformat(tried_at) + pause(instance_id, minutes, state.get("failures", 0)) <= now:
            yield instance_id


def pause(instance_id: str, minutes: int, failures: int) -> dt.timedelta:
    """The time between two syncs: the interval, a little spread by instance, and doubled with each failure in a row."""
    interval = dt.timedelta(minutes=minutes)
    spread = interval * 0.1 * (zlib.crc32(instance_id.encode()) % 1000) / 1000
    doublings = min(max(failures - _QUICK_RETRIES, 0), 10)
    return spread + max(interval, min(interval * (1 << doublings), _LONGEST_PAUSE))
