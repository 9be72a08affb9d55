"""The room's own housekeeping."""

from __future__ import annotations

from hub.accounts.rate_limits import drop_old_buckets
from hub.accounts.second_factor.pending import drop_expired
from hub.accounts.sessions import drop_dead_sessions
from hub.jobs.services import JobContext, periodic


@periodic("accounts.housekeeping", seconds=3600)
def keep_house(_context: JobContext) -> None:
    """Forget sessions that are over, attempts that no longer count, and sign-ins that nobody finished."""
    drop_dead_sessions()
    drop_old_buckets()
    drop_expired()
