"""Pages of the second factor: asking for it at sign-in, signing in with a passkey, and a person's own factors."""

from __future__ import annotations

from urllib.parse import quote

from flask import Blueprint, flash, jsonify, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from hub.accounts.second_factor import pending, services, totp
from hub.accounts.second_factor.passkeys import MOST
from hub.accounts.second_factor.proofs import CodeProof, PasskeyProof, Proof
from hub.accounts.second_factor.services import Ceremony
from hub.accounts.second_factor.web import browser_secret, current_relying_party, forget_pending_token, pending_token
from hub.accounts.web import current_actor, request_client, session_token, welcome
from hub.errors import HubError, Invalid, TooMany, Unavailable
from hub.htmx import given, go_to, own_path, render

bp = Blueprint("second_factor", __name__)


# Signing in


@bp.get("/login/second-factor")
def ask() -> ResponseReturnValue:
    """Ask for a code or a passkey, once the password was right."""
    try:
        return _ask_page(None)
    except pending.Expired as error:
        return _begin_again(error)


@bp.post("/login/second-factor")
def submit() -> ResponseReturnValue:
    """Complete the sign-in."""
    form = request.form
    proof: Proof = CodeProof(form.get("code", ""))
    if "passkey" in form:
        proof = PasskeyProof(form["passkey"], current_relying_party())
    try:
        token = services.finish(pending_token(), proof, request_client(), replaces=session_token())
    except pending.Expired as error:
        return _begin_again(error)
    except (Invalid, TooMany, Unavailable) as error:
        return _ask_page(error), error.status, error.headers
    return welcome(token, own_path(form.get("next")))


@bp.post("/login/second-factor/passkey")
def ask_for_passkey() -> ResponseReturnValue:
    """The challenge for a passkey as second factor."""
    return jsonify(token="", options=services.ask_for_passkey(pending_token(), current_relying_party()))


@bp.post("/login/passkey/challenge")
def begin_passkey_sign_in() -> ResponseReturnValue:
    """The challenge for signing in with a passkey alone."""
    return _as_json(services.begin_passkey_sign_in(request_client(), current_relying_party(), browser=browser_secret()))


@bp.post("/login/passkey")
def sign_in_with_passkey() -> ResponseReturnValue:
    """Sign in with it; a refusal is said on the sign-in page."""
    form = request.form
    proof = PasskeyProof(form.get("passkey", ""), current_relying_party())
    try:
        token = services.sign_in_with_passkey(
            form.get("ceremony", ""), proof, request_client(), browser=browser_secret(), replaces=session_token()
        )
    except (Invalid, TooMany) as error:
        flash(error.message, "error")
        return go_to("accounts.login", next=own_path(form.get("next")))
    return welcome(token, own_path(form.get("next")))


def _ask_page(error: HubError | None) -> str:
    offers_passkey = services.has_passkey(pending_token()) and current_relying_party() is not None
    return render("accounts/second_factor/ask.html", error=error, next=own_path(given("next")), offers_passkey=offers_passkey)


def _begin_again(error: pending.Expired) -> ResponseReturnValue:
    forget_pending_token()
    flash(error.message, "warning")
    return redirect(url_for("accounts.login", next=own_path(given("next"))), code=303)


def _as_json(ceremony: Ceremony) -> ResponseReturnValue:
    return jsonify(token=ceremony.token, options=ceremony.options)


# One's own factors


@bp.get("/account/security")
def show() -> ResponseReturnValue:
    """What is asked beside the password."""
    return render(
        "accounts/second_factor/show.html",
        factors=services.list_factors(current_actor()),
        is_required=services.is_required(current_user.role, current_user.plan),
        offers_passkeys=current_relying_party() is not None,
        most_passkeys=MOST,
    )


@bp.post("/account/confirm/passkey")
def begin_confirmation() -> ResponseReturnValue:
    """The challenge for showing again who one is."""
    return _as_json(services.begin_confirmation(current_actor(), current_relying_party()))


@bp.get("/account/security/app")
def add_app() -> ResponseReturnValue:
    """A QR code to scan, and the field for the first code."""
    return _app_page(services.begin_app(current_actor()))


@bp.post("/account/security/app")
def confirm_app() -> ResponseReturnValue:
    """Switch the app on, and show the recovery codes if it is the first factor."""
    actor, sealed = current_actor(), request.form.get("sealed", "")
    try:
        codes = services.confirm_app(actor, sealed, request.form.get("code", ""))
    except pending.Expired as error:
        flash(error.message, "warning")
        return go_to("second_factor.add_app")
    except Invalid as error:
        return _app_page(services.open_app_enrolment(actor, sealed), error), error.status
    return _after_adding(codes, _("The authenticator app is set up."))


def _app_page(enrolment: totp.Enrolment, error: Invalid | None = None) -> str:
    return render("accounts/second_factor/app.html", enrolment=enrolment, error=error)


@bp.post("/account/security/app/remove")
def remove_app() -> ResponseReturnValue:
    """Take the app off."""
    services.remove_app(current_actor())
    flash(_("The authenticator app was removed."), "success")
    return go_to("second_factor.show")


@bp.post("/account/security/codes")
def renew_codes() -> ResponseReturnValue:
    """Make new recovery codes and show them this once."""
    return _codes_page(services.renew_codes(current_actor()), _("You have new recovery codes. The old ones no longer work."))


@bp.get("/account/security/passkeys/new")
def new_passkey() -> ResponseReturnValue:
    """Ask for the new passkey's name."""
    services.check_room_for_passkey(current_actor(), current_relying_party())
    return _passkey_page()


@bp.post("/account/security/passkeys/challenge")
def begin_passkey() -> ResponseReturnValue:
    """The challenge for a new passkey."""
    return _as_json(services.begin_passkey(current_actor(), current_relying_party()))


@bp.post("/account/security/passkeys")
def add_passkey() -> ResponseReturnValue:
    """Store the new passkey, and show the recovery codes if it is the first factor."""
    form = request.form
    proof = PasskeyProof(form.get("passkey", ""), current_relying_party())
    try:
        codes = services.add_passkey(current_actor(), form.get("ceremony", ""), proof, form.get("name", ""))
    except Invalid as error:
        return _passkey_page(error), error.status
    return _after_adding(codes, _("The passkey was added."))


def _passkey_page(error: Invalid | None = None) -> str:
    return render("accounts/second_factor/passkey.html", error=error, name=request.form.get("name", ""))


@bp.post("/account/security/passkeys/<passkey_id>")
def rename_passkey(passkey_id: str) -> ResponseReturnValue:
    """Give a passkey another name."""
    try:
        services.rename_passkey(current_actor(), passkey_id, request.form.get("name", ""))
    except Invalid as error:
        flash(error.message, "error")
    else:
        flash(_("Saved."), "success")
    return go_to("second_factor.show")


@bp.post("/account/security/passkeys/<passkey_id>/remove")
def remove_passkey(passkey_id: str) -> ResponseReturnValue:
    """Take a passkey off."""
    services.remove_passkey(current_actor(), passkey_id)
    flash(_("The passkey was removed."), "success")
    return go_to("second_factor.show")


def _after_adding(codes: list[str], message: str) -> ResponseReturnValue:
    if codes:
        return _codes_page(codes, message + " " + _("Your other sessions were ended, because they began without it."))
    flash(message, "success")
    return go_to("second_factor.show")


def _codes_page(codes: list[str], message: str) -> ResponseReturnValue:
    text = "\n".join((f"AI-HTTP Hub, {request.host}, {current_user.email}", *codes, ""))
    file = f"data:text/plain;charset=utf-8,{quote(text)}"
    return render("accounts/second_factor/codes.html", codes=codes, message=message, file=file), 201
