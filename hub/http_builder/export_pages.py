"""Pages that write requests down for other tools: one as a command, code or a file, many as one document. Never a secret."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, flash, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from hub.accounts.web import current_actor
from hub.htmx import go_to, read_filters, render
from hub.http_builder import services
from hub.http_builder.exporting import FORMATS, ExportResult, export_saved, openapi, postman
from hub.http_builder.importing import describe_note
from hub.http_builder.models import Request
from hub.http_builder.rendering import RenderError
from hub.http_builder.rendering.words import describe_problem
from hub.http_builder.views import FILTERS, filters_of

bp = Blueprint("exports", __name__)

KINDS = {known.kind: known for known in FORMATS}
#: A longer text is downloaded, not shown.
MOST_SHOWN = 200_000
#: Formats of many requests.
DOCUMENTS = {"postman": postman.write_collection, "openapi": openapi.write_document}


@bp.get("/requests/<request_id>/export")
def show(request_id: str) -> ResponseReturnValue:
    """A saved request in the format ``kind``; with ``download`` as a file."""
    saved = services.get_request(current_actor(), request_id)
    asked = request.args.get("kind", "")
    kind = asked if asked in KINDS else "curl"
    result, problems = _write(saved, kind)
    if result is not None and request.args.get("download"):
        return _as_file(result)
    return _page(kind, tuple(KINDS), result, saved=saved, problems=problems)


@bp.get("/requests/export")
def many() -> ResponseReturnValue:
    """The chosen requests (``request``, any number), or all that the list's filters fit, as one document of ``kind``."""
    asked = request.args.get("kind", "")
    kind = asked if asked in DOCUMENTS else "postman"
    chosen = read_filters(FILTERS)
    found = services.gather_requests(current_actor(), ids=request.args.getlist("request"), **filters_of(chosen))
    if not found:
        flash(_("There is no request to export here."), "error")
        return go_to("requests.index")
    name = chosen["folder"].rpartition("/")[2] or chosen["tag"] or _("Requests")
    result = DOCUMENTS[kind]([services.draft_of(saved) for saved in found], name)
    if request.args.get("download"):
        return _as_file(result)
    return _page(kind, tuple(DOCUMENTS), result, count=len(found))


def _page(kind: str, kinds: Sequence[str], result: ExportResult | None, **context: Any) -> str:
    items = [{"label": KINDS[name].name, "href": _here(kind=name), "current": name == kind} for name in kinds]
    context = {"saved": None, "problems": [], "count": 1, **context}
    return render(
        "requests/export.html",
        kind=KINDS[kind],
        items=items,
        result=result,
        download_url=_here(kind=kind, download="1"),
        notes=list(dict.fromkeys(describe_note(note) for note in result.notes)) if result else [],
        most_shown=MOST_SHOWN,
        **context,
    )


def _here(**changes: str) -> str:
    """This address with other values."""
    kept = [(name, value) for name, value in request.args.items(multi=True) if name not in (*changes, "download")]
    return f"{request.path}?{urlencode([*kept, *changes.items()])}"


def _write(saved: Request, kind: str) -> tuple[ExportResult | None, list[str]]:
    try:
        return export_saved(saved, kind), []
    except RenderError as error:
        return None, [describe_problem(problem) for problem in error.problems]


def _as_file(result: ExportResult) -> Response:
    answer = Response(result.text, content_type=f"{result.media_type}; charset=utf-8")
    answer.headers.set("Content-Disposition", "attachment", filename=result.file_name)
    return answer
