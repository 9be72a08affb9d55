"""A request for other tools: commands, code and files, without any secret in them."""

from __future__ import annotations

from collections.abc import Mapping

from hub.contracts.http import RequestDefinition
from hub.http_builder.exporting.formats import FORMATS, Format
from hub.http_builder.exporting.plan import without_literal_secrets
from hub.http_builder.exporting.results import ExportResult

__all__ = ["FORMATS", "ExportResult", "Format", "export_request"]


def export_request(
    definition: RequestDefinition, *, name: str, kind: str, values: Mapping[str, str] | None = None
) -> ExportResult:
    """The request as a text of the format ``kind``. ``values`` are plain variables to fill in; every other ``{{NAME}}`` is left
    to the reader's environment, as are secrets, which must not be among the values. Raises ``KeyError`` for an unknown kind.
    """
    chosen = {known.kind: known for known in FORMATS}[kind]
    return chosen.write(without_literal_secrets(definition), name, dict(values or {}))
