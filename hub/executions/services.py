"""Executions as a person may see them: keyset lists over all instances, and one execution with its data."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import sqlalchemy as sa
from flask import current_app
from flask_babel import gettext as _
from sqlalchemy.orm import undefer

from hub.contracts.actor import Actor
from hub.errors import Invalid, NotFound, Unavailable
from hub.executions.details import fetch_detail, read_detail, write_detail
from hub.executions.ingest import ExecutionIngest, IngestCounts, ingest_executions
from hub.executions.models import IS_FAILURE, IS_SUSPICIOUS, DetailState, Execution, ExecutionStatus
from hub.executions.remote import OPEN, read_execution
from hub.extensions import db
from hub.instances.errors import N8nError
from hub.instances.models import Instance
from hub.instances.services import open_client
from hub.instances.words import describe_error
from hub.pagination import Page, clamp_limit, keyset, make_page
from hub.workflows.ingest import has_workflow, store_workflows
from hub.workflows.models import Workflow

__all__ = [
    "ExecutionRow",
    "IngestCounts",
    "ensure_detail",
    "get_execution",
    "import_execution",
    "ingest_executions",
    "list_executions",
    "store_detail",
]

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
    #: Of the failure (``hub.executions.fingerprint``); None or empty where there is none.
    fingerprint: str | None
    #: Signs that a success did not do its work; None where nobody has looked, -1 where its data was not to be had.
    suspicions: int | None


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
    suspicious: bool | None = None,
    started_after: dt.datetime | None = None,
    started_before: dt.datetime | None = None,
    fingerprint: str | None = None,
    cursor: str | None = None,
    limit: int | None = None,
) -> Page[ExecutionRow]:
    """The actor's executions, newest first; filters that are None do not filter. Two queries at any size."""
    limit = clamp_limit(limit)
    scopes = _scopes(actor, instance_id, workflow_id)
    if not scopes:
        return Page([], None)
    filters: list[sa.ColumnElement[bool] | sa.TextClause] = []
    if status is not None:
        filters.append(Execution.status == status)
    if mode is not None:
        filters.append(Execution.mode == mode)
    if suspicious:
        filters.append(IS_SUSPICIOUS)
    if started_after is not None:
        filters.append(Execution.started_at >= started_after)
    if started_before is not None:
        filters.append(Execution.started_at < started_before)
    if fingerprint:
        filters += [Execution.fingerprint == fingerprint, IS_FAILURE]

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
        .options(undefer(Execution.data), undefer(Execution.error), undefer(Execution.suspicion))
    )
    if execution is None:
        raise NotFound()
    return execution


# --- Data of an execution --------------------------------------------------------------------------------------------


def ensure_detail(actor: Actor, execution_id: str) -> Execution:
    """The execution with its data, read from n8n where the hub does not have it and n8n may still.

    ``detail_state`` says what came of it. ``Unavailable`` where n8n could not be asked.
    """
    execution = get_execution(actor, execution_id)
    instance = db.session.get_one(Instance, execution.instance_id)
    has_it = execution.detail_state in (DetailState.STORED, DetailState.TRUNCATED)
    is_gone = execution.vanished_at is not None or instance.is_sample
    if has_it or is_gone or execution.status in OPEN:
        return execution
    n8n_id, instance_id = execution.n8n_execution_id, instance.id
    try:
        client = open_client(instance)
        db.session.commit()  # no transaction is open while n8n is asked
        with client:
            columns = fetch_detail(client, n8n_id, _max_bytes())
    except N8nError as error:
        raise Unavailable(describe_error(error.code, error.details)) from error
    write_detail(instance_id, n8n_id, columns)
    db.session.commit()
    return get_execution(actor, execution_id)


def store_detail(execution: Execution, payload: Mapping[str, Any]) -> None:
    """Keep the data of an execution that was read elsewhere: redacted and cut to size. Commits."""
    write_detail(execution.instance_id, execution.n8n_execution_id, read_detail(payload, _max_bytes()))
    db.session.commit()
    db.session.refresh(execution)


def import_execution(instance: Instance, payload: Mapping[str, Any]) -> Execution:
    """Store one execution of n8n's public API with its data and workflow, by the road that a sync takes. Commits.

    ``Invalid`` where it is none.
    """
    executed = payload.get("workflowData")
    executed = executed if isinstance(executed, dict) else {}
    workflow_id = payload.get("workflowId") or executed.get("id")
    remote = read_execution({**payload, "workflowId": workflow_id})
    if remote is None:
        raise Invalid(_("This is no execution of n8n: it has no id or names no workflow."))
    if executed.get("nodes") and not has_workflow(instance.id, remote.n8n_workflow_id):
        store_workflows(instance.id, [{**executed, "id": workflow_id}])
    ExecutionIngest(instance.id, instance.epoch).store([{**payload, "workflowId": workflow_id}])
    write_detail(instance.id, remote.n8n_id, read_detail(payload, _max_bytes()))
    db.session.commit()
    own = sa.and_(Execution.instance_id == instance.id, Execution.n8n_execution_id == remote.n8n_id)
    return db.session.scalars(sa.select(Execution).where(own).execution_options(populate_existing=True)).one()


def _max_bytes() -> int:
    limit: int = current_app.extensions["hub_config"].execution_max_bytes
    return limit
