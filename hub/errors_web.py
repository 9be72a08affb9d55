"""Domain errors as pages, fragments or problem documents."""

from __future__ import annotations

from flask import Flask, render_template
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from hub.errors import HubError


def show_hub_error(error: HubError) -> ResponseReturnValue:
    """A page with the error's own words."""
    return render_template("errors/error.html", status=error.status, title=error.title, message=error.message), error.status


def show_http_error(error: HTTPException) -> ResponseReturnValue:
    """A page for what Flask itself refuses (404, 405, 413, CSRF)."""
    status = error.code or 500
    return render_template("errors/error.html", status=status, title=error.name, message=error.description), status


def init_app(app: Flask) -> None:
    """Install the handlers."""
    app.register_error_handler(HubError, show_hub_error)
    app.register_error_handler(HTTPException, show_http_error)
