"""Repairs: shown before they are made, asked for by a person, and made by a worker."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import undefer

from hub.analyses import repair_ledger
from hub.analyses.differences import Difference, change_digest, find_differences
from hub.analyses.learning import judge_for
from hub.analyses.models import AiAnalysis, Repair, RepairState
from hub.analyses.patch_policy import PatchRefused
from hub.analyses.patches import Change, apply_change
from hub.analyses.repair_guards import blocked_cause
from hub.analyses.repair_run import ProofKind, RepairRun, Step
from hub.analyses.repair_steps import DATA_BYTES, PASSING, RepairSteps
from hub.analyses.repair_verdict import reaches
from hub.analyses.repair_words import describe_end
from hub.analyses.risks import Notice, find_risks
from hub.analyses.services import get_analysis
from hub.analyses.webhook import call_webhook
from hub.audit.services import record_event
from hub.columns import utc_now
from hub.contracts.actor import AUTOMATION, Actor
from hub.contracts.analysis import Evidence
from hub.errors import Conflict, Invalid, NotFound
from hub.executions.ingest import ExecutionIngest
from hub.executions.services import import_execution
from hub.extensions import db
from hub.instances.client import N8nClient
from hub.instances.errors import N8nError
from hub.jobs.models import Job
from hub.jobs.services import RetryLater, enqueue, find_job

log = logging.getLogger(__name__)

Json = dict[str, Any]
_TROUBLE_PAUSE = 15.0
#: Seconds for which a step is tried again while n8n does not answer. The way back has the longest patience.
_TROUBLE_PATIENCE = {Step.CHECK: 60.0, Step.RESTORE: 3600.0}
_TROUBLE_PATIENCE_ELSE = 600.0
_MOST_RESUMES = 20


@dataclass(frozen=True, slots=True)
class RepairPreview:
    """What applying a suggestion means. ``obstacle`` says why it can't be applied; then there is no digest.

    ``proofs`` are the ways to prove the change that a person may choose from. ``differences`` are redacted.
    """

    suggestion_index: int
    differences: tuple[Difference, ...] = ()
    warnings: tuple[Notice, ...] = ()
    proofs: tuple[ProofKind, ...] = ()
    base_version: str | None = None
    digest: str | None = None
    obstacle: Notice | None = None


def preview_repair(actor: Actor, analysis_id: str, suggestion_index: int) -> RepairPreview:
    """What applying the suggestion changes and risks. Asks nothing of n8n: the analysis has read the workflow."""
    return build_preview(get_analysis(actor, analysis_id), suggestion_index)


def build_preview(analysis: AiAnalysis, index: int) -> RepairPreview:
    """The preview from an analysis with its evidence; ``NotFound`` where the suggestion is no patch."""
    patch = _patch(analysis, index)
    evidence = Evidence.model_validate(analysis.error_data)
    base = (analysis.request_data or {}).get("base")
    workflow = evidence.workflow
    try:
        change = apply_change(patch, base=workflow, current=workflow)
    except PatchRefused as refused:
        return RepairPreview(index, obstacle=Notice("patch-refused", {"reason": refused.code, **refused.details}))
    differences = find_differences(workflow, change.document)
    proofs = _proofs(change, evidence, base)
    obstacle = _obstacle(analysis, evidence, base, proofs)
    objection = analysis.suggestions[index].get("objection")
    if obstacle is None and objection is not None:
        obstacle = Notice("patch-refused", {"reason": objection["code"], **objection["details"]})
    if obstacle is not None or base is None:
        return RepairPreview(index, differences, obstacle=obstacle, proofs=proofs)
    return RepairPreview(
        index,
        differences,
        warnings=tuple(find_risks(change, evidence, base, proofs)),
        proofs=proofs,
        base_version=base["version_id"],
        digest=change_digest(patch, base["version_id"], base["content_hash"]),
    )


def request_repair(
    actor: Actor, analysis_id: str, suggestion_index: int, digest: str, proof: ProofKind | None = None, *, hold: bool = False
) -> Repair:
    """Queue the repair that the person saw; the one under way where there is one (a double click).

    ``digest`` is the preview's: ``Conflict`` where it is another by now. ``proof`` may be None only where a retry proves the
    change: calling a webhook again or going without proof has to be chosen. ``hold`` keeps what is proven in the draft.
    """
    analysis = get_analysis(actor, analysis_id)
    running = _find_running(analysis.id)
    if running is not None:
        return running
    preview = build_preview(analysis, suggestion_index)
    if preview.obstacle is not None:
        raise Conflict(describe_end(preview.obstacle.code, preview.obstacle.details))
    if preview.digest != digest:
        raise Conflict(_("The change is not the one that was shown. Read it again and apply it then."))
    if proof is None and ProofKind.RETRY in preview.proofs:
        proof = ProofKind.RETRY
    if proof is None or proof not in preview.proofs:
        raise Invalid(fields={"proof": _("Choose one of the offered ways of proof.")})
    if analysis.applied:
        raise Conflict(_("This analysis was applied already."))
    return _queue(
        actor, analysis, suggestion_index, digest, {"proof": proof.value, **({"hold": "held-as-draft"} if hold else {})}
    )


def get_repair(actor: Actor, repair_id: str) -> Repair:
    """One of the actor's repairs."""
    found = db.session.scalar(sa.select(Repair).where(Repair.id == repair_id, Repair.user_id == actor.user_id))
    if found is None:
        raise NotFound()
    return found


def list_repairs(analysis: AiAnalysis) -> list[Repair]:
    """The repairs of an analysis, newest first."""
    statement = sa.select(Repair).where(Repair.analysis_id == analysis.id).order_by(Repair.created_at.desc(), Repair.id.desc())
    return list(db.session.scalars(statement.limit(20)))


def find_repair_job(repair: Repair) -> Job | None:
    """The queued or running job that makes the repair; None once it has ended."""
    return find_job(repair_ledger.job_key(repair.analysis_id))


def read_old_workflow(actor: Actor, repair_id: str) -> Json:
    """The workflow as it was before the repair, with everything in it; ``NotFound`` where nothing was changed."""
    repair = db.session.scalar(
        sa.select(Repair).where(Repair.id == repair_id, Repair.user_id == actor.user_id).options(undefer(Repair.pre_image))
    )
    kept = repair_ledger.open_pre_image(repair) if repair else None
    if kept is None:
        raise NotFound()
    record_event(actor, "repair.download", "repair", repair_id)
    db.session.commit()
    return kept


# --- At work -------------------------------------------------------------------------------------------------------


def run_repair(repair_id: str, *, beat: Callable[[], None], make_steps: Callable[..., RepairSteps] = RepairSteps) -> None:
    """Make the repair, from wherever an earlier run stopped, to its end. Raises ``RetryLater`` while n8n does not answer.

    ``beat`` is called before each step and may raise to stop a run that another worker took over.
    """
    run = repair_ledger.load_run(repair_id)
    if run is None:
        return
    client, url = repair_ledger.open_repair_client(repair_id)
    with client:
        steps = make_steps(client, run, beat=beat, call_webhook=lambda request: call_webhook(url, request))
        repair_ledger.save_run(run)
        while run.step is not Step.RECORD:
            beat()
            _advance(steps, run)
        _record(client, run)
    repair_ledger.finish_run(run)


def _advance(steps: RepairSteps, run: RepairRun) -> None:
    """Make the present step and store which is next, before that one is made."""
    try:
        stopped = run.automatic and repair_ledger.is_stopped_repair(run.repair_id)
        following = steps.make_stopped(run.step) if stopped else steps.make(run.step)
        run.facts.pop("trouble_since", None)
    except PASSING as error:
        if _has_patience(run):
            repair_ledger.save_run(run, note=error.code)
            raise RetryLater(_TROUBLE_PAUSE, _("n8n does not answer; the repair goes on when it does.")) from error
        following = steps.give_up(run.step, error)
    except N8nError as error:
        following = steps.give_up(run.step, error)
    run.step = following
    repair_ledger.save_run(run)


def _has_patience(run: RepairRun) -> bool:
    now = utc_now()
    since = dt.datetime.fromisoformat(run.facts.setdefault("trouble_since", now.isoformat()))
    return (now - since).total_seconds() < _TROUBLE_PATIENCE.get(run.step, _TROUBLE_PATIENCE_ELSE)


def _record(client: N8nClient, run: RepairRun) -> None:
    """Bring the new run into the hub's lists. The next sync does it too, so trouble here is no matter."""
    if run.run_id is None:
        return
    try:
        new = client.get_execution(run.run_id, with_data=True, max_bytes=DATA_BYTES)
        failed = client.get_execution(run.execution_id)
    except N8nError as error:
        log.warning("repair %s: the run %s is left to the next sync: %s", run.repair_id, run.run_id, error)
        return
    instance = repair_ledger.find_instance(run.repair_id)
    if instance is not None:
        ExecutionIngest(instance.id, instance.epoch).store([failed])
        import_execution(instance, new)


def recover_repairs() -> None:
    """Queue open repairs whose job is gone again; give up those that lost theirs too often. Commits."""
    rows = db.session.scalars(sa.select(Repair).where(Repair.state.in_(repair_ledger.OPEN_STATES))).all()
    for repair in rows:
        key = repair_ledger.job_key(repair.analysis_id)
        if find_job(key) is not None or utc_now() - repair.updated_at < dt.timedelta(seconds=60):
            continue
        if sum(entry.get("note") == "resumed" for entry in repair.log) >= _MOST_RESUMES:
            run = repair_ledger.load_run(repair.id, with_pre_image=False)
            if run is not None:
                run.end(RepairState.STUCK, "interrupted")
                repair_ledger.finish_run(run)
            continue
        repair.log = [*repair.log, repair_ledger.log_entry(repair.step, repair.log[-1].get("facts") or {}, note="resumed")]
        enqueue("repair.run", unique_key=key, repair_id=repair.id)
        db.session.commit()


# --- Parts ---------------------------------------------------------------------------------------------------------


def _queue(actor: Actor, analysis: AiAnalysis, index: int, digest: str, facts: Json) -> Repair:
    stated = analysis.suggestions[index]["confidence"]
    repair = Repair(
        analysis_id=analysis.id,
        user_id=analysis.user_id,
        suggestion_index=index,
        digest=digest,
        log=[repair_ledger.log_entry("queued", facts)],
        confidence=stated,
        calibrated=judge_for(actor).fix(analysis.source, stated).value,
        automatic=actor.via == AUTOMATION,
    )
    db.session.add(repair)
    db.session.flush()
    job = enqueue("repair.run", unique_key=repair_ledger.job_key(analysis.id), repair_id=repair.id)
    if job.arguments["repair_id"] != repair.id:
        # The other half of a double click was first.
        db.session.rollback()
        running = _find_running(analysis.id)
        if running is None:
            raise Conflict(_("Another repair of this failure has just ended. Read the analysis again."))
        return running
    details = {"analysis_id": analysis.id, "suggestion": index, "digest": digest, **facts}
    record_event(actor, "repair.request", "repair", repair.id, details=details)
    db.session.commit()
    return repair


def _find_running(analysis_id: str) -> Repair | None:
    return db.session.scalar(
        sa.select(Repair).where(Repair.analysis_id == analysis_id, Repair.state.in_(repair_ledger.OPEN_STATES)).limit(1)
    )


def _patch(analysis: AiAnalysis, index: int) -> list[Json]:
    suggestions = analysis.suggestions
    if not 0 <= index < len(suggestions) or suggestions[index]["kind"] != "patch" or not suggestions[index]["patch"]:
        raise NotFound()
    patch: list[Json] = suggestions[index]["patch"]
    return patch


def _proofs(change: Change, evidence: Evidence, base: Json | None) -> tuple[ProofKind, ...]:
    if reaches(change.document, evidence.failing_node, change.changed_nodes):
        return (ProofKind.RETRY,)
    live = bool(base and base["active"])
    proofs = []
    if live and evidence.mode == "webhook" and not (base and base["draft_differs"]):
        proofs.append(ProofKind.WEBHOOK)
    if not live or (base and base["draft_only"]):
        proofs.append(ProofKind.NONE)
    return tuple(proofs)


def _obstacle(analysis: AiAnalysis, evidence: Evidence, base: Json | None, proofs: tuple[ProofKind, ...]) -> Notice | None:
    if analysis.execution_id is None:
        return Notice("no-instance")
    if (analysis.request_data or {}).get("sample"):
        return Notice("sample")
    if blocked_cause(analysis.cause, evidence):
        return Notice("blocked-cause")
    if base is None:
        return Notice("no-fresh-workflow")
    if base["archived"]:
        return Notice("archived")
    if base["active"] and not base["draft_only"] and base["draft_differs"]:
        return Notice("draft-would-go-live")
    return None if proofs else Notice("no-proof")
