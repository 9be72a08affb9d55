"""The second factor in web requests: where passkeys work, the browser's waiting sign-in, and who may not pass without one."""

from __future__ import annotations

import ipaddress
import secrets
from collections.abc import Mapping
from urllib.parse import urlsplit

from flask import Flask, current_app, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from werkzeug.wrappers import Response

from hub.accounts import step_up
from hub.accounts.second_factor import proofs, services
from hub.accounts.second_factor.passkeys import RelyingParty
from hub.accounts.second_factor.proofs import PasskeyProof
from hub.accounts.signing_in import SignInResult
from hub.accounts.web import API_PREFIX, PUBLIC_ENDPOINTS, request_client, welcome
from hub.config import Config
from hub.htmx import go_to, go_to_path

#: Where Flask's signed cookie keeps the token of a sign-in that waits for its second factor.
_PENDING = "pending_sign_in"
#: The same for a secret of this browser, to which the challenge of a passkey is bound.
_BROWSER = "browser"
#: What stays open to somebody who must set a second factor up first; blueprints end with a dot.
_OPEN = ("second_factor.", "confirmation.", "accounts.sign_out")


def current_relying_party() -> RelyingParty | None:
    """The hub's name for passkeys: that of HUB_PUBLIC_URL, or in development of the address that was opened.

    None where there is no such name: passkeys are bound to a domain, so not to an IP address, and browsers want https
    everywhere but on localhost.
    """
    config: Config = current_app.extensions["hub_config"]
    origin = config.public_url or (request.host_url if config.is_development else "")
    parts = urlsplit(origin)
    host = parts.hostname or ""
    if not host or _is_address(host) or (parts.scheme != "https" and host != "localhost"):
        return None
    return RelyingParty(id=host, origin=f"{parts.scheme}://{parts.netloc}")


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def go_on(result: SignInResult, path: str) -> Response:
    """After the password: to ``path``, or first to the page that asks for the second factor."""
    if result.token:
        return welcome(result.token, path)
    session[_PENDING] = result.pending
    return go_to("second_factor.ask", next=path)


def pending_token() -> str | None:
    """The token of the sign-in that waits in this browser."""
    token: str | None = session.get(_PENDING)
    return token


def forget_pending_token() -> None:
    """What waited in this browser is over."""
    session.pop(_PENDING, None)


def browser_secret() -> str:
    """What only this browser knows, until it signs in or out."""
    secret: str = session.setdefault(_BROWSER, secrets.token_urlsafe(16))
    return secret


def _require_second_factor() -> ResponseReturnValue | None:
    """Who must have a second factor and has none sees only the pages on which to set one up."""
    endpoint = request.endpoint
    if endpoint is None or endpoint in PUBLIC_ENDPOINTS or endpoint.startswith(_OPEN) or request.path.startswith(API_PREFIX):
        return None
    person = current_user
    if not person.is_authenticated or person.has_second_factor or not services.is_required(person.role, person.plan):
        return None
    return go_to_path(url_for("second_factor.show"))


def _check_code(user_id: str, form: Mapping[str, str]) -> None:
    proofs.accept_code(user_id, form.get("code", ""), request_client())


def _check_passkey(user_id: str, form: Mapping[str, str]) -> None:
    proof = PasskeyProof(form.get("passkey", ""), current_relying_party())
    services.confirm_with_passkey(user_id, form.get("ceremony", ""), proof, request_client())


def _may_use_passkey(user_id: str) -> bool:
    return services.owns_passkey(user_id) and current_relying_party() is not None


def init_app(app: Flask) -> None:
    """Install the guard behind the one that asks for sign-in."""
    app.before_request(_require_second_factor)


step_up.add_way(
    step_up.ConfirmationWay("passkey", "accounts/second_factor/_confirm_passkey.html", _may_use_passkey, _check_passkey)
)
step_up.add_way(step_up.ConfirmationWay("code", "accounts/second_factor/_confirm_code.html", services.has_factor, _check_code))
