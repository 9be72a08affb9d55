"""Pages that bring a request into n8n, and a failed node of n8n into the builder."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, request, url_for
from flask.typing import ResponseReturnValue

from hub.accounts.web import current_actor
from hub.analyses.presentation import unified_lines
from hub.contracts.actor import Actor
from hub.errors import Conflict, HubError, Invalid
from hub.extensions import db
from hub.htmx import filtered_url, go_to, read_filters, render
from hub.http_builder.exporting import export_saved
from hub.http_builder.importing import describe_note
from hub.http_builder.models import Request
from hub.http_builder.n8n import saving
from hub.http_builder.n8n.executions import draft_from_execution
from hub.http_builder.n8n.node import NodeChoices
from hub.http_builder.n8n.reading import is_http_request
from hub.http_builder.n8n.saving import SavePreview, Wish
from hub.http_builder.n8n.words import describe_save
from hub.http_builder.services import create_request, get_request
from hub.instances.services import get_instance, list_instances
from hub.workflows.models import Workflow
from hub.workflows.services import get_workflow, list_workflows

bp = Blueprint("to_n8n", __name__)

FILTERS = ("search", "instance")
#: What the form sends, besides the digest.
_FIELDS = ("node", "after", "name", "credential", "full_response", "never_error", "live")


@bp.get("/requests/<request_id>/n8n")
def choose(request_id: str) -> ResponseReturnValue:
    """Copy the node, or choose the workflow that it goes to."""
    actor = current_actor()
    saved = get_request(actor, request_id)
    chosen = read_filters(FILTERS)
    page = list_workflows(
        actor,
        instance_id=chosen["instance"] or None,
        search=chosen["search"] or None,
        archived=False,
        sample=False,
        cursor=request.args.get("cursor") or None,
    )
    here = url_for("to_n8n.choose", request_id=request_id)
    copied = export_saved(saved, "n8n")
    return render(
        "requests/to_n8n.html",
        block="list",
        saved=saved,
        page=page,
        chosen=chosen,
        instances=[instance for instance in list_instances(actor, limit=250).rows if not instance.is_sample],
        copied=copied.text,
        notes=[describe_note(note) for note in copied.notes],
        saves=[(save, name, *describe_save(save)) for save, name in saving.list_saves(actor, request_id)],
        next_url=filtered_url(here, chosen, page.next_cursor) if page.next_cursor else None,
        first_url=filtered_url(here, chosen) if request.args.get("cursor") else None,
        is_filtered=any(chosen.values()),
    )


@bp.get("/requests/<request_id>/n8n/<workflow_id>")
def place(request_id: str, workflow_id: str) -> ResponseReturnValue:
    """Choose the node; with ``?preview=1`` also what would change, as n8n has the workflow now."""
    actor = current_actor()
    saved = get_request(actor, request_id)
    workflow = get_workflow(actor, workflow_id)
    values = {name: request.args.get(name, "") for name in _FIELDS}
    if "preview" not in request.args:
        return _form(actor, saved, workflow, {**values, "name": saved.name})
    try:
        preview = saving.preview_save(actor, request_id, workflow_id, _wish(values))
    except HubError as error:
        return _form(actor, get_request(actor, request_id), get_workflow(actor, workflow_id), values, error=error), error.status
    return _form(actor, get_request(actor, request_id), get_workflow(actor, workflow_id), values, preview=preview)


@bp.post("/requests/<request_id>/n8n/<workflow_id>")
def save(request_id: str, workflow_id: str) -> ResponseReturnValue:
    """Save what was shown; where it is another by now, show it anew."""
    actor = current_actor()
    get_request(actor, request_id)
    values = {name: request.form.get(name, "") for name in _FIELDS}
    try:
        done = saving.save_to_n8n(actor, request_id, workflow_id, _wish(values), request.form.get("digest", ""))
    except HubError as error:
        db.session.rollback()
        saved, workflow = get_request(actor, request_id), get_workflow(actor, workflow_id)
        preview = _preview_again(actor, request_id, workflow_id, values) if isinstance(error, Conflict) else None
        return _form(actor, saved, workflow, values, preview=preview, error=error), error.status
    return go_to("to_n8n.show", save_id=done.id)


@bp.get("/n8n-saves/<save_id>")
def show(save_id: str) -> ResponseReturnValue:
    """What came of a save, and the way back."""
    actor = current_actor()
    made = saving.get_save(actor, save_id)
    workflow = get_workflow(actor, made.workflow_id)
    words, tone = describe_save(made)
    return render(
        "requests/to_n8n_saved.html",
        made=made,
        saved=get_request(actor, made.request_id),
        workflow=workflow,
        instance=get_instance(actor, workflow.instance_id),
        words=words,
        tone=tone,
    )


@bp.post("/n8n-saves/<save_id>/undo")
def undo(save_id: str) -> ResponseReturnValue:
    """Take a save back."""
    actor = current_actor()
    saving.get_save(actor, save_id)
    try:
        saving.undo_save(actor, save_id)
    except HubError as error:
        flash(error.message, "error")
    return go_to("to_n8n.show", save_id=save_id)


@bp.post("/executions/<execution_id>/request")
def open_execution(execution_id: str) -> ResponseReturnValue:
    """Make a request of the HTTP Request node that failed, and open it."""
    actor = current_actor()
    try:
        draft = draft_from_execution(actor, execution_id, request.form.get("node") or None)
    except Conflict as error:
        flash(error.message, "error")
        return go_to("executions.show", execution_id=execution_id)
    made = create_request(actor, draft)
    for note in draft.notes:
        flash(describe_note(note), "info")
    return go_to("requests.show", request_id=made.id)


def _wish(values: dict[str, str]) -> Wish:
    """What the form says; ``Invalid`` where a new node has no name."""
    target = saving.make_target(values["node"] or None, values["after"] or None, values["name"])
    choices = NodeChoices(full_response=bool(values["full_response"]), never_error=bool(values["never_error"]))
    return Wish(target, choices, credential_id=values["credential"] or None, live=bool(values["live"]))


def _preview_again(actor: Actor, request_id: str, workflow_id: str, values: dict[str, str]) -> SavePreview | None:
    try:
        return saving.preview_save(actor, request_id, workflow_id, _wish(values))
    except HubError:
        return None


def _form(
    actor: Actor,
    saved: Request,
    workflow: Workflow,
    values: dict[str, str],
    *,
    preview: SavePreview | None = None,
    error: HubError | None = None,
) -> str:
    nodes = [node for node in workflow.nodes or () if isinstance(node, dict) and node.get("name")]
    known: list[Any] = saving.credential_choices(actor, saved.id, workflow.id)
    return render(
        "requests/to_n8n_place.html",
        saved=saved,
        workflow=workflow,
        instance=get_instance(actor, workflow.instance_id),
        values=values,
        own=[(node["name"], node["name"]) for node in nodes if is_http_request(node)],
        others=[(node["name"], node["name"]) for node in nodes if node.get("type") != "n8n-nodes-base.stickyNote"],
        credentials=[(reference.id, f"{reference.name} ({reference.type})") for reference in known],
        preview=preview,
        differences=[unified_lines(difference) for difference in preview.differences] if preview else [],
        notes=[describe_note(note) for note in preview.notes] if preview else [],
        error=error,
        fields=error.fields if isinstance(error, Invalid) else {},
    )
