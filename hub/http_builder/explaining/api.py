"""Why a request failed, and the change that mends it, as JSON."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from hub.accounts.web import current_actor
from hub.contracts.actor import Actor
from hub.contracts.analysis import Cause, LocalizedText
from hub.http_builder.explaining import services
from hub.http_builder.explaining.services import Offer
from hub.http_builder.request_types import RequestResource, request_resource
from hub.http_builder.running import get_run
from hub.json_api import Resource, operation


class Words(Resource):
    """The same words in both languages."""

    en: str
    ar: str


class PartChange(Resource):
    """One part of the request as it is and as it would be."""

    part: str
    old: str
    new: str


class OfferResource(Resource):
    """One suggestion; advice where nothing changes."""

    title: Words
    explanation: Words
    changes: list[PartChange]
    obstacle: str | None = Field(description="Why the change can't be applied to the saved request.")


class RunExplanation(Resource):
    """Why a request failed, and what can be done."""

    analysis_id: str
    cause: Cause
    summary: Words
    confidence: float
    source: str
    suggestions: list[OfferResource]
    version: str | None = Field(description="The saved request's version, to be sent along with the change.")


class ChosenSuggestion(Resource):
    """Which change to make, and of which version of the request."""

    suggestion: int = Field(ge=0, description="Its place in the list, from 0.")
    version: str


@operation("POST", "/runs/<request_run_id>/explanation", scope="runs:write", answer=RunExplanation, errors=(402, 404, 409))
def explain_request_run(request_run_id: str) -> Any:
    """Explain a failed run. One that was explained before answers the same."""
    actor = current_actor()
    services.explain_run(actor, request_run_id)
    return _explanation(actor, request_run_id)


@operation(
    "POST",
    "/runs/<request_run_id>/explanation/apply",
    scope="requests:write",
    answer=RequestResource,
    errors=(404, 409),
)
def apply_run_suggestion(request_run_id: str, json: ChosenSuggestion) -> Any:
    """Make the suggested change in the saved request. Nothing is sent."""
    actor = current_actor()
    return request_resource(actor, services.apply_suggestion(actor, request_run_id, json.suggestion, json.version))


@operation("POST", "/runs/<request_run_id>/explanation/undo", scope="requests:write", answer=RequestResource, errors=(404, 409))
def undo_run_suggestion(request_run_id: str) -> Any:
    """Put back what stood in the request before the change."""
    actor = current_actor()
    return request_resource(actor, services.undo_suggestion(actor, request_run_id))


def _explanation(actor: Actor, run_id: str) -> RunExplanation:
    found = services.find_explanation(actor, get_run(actor, run_id))
    assert found is not None  # noqa: S101 (it was explained just now)
    return RunExplanation(
        analysis_id=found.analysis.id,
        cause=found.diagnosis.cause,
        summary=_words(found.diagnosis.summary),
        confidence=found.diagnosis.confidence,
        source=found.diagnosis.source,
        suggestions=[_offer(offer) for offer in found.offers],
        version=found.version,
    )


def _offer(offer: Offer) -> OfferResource:
    fields = offer.change.fields if offer.change else ()
    return OfferResource(
        title=_words(offer.suggestion.title),
        explanation=_words(offer.suggestion.explanation),
        changes=[PartChange(part=field.part, old=field.old, new=field.new) for field in fields],
        obstacle=offer.obstacle or None,
    )


def _words(text: LocalizedText) -> Words:
    return Words(en=text.en, ar=text.ar)
