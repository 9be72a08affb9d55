"""Background work of the executions room."""

from __future__ import annotations

from hub.executions.suspicion_scan import scan_successes
from hub.jobs.services import JobContext, periodic


@periodic("executions.scan", seconds=300)
def scan(_context: JobContext) -> None:
    """Look for successes that did nothing."""
    scan_successes()
