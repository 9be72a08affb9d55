"""Nodes of n8n: a copied selection, one node, or a whole workflow. Each HTTP Request node becomes a request."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from hub.contracts.http import Pair, RequestDefinition, RequestDraft
from hub.http_builder.importing.results import ImportRefused, ImportResult
from hub.http_builder.importing.secrets import SecretCollector, is_key_header, take_credentials
from hub.http_builder.n8n.expressions import VARIABLES_NODE
from hub.http_builder.n8n.reading import is_http_request, read_node
from hub.http_builder.rendering import find_names
from hub.redaction import is_secret_name

Json = dict[str, Any]

MOST_NODES = 2000
_SET = "n8n-nodes-base.set"


def recognises(text: str) -> bool:
    """Whether it looks like nodes of n8n."""
    start = text.lstrip()[:1]
    return start in ("{", "[") and '"n8n-nodes-base.' in text


def read(text: str) -> ImportResult:
    """One draft for each HTTP Request node; ``ImportRefused`` where the text is no JSON or holds none."""
    try:
        document = json.loads(text)
    except ValueError as error:
        raise ImportRefused("n8n-no-json") from error
    except RecursionError as error:
        raise ImportRefused("too-deep", limit=1000) from error
    nodes = list(_nodes(document))
    if len(nodes) > MOST_NODES:
        raise ImportRefused("n8n-too-many", limit=MOST_NODES)
    name = document.get("name") if isinstance(document, dict) and isinstance(document.get("nodes"), list) else None
    values = _variables(nodes)
    folder = name[:200] if isinstance(name, str) and name.strip() else None
    drafts = tuple(make_draft(node, folder=folder, values=values) for node in nodes if is_http_request(node))
    return ImportResult("n8n", drafts)


def make_draft(node: Json, *, folder: str | None = None, values: dict[str, str] | None = None) -> RequestDraft:
    """The draft of one HTTP Request node. Literal secrets in it stand apart; its credential's are not to be had from n8n."""
    definition, notes = read_node(node)
    secrets = SecretCollector()
    definition = _without_secrets(definition, secrets)
    known = values or {}
    used = sorted(find_names(definition) & known.keys())
    definition = definition.model_copy(update={"variables": tuple(Pair(name=name, value=known[name]) for name in used)})
    name = node.get("name")
    return RequestDraft(
        name=name[:200] if isinstance(name, str) and name.strip() else "HTTP Request",
        definition=definition,
        description=node["notes"] if isinstance(node.get("notes"), str) else None,
        folder=folder,
        secrets=secrets.values,
        notes=notes,
    )


def _without_secrets(definition: RequestDefinition, secrets: SecretCollector) -> RequestDefinition:
    """Literal secrets of headers and parameters go apart; a header that signs in becomes the authentication."""
    changes: Json = {}
    if definition.auth.type == "none":
        headers, auth = take_credentials(definition.headers, secrets)
        changes |= {"headers": headers, "auth": auth}
    else:
        changes["headers"] = tuple(_kept(row, secrets, is_key_header(row.name) or _signs(row)) for row in definition.headers)
    changes["params"] = tuple(_kept(row, secrets, is_secret_name(row.name)) for row in definition.params)
    return definition.model_copy(update=changes)


def _signs(row: Pair) -> bool:
    return row.name.lower() in ("authorization", "cookie")


def _kept(row: Pair, secrets: SecretCollector, is_secret: bool) -> Pair:
    return row.model_copy(update={"value": secrets.keep(row.name, row.value)}) if is_secret else row


def _nodes(document: object) -> Iterator[Json]:
    """The nodes of a workflow or selection, of a list of them, or the one node that the text is."""
    if isinstance(document, list):
        for entry in document:
            yield from _nodes(entry)
    elif isinstance(document, dict):
        listed = document.get("nodes")
        if isinstance(listed, list):
            yield from (node for node in listed if isinstance(node, dict))
        elif "type" in document:
            yield document


def _variables(nodes: list[Json]) -> dict[str, str]:
    """The plain values that a node of variables holds; those that n8n computes are left out."""
    found: dict[str, str] = {}
    for node in nodes:
        parameters = node.get("parameters")
        if node.get("type") != _SET or node.get("name") != VARIABLES_NODE or not isinstance(parameters, dict):
            continue
        collection = parameters.get("assignments")
        rows = collection.get("assignments") if isinstance(collection, dict) else None
        for row in rows if isinstance(rows, list) else ():
            value = row.get("value") if isinstance(row, dict) else None
            if isinstance(value, str) and value and not value.startswith("=") and not is_secret_name(str(row.get("name"))):
                found[str(row.get("name"))] = value
    return found
