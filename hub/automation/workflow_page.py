"""The page of one workflow. It stands on this floor because it shows the workflow's executions and its automation."""

from __future__ import annotations

from flask import request
from flask.typing import ResponseReturnValue

from hub.accounts.web import current_actor
from hub.automation.services import find_level
from hub.automation.words import level_choices
from hub.errors import NotFound
from hub.executions.services import list_executions
from hub.executions.trends import count_by_day
from hub.htmx import render
from hub.instances.features import Features
from hub.instances.models import Instance
from hub.instances.services import get_instance
from hub.workflows.graph import build_graph
from hub.workflows.services import get_version, get_workflow, list_versions
from hub.workflows.views import bp

__all__ = ["bp", "show"]

RECENT = 8


@bp.get("/workflows/<workflow_id>")
def show(workflow_id: str) -> ResponseReturnValue:
    """The picture, how it has been running, its versions and settings. ``?version=`` draws an earlier version."""
    actor = current_actor()
    workflow = get_workflow(actor, workflow_id)
    version = get_version(actor, request.args["version"]) if request.args.get("version") else None
    if version and version.workflow_id != workflow.id:
        raise NotFound()
    shown = version or workflow
    instance = get_instance(actor, workflow.instance_id)
    return render(
        "workflows/show.html",
        workflow=workflow,
        instance=instance,
        automation=find_level(workflow_id),
        levels=level_choices(),
        saves_drafts=saves_drafts(instance),
        version=version,
        graph=build_graph(shown.nodes, shown.connections),
        settings=shown.settings,
        versions=list_versions(actor, workflow_id, limit=10),
        executions=list_executions(actor, workflow_id=workflow_id, limit=RECENT).rows,
        days=count_by_day(actor, workflow_id=workflow_id),
    )


def saves_drafts(instance: Instance) -> bool:
    """Whether the n8n can save a change of a published workflow without putting it live; True while nobody has looked."""
    features = Features.from_json(instance.capabilities.get("features"))
    return features is None or features.publish_if_active
