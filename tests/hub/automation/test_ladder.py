"""The ladder, rung by rung, on an n8n in memory: what happens by itself, and what never does."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from hub.accounts import quotas
from hub.accounts.models import Plan
from hub.accounts.plan_limits import LIMITS, Limit
from hub.analyses import repair as repairing
from hub.analyses import services as analysing
from hub.analyses.models import AiAnalysis, Repair, RepairState, Verdict
from hub.analyses.repair import run_repair
from hub.audit.models import AuditLog
from hub.automation import runner, services
from hub.automation.models import AutomationLevel, AutomationRun, RunOutcome
from hub.automation.runner import queue_failures, run_automation, settle
from hub.automation.words import describe_reason
from hub.columns import utc_now
from hub.contracts.actor import Actor
from hub.contracts.analysis import Cause
from hub.contracts.events import Failure, FailureEvent
from hub.errors import Conflict, NotAllowed, NotFound
from hub.executions.models import Execution
from hub.extensions import db
from hub.instances.errors import Unreachable
from hub.jobs.models import Job
from hub.jobs.services import JobContext, RetryLater
from tests.hub.analyses.fake_n8n import FETCH, FakeN8n, Killed, item
from tests.hub.analyses.scene import quick_steps
from tests.hub.automation.conftest import Rule, Shop

LEVEL = AutomationLevel
CHANGES = {"update_workflow", "publish_workflow", "retry_execution"}


def changes(n8n: FakeN8n) -> list[str]:
    return [name for name in n8n.calls if name in CHANGES]


def jobs(name: str) -> int:
    return db.session.scalar(sa.select(sa.func.count()).select_from(Job).where(Job.name == name)) or 0


def always_failing(shop: Shop) -> None:
    shop.n8n.outcome = FakeN8n().outcome


# --- Levels ------------------------------------------------------------------------------------------------------------


def test_off_is_the_default_and_does_nothing(shop: Shop, rule: Rule) -> None:
    failed = shop.fail()
    assert services.get_level(shop.actor, shop.workflow_id).level is LEVEL.OFF
    assert queue_failures() == 0
    run_automation(failed.id, JobContext("job", 1))
    assert (rule.asked, db.session.query(AutomationRun).count()) == (0, 0)


def test_explain_analyses_and_changes_nothing(shop: Shop) -> None:
    shop.set_level(LEVEL.EXPLAIN)
    run = shop.run(shop.fail())
    assert (run.outcome, run.reason, run.repair_id) == (RunOutcome.EXPLAINED, None, None)
    assert db.session.get_one(AiAnalysis, run.analysis_id).cause == Cause.TIMEOUT
    assert changes(shop.n8n) == []
    assert services.list_waiting(shop.actor) == []


def test_a_month_that_is_used_up_stops_it_and_breaks_nothing(shop: Shop, rule: Rule, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the job fails nor is n8n asked; the list says why."""
    shop.set_level(LEVEL.EXPLAIN)
    monkeypatch.setitem(quotas._counters, Limit.ANALYSES, lambda _account: LIMITS[Plan.FREE].analyses_per_month)
    run = shop.run(shop.fail())
    assert (run.outcome, run.reason, run.analysis_id, rule.asked) == (RunOutcome.SKIPPED, "plan-limit", None, 0)
    assert "used up" in describe_reason(run.reason, run.details)


def test_the_last_place_may_go_to_somebody_else_meanwhile(shop: Shop, rule: Rule, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.set_level(LEVEL.EXPLAIN)
    counted = iter((0, 0, LIMITS[Plan.FREE].analyses_per_month))
    monkeypatch.setitem(quotas._counters, Limit.ANALYSES, lambda _account: next(counted))
    run = shop.run(shop.fail())
    assert (run.outcome, run.reason, run.analysis_id) == (RunOutcome.SKIPPED, "plan-limit", None)
    assert db.session.query(AiAnalysis).count() == 0


def test_propose_waits_for_one_click(shop: Shop) -> None:
    shop.set_level(LEVEL.PROPOSE)
    run = shop.run(shop.fail())
    assert run.outcome is RunOutcome.PROPOSED
    assert changes(shop.n8n) == []
    waiting = services.list_waiting(shop.actor)
    assert [row.id for row in waiting] == [run.id]
    asked = repairing.request_repair(shop.actor, str(run.analysis_id), waiting[0].suggestion_index or 0, str(run.digest))
    assert not asked.automatic
    assert services.list_waiting(shop.actor) == []


def test_verify_proves_the_draft_and_leaves_what_runs_live(shop: Shop) -> None:
    shop.set_level(LEVEL.VERIFY)
    done = shop.repair(shop.run(shop.fail()))
    assert (done.state, done.verdict, done.automatic) == (RepairState.APPLIED, Verdict.VERIFIED, True)
    assert changes(shop.n8n) == ["update_workflow", "retry_execution"]
    assert shop.n8n.workflow["activeVersionId"] == "v1"
    assert shop.n8n.workflow["versionId"] == done.new_version_id != "v1"
    assert "draft" in str(done.message)


def test_publish_goes_all_the_way(shop: Shop) -> None:
    shop.set_level(LEVEL.PUBLISH)
    done = shop.repair(shop.run(shop.fail()))
    assert (done.state, done.verdict) == (RepairState.APPLIED, Verdict.VERIFIED)
    assert shop.n8n.workflow["activeVersionId"] == done.new_version_id != "v1"


@pytest.mark.parametrize("level", [LEVEL.VERIFY, LEVEL.PUBLISH])
def test_what_is_not_proven_is_taken_back(shop: Shop, level: AutomationLevel) -> None:
    always_failing(shop)
    shop.set_level(level)
    before = dict(shop.n8n.workflow)
    done = shop.repair(shop.run(shop.fail()))
    assert (done.state, done.verdict) == (RepairState.ROLLED_BACK, Verdict.FAILED)
    assert shop.n8n.workflow["nodes"] == before["nodes"]
    assert shop.n8n.workflow["activeVersionId"] == "v1"


def test_everything_is_in_the_audit_log_on_the_persons_behalf(shop: Shop) -> None:
    shop.set_level(LEVEL.PUBLISH)
    shop.repair(shop.run(shop.fail()))
    events = db.session.scalars(sa.select(AuditLog).where(AuditLog.user_id == shop.actor.user_id)).all()
    by_itself = {event.action for event in events if (event.details or {})["via"] == "automation"}
    assert by_itself == {"analysis.create", "repair.request", "automation.repair", "repair.applied"}
    assert "automation.level" in {event.action for event in events}


# --- What stays with a person ------------------------------------------------------------------------------------------


def proposed(run: AutomationRun) -> str | None:
    assert run.outcome is RunOutcome.PROPOSED
    assert run.repair_id is None
    return run.reason


def test_an_n8n_without_drafts_stays_at_propose(shop: Shop) -> None:
    shop.n8n.draft_only = False
    shop.set_level(LEVEL.PUBLISH)
    assert proposed(shop.run(shop.fail())) == "no-drafts"


def test_a_draft_in_work_is_not_touched(shop: Shop) -> None:
    shop.n8n.workflow.update(versionId="v9", nodes=[*shop.n8n.workflow["nodes"], {**FETCH, "id": "9", "name": "New"}])
    shop.set_level(LEVEL.PUBLISH)
    assert proposed(shop.run(shop.fail())) == "draft-differs"


def test_a_number_that_is_too_low_stays_at_propose(app: Flask, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    config = app.extensions["hub_config"]
    limits = dataclasses.replace(config.automation, confidence=0.95)
    monkeypatch.setitem(app.extensions, "hub_config", dataclasses.replace(config, automation=limits))
    shop.set_level(LEVEL.PUBLISH)
    assert proposed(shop.run(shop.fail())) == "unsure"


def test_a_model_repairs_nothing_before_it_is_calibrated(shop: Shop, rule: Rule, app: Flask) -> None:
    rule.name = "model"
    app.extensions["hub_plugins"].registry.analyzers = {"model": rule}
    shop.set_level(LEVEL.PUBLISH)
    run = shop.run(shop.fail())
    assert proposed(run) == "uncalibrated"
    assert run.details == {"labels": 0}


@pytest.mark.parametrize(
    ("method", "items", "code", "reason"),
    [("GET", 3, "404", None), ("POST", 1, "404", None), ("POST", 2, "404", "repeats"), ("POST", 1, "504", "repeats")],
)
def test_a_write_is_never_repeated(shop: Shop, method: str, items: int, code: str, reason: str | None) -> None:
    nodes = shop.n8n.workflow["nodes"]
    nodes[1]["parameters"]["method"] = method
    shop.n8n.workflow["activeVersion"]["nodes"][1]["parameters"]["method"] = method
    fetch = {**FETCH, "parameters": {**FETCH["parameters"], "method": method}}
    error = {
        "name": "NodeApiError",
        "message": "No",
        "httpCode": code,
        "node": {"name": "Fetch", "parameters": fetch["parameters"]},
    }
    failure = _failure(error, fetch, items)
    shop.set_level(LEVEL.VERIFY)
    run = shop.run(shop.fail(**failure))
    assert (run.outcome, run.reason) == ((RunOutcome.PROPOSED, reason) if reason else (RunOutcome.REPAIR, None))


def _failure(error: dict[str, Any], fetch: dict[str, Any], items: int) -> dict[str, Any]:
    inputs = [item(n=number) for number in range(items)]
    run = {"startTime": 1, "executionTime": 1, "source": []}
    return {
        "data": {
            "resultData": {
                "error": error,
                "lastNodeExecuted": "Fetch",
                "runData": {
                    "Webhook": [{**run, "executionStatus": "success", "data": {"main": [inputs]}}],
                    "Fetch": [{**run, "executionStatus": "error", "error": error}],
                },
            },
            "executionData": {"nodeExecutionStack": [{"node": fetch, "data": {"main": [inputs]}}]},
        }
    }


@pytest.mark.parametrize("cause", [Cause.BAD_CREDENTIALS, Cause.UNKNOWN])
def test_blocked_and_unknown_causes_are_only_explained(shop: Shop, rule: Rule, cause: Cause) -> None:
    rule.cause = cause
    shop.set_level(LEVEL.PUBLISH)
    run = shop.run(shop.fail())
    assert (run.outcome, run.repair_id) == (RunOutcome.EXPLAINED, None)
    assert run.reason in ("blocked-cause", "unknown")


# --- No loops and no haste ---------------------------------------------------------------------------------------------


def test_own_retries_and_any_retry_are_left_alone(shop: Shop) -> None:
    """The failing retry of an automatic repair comes back with the next sync."""
    always_failing(shop)
    shop.set_level(LEVEL.PUBLISH)
    done = shop.repair(shop.run(shop.fail()))
    retried = db.session.scalars(sa.select(Execution).where(Execution.n8n_execution_id == done.retry_n8n_execution_id)).one()
    assert retried.retry_of
    retried.started_at = utc_now()
    db.session.commit()
    run = shop.run(retried)
    assert (run.outcome, run.reason) == (RunOutcome.SKIPPED, "own-retry")
    assert len(shop.repairs()) == 1


def test_the_run_of_a_webhook_that_a_repair_called_is_left_alone(shop: Shop) -> None:
    shop.set_level(LEVEL.PUBLISH)
    first = shop.run(shop.fail())
    called = shop.fail()
    repair = db.session.get_one(Repair, first.repair_id)
    repair.retry_n8n_execution_id = called.n8n_execution_id
    db.session.commit()
    assert shop.run(called).reason == "own-retry"


def test_the_same_failure_is_dealt_with_once(shop: Shop, rule: Rule) -> None:
    shop.set_level(LEVEL.PUBLISH)
    shop.repair(shop.run(shop.fail()))
    again = shop.run(shop.fail())
    assert (again.outcome, again.analysis_id is not None) == (RunOutcome.REPEATED, True)
    assert rule.asked == 1
    assert len(shop.repairs()) == 1
    assert [row.outcome for row in services.list_runs(shop.actor).rows] == [RunOutcome.REPAIR]


def other_failure(number: int) -> dict[str, Any]:
    word = "abcdefghij"[number]
    error = {"name": "NodeApiError", "message": f"No {word}", "httpCode": "404", "node": {"name": "Fetch"}}
    return _failure(error, FETCH, 1)


def test_two_repairs_of_a_workflow_are_never_under_way(shop: Shop) -> None:
    shop.set_level(LEVEL.PUBLISH)
    shop.run(shop.fail())
    assert proposed(shop.run(shop.fail(**other_failure(1)))) == "under-way"


def test_one_repair_an_hour_and_three_a_day(shop: Shop) -> None:
    """The published repair must not be what makes the next one different, so each is put back."""
    always_failing(shop)
    shop.set_level(LEVEL.VERIFY)
    automation = services.find_level(shop.workflow_id)
    begun = []
    for number in range(4):
        automation.set_at = utc_now() - dt.timedelta(minutes=5)  # set anew: what failed before does not lower it
        db.session.commit()
        run = shop.run(shop.fail(**other_failure(2 * number)))
        begun.append(run.reason)
        if run.repair_id:
            shop.repair(run)
            assert proposed(shop.run(shop.fail(**other_failure(2 * number + 1)))) == "limit"
        for repair in shop.repairs():
            repair.created_at -= dt.timedelta(hours=2)
        db.session.commit()
    assert begun == [None, None, None, "limit"]


def test_after_two_that_failed_the_workflow_falls_back_to_propose(shop: Shop) -> None:
    always_failing(shop)
    shop.set_level(LEVEL.PUBLISH)
    automation = services.find_level(shop.workflow_id)
    automation.set_at -= dt.timedelta(days=1)
    db.session.commit()
    for number in range(2):
        shop.repair(shop.run(shop.fail(**other_failure(number))))
        for repair in shop.repairs():
            repair.created_at -= dt.timedelta(hours=2)
        db.session.commit()
    settle()
    automation = services.find_level(shop.workflow_id)
    assert automation.level is LEVEL.PROPOSE
    assert automation.lowered_at
    assert proposed(shop.run(shop.fail(**other_failure(3)))) is None
    assert (
        db.session.scalars(sa.select(AuditLog).where(AuditLog.action == "automation.lower")).one().user_id == shop.actor.user_id
    )
    shop.set_level(LEVEL.PUBLISH)
    assert services.find_level(shop.workflow_id).lowered_at is None


# --- The stop switch ---------------------------------------------------------------------------------------------------


@pytest.fixture(params=["user", "instance", "hub"])
def stop(request: pytest.FixtureRequest, shop: Shop, operator: Actor) -> Callable[[], None]:
    return {
        "user": lambda: services.set_switch(shop.actor, stopped=True),
        "instance": lambda: services.set_switch(shop.actor, stopped=True, instance_id=shop.instance.id),
        "hub": lambda: services.set_hub_switch(operator, stopped=True),
    }[request.param]


def test_stopped_means_that_nothing_is_done(shop: Shop, rule: Rule, stop: Callable[[], None]) -> None:
    shop.set_level(LEVEL.PUBLISH)
    failed = shop.fail()
    stop()
    run = shop.run(failed)
    assert (run.outcome, run.reason, rule.asked) == (RunOutcome.SKIPPED, "stopped", 0)


@pytest.mark.parametrize("before", ["check", "update_workflow", "retry_execution", "publish_workflow"])
def test_stop_holds_before_each_step_that_changes_something(shop: Shop, stop: Callable[[], None], before: str) -> None:
    """The switch is turned just before the step; nothing new is changed, and what is unproven goes back."""
    shop.set_level(LEVEL.PUBLISH)
    old = shop.n8n.workflow["nodes"]
    run = shop.run(shop.fail())
    done: list[str] = []
    steps_before = {"update_workflow": 2, "retry_execution": 3, "publish_workflow": 5}

    def beat() -> None:
        done.append("step")
        if len(done) == steps_before.get(before, 1):
            stop()

    run_repair(
        str(run.repair_id), beat=beat, make_steps=lambda *given, **more: quick_steps(*given, **{**more, "beat": lambda: None})
    )
    ended = db.session.get_one(Repair, run.repair_id, populate_existing=True)
    made = changes(shop.n8n)
    if before in ("check", "update_workflow"):
        assert made == []
        assert ended.state is (RepairState.REFUSED if before == "check" else RepairState.ROLLED_BACK)
    elif before == "retry_execution":
        assert made == ["update_workflow", "update_workflow"]
        assert ended.state is RepairState.ROLLED_BACK
    else:
        assert made == ["update_workflow", "retry_execution"]
        assert (ended.state, ended.verdict) == (RepairState.APPLIED, Verdict.VERIFIED)
    assert "Automation was stopped" in str(ended.message) or "automation was stopped" in str(ended.message)
    assert shop.n8n.workflow["activeVersionId"] == "v1"
    if before != "publish_workflow":
        assert shop.n8n.workflow["nodes"] == old


def test_a_repair_that_a_person_asked_for_is_not_stopped(shop: Shop, stop: Callable[[], None]) -> None:
    shop.set_level(LEVEL.PROPOSE)
    run = shop.run(shop.fail())
    asked = repairing.request_repair(shop.actor, str(run.analysis_id), 0, str(run.digest))
    stop()
    run_repair(asked.id, beat=lambda: None, make_steps=quick_steps)
    assert db.session.get_one(Repair, asked.id, populate_existing=True).verdict is Verdict.VERIFIED


def test_start_lets_it_go_on_and_config_can_stop_the_hub(shop: Shop, app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    services.set_switch(shop.actor, stopped=True)
    services.set_switch(shop.actor, stopped=True)
    assert services.get_switch(shop.actor).own
    services.set_switch(shop.actor, stopped=False)
    assert not services.get_switch(shop.actor).is_stopped
    config = app.extensions["hub_config"]
    off = dataclasses.replace(config, automation=dataclasses.replace(config.automation, enabled=False))
    monkeypatch.setitem(app.extensions, "hub_config", off)
    assert services.get_switch(shop.actor).hub


def test_one_person_stops_nobody_else(shop: Shop, bob: Actor) -> None:
    services.set_switch(bob, stopped=True)
    assert not services.get_switch(shop.actor).is_stopped
    with pytest.raises(NotFound):
        services.set_switch(bob, stopped=True, instance_id=shop.instance.id)
    with pytest.raises(NotAllowed):
        services.set_hub_switch(bob, stopped=True)
    with pytest.raises(NotFound):
        services.set_level(bob, shop.workflow_id, LEVEL.PUBLISH)
    shop.set_level(LEVEL.PROPOSE)
    run = shop.run(shop.fail())
    assert services.list_waiting(bob) == []
    assert services.list_runs(bob).rows == []
    assert services.list_levels(bob) == []
    with pytest.raises(NotFound):
        services.dismiss_run(bob, run.id)
    services.dismiss_run(shop.actor, run.id)
    assert services.list_waiting(shop.actor) == []


# --- How failures come, and dying workers ------------------------------------------------------------------------------


def test_a_sync_queues_new_failures_once(shop: Shop, app: Flask) -> None:
    shop.set_level(LEVEL.EXPLAIN)
    failed = shop.fail()
    failure = Failure(failed.id, failed.n8n_execution_id, "Orders", "error", failed.started_at)
    for initial in (True, False, False):
        event = FailureEvent(shop.instance.id, "Main", (failure,), initial)
        app.extensions["hub_plugins"].notify("hub_failures_ingested", event=event)
        assert jobs("automation.run") == (0 if initial else 1)


def test_missed_failures_are_found_and_old_ones_left(shop: Shop) -> None:
    shop.set_level(LEVEL.EXPLAIN)
    failed, old = shop.fail(), shop.fail()
    old.started_at = utc_now() - dt.timedelta(days=2)
    db.session.commit()
    settle()
    assert db.session.scalars(sa.select(Job.arguments).where(Job.name == "automation.run")).all() == [{"execution_id": failed.id}]


@pytest.mark.parametrize("place", ["analyze_execution", "request_repair", "_close"])
@pytest.mark.parametrize("after", [False, True])
def test_a_killed_worker_begins_no_second_repair(shop: Shop, monkeypatch: pytest.MonkeyPatch, place: str, after: bool) -> None:
    shop.set_level(LEVEL.PUBLISH)
    failed = shop.fail()
    real = getattr(runner, place)

    def die(*arguments: Any, **options: Any) -> Any:
        if after:
            real(*arguments, **options)
        raise Killed

    monkeypatch.setattr(runner, place, die)
    with pytest.raises(Killed):
        shop.run(failed)
    db.session.rollback()
    monkeypatch.setattr(runner, place, real)
    run = shop.run(failed, attempt=2)
    assert (run.outcome, len(shop.repairs())) == (RunOutcome.REPAIR, 1)
    assert shop.repair(run).verdict is Verdict.VERIFIED


def test_an_n8n_that_does_not_answer_is_asked_again_and_then_left(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.set_level(LEVEL.EXPLAIN)
    failed = shop.fail()

    def refuse(*_: object) -> None:
        raise Unreachable()

    monkeypatch.setattr(runner, "analyze_execution", refuse)
    for attempt in (1, 2, 3):
        with pytest.raises(RetryLater):
            shop.run(failed, attempt=attempt)
    run = shop.run(failed, attempt=4)
    assert (run.outcome, run.reason) == (RunOutcome.SKIPPED, "not-explained")


def test_a_race_for_the_workflow_is_no_error(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.set_level(LEVEL.PUBLISH)
    failed = shop.fail()

    def refuse(*_: object, **__: object) -> None:
        raise Conflict("Another repair has just ended.")

    monkeypatch.setattr(runner, "request_repair", refuse)
    with pytest.raises(RetryLater):
        shop.run(failed)
    assert analysing.list_analyses(shop.actor).rows
