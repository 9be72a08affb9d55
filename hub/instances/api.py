"""Instances as JSON."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from hub.accounts.web import current_actor
from hub.instances import services
from hub.instances.models import InstanceStatus
from hub.json_api import ListOf, ListQuery, Resource, Time, list_answer, operation


class InstanceResource(Resource):
    """A connected n8n. Its API key is never in an answer."""

    id: str
    name: str
    url: str
    status: InstanceStatus
    version: str | None = Field(description="What its API tells: at least this version.")
    last_sync: Time | None
    last_error: str | None
    error_code: str | None
    is_sample: bool
    key_expires_at: Time | None
    latency_ms: float | None
    sync_interval_minutes: int
    created_at: Time
    updated_at: Time


class InstanceList(ListOf[InstanceResource]):
    """A page of instances, by name."""


class NewInstance(Resource):
    """What is needed to connect an n8n."""

    name: str
    url: str = Field(description="Where n8n is opened in the browser.")
    api_key: str = Field(description="Made in n8n under Settings, n8n API.")


class InstanceChange(Resource):
    """What may be changed; fields left out stay."""

    name: str | None = None
    url: str | None = Field(None, description="Another origin needs its apiKey too.")
    api_key: str | None = None
    sync_interval_minutes: int | None = None


class CheckResource(Resource):
    """One finding of a connection test."""

    name: str
    state: Literal["ok", "warn", "fail"]
    sentence: str


class ConnectionResource(Resource):
    """The result of a connection test."""

    ok: bool
    checks: list[CheckResource]
    checked_at: Time
    latency_ms: float | None
    scopes: list[str] | None = Field(description="The scopes of the n8n key; null where n8n does not tell.")


@operation("GET", "/instances", scope="instances:read", answer=InstanceList)
def list_instances(query: ListQuery) -> Any:
    """Your instances, by name."""
    return list_answer(InstanceList, InstanceResource, services.list_instances(current_actor(), **dict(query)))


@operation("POST", "/instances", scope="instances:write", answer=InstanceResource, status=201, errors=(402,))
def create_instance(json: NewInstance) -> Any:
    """Connect an n8n. It is not asked anything yet: test the connection, then sync."""
    instance = services.create_instance(current_actor(), **dict(json))
    return _resource(instance), {"Location": f"/api/v1/instances/{instance.id}"}


@operation("GET", "/instances/<instance_id>", scope="instances:read", answer=InstanceResource, errors=(404,))
def get_instance(instance_id: str) -> Any:
    """One instance."""
    return _resource(services.get_instance(current_actor(), instance_id))


@operation("PATCH", "/instances/<instance_id>", scope="instances:write", answer=InstanceResource, errors=(404, 409))
def update_instance(instance_id: str, json: InstanceChange) -> Any:
    """Change an instance."""
    present = services.get_instance(current_actor(), instance_id)
    changed = services.update_instance(
        current_actor(),
        instance_id,
        name=present.name if json.name is None else json.name,
        url=present.url if json.url is None else json.url,
        api_key=json.api_key,
        sync_interval_minutes=json.sync_interval_minutes,
    )
    return _resource(changed)


@operation("DELETE", "/instances/<instance_id>", scope="instances:write", answer=None, errors=(404,))
def delete_instance(instance_id: str) -> None:
    """Delete an instance with its workflows and executions from the hub. Nothing changes on the n8n."""
    services.delete_instance(current_actor(), instance_id)


@operation("POST", "/instances/<instance_id>/test", scope="instances:write", answer=ConnectionResource, errors=(404, 409))
def test_instance(instance_id: str) -> Any:
    """Test the connection now."""
    return ConnectionResource.model_validate(services.check_connection(current_actor(), instance_id))


def _resource(instance: Any) -> InstanceResource:
    return InstanceResource.model_validate(instance)
