"""A failure is judged beside the last success of its workflow and the sub-workflow's run that it came from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from hub.analyses import services
from hub.contracts.actor import Actor
from hub.contracts.analysis import Evidence
from hub.executions.models import Execution
from hub.executions.services import import_execution
from hub.extensions import db
from hub.instances.errors import TooLarge
from hub.instances.models import Instance
from tests.hub.analyses.fake_n8n import NOT_FOUND, WEBHOOK, FakeN8n, failed_execution, item, make_workflow, node_run
from tests.hub.analyses.scene import OneAnswer
from tests.hub.factories import make_instance

Json = dict[str, Any]
Browser = Callable[[Actor], FlaskClient]


def success(number: str, started: str, **body: Any) -> Json:
    """A green run of the workflow, whose Fetch was given that item."""
    runs = {
        "Webhook": [node_run([item(**body)])],
        "Fetch": [{**node_run([item(ok=True)]), "source": [{"previousNode": "Webhook"}]}],
    }
    return {
        **failed_execution(),
        "id": number,
        "status": "success",
        "startedAt": started,
        "data": {"resultData": {"runData": runs, "lastNodeExecuted": "Fetch"}},
    }


def evidence_of(actor: Actor, execution: Execution) -> Evidence:
    return Evidence.model_validate(services.analyze_execution(actor, execution.id).error_data)


def keep(
    execution: Execution, n8n: FakeN8n, document: Json, *, with_data: bool = False, workflow: Json | None = None
) -> Execution:
    """The execution in n8n and, mostly without its data, in the hub."""
    n8n.executions[document["id"]] = document
    instance = db.session.get_one(Instance, execution.instance_id)
    known = {**document, "data": document["data"] if with_data else None}
    return import_execution(instance, {**known, "workflowData": workflow or {**make_workflow(), "id": "wf"}})


@pytest.mark.usefixtures("analyzer")
def test_the_last_success_before_the_failure_is_read_from_n8n(alice: Actor, execution: Execution, n8n: FakeN8n) -> None:
    keep(execution, n8n, success("7", "2026-11-01T08:00:00.000Z", body="old"))
    keep(
        execution,
        n8n,
        success("8", "2026-11-01T09:00:00.000Z", headers={}, params={}, query={}, order_body={"n": 1}, webhookUrl="x"),
    )
    keep(execution, n8n, success("12", "2026-11-01T11:00:00.000Z", later=1))
    last = evidence_of(alice, execution).last_success
    assert last is not None
    assert (last.execution_id, last.compared) == ("8", True)
    assert ("renamed", "order_body", "body") in [(change.kind, change.path, change.now) for change in last.input_changes]


@pytest.mark.usefixtures("analyzer")
def test_a_success_that_cannot_be_had_is_no_error(alice: Actor, execution: Execution, n8n: FakeN8n) -> None:
    keep(execution, n8n, success("8", "2026-11-01T09:00:00.000Z", body={}))
    n8n.faults["get_execution"] = [TooLarge(10, 20)]
    last = evidence_of(alice, execution).last_success
    assert last is not None
    assert (last.execution_id, last.compared, last.input_changes) == ("8", False, ())


@pytest.mark.usefixtures("analyzer", "n8n")
def test_without_a_success_there_is_no_contrast(alice: Actor, execution: Execution) -> None:
    assert evidence_of(alice, execution).last_success is None


CHILD_WORKFLOW = {
    "id": "sub",
    "name": "Ship the order",
    "nodes": [{**WEBHOOK, "name": "Pack"}],
    "connections": {},
    "settings": {},
}


def child(number: str, **error: Any) -> Json:
    inner = {"name": "NodeApiError", "message": "No such box", "node": {**WEBHOOK, "name": "Pack"}, **error}
    return {
        **failed_execution(),
        "id": number,
        "mode": "integrated",
        "workflowId": "sub",
        "workflowData": CHILD_WORKFLOW,
        "data": {"resultData": {"error": inner, "runData": {"Pack": [node_run(error=inner)]}, "lastNodeExecuted": "Pack"}},
    }


@pytest.fixture
def parent(alice: Actor, n8n: FakeN8n) -> Execution:
    """A failure that came up from execution 12 of another workflow."""
    error = {**NOT_FOUND, "message": "No such box", "errorResponse": {"executionId": "12", "workflowId": "sub"}}
    document = failed_execution({**error, "node": {"name": "Pack"}})
    n8n.executions["10"] = document
    return import_execution(make_instance(alice), {**document, "workflowData": {**make_workflow(), "id": "wf"}})


@pytest.mark.usefixtures("analyzer")
def test_a_failure_is_followed_into_the_sub_workflow(alice: Actor, parent: Execution, n8n: FakeN8n) -> None:
    n8n.executions["12"] = child("12")
    found = evidence_of(alice, parent).child
    assert found is not None
    assert (found.execution_id, found.workflow_name, found.failing_node) == ("12", "Ship the order", "Pack")
    assert found.error is not None
    assert found.error.message == "No such box"


@pytest.mark.usefixtures("analyzer")
def test_it_is_followed_to_the_innermost(alice: Actor, parent: Execution, n8n: FakeN8n) -> None:
    n8n.executions["12"] = child("12", executionId="13", workflowId="sub")
    n8n.executions["13"] = child("13", message="Deepest")
    found = evidence_of(alice, parent).child
    assert found is not None
    assert found.error is not None
    assert (found.execution_id, found.error.message) == ("13", "Deepest")


@pytest.mark.usefixtures("analyzer")
def test_a_child_that_cannot_be_read_is_named_at_least(alice: Actor, parent: Execution) -> None:
    found = evidence_of(alice, parent).child
    assert found is not None
    assert (found.execution_id, found.workflow_id, found.error) == ("12", "sub", None)


@pytest.mark.parametrize("in_hub", [True, False])
def test_the_page_leads_to_the_child_and_tells_what_changed(
    alice: Actor, parent: Execution, n8n: FakeN8n, analyzer: OneAnswer, browser_of: Browser, *, in_hub: bool
) -> None:
    n8n.executions["12"] = child("12")
    own = keep(parent, n8n, child("12"), workflow=CHILD_WORKFLOW) if in_hub else None
    keep(parent, n8n, success("8", "2026-11-01T09:00:00.000Z", order_body={"n": 1}))
    analysis = services.analyze_execution(alice, parent.id)
    assert analyzer.asked == 1
    page = browser_of(alice).get(f"/analyses/{analysis.id}").text
    assert "It came up from workflow ‘Ship the order’, node ‘Pack’." in page
    assert (f'action="/executions/{own.id}/analyses"' if own else "The hub does not have that execution yet.") in page
    assert "What changed since it last worked" in page
    assert "The input&#39;s field ‘order_body’ is now called ‘body’." in page
    assert "What a model is asked with" in page
