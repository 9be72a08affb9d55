"""Saved requests as they cross the JSON API: the definition's fields beside the name, as the seed has them."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from hub.contracts.actor import Actor
from hub.contracts.catalog import HttpMethod
from hub.contracts.http import Note, RequestDefinition, RequestDraft
from hub.http_builder import services
from hub.http_builder.definitions import definition_of
from hub.http_builder.importing import describe_note
from hub.http_builder.models import Request, RunState
from hub.http_builder.services import Order, SecretChange
from hub.json_api import ListOf, ListQuery, Resource, Time

#: The names of a definition's fields.
DEFINITION = frozenset(RequestDefinition.model_fields)


class SecretResource(Resource):
    """A secret variable of a request. Its value is never shown."""

    name: str
    hosts: list[str] = Field(description="Where it may go.")


class SecretInput(Resource):
    """A secret variable to store. Secrets that are not named stay as they are."""

    name: str
    value: str | None = Field(None, description="Left out: the stored value stays.")
    hosts: list[str] | None = Field(None, description="Where it may go; left out: to the host of the request's URL.")
    removed: bool = False

    def as_change(self) -> SecretChange:
        """For the service."""
        hosts = None if self.hosts is None else tuple(self.hosts)
        return SecretChange(self.name, self.value, hosts, self.removed)


class RequestRowResource(Resource):
    """A request in a list, with what came of its newest run; those are null where it was never sent."""

    id: str
    name: str
    description: str | None
    method: HttpMethod
    url: str
    folder: str | None
    tags: list[str]
    favorite: bool
    service_id: str | None
    usage_count: int
    last_used: Time | None
    updated_at: Time
    run_id: str | None
    run_state: RunState | None
    status_code: int | None
    passed: bool | None


class RequestList(ListOf[RequestRowResource]):
    """A page of requests."""


class RequestQuery(ListQuery):
    """Which requests; filters left out do not filter."""

    search: str | None = Field(None, description="Words in the name, URL, description, folder or tags.")
    method: HttpMethod | None = None
    folder: str | None = Field(None, description="A folder with those below it.")
    tag: str | None = None
    favorite: bool | None = None
    service: str | None = Field(None, description="Made from this service's templates.")
    order: Order = Field(Order.CHANGED, description="What stands first: changed last, or used last.")


class RequestResource(RequestDefinition, Resource):
    """A saved request. Its secrets are named only; where one stands the definition has its placeholder."""

    id: str
    name: str
    description: str | None
    folder: str | None
    tags: list[str]
    documentation: str | None
    favorite: bool
    usage_count: int
    last_used: Time | None
    service_id: str | None
    endpoint_id: str | None
    secrets: list[SecretResource]
    version: str = Field(description="Send it with a change, so that it is refused where somebody else saved meanwhile.")
    created_at: Time
    updated_at: Time


class NewRequest(RequestDefinition, Resource):
    """A request to save. Literal secrets in auth and headers are stored encrypted, a placeholder takes their place."""

    name: str
    description: str | None = None
    folder: str | None = Field(None, description='Names with "/" between.')
    tags: list[str] = Field(default_factory=list)
    documentation: str | None = None
    favorite: bool = False
    secrets: list[SecretInput] = Field(default_factory=list)

    def as_draft(self) -> RequestDraft:
        """For the service."""
        return RequestDraft(
            name=self.name,
            definition=definition_in(self),
            description=self.description,
            folder=self.folder,
            tags=tuple(self.tags),
            documentation=self.documentation,
        )


class ChangedRequest(RequestDefinition, Resource):
    """What to change; what is left out stays as it is."""

    name: str | None = None
    description: str | None = None
    folder: str | None = None
    tags: list[str] | None = None
    documentation: str | None = None
    favorite: bool | None = None
    secrets: list[SecretInput] = Field(default_factory=list)
    version: str | None = Field(None, description="The version that was read.")

    def change(self, draft: RequestDraft) -> RequestDraft:
        """The draft with what was sent."""
        sent = self.model_fields_set
        definition = draft.definition.model_copy(update={name: getattr(self, name) for name in sent & DEFINITION})
        texts = {name: getattr(self, name) for name in sent & {"description", "folder", "documentation"}}
        name = draft.name if self.name is None else self.name
        tags = draft.tags if self.tags is None else tuple(self.tags)
        return draft.model_copy(update={**texts, "name": name, "tags": tags, "definition": definition})

    @property
    def changes_content(self) -> bool:
        """Whether more than the favourite's mark is sent."""
        return bool(self.model_fields_set - {"favorite", "version"})


class NoteResource(Resource):
    """What was left out or changed on the way."""

    code: str
    details: dict[str, str | int]
    says: str


def definition_in(fields: RequestDefinition) -> RequestDefinition:
    """The definition among the fields of a type that has more."""
    return RequestDefinition(**{name: getattr(fields, name) for name in DEFINITION})


def request_resource(actor: Actor, request: Request) -> RequestResource:
    """A request with the names of its secrets."""
    definition = definition_of(request)
    secrets = [SecretResource.model_validate(row) for row in services.list_request_secrets(actor, request.id)]
    own: dict[str, Any] = {
        name: getattr(request, name)
        for name in RequestResource.model_fields
        if name not in DEFINITION and name not in ("secrets", "version")
    }
    parts = {name: getattr(definition, name) for name in DEFINITION}
    return RequestResource(**own, **parts, secrets=secrets, version=services.version_of(request))


def note_resources(notes: tuple[Note, ...]) -> list[NoteResource]:
    """Notes of importers and exporters with their words."""
    return [NoteResource(code=note.code, details=note.details, says=describe_note(note)) for note in notes]
