"""OpenCollection (Bruno's YAML): requests with what their folders and their collection hand on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from hub.contracts.http import (
    Assertion,
    Comparison,
    Extraction,
    NoAuth,
    Note,
    Pair,
    RequestDefinition,
    RequestSettings,
)
from hub.http_builder.importing.drafts import Drafts, method_of
from hub.http_builder.importing.open_collection_parts import read_auth, read_body, read_row
from hub.http_builder.importing.results import ImportResult
from hub.http_builder.importing.values import description, mapping, mappings, sequence, split_url, text, variable_name
from hub.http_builder.importing.variables import Variables
from hub.redaction import is_secret_name

_SEGMENT = re.compile(r"(?<=/):([A-Za-z_][A-Za-z0-9_-]*)")
_BODY = re.compile(r"\$?res\.body((?:\.[A-Za-z_][A-Za-z0-9_]*|\[[0-9]{1,6}\]){0,50})")
_HEADER = re.compile(
    r"""\$?res\.(?:headers\.([A-Za-z0-9_-]+)|headers\[["']([A-Za-z0-9_-]+)["']\]|getHeader\(["']([A-Za-z0-9_-]+)["']\))"""
)
_OPERATORS = {
    "eq": Comparison.EQUALS,
    "neq": Comparison.NOT_EQUALS,
    "contains": Comparison.CONTAINS,
    "matches": Comparison.MATCHES,
    "lt": Comparison.LESS_THAN,
    "gt": Comparison.GREATER_THAN,
    "isDefined": Comparison.EXISTS,
    "isUndefined": Comparison.MISSING,
}


def read_collection(document: dict[str, Any]) -> ImportResult:
    """The requests and environments of a collection."""
    name = text(mapping(document.get("info")).get("name"), 150)
    drafts = Drafts("bruno", name)
    request = mapping(document.get("request"))
    place = _Place((name,), request.get("auth"), _headers(request), _variables(request.get("variables")))
    if document.get("scripts") or sequence(request.get("scripts")):
        drafts.note("collection-scripts")
    _Walk(drafts).walk(_items(document), place)
    environments = mappings(mapping(document.get("config")).get("environments"))[:100]
    return drafts.result(tuple(_variables(row.get("variables")).environment(text(row.get("name"), 120)) for row in environments))


def _items(document: dict[str, Any]) -> list[dict[str, Any]]:
    """The items; a document that is a request itself is its own only one."""
    own = [document] if "http" in document or "graphql" in document else []
    return own or mappings(document.get("items"))


@dataclass(frozen=True, slots=True)
class _Place:
    """What a folder hands on to what is in it."""

    folders: tuple[str, ...]
    auth: Any
    headers: tuple[Pair, ...]
    variables: Variables


def _headers(request: dict[str, Any]) -> tuple[Pair, ...]:
    return tuple(read_row(row) for row in mappings(request.get("headers")))


def _variables(rows: Any) -> Variables:
    plain, secrets = [], {}
    for row in mappings(rows):
        name = variable_name(text(row.get("name"), 100), default="")
        value = row.get("value")
        value = mapping(value).get("data") if isinstance(value, dict) else value
        if row.get("secret") is True and name:
            secrets[name] = text(value, 10_000)
        else:
            plain.append(read_row({**row, "name": name, "value": text(value, 10_000)}))
    return Variables(plain, secrets)


class _Walk:
    def __init__(self, drafts: Drafts) -> None:
        self._drafts = drafts

    def walk(self, items: list[dict[str, Any]], place: _Place) -> None:
        self._drafts.check_time()
        for item in items:
            name = text(mapping(item.get("info")).get("name"), 200)
            call = mapping(item.get("http") or item.get("graphql"))
            if call:
                self._add(item, call, name, place)
            elif isinstance(item.get("items"), list):
                request = mapping(item.get("request"))
                inner = replace(
                    place,
                    folders=(*place.folders, name),
                    auth=request["auth"] if mapping(request.get("auth")) else place.auth,
                    headers=(*place.headers, *_headers(request)),
                    variables=place.variables.within(_variables(request.get("variables"))),
                )
                self.walk(mappings(item["items"]), inner)
            else:
                self._drafts.note("other-protocol", name=name[:100])

    def _add(self, item: dict[str, Any], call: dict[str, Any], name: str, place: _Place) -> None:
        method = method_of(call.get("method") or "GET")
        if method is None:
            self._drafts.note("unknown-method", method=text(call.get("method"), 20), path=name)
            return
        runtime = mapping(item.get("runtime"))
        own = _headers(call)
        given = {row.name.lower() for row in own}
        url, params, variables = _read_url(call)
        written = mapping(place.auth if call.get("auth") == "inherit" else call.get("auth"))
        auth = read_auth(written)
        notes = [
            *_script_notes(item, runtime),
            *([Note(code="unknown-auth", details={"type": text(written.get("type"), 40)})] if auth is None else []),
        ]
        definition = RequestDefinition(
            method=method,
            url=url,
            params=tuple(params),
            headers=(*(row for row in place.headers if row.name.lower() not in given), *own),
            body=read_body(call.get("body"), is_graphql="graphql" in item),
            auth=auth or NoAuth(),
            settings=_read_settings(mapping(item.get("settings"))),
            assertions=tuple(_assertions(runtime, notes)),
            extractions=tuple(_extractions(runtime, notes)),
            variables=tuple(variables),
        )
        definition, secrets = place.variables.within(_variables(runtime.get("variables"))).attach(definition)
        self._drafts.add(
            "/".join((*place.folders[1:], name)),
            name,
            definition,
            description=description(item.get("docs")),
            folders=place.folders,
            tags=tuple(text(tag, 60) for tag in sequence(mapping(item.get("info")).get("tags"))[:20]),
            notes=tuple(notes),
            secrets=secrets,
        )


def _read_url(call: dict[str, Any]) -> tuple[str, list[Pair], list[Pair]]:
    """The URL without its query, the query's rows (where both have them, the rows), and the path's variables."""
    base, query = split_url(text(call.get("url")).strip())
    rows = mappings(call.get("params"))
    listed = [read_row(row) for row in rows if row.get("type") != "path"]
    inner = {text(row.get("name")): row for row in rows if row.get("type") == "path" and text(row.get("name"))}
    scheme, mark, rest = base.partition("://")
    rest = _SEGMENT.sub(
        lambda found: "{{" + variable_name(found[1]) + "}}" if found[1] in inner else found[0], rest if mark else base
    )
    variables = [read_row({**row, "name": variable_name(name)}) for name, row in inner.items()]
    variables = [row.model_copy(update={"enabled": bool(row.value)}) for row in variables]
    return f"{scheme}://{rest}" if mark else rest, listed or query, variables


def _script_notes(item: dict[str, Any], runtime: dict[str, Any]) -> Iterator[Note]:
    if item.get("scripts") is True or sequence(runtime.get("scripts")):
        yield Note(code="scripts")


def _read_settings(settings: dict[str, Any]) -> RequestSettings:
    known: dict[str, Any] = {"follow_redirects": settings.get("followRedirects") not in (False, "false")}
    timeout, redirects = text(settings.get("timeout")), text(settings.get("maxRedirects"))
    if timeout.isdecimal() and len(timeout) < 9 and int(timeout) > 0:
        known["timeout_seconds"] = min(max(int(timeout) / 1000, 1.0), 120.0)
    if redirects.isdecimal() and len(redirects) < 4:
        known["max_redirects"] = min(int(redirects), 20)
    return RequestSettings(**known)


def _assertions(runtime: dict[str, Any], notes: list[Note]) -> Iterator[Assertion]:
    for row in mappings(runtime.get("assertions")):
        expression, operator = text(row.get("expression"), 500), _OPERATORS.get(text(row.get("operator")) or "eq")
        common = {"expected": text(row.get("value"), 2_000).strip(), "enabled": row.get("disabled") is not True}
        subject = _subject(expression)
        if subject is None or operator is None:
            notes.append(
                Note(code="assertion", details={"expression": expression[:100], "operator": text(row.get("operator"), 40)})
            )
        else:
            yield Assertion(subject=subject[0], path=subject[1], comparison=operator, **common)


def _subject(expression: str) -> tuple[Any, str] | None:
    plain = expression.strip().removeprefix("$")
    if plain in ("res.status", "res.getStatus()"):
        return "status", ""
    if plain in ("res.responseTime", "res.getResponseTime()"):
        return "time", ""
    if found := _BODY.fullmatch(plain):
        return "body", f"${found[1]}"
    found = _HEADER.fullmatch(plain)
    return ("header", found[1] or found[2] or found[3]) if found else None


def _extractions(runtime: dict[str, Any], notes: list[Note]) -> Iterator[Extraction]:
    for row in mappings(runtime.get("actions")):
        expression = text(mapping(row.get("selector")).get("expression"), 500)
        name = variable_name(text(mapping(row.get("variable")).get("name"), 100), default="")
        subject = _subject(expression)
        if subject is None or subject[0] not in ("body", "header") or not name:
            notes.append(Note(code="extraction", details={"expression": expression[:100], "name": name}))
        else:
            yield Extraction(
                variable=name,
                source=subject[0],
                path=subject[1],
                secret=is_secret_name(name),
                enabled=row.get("disabled") is not True,
            )
