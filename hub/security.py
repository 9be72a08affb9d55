"""Response headers, and the refusal of requests from other sites or for other hosts; sign-in is ``hub.accounts``' matter.

Why the policies are as they are: ``docs/security/headers.md``.
"""

from __future__ import annotations

import secrets
from urllib.parse import urlsplit

from flask import Flask, Response, current_app, g, request
from flask_babel import gettext as _
from werkzeug.exceptions import SecurityError

from hub.accounts.web import API_PREFIX
from hub.config import Config
from hub.errors import Invalid, NotAllowed, NotFound
from hub.extensions import csrf

#: Everything but scripts. Nothing comes from another host, nothing is inline, nothing is framed.
_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; manifest-src 'self'; "
    "form-action 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types default; "
)
#: Features of browsers that no page of the hub uses, then the two that it does: the copy button, and passkeys.
_UNUSED_FEATURES = (
    *("accelerometer", "autoplay", "browsing-topics", "camera", "clipboard-read", "display-capture"),
    *("encrypted-media", "fullscreen", "gamepad", "geolocation", "gyroscope", "hid", "identity-credentials-get", "local-fonts"),
    *("idle-detection", "keyboard-map", "magnetometer", "microphone", "midi", "otp-credentials", "payment", "picture-in-picture"),
    *("screen-wake-lock", "serial", "storage-access", "usb", "window-management", "xr-spatial-tracking"),
)
_OWN_FEATURES = ("clipboard-write", "publickey-credentials-create", "publickey-credentials-get")
PERMISSIONS_POLICY = ", ".join([*(f"{name}=()" for name in _UNUSED_FEATURES), *(f"{name}=(self)" for name in _OWN_FEATURES)])
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
#: What answers whatever host was asked for: load balancers ask by address.
_ANY_HOST = frozenset({"system.healthz"})
_DEFAULT_PORTS = {"http": 80, "https": 443}


def script_nonce() -> str:
    """What marks the scripts of the present page as the hub's own; each answer has another one."""
    if "hub_script_nonce" not in g:
        g.hub_script_nonce = secrets.token_urlsafe(16)
    nonce: str = g.hub_script_nonce
    return nonce


def content_security_policy() -> str:
    """The policy of the present answer. One that marked no script of its own (JSON, a file, an error) runs none at all."""
    nonce = g.get("hub_script_nonce")
    return _POLICY + (f"script-src 'nonce-{nonce}'" if nonce else "script-src 'none'")


def refuse_other_hosts() -> None:
    """In production only the host of HUB_PUBLIC_URL is answered: no forged Host reaches a link, a redirect or a cache."""
    expected = current_app.extensions["hub_public_host"]
    if expected is not None and request.endpoint not in _ANY_HOST and request.host.lower() != expected:
        raise SecurityError(_("This hub answers under another address."))


def refuse_cross_site() -> None:
    """First defence against CSRF, before the token: Fetch Metadata, else Origin. A client that sends neither is no browser."""
    if request.method in SAFE_METHODS:
        return
    site = request.headers.get("Sec-Fetch-Site")
    origin = request.headers.get("Origin")
    allowed = origin is None or urlsplit(origin).netloc == request.host if site is None else site in ("same-origin", "none")
    if not allowed:
        raise NotAllowed(_("The request came from another site."))


def refuse_nul() -> None:
    """No id, name or cursor holds a NUL character, and PostgreSQL would answer one with an error."""
    if "\0" in request.path:
        raise NotFound
    if b"%00" in request.query_string:
        raise Invalid(_("No parameter holds a NUL character."))


def refuse_nameless() -> None:
    """A part of a form without a name is no field; those who read forms may rely on names. The API reads none."""
    is_form = request.mimetype == "multipart/form-data" and not request.path.startswith(API_PREFIX)
    if is_form and None in {*request.form, *request.files}:
        raise Invalid(_("Each part of the form needs a name."))


def set_headers(response: Response) -> Response:
    """Strict defaults; a response that set a header itself keeps it."""
    for name, value in (
        ("Content-Security-Policy", content_security_policy()),
        ("X-Content-Type-Options", "nosniff"),
        ("X-Frame-Options", "DENY"),  # for browsers and scanners that do not read frame-ancestors
        ("Referrer-Policy", "same-origin"),
        ("Cross-Origin-Opener-Policy", "same-origin"),
        ("Cross-Origin-Embedder-Policy", "require-corp"),
        ("Cross-Origin-Resource-Policy", "same-origin"),
        ("Permissions-Policy", PERMISSIONS_POLICY),
    ):
        response.headers.setdefault(name, value)
    if request.endpoint != "static":
        response.headers.setdefault("Cache-Control", "no-store")
        response.vary.add("Cookie")
        response.vary.add("HX-Request")
    if request.is_secure:
        response.headers.setdefault("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
    return response


def public_host(config: Config) -> str | None:
    """The host that every request must name, with its port where that is no default; None where any will do."""
    if config.is_development or not config.public_url:
        return None
    parts = urlsplit(config.public_url.lower())
    name = parts.hostname or ""
    name = f"[{name}]" if ":" in name else name
    return name if parts.port in (None, _DEFAULT_PORTS.get(parts.scheme)) else f"{name}:{parts.port}"


def init_app(app: Flask) -> None:
    """Install the headers, the checks of host and site and, behind them, the token check for every route."""
    app.extensions["hub_public_host"] = public_host(app.extensions["hub_config"])
    app.jinja_env.globals["script_nonce"] = script_nonce
    app.after_request(set_headers)
    app.before_request(refuse_other_hosts)
    app.before_request(refuse_cross_site)
    app.before_request(refuse_nul)
    app.before_request(refuse_nameless)
    csrf.init_app(app)
