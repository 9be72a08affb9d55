"""Questions to a model: asked for by a person, or by the hub for what the analyzers leave; answered by the worker."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import sqlalchemy as sa
from flask import current_app
from flask_babel import gettext as _
from sqlalchemy.orm import undefer

from hub.analyses.model_limits import check_limit
from hub.analyses.model_tables import CallState, ModelCall
from hub.analyses.models import AiAnalysis
from hub.audit.services import record_event
from hub.contracts.actor import Actor
from hub.contracts.analysis import Diagnosis
from hub.contracts.model_analyzer import ModelAnalyzer
from hub.errors import Conflict, TooMany
from hub.extensions import db
from hub.jobs.services import enqueue

log = logging.getLogger(__name__)

OPEN_STATES = (CallState.QUEUED, CallState.RUNNING)


@dataclass(frozen=True, slots=True)
class ModelShare:
    """What a model has to do with an analysis. ``call`` is the newest question about it, or the one that it answers."""

    call: ModelCall | None
    #: Whether the analysis is the model's answer.
    is_answer: bool
    #: The model that could be asked; None where none is set up.
    identity: str | None


def find_ready() -> tuple[ModelAnalyzer, str] | None:
    """The first model analyzer that an operator has set up, with its identity."""
    analyzers: dict[str, ModelAnalyzer] = current_app.extensions["hub_plugins"].registry.model_analyzers
    for analyzer in analyzers.values():
        identity = analyzer.identity()
        if identity is not None:
            return analyzer, identity
    return None


def model_signature(analyzer: ModelAnalyzer, identity: str) -> str:
    """What an analysis keeps of who made it."""
    return f"{analyzer.name} {identity}"[:60]


def ready_signatures() -> set[str]:
    """The signature of the model that would be asked now."""
    ready = find_ready()
    return {model_signature(*ready)} if ready else set()


def ask_where_left(actor: Actor, analysis: AiAnalysis, diagnosis: Diagnosis) -> ModelCall | None:
    """Queue a question where a model takes over what the analyzers left. Over the limit nothing is asked; the page says so."""
    ready = find_ready()
    if ready is None or not ready[0].takes_over(diagnosis):
        return None
    try:
        return _queue(actor, analysis, *ready, fresh=False)
    except TooMany as refused:
        log.info("the model is not asked about analysis %s: %s", analysis.id, refused)
        db.session.rollback()
        return None


def ask_model(actor: Actor, analysis: AiAnalysis) -> ModelCall:
    """Queue a question about one of the actor's analyses; the one under way where there is one.

    ``Conflict`` where no model is set up, ``TooMany`` over the limit. Asking again never takes the kept answer.
    """
    ready = find_ready()
    if ready is None:
        raise Conflict(_("No model is set up. An operator can do that under Plugins."))
    share = find_share(analysis)
    if share.is_answer and share.call is not None and share.call.analysis_id is not None:
        analysis = db.session.get_one(AiAnalysis, share.call.analysis_id)
    return _queue(actor, analysis, *ready, fresh=share.call is not None)


def find_share(analysis: AiAnalysis, *, with_sent: bool = False) -> ModelShare:
    """What a model has to do with the analysis."""
    about = sa.or_(ModelCall.answer_id == analysis.id, ModelCall.analysis_id == analysis.id)
    # The question that this analysis answers comes before those that were asked about it.
    order = (sa.case((ModelCall.answer_id == analysis.id, 0), else_=1), ModelCall.created_at.desc(), ModelCall.id.desc())
    statement = sa.select(ModelCall).where(about, ModelCall.user_id == analysis.user_id).order_by(*order).limit(1)
    call = db.session.scalar(statement.options(undefer(ModelCall.sent)) if with_sent else statement)
    ready = find_ready()
    return ModelShare(call, call is not None and call.answer_id == analysis.id, ready[1] if ready else None)


def _queue(actor: Actor, analysis: AiAnalysis, analyzer: ModelAnalyzer, identity: str, *, fresh: bool) -> ModelCall:
    assert actor.user_id is not None  # noqa: S101 (the hub itself asks nothing)
    check_limit(actor.user_id)  # before the look for an open question: it holds the person's row
    statement = sa.select(ModelCall).where(ModelCall.analysis_id == analysis.id, ModelCall.state.in_(OPEN_STATES))
    running = db.session.scalar(statement.limit(1))
    if running is not None:
        db.session.rollback()
        return running
    call = ModelCall(
        user_id=actor.user_id, analysis_id=analysis.id, analyzer=analyzer.name, model=identity.rpartition("/")[0], fresh=fresh
    )
    db.session.add(call)
    db.session.flush()
    enqueue("analysis.ask_model", unique_key=f"model:{call.id}", call_id=call.id)
    record_event(actor, "analysis.ask_model", "analysis", analysis.id, details={"model": identity, "call_id": call.id})
    db.session.commit()
    return call
