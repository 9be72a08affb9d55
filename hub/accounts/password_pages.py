"""Pages for who has no password that works: asking for a link, and setting a new password by it; how strong one is."""

from __future__ import annotations

from flask import Blueprint, flash, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from hub.accounts import password_changes
from hub.accounts.password_strength import Strength, estimate_strength
from hub.accounts.web import request_client, set_device_cookie
from hub.errors import HubError, Invalid, NotFound, TooMany
from hub.htmx import given, go_to, render
from hub.mail.services import can_send_mail

bp = Blueprint("passwords", __name__, url_prefix="/password")


def typed_strength() -> Strength | None:
    """How strong the password is that the form carries; None where none was typed."""
    form = request.form
    typed = form.get("password", "")
    return estimate_strength(typed, (form.get("email", ""), form.get("name", ""))) if typed else None


@bp.post("/strength")
def strength() -> ResponseReturnValue:
    """The meter below the field of a new password, asked for as one types."""
    return render("accounts/_strength.html", strength=typed_strength())


@bp.get("/forgot")
def forgot() -> ResponseReturnValue:
    """Ask for the address."""
    return _forgot_page(None)


@bp.post("/forgot")
def submit_forgot() -> ResponseReturnValue:
    """Promise a mail, whoever it is."""
    email = request.form.get("email", "")
    try:
        password_changes.ask_for_reset(email, client=request_client())
    except (Invalid, TooMany) as error:
        return _forgot_page(error), error.status, error.headers
    return render("accounts/mail_sent.html", email=email.strip(), purpose="reset")


def _forgot_page(error: HubError | None) -> str:
    return render("accounts/forgot.html", error=error, email=request.form.get("email", ""), can_send_mail=can_send_mail())


@bp.get("/reset")
def reset() -> ResponseReturnValue:
    """The form for a new password, behind the link of the mail."""
    return _reset_page(None)


@bp.post("/reset")
def submit_reset() -> ResponseReturnValue:
    """Set it, and lead to sign-in: a link never signs anybody in."""
    try:
        device = password_changes.reset_password(
            request.form.get("token", ""), request.form.get("password", ""), client=request_client()
        )
    except NotFound as error:
        return _over(error.message)
    except (Invalid, TooMany) as error:
        return _reset_page(error)
    flash(_("Your new password is set, and you were signed out everywhere. Sign in with it."), "success")
    return set_device_cookie(go_to("accounts.login"), device)


def _reset_page(error: HubError | None) -> ResponseReturnValue:
    token = given("token")
    email = password_changes.find_reset(token)
    if email is None:
        return _over(_("This link is over or was used. Ask for a new one."))
    page = render("accounts/reset.html", error=error, token=token, email=email, strength=typed_strength())
    return (page, error.status, error.headers) if error else page


def _over(message: str) -> ResponseReturnValue:
    return render("accounts/link_over.html", message=message, again="passwords.forgot", label=_("Ask for a new link")), 404
