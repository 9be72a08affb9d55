"""Explain a failed run, apply what is suggested to the saved request, undo that, and send again. Nothing is sent by itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

from hub.analyses.diagnosis import signature
from hub.analyses.evidence import build_evidence
from hub.analyses.model_questions import ModelShare, find_share
from hub.analyses.models import AiAnalysis
from hub.analyses.services import About, analyze_evidence, enabled_signatures, get_analysis
from hub.contracts.actor import Actor
from hub.contracts.analysis import Diagnosis, Evidence, Suggestion
from hub.contracts.http import RequestDefinition
from hub.errors import Conflict, NotFound
from hub.extensions import db
from hub.http_builder import services
from hub.http_builder.definitions import definition_of
from hub.http_builder.explaining.analyzer import RequestAnalyzer
from hub.http_builder.explaining.changes import PARTS, RequestChange, read_change
from hub.http_builder.explaining.errors import error_of
from hub.http_builder.explaining.execution import write_execution, write_workflow
from hub.http_builder.explaining.facts import english_reasons, facts_of, reasons_of_checks
from hub.http_builder.explaining.outcome import Failure, failed_answer, find_failure, text_of
from hub.http_builder.models import Request, RequestRun, RunState
from hub.http_builder.rendering import Values, find_names
from hub.http_builder.running import get_body, get_run, start_run, values_for

Json = dict[str, Any]
#: Earlier runs that are looked at for the last success.
_MOST_EARLIER = 10


@dataclass(frozen=True, slots=True)
class Offer:
    """A suggestion as the page shows it. ``change`` is None where it is advice: for n8n, or by hand."""

    index: int
    suggestion: Suggestion
    change: RequestChange | None
    #: Why the change can't be applied to the saved request; empty where it can.
    obstacle: str = ""


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a run failed, and what can be done. ``share`` is a model's part in it."""

    analysis: AiAnalysis
    diagnosis: Diagnosis
    offers: tuple[Offer, ...]
    share: ModelShare
    #: The saved request's version, for a change of exactly what was shown; None where the request is not saved.
    version: str | None


@dataclass(frozen=True, slots=True)
class Repeat:
    """A run after a change: whether it is good."""

    run_id: str
    is_over: bool
    is_good: bool


# --- Explaining ----------------------------------------------------------------------------------------------------


def explain_run(actor: Actor, run_id: str) -> AiAnalysis:
    """Why the run failed. One that was explained by what is still enabled is answered as it is.

    ``Conflict`` where it has not ended, was cancelled or did not fail.
    """
    run = get_run(actor, run_id)
    if run.analysis_id is not None:
        known = get_analysis(actor, run.analysis_id)
        if known.analyzer in {signature(RequestAnalyzer()), *enabled_signatures()}:
            return known
    body = get_body(actor, run_id)
    failure = find_failure(run, body)
    if failure is None:
        raise Conflict(_("Only a request that failed can be explained."))
    evidence = build_run_evidence(actor, run, failure, text_of(body))
    about = About(run.name, {"base": None, "request_run_id": run_id})
    analysis = analyze_evidence(actor, evidence, about, first=(RequestAnalyzer(),))
    db.session.execute(sa.update(RequestRun).where(RequestRun.id == run_id).values(analysis_id=analysis.id))
    db.session.commit()
    return analysis


def build_run_evidence(actor: Actor, run: RequestRun, failure: Failure, text: str) -> Evidence:
    """The run as the evidence of an n8n execution; ``text`` is the body of its answer."""
    definition = RequestDefinition.model_validate(run.definition)
    values = values_for(actor, run.request_id, run.environment_id)
    workflow, node = write_workflow(definition, run.name, _plain(definition, values))
    error = error_of(run, failure, text, _reasons(run, failure, text))
    execution = write_execution(run, workflow, node, error, None)
    return build_evidence(
        execution,
        workflow,
        success=_last_success(actor, run, values),
        exchange=facts_of(run, text),
        known_secrets=[value.text for value in values if value.secret and value.text],
    )


def _reasons(run: RequestRun, failure: Failure, text: str) -> list[str]:
    if failure is Failure.CHECKS:
        return reasons_of_checks(run)
    if failure is Failure.SAYS_FAILED:
        return [failed_answer(text) or "The answer says that the call failed."]
    return english_reasons(run) or ["The request failed."]


def _last_success(actor: Actor, run: RequestRun, values: Values) -> Json | None:
    """The newest good run of the same request before this one, as an execution."""
    if run.request_id is None:
        return None
    earlier = (
        sa.select(RequestRun)
        .where(
            RequestRun.request_id == run.request_id, RequestRun.user_id == actor.user_id, RequestRun.created_at < run.created_at
        )
        .where(RequestRun.state == RunState.DONE, RequestRun.status_code < 400, RequestRun.passed.is_distinct_from(False))
        .order_by(RequestRun.created_at.desc(), RequestRun.id.desc())
        .limit(_MOST_EARLIER)
    )
    good = next((each for each in db.session.scalars(earlier) if find_failure(each, get_body(actor, each.id)) is None), None)
    if good is None:
        return None
    definition = RequestDefinition.model_validate(good.definition)
    workflow, node = write_workflow(definition, good.name, _plain(definition, values))
    return write_execution(good, workflow, node, None, {"statusCode": good.status_code})


def _plain(definition: RequestDefinition, values: Values) -> Mapping[str, str]:
    """The values that may be seen, of the variables that the request names."""
    names = find_names(definition)
    return {value.name: value.text for value in values if not value.secret and value.name in names}


# --- Showing -------------------------------------------------------------------------------------------------------


def find_explanation(actor: Actor, run: RequestRun) -> Explanation | None:
    """What is known of the failure; a model's answer where there is one. None where nobody has asked."""
    if run.analysis_id is None:
        return None
    analysis = get_analysis(actor, run.analysis_id)
    share = find_share(analysis)
    if share.call is not None and share.call.answer_id is not None and not share.is_answer:
        analysis = get_analysis(actor, share.call.answer_id)
    saved = _saved(actor, run)
    diagnosis = Diagnosis.model_validate(analysis.analysis)
    offers = tuple(_offer(run, analysis, index, each, saved) for index, each in enumerate(diagnosis.suggestions))
    return Explanation(analysis, diagnosis, offers, share, services.version_of(saved) if saved else None)


def is_explainable(actor: Actor, run: RequestRun) -> bool:
    """Whether the run failed."""
    needs_body = run.state is RunState.DONE and (run.status_code or 0) < 400
    return find_failure(run, get_body(actor, run.id) if needs_body else None) is not None


def find_repeat(actor: Actor, run: RequestRun) -> Repeat | None:
    """The newest run after a change that was made because of this one."""
    newest = sa.select(RequestRun).where(RequestRun.repeats_id == run.id, RequestRun.user_id == actor.user_id)
    found = db.session.scalar(newest.order_by(RequestRun.created_at.desc(), RequestRun.id.desc()).limit(1))
    return judge_repeat(actor, found) if found is not None else None


def judge_repeat(actor: Actor, run: RequestRun) -> Repeat:
    """Whether a run that followed a change is good."""
    is_over = run.state not in (RunState.QUEUED, RunState.RUNNING)
    return Repeat(run.id, is_over, is_over and run.state is RunState.DONE and not is_explainable(actor, run))


def applied_of(run: RequestRun) -> Json | None:
    """What was applied because of the run: its ``suggestion``, and whether that was ``undone``."""
    return db.session.scalar(sa.select(RequestRun.applied).where(RequestRun.id == run.id))


def _offer(run: RequestRun, analysis: AiAnalysis, index: int, suggestion: Suggestion, saved: Request | None) -> Offer:
    change = _read(run, analysis, suggestion) if suggestion.patch and suggestion.objection is None else None
    if change is None:
        return Offer(index, suggestion, None)
    if saved is None:
        return Offer(index, suggestion, change, _("Save the request first; then changes can be applied to it."))
    sent, now = RequestDefinition.model_validate(run.definition), definition_of(saved)
    changed = [field.part for field in change.fields]
    if any(getattr(sent, part) != getattr(now, part) for part in changed):
        return Offer(
            index, suggestion, change, _("The request has been changed since it was sent. Send it again and explain that.")
        )
    merged = now.model_copy(update={part: getattr(change.definition, part) for part in changed})
    return Offer(index, suggestion, RequestChange(merged, change.fields))


def _read(run: RequestRun, analysis: AiAnalysis, suggestion: Suggestion) -> RequestChange | None:
    evidence = Evidence.model_validate(analysis.error_data)
    definition = RequestDefinition.model_validate(run.definition)
    workflow, node = write_workflow(definition, run.name, {})
    return read_change(suggestion.patch or (), definition, base=evidence.workflow, workflow=workflow, node=node)


def _saved(actor: Actor, run: RequestRun) -> Request | None:
    if run.request_id is None:
        return None
    try:
        return services.get_request(actor, run.request_id)
    except NotFound:
        return None


# --- Changing ------------------------------------------------------------------------------------------------------


def apply_suggestion(actor: Actor, run_id: str, index: int, version: str) -> Request:
    """Make the suggested change in the saved request, if that still is the ``version`` that was shown.

    ``Conflict`` says why it can't be made; ``services.Outdated`` where somebody saved the request meanwhile.
    """
    run = get_run(actor, run_id)
    explanation = find_explanation(actor, run)
    offer = next((each for each in explanation.offers if each.index == index), None) if explanation else None
    if explanation is None or offer is None or offer.change is None or run.request_id is None:
        raise Conflict(
            offer.obstacle if offer and offer.obstacle else _("This suggestion is advice; there is no change to apply.")
        )
    if offer.obstacle:
        raise Conflict(offer.obstacle)
    saved = services.get_request(actor, run.request_id)
    draft = services.draft_of(saved).model_copy(update={"definition": offer.change.definition})
    before = definition_of(saved).model_dump(mode="json", include=set(PARTS))
    reason = {"analysis_id": explanation.analysis.id, "suggestion": index}
    changed = services.update_request(actor, saved.id, draft, version=version, because=reason, commit=False)
    applied = {**reason, "before": before, "version": services.version_of(changed), "undone": False}
    db.session.execute(sa.update(RequestRun).where(RequestRun.id == run_id).values(applied=applied))
    db.session.execute(sa.update(AiAnalysis).where(AiAnalysis.id == explanation.analysis.id).values(applied=True))
    db.session.commit()
    return changed


def undo_suggestion(actor: Actor, run_id: str) -> Request:
    """Put back what stood in the request before the change. ``Conflict`` where somebody has changed it since."""
    run = get_run(actor, run_id)
    applied = applied_of(run)
    if applied is None or applied["undone"] or run.request_id is None:
        raise Conflict(_("There is no change to undo."))
    saved = services.get_request(actor, run.request_id)
    if services.version_of(saved) != applied["version"]:
        raise Conflict(_("The request was changed after that. Undo is no longer possible; the change stays."))
    former = RequestDefinition.model_validate({**definition_of(saved).model_dump(mode="json"), **applied["before"]})
    draft = services.draft_of(saved).model_copy(update={"definition": former})
    reason = {"analysis_id": applied["analysis_id"], "undo": True}
    restored = services.update_request(actor, saved.id, draft, version=applied["version"], because=reason, commit=False)
    db.session.execute(sa.update(RequestRun).where(RequestRun.id == run_id).values(applied={**applied, "undone": True}))
    db.session.execute(sa.update(AiAnalysis).where(AiAnalysis.id == applied["analysis_id"]).values(applied=False))
    db.session.commit()
    return restored


def send_again(actor: Actor, run_id: str) -> RequestRun:
    """Queue the saved request as it stands now, in the environment of the run that failed."""
    run = get_run(actor, run_id)
    if run.request_id is None:
        raise Conflict(_("Save the request first; then changes can be applied to it."))
    saved = services.get_request(actor, run.request_id)
    started = start_run(
        actor, definition_of(saved), request_id=saved.id, environment_id=run.environment_id, name=saved.name, repeats_id=run.id
    )
    return started
