"""Background work of the HTTP builder."""

from __future__ import annotations

from hub.audit.services import record_event
from hub.contracts.actor import SYSTEM
from hub.extensions import db
from hub.http_builder import files, services
from hub.http_builder.importing.sources import remove_old_sources
from hub.http_builder.running import chains, retention, runs
from hub.http_builder.running.worker import run_queued
from hub.jobs.services import JobContext, Lane, job, periodic


@job(runs.JOB, lane=Lane.REQUESTS)
def send_request(_context: JobContext, run_id: str) -> None:
    """Send one request; a second run of this job only says that the first one was cut off."""
    run_queued(run_id)


@job(chains.JOB, lane=Lane.REQUESTS)
def run_chain(context: JobContext, chain_run_id: str) -> None:
    """Send the steps of a chain; a second run of this job only says that the first one was cut off."""
    chains.run_chain(chain_run_id, context)


@periodic("requests.abandoned", seconds=60)
def end_abandoned_runs(_context: JobContext) -> None:
    """Say of runs that nothing works on any more that they were interrupted."""
    retention.end_abandoned_runs()


@periodic("requests.housekeeping", seconds=3600)
def keep_house(_context: JobContext) -> None:
    """Forget old runs, requests that were deleted long enough ago, and files that nothing names any more."""
    retention.prune_runs()
    removed = {
        "requests": services.remove_deleted_requests(),
        "files": files.remove_unused_files(),
        "sources": remove_old_sources(),
    }
    if any(removed.values()):
        record_event(SYSTEM, "request.purge", "request", details=removed)
    db.session.commit()
