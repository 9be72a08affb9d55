"""Pages of the accounts room: registering, signing in, one's own account, sessions and API keys."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from flask import Blueprint, current_app, flash, redirect, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext
from flask_login import current_user

from hub.accounts import api_keys as keys
from hub.accounts import session_list, signing_in, users, verification
from hub.accounts import sessions as session_services
from hub.accounts.demo import DEMO_EMAIL, DEMO_PASSWORD
from hub.accounts.password_pages import typed_strength
from hub.accounts.second_factor.web import current_relying_party, go_on
from hub.accounts.step_up import TIME_TO_TYPE, is_recent
from hub.accounts.web import (
    current_actor,
    end_session,
    remember_settings,
    request_client,
    session_token,
)
from hub.columns import utc_now
from hub.cookies import read_cookie
from hub.errors import HubError, Invalid, NotAllowed, TooMany
from hub.htmx import given, go_to, own_path, render
from hub.i18n import current_language
from hub.mail.services import can_send_mail
from hub.preferences import THEME_COOKIE

bp = Blueprint("accounts", __name__)

#: Days that a new API key may live; 0 is without end.
KEY_LIFETIMES = (30, 90, 365, 0)


@bp.get("/login")
def login() -> ResponseReturnValue:
    """The sign-in form."""
    if current_user.is_authenticated:
        return redirect(own_path(request.args.get("next")), code=303)
    return _login_page(None)


@bp.post("/login")
def submit_login() -> ResponseReturnValue:
    """Sign in with a new token, whatever the browser had before."""
    form = request.form
    try:
        result = signing_in.sign_in(
            form.get("email", ""), form.get("password", ""), client=request_client(), replaces=session_token()
        )
    except (Invalid, TooMany) as error:
        return _login_page(error), error.status, error.headers
    return go_on(result, own_path(form.get("next")))


def _login_page(error: HubError | None) -> str:
    return render(
        "accounts/login.html",
        error=error,
        email=request.form.get("email", ""),
        next=own_path(given("next")),
        registration=_registration_is_open(),
        demo=_demo_login(),
        passkeys=current_relying_party() is not None,
    )


def _demo_login() -> tuple[str, str] | None:
    """E-mail and password of the demo user, for a newcomer who just typed ``make run``."""
    offered = current_app.extensions["hub_config"].is_development and users.has_user(DEMO_EMAIL)
    return (DEMO_EMAIL, DEMO_PASSWORD) if offered else None


def _registration_is_open() -> bool:
    return bool(current_app.extensions["hub_config"].registration) and can_send_mail()


@bp.get("/register")
def register() -> ResponseReturnValue:
    """The registration form."""
    _require_registration()
    return _register_page(None)


@bp.post("/register")
def submit_register() -> ResponseReturnValue:
    """Promise a mail, whoever it is; in development without a mail server make the account and sign in to it at once."""
    _require_registration()
    try:
        if current_app.extensions["hub_config"].has_mailbox:
            return _register_at_once()
        return _register_by_mail()
    except (Invalid, TooMany) as error:
        return _register_page(error), error.status, error.headers


def _register_by_mail() -> str:
    form = request.form
    email = form.get("email", "")
    verification.begin_registration(email, form.get("password", ""), form.get("name", ""), client=request_client())
    return render("accounts/mail_sent.html", email=email.strip(), purpose="register")


def _register_at_once() -> ResponseReturnValue:
    form, client = request.form, request_client()
    email, password = form.get("email", ""), form.get("password", "")
    user = users.register_user(email, password, form.get("name", ""), client=client)
    verification.ask_to_confirm(client.as_actor(user.id))
    return go_on(signing_in.sign_in(email, password, client=client, replaces=session_token()), "/")


def _register_page(error: HubError | None) -> str:
    return render("accounts/register.html", error=error, values=request.form, strength=typed_strength())


def _require_registration() -> None:
    if not _registration_is_open():
        raise NotAllowed(_("Registration is closed here. Ask an operator for an account."))


@bp.post("/logout")
def sign_out() -> ResponseReturnValue:
    """End the present session."""
    session_services.sign_out(current_actor())
    return end_session(go_to("accounts.login"))


@bp.get("/account")
def account() -> ResponseReturnValue:
    """Name, language and theme."""
    present = {"language": current_language(), "theme": read_cookie(THEME_COOKIE) or "system"}
    return _account_page({**present, **current_user.settings, "name": current_user.name})


def _account_page(values: Mapping[str, str], error: Invalid | None = None) -> str:
    return render("accounts/account.html", error=error, values=values)


@bp.post("/account")
def submit_account() -> ResponseReturnValue:
    """Save them; the cookies follow, because pages read the cookies."""
    choice = {name: request.form.get(name, "") for name in ("name", "language", "theme")}
    try:
        users.update_profile(current_actor(), **choice)
    except Invalid as error:
        return _account_page(choice, error), error.status
    flash(_("Saved."), "success")
    return remember_settings(go_to("accounts.account"), choice)


@bp.get("/account/sessions")
def sessions() -> ResponseReturnValue:
    """Where one is signed in."""
    return render("accounts/sessions.html", sessions=session_list.list_sessions(current_actor()))


@bp.post("/account/sessions/<session_id>/revoke")
def revoke_session(session_id: str) -> ResponseReturnValue:
    """End one session."""
    session_list.revoke_session(current_actor(), session_id)
    flash(_("The session was ended."), "success")
    return go_to("accounts.sessions")


@bp.post("/account/sessions/revoke-others")
def revoke_other_sessions() -> ResponseReturnValue:
    """End all sessions but this one."""
    session_list.revoke_other_sessions(current_actor())
    flash(_("All other sessions were ended."), "success")
    return go_to("accounts.sessions")


@bp.get("/account/api-keys")
def api_keys() -> ResponseReturnValue:
    """The keys and the form for a new one."""
    return _api_keys_page()


@bp.post("/account/api-keys")
def create_api_key() -> ResponseReturnValue:
    """Make a key and show it this once: it is in this answer and nowhere else."""
    form = request.form
    try:
        days = form.get("days", type=int)
        if days not in KEY_LIFETIMES:
            raise Invalid(fields={"expires_at": _("Choose how long the key is valid.")})
        expires_at = utc_now() + dt.timedelta(days=days) if days else None
        _key, secret = keys.create_api_key(current_actor(), form.get("name", ""), form.getlist("permissions"), expires_at)
    except Invalid as error:
        return _api_keys_page(error=error), error.status
    return _api_keys_page(secret=secret), 201


def _api_keys_page(*, error: Invalid | None = None, secret: str | None = None) -> str:
    return render(
        "accounts/api_keys.html",
        keys=keys.list_api_keys(current_actor()),
        permission_names={"read": _("Read everything of yours"), "write": _("Change everything of yours")},
        narrow_permissions=keys.PERMISSIONS[2:],
        lifetimes=[(days, ngettext("%(num)s day", "%(num)s days", days) if days else _("No end")) for days in KEY_LIFETIMES],
        now=utc_now(),
        error=error,
        secret=secret,
        may_create=is_recent(current_actor(), remaining=TIME_TO_TYPE) or error is not None,
        values=request.form if error else {"days": "90"},
        chosen=request.form.getlist("permissions") if error else ["read"],
    )


@bp.post("/account/api-keys/<key_id>/revoke")
def revoke_api_key(key_id: str) -> ResponseReturnValue:
    """Make a key useless."""
    keys.revoke_api_key(current_actor(), key_id)
    flash(_("The key was revoked."), "success")
    return go_to("accounts.api_keys")
