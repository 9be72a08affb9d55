"""Services and their templates as JSON: find one, fill it in, try the key."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from hub.accounts.web import current_actor
from hub.catalog import services as catalog
from hub.contracts.catalog import HttpMethod
from hub.http_builder import pack_use
from hub.http_builder.key_verdict import judge_key
from hub.http_builder.pack_use import FillField
from hub.http_builder.request_types import RequestResource, request_resource
from hub.http_builder.run_api import started
from hub.http_builder.run_types import RunResource
from hub.http_builder.running import get_run
from hub.json_api import ListOf, ListQuery, Resource, list_answer, operation


class ServiceResource(Resource):
    """A service that has templates."""

    service_id: str
    service_name: str
    description: str | None
    category: str
    documentation: str | None
    hosts: list[str] = Field(description="Where its secrets may go.")
    endpoints: int = Field(description="How many templates it has.")
    usage_count: int
    is_official: bool
    has_test: bool = Field(description="Whether its key can be tested.")


class ServiceList(Resource):
    """All services, by name."""

    data: list[ServiceResource]


class ServiceQuery(Resource):
    """Which services; filters left out do not filter."""

    category: str | None = None
    search: str | None = Field(None, description="Words in names and descriptions, in English or Arabic.")


class TemplateResource(Resource):
    """A ready request of a service."""

    id: str
    service_id: str
    service_name: str
    service_icon: str | None
    category: str
    endpoint_id: str
    endpoint_name: str
    description: str | None
    method: HttpMethod
    url_template: str
    headers: dict[str, Any]
    body_template: Any
    variables: list[dict[str, Any]]
    documentation: str | None
    is_official: bool
    usage_count: int


class TemplateList(ListOf[TemplateResource]):
    """A page of templates, by service and name."""


class TemplateQuery(ListQuery):
    """Which templates; filters left out do not filter."""

    service: str | None = None
    category: str | None = None
    search: str | None = Field(None, description="Words in names and descriptions, in English or Arabic.")


class FieldResource(Resource):
    """A value to fill in."""

    name: str
    description: str
    required: bool
    secret: bool
    is_stored: bool = Field(description="Whether a secret is kept already, so that it may be left out.")
    value: str = Field(description="What is kept, or the default; empty for a secret.")
    example: str | None
    pattern: str | None


class FilledTemplateResource(TemplateResource):
    """A template with what it asks for."""

    fields: list[FieldResource]


class AuthQuery(Resource):
    """Which of a service's ways to sign in."""

    auth: str = Field("", description="The id of another way than the usual one.")


class FillInput(Resource):
    """Values by name."""

    values: dict[str, str] = Field(default_factory=dict)
    auth: str = Field("", description="The id of another way to sign in than the usual one.")


class KeyVerdictResource(Resource):
    """What a test of a key told."""

    tone: str = Field(description="good, bad, warn, or info while it is under way.")
    title: str
    text: str
    is_under_way: bool


@operation("GET", "/services", scope="templates:read", answer=ServiceList)
def list_template_services(query: ServiceQuery) -> Any:
    """The services that have templates."""
    cards = catalog.list_services(current_actor(), category=query.category, search=query.search)
    return ServiceList(data=[_service(card) for card in cards])


@operation("POST", "/services/<service_id>/test", scope="runs:write", answer=RunResource, status=202, errors=(404,))
def try_service_key(service_id: str, json: FillInput) -> Any:
    """Keep a service's values and send its test request."""
    return started(pack_use.try_key(current_actor(), service_id, json.values, json.auth))


@operation("GET", "/services/test/<request_run_id>", scope="runs:read", answer=KeyVerdictResource, errors=(404,))
def judge_service_key(request_run_id: str) -> Any:
    """Whether the key that a test run sent works."""
    return KeyVerdictResource.model_validate(judge_key(get_run(current_actor(), request_run_id)))


@operation("GET", "/templates", scope="templates:read", answer=TemplateList)
def list_service_templates(query: TemplateQuery) -> Any:
    """The ready requests of all services."""
    return list_answer(TemplateList, TemplateResource, catalog.list_templates(current_actor(), **dict(query)))


@operation("GET", "/templates/<service_id>/<endpoint_id>", scope="templates:read", answer=FilledTemplateResource, errors=(404,))
def get_service_template(service_id: str, endpoint_id: str, query: AuthQuery) -> Any:
    """One template with what it asks for."""
    page = pack_use.show_endpoint(current_actor(), service_id, endpoint_id, query.auth)
    own = {name: getattr(page.template, name) for name in TemplateResource.model_fields}
    return FilledTemplateResource(**own, fields=[_field(field) for field in page.fields])


@operation(
    "POST",
    "/templates/<service_id>/<endpoint_id>/requests",
    scope="requests:write",
    answer=RequestResource,
    status=201,
    errors=(402, 404),
)
def use_service_template(service_id: str, endpoint_id: str, json: FillInput) -> Any:
    """Save a request made of a template, and keep the service's values."""
    actor = current_actor()
    page = pack_use.show_endpoint(actor, service_id, endpoint_id, json.auth)
    made = pack_use.use_template(actor, page, json.values)
    return request_resource(actor, made), {"Location": f"/api/v1/requests/{made.id}"}


def _service(card: catalog.ServiceCard) -> ServiceResource:
    facts = card.service
    return ServiceResource(
        service_id=facts.service_id,
        service_name=facts.service_name.en,
        description=facts.description.en if facts.description else None,
        category=facts.category,
        documentation=facts.documentation,
        hosts=list(facts.hosts),
        endpoints=card.endpoints,
        usage_count=card.used,
        is_official=card.origin.is_official,
        has_test=facts.test_endpoint is not None,
    )


def _field(field: FillField) -> FieldResource:
    variable = field.variable
    return FieldResource(
        name=variable.name,
        description=variable.description.en,
        required=variable.required,
        secret=variable.secret,
        is_stored=field.is_stored,
        value=field.value,
        example=variable.example,
        pattern=variable.pattern,
    )
