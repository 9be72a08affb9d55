"""Analyses and repairs as JSON."""

from __future__ import annotations

import dataclasses
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from hub.accounts.web import current_actor
from hub.analyses import repair, repair_undo, services
from hub.analyses.learning import judge_for
from hub.analyses.models import AiAnalysis, Repair, RepairState, Verdict
from hub.analyses.presentation import present_repair, unified_lines
from hub.analyses.repair_run import ProofKind
from hub.analyses.repair_words import describe_end, describe_warning
from hub.contracts.analysis import Cause, Diagnosis
from hub.json_api import Flag, ListOf, ListQuery, Resource, Time, operation


class Text(Resource):
    """The same words in both languages."""

    en: str
    ar: str


class QuoteResource(Resource):
    """A piece of evidence and where it stands."""

    pointer: str
    quote: str


class TrialResource(Resource):
    """A changed text, run on the recorded data."""

    node: str
    path: str = Field(description="The parameter, dotted.")
    status: Literal["worked", "empty", "failed", "not-tried"]
    value: str | None = Field(description="What it gave for the item that had failed.")
    error: str | None
    error_before: str | None = Field(description="How the text failed before the change.")
    reason: str | None = Field(description="Why it was not tried.")
    what: str | None = Field(description="What was missing for a trial.")
    items: int = Field(description="On how many items it ran.")
    item_count: int


class ObjectionResource(Resource):
    """Why a patch is not offered for one click."""

    code: str
    details: dict[str, Any]


class SuggestionResource(Resource):
    """Advice, or a change that the hub can apply."""

    title: Text
    explanation: Text
    kind: Literal["patch", "manual"]
    patch: list[dict[str, Any]] | None = Field(description="RFC 6902 on {name, nodes, connections, settings}.")
    confidence: float = Field(description="The analyzer's own number, 0 to 1.")
    calibrated: float = Field(description="P(fix works), by what became of earlier ones.")
    labels: int = Field(description="Cases behind it; below 20 the number is not calibrated yet.")
    trials: list[TrialResource]
    objection: ObjectionResource | None = Field(description="Null where the change can be applied as far as is known.")


class AnalysisRowResource(Resource):
    """An analysis in a list."""

    id: str
    execution_id: str | None
    title: str = Field(description="Name of the workflow.")
    source: str = Field(description="The rule, or the version of the model, that said so.")
    cause: str
    node: str | None
    confidence: float = Field(description="The analyzer's own number, 0 to 1.")
    calibrated: float = Field(description="P(cause right), by feedback on earlier ones.")
    labels: int = Field(description="Cases behind it; below 20 the number is not calibrated yet.")
    applied: bool
    helpful: bool | None
    repair_state: RepairState | None
    verdict: Verdict | None
    awaits_version: str | None = Field(description="Applied without proof: the version whose next run proves the repair.")
    created_at: Time


class AnalysisList(ListOf[AnalysisRowResource]):
    """A page of analyses, newest first."""


class AnalysisResource(Resource):
    """Why an execution failed, and what to do."""

    id: str
    execution_id: str | None
    title: str = Field(description="Name of the workflow.")
    cause: Cause
    node: str | None = Field(description="The culprit; may stand before the node that failed.")
    confidence: float = Field(description="The analyzer's own number for the cause, 0 to 1.")
    calibrated: float = Field(description="P(cause right), by feedback on earlier ones.")
    labels: int = Field(description="Cases behind it; below 20 the number is not calibrated yet.")
    summary: Text
    evidence: list[QuoteResource]
    suggestions: list[SuggestionResource]
    source: str
    documentation: str | None = Field(description="Where to read more.")
    analyzer: str
    applied: bool
    helpful: bool | None
    created_at: Time


class NewAnalysis(Resource):
    """Either an execution that the hub knows, or a document."""

    execution_id: str | None = Field(None, pattern=r"^[a-z0-9]{1,32}$")
    document: dict[str, Any] | None = Field(
        None, description="An execution of n8n's public API with its data, or {execution, workflow}."
    )

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.execution_id is None) == (self.document is None):
            raise ValueError("send either executionId or document")
        return self


class AnalysisQuery(ListQuery):
    """Which analyses."""

    execution_id: str | None = None


class DifferenceResource(Resource):
    """One changed place."""

    title: str
    node: str | None
    path: str
    lines: list[str] = Field(description='Each begins with "-", "+" or a space; "@@" stands for lines left out.')


class PreviewResource(Resource):
    """What applying a suggestion would do."""

    suggestion_index: int
    differences: list[DifferenceResource]
    warnings: list[str]
    proofs: list[ProofKind] = Field(description="Ways to prove the change; the first is the default.")
    obstacle: str | None = Field(description="Why it cannot be applied; null where it can.")
    digest: str | None = Field(description="Send it with the repair: it stands for exactly this change.")


class NewRepair(Resource):
    """Agreement to a change that was previewed."""

    suggestion_index: int = Field(ge=0)
    digest: str
    proof: ProofKind | None = None


class RepairStepResource(Resource):
    """A step that was made."""

    name: str
    state: Literal["done", "running"]
    started_at: Time


class RepairResource(Resource):
    """A repair: under way while state is QUEUED or RUNNING."""

    id: str
    analysis_id: str
    suggestion_index: int
    state: RepairState
    verdict: Verdict | None
    message: str
    steps: list[RepairStepResource]
    retry_n8n_execution_id: str | None
    went_live: bool
    awaits_version: str | None = Field(description="Applied without proof: the version whose next run proves the repair.")
    created_at: Time
    finished_at: Time | None


class RepairList(Resource):
    """The newest repairs of an analysis (at most 20)."""

    data: list[RepairResource]


class Feedback(Resource):
    """Whether an analysis helped; null takes the answer back."""

    helpful: Flag | None


class OldWorkflowResource(Resource):
    """A workflow before its repair."""

    workflow: dict[str, Any] = Field(description="As n8n's API gave it.")


@operation("POST", "/analyses", scope="analyses:write", answer=AnalysisResource, status=201, errors=(402, 404, 409))
def create_analysis(json: NewAnalysis) -> Any:
    """Explain a failed execution. Asked again for the same failure, the same analysis is answered."""
    if json.execution_id is not None:
        analysis = services.analyze_execution(current_actor(), json.execution_id)
    else:
        analysis = services.analyze_document(current_actor(), json.document)
    return _analysis(analysis), {"Location": f"/api/v1/analyses/{analysis.id}"}


@operation("GET", "/analyses", scope="analyses:read", answer=AnalysisList)
def list_analyses(query: AnalysisQuery) -> Any:
    """Your analyses, newest first."""
    page = services.list_analyses(current_actor(), **dict(query))
    judge = judge_for(current_actor())
    rows = []
    for row in page.rows:
        cause = judge.cause(row.source, row.confidence)
        known = dataclasses.asdict(row)
        rows.append(AnalysisRowResource.model_validate({**known, "calibrated": cause.value, "labels": cause.labels}))
    return AnalysisList(data=rows, next_cursor=page.next_cursor)


@operation("GET", "/analyses/<analysis_id>", scope="analyses:read", answer=AnalysisResource, errors=(404,))
def get_analysis(analysis_id: str) -> Any:
    """One analysis."""
    return _analysis(services.get_analysis(current_actor(), analysis_id))


@operation("PUT", "/analyses/<analysis_id>/feedback", scope="analyses:write", answer=AnalysisResource, errors=(404,))
def give_feedback(analysis_id: str, json: Feedback) -> Any:
    """Say whether the analysis helped."""
    return _analysis(services.give_feedback(current_actor(), analysis_id, json.helpful))


@operation(
    "GET",
    "/analyses/<analysis_id>/suggestions/<int:suggestion_index>/preview",
    scope="analyses:read",
    answer=PreviewResource,
    errors=(404,),
)
def preview_repair(analysis_id: str, suggestion_index: int) -> Any:
    """What applying a suggestion would change and risk. Changes nothing."""
    preview = repair.preview_repair(current_actor(), analysis_id, suggestion_index)
    differences = []
    for difference in preview.differences:
        title, lines = unified_lines(difference)
        differences.append(DifferenceResource(title=title, node=difference.node, path=difference.path, lines=lines))
    obstacle = preview.obstacle
    return PreviewResource(
        suggestion_index=suggestion_index,
        differences=differences,
        warnings=[describe_warning(notice.code, notice.details) for notice in preview.warnings],
        proofs=list(preview.proofs),
        obstacle=describe_end(obstacle.code, obstacle.details) if obstacle else None,
        digest=preview.digest,
    )


@operation(
    "POST",
    "/analyses/<analysis_id>/repairs",
    scope="repairs:write",
    answer=RepairResource,
    status=202,
    errors=(404, 409),
)
def request_repair(analysis_id: str, json: NewRepair) -> Any:
    """Apply a suggestion that was previewed. It is made in the background: ask the address in Location how it stands."""
    made = repair.request_repair(current_actor(), analysis_id, json.suggestion_index, json.digest, json.proof)
    return _repair(made), {"Location": f"/api/v1/repairs/{made.id}"}


@operation("GET", "/analyses/<analysis_id>/repairs", scope="repairs:read", answer=RepairList, errors=(404,))
def list_repairs(analysis_id: str) -> Any:
    """The repairs of an analysis, newest first."""
    analysis = services.get_analysis(current_actor(), analysis_id)
    return RepairList(data=[_repair(row) for row in repair.list_repairs(analysis)])


@operation("GET", "/repairs/<repair_id>", scope="repairs:read", answer=RepairResource, errors=(404,))
def get_repair(repair_id: str) -> Any:
    """How a repair stands, and its verdict."""
    return _repair(repair.get_repair(current_actor(), repair_id))


@operation("GET", "/repairs/<repair_id>/old-workflow", scope="repairs:read", answer=OldWorkflowResource, errors=(404, 409))
def get_old_workflow(repair_id: str) -> Any:
    """The workflow as it was before the repair, to put it back by hand; reading it is an event of the audit log."""
    return OldWorkflowResource(workflow=repair.read_old_workflow(current_actor(), repair_id))


@operation("POST", "/repairs/<repair_id>/undo", scope="repairs:write", answer=RepairResource, status=202, errors=(404, 409))
def undo_repair(repair_id: str) -> Any:
    """Put the old workflow back, if nobody has changed it since. It is made in the background."""
    return _repair(repair_undo.request_undo(current_actor(), repair_id)), {"Location": f"/api/v1/repairs/{repair_id}"}


def _analysis(analysis: AiAnalysis) -> AnalysisResource:
    diagnosis = Diagnosis.model_validate(analysis.analysis).model_dump(mode="json")
    stored = {
        name: getattr(analysis, name) for name in ("id", "execution_id", "title", "analyzer", "applied", "helpful", "created_at")
    }
    judge = judge_for(current_actor())
    cause = judge.cause(analysis.source, analysis.confidence)
    for suggestion in diagnosis["suggestions"]:
        fix = judge.fix(analysis.source, suggestion["confidence"])
        suggestion.update(calibrated=fix.value, labels=fix.labels)
    return AnalysisResource.model_validate({**diagnosis, **stored, "calibrated": cause.value, "labels": cause.labels})


def _repair(row: Repair) -> RepairResource:
    shown = present_repair(row)
    return RepairResource(
        id=row.id,
        analysis_id=row.analysis_id,
        suggestion_index=row.suggestion_index,
        state=row.state,
        verdict=row.verdict,
        message=shown.message,
        steps=[RepairStepResource.model_validate(step) for step in shown.steps],
        retry_n8n_execution_id=row.retry_n8n_execution_id,
        went_live=row.went_live,
        awaits_version=row.awaits_version,
        created_at=row.created_at,
        finished_at=row.finished_at,
    )
