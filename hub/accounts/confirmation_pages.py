"""The page on which a person shows again who they are, and the way to it from wherever that was asked for."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask.wrappers import Response
from flask_babel import gettext as _

from hub.accounts import step_up
from hub.accounts.web import current_actor, set_session_cookie
from hub.errors import HubError, Invalid, NeedsReauthentication, TooMany
from hub.htmx import given, go_to_path, own_path, render

bp = Blueprint("confirmation", __name__)


@bp.get("/account/confirm")
def confirm() -> ResponseReturnValue:
    """Ask who it is."""
    return _page(None)


@bp.post("/account/confirm")
def submit_confirm() -> ResponseReturnValue:
    """Take the proof, give the browser the session's new token, and go back."""
    try:
        token = step_up.confirm_identity(current_actor(), request.form.get("way", ""), request.form)
    except (Invalid, TooMany) as error:
        return _page(error), error.status, error.headers
    return set_session_cookie(go_to_path(own_path(request.form.get("next"))), token)


def _page(error: HubError | None) -> str:
    return render(
        "accounts/confirm.html",
        ways=step_up.list_ways(current_actor()),
        error=error,
        fields=error.fields if isinstance(error, Invalid) else {},
        next=own_path(given("next")),
    )


@bp.app_errorhandler(NeedsReauthentication)
def ask_to_confirm(error: NeedsReauthentication) -> ResponseReturnValue:
    """Lead to the page, and from there back to where the person was.

    A page that was asked for is asked for again afterwards. A form that was sent is not: the person comes back to the page it
    was on, and is told so. Pages hide such forms from whom they would send away (``step_up.is_recent``), so little is lost.
    """
    is_safe = request.method in ("GET", "HEAD")
    if request.headers.get("HX-Request") == "true":
        location = _confirm_url(request.headers.get("HX-Current-URL", ""))
        return Response(status=error.status, headers={"HX-Redirect": location})
    if not is_safe:
        flash(_("Nothing was changed yet: confirm that it is you, then do it again."), "warning")
    return redirect(_confirm_url(request.full_path.rstrip("?") if is_safe else request.headers.get("Referer", "")), code=303)


def _confirm_url(page: str) -> str:
    """The address of the page of confirmation that leads to the path of ``page`` afterwards."""
    parts = urlsplit(page)
    path = own_path(parts.path + (f"?{parts.query}" if parts.query else ""))
    return url_for("confirmation.confirm", next=path)
