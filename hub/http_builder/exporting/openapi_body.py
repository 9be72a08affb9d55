"""Bodies as OpenAPI's request bodies, with the text as the example."""

from __future__ import annotations

import json
from typing import Any

from hub.contracts.http import (
    BinaryBody,
    FormBody,
    GraphqlBody,
    JsonBody,
    MultipartBody,
    MultipartPart,
    NoBody,
    Pair,
    RawBody,
    RequestDefinition,
    XmlBody,
)


def write_body(definition: RequestDefinition) -> dict[str, Any] | None:
    """The ``requestBody``; None where nothing is sent."""
    body = definition.body
    written = next((row.value for row in definition.headers if row.enabled and row.name.lower() == "content-type"), "")
    match body:
        case NoBody():
            return None
        case JsonBody():
            return _content(written or "application/json", _json_media(body.text))
        case XmlBody():
            return _content(written or "application/xml", {"example": body.text} if body.text else {})
        case RawBody():
            return _content(body.content_type or "text/plain", {"schema": {"type": "string"}, "example": body.text})
        case GraphqlBody():
            return _content("application/json", {"example": _graphql(body)})
        case FormBody():
            return _content("application/x-www-form-urlencoded", {"schema": _schema(body.decoded().fields)})
        case MultipartBody():
            kinds = {part.name: {"contentType": part.content_type} for part in body.parts if part.content_type and part.name}
            media = {"schema": _schema(body.parts), **({"encoding": kinds} if kinds else {})}
            return _content("multipart/form-data", media)
        case BinaryBody():
            return _content(body.content_type or "application/octet-stream", {})


def _content(kind: str, media: dict[str, Any]) -> dict[str, Any]:
    return {"required": True, "content": {kind: media}}


def _json_media(text: str) -> dict[str, Any]:
    """The example as JSON, or as it stands where placeholders make it none."""
    if not text:
        return {}
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return {"example": text}
    return {"example": value}


def _graphql(body: GraphqlBody) -> dict[str, Any]:
    try:
        variables = json.loads(body.variables or "{}")
    except (ValueError, RecursionError):
        variables = body.variables
    operation = {"operationName": body.operation_name} if body.operation_name else {}
    return {"query": body.query, "variables": variables, **operation}


def _schema(rows: tuple[Pair, ...]) -> dict[str, Any]:
    """An object with a property for each name; one that repeats is a list."""
    grouped: dict[str, list[Pair]] = {}
    for row in rows:
        if row.name:
            grouped.setdefault(row.name, []).append(row)
    required = [name for name, group in grouped.items() if group[0].enabled]
    schema: dict[str, Any] = {"type": "object", "properties": {name: _property(group) for name, group in grouped.items()}}
    return schema | ({"required": required} if required else {})


def _property(rows: list[Pair]) -> dict[str, Any]:
    row = rows[0]
    words = {"description": row.description} if row.description else {}
    if isinstance(row, MultipartPart) and row.is_file:
        return {"type": "string", "contentMediaType": "application/octet-stream", **words}
    if len(rows) > 1:
        return {"type": "array", "items": {"type": "string"}, "example": [row.value for row in rows], **words}
    return {"type": "string", **({"example": row.value} if row.value else {}), **words}
