from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from hub.contracts.actor import Actor
from hub.errors import Invalid, Unavailable
from hub.executions import services
from hub.executions.details import read_detail
from hub.executions.models import DetailState, Execution, ExecutionStatus
from hub.instances.services import create_instance
from hub.workflows.models import Workflow
from tests.hub.factories import make_execution, make_instance, make_workflow
from tests.hub.sync import fake_n8n
from tests.hub.sync.fake_n8n import FakeN8n, FakeServer

Session = sa.orm.scoped_session[sa.orm.Session]


def failure(items: int = 1, **error: Any) -> dict[str, Any]:
    """A failed execution of the public API, whose node puts out that many items."""
    output = [{"json": {"number": number, "text": "x" * 100}} for number in range(items)]
    run_data = {"Fetch": [{"data": {"main": [output]}}], "Send": [{"error": {"message": "boom"}}]}
    return {
        **{"id": "77", "workflowId": "wf", "status": "error", "mode": "webhook", "finished": False},
        **{"startedAt": "2026-11-01T10:00:00.000Z", "stoppedAt": "2026-11-01T10:00:02.500Z", "workflowVersionId": "v9"},
        "data": {
            "resultData": {"error": {"message": "boom", "node": {"name": "Send"}, **error}, "runData": run_data},
            "executionData": {"nodeExecutionStack": [{"node": {"name": "Send"}, "data": {"main": [list(output)]}}]},
        },
        "workflowData": {"id": "wf", "name": "Orders", "nodes": [{"name": "Send"}], "connections": {}, "settings": {}},
    }


def test_data_is_read_whole_where_it_fits() -> None:
    columns = read_detail(failure(), 1_000_000)
    assert columns["detail_state"] is DetailState.STORED
    assert (columns["error_message"], columns["error_node"], columns["workflow_version_id"]) == ("boom", "Send", "v9")
    assert columns["data"]["data"]["resultData"]["runData"]["Fetch"]
    assert columns["data"]["workflowData"]["name"] == "Orders"


@pytest.mark.parametrize("limit", [30_000, 5_000, 1_500, 700])
def test_data_is_cut_to_size_and_says_so(limit: int) -> None:
    columns = read_detail(failure(items=500), limit)
    assert columns["detail_state"] is DetailState.TRUNCATED
    assert len(json.dumps(columns["data"])) <= limit * 1.2
    assert columns["data"]["data"]["truncated"] is True
    assert (columns["error_message"], columns["error_node"]) == ("boom", "Send")


def test_secrets_are_taken_out_before_anything_is_stored() -> None:
    key = "sk-proj-abcdefghijklmnop1234567890"
    columns = read_detail(
        failure(description=f"Incorrect API key provided: {key}", headers={"authorization": f"Bearer {key}"}), 10**6
    )
    assert columns["error"]["description"].startswith("Incorrect API key provided: ")
    assert key not in json.dumps({name: value for name, value in columns.items() if name != "detail_state"})


@pytest.mark.parametrize(
    ("change", "state"),
    [
        ({"data": None}, DetailState.UNAVAILABLE),
        ({"data": {}}, DetailState.UNAVAILABLE),
        ({"data": {}, "dataTooLargeToDisplay": True}, DetailState.TRUNCATED),
        ({"data": {"resultData": None}, "workflowData": None}, DetailState.STORED),
        ({"data": {"resultData": {"error": "text", "runData": None}}}, DetailState.STORED),
    ],
)
def test_odd_data_is_no_error(change: dict[str, Any], state: DetailState) -> None:
    assert read_detail({**failure(), **change}, 1_000_000)["detail_state"] is state


def test_nul_characters_are_stored_nowhere(session: Session, alice: Actor) -> None:
    execution = services.import_execution(make_instance(alice), failure(description="a\0b"))
    assert execution.error is not None
    assert execution.error["description"] == "ab"


def test_an_execution_is_imported_with_its_workflow(session: Session, alice: Actor) -> None:
    instance = make_instance(alice, is_sample=True)
    execution = services.import_execution(instance, failure())
    again = services.import_execution(instance, failure())
    assert again.id == execution.id
    assert (execution.status, execution.duration, execution.error_node) == (ExecutionStatus.FAILED, 2.5, "Send")
    workflow = session.scalars(sa.select(Workflow)).one()
    assert (workflow.n8n_id, workflow.name, workflow.total_executions) == ("wf", "Orders", 1)
    assert session.scalar(sa.select(sa.func.count()).select_from(Execution)) == 1
    with pytest.raises(Invalid):
        services.import_execution(instance, {"id": "1"})


def test_recorded_executions_of_a_real_n8n_are_imported(session: Session, alice: Actor, shared: Path) -> None:
    instance = make_instance(alice)
    names = sorted(path for path in (shared / "n8n-samples").glob("*.json") if path.name != "index.json")
    for path in names:
        payload = json.loads(path.read_text())
        execution = services.import_execution(instance, payload.get("execution", payload))
        assert execution.detail_state is not DetailState.NONE
        assert execution.started_at is not None
    assert session.scalar(sa.select(sa.func.count()).select_from(Execution)) == len(names)
    stored = session.execute(sa.text("SELECT data, error, error_message FROM executions")).all()
    nodes = session.execute(sa.text("SELECT nodes FROM workflows")).all()
    assert "INLINESECRET" not in str(stored) + str(nodes)
    assert "QSECRET" not in str(stored) + str(nodes)


def test_data_is_fetched_when_it_is_wanted(app: Flask, session: Session, alice: Actor) -> None:
    n8n = FakeN8n()
    n8n.add_workflow("a")
    n8n.run("a", "error")
    with FakeServer(n8n) as server:
        instance = create_instance(alice, name="Fake", url=server.url, api_key="n8n_api_test")
        workflow = make_workflow(instance, n8n_id="a")
        execution_id = make_execution(workflow, 1).id
        n8n.faults = [fake_n8n.SERVER_ERROR]
        with pytest.raises(Unavailable):
            services.ensure_detail(alice, execution_id)
        execution = services.ensure_detail(alice, execution_id)
        assert (execution.detail_state, execution.error_message) == (DetailState.STORED, "It broke in 1")
        asked = len(n8n.requests)
        services.ensure_detail(alice, execution_id)
        missing = make_execution(workflow, 2).id
        running = make_execution(workflow, 3, status=ExecutionStatus.RUNNING).id
        assert len(n8n.requests) == asked
        assert services.ensure_detail(alice, missing).detail_state is DetailState.UNAVAILABLE
        assert services.ensure_detail(alice, running).detail_state is DetailState.NONE


@pytest.mark.parametrize("word", ["data", "resultData", "runData", "error", "node", "executionData", "workflowData"])
def test_a_secret_spelled_like_n8ns_own_words_breaks_nothing(word: str) -> None:
    payload = {**failure(), "customData": {"password": word}}
    payload["data"]["resultData"]["password"] = word
    columns = read_detail(payload, 1_000_000)
    assert columns["detail_state"] is DetailState.STORED
    assert columns["error_node"] == read_detail(failure(), 1_000_000)["error_node"]
    assert columns["data"]["data"]["resultData"]["password"].startswith("<SECRET_")
