"""The import page: paste or upload, look at what was found, choose, save."""

from __future__ import annotations

import base64
import zlib
from typing import Any

from flask import flash, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from hub.accounts.web import current_actor
from hub.contracts.actor import Actor
from hub.errors import HubError, Invalid
from hub.extensions import db
from hub.htmx import go_to, render
from hub.http_builder import builder_pages as _builder_pages
from hub.http_builder import sending, transfer
from hub.http_builder.drafts import read_folder
from hub.http_builder.importing import ImportResult, describe_note
from hub.http_builder.importing.saving import Fate, ImportSummary, plan_import
from hub.http_builder.secret_values import open_typed, seal_typed
from hub.http_builder.views import bp

__all__ = ["bp"]
#: The builder's routes stand before those of this module.
_BEFORE = _builder_pages


@bp.get("/requests/import")
def import_form() -> ResponseReturnValue:
    """One box for everything, and a file."""
    return render("requests/import.html", source="", error="", result=None)


@bp.post("/requests/import")
def import_requests() -> ResponseReturnValue:
    """First show what was recognised, then save what is chosen of it."""
    actor = current_actor()
    sealed = request.form.get("sealed", "")
    source = _unpack(open_typed(actor, sealed)) if sealed else _read_source()
    try:
        result = sending.import_text(source)
    except Invalid as error:
        return render("requests/import.html", source="" if sealed else source, error=error.message, result=None), 422
    if not sealed:
        everything = set(range(len(result.drafts)))
        return _show(actor, result, seal_typed(actor, _pack(source)), everything, "")
    chosen = {int(number) for number in request.form.getlist("chosen") if number.isdecimal()}
    folder = request.form.get("folder", "")
    error_words = ""
    if chosen or not result.drafts:
        try:
            return _save(actor, transfer.into_folder(result, folder), chosen)
        except HubError as error:
            db.session.rollback()
            error_words = error.message
    return _show(actor, result, sealed, chosen, folder, error_words or _("Choose at least one request.")), 422


def _show(actor: Actor, result: ImportResult, sealed: str, chosen: set[int], folder: str, error: str = "") -> str:
    context: dict[str, Any] = {"sealed": sealed, "chosen": chosen, "folder": folder, "error": error, "source": ""}
    notes = [describe_note(note) for note in result.notes]
    draft_notes = [[describe_note(note) for note in draft.notes] for draft in result.drafts]
    plan = plan_import(actor, result)
    return render("requests/import.html", result=result, plan=plan, notes=notes, draft_notes=draft_notes, **context)


def _save(actor: Actor, result: ImportResult, chosen: set[int]) -> ResponseReturnValue:
    summary, problems = transfer.save_all(actor, result, chosen)
    for problem in problems:
        flash(problem, "warning")
    _tell(summary)
    found = [item.request_id for item in summary.items if item.request_id]
    if len(summary.items) == 1 and found:
        return go_to("requests.show", request_id=found[0])
    return go_to("requests.index", folder=read_folder(request.form.get("folder", "")))


def _tell(summary: ImportSummary) -> None:
    new, updated, refused = (summary.of(fate) for fate in (Fate.NEW, Fate.UPDATED, Fate.REFUSED))
    if new:
        flash(ngettext("%(num)s request was imported.", "%(num)s requests were imported.", len(new)), "success")
    if updated:
        words = ngettext("%(num)s request was brought up to date.", "%(num)s requests were brought up to date.", len(updated))
        flash(words, "success")
    for item in refused:
        reason = "; ".join(item.problems.values())
        flash(_("“%(name)s” was not imported: %(reason)s", name=item.name, reason=reason), "error")
    for item in summary.conflicts:
        flash(_("“%(name)s” keeps your changes where the document says otherwise.", name=item.name), "info")


def _read_source() -> str:
    upload = request.files.get("file")
    if upload is not None and upload.filename:
        content: bytes = upload.read()
        return content.decode("utf-8", "replace")
    return request.form.get("source", "")


def _pack(text: str) -> str:
    return base64.b64encode(zlib.compress(text.encode("utf-8", "replace"))).decode()


def _unpack(packed: str) -> str:
    return zlib.decompress(base64.b64decode(packed)).decode() if packed else ""
