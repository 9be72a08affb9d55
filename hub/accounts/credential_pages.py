"""The page on which people change what they sign in with: e-mail address and password."""

from __future__ import annotations

from flask import Blueprint, flash, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from hub.accounts import password_changes, step_up, verification
from hub.accounts.password_pages import typed_strength
from hub.accounts.web import current_actor, set_device_cookie, set_session_cookie
from hub.errors import HubError, Invalid, NotFound, TooMany
from hub.htmx import go_to, render
from hub.mail.services import can_send_mail

bp = Blueprint("credentials", __name__, url_prefix="/account")


@bp.get("/credentials")
def credentials() -> ResponseReturnValue:
    """E-mail address and password, each with its form."""
    return _page()


@bp.post("/password")
def submit_password() -> ResponseReturnValue:
    """Another password: the session gets a new token, all others end."""
    try:
        session_token, device = password_changes.change_password(current_actor(), request.form.get("password", ""))
    except (Invalid, TooMany) as error:
        return _page(password_error=error), error.status, error.headers
    flash(_("Your password was changed. All your other sessions were ended."), "success")
    return set_device_cookie(set_session_cookie(go_to("credentials.credentials"), session_token), device)


@bp.post("/email")
def submit_email() -> ResponseReturnValue:
    """Another address: it counts once it is confirmed."""
    try:
        verification.ask_to_change_email(current_actor(), request.form.get("email", ""))
    except (Invalid, TooMany) as error:
        return _page(email_error=error), error.status, error.headers
    flash(_("We have sent a mail to the new address. Open its link to confirm it."), "success")
    return go_to("credentials.credentials")


@bp.post("/email/withdraw")
def withdraw_email() -> ResponseReturnValue:
    """Keep the present address after all."""
    verification.forget_new_email(current_actor())
    flash(_("Your address stays as it is."), "success")
    return go_to("credentials.credentials")


@bp.post("/email/again")
def send_again() -> ResponseReturnValue:
    """Mail the link that confirms the address once more."""
    try:
        verification.ask_to_confirm(current_actor())
    except TooMany as error:
        flash(error.message, "error")
    else:
        flash(_("We have sent the mail again. An earlier link no longer works."), "success")
    return go_to("credentials.credentials")


@bp.get("/email/confirm")
def confirm_email() -> ResponseReturnValue:
    """Show which address the link confirms. Opening the page changes nothing: mail programs open links by themselves."""
    token = request.args.get("token", "")
    try:
        email = verification.find_confirmation(current_actor(), token)
    except NotFound as error:
        return _over(error)
    return render("accounts/confirm_email.html", token=token, email=email)


@bp.post("/email/confirm")
def submit_confirm_email() -> ResponseReturnValue:
    """Take the address."""
    try:
        session_token = verification.confirm_email(current_actor(), request.form.get("token", ""))
    except NotFound as error:
        return _over(error)
    flash(_("Your e-mail address is confirmed."), "success")
    response = go_to("credentials.credentials")
    return set_session_cookie(response, session_token) if session_token else response


def _page(*, email_error: HubError | None = None, password_error: HubError | None = None) -> str:
    actor = current_actor()
    return render(
        "accounts/credentials.html",
        recent=step_up.is_recent(actor, remaining=step_up.TIME_TO_TYPE),
        new_email=verification.pending_email(actor),
        can_send_mail=can_send_mail(),
        email_error=email_error,
        password_error=password_error,
        typed_email=request.form.get("email", ""),
        strength=typed_strength(),
    )


def _over(error: HubError) -> ResponseReturnValue:
    page = render("accounts/link_over.html", message=error.message, again="credentials.credentials", label=_("Your account"))
    return page, error.status
