"""Environments and variables as JSON. A secret's value goes in and never comes out."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from hub.accounts.web import current_actor
from hub.http_builder import environments as services
from hub.http_builder.environments import VariableDraft
from hub.http_builder.models import Environment, Variable
from hub.json_api import Flag, Resource, operation


class EnvironmentRowResource(Resource):
    """An environment in a list."""

    id: str
    name: str
    active: bool
    variables: int = Field(description="How many.")


class EnvironmentList(Resource):
    """All environments, by name."""

    data: list[EnvironmentRowResource]


class VariableResource(Resource):
    """A variable for {{NAME}}."""

    id: str
    name: str
    value: str | None = Field(description="Null where it is secret.")
    is_secret: bool
    is_lost: bool = Field(description="Whether the secret was encrypted with a key that is gone.")
    hosts: list[str] = Field(description="Where a secret may go.")
    description: str | None


class VariableList(Resource):
    """All variables of one place, by name."""

    data: list[VariableResource]


class EnvironmentResource(Resource):
    """An environment with its variables."""

    id: str
    name: str
    active: bool
    variables: list[VariableResource]


class NewEnvironment(Resource):
    """An environment to make; the first one becomes active."""

    name: str


class ChangedEnvironment(Resource):
    """What to change; at most one environment is active."""

    name: str | None = None
    active: Flag | None = None


class NewVariable(Resource):
    """A variable to make."""

    name: str
    value: str = ""
    is_secret: Flag = False
    hosts: list[str] = Field([], description="Where a secret may go: host, host:port or *.suffix.")
    description: str = ""


class ChangedVariable(Resource):
    """What to change. A secret goes to further hosts only with its value."""

    name: str | None = None
    value: str | None = Field(None, description="Left out: it stays.")
    is_secret: Flag | None = None
    hosts: list[str] | None = None
    description: str | None = None


@operation("GET", "/environments", scope="environments:read", answer=EnvironmentList)
def list_environments() -> Any:
    """Your environments."""
    rows = services.list_environments(current_actor())
    return EnvironmentList(data=[EnvironmentRowResource.model_validate(row) for row in rows])


@operation("POST", "/environments", scope="environments:write", answer=EnvironmentResource, status=201, errors=(409,))
def create_environment(json: NewEnvironment) -> Any:
    """Make an environment."""
    made = services.create_environment(current_actor(), json.name)
    return _environment(made), {"Location": f"/api/v1/environments/{made.id}"}


@operation("GET", "/environments/<environment_id>", scope="environments:read", answer=EnvironmentResource, errors=(404,))
def get_environment(environment_id: str) -> Any:
    """One environment with its variables."""
    return _environment(services.get_environment(current_actor(), environment_id))


@operation("PATCH", "/environments/<environment_id>", scope="environments:write", answer=EnvironmentResource, errors=(404,))
def update_environment(environment_id: str, json: ChangedEnvironment) -> Any:
    """Rename an environment, or make it the active one or not."""
    actor = current_actor()
    environment = services.get_environment(actor, environment_id)
    if json.name is not None:
        services.rename_environment(actor, environment_id, json.name)
    if json.active is not None and json.active != environment.active:
        services.activate_environment(actor, environment_id if json.active else None)
    return _environment(services.get_environment(actor, environment_id))


@operation("DELETE", "/environments/<environment_id>", scope="environments:write", answer=None, errors=(404,))
def delete_environment(environment_id: str) -> None:
    """Delete an environment with its variables."""
    services.delete_environment(current_actor(), environment_id)


@operation("GET", "/variables", scope="environments:read", answer=VariableList)
def list_variables() -> Any:
    """Your own variables, which every request may use."""
    return VariableList(data=_variables(None))


@operation("POST", "/variables", scope="environments:write", answer=VariableResource, status=201, errors=(409,))
def create_variable(json: NewVariable) -> Any:
    """Make a variable of your own."""
    return _variable(services.create_variable(current_actor(), None, _draft(json)))


@operation(
    "POST",
    "/environments/<environment_id>/variables",
    scope="environments:write",
    answer=VariableResource,
    status=201,
    errors=(404, 409),
)
def create_environment_variable(environment_id: str, json: NewVariable) -> Any:
    """Make a variable in an environment."""
    return _variable(services.create_variable(current_actor(), environment_id, _draft(json)))


@operation("PATCH", "/variables/<variable_id>", scope="environments:write", answer=VariableResource, errors=(404,))
def update_variable(variable_id: str, json: ChangedVariable) -> Any:
    """Change a variable, of your own or of an environment."""
    actor = current_actor()
    stored = services.show_variable(actor, variable_id)
    sent = json.model_dump(exclude_none=True, by_alias=False)
    draft = VariableDraft(
        name=sent.get("name", stored.name),
        value=sent.get("value", stored.value or ""),
        is_secret=sent.get("is_secret", stored.is_secret),
        hosts=tuple(sent.get("hosts", stored.hosts)),
        description=sent.get("description", stored.description or ""),
    )
    return _variable(services.update_variable(actor, variable_id, draft))


@operation("DELETE", "/variables/<variable_id>", scope="environments:write", answer=None, errors=(404,))
def delete_variable(variable_id: str) -> None:
    """Delete a variable."""
    services.delete_variable(current_actor(), variable_id)


def _draft(json: NewVariable) -> VariableDraft:
    return VariableDraft(json.name, json.value, json.is_secret, tuple(json.hosts), json.description)


def _variables(environment_id: str | None) -> list[VariableResource]:
    rows = services.list_variables(current_actor(), environment_id)
    return [VariableResource.model_validate(row) for row in rows]


def _environment(environment: Environment) -> EnvironmentResource:
    variables = _variables(environment.id)
    return EnvironmentResource(id=environment.id, name=environment.name, active=environment.active, variables=variables)


def _variable(variable: Variable) -> VariableResource:
    return VariableResource.model_validate(services.show_variable(current_actor(), variable.id))
