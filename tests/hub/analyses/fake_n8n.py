"""An n8n in memory with what a repair touches: drafts and live versions, retries, and every way in which they go wrong."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from hub.instances.errors import Missing, N8nError, Rejected
from hub.instances.features import Features
from hub.pagination import Page

Json = dict[str, Any]

WEBHOOK = {
    "id": "1",
    "name": "Webhook",
    "type": "n8n-nodes-base.webhook",
    "typeVersion": 2,
    "position": [0, 0],
    "webhookId": "orders-hook",
    "parameters": {"path": "orders", "httpMethod": "POST"},
}
FETCH = {
    "id": "2",
    "name": "Fetch",
    "type": "n8n-nodes-base.httpRequest",
    "typeVersion": 4.2,
    "position": [200, 0],
    "parameters": {"url": "http://127.0.0.1:9/custmers?api_key=INLINESECRET99", "options": {}},
    "credentials": {"httpHeaderAuth": {"id": "7", "name": "Shop"}},
}
STORE = {
    "id": "3",
    "name": "Store",
    "type": "n8n-nodes-base.set",
    "typeVersion": 3.4,
    "position": [400, 0],
    "parameters": {"value": "={{ $json.name }}"},
}
CONNECTIONS = {
    "Webhook": {"main": [[{"node": "Fetch", "type": "main", "index": 0}]]},
    "Fetch": {"main": [[{"node": "Store", "type": "main", "index": 0}]]},
}


def make_workflow() -> Json:
    """A published workflow whose draft is what runs live."""
    nodes = copy.deepcopy([WEBHOOK, FETCH, STORE])
    connections = copy.deepcopy(CONNECTIONS)
    return {
        "id": "wf",
        "name": "Orders",
        "active": True,
        "isArchived": False,
        "versionId": "v1",
        "activeVersionId": "v1",
        "activeVersion": {"versionId": "v1", "nodes": nodes, "connections": connections},
        "nodes": copy.deepcopy(nodes),
        "connections": copy.deepcopy(connections),
        "settings": {"executionOrder": "v1"},
        "tags": [],
        "createdAt": "2026-11-01T00:00:00.000Z",
        "updatedAt": "2026-11-01T00:00:00.000Z",
    }


def item(**values: Any) -> Json:
    """One item of n8n."""
    return {"json": values, "pairedItem": {"item": 0}}


def node_run(*branches: list[Json], error: Json | None = None) -> Json:
    """One run of a node: its outputs, or its error."""
    run: Json = {"startTime": 1, "executionTime": 1, "executionStatus": "error" if error else "success", "source": []}
    return {**run, "error": error} if error else {**run, "data": {"main": list(branches)}}


NOT_FOUND = {
    "name": "NodeApiError",
    "message": "The resource you are requesting could not be found",
    "httpCode": "404",
    "messages": ['404 - "no such path"'],
    "node": {"name": "Fetch", "parameters": FETCH["parameters"]},
}


def failed_execution(error: Json = NOT_FOUND, node: str = "Fetch", items: int = 1) -> Json:
    """A webhook run that failed at a node."""
    body = {"headers": {"x-shop": "1"}, "params": {}, "query": {}, "body": {"n": 1}, "webhookUrl": "http://n8n/webhook/orders"}
    inputs = [item(**body) for _ in range(items)]
    return {
        "id": "10",
        "mode": "webhook",
        "status": "error",
        "startedAt": "2026-11-01T10:00:00.000Z",
        "stoppedAt": "2026-11-01T10:00:01.000Z",
        "workflowId": "wf",
        "workflowVersionId": "v1",
        "retryOf": None,
        "retrySuccessId": None,
        "data": {
            "resultData": {
                "error": error,
                "lastNodeExecuted": node,
                "runData": {"Webhook": [node_run(inputs)], node: [node_run(error=error)]},
            },
            "executionData": {"nodeExecutionStack": [{"node": FETCH, "data": {"main": [inputs]}}]},
        },
        "workflowData": {"name": "Orders", "nodes": [WEBHOOK, FETCH, STORE], "connections": CONNECTIONS, "settings": {}},
    }


def green_runs() -> Json:
    """What a whole run leaves behind."""
    return {"Webhook": [node_run([item(n=1)])], "Fetch": [node_run([item(name="A")])], "Store": [node_run([item(name="A")])]}


class Killed(BaseException):
    """The worker dies here."""


class FakeN8n:
    """``outcome(workflow)`` gives status, run data and error of the next run of the draft or live workflow."""

    def __init__(self, outcome: Callable[[Json], Json] | None = None, *, draft_only: bool = True) -> None:
        self.workflow = make_workflow()
        self.executions: dict[str, Json] = {"10": failed_execution()}
        self.outcome = outcome or repaired_if_typo_is_gone
        self.draft_only = draft_only
        self.calls: list[str] = []
        self.bodies: list[Json] = []
        self.faults: dict[str, list[BaseException]] = {}
        #: Called before (False) and after (True) each call that changes something, with its name.
        self.around: Callable[[str, bool], None] = lambda _name, _after: None
        self.store: Callable[[Json], Json] = lambda document: document
        self._versions = 1

    def __enter__(self) -> FakeN8n:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def features(self) -> Features:
        return Features(publish_if_active=self.draft_only, status_filters=frozenset({"running", "new", "waiting"}))

    def get_workflow(self, workflow_id: str) -> Json:
        self._enter("get_workflow")
        return copy.deepcopy(self.workflow)

    def update_workflow(self, workflow_id: str, document: Json, *, publish_if_active: bool) -> Json:
        self._enter("update_workflow")
        self.bodies.append(copy.deepcopy(document))
        stored = self.store(copy.deepcopy(document))
        self._versions += 1
        settings = {**self.workflow["settings"], **stored["settings"]}
        self.workflow.update(stored, settings=settings, versionId=f"v{self._versions}")
        if self.workflow["active"] and (publish_if_active or not self.draft_only):
            self._go_live()
        self.around("update_workflow", True)
        return copy.deepcopy(self.workflow)

    def publish_workflow(self, workflow_id: str, version_id: str | None = None) -> Json:
        self._enter("publish_workflow")
        if version_id not in (None, self.workflow["versionId"]):
            raise Rejected("Version not found")
        self._go_live()
        self.around("publish_workflow", True)
        return copy.deepcopy(self.workflow)

    def get_execution(self, execution_id: str, *, with_data: bool = False, max_bytes: int | None = None) -> Json:
        self._enter("get_execution")
        if execution_id not in self.executions:
            raise Missing()
        execution = copy.deepcopy(self.executions[execution_id])
        if not with_data:
            execution.pop("data", None)
        return execution

    def list_executions(
        self, cursor: str | None = None, limit: int = 250, status: str | None = None, workflow_id: str | None = None
    ) -> Page[Json]:
        self._enter("list_executions")
        rows = [
            {key: value for key, value in row.items() if key not in ("data", "workflowData")}
            for row in self.executions.values()
            if (row["status"] == status if status else row["status"] not in ("running", "new"))
        ]
        return Page(sorted(rows, key=lambda row: -int(row["id"])), None)

    def retry_execution(self, execution_id: str, *, load_workflow: bool) -> Json:
        self._enter("retry_execution")
        assert load_workflow
        new = self._run(self.workflow, self.workflow["versionId"], mode="retry", retryOf=execution_id)
        if new["status"] == "success":
            self.executions[execution_id]["retrySuccessId"] = new["id"]
        self.around("retry_execution", True)
        return copy.deepcopy(new)

    def call_webhook(self, request: Json) -> None:
        """What the hub does instead of a retry."""
        self._enter("call_webhook")
        live = {**self.workflow, **self.workflow["activeVersion"]}
        self._run(live, self.workflow["activeVersionId"], mode="webhook", retryOf=None)
        self.around("call_webhook", True)

    def changes(self) -> list[str]:
        """The calls that changed something, in order."""
        return [name for name in self.calls if name not in ("get_workflow", "get_execution", "list_executions")]

    def live_nodes(self) -> list[Json]:
        nodes: list[Json] = self.workflow["activeVersion"]["nodes"]
        return nodes

    def _run(self, workflow: Json, version: str, **columns: Any) -> Json:
        number = str(max(map(int, self.executions)) + 1)
        outcome = self.outcome(copy.deepcopy(workflow))
        data = {"resultData": {"runData": outcome["runs"], "error": outcome.get("error"), "lastNodeExecuted": "Fetch"}}
        self.executions[number] = {
            **failed_execution(),
            "id": number,
            "status": outcome["status"],
            "workflowVersionId": version,
            "data": data,
            **columns,
        }
        return self.executions[number]

    def _go_live(self) -> None:
        live = {key: copy.deepcopy(self.workflow[key]) for key in ("versionId", "nodes", "connections")}
        self.workflow.update(activeVersion=live, activeVersionId=live["versionId"])

    def _enter(self, name: str) -> None:
        if name not in ("get_workflow", "get_execution", "list_executions"):
            self.around(name, False)
        self.calls.append(name)
        if self.faults.get(name):
            fault = self.faults[name].pop(0)
            if isinstance(fault, N8nError | Killed):
                raise fault


def repaired_if_typo_is_gone(workflow: Json) -> Json:
    """Green when the address is right; the old failure else."""
    fetch = next(node for node in workflow["nodes"] if node["name"] == "Fetch")
    if "/customers" in fetch["parameters"]["url"]:
        return {"status": "success", "runs": green_runs()}
    return {"status": "error", "error": NOT_FOUND, "runs": failed_execution()["data"]["resultData"]["runData"]}
