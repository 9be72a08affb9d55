"""Who acts in a web request: the session cookie, the Bearer key, and the guard that lets nobody else in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, Request, current_app, g, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from flask.wrappers import Response as FlaskResponse
from flask_babel import gettext as _
from flask_login import UserMixin, current_user
from werkzeug.wrappers import Response

from hub.accounts import api_clients, api_keys, devices, sessions
from hub.accounts.actors import Client
from hub.accounts.sessions import ABSOLUTE_LIFETIME, SignedIn
from hub.config import Config
from hub.contracts.actor import Actor
from hub.cookies import keep_cookie, read_cookie
from hub.errors import Unauthenticated
from hub.extensions import login
from hub.htmx import go_to_path, own_path
from hub.preferences import CHOICES, remember

API_PREFIX = "/api/"
DEVICE_COOKIE = "hub_device"

#: The only endpoints that answer without a session or an API key. A route that is not here is closed.
PUBLIC_ENDPOINTS = frozenset(
    {
        "static",
        "system.healthz",
        "system.security_txt",
        "api.openapi",
        "api.docs",
        "preferences.choose",
        "accounts.login",
        "accounts.submit_login",
        "accounts.register",
        "accounts.submit_register",
        "second_factor.ask",
        "second_factor.submit",
        "second_factor.ask_for_passkey",
        "second_factor.begin_passkey_sign_in",
        "second_factor.sign_in_with_passkey",
        "registration.confirm",
        "registration.submit_confirm",
        "passwords.forgot",
        "passwords.submit_forgot",
        "passwords.reset",
        "passwords.submit_reset",
        "passwords.strength",
        "api.log_in",
        "api.send_second_factor",
        "api.refresh_tokens",
        "api.log_out",
        "mail.mailbox",
        "billing.hear",
    }
)


class CurrentUser(UserMixin):  # type: ignore[misc]  # Flask-Login has no types
    """What templates know of the person: ``current_user.name``, ``.email``, ``.plan``, ``.role``, ``.settings``."""

    def __init__(self, signed_in: SignedIn) -> None:
        self.actor = signed_in.actor
        self.id = signed_in.actor.user_id
        self.role = signed_in.actor.role
        self.is_operator = signed_in.actor.is_operator
        self.email = signed_in.email
        self.name = signed_in.name
        self.plan = signed_in.plan
        self.settings = signed_in.settings
        self.has_second_factor = signed_in.has_second_factor
        self.email_verified = signed_in.email_verified


def current_actor() -> Actor:
    """Who acts in this request: the signed-in person, or under ``/api/`` the owner of the Bearer key."""
    if request.path.startswith(API_PREFIX):
        if "hub_api_actor" not in g:
            g.hub_api_actor = _bearer_actor()
        actor: Actor = g.hub_api_actor
        return actor
    if not current_user.is_authenticated:
        raise Unauthenticated(_("Sign in first."))
    person: Actor = current_user.actor
    return person


def request_client() -> Client:
    """Where the present request comes from. The address is the proxy's word only where HUB_TRUSTED_PROXIES says so."""
    via = "api" if request.path.startswith(API_PREFIX) else "web"
    return Client(
        ip_address=request.remote_addr,
        user_agent=request.headers.get("User-Agent"),
        via=via,
        device=read_cookie(DEVICE_COOKIE) or None,
    )


def _bearer_actor() -> Actor:
    scheme, _space, text = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not text.strip():
        raise Unauthenticated(_("Send an API key in the header “Authorization: Bearer hub_…”."))
    text = text.strip()
    if text.startswith(api_clients.ACCESS_PREFIX):
        return api_clients.authenticate_access_token(text, client=request_client())
    return api_keys.authenticate_api_key(text, client=request_client())


def _config() -> Config:
    config: Config = current_app.extensions["hub_config"]
    return config


def session_cookie_name() -> str:
    """``__Host-`` binds the cookie to this host and to https, so browsers take it only with Secure."""
    return "__Host-hub" if _config().secure_cookies else "hub_session"


def session_token() -> str | None:
    """The token that the browser sent."""
    return request.cookies.get(session_cookie_name())


def start_session(response: Response, token: str) -> Response:
    """Hand out a new session and know the browser; what was kept for the anonymous visitor (the CSRF token) ends."""
    session.clear()
    set_session_cookie(response, token)
    return set_device_cookie(response, devices.remember_device_of(token, request_client()))


def set_session_cookie(response: Response, token: str) -> Response:
    """Give the browser its session's token, a first one or a new one."""
    response.set_cookie(
        session_cookie_name(),
        token,
        max_age=int(ABSOLUTE_LIFETIME.total_seconds()),
        secure=_config().secure_cookies,
        httponly=True,
        samesite="Lax",
        path="/",
    )
    return response


def welcome(token: str, path: str) -> Response:
    """Start the session, bring the person's language and theme to this browser, and lead to ``path``."""
    signed_in = sessions.load_actor(token, client=request_client())
    response = start_session(go_to_path(path), token)
    return remember_settings(response, signed_in.settings) if signed_in else response


def set_device_cookie(response: Response, token: str) -> Response:
    """Let the browser be known again, after signing out too: it opens nothing (``devices``)."""
    keep_cookie(response, DEVICE_COOKIE, token, int(devices.LIFETIME.total_seconds()))
    return response


def end_session(response: Response) -> Response:
    """Take the cookie back, and let the browser forget what it keeps of the pages."""
    session.clear()
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
    response.delete_cookie(session_cookie_name(), secure=_config().secure_cookies, httponly=True, samesite="Lax", path="/")
    return response


def remember_settings(response: Response, settings: Mapping[str, Any]) -> Response:
    """Bring a person's own language and theme to this browser; pages read them from cookies."""
    for name in CHOICES:
        remember(response, name, str(settings.get(name)))
    return response


def _load_user(_request: Request) -> CurrentUser | None:
    token = session_token()
    signed_in = sessions.load_actor(token, client=request_client()) if token else None
    return CurrentUser(signed_in) if signed_in else None


def _ask_to_sign_in() -> ResponseReturnValue:
    """To the sign-in page and, after it, back to the page that was open."""
    if request.headers.get("HX-Request") == "true":
        page = urlsplit(request.headers.get("HX-Current-URL", ""))
        location = url_for("accounts.login", next=own_path(page.path))
        return FlaskResponse(status=401, headers={"HX-Redirect": location})
    wanted = request.full_path.rstrip("?") if request.method in ("GET", "HEAD") else None
    return redirect(url_for("accounts.login", next=wanted), code=303)


def _require_sign_in() -> ResponseReturnValue | None:
    """Deny by default: every endpoint that is not on the public list needs a person, or a key under ``/api/``."""
    if request.endpoint is None or request.endpoint in PUBLIC_ENDPOINTS:
        return None
    if request.path.startswith(API_PREFIX):
        current_actor()
        return None
    if current_user.is_authenticated:
        return None
    answer: ResponseReturnValue = login.unauthorized()
    return answer


def init_app(app: Flask) -> None:
    """Install sign-in. Flask-Login only gives templates ``current_user``; its own cookies are never set nor asked."""
    login.init_app(app)
    login.session_protection = None
    login.request_loader(_load_user)
    login.unauthorized_handler(_ask_to_sign_in)
    app.before_request(_require_sign_in)
