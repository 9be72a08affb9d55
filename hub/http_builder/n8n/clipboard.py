"""A request as text that n8n's editor takes when it is pasted."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from hub.contracts.http import Note, RequestDefinition
from hub.http_builder.n8n.credentials import ServiceCredential
from hub.http_builder.n8n.placing import Target, place_request

Json = dict[str, Any]


def copy_request(
    definition: RequestDefinition, name: str, values: Mapping[str, str], *, pack: ServiceCredential | None = None
) -> tuple[str, tuple[Note, ...]]:
    """``{"nodes": [...], "connections": {...}}`` with the node, and before it one with the values of its variables; and notes.

    ``pack`` is the credential of the request's pack.
    """
    empty: Json = {"name": name, "nodes": [], "connections": {}, "settings": {}}
    plain = {row.name: row.value for row in definition.variables if row.enabled}
    placed = place_request(empty, definition, Target(name=name or "HTTP Request"), values={**plain, **values}, pack=pack)
    payload = {key: placed.document[key] for key in ("nodes", "connections")}
    return json.dumps(payload, ensure_ascii=False, indent=2), placed.notes
