"""What the pages of a run do about its failure: explain it, change the request, undo that, send again."""

from __future__ import annotations

from flask import Blueprint, flash, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from hub.accounts.quotas import PlanLimitReached
from hub.accounts.web import current_actor
from hub.analyses.learning import judge_for
from hub.errors import Conflict, Invalid, TooMany
from hub.extensions import db
from hub.htmx import go_to, is_fragment_request
from hub.http_builder.explaining import services
from hub.http_builder.models import RequestRun
from hub.http_builder.responses.pages import pane_context
from hub.http_builder.running import get_run

bp = Blueprint("explaining", __name__)


@bp.app_template_global("explain_of_run")
def explanation_of(run: RequestRun) -> dict[str, object]:
    """Everything that ``requests/_explanation.html`` shows of a run."""
    actor = current_actor()
    return {
        "found": services.find_explanation(actor, run),
        "can_explain": run.analysis_id is None and services.is_explainable(actor, run),
        "applied": services.applied_of(run) if run.analysis_id else None,
        "repeat": services.find_repeat(actor, run) if run.analysis_id else None,
        "outcome": services.judge_repeat(actor, run) if run.repeats_id else None,
        "judge": judge_for(actor),
    }


@bp.post("/runs/<request_run_id>/explanation")
def explain(request_run_id: str) -> ResponseReturnValue:
    """Explain a failed run and show it there."""
    actor, problem = current_actor(), ""
    try:
        services.explain_run(actor, request_run_id)
    except (Conflict, PlanLimitReached) as error:
        db.session.rollback()
        problem = error.message
    if is_fragment_request():
        context = pane_context(actor, get_run(actor, request_run_id))
        return render_template("runs/_pane.html", explanation_problem=problem, **context)
    if problem:
        flash(problem, "error")
    return _back(request_run_id)


@bp.post("/runs/<request_run_id>/explanation/apply")
def apply(request_run_id: str) -> ResponseReturnValue:
    """Make the change that was shown in the saved request."""
    sent, actor = request.form, current_actor()
    get_run(actor, request_run_id)
    try:
        index = sent.get("suggestion", type=int)
        services.apply_suggestion(actor, request_run_id, -1 if index is None else index, sent.get("version", ""))
        flash(_("The request was changed. Nothing was sent yet."), "success")
    except (Conflict, Invalid) as error:
        _refuse(error)
    return _back(request_run_id)


@bp.post("/runs/<request_run_id>/explanation/undo")
def undo(request_run_id: str) -> ResponseReturnValue:
    """Put back what stood in the request before."""
    try:
        services.undo_suggestion(current_actor(), request_run_id)
        flash(_("The request is as it was before the change."), "success")
    except (Conflict, Invalid) as error:
        _refuse(error)
    return _back(request_run_id)


@bp.post("/runs/<request_run_id>/again")
def again(request_run_id: str) -> ResponseReturnValue:
    """Send the saved request as it stands now."""
    try:
        started = services.send_again(current_actor(), request_run_id)
    except (Conflict, TooMany) as error:
        _refuse(error)
        return _back(request_run_id)
    return go_to("runs.show", request_run_id=started.id)


def _refuse(error: Conflict | Invalid | TooMany) -> None:
    db.session.rollback()
    flash(error.message, "error")


def _back(request_run_id: str) -> ResponseReturnValue:
    return go_to("runs.show", request_run_id=request_run_id)
