"""The list of workflows. The page of one workflow also shows its executions, so it stands in ``hub.automation.workflow_page``."""

from __future__ import annotations

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue

from hub.accounts.web import current_actor
from hub.htmx import filtered_url, read_filters, render
from hub.instances.services import list_instances
from hub.workflows.services import list_tags, list_workflows

bp = Blueprint("workflows", __name__)

FILTERS = ("search", "instance", "tag", "state")
#: What ``state`` may be: (active, archived, vanished) as ``list_workflows`` takes them.
STATES = {
    "": (None, None, False),
    "active": (True, False, False),
    "inactive": (False, False, False),
    "archived": (None, True, False),
    "vanished": (None, None, True),
}


@bp.get("/workflows")
def index() -> ResponseReturnValue:
    """The workflows of all instances: search, filters, pages by key."""
    actor = current_actor()
    chosen = read_filters(FILTERS)
    active, archived, vanished = STATES.get(chosen["state"], STATES[""])
    page = list_workflows(
        actor,
        instance_id=chosen["instance"] or None,
        search=chosen["search"] or None,
        tag=chosen["tag"] or None,
        active=active,
        archived=archived,
        vanished=vanished,
        cursor=request.args.get("cursor") or None,
    )
    here = url_for("workflows.index")
    return render(
        "workflows/index.html",
        block="list",
        page=page,
        chosen=chosen,
        instances=list_instances(actor, limit=250).rows,
        tags=[(tag, tag) for tag in list_tags(actor)],
        next_url=filtered_url(here, chosen, page.next_cursor) if page.next_cursor else None,
        first_url=filtered_url(here, chosen) if request.args.get("cursor") else None,
        is_filtered=any(chosen.values()),
    )
