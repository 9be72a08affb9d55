"""Saving requests into workflows of n8n, as JSON."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from hub.accounts.web import current_actor
from hub.analyses.api import DifferenceResource
from hub.analyses.presentation import unified_lines
from hub.http_builder.n8n import saving
from hub.http_builder.n8n.executions import draft_from_execution
from hub.http_builder.n8n.models import NodeSave, SaveState
from hub.http_builder.n8n.node import NodeChoices
from hub.http_builder.n8n.saving import Wish, make_target
from hub.http_builder.n8n.words import describe_save
from hub.http_builder.request_types import NoteResource, RequestResource, note_resources, request_resource
from hub.http_builder.services import create_request, get_request
from hub.json_api import Flag, Resource, Time, operation


class Placement(Resource):
    """Where a request goes in a workflow, and how."""

    node: str | None = Field(None, description="An HTTP Request node of the workflow to change; left out: a new one.")
    name: str = Field("HTTP Request", description="Of the new node.")
    after: str | None = Field(None, description="The node that the new one follows; left out: it stands by itself.")
    credential_id: str | None = Field(None, description="n8n's id of the credential that signs in.")
    full_response: Flag = False
    never_error: Flag = False
    live: Flag = Field(False, description="Put it live too; else it is a draft where n8n knows drafts.")

    def wish(self) -> Wish:
        """For the service."""
        target = make_target(self.node, self.after, self.name)
        choices = NodeChoices(full_response=self.full_response, never_error=self.never_error)
        return Wish(target, choices, credential_id=self.credential_id, live=self.live)


class AgreedPlacement(Placement):
    """The same, as it was previewed."""

    digest: str = Field("", description="Of the preview; 409 where the workflow or the request is another by now.")


class CredentialResource(Resource):
    """A credential of the workflow's n8n that could sign the request in."""

    id: str
    type: str
    name: str


class CredentialList(Resource):
    """Those that nodes of the same n8n use."""

    data: list[CredentialResource]


class SavePreviewResource(Resource):
    """What a save would change in the workflow as it is in n8n now."""

    differences: list[DifferenceResource]
    notes: list[NoteResource]
    warnings: list[str]
    digest: str | None = Field(description="Send it with the save; null where there is nothing to save.")
    obstacle: str | None = Field(description="Why it can't be saved.")


class NodeSaveResource(Resource):
    """A request that was saved into a workflow."""

    id: str
    request_id: str
    workflow_id: str
    node: str
    is_new: bool
    state: SaveState = Field(description="SAVING: n8n did not answer, it may or may not be saved.")
    went_live: bool
    problem: str | None
    message: str | None = Field(description="n8n's own words.")
    says: str
    created_at: Time
    undone_at: Time | None


class NodeSaveList(Resource):
    """The newest saves of a request."""

    data: list[NodeSaveResource]


class ExecutionNode(Resource):
    """Which node of an execution."""

    node: str | None = Field(None, description="Left out: the one that failed.")


_PATH = "/requests/<request_id>/n8n/<workflow_id>"


@operation("GET", f"{_PATH}/credentials", scope="requests:read", answer=CredentialList, errors=(404,))
def list_n8n_credentials(request_id: str, workflow_id: str) -> Any:
    """Credentials of the workflow's n8n that could sign the request in."""
    found = saving.credential_choices(current_actor(), request_id, workflow_id)
    return CredentialList(data=[CredentialResource.model_validate(each) for each in found])


@operation("POST", f"{_PATH}/preview", scope="requests:read", answer=SavePreviewResource, errors=(404, 409))
def preview_save_to_n8n(request_id: str, workflow_id: str, json: Placement) -> Any:
    """What saving the request into the workflow would change."""
    actor = current_actor()
    get_request(actor, request_id)
    preview = saving.preview_save(actor, request_id, workflow_id, json.wish())
    differences = []
    for difference in preview.differences:
        title, lines = unified_lines(difference)
        differences.append(DifferenceResource(title=title, node=difference.node, path=difference.path, lines=lines))
    return SavePreviewResource(
        differences=differences,
        notes=note_resources(preview.notes),
        warnings=list(preview.warnings),
        digest=preview.digest,
        obstacle=preview.obstacle,
    )


@operation("POST", _PATH, scope="requests:write", answer=NodeSaveResource, status=201, errors=(404, 409))
def save_request_to_n8n(request_id: str, workflow_id: str, json: AgreedPlacement) -> Any:
    """Save the request into the workflow, as it was previewed."""
    actor = current_actor()
    get_request(actor, request_id)
    made = saving.save_to_n8n(actor, request_id, workflow_id, json.wish(), json.digest)
    return _save(made), {"Location": f"/api/v1/n8n-saves/{made.id}"}


@operation("GET", "/requests/<request_id>/n8n-saves", scope="requests:read", answer=NodeSaveList, errors=(404,))
def list_n8n_saves(request_id: str) -> Any:
    """Into which workflows a request was saved."""
    actor = current_actor()
    get_request(actor, request_id)
    return NodeSaveList(data=[_save(save) for save, _name in saving.list_saves(actor, request_id)])


@operation("GET", "/n8n-saves/<save_id>", scope="requests:read", answer=NodeSaveResource, errors=(404,))
def get_n8n_save(save_id: str) -> Any:
    """What became of one save."""
    return _save(saving.get_save(current_actor(), save_id))


@operation("POST", "/n8n-saves/<save_id>/undo", scope="requests:write", answer=NodeSaveResource, errors=(404, 409))
def undo_n8n_save(save_id: str) -> Any:
    """Take a save back; 409 where its nodes were changed since."""
    return _save(saving.undo_save(current_actor(), save_id))


@operation(
    "POST",
    "/executions/<execution_id>/request",
    scope="requests:write",
    answer=RequestResource,
    status=201,
    errors=(402, 404, 409),
)
def make_request_of_execution(execution_id: str, json: ExecutionNode) -> Any:
    """Make a request of a HTTP Request node as it ran in an execution."""
    actor = current_actor()
    made = create_request(actor, draft_from_execution(actor, execution_id, json.node))
    return request_resource(actor, made), {"Location": f"/api/v1/requests/{made.id}"}


def _save(save: NodeSave) -> NodeSaveResource:
    words, _tone = describe_save(save)
    own = {name: getattr(save, name) for name in NodeSaveResource.model_fields if name != "says"}
    return NodeSaveResource(**own, says=words)
