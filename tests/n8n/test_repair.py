"""The repair loop on a real n8n, by its services: what is proven goes live, what is not leaves no trace."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from flask import Flask

from hub.analyses import services
from hub.analyses.models import Repair, RepairState, Verdict
from hub.analyses.repair import preview_repair, request_repair, run_repair
from hub.analyses.repair_proof import prove_waiting_repairs
from hub.analyses.repair_run import ProofKind
from hub.analyses.repair_undo import request_undo
from hub.contracts.actor import Actor
from hub.contracts.analysis import Cause, Diagnosis, LocalizedText, Suggestion
from hub.executions.models import Execution, ExecutionStatus
from hub.executions.services import import_execution
from hub.extensions import db
from hub.instances.models import Instance
from hub.instances.services import create_instance
from hub.jobs.models import Job
from tests.n8n.server import N8nServer

pytestmark = pytest.mark.n8n

Json = dict[str, Any]


class Customers(BaseHTTPRequestHandler):
    """Answers ``/customers`` to those who send the key, and 404 elsewhere."""

    def do_GET(self) -> None:
        known = self.path.startswith("/customers") and self.headers.get("X-Shop-Key") == "shop-secret"
        body = json.dumps([{"name": "Mona"}] if known else {"message": "no such path"}).encode()
        self.send_response(200 if known else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def service() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Customers)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def credential(n8n: N8nServer) -> Json:
    """A credential on the n8n; its reference as nodes hold it."""
    data = {"name": "X-Shop-Key", "value": "shop-secret"}
    created = n8n.api("POST", "/credentials", json={"name": "Shop", "type": "httpHeaderAuth", "data": data})
    return {"httpHeaderAuth": {"id": created["id"], "name": "Shop"}}


def node(number: int, name: str, kind: str, version: float, parameters: Json, **more: Any) -> Json:
    return {
        "id": f"node-{number}",
        "name": name,
        "type": f"n8n-nodes-base.{kind}",
        "typeVersion": version,
        "position": [number * 200, 0],
        "parameters": parameters,
        **more,
    }


def chain(name: str, *nodes: Json) -> Json:
    """A workflow that starts with a webhook and runs the nodes one after the other."""
    path = name.lower().replace(" ", "-")
    webhook = node(0, "Webhook", "webhook", 2, {"path": path, "httpMethod": "POST", "options": {}}, webhookId=path)
    whole = [webhook, *nodes]
    links = {
        one["name"]: {"main": [[{"node": other["name"], "type": "main", "index": 0}]]} for one, other in itertools.pairwise(whole)
    }
    return {"name": name, "nodes": whole, "connections": links, "settings": {"executionOrder": "v1"}}


def fetch_customers(url: str, credential: Json) -> Json:
    parameters = {"url": url, "authentication": "genericCredentialType", "genericAuthType": "httpHeaderAuth", "options": {}}
    return node(1, "Fetch", "httpRequest", 4.2, parameters, credentials=credential)


def set_name(value: str, name: str = "Pick name") -> Json:
    assignment = {"id": "a", "name": "name", "value": value, "type": "string"}
    return node(2, name, "set", 3.4, {"assignments": {"assignments": [assignment]}, "options": {}})


class Says:
    """An analyzer with one suggestion."""

    def __init__(self, *patch: Json) -> None:
        self.name = f"says {hash(json.dumps(patch))}"  # another answer is another analyzer
        self.patch = patch

    def diagnose(self, _evidence: object) -> Diagnosis:
        text = LocalizedText(en="Text", ar="نص")
        suggestion = Suggestion(title=text, explanation=text, kind="patch", patch=self.patch, confidence=0.5)
        return Diagnosis(cause=Cause.NOT_FOUND, node=None, confidence=0.5, summary=text, suggestions=(suggestion,))


class Bed:
    """One person with the n8n connected."""

    def __init__(self, actor: Actor, instance: Instance, n8n: N8nServer, app: Flask) -> None:
        self.actor, self.instance, self.n8n = actor, instance, n8n
        self.registry = app.extensions["hub_plugins"].registry

    def fail(self, workflow: Json, body: Json | None = None) -> tuple[str, Execution]:
        """Create and publish the workflow and let it fail: its id, and the failure as the hub keeps it."""
        workflow_id = self.n8n.create_workflow(workflow)
        path = workflow["nodes"][0]["parameters"]["path"]
        execution = self.n8n.run_webhook(workflow_id, {"method": "POST", "path": path, "body": body or {"n": 1}})
        assert execution["status"] == "error"
        return workflow_id, import_execution(self.instance, execution)

    def repair(self, execution: Execution, *patch: Json, proof: ProofKind | None = None) -> Repair:
        """Analyse, agree and work."""
        if patch:
            self.registry.analyzers = {"says": Says(*patch)}
        analysis = services.analyze_execution(self.actor, execution.id)
        index = next(index for index, suggestion in enumerate(analysis.suggestions) if suggestion["kind"] == "patch")
        preview = preview_repair(self.actor, analysis.id, index)
        assert preview.obstacle is None, preview.obstacle
        asked = request_repair(self.actor, analysis.id, index, str(preview.digest), proof)
        return self.work(asked)

    def work(self, asked: Repair) -> Repair:
        """What the worker does with the queued job."""
        run_repair(asked.id, beat=lambda: None)
        db.session.query(Job).delete()
        return db.session.get_one(Repair, asked.id, populate_existing=True)

    def workflow(self, workflow_id: str) -> Json:
        found: Json = self.n8n.api("GET", f"/workflows/{workflow_id}")
        return found


@pytest.fixture
def bed(alice: Actor, n8n: N8nServer, app: Flask, monkeypatch: pytest.MonkeyPatch) -> Bed:
    registry = app.extensions["hub_plugins"].registry
    monkeypatch.setattr(registry, "analyzers", dict(registry.analyzers))
    return Bed(alice, create_instance(alice, name="Real", url=n8n.url, api_key=n8n.api_key), n8n, app)


CONTENT = ("name", "nodes", "connections", "settings")


def content(workflow: Json) -> str:
    return json.dumps({key: workflow[key] for key in CONTENT})


def live(workflow: Json) -> str:
    return json.dumps({key: workflow["activeVersion"][key] for key in ("nodes", "connections")})


def test_right_change_is_proven_and_goes_live_with_its_credential(bed: Bed, service: str, credential: Json) -> None:
    """The rules find the typo by themselves where the service names the right path; here it is given."""
    typo = chain("Typo in address", fetch_customers(f"{service}/custmers", credential), set_name("={{ $json.name }}"))
    workflow_id, execution = bed.fail(typo)
    before = bed.workflow(workflow_id)
    done = bed.repair(execution, {"op": "replace", "path": "/nodes/1/parameters/url", "value": f"{service}/customers"})
    assert (done.state, done.verdict) == (RepairState.APPLIED, Verdict.VERIFIED), done.message
    after = bed.workflow(workflow_id)
    assert after["activeVersionId"] == after["versionId"] == done.new_version_id != before["versionId"]
    assert after["activeVersion"]["nodes"][1]["credentials"] == credential
    assert after["activeVersion"]["nodes"][1]["parameters"]["url"] == f"{service}/customers"
    retried = db.session.query(Execution).filter_by(n8n_execution_id=done.retry_n8n_execution_id).one()
    assert (retried.status, retried.retry_of) == (ExecutionStatus.SUCCESS, execution.n8n_execution_id)
    db.session.refresh(execution)
    assert execution.retry_success_id == done.retry_n8n_execution_id


def test_wrong_change_leaves_no_trace_in_draft_and_live(bed: Bed, service: str, credential: Json) -> None:
    typo = chain("Wrong change", fetch_customers(f"{service}/custmers", credential), set_name("={{ $json.name }}"))
    workflow_id, execution = bed.fail(typo)
    before = bed.workflow(workflow_id)
    done = bed.repair(execution, {"op": "replace", "path": "/nodes/1/parameters/url", "value": f"{service}/clients"})
    assert (done.state, done.verdict) == (RepairState.ROLLED_BACK, Verdict.FAILED), done.message
    after = bed.workflow(workflow_id)
    assert content(after) == content(before)
    assert live(after) == live(before)
    assert after["active"]
    assert after["activeVersionId"] == before["activeVersionId"]
    assert after["nodes"][1]["credentials"] == credential
    again = bed.repair(execution, {"op": "replace", "path": "/nodes/1/parameters/url", "value": f"{service}/customers"})
    assert again.verdict is Verdict.VERIFIED, again.message
    assert bed.workflow(workflow_id)["activeVersionId"] == again.new_version_id


def test_rules_repair_an_expression_end_to_end(bed: Bed) -> None:
    workflow_id, execution = bed.fail(chain("Dangling plus", set_name("={{ 'Dear ' + $json.body.name + }}", "Greet")))
    done = bed.repair(execution)
    assert (done.state, done.verdict) == (RepairState.APPLIED, Verdict.VERIFIED), done.message
    assert "activeVersion" in bed.workflow(workflow_id)


def test_change_before_the_failed_node_is_proven_by_the_webhook(bed: Bed) -> None:
    nodes = [set_name("text", "Make"), node(3, "Use", "code", 2, {"jsCode": "return JSON.parse($input.first().json.name)"})]
    workflow_id, execution = bed.fail(chain("Upstream", *nodes))
    path = "/nodes/1/parameters/assignments/assignments/0/value"
    wrong = {"op": "replace", "path": path, "value": "other"}
    before = bed.workflow(workflow_id)
    done = bed.repair(execution, wrong, proof=ProofKind.WEBHOOK)
    assert done.state is RepairState.ROLLED_BACK, done.message
    after = bed.workflow(workflow_id)
    assert (content(after), live(after)) == (content(before), live(before))
    right = {"op": "replace", "path": path, "value": '[{"json": {"ok": true}}]'}
    done = bed.repair(execution, right, proof=ProofKind.WEBHOOK)
    assert (done.state, done.verdict) == (RepairState.APPLIED, Verdict.VERIFIED), done.message
    assert (
        bed.workflow(workflow_id)["activeVersion"]["nodes"][1]["parameters"]["assignments"]["assignments"][0]["value"]
        == right["value"]
    )


def test_workflow_edited_since_the_analysis_is_left_alone(bed: Bed, service: str, credential: Json) -> None:
    typo = chain("Edited since", fetch_customers(f"{service}/custmers", credential), set_name("={{ $json.name }}"))
    workflow_id, execution = bed.fail(typo)
    bed.registry.analyzers = {"says": Says({"op": "add", "path": "/nodes/1/retryOnFail", "value": True})}
    analysis = services.analyze_execution(bed.actor, execution.id)
    digest = str(preview_repair(bed.actor, analysis.id, 0).digest)
    asked = request_repair(bed.actor, analysis.id, 0, digest)
    theirs = bed.workflow(workflow_id)
    theirs["nodes"][2]["parameters"]["assignments"]["assignments"][0]["value"] = "theirs"
    bed.n8n.api("PUT", f"/workflows/{workflow_id}", json={key: theirs[key] for key in CONTENT})
    before = bed.workflow(workflow_id)
    assert bed.work(asked).state is RepairState.REFUSED
    assert bed.workflow(workflow_id) == before


def test_a_change_without_proof_waits_for_the_next_run_and_can_be_undone(bed: Bed) -> None:
    nodes = [set_name("text", "Make"), node(3, "Use", "code", 2, {"jsCode": "return JSON.parse($input.first().json.name)"})]
    workflow_id, execution = bed.fail(chain("Waits for proof", *nodes))
    before = bed.workflow(workflow_id)
    path = "/nodes/1/parameters/assignments/assignments/0/value"
    right = {"op": "replace", "path": path, "value": '[{"json": {"ok": true}}]'}
    kept = bed.repair(execution, right, proof=ProofKind.NONE)
    assert (kept.state, kept.verdict, kept.awaits_version) == (RepairState.APPLIED, Verdict.UNPROVEN, kept.new_version_id)
    assert live(bed.workflow(workflow_id)) == live(before)
    prove_waiting_repairs()
    db.session.refresh(kept)
    assert kept.awaits_version is not None
    bed.n8n.api("POST", f"/workflows/{workflow_id}/publish", json={})
    for _ in range(50):  # n8n may run the old nodes for a moment, under the new version's id: that proves nothing
        run = bed.n8n.run_webhook(workflow_id, {"method": "POST", "path": "waits-for-proof", "body": {"n": 2}})
        import_execution(bed.instance, run)
        prove_waiting_repairs()
        db.session.refresh(kept)
        if kept.awaits_version is None:
            break
    assert (kept.state, kept.verdict, kept.awaits_version) == (RepairState.APPLIED, Verdict.VERIFIED, None), kept.message
    assert kept.retry_n8n_execution_id == run["id"]
    undone = bed.work(request_undo(bed.actor, kept.id))
    assert undone.state is RepairState.ROLLED_BACK, undone.message
    after = bed.workflow(workflow_id)
    assert (content(after), live(after)) == (content(before), live(before))
    assert after["active"]
