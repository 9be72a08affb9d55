"""Language and theme: kept in cookies, so that they hold before signing in and cost no query."""

from __future__ import annotations

from flask import Blueprint, redirect, request
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from hub.cookies import keep_cookie
from hub.htmx import own_path
from hub.i18n import LANGUAGE_COOKIE, LANGUAGES

THEMES = ("system", "light", "dark")
THEME_COOKIE = "hub_theme"
YEAR = 365 * 24 * 3600
#: Preference -> its cookie and the values it may take.
CHOICES = {"language": (LANGUAGE_COOKIE, frozenset(LANGUAGES)), "theme": (THEME_COOKIE, frozenset(THEMES))}

bp = Blueprint("preferences", __name__, url_prefix="/preferences")


def remember(response: Response, name: str, value: str) -> None:
    """Keep a preference in this browser; a value that does not exist changes nothing."""
    cookie, allowed = CHOICES[name]
    if value in allowed:
        keep_cookie(response, cookie, value, YEAR)


@bp.post("/")
def choose() -> ResponseReturnValue:
    """Keep the chosen language or theme and go back to where the person was."""
    response = redirect(own_path(request.form.get("next")), code=303)
    for name in CHOICES:
        remember(response, name, request.form.get(name, ""))
    return response
