"""Background work of billing."""

from __future__ import annotations

from hub.accounts.billing import services
from hub.contracts.billing import BillingUnavailable
from hub.jobs.services import JobContext, RetryLater, job, periodic

#: Seconds; a provider that is away is asked again for about two days.
_PAUSES = (10, 60, 300, 1800, *([7200] * 24))


@job(services.JOB)
def read_subscription(context: JobContext, event_id: str) -> None:
    """Make what a message was about so."""
    try:
        services.handle_event(event_id)
    except BillingUnavailable as error:
        if context.attempt > len(_PAUSES):
            raise
        raise RetryLater(_PAUSES[context.attempt - 1], str(error)) from error


@periodic("billing.housekeeping", seconds=86_400)
def keep_house(_context: JobContext) -> None:
    """Forget old messages."""
    services.forget_old_events()
