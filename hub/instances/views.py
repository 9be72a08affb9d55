"""Forms of one instance: connect, test, edit, delete. Pages that show synced rows too stand in ``hub.sync.instance_pages``."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, flash, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from hub.accounts.web import current_actor
from hub.errors import Invalid
from hub.htmx import go_to, render
from hub.instances import services
from hub.instances.connection import ConnectionReport
from hub.instances.models import Instance
from hub.instances.words import describe_interval

bp = Blueprint("instances", __name__)


@bp.get("/instances/new")
def new() -> ResponseReturnValue:
    """The form to connect an n8n."""
    return _form({})


@bp.post("/instances")
def create() -> ResponseReturnValue:
    """Connect an n8n and test it at once; what the test finds is shown on its page."""
    form = request.form
    actor = current_actor()
    try:
        instance = services.create_instance(
            actor, name=form.get("name", ""), url=form.get("url", ""), api_key=form.get("api_key", "")
        )
    except Invalid as error:
        return _form(form, error=error), error.status
    _tell(services.check_connection(actor, instance.id))
    return go_to("instances.show", instance_id=instance.id)


@bp.get("/instances/<instance_id>/edit")
def edit(instance_id: str) -> ResponseReturnValue:
    """The same form for an instance that is there; the key is never in it."""
    instance = services.get_connected_instance(current_actor(), instance_id)
    values = {"name": instance.name, "url": instance.url, "sync_interval_minutes": str(instance.sync_interval_minutes)}
    return _form(values, instance=instance)


@bp.post("/instances/<instance_id>/edit")
def update(instance_id: str) -> ResponseReturnValue:
    """Save the changes; an empty key keeps the stored one."""
    form = request.form
    actor = current_actor()
    try:
        instance = services.update_instance(
            actor,
            instance_id,
            name=form.get("name", ""),
            url=form.get("url", ""),
            api_key=form.get("api_key") or None,
            sync_interval_minutes=form.get("sync_interval_minutes", 0, type=int),
        )
    except Invalid as error:
        return _form(form, instance=services.get_connected_instance(actor, instance_id), error=error), error.status
    if services.last_report(instance) is None:
        _tell(services.check_connection(actor, instance_id))
    else:
        flash(_("Saved."), "success")
    return go_to("instances.show", instance_id=instance_id)


@bp.post("/instances/<instance_id>/test")
def test(instance_id: str) -> ResponseReturnValue:
    """Test the connection; the report is on the instance's page."""
    try:
        _tell(services.check_connection(current_actor(), instance_id))
    except Invalid as error:
        flash(error.message, "error")
    return go_to("instances.show", instance_id=instance_id)


@bp.post("/instances/<instance_id>/delete")
def delete(instance_id: str) -> ResponseReturnValue:
    """Forget the instance."""
    services.delete_instance(current_actor(), instance_id)
    flash(_("The instance was deleted. Nothing changed on the n8n itself."), "success")
    return go_to("instances.index")


def _form(values: Mapping[str, str], *, instance: Instance | None = None, error: Invalid | None = None) -> str:
    intervals = [(minutes, describe_interval(minutes)) for minutes in services.SYNC_MINUTES]
    return render("instances/form.html", values=values, instance=instance, error=error, intervals=intervals)


def _tell(report: ConnectionReport) -> None:
    if report.ok:
        flash(_("The connection works."), "success")
    else:
        flash(next(check.sentence for check in report.checks if check.state == "fail"), "error")
