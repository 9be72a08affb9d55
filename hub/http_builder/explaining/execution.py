"""A run as the n8n execution that it would have been: a manual trigger, the variables, and an HTTP Request node."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from hub.contracts.http import JsonBody, RequestDefinition
from hub.http_builder.models import RequestRun
from hub.http_builder.n8n.expressions import VARIABLES_NODE, to_n8n
from hub.http_builder.n8n.placing import SET, Target, new_node, place_request

Json = dict[str, Any]

TRIGGER = "Manual"
_TRIGGER_TYPE = "n8n-nodes-base.manualTrigger"
_MOST_NAME = 100


def write_workflow(definition: RequestDefinition, name: str, values: Mapping[str, str]) -> tuple[Json, str]:
    """The workflow, and the name of the request's node. ``values`` are the plain variables; equal input gives equal output."""
    trigger = new_node(TRIGGER, _TRIGGER_TYPE, 1, [0, 0], {}, seed=name)
    start: Json = {"name": name, "nodes": [trigger], "connections": {}, "settings": {}}
    target = Target(after=TRIGGER, name=_node_name(name))
    plain = {row.name: row.value for row in definition.variables if row.enabled}
    placed = place_request(start, definition, target, values={**values, **plain})
    node = find_node(placed.document, placed.node)
    if isinstance(definition.body, JsonBody):
        _keep_json(node["parameters"], definition.body)
    return placed.document, placed.node


def write_execution(run: RequestRun, workflow: Json, node: str, error: Json | None, output: Json | None) -> Json:
    """The execution, in the form of n8n's public API. ``error`` is n8n's error object, ``output`` the item of a success."""
    runs: Json = {TRIGGER: [_ran(None, {})]}
    before, variables = TRIGGER, next((each for each in workflow["nodes"] if each["type"] == SET), None)
    if variables is not None:
        rows = variables["parameters"]["assignments"]["assignments"]
        runs[VARIABLES_NODE] = [_ran(TRIGGER, {row["name"]: row["value"] for row in rows})]
        before = VARIABLES_NODE
    result: Json = {"runData": runs, "lastNodeExecuted": node}
    if error is None:
        runs[node] = [_ran(before, output or {})]
    else:
        error = {**error, "node": _resolved(find_node(workflow, node), run)}
        result["error"] = error
        runs[node] = [{"source": [{"previousNode": before}], "executionStatus": "error", "error": error}]
    return {
        "id": run.id,
        "status": "error" if error else "success",
        "mode": "manual",
        "startedAt": run.started_at.isoformat() if run.started_at else None,
        "stoppedAt": run.finished_at.isoformat() if run.finished_at else None,
        "data": {"resultData": result, "executionData": {}},
        "workflowData": workflow,
    }


def find_node(workflow: Json, name: str) -> Json:
    """The workflow's node of that name."""
    found: Json = next(node for node in workflow["nodes"] if node["name"] == name)
    return found


def _node_name(name: str) -> str:
    name = " ".join(name.split())[:_MOST_NAME]
    return name if name and name not in (TRIGGER, VARIABLES_NODE) else "HTTP Request"


def _keep_json(parameters: Json, body: JsonBody) -> None:
    """JSON that n8n's JavaScript would change goes as raw text; here it is to be seen as the JSON that it is meant to be."""
    for key in ("contentType", "rawContentType", "body"):
        parameters.pop(key, None)
    parameters |= {"specifyBody": "json", "jsonBody": to_n8n(body.text, form="json")}


def _ran(source: str | None, item: Json) -> Json:
    came = [{"previousNode": source}] if source else []
    return {"source": came, "executionStatus": "success", "data": {"main": [[{"json": item}]]}}


def _resolved(node: Json, run: RequestRun) -> Json:
    """The node with what was really sent, masked."""
    node = copy.deepcopy(node)
    if run.sent is not None:
        node["parameters"]["url"] = run.sent["url"]
        if "jsonBody" in node["parameters"] and isinstance(run.sent.get("body"), str):
            node["parameters"]["jsonBody"] = run.sent["body"]
    return node
