"""Sending requests, and what came of it, as JSON."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext as _
from pydantic import Field

from hub.accounts.web import current_actor
from hub.contracts.http import RequestDefinition
from hub.errors import Conflict
from hub.http_builder import sending, services
from hub.http_builder.definitions import definition_of
from hub.http_builder.models import RequestRun, RunState
from hub.http_builder.rendering.words import describe_note, describe_problem
from hub.http_builder.request_types import NoteResource, definition_in
from hub.http_builder.responses.comparing import compare_runs, find_previous
from hub.http_builder.run_types import HeaderResource, RunBodyResource, RunList, RunResource, run_list, run_resource
from hub.http_builder.running import cancel_run, get_run, list_runs, view_run
from hub.http_builder.sending import Typed
from hub.json_api import ListQuery, Resource, operation


class NewRun(Resource):
    """How to send a saved request."""

    environment_id: str | None = Field(None, description="Left out: the active environment.")
    secrets: dict[str, str] = Field(default_factory=dict, description="Values for this run alone, by name; kept until it ended.")


class AdHocRequest(RequestDefinition, Resource):
    """A request that is not saved."""

    name: str = ""
    environment_id: str | None = Field(None, description="Left out: the active environment.")
    secrets: dict[str, str] = Field(default_factory=dict, description="Values by name; they may go to the URL's host.")

    def typed(self) -> Typed:
        """For the service, with literal secrets taken out of the definition."""
        return sending.typed_definition(definition_in(self), self.name, self.secrets)


class RunQuery(ListQuery):
    """Which runs; filters left out do not filter."""

    request_id: str | None = None
    state: RunState | None = None
    status: str | None = Field(None, description="A status code, or a class of them such as 4xx.")


class ComparisonQuery(Resource):
    """What to compare with."""

    before: str | None = Field(None, description="The id of the other run; left out: the last answer of the same request.")


class HeaderDifference(Resource):
    """A header that differs; null where it is missing."""

    name: str
    before: str | None
    after: str | None


class BodyDifference(Resource):
    """One difference between two JSON bodies, with its JSONPath."""

    kind: str = Field(description="added, removed, changed or moved; for moved, before and after are the paths.")
    path: str
    before: str | None
    after: str | None


class ComparisonResource(Resource):
    """Two answers beside each other."""

    before: str = Field(description="Id of the run.")
    after: str = Field(description="Id of the run.")
    status_before: int | None
    status_after: int | None
    kind: str = Field(description="How the bodies were compared: same, json, text, binary, or none where neither has one.")
    headers: list[HeaderDifference]
    changes: list[BodyDifference]
    lines: list[str] = Field(description="A unified difference, where both are text.")
    complete: bool = Field(description="Whether everything that differs is here.")


class ProblemOfRequest(Resource):
    """Why a request can't be sent as it is."""

    place: str
    code: str
    says: str


class RequestPreview(Resource):
    """What would be sent, secrets masked. Nothing was."""

    method: str
    url: str
    headers: list[HeaderResource]
    body: str | None
    body_size: int
    body_cut: bool
    signed: str | None = Field(description="Exactly what is signed (HMAC, AWS).")
    notes: list[NoteResource]
    problems: list[ProblemOfRequest]


@operation("POST", "/requests/<request_id>/runs", scope="runs:write", answer=RunResource, status=202, errors=(404,))
def send_request(request_id: str, json: NewRun) -> Any:
    """Send a saved request. The worker does it at once; ask the run how it went."""
    actor = current_actor()
    request = services.get_request(actor, request_id)
    typed = Typed(request.name, definition_of(request), json.secrets)
    return started(sending.start(actor, typed, request_id=request_id, environment_id=json.environment_id))


@operation("POST", "/runs", scope="runs:write", answer=RunResource, status=202, errors=(404,))
def send_definition(json: AdHocRequest) -> Any:
    """Send a request without saving it."""
    return started(sending.start(current_actor(), json.typed(), request_id=None, environment_id=json.environment_id))


@operation("POST", "/requests/<request_id>/preview", scope="requests:read", answer=RequestPreview, errors=(404, 409))
def preview_request(request_id: str, json: NewRun) -> Any:
    """What would be sent of a saved request, and what stands in the way."""
    actor = current_actor()
    request = services.get_request(actor, request_id)
    typed = Typed(request.name, definition_of(request), json.secrets)
    return _shown(sending.preview(actor, typed, request_id=request_id, environment_id=json.environment_id))


@operation("POST", "/requests/preview", scope="requests:read", answer=RequestPreview, errors=(404, 409))
def preview_definition(json: AdHocRequest) -> Any:
    """What would be sent of a request that is not saved."""
    return _shown(sending.preview(current_actor(), json.typed(), request_id=None, environment_id=json.environment_id))


@operation("GET", "/runs", scope="runs:read", answer=RunList)
def list_request_runs(query: RunQuery) -> Any:
    """What was sent, newest first."""
    return run_list(list_runs(current_actor(), **dict(query)))


@operation("GET", "/runs/<request_run_id>", scope="runs:read", answer=RunResource, errors=(404,))
def get_request_run(request_run_id: str) -> Any:
    """One run as it stands, without the answer's body."""
    return _run(get_run(current_actor(), request_run_id))


@operation("GET", "/runs/<request_run_id>/body", scope="runs:read", answer=RunBodyResource, errors=(404,))
def get_request_run_body(request_run_id: str) -> Any:
    """The body of a run's answer."""
    actor = current_actor()
    view = view_run(actor, get_run(actor, request_run_id))
    return RunBodyResource(
        media_type=view.media_type,
        body_size=view.body_size,
        truncated=view.truncated,
        body=view.text,
        body_base64=view.base64,
    )


@operation("GET", "/runs/<request_run_id>/comparison", scope="runs:read", answer=ComparisonResource, errors=(404, 409))
def compare_request_runs(request_run_id: str, query: ComparisonQuery) -> Any:
    """What differs between a run's answer and that of an earlier run."""
    actor = current_actor()
    after = get_run(actor, request_run_id)
    before = get_run(actor, query.before) if query.before else find_previous(actor, after)
    if before is None:
        raise Conflict(_("There is no earlier answer of this request to compare with."))
    found = compare_runs(actor, before, after)
    return ComparisonResource(
        before=before.id,
        after=after.id,
        status_before=before.status_code,
        status_after=after.status_code,
        kind=found.kind,
        headers=[HeaderDifference.model_validate(each) for each in found.headers],
        changes=[BodyDifference.model_validate(each) for each in found.changes.rows] if found.changes else [],
        lines=list(found.lines),
        complete=found.complete and found.more_headers == 0 and (found.changes is None or found.changes.complete),
    )


@operation("POST", "/runs/<request_run_id>/cancel", scope="runs:write", answer=RunResource, errors=(404, 409))
def cancel_request_run(request_run_id: str) -> Any:
    """Give up a run that waits or is under way."""
    return _run(cancel_run(current_actor(), request_run_id))


def started(run: RequestRun) -> Any:
    """The answer for a run that was queued."""
    return _run(run), {"Location": f"/api/v1/runs/{run.id}"}


def _run(run: RequestRun) -> RunResource:
    return run_resource(view_run(current_actor(), run))


def _shown(preview: Any) -> RequestPreview:
    return RequestPreview(
        method=preview.method,
        url=preview.url,
        headers=[HeaderResource(name=name, value=value) for name, value in preview.headers],
        body=preview.body,
        body_size=preview.body_size,
        body_cut=preview.body_cut,
        signed=preview.signed,
        notes=[NoteResource(code=note.code, details=note.details, says=describe_note(note)) for note in preview.notes],
        problems=[ProblemOfRequest(place=each.place, code=each.code, says=describe_problem(each)) for each in preview.problems],
    )
