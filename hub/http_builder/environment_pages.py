"""Pages of environments and variables."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from hub.accounts.web import current_actor
from hub.errors import Invalid
from hub.htmx import go_to, render
from hub.http_builder import environments as services
from hub.http_builder.environments import VariableDraft

bp = Blueprint("environments", __name__)


@bp.get("/environments")
def index() -> ResponseReturnValue:
    """The person's own variables, and the way to their environments."""
    return _page(None)


@bp.get("/environments/<environment_id>")
def show(environment_id: str) -> ResponseReturnValue:
    """The variables of one environment."""
    return _page(environment_id)


def _page(environment_id: str | None, *, typed: dict[str, Any] | None = None, error: Invalid | None = None) -> str:
    actor = current_actor()
    environments = services.list_environments(actor)
    return render(
        "environments/index.html",
        environment=services.get_environment(actor, environment_id) if environment_id else None,
        environments=environments,
        variables=services.list_variables(actor, environment_id),
        typed=typed or {"name": request.args.get("name", "")[:120]},
        fields=error.fields if error else {},
    )


@bp.post("/environments")
def create() -> ResponseReturnValue:
    """Make an environment and show it."""
    name = request.form.get("name", "")
    try:
        environment = services.create_environment(current_actor(), name)
    except Invalid as error:
        wrong = Invalid(fields={"environment_name": error.fields["name"]})
        return _page(None, typed={"environment_name": name}, error=wrong), error.status
    return go_to("environments.show", environment_id=environment.id)


@bp.post("/environments/<environment_id>/rename")
def rename(environment_id: str) -> ResponseReturnValue:
    """Give an environment another name."""
    name = request.form.get("name", "")
    try:
        services.rename_environment(current_actor(), environment_id, name)
    except Invalid as error:
        wrong = Invalid(fields={"new_name": error.fields["name"]})
        return _page(environment_id, typed={"new_name": name}, error=wrong), error.status
    flash(_("Saved."), "success")
    return go_to("environments.show", environment_id=environment_id)


@bp.post("/environments/<environment_id>/activate")
def activate(environment_id: str) -> ResponseReturnValue:
    """Take the values of requests from this environment from now on."""
    services.activate_environment(current_actor(), environment_id)
    return go_to("environments.show", environment_id=environment_id)


@bp.post("/environments/deactivate")
def deactivate() -> ResponseReturnValue:
    """Take the values of requests from no environment."""
    services.activate_environment(current_actor(), None)
    return go_to("environments.index")


@bp.post("/environments/<environment_id>/delete")
def delete(environment_id: str) -> ResponseReturnValue:
    """Delete an environment with its variables."""
    services.delete_environment(current_actor(), environment_id)
    flash(_("Deleted."), "success")
    return go_to("environments.index")


@bp.post("/environments/variables")
def create_variable() -> ResponseReturnValue:
    """A new variable, in the environment that the form names."""
    environment_id = request.form.get("environment") or None
    try:
        services.create_variable(current_actor(), environment_id, _typed_variable())
    except Invalid as error:
        return _page(environment_id, typed=_kept(), error=error), error.status
    flash(_("Saved."), "success")
    return _go_home(environment_id)


@bp.get("/environments/variables/<variable_id>")
def edit_variable(variable_id: str) -> ResponseReturnValue:
    """The form of one variable; a secret's value is not in it."""
    return _variable_page(variable_id)


@bp.post("/environments/variables/<variable_id>")
def update_variable(variable_id: str) -> ResponseReturnValue:
    """Change a variable."""
    try:
        variable = services.update_variable(current_actor(), variable_id, _typed_variable())
    except Invalid as error:
        return _variable_page(variable_id, typed=_kept(), error=error), error.status
    flash(_("Saved."), "success")
    return _go_home(variable.environment_id)


@bp.post("/environments/variables/<variable_id>/delete")
def delete_variable(variable_id: str) -> ResponseReturnValue:
    """Delete a variable."""
    variable = services.delete_variable(current_actor(), variable_id)
    flash(_("Deleted."), "success")
    return _go_home(variable.environment_id)


def _variable_page(variable_id: str, *, typed: dict[str, Any] | None = None, error: Invalid | None = None) -> str:
    actor = current_actor()
    variable = services.show_variable(actor, variable_id)
    environment_id = services.get_variable(actor, variable_id).environment_id
    return render(
        "environments/variable.html",
        variable=variable,
        environment=services.get_environment(actor, environment_id) if environment_id else None,
        typed=typed,
        fields=error.fields if error else {},
    )


def _typed_variable() -> VariableDraft:
    form = request.form
    return VariableDraft(
        name=form.get("name", "").strip(),
        value=form.get("value", ""),
        is_secret=form.get("is_secret") == "1",
        hosts=services.parse_hosts(form.get("hosts", "")),
        description=form.get("description", ""),
    )


def _kept() -> dict[str, Any]:
    """What was typed, for the form to come back with; never a secret's value."""
    form = request.form
    is_secret = form.get("is_secret") == "1"
    kept = {name: form.get(name, "") for name in ("name", "hosts", "description")}
    return {**kept, "is_secret": is_secret, "value": "" if is_secret else form.get("value", "")}


def _go_home(environment_id: str | None) -> ResponseReturnValue:
    if environment_id:
        return go_to("environments.show", environment_id=environment_id)
    return go_to("environments.index")
