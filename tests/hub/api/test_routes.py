from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from hub.accounts.actors import Client
from hub.accounts.api_clients import become_program
from hub.accounts.sessions import open_session
from hub.analyses import repair_ledger
from hub.analyses import services as analyses
from hub.analyses.models import Repair
from hub.audit.models import AuditLog
from hub.automation.models import AutomationRun
from hub.contracts.actor import Actor
from hub.contracts.analysis import Cause, Diagnosis, LocalizedText, Suggestion
from hub.executions.models import Execution
from hub.executions.services import import_execution
from hub.extensions import db
from hub.instances.models import Instance
from hub.workflows.models import VersionKind, WorkflowVersion
from tests.hub.analyses.fake_n8n import FakeN8n, failed_execution, green_runs
from tests.hub.analyses.fake_n8n import make_workflow as make_document
from tests.hub.api.conftest import Json, Program
from tests.hub.factories import NOON, make_execution, make_instance, make_workflow
from tests.security.estate import build_estate

TEXT = LocalizedText(en="Text", ar="نص")


def refused(program: Program, status: int, method: str, path: str, **options: Any) -> Json:
    answer = program.call(method, path, **options)
    assert answer.status_code == status, answer.text
    assert answer.json["status"] == status
    assert answer.json["instance"] == f"/api/v1{path.partition('?')[0]}"
    return answer.json


def pointers(problem: Json) -> set[str]:
    return {error["pointer"] for error in problem["errors"]}


# --- Requests in general -------------------------------------------------------------------------------------------


def test_bodies_that_are_no_json_object(program: Program) -> None:
    typed = {"content_type": "application/json"}
    refused(program, 415, "POST", "/instances", data="name=x")
    refused(program, 415, "POST", "/instances", data={"name": "x"})
    refused(program, 400, "POST", "/instances", data="{", **typed)
    refused(program, 400, "POST", "/instances", data="[" * 100_000, **typed)
    refused(program, 422, "POST", "/instances", data="[]", **typed)
    refused(program, 422, "POST", "/instances")


def test_unknown_fields_and_parameters_are_refused(program: Program) -> None:
    body = {"name": "Shop", "url": "http://127.0.0.1:1025", "apiKey": "k"}
    assert pointers(refused(program, 422, "POST", "/instances", json={**body, "isSample": True})) == {"#/isSample"}
    assert pointers(refused(program, 422, "POST", "/instances", json={**body, "name": 5})) == {"#/name"}
    problem = refused(program, 422, "GET", "/executions?colour=red&limit=9999")
    assert {error["parameter"] for error in problem["errors"]} == {"colour", "limit"}
    for path in (
        "/executions?status=BROKEN",
        "/executions?startedAfter=yesterday",
        "/executions?startedAfter=2026-01-01T00:00:00",
        "/executions?startedAfter=1767225600",
        "/failures?since=5.1e-303",
        "/audit?since=12",
        "/audit?since=0001-01-01T00:00:00%2B14:00",
        "/executions?startedBefore=9999-12-31T23:59:59-12:00",
        "/services?search=a&search=b",
    ):
        refused(program, 422, "GET", path)
    assert db.session.scalars(sa.select(Instance)).all() == []


@pytest.mark.parametrize("value", [0.0, 1, "no", "true"])
def test_what_is_only_taken_for_true_or_false_is_refused(program: Program, value: object) -> None:
    made = program.call("POST", "/environments", json={"name": "Shop"}).json["id"]
    assert pointers(refused(program, 422, "PATCH", f"/environments/{made}", json={"active": value})) == {"#/active"}
    variable = {"name": "TOKEN", "isSecret": value}
    assert pointers(refused(program, 422, "POST", f"/environments/{made}/variables", json=variable)) == {"#/isSecret"}


@pytest.mark.parametrize("path", ["/instances", "/workflows", "/executions", "/analyses", "/audit"])
@pytest.mark.parametrize("cursor", ["x", "W10", "WzEsMl0", "WyJhIiwiYiIsImMiXQ", "eyJhIjoxfQ", "WyJhXHUwMDAwIiwiYiJd"])
def test_a_cursor_that_no_list_gave_is_refused(program: Program, alice: Actor, path: str, cursor: str) -> None:
    make_instance(alice)
    refused(program, 422, "GET", f"{path}?cursor={cursor}")


def test_unknown_paths_and_methods_are_problems_too(program: Program) -> None:
    for method, path, status in (("GET", "/nothing", 404), ("POST", "/me", 405), ("GET", "/instances/x/y/z", 404)):
        answer = program.client.open(f"/api/v1{path}", method=method)
        assert (answer.status_code, answer.mimetype) == (status, "application/problem+json")
    assert "GET" in answer.headers.get("Allow", "GET")
    assert program.client.post("/api/v1/me").headers["Allow"]
    assert program.client.get("/no-such-page").mimetype == "text/html"


def test_a_nul_character_is_no_server_error(program: Program) -> None:
    refused(program, 422, "GET", "/audit?action=%00")
    answer = program.client.get("/api/v1/executions/%00", headers={"Authorization": f"Bearer {program.key}"})
    assert (answer.status_code, answer.mimetype) == (404, "application/problem+json")
    refused(program, 404, "POST", "/analyses", json={"executionId": "a\x00"})  # read as "a"
    refused(program, 422, "POST", "/instances", json={"name": "a\x00", "url": "http://a\x00b", "apiKey": "\x00"})


def test_an_unexpected_error_tells_nothing(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_arguments: Any, **_options: Any) -> None:
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr("hub.instances.services.list_instances", fail)
    answer = program.client.get("/api/v1/instances", headers={"Authorization": f"Bearer {program.key}"})
    assert (answer.status_code, answer.mimetype) == (500, "application/problem+json")
    assert "secret" not in answer.text


# --- What pages do, programs do ------------------------------------------------------------------------------------


def test_automation_of_one_instance_is_stopped_and_a_proposal_put_aside(program: Program, alice: Actor) -> None:
    ids = build_estate(alice)
    switch = f"/instances/{ids['instance_id']}/automation-switch"
    assert program.get(switch) == {"stopped": False}
    assert program.call("PUT", switch, json={"stopped": True}).json == program.get(switch) == {"stopped": True}
    assert not program.get("/automation/switch")["stopped"]
    assert program.call("POST", f"/automation/runs/{ids['run_id']}/dismiss").status_code == 204
    assert db.session.get_one(AutomationRun, ids["run_id"]).dismissed_at is not None


def test_the_workflow_before_a_repair(program: Program, alice: Actor) -> None:
    ids = build_estate(alice)
    assert program.get(f"/repairs/{ids['repair_id']}/old-workflow")["workflow"]["nodes"]
    assert db.session.scalars(sa.select(AuditLog).where(AuditLog.action == "repair.download")).all()


def test_operators_ask_for_a_verification(program_of: Callable[..., Program], alice: Actor, operator: Actor) -> None:
    refused(program_of(alice), 403, "POST", "/audit/verification")
    refused(program_of(operator, "audit:read"), 403, "POST", "/audit/verification")
    asked = program_of(operator, "audit:write").call("POST", "/audit/verification")
    assert (asked.status_code, asked.json["isRunning"]) == (202, True)


# --- Strangers -----------------------------------------------------------------------------------------------------


def test_a_strangers_ids_are_not_found_anywhere(
    program_of: Callable[..., Program], spec: Json, alice: Actor, bob: Actor, repairable: Json
) -> None:
    program, stranger = program_of(alice), program_of(bob)
    signed_in = Program(stranger.client, spec, become_program(open_session(str(bob.user_id), Client(via="api"))).access_token)
    digest = program.get(f"/analyses/{repairable['id']}/suggestions/0/preview")["digest"]
    body = {"suggestionIndex": 0, "digest": digest}
    made = program.call("POST", f"/analyses/{repairable['id']}/repairs", json=body).json
    execution = program.get(f"/executions/{repairable['executionId']}")
    version = WorkflowVersion(
        workflow_id=execution["workflowId"],
        kind=VersionKind.DRAFT,
        content_hash="h",
        name="W",
        nodes=[],
        connections={},
        settings={},
    )
    db.session.add(version)
    db.session.commit()
    ids = {
        **build_estate(alice),
        "instance_id": execution["instanceId"],
        "workflow_id": execution["workflowId"],
        "version_id": version.id,
        "execution_id": execution["id"],
        "fingerprint": execution["fingerprint"],
        "analysis_id": repairable["id"],
        "repair_id": made["id"],
        "suggestion_index": "0",
    }
    bodies = {
        "POST /runs/{request_run_id}/explanation/apply": {"suggestion": 0, "version": "1"},
        "PATCH /instances/{instance_id}": {"name": "Mine"},
        "PUT /analyses/{analysis_id}/feedback": {"helpful": True},
        "POST /analyses/{analysis_id}/repairs": body,
        "PUT /workflows/{workflow_id}/automation": {"level": "PROPOSE"},
        "PATCH /requests/{request_id}": {"name": "Mine"},
        "PATCH /environments/{environment_id}": {"name": "Mine"},
        "POST /environments/{environment_id}/variables": {"name": "MINE"},
        "PATCH /variables/{variable_id}": {"value": "x"},
        "PUT /chains/{chain_id}": {"name": "Mine", "steps": []},
        "PATCH /webhooks/{webhook_id}": {"name": "Mine"},
        "PUT /instances/{instance_id}/automation-switch": {"stopped": True},
    }
    tried = 0
    for template, methods in spec["paths"].items():
        short = template.removeprefix("/api/v1")
        if "{" in short and "{service_id}" not in short:
            for method in methods:
                options = {"json": bodies.get(f"{method.upper()} {short}", {})} if method != "get" else {}
                caller = stranger if any("apiKey" in way for way in methods[method]["security"]) else signed_in
                refused(caller, 404, method.upper(), short.format(**ids), **options)
                tried += 1
    assert tried >= 16
    refused(stranger, 404, "POST", "/analyses", json={"executionId": ids["execution_id"]})
    for path in ("/workflows", "/executions"):
        refused(stranger, 404, "GET", f"{path}?instanceId={ids['instance_id']}")
    for path in ("/instances", "/workflows", "/executions", "/analyses"):
        assert stranger.get(path)["data"] == []
    assert stranger.get("/analyses", executionId=ids["execution_id"])["data"] == []


# --- Instances -----------------------------------------------------------------------------------------------------


def test_instances_from_cradle_to_grave(program: Program, fake_n8n: Callable[..., str]) -> None:
    made = program.call("POST", "/instances", json={"name": "Shop", "url": fake_n8n(), "apiKey": "key-1"})
    assert made.status_code == 201
    instance = made.json
    assert made.headers["Location"] == f"/api/v1/instances/{instance['id']}"
    assert (instance["status"], instance["syncIntervalMinutes"], instance["lastSync"]) == ("DISCONNECTED", 5, None)
    assert instance["createdAt"].endswith("Z")
    report = program.call("POST", f"/instances/{instance['id']}/test").json
    assert report["ok"]
    assert {check["state"] for check in report["checks"]} == {"ok"}
    assert program.get(f"/instances/{instance['id']}")["status"] == "CONNECTED"
    changed = program.call("PATCH", f"/instances/{instance['id']}", json={"syncIntervalMinutes": 60})
    assert (changed.json["name"], changed.json["syncIntervalMinutes"]) == ("Shop", 60)
    queued = program.call("POST", f"/instances/{instance['id']}/sync")
    assert (queued.status_code, queued.json["state"]) == (202, "QUEUED")
    assert program.call("GET", queued.headers["Location"].removeprefix("/api/v1")).json["state"] == "QUEUED"
    assert "key-1" not in program.call("GET", "/instances").text
    assert program.call("DELETE", f"/instances/{instance['id']}").status_code == 204
    refused(program, 404, "GET", f"/instances/{instance['id']}")
    actions = set(db.session.scalars(sa.select(AuditLog.action).where(AuditLog.resource_id == instance["id"])))
    changes = {"instance.create", "instance.test", "instance.update", "instance.sync", "instance.delete"}
    assert actions == {*changes, "access.refused"}


def test_what_is_wrong_with_an_instance_is_pointed_to(program: Program, alice: Actor) -> None:
    body = {"name": " ", "url": "http://169.254.169.254", "apiKey": ""}
    assert pointers(refused(program, 422, "POST", "/instances", json=body)) == {"#/name", "#/url", "#/apiKey"}
    made = program.call("POST", "/instances", json={"name": "Shop", "url": "http://127.0.0.1:1025", "apiKey": "k"}).json
    moved = refused(program, 422, "PATCH", f"/instances/{made['id']}", json={"url": "http://127.0.0.1:1026"})
    assert pointers(moved) == {"#/apiKey"}
    failed = program.call("POST", f"/instances/{made['id']}/test").json
    assert (failed["ok"], failed["checks"][0]["name"]) == (False, "reachable")
    assert program.get(f"/instances/{made['id']}")["errorCode"] == "connect"


def test_a_sample_is_read_only(program: Program, alice: Actor) -> None:
    sample = make_instance(alice, "Sample", is_sample=True)
    db.session.commit()
    refused(program, 409, "PATCH", f"/instances/{sample.id}", json={"name": "x"})
    refused(program, 409, "POST", f"/instances/{sample.id}/test")
    refused(program, 409, "POST", f"/instances/{sample.id}/sync")


# --- Lists ---------------------------------------------------------------------------------------------------------


def test_lists_come_in_pages_that_follow_each_other(program: Program, alice: Actor) -> None:
    instance = make_instance(alice)
    workflow = make_workflow(instance, "Orders", tags=["billing"], active=True)
    make_workflow(instance, "Alerts")
    for number in range(5):
        make_execution(workflow, number)
    db.session.commit()
    seen, cursor = [], None
    while True:
        page = program.get("/executions", limit="2", **({"cursor": cursor} if cursor else {}))
        seen += [row["n8nExecutionId"] for row in page["data"]]
        cursor = page["nextCursor"]
        if cursor is None:
            break
    assert seen == ["4", "3", "2", "1", "0"]
    assert [row["name"] for row in program.get("/workflows")["data"]] == ["Alerts", "Orders"]
    assert [row["name"] for row in program.get("/workflows", tag="billing")["data"]] == ["Orders"]
    assert [row["name"] for row in program.get("/workflows", active="false")["data"]] == ["Alerts"]
    after = (NOON).isoformat().replace("+00:00", "Z")
    assert len(program.get("/executions", startedAfter=after, status="FAILED", workflowId=workflow.id)["data"]) == 5
    assert program.get("/executions", startedBefore=after)["data"] == []
    assert program.get("/executions", status="SUCCESS")["data"] == []


def test_one_workflow_and_its_versions(program: Program, alice: Actor) -> None:
    workflow = make_workflow(make_instance(alice))
    other = make_workflow(make_instance(alice, "Other"))
    content = {"name": "Orders", "nodes": [{"name": "A"}], "connections": {}, "settings": {"timezone": "UTC"}}
    version = WorkflowVersion(workflow_id=workflow.id, kind=VersionKind.LIVE, content_hash="h", **content)
    db.session.add(version)
    db.session.commit()
    assert program.get(f"/workflows/{workflow.id}")["nodes"][0]["name"] == "Start"
    assert [row["id"] for row in program.get(f"/workflows/{workflow.id}/versions")["data"]] == [version.id]
    assert program.get(f"/workflows/{workflow.id}/versions/{version.id}")["settings"] == {"timezone": "UTC"}
    refused(program, 404, "GET", f"/workflows/{other.id}/versions/{version.id}")


def test_one_execution_has_data_and_error(program: Program, alice: Actor) -> None:
    workflow = make_workflow(make_instance(alice))
    execution = make_execution(workflow, 7, data={"data": {"x": 1}}, error={"message": "boom"}, error_message="boom")
    db.session.commit()
    answer = program.get(f"/executions/{execution.id}")
    assert (answer["data"], answer["error"], answer["status"]) == ({"data": {"x": 1}}, {"message": "boom"}, "FAILED")


def test_the_audit_log_and_me(program: Program, alice: Actor, operator: Actor, program_of: Callable[..., Program]) -> None:
    me = program.get("/me")
    assert (me["email"], me["permissions"]) == ("alice@example.com", ["read", "write"])
    assert "password" not in me
    assert {row["action"] for row in program.get("/audit", action="api_key.")["data"]} == {"api_key.create"}
    refused(program, 403, "GET", "/audit?user=bob@example.com")
    assert program_of(operator).get("/audit", user="alice@example.com")["data"]


# --- Analyses and repairs ------------------------------------------------------------------------------------------


class OneAnswer:
    """An analyzer with one change and one piece of advice."""

    name = "one-answer"

    def diagnose(self, _evidence: object) -> Diagnosis:
        change = ({"op": "add", "path": "/nodes/1/parameters/options/timeout", "value": 5000},)
        patch = Suggestion(title=TEXT, explanation=TEXT, kind="patch", patch=change, confidence=0.9)
        advice = Suggestion(title=TEXT, explanation=TEXT, kind="manual", confidence=0.4)
        return Diagnosis(cause=Cause.TIMEOUT, node="Fetch", confidence=0.9, summary=TEXT, suggestions=(patch, advice))


@pytest.fixture
def execution(app: Flask, alice: Actor, monkeypatch: pytest.MonkeyPatch) -> Execution:
    """A failure that can be repaired: what n8n says is known, the way to it is the repair room's own matter."""
    fake = FakeN8n(lambda _workflow: {"status": "success", "runs": green_runs()})
    for module in (analyses, repair_ledger):
        monkeypatch.setattr(module, "open_client", lambda _instance: fake)
    monkeypatch.setattr(app.extensions["hub_plugins"].registry, "analyzers", {"one-answer": OneAnswer()})
    document = {**failed_execution(), "workflowData": {**make_document(), "id": "wf"}}
    return import_execution(make_instance(alice), document)


@pytest.fixture
def repairable(program: Program, execution: Execution) -> Json:
    answer = program.call("POST", "/analyses", json={"executionId": execution.id})
    assert answer.status_code == 201, answer.text
    return answer.json


def test_an_analysis_of_an_execution(program: Program, repairable: Json, execution: Execution) -> None:
    assert (repairable["cause"], repairable["node"], repairable["executionId"]) == ("timeout", "Fetch", execution.id)
    assert [suggestion["kind"] for suggestion in repairable["suggestions"]] == ["patch", "manual"]
    assert program.get(f"/analyses/{repairable['id']}") == repairable
    listed = program.get("/analyses", executionId=execution.id)["data"]
    assert [(row["id"], row["repairState"]) for row in listed] == [(repairable["id"], None)]
    again = program.call("POST", "/analyses", json={"executionId": execution.id}).json
    assert again["id"] == repairable["id"], "the same failure is analysed once"


def test_an_analysis_of_a_document(program: Program, execution: Execution) -> None:
    document = {"execution": failed_execution(), "workflow": make_document()}
    answer = program.call("POST", "/analyses", json={"document": document})
    assert (answer.status_code, answer.json["executionId"]) == (201, None)
    for wrong in ({}, {"executionId": "x", "document": {}}, {"document": {"execution": {}}}, {"document": []}):
        refused(program, 422, "POST", "/analyses", json=wrong)
    refused(program, 404, "POST", "/analyses", json={"executionId": "cnone"})


def test_feedback(program: Program, repairable: Json) -> None:
    for answer in (True, False, None):
        assert program.call("PUT", f"/analyses/{repairable['id']}/feedback", json={"helpful": answer}).json["helpful"] is answer
    assert pointers(refused(program, 422, "PUT", f"/analyses/{repairable['id']}/feedback", json={})) == {"#/helpful"}


def test_a_repair_is_previewed_agreed_to_and_polled(program: Program, repairable: Json) -> None:
    preview = program.get(f"/analyses/{repairable['id']}/suggestions/0/preview")
    assert preview["obstacle"] is None
    assert any("5000" in line for difference in preview["differences"] for line in difference["lines"])
    refused(program, 404, "GET", f"/analyses/{repairable['id']}/suggestions/1/preview")
    refused(program, 404, "GET", f"/analyses/{repairable['id']}/suggestions/9/preview")
    path = f"/analyses/{repairable['id']}/repairs"
    refused(program, 409, "POST", path, json={"suggestionIndex": 0, "digest": "0" * 64})
    refused(program, 422, "POST", path, json={"suggestionIndex": -1, "digest": "x"})
    refused(program, 422, "POST", path, json={"suggestionIndex": 0, "digest": "x", "proof": "hope"})
    assert db.session.scalars(sa.select(Repair)).all() == []
    made = program.call("POST", path, json={"suggestionIndex": 0, "digest": preview["digest"]})
    assert (made.status_code, made.json["state"], made.json["verdict"]) == (202, "QUEUED", None)
    assert program.call("GET", made.headers["Location"].removeprefix("/api/v1")).json["id"] == made.json["id"]
    assert [row["id"] for row in program.get(path)["data"]] == [made.json["id"]]
    twice = program.call("POST", path, json={"suggestionIndex": 0, "digest": preview["digest"]})
    assert twice.json["id"] == made.json["id"]


@pytest.mark.parametrize("field", ["a\0b", "\ud800", "a\udfff"])
def test_texts_that_no_database_stores_are_cleaned(program: Program, field: str) -> None:
    """``\\ud800`` is JSON, but no text; as an id it names nothing."""
    made = program.call("POST", "/environments", json={"name": field})
    assert made.status_code == 201
    assert made.json["name"] == field.replace("\0", "").encode("utf-8", "replace").decode()
    refused(program, 422, "POST", "/chains", json={"name": "Chain", "steps": [field]})


def test_bytes_that_are_no_text_are_refused(program: Program) -> None:
    for body in (b'{"name": "\xff"}', b'{"name": "\xed\xa0\x80"}'):
        refused(program, 400, "POST", "/environments", data=body, content_type="application/json")
