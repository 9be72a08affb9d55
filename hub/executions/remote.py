"""Reads an execution as n8n's public API gives it, whatever the version: the one place that knows its spellings."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, NamedTuple

from hub.executions.models import ExecutionStatus
from hub.storable import clean_text
from hub.workflows.remote import parse_time

_STATUSES = {
    "success": ExecutionStatus.SUCCESS,
    "error": ExecutionStatus.FAILED,
    "failed": ExecutionStatus.FAILED,
    "crashed": ExecutionStatus.FAILED,
    "canceled": ExecutionStatus.CANCELED,
    "cancelled": ExecutionStatus.CANCELED,
    "waiting": ExecutionStatus.WAITING,
    "running": ExecutionStatus.RUNNING,
    "new": ExecutionStatus.RUNNING,
}
OPEN = frozenset({ExecutionStatus.RUNNING, ExecutionStatus.WAITING})


class RemoteExecution(NamedTuple):
    """One execution as n8n tells it. ``started_at`` is None for a queued one."""

    n8n_id: str
    n8n_workflow_id: str
    status: ExecutionStatus
    n8n_status: str
    mode: str
    started_at: dt.datetime | None
    finished_at: dt.datetime | None
    duration: float | None
    retry_of: str | None
    retry_success_id: str | None
    wait_till: dt.datetime | None

    @property
    def is_open(self) -> bool:
        """Whether n8n may still change how it ended."""
        return self.status in OPEN


def _text(value: object, limit: int) -> str | None:
    return None if value is None or value == "" else clean_text(value, limit)


def read_execution(row: Mapping[str, Any]) -> RemoteExecution | None:
    """The execution in one row of n8n's list; None for a row without an id or workflow, which nothing can be done with."""
    n8n_id, workflow_id = _text(row.get("id"), 60), _text(row.get("workflowId"), 64)
    if n8n_id is None or workflow_id is None:
        return None
    n8n_status = _text(row.get("status"), 20) or "unknown"
    stopped_at = parse_time(row.get("stoppedAt"))
    status = _STATUSES.get(n8n_status) or _guess_status(row.get("finished"), stopped_at)
    started_at = parse_time(row.get("startedAt"))
    # A waiting execution has a stop too: that of its run so far.
    finished_at = None if status in OPEN else stopped_at
    duration = None
    if started_at and finished_at:
        duration = max((finished_at - started_at).total_seconds(), 0.0)
    wait_till = row.get("waitTill")
    return RemoteExecution(
        n8n_id,
        workflow_id,
        status,
        n8n_status,
        _text(row.get("mode"), 20) or "unknown",
        started_at or (parse_time(row.get("createdAt")) if "createdAt" in row else None),
        finished_at,
        duration,
        _text(row.get("retryOf"), 60),
        _text(row.get("retrySuccessId"), 60),
        parse_time(wait_till) if wait_till and status in OPEN else None,
    )


def _guess_status(finished: object, stopped_at: dt.datetime | None) -> ExecutionStatus:
    """What to make of ``unknown`` and of words that newer versions may bring."""
    if finished is True:
        return ExecutionStatus.SUCCESS
    return ExecutionStatus.FAILED if stopped_at else ExecutionStatus.RUNNING
