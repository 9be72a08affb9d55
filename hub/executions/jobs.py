"""Background work of the executions room."""

from __future__ import annotations

from hub.executions.retention import forget_old_details
from hub.executions.suspicion_scan import scan_successes
from hub.jobs.services import JobContext, periodic


@periodic("executions.scan", seconds=300)
def scan(_context: JobContext) -> None:
    """Look for successes that did nothing."""
    scan_successes()


@periodic("executions.forget", seconds=3600)
def forget(_context: JobContext) -> None:
    """Forget the data that plans keep no longer."""
    forget_old_details()
