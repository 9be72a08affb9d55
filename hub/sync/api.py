"""Syncs as JSON."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from hub.accounts.web import current_actor
from hub.jobs.models import JobState
from hub.json_api import Resource, Time, operation
from hub.sync import services


class SyncResource(Resource):
    """How the newest sync of an instance stands."""

    state: JobState | None = Field(description="null where there was none yet.")
    phase: str
    done: int
    total: int | None = Field(description="null where it is unknown.")
    workflows: int = Field(description="Read so far.")
    executions: int = Field(description="Read so far.")
    details: int = Field(description="Read so far.")
    error: str | None
    run_at: Time | None
    finished_at: Time | None
    sentence: str


@operation("POST", "/instances/<instance_id>/sync", scope="instances:write", answer=SyncResource, status=202, errors=(404, 409))
def sync_instance(instance_id: str) -> Any:
    """Queue a sync, or find the one under way. Ask the address in Location how it stands."""
    services.request_sync(current_actor(), instance_id)
    return _progress(instance_id), {"Location": f"/api/v1/instances/{instance_id}/sync"}


@operation("GET", "/instances/<instance_id>/sync", scope="instances:read", answer=SyncResource, errors=(404,))
def get_instance_sync(instance_id: str) -> Any:
    """How the newest sync stands."""
    return _progress(instance_id)


def _progress(instance_id: str) -> SyncResource:
    return SyncResource.model_validate(services.get_progress(current_actor(), instance_id))
