"""The page of automation: the stop switch, what waits, which workflows are looked after, and what was done."""

from __future__ import annotations

from flask import Blueprint, flash, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from hub.accounts.web import current_actor
from hub.automation import services
from hub.automation.models import AutomationLevel
from hub.automation.words import describe_reason, name_level, name_outcome
from hub.errors import Invalid
from hub.htmx import go_to, render

bp = Blueprint("automation", __name__)

bp.add_app_template_global(name_level, "name_level")
bp.add_app_template_global(name_outcome, "name_outcome")
bp.add_app_template_global(describe_reason, "describe_reason")


@bp.get("/automation")
def index() -> ResponseReturnValue:
    """Everything about automation on one page; only the log has further pages."""
    actor = current_actor()
    cursor = request.args.get("cursor") or None
    levels = services.list_levels(actor)
    return render(
        "automation/index.html",
        block="log",
        levels=levels,
        switch=services.get_switch(actor, sorted({row.instance_id for row in levels})),
        waiting=services.list_waiting(actor),
        page=services.list_runs(actor, cursor=cursor),
        is_first=cursor is None,
    )


@bp.post("/automation/switch")
def switch() -> ResponseReturnValue:
    """Stop everything of the person's, or let it go on."""
    stopped = request.form.get("stopped") == "1"
    services.set_switch(current_actor(), stopped=stopped)
    flash(_("Automation is stopped.") if stopped else _("Automation goes on."), "success")
    return go_to("automation.index")


@bp.post("/instances/<instance_id>/automation-switch")
def switch_instance(instance_id: str) -> ResponseReturnValue:
    """Stop automation on one n8n, or let it go on."""
    stopped = request.form.get("stopped") == "1"
    services.set_switch(current_actor(), stopped=stopped, instance_id=instance_id)
    flash(_("Automation is stopped on this instance.") if stopped else _("Automation goes on on this instance."), "success")
    return go_to("automation.index")


@bp.post("/automation/runs/<run_id>/dismiss")
def dismiss(run_id: str) -> ResponseReturnValue:
    """Take a proposal off the list of what waits."""
    services.dismiss_run(current_actor(), run_id)
    return go_to("automation.index")


@bp.post("/workflows/<workflow_id>/automation")
def choose_level(workflow_id: str) -> ResponseReturnValue:
    """Say how far automation may go with a workflow."""
    level = request.form.get("level", "")
    services.get_level(current_actor(), workflow_id)
    if level not in set(AutomationLevel):
        raise Invalid(fields={"level": _("Choose one of the levels.")})
    services.set_level(current_actor(), workflow_id, AutomationLevel(level))
    flash(_("Saved."), "success")
    return go_to("workflows.show", workflow_id=workflow_id)
