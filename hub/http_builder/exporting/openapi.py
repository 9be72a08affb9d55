"""An OpenAPI 3.1 document of one or many requests: parameters, bodies and authentication, with examples and no secret."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from hub.contracts.http import VARIABLE_PLACEHOLDER, Note, Pair, RequestDefinition, RequestDraft
from hub.http_builder.exporting.names import file_name, secret_names
from hub.http_builder.exporting.openapi_body import write_body
from hub.http_builder.exporting.openapi_security import write_security
from hub.http_builder.exporting.results import ExportResult

#: Headers that OpenAPI says by other means.
_OTHERWISE = frozenset(("accept", "content-type", "authorization"))


def write(definition: RequestDefinition, name: str, values: dict[str, str]) -> ExportResult:
    """A document of one operation."""
    return write_document([RequestDraft(name=name, definition=definition)], name, values)


def write_document(drafts: Sequence[RequestDraft], title: str, values: dict[str, str] | None = None) -> ExportResult:
    """A document of the requests. ``values`` are plain variables that apply to all of them."""
    document = _Document(title, values or {})
    for draft in drafts:
        document.add(draft)
    text = json.dumps(document.written(), ensure_ascii=False, indent=2) + "\n"
    return ExportResult(text, "application/json", file_name(title, "openapi.json"), tuple(document.notes))


class _Document:
    """One document while it is written."""

    def __init__(self, title: str, values: dict[str, str]) -> None:
        self.notes: list[Note] = []
        self._title = title
        self._values = values
        self._paths: dict[str, dict[str, Any]] = {}
        self._servers: dict[str, dict[str, Any]] = {}
        self._schemes: dict[str, dict[str, Any]] = {}
        self._identifiers: set[str] = set()
        #: Paths whose parameters have other names are the same path to OpenAPI.
        self._spellings: dict[str, str] = {}

    def written(self) -> dict[str, Any]:
        """The whole of it; the server stands at the top where all operations share it."""
        document: dict[str, Any] = {"openapi": "3.1.0", "info": {"title": self._title, "version": "1.0.0"}}
        if len(self._servers) == 1:
            document["servers"] = list(self._servers.values())
            for item in self._paths.values():
                for operation in item.values():
                    del operation["servers"]
        document["paths"] = self._paths
        return document | ({"components": {"securitySchemes": self._schemes}} if self._schemes else {})

    def add(self, draft: RequestDraft) -> None:
        """Add an operation; a second one of a method and path has no place in a document."""
        definition = draft.definition
        variables = self._values | {row.name: row.value for row in definition.variables}
        server, path = _split(definition.url)
        method = definition.method.value.lower()
        key = VARIABLE_PLACEHOLDER.sub("{}", path)
        written_path = self._spellings.setdefault(key, _braces(path))
        if written_path != _braces(path) or method in self._paths.get(written_path, {}):
            self.notes.append(Note(code="many-methods", details={"count": 1, "name": draft.name[:100]}))
            return
        self._servers.setdefault(server, _server(server, variables))
        operation: dict[str, Any] = {"operationId": self._identifier(draft.name, method), "summary": draft.name}
        if draft.description:
            operation["description"] = draft.description
        if draft.folder:
            operation["tags"] = [draft.folder.rpartition("/")[2]]
        if (draft.documentation or "").startswith(("https://", "http://")):
            operation["externalDocs"] = {"url": draft.documentation}
        operation["servers"] = [self._servers[server]]
        if parameters := self._parameters(draft, path):
            operation["parameters"] = parameters
        if body := write_body(definition):
            operation["requestBody"] = body
        self._secure(draft, operation)
        operation["responses"] = {"2XX": {"description": "Success"}}
        self._paths.setdefault(written_path, {})[method] = operation

    def _identifier(self, name: str, method: str) -> str:
        words = re.sub(r"[^A-Za-z0-9]+", "_", name).strip("_")[:80] or method
        identifier, number = words, 2
        while identifier in self._identifiers:
            identifier, number = f"{words}_{number}", number + 1
        self._identifiers.add(identifier)
        return identifier

    def _parameters(self, draft: RequestDraft, path: str) -> list[dict[str, Any]]:
        definition = draft.definition
        own = {row.name: row for row in definition.variables}
        secret = secret_names(draft)
        parameters = []
        for name in dict.fromkeys(VARIABLE_PLACEHOLDER.findall(path)):
            row = own.get(name, Pair(name=name, value=self._values.get(name, "")))
            value = "" if name in secret or not row.enabled else row.value
            parameters.append(_parameter("path", row.model_copy(update={"enabled": True, "value": value}), [value]))
        for place, rows in (("query", definition.params), ("header", definition.headers)):
            grouped: dict[str, list[Pair]] = {}
            for row in rows:
                if row.name and not (place == "header" and row.name.lower() in _OTHERWISE):
                    grouped.setdefault(row.name.lower() if place == "header" else row.name, []).append(row)
            parameters += [_parameter(place, group[0], [row.value for row in group]) for group in grouped.values()]
        return parameters

    def _secure(self, draft: RequestDraft, operation: dict[str, Any]) -> None:
        auth = draft.definition.auth
        written = write_security(auth)
        if written is None:
            self.notes.append(Note(code="auth-left-out", details={"name": draft.name[:100], "type": auth.type}))
        elif written.scheme:
            name, number = written.name, 2
            while self._schemes.get(name, written.scheme) != written.scheme:
                name, number = f"{written.name}_{number}", number + 1
            self._schemes[name] = written.scheme
            operation["security"] = [{name: list(written.scopes)}]


def _braces(text: str) -> str:
    return VARIABLE_PLACEHOLDER.sub(lambda found: "{" + found[1] + "}", text)


def _split(url: str) -> tuple[str, str]:
    """Server and path; the query of a URL is not told by a path."""
    base = url.partition("#")[0].partition("?")[0]
    scheme, mark, rest = base.partition("://")
    host, _slash, path = (rest if mark else base).partition("/")
    return f"{scheme}://{host}" if mark else host, f"/{path}"


def _server(server: str, variables: dict[str, str]) -> dict[str, Any]:
    names = dict.fromkeys(VARIABLE_PLACEHOLDER.findall(server))
    written: dict[str, Any] = {"url": _braces(server) or "/"}
    if names:
        written["variables"] = {name: {"default": variables.get(name, "")} for name in names}
    return written


def _parameter(place: str, row: Pair, values: list[str]) -> dict[str, Any]:
    parameter: dict[str, Any] = {"name": row.name, "in": place, "required": row.enabled}
    if row.description:
        parameter["description"] = row.description
    if len(values) > 1:
        return {**parameter, "schema": {"type": "array", "items": {"type": "string"}}, "example": values}
    return {**parameter, "schema": {"type": "string"}, **({"example": values[0]} if values[0] else {})}
