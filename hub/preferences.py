"""Language and theme: kept in cookies, so that they hold before signing in and cost no query."""

from __future__ import annotations

from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue

from hub.i18n import LANGUAGE_COOKIE, LANGUAGES
from hub.templating import THEME_COOKIE, THEMES

YEAR = 365 * 24 * 3600
#: Form field -> cookie and the values it may take.
CHOICES = {"language": (LANGUAGE_COOKIE, frozenset(LANGUAGES)), "theme": (THEME_COOKIE, frozenset(THEMES))}

bp = Blueprint("preferences", __name__, url_prefix="/preferences")


def local_path(target: str) -> str:
    """``target`` where it is a path of this site, else the first page: never a way to another host."""
    is_local = target.startswith("/") and not target.startswith(("//", "/\\")) and "\\" not in target and target.isprintable()
    return target if is_local else url_for("dashboard.index")


@bp.post("/")
def choose() -> ResponseReturnValue:
    """Keep the chosen language or theme and go back to where the person was."""
    response = redirect(local_path(request.form.get("next", "")), code=303)
    for name, (cookie, allowed) in CHOICES.items():
        value = request.form.get(name, "")
        if value in allowed:
            response.set_cookie(cookie, value, max_age=YEAR, samesite="Lax", httponly=True, secure=request.is_secure)
    return response
