"""Closes repairs that were applied without proof: the next run of their version shows whether they work."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any, Protocol

import sqlalchemy as sa
from flask_babel import force_locale
from sqlalchemy.orm import aliased

from hub.analyses import repair_ledger
from hub.analyses.evidence import differs
from hub.analyses.models import AiAnalysis, Repair, RepairState, Verdict
from hub.analyses.patches import apply_change
from hub.analyses.repair_run import RepairRun, Step
from hub.analyses.repair_verdict import Proof, judge_run
from hub.analyses.repair_words import describe_end
from hub.audit.services import record_event
from hub.columns import utc_now
from hub.contracts.actor import Actor
from hub.errors import Conflict
from hub.executions.models import Execution
from hub.executions.remote import OPEN
from hub.extensions import db
from hub.instances.errors import Missing, N8nError, TooLarge

log = logging.getLogger(__name__)

Json = dict[str, Any]

#: Repairs and runs of each that one round looks at: the rest waits for the next.
_MOST_REPAIRS = 50
_MOST_RUNS = 5
_DATA_BYTES = 20_000_000
_CODES = {
    Verdict.VERIFIED: "proven-later",
    Verdict.PARTIAL: "proven-later-in-part",
    Verdict.FAILED: "disproven-later",
    Verdict.REGRESSED: "failed-otherwise-later",
}


class Reader(Protocol):
    """What a look at later runs asks of n8n."""

    def get_execution(self, execution_id: str, *, with_data: bool = False, max_bytes: int | None = None) -> Json: ...


def prove_waiting_repairs() -> None:
    """Look at runs that the hub has learned of since each waiting repair was made. Asks nothing of n8n where there are none."""
    for repair_id in db.session.scalars(
        sa.select(Repair.id).where(Repair.awaits_version.is_not(None)).order_by(Repair.awaits_since).limit(_MOST_REPAIRS)
    ).all():
        candidates = _find_runs(repair_id)
        try:
            run = repair_ledger.load_run(repair_id, states=(RepairState.APPLIED,)) if candidates else None
        except Conflict as conflict:
            log.error("repair %s cannot be proven: %s", repair_id, conflict)
            continue
        if run is None:
            continue
        try:
            client, _url = repair_ledger.open_repair_client(repair_id)
            with client:
                _look_at(client, run, candidates)
        except N8nError as error:
            log.info("repair %s still waits for proof: %s", repair_id, error)
    db.session.rollback()


def _find_runs(repair_id: str) -> Sequence[tuple[str, Any]]:
    """(n8n id, start) of the workflow's ended runs that were not looked at, oldest first."""
    analysed = aliased(Execution)
    statement = (
        sa.select(Execution.n8n_execution_id, Execution.started_at)
        .join(analysed, analysed.workflow_id == Execution.workflow_id)
        .join(AiAnalysis, AiAnalysis.execution_id == analysed.id)
        .join(Repair, Repair.analysis_id == AiAnalysis.id)
        .where(Repair.id == repair_id, Execution.started_at > Repair.awaits_since)
        .where(Execution.status.not_in(OPEN), Execution.vanished_at.is_(None))
        .order_by(Execution.started_at, Execution.id)
        .limit(_MOST_RUNS)
    )
    return [(n8n_id, started_at) for n8n_id, started_at in db.session.execute(statement)]


def _look_at(client: Reader, run: RepairRun, candidates: Sequence[tuple[str, Any]]) -> None:
    """Judge the runs one by one until one decides. Commits after each."""
    for n8n_id, started_at in candidates:
        proof = _judge(client, run, n8n_id)
        repair = db.session.get_one(Repair, run.repair_id, populate_existing=True)
        if repair.awaits_version is None:  # undone meanwhile
            db.session.rollback()
            return
        repair.awaits_since = started_at
        if proof is not None and proof.verdict in _CODES:
            _close(repair, run, proof, n8n_id)
        db.session.commit()
        if repair.awaits_version is None:
            return


def _judge(client: Reader, run: RepairRun, n8n_id: str) -> Proof | None:
    """What the run shows; None where it ran another version, or its data is not to be had.

    Just after publishing, n8n may run the old nodes under the new version's id: the nodes that ran are looked at, too.
    """
    try:
        if client.get_execution(n8n_id).get("workflowVersionId") != run.new_version_id:
            return None
        execution = client.get_execution(n8n_id, with_data=True, max_bytes=_DATA_BYTES)
    except (Missing, TooLarge):
        return None
    assert run.pre_image is not None  # noqa: S101 - kept by every repair that was applied
    change = apply_change(run.patch, base=run.evidence.workflow, current=run.pre_image)
    ran = {node.get("name"): node.get("parameters") for node in (execution.get("workflowData") or {}).get("nodes") or ()}
    meant = {node["name"]: node["parameters"] for node in change.document["nodes"]}
    if any(name in ran and differs(ran[name], meant[name]) for name in change.changed_nodes):
        return None
    return judge_run(
        execution,
        document=change.document,
        failure=run.evidence,
        version_id=run.new_version_id,
        changed_nodes=change.changed_nodes,
        is_retry=execution.get("mode") == "retry",
    )


def _close(repair: Repair, run: RepairRun, proof: Proof, n8n_id: str) -> None:
    """Store the verdict with its reason and write the audit event. Does not commit."""
    code, details = _CODES[proof.verdict], {"node": run.evidence.failing_node, **proof.details, "execution": n8n_id}
    run.end(RepairState.APPLIED, code, **details)
    repair.verdict, repair.awaits_version, repair.retry_n8n_execution_id = proof.verdict, None, n8n_id
    repair.finished_at = utc_now()
    with force_locale("en"):
        repair.message = describe_end(code, details)
    repair.log = [*repair.log, repair_ledger.log_entry(Step.PROVE, run.facts)]
    if proof.verdict is Verdict.VERIFIED:
        repair_ledger.repair_verified.send(repair)
    record_event(
        Actor(user_id=repair.user_id, via="job"),
        "repair.prove",
        "repair",
        repair.id,
        success=proof.verdict in (Verdict.VERIFIED, Verdict.PARTIAL),
        details={"analysis_id": repair.analysis_id, "verdict": proof.verdict, "reason": proof.code, "run": n8n_id},
    )
