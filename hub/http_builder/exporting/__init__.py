"""A request for other tools: commands, code and files, without any secret in them."""

from __future__ import annotations

from collections.abc import Mapping

from hub.contracts.http import RequestDefinition
from hub.http_builder.definitions import definition_of
from hub.http_builder.exporting.formats import FORMATS, Format
from hub.http_builder.exporting.n8n import write_n8n
from hub.http_builder.exporting.plan import without_literal_secrets
from hub.http_builder.exporting.results import ExportResult
from hub.http_builder.models import Request
from hub.http_builder.n8n.credentials import ServiceCredential
from hub.http_builder.n8n.pack_credential import pack_credential

__all__ = ["FORMATS", "ExportResult", "Format", "export_request", "export_saved"]


def export_request(
    definition: RequestDefinition,
    *,
    name: str,
    kind: str,
    values: Mapping[str, str] | None = None,
    pack: ServiceCredential | None = None,
) -> ExportResult:
    """The request as a text of the format ``kind``. ``values`` are plain variables to fill in; every other ``{{NAME}}`` is left
    to the reader's environment, as are secrets, which must not be among the values. ``pack`` is the credential
    that n8n signs it in with, where its pack names one. Raises ``KeyError`` for an unknown kind.
    """
    chosen = {known.kind: known for known in FORMATS}[kind]
    plain = without_literal_secrets(definition)
    return (
        write_n8n(plain, name, dict(values or {}), pack=pack) if kind == "n8n" else chosen.write(plain, name, dict(values or {}))
    )


def export_saved(request: Request, kind: str) -> ExportResult:
    """A saved request as ``export_request`` writes it."""
    return export_request(definition_of(request), name=request.name, kind=kind, pack=pack_credential(request))
