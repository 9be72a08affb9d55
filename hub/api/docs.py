"""The OpenAPI document, and a page that shows it without any other host and without script."""

from __future__ import annotations

import copy
import functools
from typing import Any

from flask import jsonify
from flask.typing import ResponseReturnValue

from hub.htmx import render
from hub.json_api import api, document

_PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
_RATE_HEADERS = {
    "RateLimit-Policy": {"schema": {"type": "string"}, "description": 'What the plan allows: "plan";q=calls;w=seconds.'},
    "RateLimit": {"schema": {"type": "string"}, "description": 'What is left of it: "plan";r=calls;t=seconds.'},
}


@functools.cache
def build_document() -> dict[str, Any]:
    """The OpenAPI 3.1 document of all operations. SpecTree knows one media type only; errors have another."""
    spec: dict[str, Any] = copy.deepcopy(document.spec)
    for _path, _method, operation in list_operations(spec):
        for status, answer in operation["responses"].items():
            if int(status) >= 400:
                answer["content"] = _PROBLEM
            if operation["security"] and (int(status) < 300 or status == "429"):
                answer["headers"] = {name: {"$ref": f"#/components/headers/{name}"} for name in _RATE_HEADERS}
            if status == "429":
                answer.setdefault("headers", {})["Retry-After"] = {"schema": {"type": "integer"}, "description": "In seconds."}
    spec["components"]["headers"] = _RATE_HEADERS
    return spec


def list_operations(spec: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    """(path, method, operation) of each operation, in the order of the paths."""
    return [(path, method, operation) for path, methods in sorted(spec["paths"].items()) for method, operation in methods.items()]


@api.get("/openapi.json")
def openapi() -> ResponseReturnValue:
    """The document for programs."""
    return jsonify(build_document())


@api.get("/docs")
def docs() -> ResponseReturnValue:
    """The document for people."""
    spec = build_document()
    groups: dict[str, list[dict[str, Any]]] = {}
    for path, method, operation in list_operations(spec):
        entry = {**operation, "path": path, "method": method.upper(), "scope": _scope_of(operation)}
        groups.setdefault(operation["tags"][0], []).append(entry)
    return render("api/docs.html", spec=spec, groups=groups, schemas=spec["components"]["schemas"], schema_of=_schema_name)


def _scope_of(operation: dict[str, Any]) -> str:
    """What a key must be allowed for an operation, or in words who else may call it."""
    ways = operation["security"]
    if not ways:
        return "none: open to anybody"
    return next((way["apiKey"][0] for way in ways if "apiKey" in way), "none: access tokens only")


def _schema_name(content: dict[str, Any] | None) -> str:
    """The name of the type of a body or answer; empty where there is none."""
    for media in (content or {}).values():
        reference: str = media["schema"].get("$ref", "")
        return reference.rpartition("/")[2]
    return ""
