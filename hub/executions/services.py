"""Executions as a person may see them: keyset lists over all instances, and one execution with its data."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, fields

import sqlalchemy as sa
from sqlalchemy.orm import undefer

from hub.contracts.actor import Actor
from hub.errors import NotFound
from hub.executions.models import DetailState, Execution, ExecutionStatus
from hub.extensions import db
from hub.instances.models import Instance
from hub.pagination import Page, clamp_limit, keyset, make_page
from hub.workflows.models import Workflow

#: SQLite compiles at most 500 parts of a UNION; beyond that one unmerged scan serves.
_MERGED_INSTANCES = 400


@dataclass(frozen=True, slots=True)
class ExecutionRow:
    """One line of the execution list. ``duration`` is in seconds; ``n8n_status`` is n8n's own word."""

    id: str
    n8n_execution_id: str
    instance_id: str
    instance_name: str
    workflow_id: str
    workflow_name: str
    status: ExecutionStatus
    n8n_status: str
    mode: str
    started_at: dt.datetime
    finished_at: dt.datetime | None
    duration: float | None
    retry_of: str | None
    retry_success_id: str | None
    detail_state: DetailState
    error_message: str | None
    error_node: str | None
    vanished_at: dt.datetime | None


_FOREIGN_COLUMNS = {"instance_name": Instance.name, "workflow_name": Workflow.name}
_ROW_COLUMNS = [
    _FOREIGN_COLUMNS[field.name].label(field.name) if field.name in _FOREIGN_COLUMNS else getattr(Execution, field.name)
    for field in fields(ExecutionRow)
]


def list_executions(
    actor: Actor,
    *,
    instance_id: str | None = None,
    workflow_id: str | None = None,
    status: ExecutionStatus | None = None,
    mode: str | None = None,
    started_after: dt.datetime | None = None,
    started_before: dt.datetime | None = None,
    cursor: str | None = None,
    limit: int | None = None,
) -> Page[ExecutionRow]:
    """The actor's executions, newest first; filters that are None do not filter. Two queries at any size."""
    limit = clamp_limit(limit)
    scopes = _scopes(actor, instance_id, workflow_id)
    if not scopes:
        return Page([], None)
    filters: list[sa.ColumnElement[bool]] = []
    if status is not None:
        filters.append(Execution.status == status)
    if mode is not None:
        filters.append(Execution.mode == mode)
    if started_after is not None:
        filters.append(Execution.started_at >= started_after)
    if started_before is not None:
        filters.append(Execution.started_at < started_before)

    # The newest rows of each scope come from its own index and are merged: one ORDER BY over several instances would sort
    # all of their executions (measured on 10 million rows: 565 ms against 2 ms).
    def newest(scope: sa.ColumnElement[bool]) -> sa.Select[tuple[str]]:
        statement = sa.select(Execution.id).where(scope, *filters)
        keys = (Execution.started_at, Execution.id)
        return keyset(statement, keys, (dt.datetime, str), cursor=cursor, limit=limit)

    parts = [sa.select(newest(scope).subquery()) for scope in scopes]
    page = sa.union_all(*parts).subquery() if len(parts) > 1 else newest(scopes[0]).subquery()
    statement = (
        sa.select(*_ROW_COLUMNS)
        .join(page, page.c.id == Execution.id)
        .join(Workflow, Workflow.id == Execution.workflow_id)
        .join(Instance, Instance.id == Execution.instance_id)
        .order_by(Execution.started_at.desc(), Execution.id.desc())
        .limit(limit + 1)
    )
    rows = [ExecutionRow(*row) for row in db.session.execute(statement)]
    return make_page(rows, limit, "started_at", "id")


def _scopes(actor: Actor, instance_id: str | None, workflow_id: str | None) -> list[sa.ColumnElement[bool]]:
    """Conditions that each select rows along one index and together select what the actor may see and asked for."""
    if workflow_id is not None:
        owner = sa.select(Workflow.instance_id).join(Instance, Instance.id == Workflow.instance_id)
        found = db.session.scalar(owner.where(Workflow.id == workflow_id, Instance.user_id == actor.user_id))
        if found is None or instance_id not in (None, found):
            raise NotFound()
        return [Execution.workflow_id == workflow_id]
    own = sa.select(Instance.id).where(Instance.user_id == actor.user_id).order_by(Instance.id)
    if instance_id is not None:
        own = own.where(Instance.id == instance_id)
    ids = db.session.scalars(own).all()
    if instance_id is not None and not ids:
        raise NotFound()
    if len(ids) > _MERGED_INSTANCES:
        return [Execution.instance_id.in_(ids)]
    return [Execution.instance_id == own_id for own_id in ids]


def get_execution(actor: Actor, execution_id: str) -> Execution:
    """The execution with its data and error where they were read (``detail_state``)."""
    execution = db.session.scalar(
        sa.select(Execution)
        .join(Instance, Instance.id == Execution.instance_id)
        .where(Execution.id == execution_id, Instance.user_id == actor.user_id)
        .options(undefer(Execution.data), undefer(Execution.error))
    )
    if execution is None:
        raise NotFound()
    return execution
