"""Analyses: asked for, kept, listed and judged by people."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from flask import current_app
from flask_babel import gettext as _
from sqlalchemy.orm import undefer

from hub.accounts.plan_limits import Limit
from hub.accounts.quotas import counts, require_room
from hub.analyses.diagnosis import ask_analyzers, signature
from hub.analyses.documents import UnreadableDocument, split_document
from hub.analyses.evidence import build_evidence
from hub.analyses.examination import examine
from hub.analyses.learning import forget_learned, judge_for, source_key
from hub.analyses.model_questions import ask_where_left, ready_signatures
from hub.analyses.models import AiAnalysis, Repair, RepairState, Verdict
from hub.analyses.neighbours import Neighbours, find_neighbours, name_child, read_neighbours
from hub.analyses.patches import content_hash
from hub.analyses.repair_guards import live_differs
from hub.audit.services import record_event
from hub.columns import utc_now
from hub.contracts.actor import Actor
from hub.contracts.analysis import Analyzer, Diagnosis, Evidence
from hub.errors import Conflict, NotFound
from hub.executions.fingerprint import take_fingerprint
from hub.executions.models import Execution, ExecutionStatus
from hub.executions.services import ensure_detail
from hub.extensions import db
from hub.instances.errors import N8nError
from hub.instances.features import Features
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
    source: str
    confidence: float
    helpful: bool | None
    applied: bool
    execution_id: str | None
    repair_state: RepairState | None
    verdict: Verdict | None
    #: The version whose next run proves the repair, where that is waited for.
    awaits_version: str | None


@dataclass(frozen=True, slots=True)
class Subject:
    """What an analysis is about: execution, workflow and instance, where they are known to the hub."""

    execution: Execution
    workflow: Workflow
    instance: Instance


@dataclass(frozen=True, slots=True)
class About:
    """What an analysis is kept under. ``request`` holds what a repair has to find unchanged."""

    title: str
    request: Json
    execution_id: str | None = None
    fingerprint: str | None = None
    fingerprint_case: str | None = None


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


def diagnose(evidence: Evidence, first: Iterable[Analyzer] = ()) -> tuple[str, Diagnosis]:
    """The first answer of ``first`` and the enabled analyzers, with its signature; ``unknown`` where none has one."""
    return ask_analyzers((*first, *_analyzers()), evidence)


def analyze_execution(actor: Actor, execution_id: str) -> AiAnalysis:
    """Explain a failed execution. An analysis of the same evidence by an analyzer that is still enabled is answered again.

    The workflow is read anew from n8n, so that a suggested patch fits what is there now; without n8n the hub's copy serves
    and nothing can be applied. ``PlanLimitReached`` where the month's analyses are used up.
    """
    ensure_detail(actor, execution_id)
    subject = find_subject(actor, execution_id)
    if subject is None:
        raise NotFound()
    if subject.execution.status not in ANALYZABLE:
        raise Conflict(_("Only executions that failed can be analysed."))
    execution = execution_document(subject)
    marks = take_fingerprint(subject.execution.data, subject.execution.n8n_status, subject.workflow.n8n_id)
    title, sample = subject.workflow.name, subject.instance.is_sample
    secrets = known_secrets(subject.instance)
    current = _read_current(subject, find_neighbours(subject.execution, execution))
    request = {"base": current.base, "sample": sample}
    beside = name_child(current.neighbours)
    evidence = build_evidence(execution, current.workflow, success=beside.success, child=beside.child, known_secrets=secrets)
    known = _find_same(actor, execution_id, evidence)
    if known is not None:
        known.request_data = request
        db.session.commit()
        return known
    db.session.rollback()  # no transaction while patches are tried
    about = About(title, request, execution_id, marks.error or None, marks.case)
    return _store(actor, evidence, about, current.features)


def analyze_document(actor: Actor, payload: Any) -> AiAnalysis:
    """Explain an execution that was handed in as JSON; ``UnreadableDocument`` where it is none."""
    execution, workflow = split_document(payload)
    if execution.get("status") == "success":
        raise UnreadableDocument("succeeded", "This execution succeeded; there is no failure to explain.")
    evidence = build_evidence(execution, workflow)
    return _store(actor, evidence, About(str(evidence.workflow["name"]), {"base": None}))


def analyze_evidence(actor: Actor, evidence: Evidence, about: About, *, first: Iterable[Analyzer] = ()) -> AiAnalysis:
    """Explain a failure whose evidence another room has built. ``first`` are asked before the enabled analyzers."""
    return _store(actor, evidence, about, first=first)


@counts(Limit.ANALYSES)
def count_analyses(account_id: str) -> int:
    """How many analyses of an account count for the present month (UTC)."""
    month = utc_now().replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    own = sa.and_(AiAnalysis.user_id == account_id, AiAnalysis.created_at >= month, AiAnalysis.counted)
    return db.session.scalar(sa.select(sa.func.count()).select_from(AiAnalysis).where(own)) or 0


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
    awaits_version = newest.with_only_columns(Repair.awaits_version).limit(1).scalar_subquery()
    statement = sa.select(*columns, repair_state, verdict, awaits_version).where(AiAnalysis.user_id == actor.user_id)
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
    forget_learned()
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


def enabled_signatures() -> set[str]:
    """Signatures of the analyzers that are enabled: what others have said is not said again."""
    return {signature(analyzer) for analyzer in _analyzers()} | ready_signatures()


def _analyzers() -> Collection[Analyzer]:
    found: dict[str, Analyzer] = current_app.extensions["hub_plugins"].registry.analyzers
    return found.values()


@dataclass(frozen=True, slots=True)
class _Current:
    """What n8n says now. ``base`` (what a repair has to find unchanged) and ``features`` are None without n8n."""

    workflow: Json
    base: Json | None
    features: Features | None
    neighbours: Neighbours


def _read_current(subject: Subject, neighbours: Neighbours) -> _Current:
    """The workflow as it is now and the failure's neighbours, read in one talk with n8n."""
    workflow, instance = subject.workflow, subject.instance
    copy = {
        "name": workflow.name,
        "nodes": workflow.nodes,
        "connections": workflow.connections,
        "settings": workflow.settings,
        "versionId": workflow.version_id,
    }
    if instance.is_sample:
        return _Current(copy, None, None, neighbours)
    n8n_id = workflow.n8n_id
    try:
        client = open_client(instance)
        db.session.rollback()  # no transaction while n8n is asked
        with client:
            fresh = client.get_workflow(n8n_id)
            features = client.features()
            neighbours = read_neighbours(client, neighbours)
    except N8nError as error:
        log.info("no fresh workflow for an analysis: %s", error)
        return _Current(copy, None, None, neighbours)
    base = {
        "version_id": fresh.get("versionId"),
        "content_hash": content_hash(fresh),
        "active": bool(fresh.get("active")),
        "archived": bool(fresh.get("isArchived")),
        "draft_differs": bool(fresh.get("active")) and live_differs(fresh),
        "draft_only": bool(features.publish_if_active),
    }
    return _Current(fresh, base, features, neighbours)


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
    if found is None or found.analyzer not in enabled_signatures():
        return None
    return found if found.error_data == clean_json(evidence.model_dump(mode="json")) else None


def _store(
    actor: Actor, evidence: Evidence, about: About, features: Features | None = None, *, first: Iterable[Analyzer] = ()
) -> AiAnalysis:
    counted = not about.request.get("sample")
    if counted:
        require_room(actor, Limit.ANALYSES)
        db.session.rollback()  # no transaction while analyzers think and patches are tried
    analyzer, diagnosis = diagnose(evidence, first)
    examined = examine(diagnosis, evidence, features)
    if counted:
        require_room(actor, Limit.ANALYSES)
    analysis = store_diagnosis(actor, evidence, examined, analyzer, about, counted=counted)
    db.session.commit()
    ask_where_left(actor, analysis, diagnosis)
    return analysis


def store_diagnosis(
    actor: Actor, evidence: Evidence, diagnosis: Diagnosis, analyzer: str, about: About, *, counted: bool = False
) -> AiAnalysis:
    """Store an analysis in the present transaction; the caller commits. ``analyzer`` is a signature.

    ``counted`` says that it is one of the month's; the caller has asked whether there is room.
    """
    assert actor.user_id is not None  # noqa: S101 (the hub itself analyses nothing)
    plain = clean_json(diagnosis.model_dump(mode="json"))
    source = clean_json(source_key(analyzer, diagnosis.source))
    analysis = AiAnalysis(
        user_id=actor.user_id,
        execution_id=about.execution_id,
        error_data=clean_json(evidence.model_dump(mode="json")),
        request_data=about.request,
        analysis=plain,
        suggestions=plain["suggestions"],
        confidence=diagnosis.confidence,
        calibrated=judge_for(actor).cause(source, diagnosis.confidence).value,
        source=source,
        analyzer=analyzer,
        cause=diagnosis.cause.value,
        node=clean_json(diagnosis.node),
        title=clean_json(about.title),
        fingerprint=about.fingerprint,
        fingerprint_case=about.fingerprint_case,
        counted=counted,
    )
    db.session.add(analysis)
    db.session.flush()
    details = {"cause": analysis.cause, "analyzer": analyzer, "execution_id": about.execution_id}
    record_event(actor, "analysis.create", "analysis", analysis.id, details=details)
    return analysis
