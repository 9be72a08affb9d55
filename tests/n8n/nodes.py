"""Workflows for tests that run requests as nodes of a real n8n."""

from __future__ import annotations

from typing import Any

from hub.http_builder.n8n.placing import CredentialReference
from hub.http_builder.rendering import FileContent
from tests.n8n.server import N8nServer

Json = dict[str, Any]
#: The file that the items of ``workflow_with_file`` carry.
FILE = FileContent("note.txt", "text/plain", b"A file from the hub.")


def node(name: str, kind: str, version: float, parameters: Json, **more: Any) -> Json:
    """A node of n8n's own types."""
    return {
        "id": name,
        "name": name,
        "type": f"n8n-nodes-base.{kind}",
        "typeVersion": version,
        "position": [0, 0],
        "parameters": parameters,
        **more,
    }


def links(*targets: str) -> Json:
    """The connections from one node to others."""
    return {"main": [[{"node": target, "type": "main", "index": 0} for target in targets]]}


def workflow_with_file(name: str, file: FileContent = FILE) -> Json:
    """A webhook whose item has a file in the field ``data`` when it reaches the last node, "File"."""
    hook = node(
        "Webhook", "webhook", 2, {"path": name, "httpMethod": "GET", "responseMode": "lastNode", "options": {}}, webhookId=name
    )
    row = {"id": "t", "name": "text", "value": file.content.decode(), "type": "string"}
    text = node("Text", "set", 3.4, {"assignments": {"assignments": [row]}, "options": {}})
    options = {"fileName": file.name, "addBOM": False}
    convert = node("File", "convertToFile", 1.1, {"operation": "toText", "sourceProperty": "text", "options": options})
    connections = {"Webhook": links("Text"), "Text": links("File")}
    return {"name": name, "nodes": [hook, text, convert], "connections": connections, "settings": {"executionOrder": "v1"}}


def make_credential(n8n: N8nServer, kind: str, name: str, data: Json) -> CredentialReference:
    """A credential in n8n, through its API."""
    made = n8n.api("POST", "/credentials", json={"name": name, "type": kind, "data": data})
    return CredentialReference(kind, made["id"], name)


def run_workflow(n8n: N8nServer, workflow: Json, patience: float = 60) -> Json:
    """Execute a workflow of ``workflow_with_file``, a failing request stopping no other; what each node's run says."""
    for entry in workflow["nodes"]:
        if entry["type"] == "n8n-nodes-base.httpRequest":
            entry["onError"] = "continueRegularOutput"
    workflow_id = n8n.create_workflow(workflow)
    execution = n8n.run_webhook(workflow_id, {"method": "GET", "path": workflow["name"]}, patience)
    runs: Json = execution["data"]["resultData"]["runData"]
    return runs


def problem_of(run: Json) -> str:
    """What n8n says where a node failed."""
    items = (run[0].get("data") or {}).get("main") or [[]]
    return str([item["json"].get("error") for item in items[0] or ()])[:500]
