"""Variables that people keep for their requests: their own, and those of environments such as Staging."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.exc import IntegrityError

from hub.audit.services import record_event
from hub.contracts.actor import Actor
from hub.crypto import DecryptionError
from hub.errors import Conflict, Invalid, NotFound
from hub.extensions import db
from hub.http_builder.models import SECRET_VALUE, Environment, Request, Variable
from hub.http_builder.secret_values import check_hosts
from hub.identifiers import new_id
from hub.storable import clean_text

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,119}")
MAX_VALUE = 50_000
MAX_ENVIRONMENTS = 100
MAX_VARIABLES = 500
#: The scope of variables that are a person's own.
USER = "user"


@dataclass(frozen=True, slots=True)
class EnvironmentRow:
    """An environment in a list."""

    id: str
    name: str
    active: bool
    variables: int


@dataclass(frozen=True, slots=True)
class VariableRow:
    """A variable as its owner sees it: ``value`` is None where it is secret. ``is_lost``: nothing opens the secret any more."""

    id: str
    name: str
    value: str | None
    is_secret: bool
    is_lost: bool
    hosts: tuple[str, ...]
    description: str | None


@dataclass(frozen=True, slots=True)
class VariableDraft:
    """What a person typed. An empty ``value`` of a secret keeps the one that is stored."""

    name: str
    value: str = ""
    is_secret: bool = False
    hosts: tuple[str, ...] = ()
    description: str = ""


# --- Environments --------------------------------------------------------------------------------------------------


def list_environments(actor: Actor) -> list[EnvironmentRow]:
    """The actor's environments by name."""
    count = sa.func.count(Variable.id)
    rows = db.session.execute(
        sa.select(Environment.id, Environment.name, Environment.active, count)
        .outerjoin(Variable, Variable.environment_id == Environment.id)
        .where(Environment.user_id == actor.user_id)
        .group_by(Environment.id, Environment.name, Environment.active)
        .order_by(sa.func.lower(Environment.name), Environment.id)
    )
    return [EnvironmentRow(*row) for row in rows]


def get_environment(actor: Actor, environment_id: str) -> Environment:
    """One of the actor's; a stranger's is ``NotFound``."""
    own = sa.select(Environment).where(Environment.id == environment_id, Environment.user_id == actor.user_id)
    found = db.session.scalar(own)
    if found is None:
        raise NotFound()
    return found


def create_environment(actor: Actor, name: str) -> Environment:
    """A new environment; the first one becomes active."""
    existing = sa.select(sa.func.count(Environment.id)).where(Environment.user_id == actor.user_id)
    held = db.session.scalar(existing) or 0
    if held >= MAX_ENVIRONMENTS:
        raise Conflict(_("There can be at most %(most)s environments. Delete one first.", most=MAX_ENVIRONMENTS))
    environment = Environment(id=new_id(), user_id=actor.user_id, name=_checked_name(name), active=held == 0)
    db.session.add(environment)
    _flush_name(_("You have an environment of this name already."))
    record_event(actor, "environment.create", "environment", environment.id, details={"name": environment.name})
    db.session.commit()
    return environment


def rename_environment(actor: Actor, environment_id: str, name: str) -> Environment:
    """Give it another name."""
    environment = get_environment(actor, environment_id)
    environment.name = _checked_name(name)
    _flush_name(_("You have an environment of this name already."))
    record_event(actor, "environment.rename", "environment", environment.id, details={"name": environment.name})
    db.session.commit()
    return environment


def activate_environment(actor: Actor, environment_id: str | None) -> None:
    """Make it the one that requests take their values from; None: no environment."""
    environment = get_environment(actor, environment_id) if environment_id else None
    others = sa.update(Environment).where(Environment.user_id == actor.user_id, Environment.active)
    db.session.execute(others.values(active=False, updated_at=Environment.updated_at))
    if environment is not None:
        environment.active = True
    record_event(actor, "environment.activate", "environment", environment_id)
    db.session.commit()


def delete_environment(actor: Actor, environment_id: str) -> None:
    """Delete it with its variables."""
    environment = get_environment(actor, environment_id)
    name = environment.name
    db.session.delete(environment)
    record_event(actor, "environment.delete", "environment", environment_id, details={"name": name})
    db.session.commit()


# --- Variables -----------------------------------------------------------------------------------------------------


def list_variables(actor: Actor, environment_id: str | None) -> list[VariableRow]:
    """The variables of one of the actor's environments, or of the actor (None), by name. Never a secret's value."""
    if environment_id is not None:
        get_environment(actor, environment_id)
    return [_as_row(variable) for variable in _variables_of(actor, environment_id)]


def get_variable(actor: Actor, variable_id: str) -> Variable:
    """One of the actor's own or of an environment's; a stranger's, or one of a request, is ``NotFound``."""
    own = sa.select(Variable).where(Variable.id == variable_id, Variable.user_id == actor.user_id)
    found = db.session.scalar(own.where(Variable.request_id.is_(None)))
    if found is None:
        raise NotFound()
    return found


def show_variable(actor: Actor, variable_id: str) -> VariableRow:
    """The same as its owner sees it."""
    return _as_row(get_variable(actor, variable_id))


def create_variable(actor: Actor, environment_id: str | None, draft: VariableDraft) -> Variable:
    """A new variable in an environment, or of the actor; ``Invalid`` names each wrong field."""
    if environment_id is not None:
        get_environment(actor, environment_id)
    if len(_variables_of(actor, environment_id)) >= MAX_VARIABLES:
        raise Conflict(_("There can be at most %(most)s variables in one place.", most=MAX_VARIABLES))
    scope = scope_of(environment_id)
    variable = Variable(id=new_id(), user_id=actor.user_id, environment_id=environment_id, scope=scope, hosts=[])
    _apply(variable, draft)
    db.session.add(variable)
    return _save(actor, "variable.create", variable)


def update_variable(actor: Actor, variable_id: str, draft: VariableDraft) -> Variable:
    """Change a variable. A stored secret goes to no further host, and becomes no plain value, unless it is typed again."""
    variable = get_variable(actor, variable_id)
    with db.session.no_autoflush:
        _apply(variable, draft)
    return _save(actor, "variable.update", variable)


def delete_variable(actor: Actor, variable_id: str) -> Variable:
    """Delete it; answers what it was."""
    variable = get_variable(actor, variable_id)
    db.session.delete(variable)
    record_event(actor, "variable.delete", "variable", variable_id, details={"name": variable.name, "scope": variable.scope})
    db.session.commit()
    return variable


def save_secret(actor: Actor, request_id: str | None, name: str, value: str, hosts: Sequence[str]) -> Variable:
    """Store a secret of one of the actor's requests (of the actor: None), new or in place of the old. The caller commits."""
    if request_id is not None:
        own = sa.select(Request.id).where(Request.id == request_id, Request.user_id == actor.user_id)
        if db.session.scalar(own) is None:
            raise NotFound()
    scope = f"request:{request_id}" if request_id else USER
    same = sa.select(Variable).where(Variable.user_id == actor.user_id, Variable.scope == scope, Variable.name == name)
    variable = db.session.scalar(same)
    if variable is None:
        variable = Variable(id=new_id(), user_id=actor.user_id, request_id=request_id, scope=scope, hosts=[])
        db.session.add(variable)
    with db.session.no_autoflush:
        _apply(variable, VariableDraft(name, value, True, tuple(hosts), variable.description or ""))
    action = "variable.secret"
    record_event(actor, action, "variable", variable.id, details={"name": variable.name, "scope": variable.scope})
    return variable


def scope_of(environment_id: str | None) -> str:
    """The scope of an environment's variables, or of a person's own."""
    return f"environment:{environment_id}" if environment_id else USER


def parse_hosts(text: str) -> tuple[str, ...]:
    """Hosts as people type them: with commas, spaces or line breaks between."""
    return tuple(word for word in re.split(r"[\s,;]+", text) if word)


# --- Secrets -------------------------------------------------------------------------------------------------------


def open_secret(variable: Variable) -> str:
    """The value of a secret variable; DecryptionError where its key is gone."""
    return SECRET_VALUE.decrypt(variable.secret_value or "", variable.id)


def seal_secret(variable: Variable, value: str) -> None:
    """Make the variable a secret with this value."""
    variable.is_secret, variable.value = True, None
    variable.secret_value = SECRET_VALUE.encrypt(value, variable.id)


# --- Parts ---------------------------------------------------------------------------------------------------------


def _variables_of(actor: Actor, environment_id: str | None) -> Sequence[Variable]:
    scope = scope_of(environment_id)
    own = sa.select(Variable).where(Variable.user_id == actor.user_id, Variable.scope == scope)
    return db.session.scalars(own.order_by(sa.func.lower(Variable.name), Variable.id)).all()


def _as_row(variable: Variable) -> VariableRow:
    return VariableRow(
        id=variable.id,
        name=variable.name,
        value=None if variable.is_secret else variable.value or "",
        is_secret=variable.is_secret,
        is_lost=variable.is_secret and _is_lost(variable),
        hosts=tuple(variable.hosts),
        description=variable.description,
    )


def _is_lost(variable: Variable) -> bool:
    try:
        open_secret(variable)
    except DecryptionError:
        return True
    return False


def _checked_name(name: str) -> str:
    name = clean_text(name).strip()
    if not 1 <= len(name) <= 120:
        raise Invalid(fields={"name": _("Enter a name of at most 120 characters.")})
    return name


def _flush_name(taken: str) -> None:
    try:
        db.session.flush()
    except IntegrityError as error:
        db.session.rollback()
        raise Invalid(fields={"name": taken}) from error


def _apply(variable: Variable, draft: VariableDraft) -> None:
    """Put what was typed into the row, or change nothing and say what is wrong."""
    value = clean_text(draft.value)
    problems = {}
    if not NAME.fullmatch(draft.name):
        problems["name"] = _("Begin with a letter or _ and use letters, digits, _ . and - (at most 120).")
    if len(value) > MAX_VALUE:
        problems["value"] = _("The value is longer than %(most)s characters.", most=MAX_VALUE)
    hosts: list[str] = []
    if draft.is_secret:
        try:
            hosts = check_hosts(draft.hosts)
        except Invalid as wrong:
            problems |= wrong.fields
        if not hosts and "hosts" not in problems:
            problems["hosts"] = _("Name the hosts that this secret may go to, such as api.example.com.")
    if not value and "value" not in problems:
        problems |= _check_kept(variable, draft, hosts)
    if problems:
        raise Invalid(fields=problems)
    variable.name, variable.hosts = draft.name, hosts
    variable.description = clean_text(draft.description).strip()[:2000] or None
    if draft.is_secret:
        if value or not variable.is_secret:
            seal_secret(variable, value or variable.value or "")
    else:
        variable.is_secret, variable.value, variable.secret_value = False, value, None


def _check_kept(variable: Variable, draft: VariableDraft, hosts: list[str]) -> dict[str, str]:
    """What stands against leaving the value as it is stored."""
    if not variable.is_secret:
        return {"value": _("Enter the value.")} if draft.is_secret and not variable.value else {}
    if not draft.is_secret:
        return {"value": _("Enter the value: a stored secret cannot be made visible.")}
    if not set(hosts) <= set(variable.hosts):
        return {"value": _("Enter the value again to let it go to another host.")}
    return {}


def _save(actor: Actor, action: str, variable: Variable) -> Variable:
    _flush_name(_("There is a variable of this name here already."))
    details = {"name": variable.name, "scope": variable.scope, "secret": variable.is_secret, "hosts": list(variable.hosts)}
    record_event(actor, action, "variable", variable.id, details=details)
    db.session.commit()
    return variable
