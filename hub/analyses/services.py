"""Analyses: asked for, kept, listed and judged by people."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from flask import current_app
from flask_babel import gettext as _
from sqlalchemy.orm import undefer

from hub.analyses.diagnosis import ask_analyzers, signature
from hub.analyses.documents import UnreadableDocument, split_document
from hub.analyses.evidence import build_evidence
from hub.analyses.model_questions import ask_where_left, ready_signatures
from hub.analyses.models import AiAnalysis, Repair, RepairState, Verdict
from hub.analyses.neighbours import Neighbours, find_neighbours, name_child, read_neighbours
from hub.analyses.patches import content_hash
from hub.analyses.repair_guards import live_differs
from hub.audit.services import record_event
from hub.contracts.actor import Actor
from hub.contracts.analysis import Analyzer, Diagnosis, Evidence
from hub.errors import Conflict, NotFound
from hub.executions.models import Execution, ExecutionStatus
from hub.executions.services import ensure_detail
from hub.extensions import db
from hub.instances.errors import N8nError
from hub.instances.models import Instance
from hub.instances.services import known_secrets, open_client
from hub.pagination import Page, clamp_limit, keyset, make_page
from hub.storable import clean_json
from hub.workflows.models import Workflow

log = logging.getLogger(__name__)

Json = dict[str, Any]

ANALYZABLE = (ExecutionStatus.FAILED, ExecutionStatus.CANCELED)


@dataclass(frozen=True, slots=True)
class AnalysisRow:
    """One line of the list of analyses. ``repair_state`` and ``verdict`` are those of the newest repair."""

    id: str
    created_at: dt.datetime
    cause: str
    node: str | None
    title: str
    confidence: float
    helpful: bool | None
    applied: bool
    execution_id: str | None
    repair_state: RepairState | None
    verdict: Verdict | None


@dataclass(frozen=True, slots=True)
class Subject:
    """What an analysis is about: execution, workflow and instance, where they are known to the hub."""

    execution: Execution
    workflow: Workflow
    instance: Instance


@dataclass(frozen=True, slots=True)
class Place:
    """Where an analysed failure happened, as far as the hub knows."""

    execution_id: str
    n8n_execution_id: str
    started_at: dt.datetime
    workflow_id: str
    workflow_name: str
    instance_id: str
    instance_name: str


def diagnose(evidence: Evidence) -> tuple[str, Diagnosis]:
    """The first enabled analyzer's answer with its signature; ``unknown`` where none has one."""
    return ask_analyzers(_analyzers(), evidence)


def analyze_execution(actor: Actor, execution_id: str) -> AiAnalysis:
    """Explain a failed execution. An analysis of the same evidence by an analyzer that is still enabled is answered again.

    The workflow is read anew from n8n, so that a suggested patch fits what is there now; without n8n the hub's copy serves
    and nothing can be applied.
    """
    ensure_detail(actor, execution_id)
    subject = find_subject(actor, execution_id)
    if subject is None:
        raise NotFound()
    if subject.execution.status not in ANALYZABLE:
        raise Conflict(_("Only executions that failed can be analysed."))
    execution = execution_document(subject)
    title, sample = subject.workflow.name, subject.instance.is_sample
    secrets = known_secrets(subject.instance)
    workflow, base, beside = _current_workflow(subject, find_neighbours(subject.execution, execution))
    request = {"base": base, "sample": sample}
    beside = name_child(beside)
    evidence = build_evidence(execution, workflow, success=beside.success, child=beside.child, known_secrets=secrets)
    known = _find_same(actor, execution_id, evidence)
    if known is not None:
        known.request_data = request
        db.session.commit()
        return known
    return _store(actor, evidence, title=title, execution_id=execution_id, request=request)


def analyze_document(actor: Actor, payload: Any) -> AiAnalysis:
    """Explain an execution that was handed in as JSON; ``UnreadableDocument`` where it is none."""
    execution, workflow = split_document(payload)
    if execution.get("status") == "success":
        raise UnreadableDocument("succeeded", "This execution succeeded; there is no failure to explain.")
    evidence = build_evidence(execution, workflow)
    return _store(actor, evidence, title=str(evidence.workflow["name"]), execution_id=None, request={"base": None})


def get_analysis(actor: Actor, analysis_id: str) -> AiAnalysis:
    """One of the actor's analyses, with its evidence."""
    statement = sa.select(AiAnalysis).where(AiAnalysis.id == analysis_id, AiAnalysis.user_id == actor.user_id)
    found = db.session.scalar(statement.options(undefer(AiAnalysis.error_data)))
    if found is None:
        raise NotFound()
    return found


def list_analyses(
    actor: Actor, *, execution_id: str | None = None, cursor: str | None = None, limit: int | None = None
) -> Page[AnalysisRow]:
    """The actor's analyses, newest first; of one execution where given. One query."""
    limit = clamp_limit(limit)
    newest = sa.select(Repair).where(Repair.analysis_id == AiAnalysis.id).order_by(Repair.created_at.desc(), Repair.id.desc())
    columns = [getattr(AiAnalysis, name) for name in AnalysisRow.__dataclass_fields__ if hasattr(AiAnalysis, name)]
    repair_state = newest.with_only_columns(Repair.state).limit(1).scalar_subquery()
    verdict = newest.with_only_columns(Repair.verdict).limit(1).scalar_subquery()
    statement = sa.select(*columns, repair_state, verdict).where(AiAnalysis.user_id == actor.user_id)
    if execution_id is not None:
        statement = statement.where(AiAnalysis.execution_id == execution_id)
    keys = (AiAnalysis.created_at, AiAnalysis.id)
    statement = keyset(statement, keys, (dt.datetime, str), cursor=cursor, limit=limit)
    return make_page([AnalysisRow(*row) for row in db.session.execute(statement)], limit, "created_at", "id")


def give_feedback(actor: Actor, analysis_id: str, helpful: bool | None) -> AiAnalysis:
    """Note whether the analysis helped; None takes the answer back."""
    analysis = get_analysis(actor, analysis_id)
    analysis.helpful = helpful
    record_event(actor, "analysis.feedback", "analysis", analysis.id, details={"helpful": helpful})
    db.session.commit()
    return analysis


def find_subject(actor: Actor, execution_id: str) -> Subject | None:
    """The execution with its data, its workflow with its nodes, and their instance, if they are the actor's."""
    row = db.session.execute(
        sa.select(Execution, Workflow, Instance)
        .join(Workflow, Workflow.id == Execution.workflow_id)
        .join(Instance, Instance.id == Execution.instance_id)
        .where(Execution.id == execution_id, Instance.user_id == actor.user_id)
        .options(
            *(undefer(column) for column in (Execution.data, Execution.error)),
            *(undefer(column) for column in (Workflow.nodes, Workflow.connections, Workflow.settings)),
        )
    ).one_or_none()
    return Subject(*row) if row else None


def find_place(analysis: AiAnalysis) -> Place | None:
    """Execution, workflow and instance of the analysis; None where it came from a file or the execution is gone."""
    if analysis.execution_id is None:
        return None
    row = db.session.execute(
        sa.select(
            Execution.id,
            Execution.n8n_execution_id,
            Execution.started_at,
            Workflow.id,
            Workflow.name,
            Instance.id,
            Instance.name,
        )
        .join(Workflow, Workflow.id == Execution.workflow_id)
        .join(Instance, Instance.id == Execution.instance_id)
        .where(Execution.id == analysis.execution_id)
    ).one_or_none()
    return Place(*row) if row else None


def find_run(analysis: AiAnalysis, n8n_execution_id: str | None) -> str | None:
    """The hub's id of an execution on the same n8n as the analysed one, by n8n's id."""
    if n8n_execution_id is None or analysis.execution_id is None:
        return None
    instance = sa.select(Execution.instance_id).where(Execution.id == analysis.execution_id).scalar_subquery()
    statement = sa.select(Execution.id).where(Execution.instance_id == instance, Execution.n8n_execution_id == n8n_execution_id)
    return db.session.scalar(statement)


def execution_document(subject: Subject) -> Json:
    """The stored execution in the form of n8n's public API."""
    execution = subject.execution
    stored = dict(execution.data or {})
    workflow = stored.pop("workflowData", None)
    data = stored.get("data", stored)
    if not data and execution.error:
        data = {"resultData": {"error": execution.error, "lastNodeExecuted": execution.error_node, "runData": {}}}
    return {
        "id": execution.n8n_execution_id.rpartition(":")[2],
        "status": execution.n8n_status,
        "mode": execution.mode,
        "startedAt": execution.started_at.isoformat(),
        "stoppedAt": execution.finished_at.isoformat() if execution.finished_at else None,
        "workflowId": subject.workflow.n8n_id,
        "workflowVersionId": execution.workflow_version_id,
        "data": data,
        "workflowData": workflow,
    }


def _analyzers() -> Collection[Analyzer]:
    found: dict[str, Analyzer] = current_app.extensions["hub_plugins"].registry.analyzers
    return found.values()


def _current_workflow(subject: Subject, beside: Neighbours) -> tuple[Json, Json | None, Neighbours]:
    """The workflow as it is now, what a repair has to find unchanged (None where only the hub's copy was at hand), and the
    failure's neighbours, read in the same talk with n8n."""
    workflow, instance = subject.workflow, subject.instance
    copy = {
        "name": workflow.name,
        "nodes": workflow.nodes,
        "connections": workflow.connections,
        "settings": workflow.settings,
        "versionId": workflow.version_id,
    }
    if instance.is_sample:
        return copy, None, beside
    n8n_id = workflow.n8n_id
    try:
        client = open_client(instance)
        db.session.rollback()  # no transaction while n8n is asked
        with client:
            fresh = client.get_workflow(n8n_id)
            draft_only = bool(client.features().publish_if_active)
            beside = read_neighbours(client, beside)
    except N8nError as error:
        log.info("no fresh workflow for an analysis: %s", error)
        return copy, None, beside
    base = {
        "version_id": fresh.get("versionId"),
        "content_hash": content_hash(fresh),
        "active": bool(fresh.get("active")),
        "archived": bool(fresh.get("isArchived")),
        "draft_differs": bool(fresh.get("active")) and live_differs(fresh),
        "draft_only": draft_only,
    }
    return fresh, base, beside


def _find_same(actor: Actor, execution_id: str, evidence: Evidence) -> AiAnalysis | None:
    """The newest analysis of the execution, if it was made of this evidence by an analyzer that is enabled."""
    statement = (
        sa.select(AiAnalysis)
        .where(AiAnalysis.execution_id == execution_id, AiAnalysis.user_id == actor.user_id)
        .order_by(AiAnalysis.created_at.desc(), AiAnalysis.id.desc())
        .limit(1)
        .options(undefer(AiAnalysis.error_data))
    )
    found = db.session.scalar(statement)
    if found is None or found.analyzer not in {signature(analyzer) for analyzer in _analyzers()} | ready_signatures():
        return None
    return found if found.error_data == clean_json(evidence.model_dump(mode="json")) else None


def _store(actor: Actor, evidence: Evidence, *, title: str, execution_id: str | None, request: Json) -> AiAnalysis:
    analyzer, diagnosis = diagnose(evidence)
    analysis = store_diagnosis(
        actor, evidence, diagnosis, analyzer=analyzer, title=title, execution_id=execution_id, request=request
    )
    db.session.commit()
    ask_where_left(actor, analysis, diagnosis)
    return analysis


def store_diagnosis(
    actor: Actor, evidence: Evidence, diagnosis: Diagnosis, *, analyzer: str, title: str, execution_id: str | None, request: Json
) -> AiAnalysis:
    """Store an analysis in the present transaction; the caller commits."""
    assert actor.user_id is not None  # noqa: S101 (the hub itself analyses nothing)
    plain = clean_json(diagnosis.model_dump(mode="json"))
    analysis = AiAnalysis(
        user_id=actor.user_id,
        execution_id=execution_id,
        error_data=clean_json(evidence.model_dump(mode="json")),
        request_data=request,
        analysis=plain,
        suggestions=plain["suggestions"],
        confidence=diagnosis.confidence,
        analyzer=analyzer,
        cause=diagnosis.cause.value,
        node=clean_json(diagnosis.node),
        title=clean_json(title),
    )
    db.session.add(analysis)
    db.session.flush()
    details = {"cause": analysis.cause, "analyzer": analyzer, "execution_id": execution_id}
    record_event(actor, "analysis.create", "analysis", analysis.id, details=details)
    return analysis
