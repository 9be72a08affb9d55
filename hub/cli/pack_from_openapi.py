"""A service pack from an OpenAPI or Swagger document: the chosen operations become its requests."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection
from typing import Any
from urllib.parse import urlsplit

import click
from pydantic import ValidationError

from hub.catalog.packs import explain_problems
from hub.contracts.catalog import ServicePack, find_placeholders
from hub.contracts.http import SECRET_AUTH_FIELDS, VARIABLE_PLACEHOLDER, RequestDefinition, RequestDraft
from hub.http_builder.importing import ImportRefused, describe_refusal
from hub.http_builder.importing.documents import read_document
from hub.http_builder.importing.openapi import read_parsed

_VERBS = ("get", "put", "post", "delete", "options", "head", "patch")


def make_pack(service: str, text: str, *, operations: Collection[str] = (), tag: str = "", server: str = "") -> ServicePack:
    """The pack; ClickException says what the document lacks. Without ``operations`` and ``tag`` all operations are taken."""
    try:
        document = read_document(text)
        if not isinstance(document, dict):
            raise ImportRefused("not-openapi")
        chosen = _choose(document, operations, tag)
        drafts = read_parsed(_with_server(chosen, server)).drafts
    except ImportRefused as refused:
        raise click.ClickException(describe_refusal(refused)) from refused
    if not drafts:
        raise click.ClickException("the document has no operation like that")
    return _make(service, document, drafts, _operation_ids(document))


# --- Choosing ------------------------------------------------------------------------------------------------------


def _choose(document: dict[str, Any], operations: Collection[str], tag: str) -> dict[str, Any]:
    """The document with the chosen operations only."""
    known = set(_operation_ids(document).values())
    unknown = sorted(set(operations) - known)
    if unknown:
        some = ", ".join(sorted(known)[:20])
        raise click.ClickException(
            f"the document has no operation {', '.join(unknown)}; it has {some}{' …' if len(known) > 20 else ''}"
        )

    def is_chosen(operation: Any) -> bool:
        return isinstance(operation, dict) and (
            (not operations or operation.get("operationId") in operations) and (not tag or tag in (operation.get("tags") or ()))
        )

    paths = {
        path: {name: part for name, part in item.items() if name not in _VERBS or is_chosen(part)}
        for path, item in _items(document)
    }
    return {**document, "paths": paths}


def _items(document: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    paths = document.get("paths")
    return [(path, item) for path, item in paths.items() if isinstance(item, dict)] if isinstance(paths, dict) else []


def _operation_ids(document: dict[str, Any]) -> dict[str, str]:
    """``GET /path`` -> operationId."""
    return {
        f"{verb.upper()} {path}": str(operation["operationId"])
        for path, item in _items(document)
        for verb, operation in item.items()
        if verb in _VERBS and isinstance(operation, dict) and operation.get("operationId")
    }


def _with_server(document: dict[str, Any], server: str) -> dict[str, Any]:
    if not server:
        return document
    parts = urlsplit(server)
    if "swagger" in document:
        return {**document, "host": parts.netloc, "basePath": parts.path or "/", "schemes": [parts.scheme]}
    return {**document, "servers": [{"url": server}]}


# --- Making --------------------------------------------------------------------------------------------------------


def _make(service: str, document: dict[str, Any], drafts: tuple[RequestDraft, ...], ids: dict[str, str]) -> ServicePack:
    info = document.get("info") if isinstance(document.get("info"), dict) else {}
    definitions = [_rename(draft.definition) for draft in drafts]
    auth, _count = Counter(definition.auth for definition in definitions).most_common(1)[0]
    of_service = find_placeholders(auth)
    secrets = {name for each in definitions for name in _secret_names(each)}
    endpoints = []
    for draft, definition in zip(drafts, definitions, strict=True):
        source = _source(draft)
        endpoints.append(
            _endpoint(
                draft,
                definition,
                ids.get(source, source),
                secrets,
                of_service,
                None if definition.auth == auth else definition.auth,
            )
        )
    data = {
        "service_id": service,
        "service_name": str(info.get("title") or service)[:120] if isinstance(info, dict) else service,
        "category": "development",
        "hosts": sorted({_host(definition.url) for definition in definitions} | _token_hosts(definitions)),
        "auth": auth.model_dump(mode="json"),
        "variables": [_variable(name, "", name in secrets) for name in sorted(of_service)],
        "assertions": [{"subject": "status", "expected": "2xx"}],
        "endpoints": _with_unique_ids(endpoints),
    }
    try:
        return ServicePack.model_validate(data)
    except ValidationError as error:
        raise click.ClickException(f"the document gives no sound pack: {explain_problems(error)}") from error


def _endpoint(
    draft: RequestDraft, definition: RequestDefinition, name: str, secrets: set[str], of_service: set[str], auth: Any
) -> dict[str, Any]:
    if not definition.url.startswith("https://"):
        raise click.ClickException(f"{definition.url} is no https address; name the server with --server https://...")
    rows = {row.name: row for row in definition.variables}
    used = find_placeholders(definition.url, definition.params, definition.headers, definition.body, auth)
    variables = []
    for each in sorted(name for name in used - of_service if not name.startswith("$")):
        row = rows.get(each)
        variables.append(_variable(each, (row.description if row else None) or "", each in secrets, row.value if row else ""))
    data: dict[str, Any] = {
        "endpoint_id": re.sub(r"[^a-z0-9]+", "-", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name).lower()).strip("-")[:100]
        or "request",
        "endpoint_name": draft.name,
        "description": draft.description,
        "method": definition.method,
        "url_template": definition.url,
        "params": definition.params,
        "headers": definition.headers,
        "body": definition.body,
        "auth": auth,
        "variables": variables,
        "tags": draft.tags,
        "documentation": draft.documentation if (draft.documentation or "").startswith("https://") else None,
        "source": _source(draft),
    }
    return {key: value for key, value in data.items() if value is not None}


def _variable(name: str, description: str, secret: bool, example: str = "") -> dict[str, Any]:
    data: dict[str, Any] = {"name": name, "description": description or name.replace("_", " ").capitalize(), "secret": secret}
    return data | ({"example": example} if example and not secret else {})


def _rename(definition: RequestDefinition) -> RequestDefinition:
    """Names of variables as packs write them: in capitals."""

    def change(data: Any) -> Any:
        if isinstance(data, str):
            return VARIABLE_PLACEHOLDER.sub(lambda found: f"{{{{{_capitals(found[1])}}}}}", data)
        if isinstance(data, dict):
            return {key: change(value) for key, value in data.items()}
        return [change(value) for value in data] if isinstance(data, list) else data

    data = change(definition.model_dump(mode="json"))
    data["variables"] = [{**row, "name": _capitals(row["name"])} for row in data["variables"]]
    return RequestDefinition.model_validate(data)


def _capitals(name: str) -> str:
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).upper()
    words = re.sub(r"[^A-Z0-9]+", "_", words).strip("_")
    return words if words[:1].isalpha() else f"VALUE_{words}".rstrip("_")


def _secret_names(definition: RequestDefinition) -> set[str]:
    fields = SECRET_AUTH_FIELDS.get(definition.auth.type, ())
    return {name for field in fields for name in find_placeholders(getattr(definition.auth, field))}


def _source(draft: RequestDraft) -> str:
    """``GET /path`` of the draft's origin."""
    found = re.search(r"(GET|PUT|POST|DELETE|OPTIONS|HEAD|PATCH) /\S*$", draft.origin or "")
    return found[0] if found else draft.name


def _host(url: str) -> str:
    host = url.partition("://")[2].partition("/")[0].lower()
    first, _dot, rest = host.partition(".")
    return f"*.{rest}" if "{{" in first and "{{" not in rest else host


def _token_hosts(definitions: list[RequestDefinition]) -> set[str]:
    return {_host(url) for url in (getattr(definition.auth, "token_url", "") for definition in definitions) if url}


def _with_unique_ids(endpoints: list[dict[str, Any]]) -> list[dict[str, Any]]:
    seen: Counter[str] = Counter()
    for endpoint in endpoints:
        seen[endpoint["endpoint_id"]] += 1
        if seen[endpoint["endpoint_id"]] > 1:
            endpoint["endpoint_id"] = f"{endpoint['endpoint_id']}-{seen[endpoint['endpoint_id']]}"
    return endpoints
