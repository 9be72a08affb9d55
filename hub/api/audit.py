"""The audit log as JSON. It stands on this floor because its room is below accounts, which know whose key asks."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from hub.accounts.web import current_actor
from hub.audit import keeping, services
from hub.audit.services import EventFilter
from hub.audit.words import describe_break
from hub.json_api import ListOf, ListQuery, Resource, Time, TimeIn, list_answer, operation


class EventResource(Resource):
    """One event. The last five fields are its place in the chain (docs/audit.md)."""

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
    chain: str
    sequence: int
    previous_hash: str
    hash: str
    seal: str


class EventList(ListOf[EventResource]):
    """A page of events, newest first."""


class EventQuery(ListQuery):
    """Which events; filters left out do not filter."""

    action: str = Field("", description='An action or its beginning, as "instance.".')
    resource: str = Field("", description='A kind of object, as "instance".')
    user: str = Field("", description="E-mail address; for operators.")
    success: bool | None = None
    since: TimeIn | None = Field(None, description="From this time on.")
    until: TimeIn | None = Field(None, description="Before this time.")
    text: str = Field("", description="Looked for in action, object, origin and details.")


class BreakResource(Resource):
    """The first place where a chain does not hold."""

    chain: str
    sequence: int
    kind: str
    event_id: str | None
    detail: str


class VerificationResource(Resource):
    """The head of your own chain, and what the last verification says of it; for operators of all chains."""

    sequence: int
    hash: str | None
    verified_at: Time | None
    ok: bool
    is_anchored: bool
    is_running: bool = Field(description="Whether a verification waits or runs, as operators see.")
    breaks: list[BreakResource]


@operation("GET", "/audit", scope="audit:read", answer=EventList)
def list_events(query: EventQuery) -> Any:
    """What was done in your name; operators see everybody's."""
    names = ("action", "resource", "user", "success", "since", "until", "text")
    wanted = EventFilter(**{name: getattr(query, name) for name in names})
    return list_answer(
        EventList, EventResource, services.list_events(current_actor(), wanted, cursor=query.cursor, limit=query.limit)
    )


@operation("GET", "/audit/verification", scope="audit:read", answer=VerificationResource)
def read_verification() -> Any:
    """Whether the audit log is as the hub wrote it, as the last daily verification found it."""
    return _verification()


@operation("POST", "/audit/verification", scope="audit:write", answer=VerificationResource, status=202)
def verify_audit_log() -> Any:
    """Verify all chains now, in the background; for operators."""
    keeping.ask_for_verification(current_actor())
    return _verification(), {"Location": "/api/v1/audit/verification"}


def _verification() -> VerificationResource:
    state = keeping.read_state(current_actor())
    breaks = [
        BreakResource(
            chain=found.chain,
            sequence=found.sequence,
            kind=found.kind,
            event_id=found.event_id,
            detail=describe_break(found),
        )
        for found in state.breaks
    ]
    return VerificationResource(
        sequence=state.sequence,
        hash=state.hash,
        verified_at=state.verified_at,
        ok=state.ok,
        is_anchored=state.is_anchored,
        is_running=state.is_running,
        breaks=breaks,
    )
