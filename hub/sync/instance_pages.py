"""The list and the page of instances. They stand on this floor because they show syncs and what was synced."""

from __future__ import annotations

from flask import Response, flash, make_response, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from hub.accounts.web import current_actor
from hub.htmx import go_to, is_fragment_request, render
from hub.instances import services as instances
from hub.instances.errors import KeyUnreadable
from hub.instances.views import bp
from hub.instances.words import describe_error, describe_instance_error, describe_interval
from hub.sync.overview import find_sync_jobs, overview_instances
from hub.sync.progress import read_progress
from hub.sync.services import request_sync

__all__ = ["bp"]


@bp.get("/instances")
def index() -> ResponseReturnValue:
    """All instances of the person, with the state of each."""
    page = instances.list_instances(current_actor(), cursor=request.args.get("cursor") or None)
    return render(
        "instances/index.html",
        block="list",
        page=page,
        overviews=overview_instances([instance.id for instance in page.rows]),
        is_first="cursor" not in request.args,
        describe=describe_instance_error,
    )


@bp.get("/instances/<instance_id>")
def show(instance_id: str) -> ResponseReturnValue:
    """One instance: how the connection stands, what the key may do, and its sync."""
    instance = instances.get_instance(current_actor(), instance_id)
    return render(
        "instances/show.html",
        instance=instance,
        overview=overview_instances([instance.id])[instance.id],
        report=instances.last_report(instance),
        problem=describe_instance_error(instance)
        or (None if instances.key_opens(instance) else describe_error(KeyUnreadable.code, {})),
        describe_interval=describe_interval,
    )


@bp.post("/instances/<instance_id>/sync")
def sync(instance_id: str) -> ResponseReturnValue:
    """Queue a sync. Without script the page that follows shows its progress when it is loaded again."""
    job = read_progress(request_sync(current_actor(), instance_id))
    if is_fragment_request():
        instance = instances.get_instance(current_actor(), instance_id)
        return render("instances/_sync.html", instance=instance, job=job)
    flash(_("The sync has begun."), "success")
    return go_to("instances.show", instance_id=instance_id)


@bp.get("/instances/<instance_id>/progress")
def progress(instance_id: str) -> ResponseReturnValue:
    """How the sync stands, asked for every second. Its end reloads the page, which then shows what came."""
    instance = instances.get_instance(current_actor(), instance_id)
    if not is_fragment_request():
        return go_to("instances.show", instance_id=instance_id)
    job = find_sync_jobs([instance.id]).get(instance.id)
    response: Response = make_response(render("instances/_sync.html", instance=instance, job=job))
    if job is None:
        response.headers["HX-Refresh"] = "true"
    return response
