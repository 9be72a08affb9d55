"""What the builder's page knows of the person's environments and variables: names only, no value is opened."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from hub.contracts.actor import Actor
from hub.contracts.http import VARIABLE_PLACEHOLDER, RequestDefinition
from hub.extensions import db
from hub.http_builder.models import Environment, Variable


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Environments by name, the one that counts, and the variables in reach by name with the scope each is taken from."""

    environments: Sequence[Environment]
    environment: Environment | None
    scopes: dict[str, str]
    secrets: Sequence[Variable]
    """The secret variables of the request itself."""

    def missing(self, definition: RequestDefinition) -> list[str]:
        """Names that the definition uses and nothing gives a value to, in order of appearance."""
        own = {pair.name for pair in definition.variables if pair.enabled}
        return [name for name in used_names(definition) if name not in self.scopes and name not in own]


def look_around(actor: Actor, request_id: str | None = None, environment_id: str | None = None) -> Surroundings:
    """Two queries. ``environment_id`` chooses another environment than the active one."""
    mine = sa.select(Environment).where(Environment.user_id == actor.user_id).order_by(Environment.name, Environment.id)
    environments = db.session.scalars(mine).all()
    chosen = next((one for one in environments if one.id == environment_id), None)
    chosen = chosen or next((one for one in environments if one.active), None)
    scopes = [f"request:{request_id}", f"environment:{chosen.id if chosen else ''}", "user"]
    reach = sa.select(Variable).where(Variable.user_id == actor.user_id, Variable.scope.in_(scopes)).order_by(Variable.name)
    variables = sorted(db.session.scalars(reach), key=lambda variable: scopes.index(variable.scope), reverse=True)
    secrets = [variable for variable in variables if variable.request_id is not None and variable.is_secret]
    return Surroundings(environments, chosen, {one.name: one.scope.partition(":")[0] for one in variables}, secrets)


def used_names(definition: RequestDefinition) -> list[str]:
    """Names of the variables that a definition uses, in order of appearance; n8n's expressions use none of ours."""
    texts = _texts(definition.model_dump(mode="json", exclude={"variables"}))
    return list(dict.fromkeys(name for text in texts if not text.startswith("=") for name in VARIABLE_PLACEHOLDER.findall(text)))


def names_in(texts: Iterable[str | None], wanted: Sequence[str]) -> list[str]:
    """Which of the ``wanted`` names stand in the texts, in order of appearance."""
    found: dict[str, None] = {}
    for text in texts:
        if text and not text.startswith("="):
            found.update(dict.fromkeys(VARIABLE_PLACEHOLDER.findall(text)))
    return [name for name in found if name in wanted]


def _texts(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for item in inner for text in _texts(item)]


def known_as_json(known: Surroundings) -> str:
    """``[[name, scope], ...]`` for the page's completion of ``{{``."""
    return json.dumps(sorted(known.scopes.items()))
