"""The worker's side of a question to a model: send it once, journal what leaves, and keep of the answer what is allowed."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from flask_babel import force_locale
from flask_babel import gettext as _
from sqlalchemy.orm import undefer

from hub.analyses.brief import count_tokens
from hub.analyses.examination import examine
from hub.analyses.model_questions import OPEN_STATES, find_ready, model_signature
from hub.analyses.model_tables import CallState, ModelCall
from hub.analyses.models import AiAnalysis
from hub.analyses.patch_policy import PatchRefused
from hub.analyses.patches import apply_change
from hub.analyses.repair_guards import blocked_cause
from hub.analyses.repair_words import describe_end
from hub.analyses.services import About, store_diagnosis
from hub.audit.services import record_event
from hub.columns import utc_now
from hub.contracts.actor import Actor
from hub.contracts.analysis import Diagnosis, Evidence, LocalizedText, Suggestion
from hub.contracts.model_analyzer import ModelAnalyzer, ModelFailure, ModelQuestion, ModelReading, ModelReply
from hub.extensions import db
from hub.storable import clean_json, clean_text

log = logging.getLogger(__name__)

#: A question whose worker died is sent once more, and then given up.
_MOST_ATTEMPTS = 2


def answer_call(call_id: str, *, beat: Callable[[], None]) -> None:
    """Ask the model and keep the answer as an analysis of its own. ``beat`` raises for a run that another worker took over."""
    call = _load(call_id)
    if call is None or call.state not in OPEN_STATES:
        return
    try:
        _answer(call, beat)
    except Exception:
        db.session.rollback()
        beat()
        _fail(call_id, _failure("internal", _interrupted_words))
        raise


def contain(evidence: Evidence, rules_cause: str, reading: ModelReading) -> ModelReading:
    """The reading without patches that the policy refuses, or that no repair of this failure may have.

    A model's word does not lift a block: what the analyzers found (wrong credentials, quota, a stop on purpose) stays.
    """
    diagnosis, notes = reading.diagnosis, list(reading.notes)
    blocked = blocked_cause(rules_cause, evidence) or blocked_cause(diagnosis.cause, evidence)
    suggestions = []
    for suggestion in diagnosis.suggestions:
        refusal = _refusal(evidence, suggestion, blocked) if suggestion.patch else None
        if refusal is not None:
            notes.append(refusal)
            suggestion = suggestion.model_copy(update={"kind": "manual", "patch": None})
        suggestions.append(suggestion)
    kept = diagnosis.model_copy(update={"suggestions": tuple(suggestions)})
    return ModelReading(diagnosis=kept, notes=tuple(notes))


class Journal:
    """Writes into the call's row what is about to happen, before it does."""

    def __init__(self, call: ModelCall, beat: Callable[[], None]) -> None:
        self._call = call
        self._beat = beat
        #: Tokens that left in this life, by estimate; counted at once, and corrected by the reply.
        self.estimated = 0

    def stage(self, name: str) -> None:
        """Show what is being done."""
        self._beat()
        self._call.stage = name
        db.session.commit()

    def sending(self, body: str) -> None:
        """Keep the exact body that leaves."""
        self._beat()
        tokens = count_tokens(body)
        self.estimated += tokens
        self._call.tokens_in += tokens
        self._call.sent = [*self._call.sent, clean_text(body)]
        db.session.commit()


# --- Parts ---------------------------------------------------------------------------------------------------------


def _answer(call: ModelCall, beat: Callable[[], None]) -> None:
    ready = find_ready()
    asked = db.session.get(AiAnalysis, call.analysis_id or "", options=[undefer(AiAnalysis.error_data)])
    if ready is None or asked is None:
        _fail(call.id, _failure("not-set-up", _not_set_up_words))
        return
    analyzer, identity = ready
    _note_lost_life(call)
    if call.attempts >= _MOST_ATTEMPTS:
        _fail(call.id, _failure("lost", _lost_words))
        return
    call.state, call.stage, call.attempts = CallState.RUNNING, "preparing", call.attempts + 1
    db.session.commit()
    evidence = Evidence.model_validate(asked.error_data)
    question = analyzer.prepare(evidence)
    call.analyzer, call.model, call.cache_key = analyzer.name, clean_text(question.model)[:200], question.cache_key
    content = _kept_answer(call)
    if content is None:
        content = _ask(call, analyzer, question, beat)
    if content is None:
        return
    beat()
    call.stage = "checking"
    db.session.commit()
    reading = contain(evidence, asked.cause, analyzer.read(evidence, question, content))
    beat()
    _keep(call, asked, evidence, reading, model_signature(analyzer, identity))


def _ask(call: ModelCall, analyzer: ModelAnalyzer, question: ModelQuestion, beat: Callable[[], None]) -> str | None:
    """The text of the answer; None where there is none, which is then noted."""
    journal = Journal(call, beat)
    db.session.commit()  # no transaction while the model is asked
    reply = analyzer.ask(question, journal)
    beat()
    _count(call, reply, journal.estimated)
    if reply.content is None:
        _fail(call.id, reply.failure or _failure("internal", _interrupted_words))
        return None
    call.content = clean_text(reply.content)
    db.session.commit()
    return call.content


def _count(call: ModelCall, reply: ModelReply, estimated: int) -> None:
    """Correct the estimate of this life by what the server counted, where it counts."""
    call.seconds = (call.seconds or 0.0) + reply.seconds
    if reply.cost is not None:
        call.cost = (call.cost or 0.0) + reply.cost
    if reply.tokens_in is None:
        call.tokens_out += count_tokens(reply.content or "")
        call.is_estimate = call.is_estimate or estimated > 0
    else:
        call.tokens_in += reply.tokens_in - estimated
        call.tokens_out += reply.tokens_out or 0
    db.session.commit()


def _note_lost_life(call: ModelCall) -> None:
    """What left in a life whose worker died was perhaps paid for, and its answer is lost: say so. Its estimate stays counted."""
    if call.attempts == 0 or not call.sent:
        return
    call.is_estimate = True
    call.notes = [*call.notes, _in_both(_lost_note_words).model_dump()]
    db.session.commit()


def _kept_answer(call: ModelCall) -> str | None:
    """The answer to the same question of the same person, where one is kept."""
    if call.fresh:
        return None
    same = sa.and_(ModelCall.user_id == call.user_id, ModelCall.cache_key == call.cache_key, ModelCall.content.is_not(None))
    statement = sa.select(ModelCall.content).where(same, ModelCall.state == CallState.DONE)
    content = db.session.scalar(statement.order_by(ModelCall.created_at.desc()).limit(1))
    if content is not None:
        call.from_cache, call.content = True, content
        db.session.commit()
    return content


def _keep(call: ModelCall, asked: AiAnalysis, evidence: Evidence, reading: ModelReading, signature: str) -> None:
    """Store the answer as a new analysis; the one that it was asked about stays as it is."""
    diagnosis = examine(reading.diagnosis, evidence)
    answer = store_diagnosis(
        Actor(user_id=asked.user_id, via="job"),
        evidence,
        diagnosis,
        signature,
        About(asked.title, asked.request_data or {"base": None}, asked.execution_id, asked.fingerprint, asked.fingerprint_case),
    )
    call.answer_id, call.state, call.stage, call.finished_at = answer.id, CallState.DONE, None, utc_now()
    call.notes = [*call.notes, *(clean_json(note.model_dump()) for note in reading.notes)]
    db.session.commit()


def _refusal(evidence: Evidence, suggestion: Suggestion, blocked: bool) -> LocalizedText | None:
    """Why the suggestion's patch must not be offered; None where it may."""
    if blocked:
        return _in_both(lambda: describe_end("blocked-cause", {}))
    try:
        apply_change(suggestion.patch or (), base=evidence.workflow, current=evidence.workflow)
    except PatchRefused as refused:
        details: dict[str, Any] = {"reason": refused.code, **refused.details}
        return _in_both(lambda: describe_end("patch-refused", details))
    return None


def _load(call_id: str) -> ModelCall | None:
    return db.session.get(ModelCall, call_id, populate_existing=True, options=[undefer(ModelCall.sent)])


def _fail(call_id: str, failure: ModelFailure) -> None:
    call = _load(call_id)
    if call is None:
        return
    call.state, call.stage, call.finished_at = CallState.FAILED, None, utc_now()
    call.failure = clean_json(failure.model_dump())
    details = {"model": call.model, "reason": failure.code}
    record_event(
        Actor(user_id=call.user_id, via="job"), "analysis.ask_model", "model_call", call_id, success=False, details=details
    )
    db.session.commit()


def _failure(code: str, words: Callable[[], str]) -> ModelFailure:
    return ModelFailure(code=code, words=_in_both(words))


def _in_both(words: Callable[[], str]) -> LocalizedText:
    """What ``words`` says in each of the hub's languages."""
    said = {}
    for language in ("en", "ar"):
        with force_locale(language):
            said[language] = clean_text(words())
    return LocalizedText(**said)


def _not_set_up_words() -> str:
    return _("The model was switched off before it was asked.")


def _interrupted_words() -> str:
    return _("The hub itself failed while it asked. The worker's log says where.")


def _lost_words() -> str:
    return _("The worker stopped twice while it asked. What was sent may have been billed; ask again if you want.")


def _lost_note_words() -> str:
    return _(
        "The worker stopped after it had sent the question, so it was sent a second time. "
        "The first is counted by estimate and may have been billed."
    )


def diagnose_with_model(evidence: Evidence, rules: Diagnosis, journal: Any) -> tuple[ModelReply, ModelReading | None]:
    """Ask the model now and keep nothing; for the command line. ``LookupError`` where none is set up."""
    ready = find_ready()
    if ready is None:
        raise LookupError("no model is set up")
    analyzer, _identity = ready
    question = analyzer.prepare(evidence)
    reply = analyzer.ask(question, journal)
    if reply.content is None:
        return reply, None
    return reply, contain(evidence, rules.cause, analyzer.read(evidence, question, reply.content))
