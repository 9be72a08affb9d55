"""Swagger 2.0 told in the words of OpenAPI 3: servers, security schemes and request bodies."""

from __future__ import annotations

from typing import Any

from hub.http_builder.importing.values import mapping, sequence, text

_FLOWS = {"application": "clientCredentials", "accessCode": "authorizationCode", "implicit": "implicit", "password": "password"}
_FORM = "application/x-www-form-urlencoded"
_MULTIPART = "multipart/form-data"


def servers_of(document: dict[str, Any]) -> list[dict[str, Any]]:
    """``host``, ``basePath`` and ``schemes`` as servers, https first; only a path where no host is named."""
    path = text(document.get("basePath"))
    host = text(document.get("host"))
    if not host:
        return [{"url": path or "/"}]
    schemes = [scheme for scheme in sequence(document.get("schemes")) if scheme in ("https", "http")] or ["https"]
    return [{"url": f"{scheme}://{host}{path}"} for scheme in sorted(set(schemes), reverse=True)]


def security_scheme(scheme: dict[str, Any]) -> dict[str, Any]:
    """A security definition as a security scheme."""
    if scheme.get("type") == "basic":
        return {**scheme, "type": "http", "scheme": "basic"}
    if scheme.get("type") == "oauth2" and "flow" in scheme:
        return {**scheme, "flows": {_FLOWS.get(text(scheme.get("flow")), "implicit"): scheme}}
    return scheme


def split_parameters(parameters: list[dict[str, Any]], consumes: list[Any]) -> tuple[list[dict[str, Any]], dict[str, Any] | None]:
    """The parameters of an operation without those that make its body, and that body as a ``requestBody``."""
    body: dict[str, Any] | None = None
    fields: dict[str, Any] = {}
    rest = []
    for parameter in parameters:
        place = parameter.get("in")
        if place == "body":
            media = next((text(kind) for kind in consumes if isinstance(kind, str)), "application/json")
            body = {"content": {media: {"schema": parameter.get("schema")}}, "required": parameter.get("required")}
            body["content"].update({text(kind): {"schema": parameter.get("schema")} for kind in consumes})
        elif place == "formData":
            fields[text(parameter.get("name"))] = parameter
        else:
            explode = parameter.get("collectionFormat") == "multi"
            rest.append({"explode": explode, "schema": _schema(parameter), **parameter})
    if body is None and fields:
        has_file = any(field.get("type") == "file" for field in fields.values())
        media = _MULTIPART if has_file or (_MULTIPART in consumes and _FORM not in consumes) else _FORM
        schema = {
            "type": "object",
            "properties": {name: _schema(field) for name, field in fields.items()},
            "required": [name for name, field in fields.items() if field.get("required") is True],
        }
        body = {"content": {media: {"schema": schema}}}
    return rest, body


def _schema(parameter: dict[str, Any]) -> dict[str, Any]:
    """What Swagger 2 writes into the parameter itself; a file is a binary text."""
    schema = {name: value for name, value in parameter.items() if name not in ("name", "in", "required", "x-example")}
    if "x-example" in parameter:
        schema["example"] = parameter["x-example"]
    if schema.get("type") == "file":
        schema = {**schema, "type": "string", "format": "binary"}
    if mapping(schema.get("items")).get("type") == "file":
        schema["items"] = {"type": "string", "format": "binary"}
    return schema
