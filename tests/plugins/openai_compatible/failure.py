"""A failed execution: a webhook, a request that needs a key, and a node after it."""

from __future__ import annotations

import copy
from typing import Any

from hub.analyses.evidence import build_evidence
from hub.contracts.analysis import Evidence

Json = dict[str, Any]

NODES: list[Json] = [
    {
        "id": "1",
        "name": "Webhook",
        "type": "n8n-nodes-base.webhook",
        "typeVersion": 2,
        "position": [0, 0],
        "webhookId": "hook",
        "parameters": {"path": "orders", "httpMethod": "POST", "authentication": "headerAuth"},
        "credentials": {"httpHeaderAuth": {"id": "1", "name": "Hook"}},
    },
    {
        "id": "2",
        "name": "Fetch",
        "type": "n8n-nodes-base.httpRequest",
        "typeVersion": 4.2,
        "position": [200, 0],
        "parameters": {
            "url": "https://api.example.com/custmers",
            "authentication": "genericCredentialType",
            "genericAuthType": "httpHeaderAuth",
            "options": {"timeout": 5000},
        },
        "credentials": {"httpHeaderAuth": {"id": "7", "name": "Shop"}},
    },
    {
        "id": "3",
        "name": "Store",
        "type": "n8n-nodes-base.set",
        "typeVersion": 3.4,
        "position": [400, 0],
        "parameters": {"value": "={{ $json.name }}"},
    },
]
ERROR: Json = {
    "name": "NodeApiError",
    "message": "The resource you are requesting could not be found",
    "description": "no such path: custmers",
    "httpCode": "404",
    "messages": ["404 - no such path: custmers"],
}


def link(name: str) -> Json:
    return {"main": [[{"node": name, "type": "main", "index": 0}]]}


def documents(
    *,
    body: Any = None,
    headers: Json | None = None,
    error: Json | None = None,
    fetch_name: str = "Fetch",
    notes: str = "",
    parameters: Json | None = None,
) -> tuple[Json, Json]:
    """(execution, workflow), with words of others in the given places."""
    nodes = copy.deepcopy(NODES)
    nodes[1]["name"] = fetch_name
    nodes[1]["parameters"] |= parameters or {}
    if notes:
        nodes[1]["notes"] = notes
    connections = {"Webhook": link(fetch_name), fetch_name: link("Store")}
    workflow = {"id": "wf", "name": "Orders", "nodes": nodes, "connections": connections, "settings": {}}
    item = {"json": {"headers": headers or {"host": "n8n"}, "body": body or {"order": 7}, "query": {}}}
    failed = {**ERROR, **(error or {}), "node": {"name": fetch_name, "parameters": nodes[1]["parameters"]}}
    run: Json = {"startTime": 1, "executionTime": 1, "source": []}
    runs = {
        "Webhook": [{**run, "executionStatus": "success", "data": {"main": [[item]]}}],
        fetch_name: [{**run, "executionStatus": "error", "source": [{"previousNode": "Webhook"}], "error": failed}],
    }
    execution = {
        "id": "99",
        "status": "error",
        "mode": "webhook",
        "workflowData": workflow,
        "data": {"resultData": {"error": failed, "lastNodeExecuted": fetch_name, "runData": runs}},
    }
    return execution, workflow


def failure(**words: Any) -> Evidence:
    """The evidence of it."""
    return build_evidence(*documents(**words))
