"""What every JSON endpoint shares: the blueprint, the base of the types, and ``operation``, which makes a function a route.

A room's ``api.py`` only translates between the types here and its services. The same types check what comes in, shape what
goes out, and are the OpenAPI document.
"""

from __future__ import annotations

import datetime as dt
import functools
import re
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Annotated, Any, Generic, TypeVar, get_type_hints

from flask import Blueprint, request
from flask_babel import gettext as _
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationError,
)
from spectree import Response, SecurityScheme, SpecTree
from spectree.models import SecureType, SecuritySchemeData

from hub.accounts.models import Plan
from hub.accounts.plan_limits import Limit
from hub.accounts.web import current_actor
from hub.contracts.actor import Actor
from hub.errors import Invalid, NotAllowed
from hub.pagination import DEFAULT_LIMIT, MAX_LIMIT, Page

api = Blueprint("api", __name__, url_prefix="/api/v1")

#: The ``type`` of a problem that says that the plan has no room (RFC 9457: a reference, relative to the hub).
PLAN_LIMIT_TYPE = "/api/v1/docs#plan-limit-reached"

Item = TypeVar("Item", bound=BaseModel)


def _refuse_other_times(value: object) -> object:
    if not re.match(r"\d{4}-\d\d-\d\d[T ]", str(value)):
        raise ValueError("Send a time as ISO 8601, e.g. 2026-01-31T12:00:00Z.")
    return value


def _as_utc(value: dt.datetime) -> dt.datetime:
    try:
        return value.astimezone(dt.UTC)
    except OverflowError as error:
        raise ValueError("Send a time of the years 1 to 9999 in UTC.") from error


#: Times as ISO 8601 in UTC, to the millisecond.
Time = Annotated[
    dt.datetime,
    PlainSerializer(lambda value: value.astimezone(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"), str),
]
#: A time that comes in: ISO 8601 with its zone, and nothing else that could be taken for one, such as a number of seconds.
TimeIn = Annotated[AwareDatetime, BeforeValidator(_refuse_other_times), AfterValidator(_as_utc)]

#: true or false in a body, and nothing that is only taken for one, such as 0.0 or "no".
Flag = Annotated[bool, Field(strict=True)]


def to_camel(name: str) -> str:
    """``n8n_execution_id`` as ``n8nExecutionId``: the seed's spelling."""
    return re.sub(r"_([a-z0-9])", lambda match: match[1].upper(), name)


class Resource(BaseModel):
    """Base of all types that cross the API: camelCase outside, unknown fields refused."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
        from_attributes=True,
        extra="forbid",
    )

    def model_dump_json(self, **options: Any) -> str:
        """Contracts inside, such as a request's definition, write camelCase only where they are told to."""
        return super().model_dump_json(**{"by_alias": True, **options})

    @classmethod
    @functools.cache
    def model_json_schema(cls, *arguments: Any, **options: Any) -> dict[str, Any]:  # type: ignore[override]
        """The schema, made once: SpecTree asks for it again with every operation, which would double the hub's start."""
        return super().model_json_schema(*arguments, **options)


class ListQuery(Resource):
    """Which part of a list."""

    cursor: str | None = Field(None, description="The nextCursor of the page before; without it the list begins.")
    limit: int = Field(DEFAULT_LIMIT, ge=1, le=MAX_LIMIT, description="Rows on a page.")


class ListOf(Resource, Generic[Item]):
    """Base of the pages of a list."""

    data: list[Item]
    next_cursor: str | None = Field(description="Asks for the following page; null at the end.")


class FieldProblem(Resource):
    """What is wrong with one part of the request."""

    detail: str
    pointer: str | None = Field(None, description="JSON pointer into the body.")
    parameter: str | None = Field(None, description="Name of the query parameter.")


class ShortageResource(Resource):
    """What of the plan is used up."""

    limit: Limit
    used: int
    allowed: int
    plan: Plan
    next_plan: Plan | None = Field(description="The smallest plan with more of it; left out where there is none.")


class Problem(Resource):
    """An error (RFC 9457)."""

    type: str = Field(description=f"`about:blank`, or `{PLAN_LIMIT_TYPE}` with 402 and a `shortage`.")
    title: str
    status: int
    detail: str
    instance: str
    errors: list[FieldProblem] = []
    shortage: ShortageResource | None = None


class InvalidRequest(Invalid):
    """Input that does not have the documented shape. ``problems`` name the places."""

    def __init__(self, message: str, problems: Iterable[FieldProblem]) -> None:
        super().__init__(message)
        self.problems = list(problems)


#: Verbs of operations that no permission of a key opens: for a signed-in person (an access token), and for anybody.
PERSON, PUBLIC = "person", "public"
_scopes: dict[str, str] = {}


def list_scopes() -> dict[str, str]:
    """What each operation of the API needs, by its endpoint ("api.get_me")."""
    return dict(_scopes)


def _admit(scope: str, _request: Any, _answer: Any, error: Exception | None, *_more: Any) -> None:
    """What SpecTree calls before an operation: the key must have the scope, then the request its shape."""
    if not scope.endswith(f":{PUBLIC}"):
        require_scope(current_actor(), scope)
    if isinstance(error, ValidationError):
        raise InvalidRequest(_("The request does not have the documented shape."), map(_describe, error.errors()))
    repeated = [name for name, values in request.args.lists() if len(values) > 1]
    if repeated:
        words = _("Send each parameter once.")
        raise InvalidRequest(words, [FieldProblem(detail=words, parameter=name) for name in repeated])


def _describe(error: Any) -> FieldProblem:
    path = [to_camel(str(part)) for part in error["loc"]]
    if request.method in ("GET", "DELETE"):
        return FieldProblem(detail=error["msg"], parameter=".".join(path))
    return FieldProblem(detail=error["msg"], pointer="#" + "".join(f"/{part}" for part in path))


def _keep(*_arguments: Any) -> None:
    """What SpecTree calls after an operation."""


_KEY = SecuritySchemeData(type=SecureType.HTTP, scheme="bearer", description="An API key of the hub: hub_…")
_TOKEN = SecuritySchemeData(type=SecureType.HTTP, scheme="bearer", description="An access token of POST /auth/login: huba_…")

document = SpecTree(
    "flask",
    title="AI-HTTP Hub API",
    version="1",
    description="Everything that the pages do, for programs. Send an API key as a Bearer token.",
    mode="strict",
    annotations=False,
    page_templates={},
    after=_keep,
    validation_error_model=Problem,
    naming_strategy=lambda model: model.__name__,
    nested_naming_strategy=lambda _parent, child: child,
    security_schemes=[SecurityScheme(name="apiKey", data=_KEY), SecurityScheme(name="accessToken", data=_TOKEN)],
)


def operation(
    method: str,
    rule: str,
    *,
    scope: str,
    answer: type[Resource] | None,
    status: int = 200,
    errors: tuple[int, ...] = (),
    others: Mapping[int, type[Resource]] = MappingProxyType({}),
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Make a function an operation of the API.

    Parameters named ``query`` and ``json`` are read from the request by their types. The function answers a ``Resource``, or
    a pair of one and headers, or None where ``answer`` is None; where it answers one of the ``others``, by status, that
    status is sent. ``scope`` is what the key must be allowed, as
    "instances:read"; its first word groups the operation in the document. With the verb ``PERSON`` no key is enough, with
    ``PUBLIC`` nobody is asked. ``errors`` are the statuses besides 401, 403, 422, 429, 503 and, of a body, 400, 413, 415.
    """

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        hints = get_type_hints(function)
        inputs = {name: hints[name] for name in ("query", "json") if name in hints}

        @functools.wraps(function)
        def call(**options: Any) -> Any:
            read = {name: getattr(request.context, name) for name in inputs}  # type: ignore[attr-defined]
            result = function(**options, **read)
            if answer is None:
                return "", 204
            body, headers = result if isinstance(result, tuple) else (result, {})
            return body, next((code for code, kind in others.items() if isinstance(body, kind)), status), headers

        body_errors = {400, 413, 415} if "json" in inputs else set()
        models: dict[str, Any] = {f"HTTP_{code}": Problem for code in sorted({401, 403, 422, 429, 503, *body_errors, *errors})}
        models["HTTP_204" if answer is None else f"HTTP_{status}"] = answer
        models |= {f"HTTP_{code}": kind for code, kind in others.items()}
        name = function.__name__
        described = document.validate(
            **inputs,
            resp=Response(**models),
            tags=(scope.partition(":")[0],),
            security=_security(scope),
            operation_id=to_camel(name),
            before=functools.partial(_admit, scope),
        )
        _scopes[f"{api.name}.{name}"] = scope
        api.add_url_rule(rule, name, described(call), methods=[method])
        return function

    return decorate


def _security(scope: str) -> list[dict[str, list[str]]]:
    """Who may call an operation, as OpenAPI says it: any of these."""
    person: dict[str, list[str]] = {"accessToken": []}
    match scope.partition(":")[2]:
        case "public":
            return []
        case "person":
            return [person]
    return [{"apiKey": [scope]}, person]


def require_scope(actor: Actor, scope: str) -> None:
    """``NotAllowed`` unless the key has the scope itself or its verb for everything (``read``, ``write``).

    A signed-in person has all: what they must show again who they are for, the services say.
    """
    if actor.permissions is None:
        return
    verb = scope.partition(":")[2]
    if verb == PERSON:
        raise NotAllowed(_("No API key may do this. Sign in with POST /auth/login and send the access token."))
    if not actor.permissions & {scope, verb}:
        raise NotAllowed(_("This API key lacks the permission “%(permission)s”.", permission=scope))


def list_answer(kind: type[ListOf[Any]], item: type[Resource], page: Page[Any]) -> Any:
    """A page of rows as the API's page of ``item``."""
    return kind(data=[item.model_validate(row) for row in page.rows], next_cursor=page.next_cursor)
