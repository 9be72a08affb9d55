"""The import page: paste, upload or name an address, look at what was found, choose, save."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flask import flash, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from hub.accounts.web import current_actor
from hub.contracts.actor import Actor
from hub.contracts.http import RequestDraft
from hub.egress import current_policy
from hub.errors import HubError, Invalid
from hub.extensions import db
from hub.htmx import go_to, render
from hub.http_builder import builder_pages as _builder_pages
from hub.http_builder import transfer
from hub.http_builder.drafts import read_folder
from hub.http_builder.importing import ImportResult, describe_format, describe_note
from hub.http_builder.importing.saving import Fate, ImportSummary, Item, plan_import, save_import
from hub.http_builder.importing.sources import Source, fetch_source, forget_source, keep_source, open_source, read_source
from hub.http_builder.views import bp

__all__ = ["bp"]
#: The builder's routes stand before those of this module.
_BEFORE = _builder_pages
_ADDRESS = re.compile(r"\s*https?://\S+\s*", re.IGNORECASE)
#: More requests than this begin with their folders closed.
_OPEN = 60


@dataclass(frozen=True, slots=True)
class _Row:
    """One request that was found, at its place in the result."""

    place: int
    draft: RequestDraft
    item: Item
    notes: Sequence[str]
    is_chosen: bool
    is_shown: bool


@dataclass(frozen=True, slots=True)
class _Shelf:
    """The requests of one folder."""

    folder: str
    rows: list[_Row] = field(default_factory=list)

    @property
    def shown(self) -> int:
        """How many of them the search leaves."""
        return sum(row.is_shown for row in self.rows)


@bp.get("/requests/import")
def import_form() -> ResponseReturnValue:
    """One box for everything, a file, or an address."""
    return render("requests/import.html", typed={}, fields={}, result=None)


@bp.post("/requests/import")
def import_requests() -> ResponseReturnValue:
    """First show what was recognised, then save what is chosen of it."""
    actor = current_actor()
    typed = request.form
    kept = typed.get("import", "")
    try:
        source = open_source(actor, kept) if kept else _given_source()
        result = read_source(source)
        kept = kept or keep_source(actor, source)
    except Invalid as error:
        db.session.rollback()
        return render("requests/import.html", typed=typed, fields=error.fields, result=None), 422
    if "import" not in typed:
        return _show(actor, result, kept, set(range(len(result.drafts))))
    chosen = {int(number) for number in typed.getlist("chosen") if number.isdecimal()}
    if "pick" in typed and not _saves(typed):
        return _show(actor, result, kept, _pick(result, chosen, typed["pick"]))
    error_words, status = _("Choose at least one request."), 422
    if chosen or not result.drafts:
        try:
            return _save(actor, kept, transfer.into_folder(result, typed.get("folder", "")), chosen)
        except HubError as error:
            db.session.rollback()
            error_words, status = error.message, error.status
    return _show(actor, result, kept, chosen, error_words), status


def _given_source() -> Source:
    """The file, the address, or the text; a text that is an address alone counts as one."""
    upload = request.files.get("file")
    if upload is not None and upload.filename:
        content: bytes = upload.read()
        return Source(content)
    text = request.form.get("source", "")
    address = request.form.get("address", "").strip() or (text if _ADDRESS.fullmatch(text) else "")
    return fetch_source(address, current_policy()) if address else Source(text.encode("utf-8", "replace"))


def _saves(typed: Mapping[str, str]) -> bool:
    """Whether the Enter key saves: without JavaScript it does not tell in which field it was pressed, but the search tells."""
    return typed["pick"] == "enter" and typed.get("search", "") == typed.get("searched", "")


def _pick(result: ImportResult, chosen: set[int], wish: str) -> set[int]:
    """What is chosen after a button: ``all`` or ``none`` of what the search shows, alone or of one shelf (``all:3``)."""
    word, _colon, number = wish.partition(":")
    shelves = list(dict.fromkeys(draft.folder or "" for draft in result.drafts))
    search = _search()
    meant = {
        place
        for place, draft in enumerate(result.drafts)
        if _fits(draft, search) and (not number or number == str(shelves.index(draft.folder or "")))
    }
    return {"all": chosen | meant, "none": chosen - meant}.get(word, chosen)


def _search() -> str:
    return request.form.get("search", "").strip().casefold()


def _fits(draft: RequestDraft, search: str) -> bool:
    words = f"{draft.definition.method} {draft.name} {draft.folder or ''} {draft.definition.url}"
    return search in words.casefold()


def _show(actor: Actor, result: ImportResult, kept: str, chosen: set[int], error: str = "") -> str:
    search = _search()
    shelves: dict[str, _Shelf] = {}
    for place, (draft, item) in enumerate(zip(result.drafts, plan_import(actor, result).items, strict=True)):
        notes = [describe_note(note) for note in draft.notes]
        row = _Row(place, draft, item, notes, place in chosen, _fits(draft, search))
        shelves.setdefault(draft.folder or "", _Shelf(draft.folder or "")).rows.append(row)
    context: dict[str, Any] = {"kept": kept, "chosen": chosen, "error": error, "typed": request.form}
    return render(
        "requests/import.html",
        result=result,
        format=describe_format(result),
        shelves=list(shelves.values()),
        is_open=bool(search) or len(result.drafts) <= _OPEN,
        notes=[describe_note(note) for note in result.notes],
        **context,
    )


def _save(actor: Actor, kept: str, result: ImportResult, chosen: set[int]) -> ResponseReturnValue:
    summary = save_import(actor, result, chosen)
    forget_source(actor, kept)
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
    for environment in summary.environments:
        flash(_("The environment “%(name)s” was imported.", name=environment.name), "success")
    for problem in transfer.list_left_out(summary):
        flash(problem, "warning")
