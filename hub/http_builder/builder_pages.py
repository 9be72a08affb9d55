"""Pages of one request: the builder, sending, the preview of what will be sent, and importing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from flask import Response, flash, make_response, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from markupsafe import Markup

from hub.accounts.web import current_actor
from hub.contracts.actor import Actor
from hub.contracts.catalog import HttpMethod
from hub.contracts.http import RequestDefinition, RequestDraft
from hub.errors import HubError, Invalid, TooMany
from hub.extensions import db
from hub.htmx import go_to, is_fragment_request, render
from hub.http_builder import sending, services
from hub.http_builder.bodies import JSON_FIELDS, find_json_problem
from hub.http_builder.files import store_file
from hub.http_builder.forms import BuilderForm, add_row, apply_action, make_draft, read_form, show_draft
from hub.http_builder.importing import describe_note
from hub.http_builder.known import Surroundings, known_as_json, look_around, names_in
from hub.http_builder.models import Request, RequestRun
from hub.http_builder.rendering import words
from hub.http_builder.responses import keeping
from hub.http_builder.responses.bodies import Asked
from hub.http_builder.responses.pages import pane_context, read_body
from hub.http_builder.responses.values import read_position
from hub.http_builder.running import last_run
from hub.http_builder.secret_values import seal_secrets
from hub.http_builder.services import Outdated
from hub.http_builder.views import bp

#: The tabs in order; the fields whose message opens each.
TABS: dict[str, tuple[str, ...]] = {
    "params": ("params",),
    "headers": ("headers",),
    "body": ("body", "form", "multipart", "binary"),
    "auth": ("auth",),
    "tests": ("assertions",),
    "variables": ("variables", "secrets", "extractions"),
    "settings": ("timeout_seconds", "max_redirects", "settings"),
    "notes": ("description", "documentation", "folder", "tags"),
}
_CURL = re.compile(r"\s*(?:\$\s+)?curl(?:\.exe)?\s", re.IGNORECASE)


@bp.get("/requests/new")
def new() -> ResponseReturnValue:
    """An empty builder; ``?url=`` and ``?method=`` fill it in."""
    asked = request.args
    method = asked.get("method", "GET").upper()
    definition = RequestDefinition(url=asked.get("url", ""), method=method if method in set(HttpMethod) else HttpMethod.GET)
    form = show_draft(RequestDraft(name="", definition=definition, folder=asked.get("folder") or None))
    return _show(form, None)


@bp.get("/requests/<request_id>")
def show(request_id: str) -> ResponseReturnValue:
    """One saved request."""
    actor = current_actor()
    saved = services.get_request(actor, request_id)
    known = look_around(actor, saved.id, request.args.get("environment"))
    return _show(_stored_form(saved, known), saved, known=known)


@bp.post("/requests")
def create() -> ResponseReturnValue:
    """Save a new request, or do what one of the form's buttons asks and change nothing."""
    return _take(None)


@bp.post("/requests/<request_id>")
def update(request_id: str) -> ResponseReturnValue:
    """Save a request, or do what one of the form's buttons asks and change nothing."""
    return _take(services.get_request(current_actor(), request_id))


@bp.post("/requests/send")
def send() -> ResponseReturnValue:
    """Send what is in the form of a request that is not saved."""
    return _send(None)


@bp.post("/requests/<request_id>/runs")
def run(request_id: str) -> ResponseReturnValue:
    """Send what is in the form of a saved request, saved or not."""
    return _send(services.get_request(current_actor(), request_id))


@bp.post("/requests/preview")
def preview() -> ResponseReturnValue:
    """What would be sent, masked."""
    return _preview(None)


@bp.post("/requests/<request_id>/preview")
def preview_saved(request_id: str) -> ResponseReturnValue:
    """What would be sent of a saved request as it stands in the form."""
    return _preview(services.get_request(current_actor(), request_id))


# --- Saving ----------------------------------------------------------------------------------------------------------


def _take(saved: Request | None) -> ResponseReturnValue:
    actor = current_actor()
    form = _sent_form(actor)
    action = form.get("action")
    if _is_command(form):
        return _import_command(actor, form, saved)
    if form.errors:
        return _show(form, saved, status=422)
    if "keep" in form.values:
        return _keep(actor, form, saved)
    if action not in ("", "save"):
        apply_action(form, action)
        return _show(form, saved)
    try:
        draft, changes = make_draft(form)
        if saved is None:
            created = services.create_request(actor, draft, secrets=changes)
            flash(_("Saved."), "success")
            return go_to("requests.show", request_id=created.id, tab=form.get("tab") or None)
        version = form.get("version") or None
        saved = services.update_request(actor, saved.id, draft, version=version, secrets=changes)
    except Invalid as error:
        db.session.rollback()
        form.errors = error.fields or {"form": error.message}
        status = 422 if is_fragment_request() else error.status  # the one with which htmx shows a form again
        return _show(form, saved and services.get_request(actor, saved.id), status=status)
    except Outdated as error:
        return _show_both(form, error.current)
    if not is_fragment_request():
        flash(_("Saved."), "success")
        return go_to("requests.show", request_id=saved.id, tab=form.get("tab") or None)
    known = look_around(actor, saved.id, form.get("environment"))
    fresh = _stored_form(saved, known)
    fresh.values["tab"] = form.get("tab")
    return _show(fresh, saved, known=known, is_saved=True)


def _keep(actor: Actor, form: BuilderForm, saved: Request | None) -> ResponseReturnValue:
    """Make a row of a node of an answer (``test:RUN:NODE``), beside all that is not saved yet."""
    kind, _colon, place = form.values.pop("keep").partition(":")
    run_id, _colon, at = place.partition(":")
    _run, view = read_body(actor, run_id, Asked(node=read_position(at)))
    if view.node is None:
        return _show(form, saved)
    if kind == "variable":
        secret = form.get("keep_secret") == "1"
        add_row(form, "extractions", keeping.extraction_of(view.node, form.get("keep_variable"), secret=secret))
        form.values["tab"] = "variables"
        return _show(form, saved, notice=_("The variable stands in the request. Save the request to keep it."))
    add_row(form, "assertions", keeping.assertion_of(view.node))
    form.values["tab"] = "tests"
    return _show(form, saved, notice=_("The test stands in the request. Save the request to keep it."))


def _show_both(form: BuilderForm, current: Request) -> ResponseReturnValue:
    """The person's text in the form, and what differs from what is stored now; saving again replaces that."""
    mine, _changes = make_draft(form)
    stored = services.draft_of(current)
    form.values["version"] = services.version_of(current)
    return _show(form, current, differences=_differences(stored, mine), status=409)


def _differences(stored: RequestDraft, mine: RequestDraft) -> list[tuple[str, str, str]]:
    def flat(draft: RequestDraft) -> Mapping[str, Any]:
        parts = draft.model_dump(mode="json", include={"name", "description", "folder", "tags", "documentation"})
        return {**parts, **draft.definition.model_dump(mode="json")}

    theirs, ours = flat(stored), flat(mine)
    return [(name, _words(theirs[name]), _words(ours[name])) for name in theirs if (theirs[name] or None) != (ours[name] or None)]


def _words(value: Any) -> str:
    if isinstance(value, list):
        return "\n".join(_words(item) for item in value)
    if isinstance(value, dict):
        return ", ".join(f"{name}: {_words(item)}" for name, item in value.items() if item not in (None, "", [], True))
    return "" if value is None else str(value)


# --- Sending ---------------------------------------------------------------------------------------------------------


def _send(saved: Request | None) -> ResponseReturnValue:
    actor = current_actor()
    form = _sent_form(actor)
    if _is_command(form):
        return _import_command(actor, form, saved)
    request_id = saved.id if saved else None
    try:
        typed = _typed(actor, form, request_id)
        started = sending.start(actor, typed, request_id=request_id, environment_id=form.get("environment") or None)
    except HubError as error:
        return _refused(form, saved, error)
    if is_fragment_request():
        return _response(actor, started)
    return go_to("runs.show", request_run_id=started.id)


def _preview(saved: Request | None) -> ResponseReturnValue:
    actor = current_actor()
    form = _sent_form(actor)
    request_id = saved.id if saved else None
    try:
        typed = _typed(actor, form, request_id)
        shown = sending.preview(actor, typed, request_id=request_id, environment_id=form.get("environment") or None)
    except HubError as error:
        return _refused(form, saved, error)
    context: dict[str, Any] = {
        "preview": shown,
        "problems": [words.describe_problem(problem) for problem in shown.problems],
        "preview_notes": [words.describe_note(note) for note in shown.notes],
    }
    if is_fragment_request():
        return render_template("requests/_preview.html", **context)
    return _show(form, saved, **context)


def _typed(actor: Actor, form: BuilderForm, request_id: str | None) -> sending.Typed:
    if form.errors:
        raise Invalid(fields=form.errors)
    stored = [secret.name for secret in services.list_request_secrets(actor, request_id)] if request_id else []
    return sending.read_typed(form, stored)


def _refused(form: BuilderForm, saved: Request | None, error: HubError) -> ResponseReturnValue:
    """Why nothing was sent: in the answer's place for htmx, else on the whole page."""
    db.session.rollback()
    fields = error.fields if isinstance(error, Invalid) else {}
    if is_fragment_request():
        return render_template("requests/_refused.html", error=error, fields=fields), 422
    form.errors = fields or {"form": error.message}
    return _show(form, saved, status=error.status)


def _response(actor: Actor, sent: RequestRun) -> str:
    return render_template("runs/_pane.html", **pane_context(actor, sent))


# --- Importing a command that was pasted as the URL --------------------------------------------------------------------


def _is_command(form: BuilderForm) -> bool:
    return bool(_CURL.match(form.get("curl") or form.get("url")))


def _import_command(actor: Actor, form: BuilderForm, saved: Request | None) -> ResponseReturnValue:
    """Fill the form from the command; nothing is saved or sent. A field of one line loses line breaks, but no backslash."""
    text = form.get("curl") or re.sub(r"\\ +(?=-)", " ", form.get("url"))
    form.values.pop("curl", None)
    try:
        result = sending.import_text(text, kind="curl")
    except HubError as error:
        db.session.rollback()
        fields = error.fields if isinstance(error, Invalid) else {}
        form.errors = {"url": fields.get("source") or error.message}
        return _show(form, saved, status=error.status)
    draft = result.drafts[0]
    filled = show_draft(draft)
    for name in ("name", "folder", "tags", "description", "documentation"):
        filled.values[name] = form.get(name) or filled.values[name]
    filled.values.update({name: form.get(name) for name in ("version", "environment", "tab")})
    sealed = seal_secrets(actor, draft.secrets)
    filled.rows["secrets"] = [*form.rows["secrets"], *sealed]
    notes = [describe_note(note) for note in (*result.notes, *draft.notes)]
    if len(result.drafts) > 1:
        notes.append(_("The command holds several requests; this is the first. The import page takes them all."))
    return _show(filled, saved, notice=_("The cURL command was recognised. Nothing is saved or sent yet."), notes=notes)


# --- Parts -----------------------------------------------------------------------------------------------------------


def _stored_form(saved: Request, known: Surroundings) -> BuilderForm:
    form = show_draft(services.draft_of(saved), known.secrets)
    form.values["version"] = services.version_of(saved)
    form.values["tab"] = request.args.get("tab", "")
    return form


def _sent_form(actor: Actor) -> BuilderForm:
    """What was sent, with its files stored: a message about another field must not cost an upload."""
    form = read_form(actor, request.form)
    for name, upload in request.files.items(multi=True):
        if not name or not upload.filename:
            continue
        table, _dot, key = name.removesuffix(".upload").partition(".")
        try:
            content = upload.read(10_000_001)
            stored = store_file(actor, name=upload.filename, media_type=upload.mimetype, content=content)
        except (Invalid, TooMany) as error:
            form.errors["binary" if table == "body" else "multipart"] = error.message
            continue
        if table == "body":
            form.values["body.binary.file_id"], form.values["body.binary.file_name"] = stored.id, stored.name
            form.values["body.binary.content_type"] = stored.media_type
            continue
        row = next((row for row in form.rows["multipart"] if row["key"] == key), None)
        if row is None:
            row = {"key": key, "enabled": "1", "name": "file"}
            form.rows["multipart"].append(row)
        row.update(file_id=stored.id, file_name=stored.name, content_type=stored.media_type, is_file="1")
    db.session.commit()
    return form


def _show(
    form: BuilderForm,
    saved: Request | None,
    *,
    known: Surroundings | None = None,
    status: int = 200,
    is_saved: bool = False,
    **context: Any,
) -> Response:
    """The page, or the form alone where htmx asked."""
    known = known or look_around(current_actor(), saved.id if saved else None, form.get("environment"))
    context = {"differences": [], "notice": "", "notes": [], "preview": None, "problems": [], "preview_notes": [], **context}
    missing = _missing(form, known)
    page = render(
        "requests/builder.html",
        block="builder",
        form=form,
        saved=saved,
        known=known,
        known_json=known_as_json(known),
        missing=missing,
        unset_in=lambda *texts: names_in(texts, missing),
        answer=_last_answer(saved),
        tabs=list(TABS),
        tab=_open_tab(form),
        json_problems={name: find_json_problem(form.get(name)) for name in JSON_FIELDS},
        is_saved=is_saved,
        **context,
    )
    return make_response(page, status)


def _last_answer(saved: Request | None) -> Markup:
    """What came of the last sending, for the answer's place; a fragment leaves that place as it is."""
    if saved is None or is_fragment_request():
        return Markup()
    actor = current_actor()
    sent = last_run(actor, saved.id)
    return Markup(_response(actor, sent)) if sent else Markup()  # noqa: S704 # nosemgrep: markup-of-a-value (a template's own output)


def _missing(form: BuilderForm, known: Surroundings) -> list[str]:
    """Names without a value; empty while the form can't be read."""
    try:
        draft, changes = make_draft(form)
    except Invalid:
        return []
    return [name for name in known.missing(draft.definition) if name not in {change.name for change in changes}]


def _open_tab(form: BuilderForm) -> str:
    """The first tab with a message, else the one that was open."""
    wrong = next((tab for tab, fields in TABS.items() if any(field in form.errors for field in fields)), None)
    body_first = "body" if form.get("body_kind", "none") != "none" else "params"
    return wrong or (form.get("tab") if form.get("tab") in TABS else body_first)
