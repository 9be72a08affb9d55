"""Repairs in the database: preview, agreement, double clicks, the worker's way through and its deaths."""

from __future__ import annotations

import contextlib
import copy
import json
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from hub.analyses import repair, services
from hub.analyses.models import AiAnalysis, Repair, RepairState, Verdict
from hub.analyses.repair import preview_repair, recover_repairs, request_repair, run_repair
from hub.analyses.repair_run import ProofKind
from hub.audit.models import AuditLog
from hub.contracts.actor import Actor
from hub.contracts.analysis import Diagnosis
from hub.errors import Conflict, Invalid, NotFound
from hub.executions.models import Execution, ExecutionStatus
from hub.extensions import db
from hub.instances.errors import Unreachable
from hub.instances.models import Instance
from hub.jobs.models import Job, JobState
from hub.jobs.services import RetryLater
from tests.hub.analyses.fake_n8n import FakeN8n, Killed, failed_execution, make_workflow
from tests.hub.analyses.scene import OneAnswer, agree, quick_steps, work

Json = dict[str, Any]


def actions() -> list[str]:
    return list(db.session.scalars(sa.select(AuditLog.action).order_by(AuditLog.created_at, AuditLog.id)))


# --- Preview -------------------------------------------------------------------------------------------------------


def test_preview_shows_what_changes_and_what_it_risks(alice: Actor, analysis: AiAnalysis) -> None:
    preview = preview_repair(alice, analysis.id, 0)
    assert [(d.node, d.path) for d in preview.differences] == [("Fetch", "options.timeout")]
    assert [notice.code for notice in preview.warnings] == ["publishes"]
    assert preview.proofs == (ProofKind.RETRY,)
    assert preview.base_version == "v1"
    assert preview.obstacle is None


def test_preview_never_shows_a_secret(alice: Actor, analysis: AiAnalysis) -> None:
    assert "INLINESECRET" not in json.dumps(analysis.error_data)
    assert "INLINESECRET" not in repr(preview_repair(alice, analysis.id, 0))


def test_preview_of_an_upstream_change_offers_other_proofs(alice: Actor, analysis: AiAnalysis) -> None:
    preview = preview_repair(alice, analysis.id, 2)
    assert preview.proofs == (ProofKind.WEBHOOK, ProofKind.NONE)
    assert {notice.code for notice in preview.warnings} >= {"upstream", "webhook-goes-live"}


def test_preview_of_a_hostile_change_is_an_obstacle(alice: Actor, analysis: AiAnalysis) -> None:
    preview = preview_repair(alice, analysis.id, 3)
    assert preview.obstacle is not None
    assert preview.obstacle.details["reason"] == "new-host"
    assert preview.digest is None


@pytest.mark.parametrize("index", [1, -1, 9])
def test_only_patches_have_a_preview(alice: Actor, analysis: AiAnalysis, index: int) -> None:
    with pytest.raises(NotFound):
        preview_repair(alice, analysis.id, index)


def test_analyses_of_files_cannot_be_applied(alice: Actor, analyzer: OneAnswer) -> None:
    db.session.commit()  # the hub ends its transaction before analyzers think
    document = services.analyze_document(alice, {"execution": failed_execution(), "workflow": make_workflow()})
    preview = preview_repair(alice, document.id, 0)
    assert preview.obstacle is not None
    assert preview.obstacle.code == "no-instance"


# --- Agreement -----------------------------------------------------------------------------------------------------


def test_another_digest_is_refused(alice: Actor, analysis: AiAnalysis) -> None:
    with pytest.raises(Conflict):
        request_repair(alice, analysis.id, 0, "0" * 64)
    other = preview_repair(alice, analysis.id, 2).digest
    with pytest.raises(Conflict):
        request_repair(alice, analysis.id, 0, str(other))


def test_a_proof_that_is_not_offered_is_refused(alice: Actor, analysis: AiAnalysis) -> None:
    with pytest.raises(Invalid):
        agree(alice, analysis, 0, ProofKind.NONE)


def test_calling_a_webhook_has_to_be_chosen(alice: Actor, analysis: AiAnalysis) -> None:
    with pytest.raises(Invalid):
        agree(alice, analysis, 2, None)


def test_a_double_click_is_one_repair(alice: Actor, analysis: AiAnalysis) -> None:
    assert agree(alice, analysis).id == agree(alice, analysis).id
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Job).where(Job.name == "repair.run")) == 1


def test_strangers_find_nothing(alice: Actor, bob: Actor, analysis: AiAnalysis) -> None:
    digest = preview_repair(alice, analysis.id, 0).digest or ""
    mine = agree(alice, analysis)
    for attempt in (
        lambda: services.get_analysis(bob, analysis.id),
        lambda: services.give_feedback(bob, analysis.id, True),
        lambda: preview_repair(bob, analysis.id, 0),
        lambda: request_repair(bob, analysis.id, 0, digest),
        lambda: repair.get_repair(bob, mine.id),
        lambda: repair.read_old_workflow(bob, mine.id),
        lambda: services.analyze_execution(bob, str(analysis.execution_id)),
    ):
        with pytest.raises(NotFound):
            attempt()
    assert services.list_analyses(bob).rows == []


# --- At work -------------------------------------------------------------------------------------------------------


def test_verified(alice: Actor, analysis: AiAnalysis, n8n: FakeN8n) -> None:
    done = work(agree(alice, analysis).id)
    assert (done.state, done.verdict, done.retry_n8n_execution_id) == (RepairState.APPLIED, Verdict.VERIFIED, "11")
    assert db.session.get_one(AiAnalysis, analysis.id, populate_existing=True).applied
    runs = {row.n8n_execution_id: row for row in db.session.scalars(sa.select(Execution))}
    assert (runs["11"].status, runs["11"].retry_of) == (ExecutionStatus.SUCCESS, "10")
    assert runs["10"].retry_success_id == "11"
    assert actions()[-2:] == ["repair.request", "repair.applied"]
    assert done.message is not None
    assert "Fetch" in done.message
    with pytest.raises(Conflict):
        agree(alice, analysis)


def test_rolled_back_and_free_for_another_try(alice: Actor, analysis: AiAnalysis, n8n: FakeN8n) -> None:
    n8n.outcome = FakeN8n().outcome
    done = work(agree(alice, analysis).id)
    assert (done.state, done.verdict) == (RepairState.ROLLED_BACK, Verdict.FAILED)
    assert n8n.workflow["nodes"] == make_workflow()["nodes"]
    assert not analysis.applied
    assert actions()[-1] == "repair.rolled_back"


def test_the_old_workflow_is_kept_sealed(alice: Actor, analysis: AiAnalysis) -> None:
    done = work(agree(alice, analysis).id)
    stored = db.session.execute(sa.text("SELECT pre_image FROM repairs WHERE id = :id"), {"id": done.id}).scalar_one()
    assert "INLINESECRET" not in json.dumps(stored)
    kept = repair.read_old_workflow(alice, done.id)
    assert kept["nodes"] == make_workflow()["nodes"]
    assert actions()[-1] == "repair.download"


def test_workflow_that_changed_since_is_refused(alice: Actor, analysis: AiAnalysis, n8n: FakeN8n) -> None:
    asked = agree(alice, analysis)
    n8n.workflow["versionId"] = "v9"
    done = work(asked.id)
    assert (done.state, n8n.changes()) == (RepairState.REFUSED, [])
    db.session.execute(sa.update(Job).values(state=JobState.DONE))  # the worker ends the job with the repair
    db.session.commit()
    again = services.analyze_execution(alice, str(analysis.execution_id))
    assert work(agree(alice, again).id).state is RepairState.APPLIED


def test_n8n_that_does_not_answer_is_asked_again_later(alice: Actor, analysis: AiAnalysis, n8n: FakeN8n) -> None:
    asked = agree(alice, analysis)
    n8n.faults["retry_execution"] = [Unreachable("connect", host="n8n", port=1, reason="refused")]
    with pytest.raises(RetryLater):
        work(asked.id)
    assert work(asked.id).verdict is Verdict.VERIFIED
    assert n8n.changes().count("update_workflow") == 1


def test_an_ended_repair_is_not_made_again(alice: Actor, analysis: AiAnalysis, n8n: FakeN8n) -> None:
    done = work(agree(alice, analysis).id)
    calls = len(n8n.calls)
    work(done.id)
    assert len(n8n.calls) == calls


def test_worker_killed_between_any_two_steps(alice: Actor, analysis: AiAnalysis, n8n: FakeN8n) -> None:
    asked = agree(alice, analysis)
    deaths = [0]

    def die() -> None:
        deaths[0] += 1
        raise Killed

    step = ""
    while True:
        seen = [0]

        def beat(seen: list[int] = seen) -> None:
            seen[0] += 1
            if seen[0] == 2:
                die()

        with contextlib.suppress(Killed):
            run_repair(asked.id, beat=beat, make_steps=quick_steps)
        now = db.session.get_one(Repair, asked.id, populate_existing=True)
        if now.state is RepairState.APPLIED:
            break
        assert now.step != step, "no progress"
        step = now.step
    assert deaths[0] >= 4
    assert n8n.changes() == ["update_workflow", "retry_execution", "publish_workflow"]


def test_lost_job_is_queued_again(alice: Actor, analysis: AiAnalysis, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = agree(alice, analysis)
    db.session.execute(sa.delete(Job))
    recover_repairs()
    assert db.session.scalar(sa.select(Job.id)) is None, "it was touched a moment ago"
    later = repair.utc_now() + repair.dt.timedelta(minutes=5)
    monkeypatch.setattr(repair, "utc_now", lambda: later)
    recover_repairs()
    assert db.session.scalars(sa.select(Job.arguments)).all() == [{"repair_id": asked.id}]


def test_webhook_proof(alice: Actor, analysis: AiAnalysis, n8n: FakeN8n) -> None:
    done = work(agree(alice, analysis, 2, ProofKind.WEBHOOK).id)
    assert (done.state, done.verdict, done.went_live) == (RepairState.APPLIED, Verdict.VERIFIED, True)


# --- Analyses ------------------------------------------------------------------------------------------------------


def test_same_failure_is_analysed_once(alice: Actor, analysis: AiAnalysis, analyzer: OneAnswer) -> None:
    assert services.analyze_execution(alice, str(analysis.execution_id)).id == analysis.id
    assert analyzer.asked == 1
    analyzer.name = "another"
    assert services.analyze_execution(alice, str(analysis.execution_id)).id != analysis.id


def test_without_n8n_the_copy_is_analysed_and_nothing_can_be_applied(
    alice: Actor, execution: Execution, analyzer: OneAnswer, n8n: FakeN8n
) -> None:
    n8n.faults["get_workflow"] = [Unreachable("connect", host="n8n", port=1, reason="refused")]
    made = services.analyze_execution(alice, execution.id)
    preview = preview_repair(alice, made.id, 0)
    assert preview.obstacle is not None
    assert preview.obstacle.code == "no-fresh-workflow"


def test_a_sample_says_that_it_is_one(alice: Actor, execution: Execution, analyzer: OneAnswer) -> None:
    db.session.get_one(Instance, execution.instance_id).is_sample = True
    db.session.commit()
    made = services.analyze_execution(alice, execution.id)
    preview = preview_repair(alice, made.id, 0)
    assert preview.obstacle is not None
    assert preview.obstacle.code == "sample"


def test_an_analyzer_that_raises_is_skipped(
    alice: Actor, execution: Execution, analyzer: OneAnswer, app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken:
        name = "broken"

        def diagnose(self, _evidence: object) -> Diagnosis:
            raise RuntimeError("boom")

    app.extensions["hub_plugins"].registry.analyzers = {"broken": Broken(), analyzer.name: analyzer}
    assert services.analyze_execution(alice, execution.id).analyzer.startswith("one-answer")
    app.extensions["hub_plugins"].registry.analyzers = {"broken": Broken()}
    nobody = services.analyze_execution(alice, execution.id)
    assert (nobody.cause, nobody.analyzer) == ("unknown", "none")
    assert "broken failed" in caplog.text


def test_only_failures_are_analysed(alice: Actor, execution: Execution, analyzer: OneAnswer) -> None:
    execution.status = ExecutionStatus.SUCCESS
    db.session.commit()
    with pytest.raises(Conflict):
        services.analyze_execution(alice, execution.id)


def test_feedback_is_kept_and_taken_back(alice: Actor, analysis: AiAnalysis) -> None:
    for answer in (True, False, None):
        assert services.give_feedback(alice, analysis.id, answer).helpful is answer
    assert actions()[-3:] == ["analysis.feedback"] * 3


def test_list_is_paged_and_shows_the_newest_repair(alice: Actor, analysis: AiAnalysis, analyzer: OneAnswer) -> None:
    work(agree(alice, analysis).id)
    for _ in range(2):
        services.analyze_document(alice, {"execution": failed_execution(), "workflow": make_workflow()})
    first = services.list_analyses(alice, limit=2)
    second = services.list_analyses(alice, limit=2, cursor=first.next_cursor)
    assert [row.execution_id for row in first.rows] == [None, None]
    (row,) = second.rows
    assert (row.id, row.repair_state, row.verdict) == (analysis.id, RepairState.APPLIED, Verdict.VERIFIED)
    assert second.next_cursor is None


def test_evidence_that_postgresql_cannot_hold_is_cleaned(alice: Actor, analyzer: OneAnswer) -> None:
    db.session.commit()  # the hub ends its transaction before analyzers think
    execution = copy.deepcopy(failed_execution())
    execution["data"]["resultData"]["error"]["message"] = "a\x00b\ud800"
    stored = services.analyze_document(alice, execution)
    assert "\x00" not in json.dumps(stored.error_data, ensure_ascii=False)
