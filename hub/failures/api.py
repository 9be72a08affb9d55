"""Failures as JSON."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from hub.accounts.web import current_actor
from hub.failures import credentials, services
from hub.failures.services import Sorting
from hub.json_api import ListOf, ListQuery, Resource, Time, TimeIn, list_answer, operation


class ExplainedResource(Resource):
    """The newest analysis of a failure."""

    analysis_id: str
    cause: str
    analyses: int = Field(description="How many there are.")


class FailureResource(Resource):
    """All failures that are the same. Words, names and ids are those of the newest one."""

    fingerprint: str
    count: int
    first_seen: Time
    last_seen: Time
    instances: int
    workflows: int
    message: str = Field(description="What the messages have in common; an ellipsis stands for what differs.")
    error_node: str | None
    error_code: str | None
    node_type: str | None
    execution_id: str
    workflow_id: str
    workflow_name: str
    instance_id: str
    instance_name: str
    trend: list[int] = Field(description="Failures of each of the last 14 days (UTC), today last.")
    explained: ExplainedResource | None


class FailureList(ListOf[FailureResource]):
    """A page of failures."""


class HurtWorkflowResource(Resource):
    """A workflow that a failure hit."""

    workflow_id: str
    workflow_name: str
    instance_id: str
    instance_name: str
    count: int
    last_seen: Time
    succeeded_at: Time | None = Field(description="Its first success after that; null where there is none.")


class FailureDetailResource(Resource):
    """A failure with the workflows that it hit, the last one first (at most 100)."""

    failure: FailureResource
    workflows: list[HurtWorkflowResource]
    quiet_since: Time | None = Field(description="When the last of the workflows succeeded again; null while one has not.")


class WorkflowAtRiskResource(Resource):
    """A workflow that uses a refused credential and has not failed by it."""

    workflow_id: str
    workflow_name: str
    active: bool


class RefusedCredentialResource(Resource):
    """A credential of an n8n server that was refused."""

    credential_id: str = Field(description="n8n's id.")
    name: str | None
    kind: str | None = Field(description="n8n's word, e.g. httpHeaderAuth.")
    instance_id: str
    instance_name: str
    count: int
    first_seen: Time
    last_seen: Time
    execution_id: str
    error_message: str | None
    works_again: bool
    hurt: list[HurtWorkflowResource]
    at_risk: list[WorkflowAtRiskResource]


class RefusedCredentialList(Resource):
    """The refused credentials, the last refused first (at most 50)."""

    data: list[RefusedCredentialResource]


class FailureQuery(ListQuery):
    """Which failures; filters left out do not filter."""

    instance_id: str | None = None
    since: TimeIn | None = None
    search: str | None = Field(None, description="In the newest message, its node and its workflow's name.")
    sorting: Sorting = Sorting.LAST_SEEN


class CredentialQuery(Resource):
    """Since when."""

    since: TimeIn | None = None


@operation("GET", "/failures", scope="executions:read", answer=FailureList)
def list_failures(query: FailureQuery) -> Any:
    """Failures of all your instances, one row for all that are the same."""
    return list_answer(FailureList, FailureResource, services.list_failures(current_actor(), **dict(query)))


@operation("GET", "/failures/credentials", scope="executions:read", answer=RefusedCredentialList)
def list_refused_credentials(query: CredentialQuery) -> Any:
    """Credentials that services refused, with the workflows that they hurt and those at risk."""
    found = credentials.list_refused_credentials(current_actor(), since=query.since)
    return RefusedCredentialList(data=[RefusedCredentialResource.model_validate(each) for each in found])


@operation("GET", "/failures/<fingerprint>", scope="executions:read", answer=FailureDetailResource, errors=(404,))
def get_failure(fingerprint: str) -> Any:
    """One failure over all times, with its workflows."""
    found = services.get_failure(current_actor(), fingerprint)
    return FailureDetailResource.model_validate(
        {"failure": found.group, "workflows": found.workflows, "quiet_since": found.quiet_since}, from_attributes=True
    )
