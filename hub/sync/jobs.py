"""Background work of the sync room."""

from __future__ import annotations

from hub.jobs.services import JobContext, job, periodic
from hub.sync.services import JOB, run_sync, schedule_syncs


@job(JOB)
def sync_instance(context: JobContext, instance_id: str) -> None:
    """Sync one instance; it may be killed at any point and run again."""
    run_sync(instance_id, context)


@periodic("sync.schedule", seconds=30)
def schedule(_context: JobContext) -> None:
    """Queue the syncs whose time has come."""
    schedule_syncs()
