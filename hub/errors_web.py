"""Errors as pages, or as small fragments where htmx asked. ``hub.api`` answers for its own paths."""

from __future__ import annotations

from flask import Flask, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.exceptions import HTTPException, InternalServerError

from hub.errors import HubError
from hub.extensions import db


def error_title(status: int) -> str:
    """What a status means, in the reader's language."""
    titles: dict[int, str] = {
        400: _("Bad request"),
        401: _("Not signed in"),
        402: _("Your plan has no room for this"),
        403: _("Not allowed"),
        404: _("Not found"),
        405: _("Not possible here"),
        409: _("It has changed meanwhile"),
        413: _("Too large"),
        422: _("Please check what you entered"),
        429: _("Too many attempts"),
        503: _("Not available now"),
    }
    return titles.get(status) or str(_("Something went wrong"))


def _show(status: int, message: str) -> str:
    fragment = request.headers.get("HX-Request") == "true" and request.headers.get("HX-Boosted") != "true"
    template = "errors/_message.html" if fragment else "errors/error.html"
    return render_template(template, status=status, title=error_title(status), message=message)


def show_hub_error(error: HubError) -> ResponseReturnValue:
    """The error's own words."""
    return _show(error.status, error.message), error.status, error.headers


def show_http_error(error: HTTPException) -> ResponseReturnValue:
    """What Flask itself refuses (404, 405, 413, CSRF). Its headers (Allow, Retry-After) are kept."""
    status = error.code or 500
    if error.response is not None:
        return error.response
    words = {
        404: _("There is no such page, or it is not yours."),
        405: _("This address does not take such a request."),
        413: _("What was sent is too large."),
    }
    message = words.get(status) or _("The request was refused: %(reason)s", reason=error.description or error.name)
    headers = [(name, value) for name, value in error.get_headers() if name.lower() not in ("content-type", "content-length")]
    return _show(status, message), status, headers


def show_unexpected(_error: InternalServerError) -> ResponseReturnValue:
    """An exception that nobody expected: Flask has logged it, the reader learns no details.

    The page stands alone: what the usual frame needs (the database, the person) may be what failed.
    """
    db.session.rollback()
    return render_template("errors/unexpected.html"), 500


def init_app(app: Flask) -> None:
    """Install the handlers."""
    app.register_error_handler(HubError, show_hub_error)
    app.register_error_handler(HTTPException, show_http_error)
    app.register_error_handler(InternalServerError, show_unexpected)
