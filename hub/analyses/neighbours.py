"""The executions that a failure is judged beside: the last success of its workflow, and the sub-workflow's run that failed.

What the hub has stored serves first, else n8n is asked, within bounds. That one cannot be had is no error.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import undefer

from hub.analyses.evidence import find_child
from hub.executions.models import Execution, ExecutionStatus
from hub.extensions import db
from hub.instances.client import N8nClient
from hub.instances.errors import N8nError
from hub.workflows.models import Workflow

log = logging.getLogger(__name__)

Json = dict[str, Any]

_MOST_BYTES = 2_000_000
#: No further execution is asked for after so many seconds.
_MOST_SECONDS = 10.0
#: How far a failure is followed from sub-workflow to sub-workflow.
_MOST_LEVELS = 3


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Executions in the form of n8n's public API; without ``data`` where only n8n could have it."""

    instance_id: str
    success: Json | None = None
    child: Json | None = None


def find_neighbours(execution: Execution, document: Json) -> Neighbours:
    """What the hub knows of the neighbours of a failed execution, whose public form is ``document``."""
    success = db.session.scalar(
        sa.select(Execution)
        .where(
            Execution.workflow_id == execution.workflow_id,
            Execution.status == ExecutionStatus.SUCCESS,
            Execution.started_at < execution.started_at,
            # Runs of an earlier database of that n8n carry its number; n8n no longer knows them.
            Execution.n8n_execution_id.not_like("%:%"),
        )
        .order_by(Execution.started_at.desc(), Execution.id.desc())
        .limit(1)
        .options(undefer(Execution.data))
    )
    known = (
        {"id": success.n8n_execution_id, "startedAt": success.started_at.isoformat(), **(success.data or {})} if success else None
    )
    return Neighbours(execution.instance_id, known, _find_child(execution.instance_id, document))


def read_neighbours(client: N8nClient, neighbours: Neighbours) -> Neighbours:
    """The neighbours with their data from n8n where the hub has none. Touches no database."""
    until = time.monotonic() + _MOST_SECONDS
    success, child = _read(client, neighbours.success, until), _read(client, neighbours.child, until)
    for _ in range(_MOST_LEVELS):
        inner = find_child(child) if child else None
        if inner is None or child is None or inner["id"] == child.get("id"):
            break
        child = _read(client, inner, until)
    return replace(neighbours, success=success, child=child)


def name_child(neighbours: Neighbours) -> Neighbours:
    """The neighbours with the name of the child's workflow, where the hub knows it and the execution does not say it."""
    child = neighbours.child
    if child is None or (child.get("workflowData") or {}).get("name"):
        return neighbours
    statement = sa.select(Workflow.name).where(
        Workflow.instance_id == neighbours.instance_id, Workflow.n8n_id == str(child.get("workflowId"))
    )
    name = db.session.scalar(statement)
    return (
        replace(neighbours, child={**child, "workflowData": {**(child.get("workflowData") or {}), "name": name}})
        if name
        else neighbours
    )


def _find_child(instance_id: str, document: Json) -> Json | None:
    """The sub-workflow's execution that the error names, as deep as the hub has stored what happened."""
    child = find_child(document)
    for _ in range(_MOST_LEVELS):
        if child is None:
            return None
        stored = db.session.scalar(
            sa.select(Execution.data).where(Execution.instance_id == instance_id, Execution.n8n_execution_id == child["id"])
        )
        child = {**child, **(stored or {})}
        inner = find_child(child)
        if inner is None or inner["id"] == child["id"]:
            return child
        child = inner
    return child


def _read(client: N8nClient, document: Json | None, until: float) -> Json | None:
    if document is None or document.get("data") or time.monotonic() > until:
        return document
    try:
        return {**document, **client.get_execution(str(document["id"]), with_data=True, max_bytes=_MOST_BYTES)}
    except N8nError as error:
        log.info("no neighbour for an analysis: %s", error)
        return document
