"""The page behind the link that somebody gets who registered."""

from __future__ import annotations

from flask import Blueprint, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from hub.accounts import verification
from hub.accounts.sessions import open_session
from hub.accounts.web import remember_settings, request_client, session_token, start_session
from hub.errors import HubError, Invalid, NotFound, TooMany
from hub.htmx import given, go_to, render

bp = Blueprint("registration", __name__, url_prefix="/register")


@bp.get("/confirm")
def confirm() -> ResponseReturnValue:
    """Ask for the password that was chosen. Opening the page changes nothing: mail programs open links by themselves."""
    return _page(None)


@bp.post("/confirm")
def submit_confirm() -> ResponseReturnValue:
    """Make the account and sign in to it."""
    client = request_client()
    try:
        user = verification.finish_registration(request.form.get("token", ""), request.form.get("password", ""), client=client)
    except NotFound as error:
        return _over(error.message)
    except (Invalid, TooMany) as error:
        return _page(error)
    token = open_session(user.id, client, replaces=session_token())
    response = start_session(go_to("dashboard.index"), token)
    return remember_settings(response, user.settings)


def _page(error: HubError | None) -> ResponseReturnValue:
    token = given("token")
    registration = verification.find_registration(token)
    if registration is None:
        return _over(_("This link is over or was used. Sign in, or register again."))
    page = render("accounts/confirm_registration.html", error=error, token=token, email=registration.email)
    return (page, error.status, error.headers) if error else page


def _over(message: str) -> ResponseReturnValue:
    return render("accounts/link_over.html", message=message, again="accounts.login", label=_("Sign in")), 404
