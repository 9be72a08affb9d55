"""Writes one log line for each new failure, so that whatever reads the logs can alert on it."""

from __future__ import annotations

import logging

from hub.plugin_api import FailureEvent, hookimpl

log = logging.getLogger("hub.failures")


@hookimpl
def hub_failures_ingested(event: FailureEvent) -> None:
    """One WARNING a failure: instance, workflow, n8n's execution id and status."""
    for failure in event.failures:
        log.warning(
            "instance=%r workflow=%r execution=%s status=%s",
            event.instance_name,
            failure.workflow_name,
            failure.n8n_execution_id,
            failure.status,
        )
