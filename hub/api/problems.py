"""Errors of the JSON API as problem documents (RFC 9457)."""

from __future__ import annotations

import json
import logging
from typing import Any

from flask import Flask, Response, request
from flask.json.provider import DefaultJSONProvider
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.exceptions import BadRequest, HTTPException, UnsupportedMediaType
from werkzeug.http import HTTP_STATUS_CODES

from hub import errors_web
from hub.accounts.quotas import PlanLimitReached, Shortage
from hub.errors import HubError, Invalid
from hub.extensions import db
from hub.json_api import PLAN_LIMIT_TYPE, FieldProblem, InvalidRequest, Problem, ShortageResource, api, to_camel
from hub.storable import load_json

log = logging.getLogger(__name__)

PREFIX = "/api/"
_BODY_METHODS = ("POST", "PUT", "PATCH")


class StorableJson(DefaultJSONProvider):
    """JSON whose texts every database stores: without NUL characters and lone surrogates."""

    def loads(self, s: str | bytes, **_options: Any) -> Any:
        """The cleaned value; ValueError and RecursionError for text that is no JSON."""
        return load_json(s if isinstance(s, str) else s.decode(json.detect_encoding(s)))


def require_json() -> None:
    """Refuse bodies that are no JSON object before anything looks at them."""
    if request.method not in _BODY_METHODS or not request.get_data():
        return
    if not request.is_json:
        raise UnsupportedMediaType(_("Send the body as application/json."))
    try:
        body = request.get_json()
    except (BadRequest, RecursionError) as error:
        raise BadRequest(_("The body is not valid JSON.")) from error
    if not isinstance(body, dict):
        raise InvalidRequest(_("The body must be a JSON object."), [])


def show_hub_error(error: HubError) -> ResponseReturnValue:
    """A domain error with its own words; wrong fields are pointed to."""
    problems: list[FieldProblem] = []
    if isinstance(error, InvalidRequest):
        problems = error.problems
    elif isinstance(error, Invalid):
        problems = [FieldProblem(detail=text, pointer=f"#/{to_camel(name)}") for name, text in error.fields.items()]
    answer = _answer(error.status, error.message, problems, error.shortage if isinstance(error, PlanLimitReached) else None)
    answer.headers.update(error.headers)
    return answer


def show_http_error(error: HTTPException) -> ResponseReturnValue:
    """What Flask itself refuses; its headers (Allow) are kept."""
    answer = _answer(error.code or 500, error.description or error.name, [])
    for name, value in error.get_headers():
        if name.lower() not in ("content-type", "content-length"):
            answer.headers[name] = value
    return answer


def show_unexpected(error: Exception) -> ResponseReturnValue:
    """An exception that nobody expected: logged here, without details there."""
    log.error("%s %s failed", request.method, request.path, exc_info=error)
    db.session.rollback()
    return _answer(500, _("Something went wrong in the hub. Its log says more."), [])


def show_routing_error(error: HTTPException) -> ResponseReturnValue:
    """No route took the request, so no blueprint did: the path tells whose it would have been."""
    return show_http_error(error) if request.path.startswith(PREFIX) else errors_web.show_http_error(error)


def _answer(status: int, detail: str, errors: list[FieldProblem], shortage: Shortage | None = None) -> Response:
    problem = Problem(
        type=PLAN_LIMIT_TYPE if shortage else "about:blank",
        title=PlanLimitReached.title if shortage else HTTP_STATUS_CODES.get(status, "Error"),
        status=status,
        detail=detail,
        instance=request.path,
        errors=errors,
        shortage=ShortageResource.model_validate(shortage) if shortage else None,
    )
    body = problem.model_dump_json(exclude_none=True)
    answer = Response(body, status, mimetype="application/problem+json")
    if status == 401:
        answer.headers["WWW-Authenticate"] = 'Bearer realm="hub"'
    return answer


def init_app(app: Flask) -> None:
    """Read JSON as above, and answer for paths below ``/api/`` that no route has."""
    app.json = StorableJson(app)
    for code in (404, 405):
        app.register_error_handler(code, show_routing_error)


api.before_request(require_json)
api.register_error_handler(HubError, show_hub_error)
api.register_error_handler(HTTPException, show_http_error)
api.register_error_handler(Exception, show_unexpected)
