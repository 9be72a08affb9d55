"""The list of executions, and one execution: what each node did, and why it failed."""

from __future__ import annotations

import datetime as dt
from typing import Any

from flask import Blueprint, flash, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from hub.accounts.web import current_actor
from hub.columns import utc_now
from hub.executions import services
from hub.executions.models import Execution, ExecutionStatus
from hub.executions.services import get_execution, list_executions
from hub.executions.suspicion_words import present_findings
from hub.executions.timeline import node_states, read_error, read_node, read_timeline
from hub.executions.trends import list_retry_chain
from hub.htmx import filtered_url, go_to, read_filters, render
from hub.instances.services import get_instance, list_instances
from hub.templating import MODES
from hub.workflows.graph import build_graph
from hub.workflows.services import get_workflow

bp = Blueprint("executions", __name__)

#: A choice among the states of the filter that is none of n8n's.
SUSPICIOUS = "SUSPICIOUS"
FILTERS = ("instance", "workflow", "status", "mode", "period", "fingerprint")
PERIODS = {"1h": dt.timedelta(hours=1), "24h": dt.timedelta(days=1), "7d": dt.timedelta(days=7), "30d": dt.timedelta(days=30)}


@bp.get("/executions")
def index() -> ResponseReturnValue:
    """The executions of all instances, newest first."""
    actor = current_actor()
    chosen = read_filters(FILTERS)
    period = PERIODS.get(chosen["period"])
    page = list_executions(
        actor,
        instance_id=chosen["instance"] or None,
        workflow_id=chosen["workflow"] or None,
        status=ExecutionStatus(chosen["status"]) if chosen["status"] in set(ExecutionStatus) else None,
        mode=chosen["mode"] or None,
        suspicious=chosen["status"] == SUSPICIOUS,
        started_after=utc_now() - period if period else None,
        fingerprint=chosen["fingerprint"] or None,
        cursor=request.args.get("cursor") or None,
    )
    here = url_for("executions.index")
    is_live = bool(request.args.get("live")) and not request.args.get("cursor")
    return render(
        "executions/index.html",
        block="list",
        page=page,
        chosen=chosen,
        instances=list_instances(actor, limit=250).rows,
        modes=list(MODES.items()),
        live_url=filtered_url(here, {**chosen, "live": "1"}) if is_live else None,
        next_url=filtered_url(here, chosen, page.next_cursor) if page.next_cursor else None,
        first_url=filtered_url(here, chosen) if request.args.get("cursor") else None,
        is_filtered=any(chosen.values()),
    )


@bp.get("/executions/<execution_id>")
def show(execution_id: str) -> ResponseReturnValue:
    """One execution. ``?node=`` chooses the node whose data is shown, ``?run=`` one of its runs."""
    actor = current_actor()
    execution = get_execution(actor, execution_id)
    workflow = get_workflow(actor, execution.workflow_id)
    data, executed = _stored(execution)
    document = executed or {"nodes": workflow.nodes, "connections": workflow.connections}
    result = data.get("resultData") or {}
    run_data = result.get("runData") or {}
    timeline = read_timeline(run_data)
    states = node_states(timeline)
    error = read_error(execution.error or result.get("error"))
    links = {str(node.get("name")): _node_url(execution, str(node.get("name"))) for node in document.get("nodes") or []}
    blamed = error.node if error and error.node in links else ""  # a sub-workflow's error names a node of that one
    chosen = request.args.get("node") or blamed or result.get("lastNodeExecuted") or ""
    return render(
        "executions/show.html",
        block="node_data",
        execution=execution,
        workflow=workflow,
        instance=get_instance(actor, execution.instance_id),
        graph=build_graph(document.get("nodes") or [], document.get("connections"), states),
        links=links,
        timeline=timeline,
        states=states,
        error=error,
        findings=present_findings(execution.suspicion),
        chosen=chosen,
        node=read_node(run_data, document, chosen, request.args.get("run", type=int)),
        chain=list_retry_chain(actor, execution),
    )


@bp.post("/executions/<execution_id>/detail")
def load_detail(execution_id: str) -> ResponseReturnValue:
    """Read the execution's data from n8n now; a sync reads it of failed executions only."""
    execution = services.ensure_detail(current_actor(), execution_id)
    if execution.data is None:
        flash(_("n8n no longer has the data of this execution, or did not keep any."), "warning")
    return go_to("executions.show", execution_id=execution_id)


def _stored(execution: Execution) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """n8n's ``data`` of the execution and the workflow as it ran."""
    stored = dict(execution.data or {})
    executed = stored.pop("workflowData", None)
    return stored.get("data", stored) or {}, executed


def _node_url(execution: Execution, node: str) -> str:
    return url_for("executions.show", execution_id=execution.id, node=node, _anchor="node-data")
