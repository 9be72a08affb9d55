"""The hub's own cookies that are no session: bound to this host, for pages alone, closed to scripts."""

from __future__ import annotations

from flask import current_app, request
from werkzeug.wrappers import Response

from hub.config import Config


def read_cookie(name: str) -> str:
    """What this browser keeps under ``name``; empty text for nothing."""
    return request.cookies.get(_config().cookie_name(name), "")


def keep_cookie(response: Response, name: str, value: str, seconds: int) -> None:
    """Let this browser keep ``value`` for so long."""
    config = _config()
    response.set_cookie(
        config.cookie_name(name), value, max_age=seconds, secure=config.secure_cookies, httponly=True, samesite="Lax", path="/"
    )


def _config() -> Config:
    config: Config = current_app.extensions["hub_config"]
    return config
