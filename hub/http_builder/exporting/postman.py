"""Postman collections 2.1 of one or many requests; secrets are empty variables of the type secret."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from hub.contracts.http import (
    BinaryBody,
    FormBody,
    GraphqlBody,
    JsonBody,
    MultipartBody,
    NoBody,
    Note,
    Pair,
    RawBody,
    RequestDefinition,
    RequestDraft,
    RequestSettings,
    XmlBody,
)
from hub.http_builder.exporting.names import file_name, secret_names
from hub.http_builder.exporting.postman_auth import write_auth
from hub.http_builder.exporting.results import ExportResult
from hub.http_builder.rendering.placeholders import find_names, names_in, texts_of

_SCHEMA = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"
_SEGMENT = re.compile(r"(?<=/)\{\{([A-Za-z_][A-Za-z0-9_-]*)\}\}(?=/|$)")
_LANGUAGES = {"text/plain": "text", "text/html": "html", "application/javascript": "javascript"}


def write(definition: RequestDefinition, name: str, values: dict[str, str]) -> ExportResult:
    """A collection of one request."""
    return write_collection([RequestDraft(name=name, definition=definition)], name, values)


def write_collection(drafts: Sequence[RequestDraft], name: str, values: dict[str, str] | None = None) -> ExportResult:
    """A collection of requests in their folders. ``values`` are plain variables that apply to all of them."""
    notes: list[Note] = []
    variables: dict[str, dict[str, Any]] = {}
    items: list[dict[str, Any]] = []
    for draft in drafts:
        for row in _variables(draft, values or {}):
            known = variables.setdefault(row["key"], row)
            if known["value"] != row["value"]:
                notes.append(_lost(draft, f"{row['key']}={row['value']}"))
        _folder(items, draft.folder).append(_item(draft, notes))
    info = {"name": name, "schema": _SCHEMA}
    document = {"info": info, "item": items, "variable": list(variables.values())}
    text = json.dumps(document, ensure_ascii=False, indent=2) + "\n"
    return ExportResult(text, "application/json", file_name(name, "postman_collection.json"), tuple(notes))


def _lost(draft: RequestDraft, what: str) -> Note:
    return Note(code="not-expressed", details={"name": draft.name[:100], "what": what[:100]})


def _folder(items: list[dict[str, Any]], path: str | None) -> list[dict[str, Any]]:
    """The list of items of a folder, which is made where it is not there."""
    for name in (path or "").split("/") if path else ():
        folder = next((item for item in items if "item" in item and item["name"] == name), None)
        if folder is None:
            folder = {"name": name, "item": []}
            items.append(folder)
        items = folder["item"]
    return items


def _path_names(draft: RequestDraft) -> set[str]:
    """Variables of the request that are nothing but a part of the path: Postman keeps these with it."""
    definition = draft.definition
    own = {row.name for row in definition.variables}
    base = definition.url.partition("?")[0]
    rest = [_SEGMENT.sub("", base), *(text for place, text in texts_of(definition) if place != "url")]
    used = {name for text in rest for name in names_in(text)}
    return {name for name in _SEGMENT.findall(base) if name in own and name not in used} - secret_names(draft)


def _variables(draft: RequestDraft, values: dict[str, str]) -> list[dict[str, Any]]:
    own = {row.name: row for row in draft.definition.variables}
    secret, in_path = secret_names(draft), _path_names(draft)
    rows = []
    for name in dict.fromkeys([*own, *sorted(find_names(draft.definition))]):
        if name in secret:
            rows.append({"key": name, "value": "", "type": "secret"})
        elif name in own and name not in in_path:
            rows.append({**_pair(own[name]), "type": "string"})
        elif name in values and name not in in_path:
            rows.append({"key": name, "value": values[name], "type": "string"})
    return rows


def _item(draft: RequestDraft, notes: list[Note]) -> dict[str, Any]:
    definition = draft.definition
    headers = [_pair(row) for row in definition.headers]
    body = _body(definition, headers)
    auth = write_auth(definition.auth)
    if auth is None:
        notes.append(Note(code="auth-left-out", details={"name": draft.name[:100], "type": definition.auth.type}))
    if definition.assertions or definition.extractions:
        notes.append(_lost(draft, "assertions"))
    request = {
        "method": definition.method.value,
        "header": headers,
        "url": _url(draft),
        **({"body": body} if body else {}),
        "auth": auth or {"type": "noauth"},
        **({"description": draft.description} if draft.description else {}),
    }
    behavior = _behavior(definition.settings)
    return {"name": draft.name, "request": request, **({"protocolProfileBehavior": behavior} if behavior else {})}


def _pair(row: Pair) -> dict[str, Any]:
    return {
        "key": row.name,
        "value": row.value,
        **({} if row.enabled else {"disabled": True}),
        **({"description": row.description} if row.description else {}),
    }


def _url(draft: RequestDraft) -> dict[str, Any]:
    definition = draft.definition
    own = {row.name: row for row in definition.variables}
    in_path = _path_names(draft)
    base, mark, query = definition.url.partition("?")
    base = _SEGMENT.sub(lambda found: f":{found[1]}" if found[1] in in_path else found[0], base)
    shown = "&".join(f"{row.name}={row.value}" for row in definition.params if row.enabled)
    whole = "&".join(part for part in (query, shown) if part)
    scheme, separator, rest = base.partition("://")
    host, slash, path = (rest if separator else base).partition("/")
    url: dict[str, Any] = {"raw": base + (f"?{whole}" if whole or mark else "")}
    if separator:
        url["protocol"] = scheme
    url |= {"host": host.split("."), **({"path": path.split("/")} if slash else {})}
    if definition.params and not query:
        url["query"] = [_pair(row) for row in definition.params]
    if in_path:
        url["variable"] = [_pair(own[name]) for name in sorted(in_path)]
    return url


def _body(definition: RequestDefinition, headers: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The body; what only a header says in Postman is added to ``headers``."""
    body = definition.body
    match body:
        case NoBody():
            return None
        case JsonBody() | XmlBody():
            return {"mode": "raw", "raw": body.text, "options": {"raw": {"language": body.kind}}}
        case RawBody():
            language = _LANGUAGES.get(body.content_type)
            if language is None:
                _set_content_type(headers, body.content_type)
            return {"mode": "raw", "raw": body.text, "options": {"raw": {"language": language or "text"}}}
        case FormBody():
            return {"mode": "urlencoded", "urlencoded": [_pair(row) for row in body.decoded().fields]}
        case MultipartBody():
            return {"mode": "formdata", "formdata": [_part(part) for part in body.parts]}
        case GraphqlBody():
            operation = {"operationName": body.operation_name} if body.operation_name else {}
            return {"mode": "graphql", "graphql": {"query": body.query, "variables": body.variables, **operation}}
        case BinaryBody():
            if body.content_type != "application/octet-stream":
                _set_content_type(headers, body.content_type)
            return {"mode": "file", "file": {"src": body.file_name}}


def _set_content_type(headers: list[dict[str, Any]], value: str) -> None:
    if not any(row["key"].lower() == "content-type" for row in headers):
        headers.append({"key": "Content-Type", "value": value})


def _part(part: Any) -> dict[str, Any]:
    row = _pair(part)
    media = {"contentType": part.content_type} if part.content_type else {}
    if part.is_file:
        del row["value"]
        return {**row, "type": "file", "src": part.file_name, **media}
    return {**row, "type": "text", **media}


def _behavior(settings: RequestSettings) -> dict[str, Any]:
    usual = RequestSettings()
    written = {
        "followRedirects": settings.follow_redirects,
        "maxRedirects": settings.max_redirects,
        "strictSSL": settings.verify_tls,
    }
    default = {"followRedirects": True, "maxRedirects": usual.max_redirects, "strictSSL": True}
    return {name: value for name, value in written.items() if value != default[name]}
