"""Saved requests as JSON."""

from __future__ import annotations

from typing import Any

from hub.accounts.web import current_actor
from hub.http_builder import services
from hub.http_builder.request_types import (
    ChangedRequest,
    NewRequest,
    RequestList,
    RequestQuery,
    RequestResource,
    RequestRowResource,
    request_resource,
)
from hub.json_api import list_answer, operation


@operation("GET", "/requests", scope="requests:read", answer=RequestList)
def list_requests(query: RequestQuery) -> Any:
    """Your saved requests."""
    return list_answer(RequestList, RequestRowResource, services.list_requests(current_actor(), **dict(query)))


@operation("POST", "/requests", scope="requests:write", answer=RequestResource, status=201, errors=(402,))
def create_request(json: NewRequest) -> Any:
    """Save a request."""
    actor = current_actor()
    made = services.create_request(actor, json.as_draft(), secrets=[secret.as_change() for secret in json.secrets])
    if json.favorite:
        made = services.arrange_request(actor, made.id, favorite=True)
    return _made(made)


@operation("GET", "/requests/<request_id>", scope="requests:read", answer=RequestResource, errors=(404,))
def get_request(request_id: str) -> Any:
    """One request with its definition."""
    actor = current_actor()
    return request_resource(actor, services.get_request(actor, request_id))


@operation("PATCH", "/requests/<request_id>", scope="requests:write", answer=RequestResource, errors=(404, 409))
def update_request(request_id: str, json: ChangedRequest) -> Any:
    """Change a request; 409 where it is not the version that was read any more."""
    actor = current_actor()
    request = services.get_request(actor, request_id)
    if json.changes_content:
        version = json.version or services.version_of(request)
        secrets = [secret.as_change() for secret in json.secrets]
        draft = json.change(services.draft_of(request))
        request = services.update_request(actor, request_id, draft, version=version, secrets=secrets)
    if json.favorite is not None:
        request = services.arrange_request(actor, request_id, favorite=json.favorite)
    return request_resource(actor, request)


@operation("DELETE", "/requests/<request_id>", scope="requests:write", answer=None, errors=(404,))
def delete_request(request_id: str) -> None:
    """Delete a request; for a day it can be restored."""
    services.delete_request(current_actor(), request_id)


@operation(
    "POST",
    "/requests/<request_id>/restore",
    scope="requests:write",
    answer=RequestResource,
    errors=(
        402,
        404,
    ),
)
def restore_request(request_id: str) -> Any:
    """Undo a delete."""
    actor = current_actor()
    return request_resource(actor, services.restore_request(actor, request_id))


@operation(
    "POST",
    "/requests/<request_id>/duplicate",
    scope="requests:write",
    answer=RequestResource,
    status=201,
    errors=(
        402,
        404,
    ),
)
def duplicate_request(request_id: str) -> Any:
    """Copy a request with its secrets."""
    return _made(services.duplicate_request(current_actor(), request_id))


def _made(request: Any) -> Any:
    return request_resource(current_actor(), request), {"Location": f"/api/v1/requests/{request.id}"}
