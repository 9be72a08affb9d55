"""Keeps a repair under way in the database, so that a killed worker's repair goes on where it stood.

No transaction stays open between two calls, because steps wait for n8n.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Collection
from typing import Any

import sqlalchemy as sa
from blinker import Signal
from flask_babel import force_locale
from flask_babel import gettext as _
from sqlalchemy.orm import undefer

from hub.analyses.models import PRE_IMAGE, AiAnalysis, Repair, RepairState, Verdict
from hub.analyses.repair_run import ProofKind, RepairRun, Step
from hub.analyses.repair_words import describe_end
from hub.analyses.stop_switch import is_stopped
from hub.audit.services import record_event
from hub.columns import utc_now
from hub.contracts.actor import AUTOMATION, Actor
from hub.contracts.analysis import Evidence
from hub.crypto import DecryptionError
from hub.errors import Conflict
from hub.executions.models import Execution
from hub.extensions import db
from hub.instances.client import N8nClient
from hub.instances.models import Instance
from hub.instances.services import open_client
from hub.workflows.models import Workflow

Json = dict[str, Any]

OPEN_STATES = (RepairState.QUEUED, RepairState.RUNNING)

#: Sent with the ``Repair`` in the transaction that stores its verdict.
repair_verified = Signal("A repair was proven.")


def load_run(repair_id: str, *, states: Collection[RepairState] = OPEN_STATES, with_pre_image: bool = True) -> RepairRun | None:
    """The repair as far as it came; None where it is in no state of ``states``: has ended. Commits.

    ``Conflict`` where the workflow as it was does not open; ``with_pre_image`` False does not ask for it.
    """
    row = db.session.execute(
        sa.select(Repair, AiAnalysis, Execution.n8n_execution_id, Workflow.n8n_id)
        .join(AiAnalysis, AiAnalysis.id == Repair.analysis_id)
        .outerjoin(Execution, Execution.id == AiAnalysis.execution_id)
        .outerjoin(Workflow, Workflow.id == Execution.workflow_id)
        .where(Repair.id == repair_id)
        .options(undefer(Repair.pre_image), undefer(AiAnalysis.error_data))
        .execution_options(populate_existing=True)
    ).one_or_none()
    if row is None or row[0].state not in states:
        db.session.rollback()
        return None
    repair, analysis, execution_id, workflow_id = row
    if execution_id is None or workflow_id is None:
        raise Conflict("The execution is gone from the hub.")
    started = repair.log[0]
    run = RepairRun(
        repair_id=repair.id,
        workflow_id=workflow_id,
        execution_id=execution_id.rpartition(":")[2],
        cause=analysis.cause,
        evidence=Evidence.model_validate(analysis.error_data),
        patch=tuple(analysis.suggestions[repair.suggestion_index]["patch"]),
        digest=repair.digest,
        proof=ProofKind(started["facts"]["proof"]),
        automatic=repair.automatic,
        step=Step.CHECK if repair.state is RepairState.QUEUED else Step(repair.step),
        verdict=repair.verdict,
        pre_image=open_pre_image(repair) if with_pre_image else None,
        pre_version_id=repair.pre_version_id,
        new_version_id=repair.new_version_id,
        went_live=repair.went_live,
        run_id=repair.retry_n8n_execution_id,
        facts=dict(repair.log[-1].get("facts") or {}),
    )
    db.session.rollback()
    return run


def find_instance(repair_id: str) -> Instance | None:
    """The instance of the execution that the repair is about."""
    return db.session.scalar(
        sa.select(Instance)
        .join(Execution, Execution.instance_id == Instance.id)
        .join(AiAnalysis, AiAnalysis.execution_id == Execution.id)
        .join(Repair, Repair.analysis_id == AiAnalysis.id)
        .where(Repair.id == repair_id)
    )


def is_stopped_repair(repair_id: str) -> bool:
    """Whether automation is stopped for the repair's owner or n8n. Ends the transaction."""
    instance = find_instance(repair_id)
    stopped = instance is not None and is_stopped(instance.user_id, instance.id)
    db.session.rollback()
    return stopped


def open_repair_client(repair_id: str) -> tuple[N8nClient, str]:
    """A client for the repair's n8n, and the n8n's address. Ends the transaction."""
    instance = find_instance(repair_id)
    if instance is None:
        raise Conflict("The instance is gone from the hub.")
    client, url = open_client(instance), instance.url
    db.session.rollback()
    return client, url


def save_run(run: RepairRun, note: str | None = None) -> None:
    """Store how far the repair came and which step is next. Commits."""
    repair = db.session.get_one(Repair, run.repair_id, options=[undefer(Repair.pre_image)], populate_existing=True)
    repair.state = RepairState.RUNNING
    repair.step = run.step
    repair.verdict = run.verdict
    if run.pre_image is not None and repair.pre_image is None:
        repair.pre_image = {"sealed": PRE_IMAGE.encrypt(json.dumps(run.pre_image), repair.id)}
    repair.pre_version_id = run.pre_version_id
    repair.new_version_id = run.new_version_id
    repair.went_live = run.went_live
    repair.retry_n8n_execution_id = run.run_id
    repair.log = [*repair.log, log_entry(run.step, run.facts, note)]
    db.session.commit()


def finish_run(run: RepairRun) -> None:
    """Store the end, mark the analysis, and write the audit event, all at once. Commits."""
    repair = db.session.get_one(Repair, run.repair_id, populate_existing=True)
    state, code, details = run.facts["end"]
    repair.state, repair.step, repair.verdict = RepairState(state), Step.DONE, run.verdict
    repair.finished_at = utc_now()
    with force_locale("en"):
        repair.message = describe_end(code, details)
    repair.log = [*repair.log, log_entry(Step.DONE, run.facts)]
    is_applied = repair.state is RepairState.APPLIED
    if is_applied or run.facts.get("undo"):
        db.session.execute(sa.update(AiAnalysis).where(AiAnalysis.id == repair.analysis_id).values(applied=is_applied))
    if is_applied and run.verdict is Verdict.UNPROVEN and run.new_version_id:
        # Looked for by its version; the time only spares older runs, and n8n's clock may be another.
        repair.awaits_version, repair.awaits_since = run.new_version_id, repair.created_at - dt.timedelta(hours=1)
    if is_applied and run.verdict is Verdict.VERIFIED:
        repair_verified.send(repair)
    record_event(
        Actor(user_id=repair.user_id, via=AUTOMATION if repair.automatic else "job"),
        f"repair.{repair.state.lower()}",
        "repair",
        repair.id,
        success=(repair.state is RepairState.ROLLED_BACK) if run.facts.get("undo") else is_applied,
        details={"analysis_id": repair.analysis_id, "verdict": run.verdict, "reason": code, "run": run.run_id},
    )
    db.session.commit()


def job_key(analysis_id: str) -> str:
    """The key of the job that works on an analysis: one repair of it at a time."""
    return f"repair:{analysis_id}"


def log_entry(step: str, facts: Json, note: str | None = None) -> Json:
    """One line of a repair's log."""
    entry = {"at": utc_now().isoformat(), "step": str(step), "facts": dict(facts)}
    return {**entry, "note": note} if note else entry


def open_pre_image(repair: Repair) -> Json | None:
    """The workflow before the repair. It is kept sealed, because parameters may hold secrets in the clear.

    ``Conflict`` where it was sealed with a key that the hub does not have now.
    """
    if repair.pre_image is None:
        return None
    try:
        kept: Json = json.loads(PRE_IMAGE.decrypt(repair.pre_image["sealed"], repair.id))
    except DecryptionError as error:
        words = _(
            "The workflow as it was is encrypted with a key that the hub does not have now. Ask an operator; nothing was changed."
        )
        raise Conflict(words) from error
    return kept
