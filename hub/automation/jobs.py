"""Background work of the automation room."""

from __future__ import annotations

from flask import Flask

from hub.automation import runner
from hub.contracts.events import FailureEvent
from hub.hookspecs import hookimpl
from hub.jobs.services import JobContext, job, periodic


@job(runner.JOB)
def deal_with_failure(context: JobContext, execution_id: str) -> None:
    """Explain, propose or repair one failure; it may be killed at any point and run again."""
    runner.run_automation(execution_id, context)


@periodic("automation.settle", seconds=60)
def settle(_context: JobContext) -> None:
    """Make up for events that a dying worker did not send, and lower levels that did not hold."""
    runner.settle()


class _FailureListener:
    """The hub's own listener among those of plugins."""

    @hookimpl
    def hub_failures_ingested(self, event: FailureEvent) -> None:
        """Queue what a sync has just found; a first sync brings the past."""
        if not event.initial:
            runner.queue_failures([failure.execution_id for failure in event.failures])


def init_app(app: Flask) -> None:
    """Listen to new failures."""
    app.extensions["hub_plugins"].listen("automation", _FailureListener())
