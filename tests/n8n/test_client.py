"""The client against a real n8n: what it answers is what the client was written for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from hub.egress import EgressPolicy, open_session
from hub.instances.client import Missing, N8nClient, NotN8n, Rejected, TooLarge, Unauthorized
from hub.instances.connection import inspect_connection
from tests.n8n.server import N8nServer

pytestmark = pytest.mark.n8n

HOOK = "3c9d7a52-5c1b-4d7e-9f5e-0a0d6f1f7b11"


def document(code: str) -> dict[str, Any]:
    """A webhook that runs one line of code."""
    nodes = [
        {
            "id": "a",
            "name": "Webhook",
            "type": "n8n-nodes-base.webhook",
            "typeVersion": 2,
            "position": [0, 0],
            "parameters": {"path": "client-test", "httpMethod": "GET", "responseMode": "lastNode"},
            "webhookId": HOOK,
        },
        {
            "id": "b",
            "name": "Code",
            "type": "n8n-nodes-base.code",
            "typeVersion": 2,
            "position": [200, 0],
            "parameters": {"jsCode": code},
        },
    ]
    links = {"Webhook": {"main": [[{"node": "Code", "type": "main", "index": 0}]]}}
    return {"name": "Client test", "nodes": nodes, "connections": links, "settings": {"executionOrder": "v1"}}


def open_client(n8n: N8nServer, *, api_key: str | None = None, path: str = "") -> N8nClient:
    return N8nClient(n8n.url + path, api_key or n8n.api_key, open_session(EgressPolicy(loopback=True)))


@pytest.fixture(scope="module")
def client(n8n: N8nServer) -> Iterator[N8nClient]:
    with open_client(n8n) as client:
        yield client


@pytest.fixture(scope="module")
def failed(n8n: N8nServer) -> dict[str, Any]:
    """An execution that failed in the Code node."""
    workflow_id = n8n.create_workflow(document("return [{json: {city: $json.customer.city}}]"))
    return n8n.run_webhook(workflow_id, {"path": "client-test", "method": "GET"})


def test_a_full_key_passes_the_connection_test(client: N8nClient) -> None:
    inspection = inspect_connection(client, None)
    assert {check.name: check.state for check in inspection.report.checks} == dict.fromkeys(
        ("reachable", "api", "key", "permissions", "features", "expiry"), "ok"
    )
    assert "execution:retry" in (inspection.report.scopes or ())
    features = inspection.features
    assert features
    assert (features.publish_if_active, features.retry, features.version_path) == (True, True, "versions")
    assert {"error", "crashed", "running", "waiting"} <= features.status_filters
    assert {"name", "nodes", "connections", "settings"} <= features.workflow_keys
    assert "credentials" in features.node_keys


def test_a_wrong_key_and_a_wrong_path_are_told_apart(n8n: N8nServer) -> None:
    with open_client(n8n, api_key="wrong") as client, pytest.raises(Unauthorized):
        client.list_workflows()
    with open_client(n8n, path="/n8n") as client, pytest.raises(NotN8n):
        client.list_workflows()


def test_reading_executions(client: N8nClient, failed: dict[str, Any]) -> None:
    rows = client.list_executions(limit=1, status="error", workflow_id=failed["workflowId"]).rows
    assert [row["id"] for row in rows] == [failed["id"]]
    assert "data" not in client.get_execution(failed["id"])
    full = client.get_execution(failed["id"], with_data=True, max_bytes=2_000_000)
    assert "customer" in str(full["data"]["resultData"]["error"]) or "undefined" in str(full["data"]["resultData"]["error"])
    with pytest.raises(TooLarge) as large:
        client.get_execution(failed["id"], with_data=True, max_bytes=10)
    assert large.value.size
    with pytest.raises(Missing):
        client.get_execution("99999999")
    with pytest.raises(Rejected):
        client.get_execution("no-number")


def test_a_draft_is_saved_retried_and_published(client: N8nClient, n8n: N8nServer, failed: dict[str, Any]) -> None:
    workflow_id = failed["workflowId"]
    before = client.get_workflow(workflow_id)
    changed = {**before, "nodes": [dict(node) for node in before["nodes"]]}
    changed["nodes"][1] = {**changed["nodes"][1], "parameters": {"jsCode": "return [{json: {city: 'Jeddah'}}]"}, "color": "#f00"}
    draft = client.update_workflow(workflow_id, changed, publish_if_active=False)
    assert draft["versionId"] != before["versionId"]
    assert client.get_workflow(workflow_id)["activeVersionId"] == before["activeVersionId"], "the live version is untouched"
    retried = client.retry_execution(failed["id"], load_workflow=True)
    assert client.get_execution(str(retried["id"]))["status"] == "success"
    old = client.get_workflow_version(workflow_id, before["versionId"])
    assert "customer" in old["nodes"][1]["parameters"]["jsCode"]
    client.publish_workflow(workflow_id, draft["versionId"])
    assert client.get_workflow(workflow_id)["activeVersionId"] == draft["versionId"]
    client.unpublish_workflow(workflow_id)
    assert not client.get_workflow(workflow_id)["active"]


def test_lists_follow_their_cursor(client: N8nClient, n8n: N8nServer) -> None:
    made = {n8n.create_workflow({**document("return []"), "name": f"Page {number}"}, publish=False) for number in range(3)}
    seen, cursor = set(), None
    while True:
        page = client.list_workflows(cursor, limit=1)
        seen |= {row["id"] for row in page.rows}
        cursor = page.next_cursor
        if cursor is None:
            break
    assert made <= seen
    with pytest.raises(Rejected):
        client.list_workflows("nonsense")
