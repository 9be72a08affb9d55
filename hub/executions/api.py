"""Executions as JSON."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from hub.accounts.web import current_actor
from hub.executions import services
from hub.executions.models import DetailState, ExecutionStatus
from hub.json_api import ListOf, ListQuery, Resource, Time, TimeIn, list_answer, operation


class ExecutionRowResource(Resource):
    """An execution in a list."""

    id: str
    n8n_execution_id: str
    instance_id: str
    instance_name: str
    workflow_id: str
    workflow_name: str
    status: ExecutionStatus
    n8n_status: str = Field(description="n8n's own word.")
    mode: str
    started_at: Time
    finished_at: Time | None
    duration: float | None = Field(description="Seconds.")
    retry_of: str | None
    retry_success_id: str | None
    detail_state: DetailState
    error_message: str | None
    error_node: str | None
    vanished_at: Time | None
    fingerprint: str | None = Field(description="Equal for equal failures.")
    suspicions: int | None = Field(description="Signs that a success did not do its work; null where nobody has looked.")


class ExecutionList(ListOf[ExecutionRowResource]):
    """A page of executions, newest first."""


class ExecutionResource(Resource):
    """An execution with its data, where the hub has read it. Secrets are taken out."""

    id: str
    n8n_execution_id: str
    instance_id: str
    workflow_id: str
    workflow_version_id: str | None
    status: ExecutionStatus
    n8n_status: str
    mode: str
    data: dict[str, Any] | None
    error: dict[str, Any] | None
    started_at: Time
    finished_at: Time | None
    duration: float | None = Field(description="Seconds.")
    retry_of: str | None
    retry_success_id: str | None
    detail_state: DetailState
    error_message: str | None
    error_node: str | None
    vanished_at: Time | None
    suspicion: list[dict[str, Any]] | None = Field(description="Signs that the success did not do its work.")
    fingerprint: str | None = Field(description="Equal for equal failures.")


class ExecutionQuery(ListQuery):
    """Which executions; filters left out do not filter."""

    instance_id: str | None = None
    workflow_id: str | None = None
    status: ExecutionStatus | None = None
    mode: str | None = None
    suspicious: bool | None = Field(None, description="Only successes that look wrong.")
    started_after: TimeIn | None = None
    started_before: TimeIn | None = None
    fingerprint: str | None = Field(None, description="Of a failure.")


@operation("GET", "/executions", scope="executions:read", answer=ExecutionList, errors=(404,))
def list_executions(query: ExecutionQuery) -> Any:
    """Executions of all your instances, newest first."""
    return list_answer(ExecutionList, ExecutionRowResource, services.list_executions(current_actor(), **dict(query)))


@operation("GET", "/executions/<execution_id>", scope="executions:read", answer=ExecutionResource, errors=(404,))
def get_execution(execution_id: str) -> Any:
    """One execution with its data and error."""
    return ExecutionResource.model_validate(services.get_execution(current_actor(), execution_id))
