"""Pages of one run: its answer part by part, its body as a file, what differs from another run."""

from __future__ import annotations

from typing import Any

from flask import Response, flash, make_response, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from hub.accounts.web import current_actor
from hub.contracts.actor import Actor
from hub.errors import Conflict, Invalid
from hub.extensions import db
from hub.htmx import go_to, go_to_path, is_fragment_request, own_path, render
from hub.http_builder import services
from hub.http_builder.models import RequestRun, RunState
from hub.http_builder.responses import keeping, panes
from hub.http_builder.responses.bodies import Asked, BodyView, show_body
from hub.http_builder.responses.comparing import compare_runs, find_previous, is_green
from hub.http_builder.responses.contents import Kind, file_name, read_content
from hub.http_builder.responses.statuses import describe_status, tone_of_status
from hub.http_builder.running import RunRow, get_body, get_run, list_runs, runs
from hub.http_builder.running.run_pages import bp

__all__ = ["bp", "pane_context", "read_body", "recent_runs"]

#: Runs in the strip above an answer, and in the choice of what to compare with.
STRIP, CHOICES = 24, 50
#: Media types that a download may be called; anything else is just bytes.
_DOWNLOADS = frozenset({"application/json", "application/pdf", "application/zip", "text/csv", "text/plain"})

for _function in (
    describe_status,
    tone_of_status,
    is_green,
    panes.describe_problem,
    panes.show_text,
    panes.show_all,
    panes.format_size,
    panes.format_ms,
    panes.clip_rows,
):
    bp.add_app_template_global(_function, f"answer_{_function.__name__}")


@bp.get("/runs/<request_run_id>")
def show(request_run_id: str) -> ResponseReturnValue:
    """What came of one sending; the fragment asks for itself again until the run has ended."""
    actor = current_actor()
    context = pane_context(actor, get_run(actor, request_run_id))
    if is_fragment_request():
        return render_template("runs/_pane.html", **context)
    return render("runs/show.html", **context)


@bp.get("/requests/<request_id>/runs")
def of_request(request_id: str) -> ResponseReturnValue:
    """Every run of one request that is kept, newest first."""
    actor = current_actor()
    saved = services.get_request(actor, request_id)
    cursor = request.args.get("cursor") or None
    page = list_runs(actor, request_id=saved.id, cursor=cursor)
    here = url_for("runs.of_request", request_id=saved.id)
    return render(
        "runs/of_request.html",
        block="list",
        saved=saved,
        page=page,
        history=page.rows[:STRIP] if not cursor else [],
        first_url=here if cursor else None,
        next_url=f"{here}?cursor={page.next_cursor}" if page.next_cursor else None,
    )


@bp.post("/runs/<request_run_id>/cancel")
def cancel(request_run_id: str) -> ResponseReturnValue:
    """Give up a request that waits or is under way."""
    actor = current_actor()
    try:
        run = runs.cancel_run(actor, request_run_id)
    except Conflict as error:  # it has just ended: here it is
        db.session.rollback()
        run = get_run(actor, request_run_id)
        if not is_fragment_request():
            flash(error.message, "info")
    else:
        if not is_fragment_request():
            flash(_("The request was cancelled."), "success")
    if is_fragment_request():
        return render_template("runs/_pane.html", **pane_context(actor, run))
    return go_to_path(own_path(request.form.get("next") or url_for("runs.show", request_run_id=run.id)))


# --- Pieces of a body ----------------------------------------------------------------------------------------------


@bp.get("/runs/<request_run_id>/branch")
def branch(request_run_id: str) -> ResponseReturnValue:
    """The entries of one container of a JSON body, for a tree that is open already."""
    run, view = read_body(current_actor(), request_run_id, Asked.read(request.args))
    if view.piece is None or not is_fragment_request():
        return go_to("runs.show", request_run_id=run.id, **request.args)
    return render_template("runs/_branch.html", run=run, piece=view.piece)


@bp.get("/runs/<request_run_id>/node")
def node(request_run_id: str) -> ResponseReturnValue:
    """The names of one node of a JSON body, and what can be made of it."""
    run, view = read_body(current_actor(), request_run_id, Asked.read(request.args))
    if view.node is None or not is_fragment_request():
        return go_to("runs.show", request_run_id=run.id, **request.args)
    return render_template("runs/_node.html", run=run, node=view.node, is_as_saved=keeping.is_as_saved(current_actor(), run))


@bp.post("/runs/<request_run_id>/keep")
def keep(request_run_id: str) -> ResponseReturnValue:
    """Make a test or a variable of the saved request from a node of the answer."""
    actor = current_actor()
    run, view = read_body(actor, request_run_id, Asked.read(request.args))
    back = url_for("runs.show", request_run_id=run.id, node=request.args.get("node"))
    if run.request_id is None or view.node is None:
        flash(_("Save the request first; then its answers can become tests and variables."), "warning")
        return go_to_path(back)
    try:
        if request.form.get("as") == "variable":
            secret = request.form.get("secret") == "1"
            keeping.add_extraction(actor, run.request_id, view.node, request.form.get("variable", ""), secret=secret)
            flash(_("Every answer from now on sets the variable."), "success")
            return go_to("requests.show", request_id=run.request_id, tab="variables")
        keeping.add_assertion(actor, run.request_id, view.node)
    except Invalid as error:
        db.session.rollback()
        flash(next(iter(error.fields.values()), error.message), "error")
        return go_to_path(back)
    flash(_("The test was added to the request."), "success")
    return go_to("requests.show", request_id=run.request_id, tab="tests")


@bp.get("/runs/<request_run_id>/body")
def body(request_run_id: str) -> ResponseReturnValue:
    """The body as a file, secrets masked as everywhere."""
    actor = current_actor()
    run = get_run(actor, request_run_id)
    stored = get_body(actor, run.id) or b""
    content = read_content(run, stored)
    is_harmless = content.media_type in _DOWNLOADS or content.kind is Kind.IMAGE
    return _as_file(run, stored, content.media_type if is_harmless else "application/octet-stream", "attachment")


@bp.get("/runs/<request_run_id>/image")
def image(request_run_id: str) -> ResponseReturnValue:
    """The body as a picture, where its bytes are one that a browser draws without running anything."""
    actor = current_actor()
    run = get_run(actor, request_run_id)
    stored = get_body(actor, run.id) or b""
    content = read_content(run, stored)
    if content.kind is not Kind.IMAGE:
        return go_to("runs.show", request_run_id=run.id)
    return _as_file(run, stored, content.media_type, "inline")


# --- Comparing -----------------------------------------------------------------------------------------------------


@bp.get("/runs/compare")
def compare() -> ResponseReturnValue:
    """``b`` beside an earlier run ``a``: the one before it unless told otherwise, with ``green`` the last good one."""
    actor = current_actor()
    asked = request.args
    after = get_run(actor, asked["b"]) if asked.get("b") else _latest(actor)
    before = get_run(actor, asked["a"]) if asked.get("a") else None
    if before is None and after is not None:
        before = find_previous(actor, after, green=bool(asked.get("green")))
    choices = list_runs(actor, request_id=after.request_id, limit=CHOICES).rows if after else []
    compared = compare_runs(actor, before, after) if before and after else None
    return render("runs/compare.html", before=before, after=after, compared=compared, choices=choices)


def _latest(actor: Actor) -> RequestRun | None:
    rows = list_runs(actor, state=RunState.DONE, limit=1).rows
    return get_run(actor, rows[0].id) if rows else None


# --- Parts ---------------------------------------------------------------------------------------------------------


def pane_context(actor: Actor, run: RequestRun) -> dict[str, Any]:
    """What ``runs/_pane.html`` needs: the part of the run that the present address asks for."""
    pane = panes.show_pane(actor, run, request.args.get("part", ""), Asked.read(request.args))
    has_node = pane.body is not None and pane.body.node is not None
    is_as_saved = not has_node or keeping.is_as_saved(actor, run)
    return {"run": run, "pane": pane, "history": recent_runs(actor, run.request_id), "is_as_saved": is_as_saved}


def recent_runs(actor: Actor, request_id: str | None) -> list[RunRow]:
    """The last runs of a request, newest first, for the strip."""
    return list(list_runs(actor, request_id=request_id, limit=STRIP).rows) if request_id else []


def read_body(actor: Actor, run_id: str, asked: Asked) -> tuple[RequestRun, BodyView]:
    """A run and what is asked for of its body."""
    run = get_run(actor, run_id)
    return run, show_body(run, get_body(actor, run.id) or b"", asked)


def _as_file(run: RequestRun, stored: bytes, media_type: str, disposition: str) -> Response:
    answer = make_response(stored)
    answer.headers["Content-Type"] = media_type
    name = file_name(run, read_content(run, stored))
    answer.headers["Content-Disposition"] = f'{disposition}; filename="{name}"'
    answer.headers["Content-Security-Policy"] = "default-src 'none'; frame-ancestors 'none'; sandbox"
    answer.headers["X-Content-Type-Options"] = "nosniff"
    return answer
