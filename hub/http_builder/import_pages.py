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
from hub.contracts.http import RequestDraft
from hub.errors import HubError, Invalid
from hub.extensions import db
from hub.htmx import go_to, render
from hub.http_builder import builder_pages as _builder_pages
from hub.http_builder import sending, services
from hub.http_builder.drafts import read_folder
from hub.http_builder.importing import describe_note
from hub.http_builder.secret_values import open_typed, seal_typed
from hub.http_builder.views import bp

__all__ = ["bp"]
#: The builder's routes stand before those of this module.
_BEFORE = _builder_pages


@bp.get("/requests/import")
def import_form() -> ResponseReturnValue:
    """One box for everything, and a file."""
    return render("requests/import.html", source="", error="", result=None, sealed="", notes=[], chosen=(), folder="")


@bp.post("/requests/import")
def import_requests() -> ResponseReturnValue:
    """First show what was recognised, then save what is chosen of it."""
    actor = current_actor()
    sealed = request.form.get("sealed", "")
    source = _unpack(open_typed(actor, sealed)) if sealed else _read_source()
    folder = request.form.get("folder", "")
    chosen = {int(number) for number in request.form.getlist("chosen") if number.isdecimal()}
    context: dict[str, Any] = {
        "source": "" if sealed else source,
        "result": None,
        "sealed": "",
        "notes": [],
        "chosen": chosen,
        "folder": folder,
    }
    try:
        result = sending.import_text(source)
        drafts = list(result.drafts)
        if sealed and not chosen:
            raise Invalid(fields={"chosen": _("Choose at least one request.")})
    except HubError as error:
        fields = error.fields if isinstance(error, Invalid) else {}
        if "chosen" not in fields:
            return render("requests/import.html", error=fields.get("source") or error.message, **context), error.status
        context |= {"error": fields["chosen"]}
    if sealed and chosen:
        return _save(drafts, chosen, folder)
    notes = [describe_note(note) for note in result.notes]
    described = [[describe_note(note) for note in draft.notes] for draft in drafts]
    context |= {"result": result, "sealed": sealed or seal_typed(actor, _pack(source)), "notes": notes, "draft_notes": described}
    context |= {} if sealed else {"chosen": set(range(len(drafts))), "error": ""}
    return render("requests/import.html", **context), 422 if sealed else 200


def _save(drafts: list[RequestDraft], chosen: set[int], folder: str) -> ResponseReturnValue:
    """All or none. A folder is put before the folder that a draft has."""
    actor = current_actor()
    saved = []
    try:
        for number, draft in enumerate(drafts):
            if number in chosen:
                path = read_folder(f"{folder}/{draft.folder or ''}")
                saved.append(services.create_request(actor, draft.model_copy(update={"folder": path}), commit=False))
    except HubError as error:
        db.session.rollback()
        name = draft.name
        flash(_("Nothing was saved. “%(name)s”: %(reason)s", name=name, reason=error.message), "error")
        return go_to("requests.import_form")
    db.session.commit()
    flash(ngettext("%(num)s request was imported.", "%(num)s requests were imported.", len(saved)), "success")
    if len(saved) == 1:
        return go_to("requests.show", request_id=saved[0].id)
    return go_to("requests.index", folder=read_folder(folder))


def _read_source() -> str:
    upload = request.files.get("file")
    if upload is not None and upload.filename:
        return upload.read().decode("utf-8", "replace")
    return request.form.get("source", "")


def _pack(text: str) -> str:
    return base64.b64encode(zlib.compress(text.encode())).decode()


def _unpack(packed: str) -> str:
    raw: bytes = zlib.decompress(base64.b64decode(packed)) if packed else b""
    return raw.decode()
