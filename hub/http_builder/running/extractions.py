"""Takes values out of an answer into variables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa

from hub.contracts.exchange import Exchange
from hub.contracts.http import Extraction
from hub.extensions import db
from hub.http_builder.environments import MAX_VALUE, NAME, USER, scope_of, seal_secret
from hub.http_builder.models import Variable
from hub.http_builder.running.assertions import as_text
from hub.http_builder.running.searching import Body, Found, PathQuery, search
from hub.identifiers import new_id
from hub.storable import clean_text


@dataclass(frozen=True, slots=True)
class Extracted:
    """One extraction with what it found. ``value`` is None where ``problem`` says why.

    Problems: those of ``searching.Found``, ``no-match``, ``bad-name``, ``value-too-long``.
    """

    variable: str
    source: str
    path: str
    scope: str
    secret: bool
    value: str | None = field(default=None, repr=False)
    problem: str | None = None

    def as_json(self) -> dict[str, str | bool | None]:
        """As it is stored with its run: without the value, which is the variable's."""
        return {
            "variable": self.variable,
            "source": self.source,
            "path": self.path,
            "scope": self.scope,
            "secret": self.secret,
            "found": self.value is not None,
            "problem": self.problem,
        }


def extract(extractions: Sequence[Extraction], exchange: Exchange, body: Body) -> list[Extracted]:
    """Each enabled extraction with its value, in order. Never raises."""
    enabled = [extraction for extraction in extractions if extraction.enabled]
    paths = [extraction.path.strip() for extraction in enabled if extraction.source == "body"]
    at_paths = iter(search([PathQuery(path) for path in paths], body))
    found = [next(at_paths) if extraction.source == "body" else _header(extraction, exchange) for extraction in enabled]
    return [_as_extracted(extraction, value) for extraction, value in zip(enabled, found, strict=True)]


def _header(extraction: Extraction, exchange: Exchange) -> Found:
    name = extraction.path.strip().lower()
    return Found(tuple(value for key, value in exchange.headers if key.lower() == name)[:1])


def _as_extracted(extraction: Extraction, found: Found) -> Extracted:
    value = clean_text(as_text(found.values[0])) if found.values else None
    problem = found.problem or ("no-match" if value is None else None)
    if not NAME.fullmatch(extraction.variable):
        problem = "bad-name"
    elif value is not None and len(value) > MAX_VALUE:
        problem = "value-too-long"
    return Extracted(
        variable=extraction.variable,
        source=extraction.source,
        path=extraction.path,
        scope=extraction.scope,
        secret=extraction.secret,
        value=None if problem else value,
        problem=problem,
    )


def store_extracted(user_id: str, environment_id: str | None, extracted: Sequence[Extracted], host: str) -> None:
    """Set the variables, in the present transaction. A new secret may go to ``host``, where it came from.

    What is secret already stays so. Without an environment its variables become the person's own.
    """
    values = {(_scope(each, environment_id), each.variable): each for each in extracted if each.value is not None}
    if not values:
        return
    scopes, names = {scope for scope, _name in values}, {name for _scope, name in values}
    there = sa.select(Variable).where(Variable.user_id == user_id, Variable.scope.in_(scopes), Variable.name.in_(names))
    stored = {(variable.scope, variable.name): variable for variable in db.session.scalars(there)}
    for (scope, name), each in values.items():
        variable = stored.get((scope, name))
        if variable is None:
            environment = environment_id if scope != USER else None
            variable = Variable(id=new_id(), user_id=user_id, environment_id=environment, scope=scope, name=name, hosts=[])
            variable.is_secret = each.secret
            db.session.add(variable)
        if each.secret or variable.is_secret:
            seal_secret(variable, each.value or "")
            variable.hosts = variable.hosts or [host]
        else:
            variable.value = each.value


def _scope(extracted: Extracted, environment_id: str | None) -> str:
    return scope_of(environment_id if extracted.scope == "environment" else None)
