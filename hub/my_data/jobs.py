"""Background work: exports, deletions, and taking up what was left."""

from __future__ import annotations

from hub.jobs.services import JobContext, job, periodic
from hub.my_data import deletion, services


@job(services.EXPORT_JOB)
def export_data(context: JobContext, user_id: str) -> None:
    """Write a person's export; killed, it begins anew."""
    services.run_export(user_id, context.report)


@job(deletion.JOB)
def delete_data(context: JobContext, user_id: str) -> None:
    """Delete what belonged to an account; killed, it goes on."""
    deletion.run_deletion(user_id, context.report)


@periodic("my_data.housekeeping", seconds=3600)
def keep_house(_context: JobContext) -> None:
    """Remove exports after their day, and take up deletions whose job is gone."""
    services.remove_old_exports()
    deletion.resume_deletions()
