"""A request as text that n8n's editor takes when it is pasted."""

from __future__ import annotations

import json
import re
from typing import Any

from hub.contracts.http import RequestDefinition
from hub.http_builder.exporting.results import ExportResult
from hub.http_builder.n8n.placing import Target, place_request

Json = dict[str, Any]


def write_clipboard(definition: RequestDefinition, name: str, values: dict[str, str]) -> ExportResult:
    """``{"nodes": [...], "connections": {...}}`` with the node, and before it one with the values of its variables."""
    empty: Json = {"name": name, "nodes": [], "connections": {}, "settings": {}}
    plain = {row.name: row.value for row in definition.variables if row.enabled}
    placed = place_request(empty, definition, Target(name=name or "HTTP Request"), values={**plain, **values})
    payload = {key: placed.document[key] for key in ("nodes", "connections")}
    text = json.dumps(payload, ensure_ascii=False, indent=2)
    file_name = re.sub(r"[^\w.-]+", "-", name.lower()).strip("-.")[:60] or "request"
    return ExportResult(text, "application/json", f"{file_name}.n8n.json", placed.notes)
