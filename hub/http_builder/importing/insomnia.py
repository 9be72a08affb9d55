"""Insomnia exports: version 4 (JSON or YAML, a flat list of resources) and version 5 (YAML, a tree)."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from hub.contracts.http import NoAuth, Note, Pair, RequestDefinition, RequestSettings
from hub.http_builder.importing.documents import read_document
from hub.http_builder.importing.drafts import Drafts, method_of
from hub.http_builder.importing.insomnia_parts import read_auth, read_body, read_row
from hub.http_builder.importing.results import ImportedEnvironment, ImportRefused, ImportResult
from hub.http_builder.importing.values import description, mapping, mappings, rename_placeholders, split_url, text, variable_name
from hub.http_builder.importing.variables import Variables
from hub.yaml_documents import MAX_DEPTH

_LOOKS = re.compile(
    r"""["']?__export_format["']?\s*:\s*[0-9]|^["']?type["']?\s*:\s*["']?[a-z]+\.insomnia\.rest/5""", re.MULTILINE
)
_SEGMENT = re.compile(r"(?<=/):([A-Za-z_][A-Za-z0-9_-]*)")
_TEMPLATE_TAG = re.compile(r"\{%[^%]{1,2000}%\}")
_FRONT = 5_000
_MAX_VARIABLES = 2_000


def recognises(text: str) -> bool:
    """Whether the text looks like an export of Insomnia."""
    return bool(_LOOKS.search(text[:_FRONT]))


def read(text: str) -> ImportResult:
    """The requests and environments of an export. Raises ``ImportRefused``."""
    document = mapping(read_document(rename_placeholders(text)))
    if str(document.get("type", "")).endswith(".insomnia.rest/5.0") or isinstance(document.get("collection"), list):
        identifier = mapping(document.get("meta")).get("id")
        return _Export(str(document.get("name") or "Insomnia"), identifier, version=5).read(_tree_of_5(document))
    if document.get("__export_format") != 4 or not isinstance(document.get("resources"), list):
        raise ImportRefused("not-insomnia", version=str(document.get("__export_format", "?"))[:20])
    resources = mappings(document["resources"])
    workspace = next((row for row in resources if row.get("_type") == "workspace"), {})
    return _Export(str(workspace.get("name") or "Insomnia"), workspace.get("_id"), version=4).read(_tree_of_4(resources))


@dataclass(frozen=True, slots=True)
class _Tree:
    """An export in the shape of version 5."""

    items: list[dict[str, Any]]
    environment: dict[str, Any]


def _tree_of_5(document: dict[str, Any]) -> _Tree:
    return _Tree(mappings(document.get("collection")), mapping(document.get("environments")))


def _tree_of_4(resources: list[dict[str, Any]]) -> _Tree:
    """Children below their parents. What belongs to nobody that is in the list is at the top; circles are nobody's."""
    kinds = {text(row.get("_id")): row.get("_type") for row in resources}
    children: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    environments = [row for row in resources if row.get("_type") == "environment"]
    for row in resources:
        if row.get("_type") in ("request", "request_group"):
            parent = text(row.get("parentId"))
            children[parent if kinds.get(parent) == "request_group" else ""].append(row)
    base = next((row for row in environments if kinds.get(text(row.get("parentId"))) != "environment"), {})
    below = [row for row in environments if row is not base]
    return _Tree(list(_branch("", children, 0)), {**base, "subEnvironments": below})


def _branch(parent: str, children: dict[str, list[dict[str, Any]]], depth: int) -> Iterator[dict[str, Any]]:
    if depth > MAX_DEPTH:
        raise ImportRefused("too-deep", limit=MAX_DEPTH)
    for row in sorted(children.pop(parent, []), key=_sort_key):
        folder = row.get("_type") == "request_group"
        yield {**row, "children": list(_branch(text(row.get("_id")), children, depth + 1))} if folder else row


def _sort_key(row: dict[str, Any]) -> float:
    key = row.get("metaSortKey")
    return float(key) if isinstance(key, int | float) and abs(key) < 1e18 else 0.0


@dataclass(frozen=True, slots=True)
class _Place:
    """What a folder hands on to what is in it."""

    folders: tuple[str, ...]
    auth: Any
    headers: tuple[Pair, ...]
    variables: Variables


class _Export:
    def __init__(self, name: str, identifier: Any, *, version: int) -> None:
        self._name = name[:150]
        self._drafts = Drafts("insomnia", text(identifier, 60) or self._name, version=version)

    def read(self, tree: _Tree) -> ImportResult:
        base = _flatten(mapping(tree.environment.get("data")))
        self._walk(tree.items, _Place((self._name,), None, (), Variables(base)))
        environments = tuple(self._environments(tree.environment, base))
        return self._drafts.result(environments)

    @staticmethod
    def _environments(environment: dict[str, Any], base: list[Pair]) -> Iterator[ImportedEnvironment]:
        """Those below the base one, each with the base one's variables; requests take these themselves."""
        for inner in mappings(environment.get("subEnvironments"))[:100]:
            variables = Variables(base).within(Variables(_flatten(mapping(inner.get("data")))))
            yield variables.environment(text(inner.get("name"), 120))

    def _walk(self, items: list[dict[str, Any]], place: _Place) -> None:
        self._drafts.check_time()
        for item in items:
            if "children" in item:
                inner = replace(
                    place,
                    folders=(*place.folders, text(item.get("name"), 100)),
                    auth=item["authentication"] if mapping(item.get("authentication")).get("type") else place.auth,
                    headers=(*place.headers, *(read_row(row) for row in mappings(item.get("headers")))),
                    variables=place.variables.within(Variables(_flatten(mapping(item.get("environment"))))),
                )
                self._walk(mappings(item["children"]), inner)
            elif isinstance(item.get("url"), str) and ("method" in item or item.get("_type") == "request"):
                self._add(item, place)
            else:
                self._drafts.note("other-protocol", name=text(item.get("name"), 100))

    def _add(self, item: dict[str, Any], place: _Place) -> None:
        name = text(item.get("name"), 200)
        method = method_of(item.get("method") or "GET")
        if method is None:
            self._drafts.note("unknown-method", method=text(item.get("method"), 20), path=name)
            return
        own = [read_row(row) for row in mappings(item.get("headers"))]
        given = {row.name.lower() for row in own}
        headers = [row for row in (*(row for row in place.headers if row.name.lower() not in given), *own) if row.name]
        written = mapping(item.get("authentication"))
        written = written if written.get("type") else mapping(place.auth)
        auth = read_auth(written)
        body, headers = read_body(mapping(item.get("body")), headers)
        url, params, variables = _read_url(item)
        definition = RequestDefinition(
            method=method,
            url=url,
            params=tuple(params),
            headers=tuple(headers),
            body=body,
            auth=NoAuth() if auth is None else auth,
            settings=_read_settings(item),
            variables=tuple(variables),
        )
        definition, secrets = place.variables.attach(definition)
        meta = mapping(item.get("meta"))
        self._drafts.add(
            text(item.get("_id") or meta.get("id"), 80) or "/".join((*place.folders[1:], name)),
            name,
            definition,
            description=description(item.get("description")) or description(meta.get("description")),
            folders=place.folders,
            notes=tuple(_notes(item, written if auth is None else {})),
            secrets=secrets,
        )


def _notes(item: dict[str, Any], unknown_auth: dict[str, Any]) -> Iterator[Note]:
    if unknown_auth:
        yield Note(code="unknown-auth", details={"type": text(unknown_auth.get("type"), 40)})
    scripts = mapping(item.get("scripts"))
    if any(
        (item.get("preRequestScript"), item.get("afterResponseScript"), scripts.get("preRequest"), scripts.get("afterResponse"))
    ):
        yield Note(code="scripts")
    shown = json.dumps(
        [item.get(name) for name in ("url", "headers", "parameters", "body", "authentication")], ensure_ascii=False
    )
    if tag := _TEMPLATE_TAG.search(shown):
        yield Note(code="template-tag", details={"tag": tag[0][:80]})


def _read_url(item: dict[str, Any]) -> tuple[str, list[Pair], list[Pair]]:
    base, params = split_url(item["url"].strip())
    params += [read_row(row) for row in mappings(item.get("parameters")) if text(row.get("name"))]
    given = {text(row.get("name")): row for row in mappings(item.get("pathParameters")) if text(row.get("name"))}
    scheme, mark, rest = base.partition("://")
    rest = _SEGMENT.sub(
        lambda found: "{{" + variable_name(found[1]) + "}}" if found[1] in given else found[0], rest if mark else base
    )
    variables = [read_row({**row, "name": variable_name(name)}) for name, row in given.items()]
    variables = [row.model_copy(update={"enabled": bool(row.value)}) for row in variables]
    return f"{scheme}://{rest}" if mark else rest, params, variables


def _read_settings(item: dict[str, Any]) -> RequestSettings:
    follow = item.get("settingFollowRedirects", mapping(item.get("settings")).get("followRedirects"))
    return RequestSettings(follow_redirects=follow not in ("off", False))


def _flatten(data: dict[str, Any]) -> list[Pair]:
    """Variables of an environment; nested ones by their path, as ``{{ _.shop.url }}`` names them."""
    rows: list[Pair] = []
    queue = [("", data)]
    while queue and len(rows) < _MAX_VARIABLES:
        path, value = queue.pop(0)
        for key, item in value.items():
            name = f"{path}{variable_name(key)}"
            if isinstance(item, dict):
                queue.append((f"{name}.", item))
            else:
                rows.append(Pair(name=name[:100], value=text(item, 10_000)))
    return rows[:_MAX_VARIABLES]
