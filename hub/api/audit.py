"""The audit log as JSON. It stands on this floor because its room is below accounts, which know whose key asks."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from hub.accounts.web import current_actor
from hub.audit import services
from hub.json_api import ListOf, ListQuery, Resource, Time, list_answer, operation


class EventResource(Resource):
    """One event."""

    id: str
    created_at: Time
    action: str
    resource: str
    resource_id: str | None
    success: bool
    ip_address: str | None
    user_agent: str | None
    details: dict[str, Any]
    user_id: str | None
    user_email: str | None


class EventList(ListOf[EventResource]):
    """A page of events, newest first."""


class EventQuery(ListQuery):
    """Which events; filters left out do not filter."""

    action: str | None = Field(None, description='An action or its beginning, as "instance.".')
    user: str | None = Field(None, description="E-mail address; for operators.")
    success: bool | None = None


@operation("GET", "/audit", scope="audit:read", answer=EventList)
def list_events(query: EventQuery) -> Any:
    """What was done in your name; operators see everybody's."""
    return list_answer(EventList, EventResource, services.list_events(current_actor(), **dict(query)))
