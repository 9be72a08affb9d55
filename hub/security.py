"""Response headers and the refusal of cross-site requests; who is signed in is ``hub.accounts``' matter."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Flask, Response, request
from flask_babel import gettext as _

from hub.errors import Invalid, NotAllowed, NotFound
from hub.extensions import csrf

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'; manifest-src 'self'"
)
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


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


def set_headers(response: Response) -> Response:
    """Strict defaults; a response that set a header itself keeps it."""
    for name, value in (
        ("Content-Security-Policy", CONTENT_SECURITY_POLICY),
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "same-origin"),
        ("Cross-Origin-Opener-Policy", "same-origin"),
        ("Cross-Origin-Resource-Policy", "same-origin"),
        ("Permissions-Policy", "camera=(), geolocation=(), microphone=()"),
    ):
        response.headers.setdefault(name, value)
    if request.endpoint != "static":
        response.headers.setdefault("Cache-Control", "no-store")
        response.vary.add("Cookie")
        response.vary.add("HX-Request")
    if request.is_secure:
        response.headers.setdefault("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
    return response


def init_app(app: Flask) -> None:
    """Install the headers, the cross-site check and, behind it, the token check for every route."""
    app.after_request(set_headers)
    app.before_request(refuse_cross_site)
    app.before_request(refuse_nul)
    csrf.init_app(app)
