"""What a worker does about one failed execution, as far as the level of its workflow goes.

failure ──> queue_failures ──> job automation.run ──> explain ──> propose ──> repair (job repair.run) ──> settle

Killed anywhere, a job runs again: the run's row is kept from the start, an analysis of the same failure is answered again,
and a repair that was begun is found by its analysis.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Collection
from typing import Any, cast

import sqlalchemy as sa
from flask import current_app

from hub.accounts.models import User
from hub.accounts.plan_limits import Limit
from hub.accounts.quotas import PlanLimitReached, find_shortage
from hub.analyses.learning import Confidence, is_rule, judge_for
from hub.analyses.models import AiAnalysis, Repair, RepairState, Verdict
from hub.analyses.repair import RepairPreview, build_preview, request_repair
from hub.analyses.repair_guards import blocked_cause
from hub.analyses.repair_run import ProofKind
from hub.analyses.services import analyze_execution, get_analysis
from hub.analyses.stop_switch import is_stopped
from hub.audit.services import record_event
from hub.automation.models import AutomationLevel, AutomationRun, RunOutcome, WorkflowAutomation
from hub.automation.policy import Reason, why_not_alone
from hub.automation.services import find_level, find_place
from hub.columns import utc_now
from hub.config import AutomationLimits
from hub.contracts.actor import AUTOMATION, SYSTEM, Actor
from hub.contracts.analysis import Cause, Evidence
from hub.errors import HubError
from hub.executions.models import Execution, ExecutionStatus
from hub.extensions import db
from hub.instances.errors import N8nError
from hub.instances.models import Instance
from hub.instances.words import describe_error
from hub.jobs.services import JobContext, RetryLater, enqueue
from hub.workflows.models import Workflow

log = logging.getLogger(__name__)

JOB = "automation.run"
#: Failures that the hub learns of later than this are left alone: what they tell may no longer hold.
FRESH = dt.timedelta(hours=24)
#: A failure like one dealt with in this time is not dealt with again.
SAME_FAILURE = dt.timedelta(days=7)
KEEP_RUNS = dt.timedelta(days=90)
#: Automatic repairs that may fail, since the level was set, before the workflow falls back to PROPOSE.
FAILURES_ALLOWED = 2
_TRIES = 4
_PAUSE = 60.0
_MOST_QUEUED = 200
_OPEN = (RepairState.QUEUED, RepairState.RUNNING)


def queue_failures(execution_ids: Collection[str] | None = None) -> int:
    """Queue new failures of workflows with a level: the given ones, or all that were missed; how many. Commits."""
    statement = (
        sa.select(Execution.id)
        .join(WorkflowAutomation, WorkflowAutomation.workflow_id == Execution.workflow_id)
        .outerjoin(AutomationRun, AutomationRun.execution_id == Execution.id)
        .where(
            WorkflowAutomation.level != AutomationLevel.OFF,
            Execution.status == ExecutionStatus.FAILED,
            Execution.started_at > utc_now() - FRESH,
            Execution.started_at >= WorkflowAutomation.set_at,
            sa.or_(AutomationRun.id.is_(None), AutomationRun.outcome == RunOutcome.WORKING),
        )
        .order_by(Execution.started_at)
        .limit(_MOST_QUEUED)
    )
    if execution_ids is not None:
        statement = statement.where(Execution.id.in_(list(execution_ids)))
    found = list(db.session.scalars(statement))
    for execution_id in found:
        enqueue(JOB, unique_key=f"automation:{execution_id}", execution_id=execution_id)
    db.session.commit()
    return len(found)


def run_automation(execution_id: str, context: JobContext) -> None:
    """Deal with one failed execution. Idempotent. Raises ``RetryLater`` while n8n does not answer."""
    run = _open_run(execution_id)
    if run is None:
        return
    run_id = run.id
    try:
        _deal_with(run)
    except (HubError, N8nError) as error:
        db.session.rollback()
        if context.attempt < _TRIES:
            raise RetryLater(_PAUSE, _words(error)) from error
        run = db.session.get_one(AutomationRun, run_id, populate_existing=True)
        _close(run, RunOutcome.SKIPPED, Reason("not-explained", {"message": _words(error)[:300]}))


def _words(error: HubError | N8nError) -> str:
    return error.message if isinstance(error, HubError) else describe_error(error.code, error.details)


def _open_run(execution_id: str) -> AutomationRun | None:
    """The run's row, made where this is the first life of the job; None where nothing is to be done. Commits."""
    kept = db.session.scalar(sa.select(AutomationRun).where(AutomationRun.execution_id == execution_id))
    if kept is not None:
        return kept if kept.outcome is RunOutcome.WORKING else None
    row = db.session.execute(
        sa.select(Execution, Instance.user_id)
        .join(Instance, Instance.id == Execution.instance_id)
        .where(Execution.id == execution_id, Instance.is_sample.is_(False))
    ).one_or_none()
    level = find_level(row[0].workflow_id).level if row else AutomationLevel.OFF
    if row is None or level is AutomationLevel.OFF:
        return None
    execution, user_id = row
    run = AutomationRun(
        user_id=user_id, workflow_id=execution.workflow_id, execution_id=execution_id, level=level, outcome=RunOutcome.WORKING
    )
    db.session.add(run)
    db.session.commit()
    return run


def _deal_with(run: AutomationRun) -> None:
    place = find_place(run)
    if place is None:
        return
    execution, instance = place
    actor = Actor(user_id=run.user_id, via=AUTOMATION)
    if is_stopped(run.user_id, instance.id):
        return _close(run, RunOutcome.SKIPPED, Reason("stopped"))
    if _is_own(execution):
        return _close(run, RunOutcome.SKIPPED, Reason("own-retry"))
    if execution.retry_success_id:
        return _close(run, RunOutcome.SKIPPED, Reason("retried"))
    run_id = run.id
    if (same := _find_same(run, execution)) is not None:
        return _repeat(run, same)  # known from the list already, so nothing is asked of n8n or of an analyzer
    if find_shortage(actor, Limit.ANALYSES) is not None:
        return _close(run, RunOutcome.SKIPPED, Reason("plan-limit"))
    try:
        analysis = analyze_execution(actor, execution.id)
    except PlanLimitReached:  # the last one of the month was taken meanwhile
        db.session.rollback()
        run = db.session.get_one(AutomationRun, run_id, populate_existing=True)
        return _close(run, RunOutcome.SKIPPED, Reason("plan-limit"))
    run = db.session.get_one(AutomationRun, run_id, populate_existing=True)
    execution = db.session.get_one(Execution, run.execution_id, populate_existing=True)
    run.fingerprint_case, run.analysis_id = execution.fingerprint_case, analysis.id
    same = _find_same(run, execution)
    db.session.commit()
    return _repeat(run, same) if same is not None else _decide(actor, run, analysis.id)


def _is_own(execution: Execution) -> bool:
    """Whether the run was started by a repair. Every retry is left alone: its failure was dealt with when it first came."""
    if execution.retry_of is not None or execution.mode == "retry":
        return True
    statement = (
        sa.select(Repair.id)
        .join(AiAnalysis, AiAnalysis.id == Repair.analysis_id)
        .join(Execution, Execution.id == AiAnalysis.execution_id)
        .where(
            Execution.instance_id == execution.instance_id,
            Repair.retry_n8n_execution_id == execution.n8n_execution_id,
            Repair.created_at > utc_now() - FRESH - dt.timedelta(days=1),  # an n8n may begin to count anew
        )
        .limit(1)
    )
    return db.session.scalar(statement) is not None


def _find_same(run: AutomationRun, execution: Execution) -> AutomationRun | None:
    """An earlier run about the same failure of the workflow, since the level was set, that led somewhere."""
    if not execution.fingerprint_case:
        return None  # nothing is known of it that could be the same
    since = max(utc_now() - SAME_FAILURE, find_level(run.workflow_id).set_at)
    statement = (
        sa.select(AutomationRun)
        .where(
            AutomationRun.workflow_id == run.workflow_id,
            AutomationRun.fingerprint_case == execution.fingerprint_case,
            AutomationRun.created_at >= since,
            AutomationRun.outcome.not_in((RunOutcome.REPEATED, RunOutcome.SKIPPED)),
            AutomationRun.id != run.id,
            sa.or_(
                AutomationRun.created_at < run.created_at,
                sa.and_(AutomationRun.created_at == run.created_at, AutomationRun.id < run.id),
            ),
        )
        .order_by(AutomationRun.created_at.desc())
        .limit(1)
    )
    return db.session.scalar(statement)


def _repeat(run: AutomationRun, same: AutomationRun) -> None:
    run.analysis_id = run.analysis_id or same.analysis_id
    _close(run, RunOutcome.REPEATED, Reason("repeated", {"run_id": same.id}))


# --- Propose and repair -------------------------------------------------------------------------------------------------


def _decide(actor: Actor, run: AutomationRun, analysis_id: str) -> None:
    analysis = get_analysis(actor, analysis_id)
    begun = db.session.scalar(sa.select(Repair).where(Repair.analysis_id == analysis.id, Repair.automatic.is_(True)).limit(1))
    if begun is not None:  # an earlier life of this job began it
        run.repair_id = begun.id
        return _close(run, RunOutcome.REPAIR)
    evidence = Evidence.model_validate(analysis.error_data)
    if analysis.cause == Cause.UNKNOWN:
        return _close(run, RunOutcome.EXPLAINED, Reason("unknown"))
    if blocked_cause(analysis.cause, evidence):
        return _close(run, RunOutcome.EXPLAINED, Reason("blocked-cause"))
    automation = _fall_back(run.workflow_id, run.user_id)
    run.level = automation.level
    if not run.level.proposes:
        return _close(run, RunOutcome.EXPLAINED)
    best = _find_best(actor, analysis)
    if best is None:
        return _close(run, RunOutcome.EXPLAINED, Reason("no-change"))
    preview, fix = best
    run.suggestion_index, run.digest = preview.suggestion_index, preview.digest
    if not run.level.repairs:
        return _close(run, RunOutcome.PROPOSED)
    limits = _limits()
    reason = why_not_alone(
        preview, evidence, fix, needs_labels=not is_rule(analysis.source), least=limits.confidence
    ) or _why_not_now(run, limits)
    if reason is not None:
        return _close(run, RunOutcome.PROPOSED, reason)
    hold = run.level is AutomationLevel.VERIFY
    repair = request_repair(actor, analysis.id, preview.suggestion_index, preview.digest or "", ProofKind.RETRY, hold=hold)
    run = db.session.get_one(AutomationRun, run.id, populate_existing=True)
    run.repair_id = repair.id
    return _close(run, RunOutcome.REPAIR)


def _find_best(actor: Actor, analysis: AiAnalysis) -> tuple[RepairPreview, Confidence] | None:
    """The change most likely to work among those that can be applied."""
    judge = judge_for(actor)
    found = []
    for index, suggestion in enumerate(analysis.suggestions):
        if suggestion["kind"] == "patch" and suggestion["patch"]:
            preview = build_preview(analysis, index)
            if preview.digest is not None:
                found.append((preview, judge.fix(analysis.source, suggestion["confidence"])))
    return max(found, key=lambda pair: pair[1].value, default=None)


def _why_not_now(run: AutomationRun, limits: AutomationLimits) -> Reason | None:
    """Whether something is under way or a limit is reached. Locks the person's row, so that two workers count one by one."""
    db.session.scalar(sa.select(User.id).where(User.id == run.user_id).with_for_update())
    instance_id = db.session.scalar(sa.select(Execution.instance_id).where(Execution.id == run.execution_id))
    if is_stopped(run.user_id, instance_id):
        return Reason("stopped")
    repairs = (
        sa.select(sa.func.count())
        .select_from(Repair)
        .join(AiAnalysis, AiAnalysis.id == Repair.analysis_id)
        .join(Execution, Execution.id == AiAnalysis.execution_id)
    )
    same_workflow = Execution.workflow_id == run.workflow_id
    if db.session.scalar(repairs.where(same_workflow, Repair.state.in_(_OPEN))):
        return Reason("under-way")
    automatic = repairs.where(Repair.automatic.is_(True))
    now = utc_now()
    hour, day = Repair.created_at > now - dt.timedelta(hours=1), Repair.created_at > now - dt.timedelta(days=1)
    counted: list[tuple[Any, int]] = [
        (automatic.where(same_workflow, hour), limits.workflow_per_hour),
        (automatic.where(same_workflow, day), limits.workflow_per_day),
        (automatic.where(Execution.instance_id == instance_id, hour), limits.instance_per_hour),
        (automatic.where(Repair.user_id == run.user_id, day), limits.user_per_day),
    ]
    for statement, most in counted:
        if (db.session.scalar(statement) or 0) >= most:
            return Reason("limit")
    return None


def _close(run: AutomationRun, outcome: RunOutcome, reason: Reason | None = None) -> None:
    """Keep what became of it. Commits."""
    run.outcome = outcome
    run.reason, run.details = (reason.code, reason.details) if reason else (None, {})
    if outcome in (RunOutcome.PROPOSED, RunOutcome.REPAIR, RunOutcome.EXPLAINED):
        details: dict[str, Any] = {"execution_id": run.execution_id, "reason": run.reason, "repair_id": run.repair_id}
        record_event(
            Actor(user_id=run.user_id, via=AUTOMATION),
            f"automation.{outcome.lower()}",
            "workflow",
            run.workflow_id,
            details={name: value for name, value in details.items() if value is not None},
        )
    db.session.commit()


def _limits() -> AutomationLimits:
    limits: AutomationLimits = current_app.extensions["hub_config"].automation
    return limits


# --- Afterwards ---------------------------------------------------------------------------------------------------------


def _fall_back(workflow_id: str, user_id: str) -> WorkflowAutomation:
    """The workflow's level, lowered to PROPOSE where too many automatic repairs failed since it was set. Commits a change."""
    automation = find_level(workflow_id)
    if not automation.level.repairs:
        return automation
    bad = sa.or_(Repair.verdict.in_((Verdict.FAILED, Verdict.REGRESSED)), Repair.state == RepairState.STUCK)
    failed = db.session.scalar(
        sa.select(sa.func.count())
        .select_from(Repair)
        .join(AiAnalysis, AiAnalysis.id == Repair.analysis_id)
        .join(Execution, Execution.id == AiAnalysis.execution_id)
        .where(Execution.workflow_id == workflow_id, Repair.automatic.is_(True), Repair.created_at > automation.set_at, bad)
    )
    if (failed or 0) >= FAILURES_ALLOWED:
        details = {"before": automation.level.value, "failed": failed}
        automation.level, automation.lowered_at = AutomationLevel.PROPOSE, utc_now()
        record_event(Actor(user_id=user_id, via=AUTOMATION), "automation.lower", "workflow", workflow_id, details=details)
        db.session.commit()
    return automation


def settle() -> None:
    """Queue failures that were missed, lower levels that did not hold, and forget old runs. Commits."""
    queue_failures()
    risky = (
        sa.select(WorkflowAutomation.workflow_id, Instance.user_id)
        .join(Workflow, Workflow.id == WorkflowAutomation.workflow_id)
        .join(Instance, Instance.id == Workflow.instance_id)
        .where(WorkflowAutomation.level.in_([level for level in AutomationLevel if level.repairs]))
    )
    for workflow_id, user_id in db.session.execute(risky).all():
        _fall_back(workflow_id, user_id)
    old = sa.delete(AutomationRun).where(AutomationRun.created_at < utc_now() - KEEP_RUNS)
    forgotten = cast("sa.CursorResult[Any]", db.session.execute(old)).rowcount
    if forgotten:
        record_event(SYSTEM, "automation.prune", "automation_run", details={"runs": forgotten})
    db.session.commit()
