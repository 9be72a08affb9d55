"""Pages of the analyses room: explain a failure, show what would change, apply it, watch it being proven."""

from __future__ import annotations

import json
from typing import Any

from flask import Blueprint, flash, make_response, request, url_for
from flask.typing import ResponseReturnValue
from flask.wrappers import Response
from flask_babel import gettext as _

from hub.accounts.web import current_actor
from hub.analyses import model_questions, repair, services
from hub.analyses.brief import brief_of
from hub.analyses.cause_words import name_cause, name_place
from hub.analyses.contrast_words import describe_contrast
from hub.analyses.documents import UnreadableDocument, parse_document
from hub.analyses.model_words import describe_stage
from hub.analyses.models import AiAnalysis, Repair
from hub.analyses.presentation import present_repair, unified_lines
from hub.analyses.repair import RepairPreview
from hub.analyses.repair_run import ProofKind
from hub.analyses.repair_words import (
    describe_confidence,
    describe_end,
    describe_input_problem,
    describe_proof,
    describe_warning,
)
from hub.contracts.analysis import Diagnosis, Evidence
from hub.errors import Conflict, Invalid, TooMany
from hub.htmx import go_to, is_fragment_request, render
from hub.i18n import current_language

bp = Blueprint("analyses", __name__)

bp.add_app_template_global(name_cause, "name_cause")
bp.add_app_template_global(name_place, "name_place")
bp.add_app_template_global(describe_confidence, "describe_confidence")
bp.add_app_template_global(describe_stage, "describe_stage")


@bp.get("/analyses")
def index() -> ResponseReturnValue:
    """All analyses, newest first."""
    cursor = request.args.get("cursor")
    page = services.list_analyses(current_actor(), cursor=cursor)
    return render("analyses/index.html", block="rows", page=page, is_first=cursor is None)


@bp.post("/executions/<execution_id>/analyses")
def analyze(execution_id: str) -> ResponseReturnValue:
    """Analyse a failed execution and show the result."""
    analysis = services.analyze_execution(current_actor(), execution_id)
    return go_to("analyses.show", analysis_id=analysis.id)


@bp.get("/analyses/upload")
def upload() -> ResponseReturnValue:
    """The form for an execution from a file."""
    return render("analyses/upload.html", error=None)


@bp.post("/analyses/upload")
def analyze_upload() -> ResponseReturnValue:
    """Analyse an execution from a file."""
    file = request.files.get("document")
    try:
        payload = parse_document(file.stream.read() if file else b"")
        analysis = services.analyze_document(current_actor(), payload)
    except UnreadableDocument as error:
        problem = describe_input_problem(error.code, error.details)
        return render("analyses/upload.html", error=problem), error.status
    return go_to("analyses.show", analysis_id=analysis.id)


@bp.get("/analyses/<analysis_id>")
def show(analysis_id: str) -> ResponseReturnValue:
    """Cause, evidence, suggestions and the change; the repair's progress is the part that polls."""
    analysis = services.get_analysis(current_actor(), analysis_id)
    if is_fragment_request() and request.headers.get("HX-Target") == "model":
        return _model_progress(analysis)
    repairs = repair.list_repairs(analysis)
    answer = make_response(_page(analysis, repairs))
    if is_fragment_request() and repairs and repairs[0].finished_at is not None:
        answer.headers["HX-Refresh"] = "true"  # the end of a repair changes the whole page
    return answer


@bp.post("/analyses/<analysis_id>/model")
def ask_model(analysis_id: str) -> ResponseReturnValue:
    """Ask the model about it, and show the page that waits for the answer."""
    actor = current_actor()
    analysis = services.get_analysis(actor, analysis_id)
    try:
        call = model_questions.ask_model(actor, analysis)
    except (Conflict, TooMany) as error:
        flash(error.message, "error")
        return go_to("analyses.show", analysis_id=analysis_id)
    return go_to("analyses.show", analysis_id=call.analysis_id or analysis_id)


@bp.post("/analyses/<analysis_id>/feedback")
def feedback(analysis_id: str) -> ResponseReturnValue:
    """Note whether it helped."""
    answers = {"yes": True, "no": False}
    services.give_feedback(current_actor(), analysis_id, answers.get(request.form.get("helpful", "")))
    flash(_("Thank you. Your answer is kept."), "success")
    return go_to("analyses.show", analysis_id=analysis_id)


@bp.post("/analyses/<analysis_id>/repairs")
def apply(analysis_id: str) -> ResponseReturnValue:
    """Queue the repair that was shown."""
    form = request.form
    services.get_analysis(current_actor(), analysis_id)
    index, proof = form.get("suggestion", type=int), form.get("proof") or None
    try:
        if index is None or proof not in (None, *ProofKind):
            raise Invalid(fields={"proof": _("Choose one of the offered ways of proof.")})
        kind = ProofKind(proof) if proof else None
        repair.request_repair(current_actor(), analysis_id, index, form.get("digest", ""), kind)
    except (Conflict, Invalid) as error:
        flash(error.message, "error")
    return go_to("analyses.show", analysis_id=analysis_id)


@bp.get("/repairs/<repair_id>/old-workflow.json")
def old_workflow(repair_id: str) -> ResponseReturnValue:
    """The workflow before the repair, to put it back by hand."""
    document = repair.read_old_workflow(current_actor(), repair_id)
    headers = {"Content-Disposition": f'attachment; filename="workflow-before-{repair_id}.json"'}
    return Response(json.dumps(document, ensure_ascii=False, indent=2), mimetype="application/json", headers=headers)


def _model_progress(analysis: AiAnalysis) -> ResponseReturnValue:
    """The part that polls while a model is asked; its answer is a page of its own."""
    share = model_questions.find_share(analysis, with_sent=True)
    part = render("analyses/show.html", block="model", analysis=analysis, share=share, language=current_language())
    answer = make_response(part)
    if share.call is not None and share.call.answer_id is not None and not share.is_answer:
        answer.headers["HX-Redirect"] = url_for("analyses.show", analysis_id=share.call.answer_id)
    return answer


def _page(analysis: AiAnalysis, repairs: list[Repair]) -> str:
    language = current_language()
    diagnosis = Diagnosis.model_validate(analysis.analysis)
    patches = [index for index, suggestion in enumerate(diagnosis.suggestions) if suggestion.patch]
    asked = request.args.get("suggestion", type=int)
    chosen = asked if asked in patches else next(iter(patches), None)
    preview = repair.build_preview(analysis, chosen) if chosen is not None else None
    evidence = Evidence.model_validate(analysis.error_data)
    last, child = evidence.last_success, evidence.child
    return render(
        "analyses/show.html",
        block="repair",
        analysis=analysis,
        language=language,
        diagnosis=diagnosis,
        last_success=last,
        changes=describe_contrast(last) if last else [],
        last_success_run=services.find_run(analysis, last.execution_id) if last else None,
        child=child,
        child_run=services.find_run(analysis, child.execution_id) if child else None,
        brief=brief_of(evidence),
        place=services.find_place(analysis),
        share=model_questions.find_share(analysis, with_sent=True),
        chosen=chosen,
        preview=_words(preview) if preview else None,
        repairs=[present_repair(row) for row in repairs],
        run=services.find_run(analysis, repairs[0].retry_n8n_execution_id) if repairs else None,
    )


def _words(preview: RepairPreview) -> dict[str, Any]:
    """The preview as the template shows it."""
    obstacle = preview.obstacle
    return {
        "digest": preview.digest,
        "differences": [unified_lines(difference) for difference in preview.differences],
        "warnings": [describe_warning(notice.code, notice.details) for notice in preview.warnings],
        "obstacle": describe_end(obstacle.code, obstacle.details) if obstacle else None,
        "proofs": [(kind.value, describe_proof(kind.value)) for kind in preview.proofs],
    }
