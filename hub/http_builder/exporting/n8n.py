"""A request as nodes for n8n's editor."""

from __future__ import annotations

import re

from hub.contracts.http import RequestDefinition
from hub.http_builder.exporting.results import ExportResult
from hub.http_builder.n8n.clipboard import copy_request
from hub.http_builder.n8n.credentials import ServiceCredential


def write_n8n(
    definition: RequestDefinition, name: str, values: dict[str, str], *, pack: ServiceCredential | None = None
) -> ExportResult:
    """The nodes as a file, or to be pasted into the editor."""
    text, notes = copy_request(definition, name, values, pack=pack)
    file_name = re.sub(r"[^\w.-]+", "-", name.lower()).strip("-.")[:60] or "request"
    return ExportResult(text, "application/json", f"{file_name}.n8n.json", notes)
