"""Import, export and uploaded files as JSON."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from flask_babel import gettext as _
from pydantic import Field

from hub.accounts.web import current_actor
from hub.errors import Invalid
from hub.http_builder import services, transfer
from hub.http_builder.exporting import FORMATS, export_saved
from hub.http_builder.files import upload_file
from hub.http_builder.importing import ImportResult
from hub.http_builder.importing.saving import Fate, ImportSummary, plan_import, save_import
from hub.http_builder.request_types import NoteResource, note_resources
from hub.json_api import Resource, operation


class ImportInput(Resource):
    """What to import: one of ``text``, ``contentBase64`` (a file, also a ZIP archive of one) and ``address``."""

    text: str | None = Field(None, description="A cURL command, n8n nodes, OpenAPI, Postman, HAR, Insomnia, Bruno.")
    content_base64: str | None = None
    address: str | None = Field(None, description="Where to fetch an OpenAPI document.")
    kind: str | None = Field(None, description="The format; left out, it is recognised.")
    folder: str = Field("", description="Put before the folder of each request.")

    def read(self) -> ImportResult:
        """The requests found, in their folder."""
        content = None if self.content_base64 is None else _decode(self.content_base64, "content_base64")
        return transfer.read_import(self.text, content, self.address, kind=self.kind, folder=self.folder)


class ImportChoice(ImportInput):
    """What to import, and which of it."""

    chosen: list[int] | None = Field(None, description="Places in the plan's items, from 0; left out: all.")


class ImportItem(Resource):
    """One request of the import."""

    name: str
    fate: Fate
    request_id: str | None
    kept: bool = Field(description="Whether changes of yours stayed.")
    conflicts: list[str] = Field(description="What you and the document changed, each its own way.")
    problems: dict[str, str] = Field(description="Why it is refused, by field.")
    notes: list[NoteResource]


class GoneRequest(Resource):
    """A request of yours that the document no longer has. It is tagged, not deleted."""

    id: str
    name: str


class ImportReport(Resource):
    """What an import does, or did."""

    kind: str
    items: list[ImportItem]
    gone: list[GoneRequest]
    notes: list[NoteResource]
    environments: list[str] = Field(description="Names of the environments that come along.")
    problems: list[str] = Field(description="What of the environments was not imported, and why.")


class ExportQuery(Resource):
    """For which tool."""

    kind: str = Field("curl", description="One of: " + ", ".join(known.kind for known in FORMATS) + ".")


class ExportResource(Resource):
    """A request as text for another tool, without secrets."""

    text: str
    media_type: str
    file_name: str
    notes: list[NoteResource]


class NewFile(Resource):
    """A file of at most 10 MB."""

    name: str
    media_type: str = "application/octet-stream"
    content_base64: str


class FileResource(Resource):
    """A file that was uploaded; bodies name it as fileId."""

    id: str
    name: str
    media_type: str
    size: int


@operation("POST", "/requests/import/plan", scope="requests:read", answer=ImportReport)
def plan_request_import(json: ImportInput) -> Any:
    """What an import would do. Nothing is saved."""
    result = json.read()
    return _report(result, plan_import(current_actor(), result), range(len(result.drafts)), [])


@operation("POST", "/requests/import", scope="requests:write", answer=ImportReport, errors=(402,))
def import_requests(json: ImportChoice) -> Any:
    """Import requests: new ones are added, earlier ones of the same document brought up to date."""
    result = json.read()
    places = [place for place in range(len(result.drafts)) if json.chosen is None or place in json.chosen]
    summary = save_import(current_actor(), result, places)
    return _report(result, summary, places, transfer.list_left_out(summary))


@operation("GET", "/requests/<request_id>/export", scope="requests:read", answer=ExportResource, errors=(404,))
def export_saved_request(request_id: str, query: ExportQuery) -> Any:
    """A request as a command, code or a file of another tool."""
    request = services.get_request(current_actor(), request_id)
    if query.kind not in {known.kind for known in FORMATS}:
        raise Invalid(fields={"kind": _("This is no format that can be exported.")})
    made = export_saved(request, query.kind)
    notes = note_resources(made.notes)
    return ExportResource(text=made.text, media_type=made.media_type, file_name=made.file_name, notes=notes)


@operation("POST", "/files", scope="requests:write", answer=FileResource, status=201)
def upload_request_file(json: NewFile) -> Any:
    """Upload a file to be sent."""
    content = _decode(json.content_base64, "content_base64")
    return FileResource.model_validate(upload_file(current_actor(), name=json.name, media_type=json.media_type, content=content))


def _decode(text: str, field: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Invalid(fields={field: _("This is not valid Base64.")}) from error


def _report(result: ImportResult, summary: ImportSummary, places: Any, problems: list[str]) -> ImportReport:
    notes = [note_resources(result.drafts[place].notes) for place in places]
    items = [
        ImportItem(
            name=item.name,
            fate=item.fate,
            request_id=item.request_id,
            kept=item.kept,
            conflicts=list(item.conflicts),
            problems=item.problems,
            notes=own,
        )
        for item, own in zip(summary.items, notes, strict=True)
    ]
    return ImportReport(
        kind=result.kind,
        items=items,
        gone=[GoneRequest(id=request_id, name=name) for request_id, name in summary.gone],
        notes=note_resources(result.notes),
        environments=[environment.name for environment in result.environments],
        problems=problems,
    )
