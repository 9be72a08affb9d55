"""The values that a request of somebody is sent with, of all scopes."""

from __future__ import annotations

import re
from collections.abc import Mapping

import sqlalchemy as sa
from flask_babel import gettext as _

from hub.contracts.actor import Actor
from hub.contracts.http import PLACEHOLDER, RequestDefinition
from hub.crypto import DecryptionError
from hub.egress import EgressError, check_url
from hub.errors import Conflict
from hub.extensions import db
from hub.http_builder.environments import USER, open_secret, scope_of
from hub.http_builder.models import Environment, Variable
from hub.http_builder.rendering import Scope, Value, Values, find_names, find_names_of_tests

_ORIGIN = re.compile(r"https?://[^/?#{}]+(?=[/?#]|$)", re.IGNORECASE)


class SecretLost(Conflict):
    """A secret that the request names was encrypted with a key that this hub does not have any more."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(
            _("The secret %(name)s cannot be opened: the hub's encryption key has changed. Enter its value again.", name=name)
        )


def values_for(
    actor: Actor,
    request_id: str | None = None,
    environment_id: str | None = None,
    secrets: Mapping[str, str] | None = None,
    *,
    definition: RequestDefinition | None = None,
) -> Values:
    """The stored variables of the request, of the environment (None: the active one) and of the actor, in one query.

    ``secrets`` are typed but not saved: they stand for the request's own and may go to the host of ``definition``'s URL. With
    a ``definition`` only what it names is opened, and ``SecretLost`` says what does not open; without one that is left out.
    """
    names = find_names(definition) | find_names_of_tests(definition) if definition is not None else None
    stored = []
    for variable in db.session.scalars(_variables(actor, request_id, environment_id)):
        if names is not None and variable.name not in names:
            continue
        scope = Scope(variable.scope.partition(":")[0])
        if not variable.is_secret:
            stored.append(Value(variable.name, variable.value or "", scope=scope))
            continue
        if scope is Scope.REQUEST and secrets and variable.name in secrets:
            continue  # typed anew
        try:
            text = open_secret(variable)
        except DecryptionError as error:
            if names is None:
                continue
            raise SecretLost(variable.name) from error
        stored.append(Value(variable.name, text, True, tuple(variable.hosts), scope))
    return Values((*typed_values(secrets or {}, definition, stored), *stored))


def _variables(actor: Actor, request_id: str | None, environment_id: str | None) -> sa.Select[Variable]:
    active = sa.select(Environment.id).where(Environment.user_id == actor.user_id, Environment.active).scalar_subquery()
    in_environment = Variable.environment_id == active
    if environment_id is not None:
        in_environment = Variable.scope == scope_of(environment_id)
    wanted = [Variable.scope == USER, in_environment]
    if request_id is not None:
        wanted.append(Variable.scope == f"request:{request_id}")
    return sa.select(Variable).where(Variable.user_id == actor.user_id, sa.or_(*wanted)).order_by(Variable.name)


def typed_values(secrets: Mapping[str, str], definition: RequestDefinition | None, stored: list[Value]) -> list[Value]:
    """What was typed for this request alone, bound to where ``definition`` sends it with the ``stored`` values."""
    hosts = _hosts_of(definition, Values(stored).with_variables_of(definition)) if definition is not None else ()
    return [Value(name, text, True, hosts, Scope.REQUEST) for name, text in secrets.items()]


def _hosts_of(definition: RequestDefinition, values: Values) -> tuple[str, ...]:
    """Where what was typed for this request may go: to its URL's host, and to where its token is fetched."""
    plain = {value.name: value.text for value in values if not value.secret}
    hosts = []
    for url in (definition.url, getattr(definition.auth, "token_url", "")):
        origin = _ORIGIN.match(PLACEHOLDER.sub(lambda found: plain.get(found[1], found[0]), url.strip()))
        try:
            hosts.append(check_url(origin[0] if origin else "").authority)
        except EgressError:
            continue  # empty, or nothing says which host it is
    return tuple(dict.fromkeys(hosts))
