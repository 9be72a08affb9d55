"""The queue's own housekeeping."""

from __future__ import annotations

from hub.jobs.services import JobContext, fail_exhausted_jobs, periodic, prune_jobs


@periodic("jobs.housekeeping", seconds=300)
def keep_house(_context: JobContext) -> None:
    """Give up jobs that keep killing their worker and forget old ones."""
    fail_exhausted_jobs()
    prune_jobs()
