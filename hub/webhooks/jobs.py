"""Background work of the webhooks room."""

from __future__ import annotations

import hub.webhooks.notices  # noqa: F401 (listens)
from hub.jobs.services import JobContext, Lane, job, periodic, run_again
from hub.webhooks import outbox
from hub.webhooks.retention import prune_deliveries, wake_waiting
from hub.webhooks.sending import send_due


@job(outbox.JOB, lane=Lane.WEBHOOKS)
def send_messages(context: JobContext, webhook_id: str) -> None:
    """Send what is due for one webhook, and come back when more is. Killed at any point it is made again: at least once."""
    following = send_due(webhook_id, lambda: context.report(0))
    if following is not None:
        run_again(context, following)


@periodic("webhooks.wake", seconds=30)
def wake(_context: JobContext) -> None:
    """Make up for jobs that were lost or ended in the moment in which something was written."""
    wake_waiting()


@periodic("webhooks.housekeeping", seconds=3600)
def keep_house(_context: JobContext) -> None:
    """Forget old deliveries and secrets that no longer count."""
    prune_deliveries()
