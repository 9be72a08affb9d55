"""Workflows as JSON."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from hub.accounts.web import current_actor
from hub.errors import NotFound
from hub.json_api import ListOf, ListQuery, Resource, Time, list_answer, operation
from hub.workflows import services
from hub.workflows.models import VersionKind


class WorkflowRowResource(Resource):
    """A workflow in a list."""

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
    last_execution_at: Time | None
    version_id: str | None
    active_version_id: str | None
    n8n_updated_at: Time | None
    vanished_at: Time | None


class WorkflowList(ListOf[WorkflowRowResource]):
    """A page of workflows, by name."""


class WorkflowResource(Resource):
    """A workflow with its draft."""

    id: str
    instance_id: str
    n8n_id: str
    name: str
    active: bool
    is_archived: bool
    nodes: list[Any]
    connections: dict[str, Any]
    settings: dict[str, Any]
    tags: list[str]
    node_count: int
    total_executions: int
    successful_executions: int
    last_execution_at: Time | None
    version_id: str | None
    active_version_id: str | None
    n8n_created_at: Time | None
    n8n_updated_at: Time | None
    vanished_at: Time | None
    created_at: Time
    updated_at: Time


class WorkflowQuery(ListQuery):
    """Which workflows; filters left out do not filter."""

    instance_id: str | None = None
    search: str | None = Field(None, description="Part of the name.")
    tag: str | None = None
    active: bool | None = None
    archived: bool | None = None


class VersionRowResource(Resource):
    """A version of a workflow, without its content."""

    id: str
    workflow_id: str
    kind: VersionKind
    content_hash: str
    n8n_version_id: str | None
    name: str
    created_at: Time


class VersionList(Resource):
    """The versions that the hub has seen, newest first (at most 100)."""

    data: list[VersionRowResource]


class VersionResource(VersionRowResource):
    """A version with its content."""

    nodes: list[Any]
    connections: dict[str, Any]
    settings: dict[str, Any]


@operation("GET", "/workflows", scope="workflows:read", answer=WorkflowList, errors=(404,))
def list_workflows(query: WorkflowQuery) -> Any:
    """Workflows of all your instances, by name."""
    return list_answer(WorkflowList, WorkflowRowResource, services.list_workflows(current_actor(), **dict(query)))


@operation("GET", "/workflows/<workflow_id>", scope="workflows:read", answer=WorkflowResource, errors=(404,))
def get_workflow(workflow_id: str) -> Any:
    """One workflow with the nodes of its draft."""
    return WorkflowResource.model_validate(services.get_workflow(current_actor(), workflow_id))


@operation("GET", "/workflows/<workflow_id>/versions", scope="workflows:read", answer=VersionList, errors=(404,))
def list_workflow_versions(workflow_id: str) -> Any:
    """Earlier versions of a workflow."""
    rows = services.list_versions(current_actor(), workflow_id)
    return VersionList(data=[VersionRowResource.model_validate(row) for row in rows])


@operation("GET", "/workflows/<workflow_id>/versions/<version_id>", scope="workflows:read", answer=VersionResource, errors=(404,))
def get_workflow_version(workflow_id: str, version_id: str) -> Any:
    """One version with its nodes."""
    version = services.get_version(current_actor(), version_id)
    if version.workflow_id != workflow_id:
        raise NotFound()
    return VersionResource.model_validate(version)
