"""Background work of the HTTP builder."""

from __future__ import annotations

from hub.http_builder.running.runs import JOB
from hub.http_builder.running.worker import run_queued
from hub.jobs.services import JobContext, Lane, job


@job(JOB, lane=Lane.REQUESTS)
def send_request(_context: JobContext, run_id: str) -> None:
    """Send one request; a second run of this job only says that the first one was cut off."""
    run_queued(run_id)
