"""Compares a pack with what the vendor's own documents say of its operations (``plugins/services/vendor_facts.json``)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from graphql import build_schema, parse, validate
from graphql.execution.values import get_variable_values

from hub.catalog.filling import example_values, fill_text
from hub.config import ROOT
from hub.contracts.catalog import EndpointTemplate, ServicePack
from hub.contracts.http import Auth, Body, GraphqlBody

FACTS: dict[str, Any] = json.loads((ROOT / "plugins/services/vendor_facts.json").read_text(encoding="utf-8"))
SHOPIFY = build_schema((ROOT / "plugins/services/shopify_schema.graphql").read_text(encoding="utf-8"))

CONTENT_TYPES = {
    "json": "application/json",
    "graphql": "application/json",
    "form": "application/x-www-form-urlencoded",
    "multipart": "multipart/form-data",
    "xml": "application/xml",
}

#: Body fields that a document requires and the service does not, with the reason.
OVER_STRICT = {
    ("hubspot", "POST /crm/v3/objects/contacts"): ({"associations"}, "HubSpot's own examples create without associations"),
    ("hubspot", "POST /crm/v3/objects/companies"): ({"associations"}, "as above"),
    ("hubspot", "POST /crm/v3/objects/0-3"): ({"associations"}, "as above"),
    ("hubspot", "POST /crm/v3/objects/contacts/search"): (
        {"after", "sorts"},
        "the list names all fields, the first page has no after",
    ),
}
#: What a document leaves out and the service takes, with the reason.
UNLISTED = {
    ("airtable", "GET /v0/{}/{}"): (
        {"filterByFormula", "pageSize"},
        "pyairtable builds them from options; Airtable's reference lists them",
    ),
    ("whatsapp", "GET /{Version}/{WABA-ID}/message_templates"): ({"fields"}, "every node of the Graph API takes fields"),
    ("airtable", "DELETE /v0/{}/{}"): ({"records[]"}, "pyairtable gives it as records[] in the call"),
}


def compare(pack: ServicePack, facts: dict[str, Any]) -> list[str]:
    """Each disagreement as one line; none where the pack is right."""
    return [
        f"{pack.service_id}/{endpoint.endpoint_id}: {line}"
        for endpoint in pack.endpoints
        for line in _compare(pack, endpoint, facts)
    ]


def _compare(pack: ServicePack, endpoint: EndpointTemplate, facts: dict[str, Any]) -> Iterator[str]:
    auth = endpoint.auth if endpoint.auth is not None else pack.auth
    for one in (auth, *(other.auth for other in pack.other_auth if endpoint.auth is None)):
        if not _words_of(one) & {*facts["auth"], *({"none"} if endpoint.auth is not None else ())}:
            yield f"signs in by {_words_of(one)}, the service by {facts['auth']}"
    if isinstance(endpoint.body, GraphqlBody):
        yield from _compare_graphql(pack, endpoint, facts, endpoint.body)
        return
    operation = facts["operations"].get(endpoint.source)
    if operation is None:
        yield f"the documents know no {endpoint.source}"
        return
    method, _, path = str(endpoint.source).partition(" ")
    if endpoint.method != method:
        yield f"is {endpoint.method}, not {method}"
    if _normal(_with_default_host(pack, endpoint)) not in {_normal(server + path) for server in facts["servers"]}:
        yield f"{endpoint.url_template} is not {path}"
    if operation["deprecated"]:
        yield f"{endpoint.source} is deprecated"
    yield from _compare_query(pack.service_id, endpoint, operation)
    yield from _compare_body(pack, endpoint, operation)


def _compare_query(service: str, endpoint: EndpointTemplate, operation: dict[str, Any]) -> Iterator[str]:
    sent = {row.name for row in endpoint.params if row.enabled} | {
        name for name, _ in parse_qsl(urlsplit(endpoint.url_template).query)
    }
    known = {*operation["query"], *UNLISTED.get((service, str(endpoint.source)), (set(), ""))[0]}
    if missing := {*operation["required_query"]} - sent:
        yield f"lacks the parameters {sorted(missing)}"
    if unknown := sent - known:
        yield f"has unknown parameters {sorted(unknown)}"


def _compare_body(pack: ServicePack, endpoint: EndpointTemplate, operation: dict[str, Any]) -> Iterator[str]:
    names = _body_names(pack, endpoint, endpoint.body)
    required = {*operation["required_body"]} - OVER_STRICT.get((pack.service_id, str(endpoint.source)), (set(), ""))[0]
    if endpoint.body.kind != "none" and CONTENT_TYPES[endpoint.body.kind] not in operation["content_types"]:
        yield f"sends {endpoint.body.kind}, the service takes {operation['content_types']}"
    if missing := required - names:
        yield f"lacks the body fields {sorted(missing)}"
    if operation["body"] and (unknown := names - {*operation["body"]}):
        yield f"has unknown body fields {sorted(unknown)}"


def _compare_graphql(pack: ServicePack, endpoint: EndpointTemplate, facts: dict[str, Any], body: GraphqlBody) -> Iterator[str]:
    if _normal(endpoint.url_template) != _normal(facts["servers"][0].replace("2026-10", "{version}")):
        yield f"{endpoint.url_template} is not {facts['servers'][0]}"
    document = parse(body.query)
    problems = validate(SHOPIFY, document)
    yield from (problem.message for problem in problems)
    (operation,) = document.definitions
    if f"{operation.operation.value} {operation.selection_set.selections[0].name.value}" != endpoint.source:
        yield f"is not {endpoint.source}"
    values = json.loads(fill_text(body.variables, example_values(pack, endpoint)) or "{}")
    if not problems:
        read = get_variable_values(SHOPIFY, operation.variable_definitions or (), values)
        yield from (problem.message for problem in (read if isinstance(read, list) else ()))
    names = {definition.variable.name.value for definition in operation.variable_definitions or ()}
    if unknown := {*values} - names:
        yield f"has unknown variables {sorted(unknown)}"


def _body_names(pack: ServicePack, endpoint: EndpointTemplate, body: Body) -> set[str]:
    if body.kind == "json":
        return {*json.loads(fill_text(body.text, example_values(pack, endpoint)))}
    rows = body.fields if body.kind == "form" else body.parts if body.kind == "multipart" else ()
    return {row.name.partition("[")[0] for row in rows if row.enabled}


def _words_of(auth: Auth) -> set[str]:
    """The kinds that one may be called in a document: a bearer token is a header as well."""
    if auth.type == "bearer":
        return {"bearer", "oauth2"} if auth.prefix == "Bearer" else {"header:Authorization"}
    if auth.type == "api-key":
        return {f"{auth.place}:{auth.name}"}
    if auth.type == "oauth2-client-credentials":
        return {"oauth2", "bearer"} if auth.header_name == "Authorization" else {f"header:{auth.header_name}"}
    return {"oauth2"} if auth.type == "oauth2-code" else {auth.type}


def _with_default_host(pack: ServicePack, endpoint: EndpointTemplate) -> str:
    scheme, _, rest = endpoint.url_template.partition("?")[0].partition("://")
    host, slash, path = rest.partition("/")
    defaults = {variable.name: variable.default for variable in pack.variables if variable.default is not None}
    return f"{scheme}://{fill_text(host, defaults)}{slash}{path}"


def _normal(url: str) -> str:
    return re.sub(r"\{+[^{}]*\}+", "{}", url)
