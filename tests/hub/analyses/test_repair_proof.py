"""Repairs that wait for the next run of their version, and repairs that are undone."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from hub.analyses.models import AiAnalysis, Repair, RepairState, Verdict
from hub.analyses.presentation import present_repair
from hub.analyses.repair import recover_repairs
from hub.analyses.repair_proof import prove_waiting_repairs
from hub.analyses.repair_run import ProofKind
from hub.analyses.repair_undo import request_undo
from hub.analyses.services import list_analyses
from hub.audit.models import AuditLog
from hub.contracts.actor import Actor
from hub.errors import Conflict, NotFound
from hub.executions.models import Execution
from hub.executions.services import ingest_executions
from hub.extensions import db
from hub.instances.errors import Unreachable
from hub.instances.models import Instance
from hub.jobs.models import Job
from tests.hub.analyses.fake_n8n import NOT_FOUND, FakeN8n, green_runs, make_workflow, node_run
from tests.hub.analyses.scene import agree, work

Json = dict[str, Any]


def again(repair: Repair) -> Repair:
    return db.session.get_one(Repair, repair.id, populate_existing=True)


def actions() -> list[str]:
    return list(db.session.scalars(sa.select(AuditLog.action).order_by(AuditLog.created_at, AuditLog.id)))


@pytest.fixture
def waiting(alice: Actor, analysis: AiAnalysis, n8n: FakeN8n) -> Repair:
    """A change before the failed node, kept as a draft without proof, that a person has published since."""
    done = work(agree(alice, analysis, 2, ProofKind.NONE).id)
    assert (done.state, done.verdict) == (RepairState.APPLIED, Verdict.UNPROVEN)
    n8n.publish_workflow("wf")
    db.session.query(Job).delete()
    return done


def run_live(n8n: FakeN8n, outcome: Json, version: str | None = None) -> None:
    """A later run, as n8n and a sync bring it."""
    n8n.outcome = lambda _workflow: outcome
    n8n.call_webhook({})
    newest = n8n.executions[max(n8n.executions, key=int)]
    newest["workflowData"] = copy.deepcopy({key: n8n.workflow[key] for key in newest["workflowData"]})
    newest.update(startedAt="2099-01-01T00:00:00.000Z", stoppedAt="2099-01-01T00:00:01.000Z")
    if version:
        newest["workflowVersionId"] = version
    instance = db.session.scalars(sa.select(Instance)).one()
    ingest_executions(instance, [{key: value for key, value in newest.items() if key != "data"}])


def red(message: str, node: str = "Fetch") -> Json:
    error = {**NOT_FOUND, "message": message, "node": {"name": node}}
    return {"status": "error", "error": error, "runs": {**green_runs(), node: [node_run(error=error)]}}


def test_an_unproven_repair_waits_and_says_so(alice: Actor, waiting: Repair) -> None:
    assert waiting.awaits_version == waiting.new_version_id
    assert present_repair(waiting).awaits_proof
    assert list_analyses(alice).rows[0].awaits_version == waiting.new_version_id


def test_nothing_is_asked_of_n8n_while_nothing_has_run(waiting: Repair, n8n: FakeN8n) -> None:
    n8n.calls.clear()
    prove_waiting_repairs()
    assert n8n.calls == []
    assert again(waiting).awaits_version is not None


@pytest.mark.parametrize(
    ("outcome", "verdict", "action_succeeded"),
    [
        ({"status": "success", "runs": green_runs()}, Verdict.VERIFIED, True),
        ({"status": "success", "runs": {key: green_runs()[key] for key in ("Webhook", "Fetch")}}, Verdict.PARTIAL, True),
        (red(NOT_FOUND["message"]), Verdict.FAILED, False),
        (red("No name given", node="Store"), Verdict.REGRESSED, False),
    ],
)
def test_the_next_run_of_the_version_closes_it(
    waiting: Repair, n8n: FakeN8n, outcome: Json, verdict: Verdict, action_succeeded: bool
) -> None:
    run_live(n8n, outcome)
    prove_waiting_repairs()
    closed = again(waiting)
    assert (closed.state, closed.verdict, closed.awaits_version) == (RepairState.APPLIED, verdict, None)
    assert closed.retry_n8n_execution_id == "11"
    event = db.session.scalars(sa.select(AuditLog).where(AuditLog.action == "repair.prove")).one()
    assert event.success is action_succeeded
    shown = present_repair(closed)
    assert "11" in shown.message
    assert shown.can_undo


@pytest.mark.parametrize(
    ("outcome", "version"),
    [
        ({"status": "success", "runs": green_runs()}, "v9"),
        ({"status": "success", "runs": {"Webhook": green_runs()["Webhook"]}}, None),
    ],
)
def test_other_versions_and_runs_past_the_node_prove_nothing(
    waiting: Repair, n8n: FakeN8n, outcome: Json, version: str | None
) -> None:
    run_live(n8n, outcome, version)
    prove_waiting_repairs()
    assert again(waiting).awaits_version is not None
    n8n.calls.clear()
    prove_waiting_repairs()  # each run is looked at once
    assert n8n.calls == []


def test_a_run_of_the_old_nodes_under_the_new_version_proves_nothing(waiting: Repair, n8n: FakeN8n) -> None:
    """As n8n does for a moment after publishing."""
    old = make_workflow()
    run_live(n8n, red(NOT_FOUND["message"]))
    n8n.executions["11"]["workflowData"]["nodes"] = old["nodes"]
    prove_waiting_repairs()
    assert again(waiting).awaits_version is not None


def test_an_n8n_that_does_not_answer_is_asked_next_time(waiting: Repair, n8n: FakeN8n) -> None:
    run_live(n8n, {"status": "success", "runs": green_runs()})
    n8n.faults["get_execution"] = [Unreachable("refused")]
    prove_waiting_repairs()
    assert again(waiting).awaits_version is not None
    prove_waiting_repairs()
    assert again(waiting).verdict is Verdict.VERIFIED


# --- Undo ------------------------------------------------------------------------------------------------------------


def undo(actor: Actor, repair: Repair) -> Repair:
    db.session.query(Job).delete()
    return work(request_undo(actor, repair.id).id)


def test_undo_brings_the_old_workflow_back_live(alice: Actor, analysis: AiAnalysis, n8n: FakeN8n) -> None:
    applied = work(agree(alice, analysis).id)
    assert n8n.live_nodes()[1]["parameters"]["options"] == {"timeout": 5000}
    undone = undo(alice, applied)
    assert (undone.state, present_repair(undone).can_undo) == (RepairState.ROLLED_BACK, False)
    assert n8n.live_nodes() == make_workflow()["nodes"]
    assert n8n.workflow["nodes"] == make_workflow()["nodes"]
    assert not db.session.get_one(AiAnalysis, analysis.id, populate_existing=True).applied
    assert actions()[-2:] == ["repair.undo", "repair.rolled_back"]
    assert db.session.scalars(sa.select(AuditLog).where(AuditLog.action == "repair.rolled_back")).one().success
    assert "undone" in str(undone.message)


def test_undo_of_a_draft_leaves_what_is_live_alone(alice: Actor, analysis: AiAnalysis, n8n: FakeN8n) -> None:
    draft = work(agree(alice, analysis, 2, ProofKind.NONE).id)
    n8n.calls.clear()
    undone = undo(alice, draft)
    assert n8n.changes() == ["update_workflow"]
    assert (undone.state, undone.awaits_version) == (RepairState.ROLLED_BACK, None)
    assert n8n.workflow["nodes"] == make_workflow()["nodes"]


def test_undo_overwrites_nobodys_work(alice: Actor, analysis: AiAnalysis, n8n: FakeN8n) -> None:
    applied = work(agree(alice, analysis).id)
    n8n.workflow["nodes"][2]["parameters"]["value"] = "edited by a person"
    n8n.calls.clear()
    kept = undo(alice, applied)
    assert (kept.state, kept.verdict) == (RepairState.APPLIED, Verdict.VERIFIED)
    assert n8n.changes() == []
    assert "edited" in str(kept.message)
    assert db.session.get_one(AiAnalysis, analysis.id, populate_existing=True).applied


def test_undo_survives_a_lost_job(alice: Actor, analysis: AiAnalysis, n8n: FakeN8n) -> None:
    applied = work(agree(alice, analysis).id)
    db.session.query(Job).delete()
    asked = request_undo(alice, applied.id)
    assert request_undo(alice, applied.id).id == asked.id  # a double click
    db.session.query(Job).delete()
    db.session.execute(sa.update(Repair).values(updated_at=asked.created_at.replace(year=2000)))
    db.session.commit()
    recover_repairs()
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Job).where(Job.name == "repair.run")) == 1
    assert work(applied.id).state is RepairState.ROLLED_BACK


def test_only_owners_undo_only_what_is_applied(
    alice: Actor, bob: Actor, analysis: AiAnalysis, n8n: FakeN8n, execution: Execution
) -> None:
    asked = agree(alice, analysis)
    with pytest.raises(Conflict):
        request_undo(alice, asked.id)
    applied = work(asked.id)
    with pytest.raises(NotFound):
        request_undo(bob, applied.id)
    undo(alice, applied)
    with pytest.raises(Conflict):
        request_undo(alice, applied.id)


def test_the_page_offers_undo_without_script(
    alice: Actor, analysis: AiAnalysis, n8n: FakeN8n, browser_of: Callable[[Actor], FlaskClient]
) -> None:
    applied = work(agree(alice, analysis).id)
    db.session.query(Job).delete()
    db.session.commit()
    browser = browser_of(alice)
    address = f"/repairs/{applied.id}/undo"
    assert address in browser.get(f"/analyses/{analysis.id}").text
    answer = browser.post(address)
    assert answer.status_code in (302, 303)
    assert again(applied).state is RepairState.RUNNING
