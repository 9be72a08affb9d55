"""Workflows as a person may see them. Rows carry only the columns that a list shows; a stranger's workflow is NotFound."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import undefer

from hub.contracts.actor import Actor
from hub.errors import NotFound
from hub.extensions import db
from hub.instances.models import Instance
from hub.pagination import Page, clamp_limit, keyset, make_page
from hub.workflows.models import VersionKind, Workflow, WorkflowVersion


@dataclass(frozen=True, slots=True)
class WorkflowRow:
    """One line of the workflow list. ``total_executions`` and ``successful_executions`` count what the hub has seen."""

    id: str
    instance_id: str
    instance_name: str
    n8n_id: str
    name: str
    active: bool
    is_archived: bool
    tags: list[str]
    node_count: int
    total_executions: int
    successful_executions: int
    last_execution_at: dt.datetime | None
    version_id: str | None
    active_version_id: str | None
    n8n_updated_at: dt.datetime | None
    vanished_at: dt.datetime | None

    @property
    def has_unpublished_draft(self) -> bool:
        """Whether the draft differs from what runs live."""
        return self.active_version_id is not None and self.active_version_id != self.version_id


_ROW_COLUMNS = [
    Instance.name.label("instance_name") if field.name == "instance_name" else getattr(Workflow, field.name)
    for field in fields(WorkflowRow)
]


@dataclass(frozen=True, slots=True)
class VersionRow:
    """One version of a workflow as the hub saw it, without its content."""

    id: str
    workflow_id: str
    kind: VersionKind
    content_hash: str
    n8n_version_id: str | None
    name: str
    created_at: dt.datetime


def _owned(actor: Actor) -> sa.ColumnElement[bool]:
    """Only workflows of the actor's own instances; nobody's where the actor is the hub itself."""
    return Instance.user_id == actor.user_id


def _tag_elements() -> sa.TableValuedAlias:
    """The tags of a workflow row as rows with one column, ``value``."""
    unpack = sa.func.json_each if db.engine.dialect.name == "sqlite" else sa.func.jsonb_array_elements_text
    return unpack(Workflow.tags).table_valued(sa.column("value", sa.Text), joins_implicitly=True)


def list_workflows(
    actor: Actor,
    *,
    instance_id: str | None = None,
    search: str | None = None,
    tag: str | None = None,
    active: bool | None = None,
    archived: bool | None = None,
    vanished: bool | None = False,
    sample: bool | None = None,
    cursor: str | None = None,
    limit: int | None = None,
) -> Page[WorkflowRow]:
    """The actor's workflows by name. ``search`` is a part of the name; filters that are None do not filter."""
    statement = sa.select(*_ROW_COLUMNS).join(Instance, Instance.id == Workflow.instance_id).where(_owned(actor))
    if instance_id is not None:
        statement = statement.where(Workflow.instance_id == instance_id)
    if search:
        statement = statement.where(Workflow.name.icontains(search.replace("\0", ""), autoescape=True))
    if tag:
        tags = _tag_elements()
        statement = statement.where(sa.exists(sa.select(1).select_from(tags).where(tags.c.value == tag)))
    if active is not None:
        statement = statement.where(Workflow.active.is_(active))
    if archived is not None:
        statement = statement.where(Workflow.is_archived.is_(archived))
    if vanished is not None:
        statement = statement.where(Workflow.vanished_at.is_not(None) if vanished else Workflow.vanished_at.is_(None))
    if sample is not None:
        statement = statement.where(Instance.is_sample.is_(sample))
    limit = clamp_limit(limit)
    statement = keyset(statement, (Workflow.name, Workflow.id), (str, str), cursor=cursor, limit=limit, descending=False)
    rows = [WorkflowRow(*row) for row in db.session.execute(statement)]
    if not rows and instance_id is not None:
        _require_instance(actor, instance_id)
    return make_page(rows, limit, "name", "id")


def _require_instance(actor: Actor, instance_id: str) -> None:
    """NotFound unless the instance is the actor's: an empty list must not stand for a stranger's instance."""
    own = sa.select(Instance.id).where(Instance.id == instance_id, _owned(actor))
    if db.session.scalar(own) is None:
        raise NotFound()


def get_workflow(actor: Actor, workflow_id: str) -> Workflow:
    """The workflow with its nodes, connections and settings (the draft)."""
    workflow = db.session.scalar(
        sa.select(Workflow)
        .join(Instance, Instance.id == Workflow.instance_id)
        .where(Workflow.id == workflow_id, _owned(actor))
        .options(undefer(Workflow.nodes), undefer(Workflow.connections), undefer(Workflow.settings))
    )
    if workflow is None:
        raise NotFound()
    return workflow


def list_tags(actor: Actor) -> Sequence[str]:
    """Every tag on the actor's present workflows, in order."""
    tags = _tag_elements()
    value: sa.ColumnElement[Any] = tags.c.value
    statement = (
        sa.select(value)
        .distinct()
        .select_from(Workflow)
        .join(Instance, Instance.id == Workflow.instance_id)
        .join(tags, sa.true())
        .where(_owned(actor), Workflow.vanished_at.is_(None))
        .order_by(value)
    )
    return db.session.scalars(statement).all()


def list_versions(actor: Actor, workflow_id: str, *, limit: int = 100) -> Sequence[VersionRow]:
    """The newest versions of a workflow that the hub has seen, newest first."""
    get_columns = [getattr(WorkflowVersion, field.name) for field in fields(VersionRow)]
    statement = (
        sa.select(*get_columns)
        .join(Workflow, Workflow.id == WorkflowVersion.workflow_id)
        .join(Instance, Instance.id == Workflow.instance_id)
        .where(Workflow.id == workflow_id, _owned(actor))
        .order_by(WorkflowVersion.created_at.desc(), WorkflowVersion.id.desc())
        .limit(limit)
    )
    rows = [VersionRow(*row) for row in db.session.execute(statement)]
    if not rows:
        get_workflow(actor, workflow_id)
    return rows


def get_version(actor: Actor, version_id: str) -> WorkflowVersion:
    """One version with its content."""
    version = db.session.scalar(
        sa.select(WorkflowVersion)
        .join(Workflow, Workflow.id == WorkflowVersion.workflow_id)
        .join(Instance, Instance.id == Workflow.instance_id)
        .where(WorkflowVersion.id == version_id, _owned(actor))
    )
    if version is None:
        raise NotFound()
    return version
