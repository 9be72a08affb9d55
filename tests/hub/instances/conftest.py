"""An answer for every call of the connection test."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import yaml
from pytest_httpserver import HTTPServer

ALL_SCOPES = [
    "workflow:list",
    "workflow:read",
    "workflow:update",
    "workflow:activate",
    "execution:list",
    "execution:read",
    "execution:retry",
]


def make_spec(*, publish_if_active: bool = True, retry: bool = True, versions: bool = True) -> dict[str, Any]:
    """A small OpenAPI document in the form of n8n's."""
    body = {
        "type": "object",
        "properties": {
            "id": {"type": "string", "readOnly": True},
            "name": {"type": "string"},
            "nodes": {"type": "array", "items": {"$ref": "#/components/schemas/node"}},
            "connections": {"type": "object"},
            "settings": {"$ref": "#/components/schemas/workflowSettings"},
        },
    }
    put: dict[str, Any] = {
        "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/workflow"}}}}
    }
    if publish_if_active:
        put["parameters"] = [{"name": "publishIfActive", "in": "query"}]
    status = {"name": "status", "in": "query", "schema": {"type": "string", "enum": ["error", "success", "waiting"]}}
    paths: dict[str, Any] = {
        "/workflows/{id}": {"get": {}, "put": put},
        "/workflows/{id}/{versionId}": {"get": {}},
        "/executions": {"get": {"parameters": [{"$ref": "#/components/parameters/limit"}, status]}},
    }
    if retry:
        paths["/executions/{executionId}/retry"] = {"post": {}}
    if versions:
        paths["/workflows/{workflowId}/versions/{workflowVersionId}"] = {"get": {}}
    return {
        "openapi": "3.0.0",
        "paths": paths,
        "components": {
            "parameters": {"limit": {"name": "limit", "in": "query"}},
            "schemas": {
                "workflow": body,
                "node": {"properties": {"id": {}, "name": {}, "createdAt": {"readOnly": True}}},
                "workflowSettings": {"properties": {"timezone": {"type": "string"}}},
            },
        },
    }


@pytest.fixture
def fake_n8n(httpserver: HTTPServer) -> Callable[..., str]:
    """Answers the calls of a connection test; returns the address. For faults only: the road itself runs on a real n8n."""

    def start(
        *, scopes: list[str] | None = ALL_SCOPES, forbidden: tuple[str, ...] = (), spec: dict[str, Any] | None = None
    ) -> str:
        for name in ("workflows", "executions"):
            rule = httpserver.expect_request(f"/api/v1/{name}")
            if name in forbidden:
                rule.respond_with_json({"message": "Forbidden"}, status=403)
            else:
                rule.respond_with_json({"data": [], "nextCursor": None})
        if scopes is None:
            httpserver.expect_request("/api/v1/discover").respond_with_json({"message": "not found"}, status=404)
        else:
            httpserver.expect_request("/api/v1/discover").respond_with_json({"data": {"scopes": scopes}})
        document = yaml.safe_dump(spec or make_spec())
        httpserver.expect_request("/api/v1/openapi.yml").respond_with_data(document, content_type="text/yaml; charset=utf-8")
        return httpserver.url_for("/").rstrip("/")

    return start
