"""What each kind of authentication adds to a request."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass, field

from hub.contracts.http import (
    SECRET_AUTH_FIELDS,
    ApiKeyAuth,
    Auth,
    AwsSigV4Auth,
    BasicAuth,
    BearerAuth,
    DigestAuth,
    HmacAuth,
    OAuth2ClientCredentials,
    OAuth2Code,
)
from hub.http_builder.rendering import aws
from hub.http_builder.rendering.headers import Headers, replace_header
from hub.http_builder.rendering.renderer import Renderer
from hub.http_builder.rendering.urls import encode_parameter, split_url
from hub.http_builder.rendering.values import Value


@dataclass(slots=True)
class Signing:
    """A request as far as it is filled in; authentication adds its headers to it."""

    renderer: Renderer
    method: str
    url: str
    headers: Headers
    body: bytes | None
    #: What authentication made of secrets: it must not leave for another origin either.
    derived: list[str] = field(default_factory=list)
    #: Exactly what was signed, secrets and all.
    signed: str | None = None


def field_text(renderer: Renderer, auth: Auth, name: str) -> str:
    """A field of the authentication with its values. A secret field counts as a secret, whatever its value comes from."""
    text = renderer.text(str(getattr(auth, name)), f"auth.{name}")
    if text and name in SECRET_AUTH_FIELDS.get(auth.type, ()) and text not in {value.text for value in renderer.used}:
        renderer.own_secrets.append(text)
    return text


def render_key_in_query(renderer: Renderer, auth: Auth) -> list[str]:
    """The parameter of an API key that goes into the query; else nothing."""
    if not isinstance(auth, ApiKeyAuth) or auth.place != "query":
        return []
    name, value = renderer.text(auth.name, "auth.name"), field_text(renderer, auth, "value")
    _require(renderer, name, "auth.name")
    _require(renderer, value, "auth.value")
    return [encode_parameter(name, value)]


def _require(renderer: Renderer, text: str, place: str) -> bool:
    if not text.strip():
        renderer.refuse(place, "auth-empty")
    return bool(text.strip())


def add_authentication(signing: Signing, auth: Auth, token: str | None) -> None:
    """Add what the service asks for; a digest waits for the server's challenge."""
    match auth:
        case BasicAuth():
            _add_basic(signing, auth)
        case BearerAuth():
            _add_bearer(signing, auth)
        case ApiKeyAuth() if auth.place == "header":
            name, value = signing.renderer.text(auth.name, "auth.name").strip(), field_text(signing.renderer, auth, "value")
            if _require(signing.renderer, name, "auth.name") and _require(signing.renderer, value, "auth.value"):
                _set(signing, name, value, "auth.value")
        case OAuth2ClientCredentials() | OAuth2Code():
            _add_token(signing, auth, token)
        case HmacAuth():
            _add_hmac(signing, auth)
        case AwsSigV4Auth():
            _add_aws(signing, auth)


def _set(signing: Signing, name: str, value: str, place: str) -> None:
    replace_header(signing.renderer, signing.headers, name, value, place)


def render_login(renderer: Renderer, auth: BasicAuth | DigestAuth) -> tuple[str, str]:
    """User name and password."""
    username, password = renderer.text(auth.username, "auth.username"), field_text(renderer, auth, "password")
    if not username and not password:
        renderer.refuse("auth.username", "auth-empty")
    return username, password


def basic_credentials(username: str, password: str) -> str:
    """``user:password`` in Base64, as UTF-8 (RFC 7617 2.1)."""
    return base64.b64encode(f"{username}:{password}".encode("utf-8", "replace")).decode()


def _add_basic(signing: Signing, auth: BasicAuth) -> None:
    username, password = render_login(signing.renderer, auth)
    if ":" in username:
        signing.renderer.refuse("auth.username", "username-colon")
    encoded = basic_credentials(username, password)
    signing.derived.append(encoded)
    _set(signing, "Authorization", f"Basic {encoded}", "auth.password")


def _add_bearer(signing: Signing, auth: BearerAuth) -> None:
    prefix = signing.renderer.text(auth.prefix, "auth.prefix").strip()
    token = field_text(signing.renderer, auth, "token").strip()
    if not _require(signing.renderer, token, "auth.token"):
        return
    if prefix and token.lower().startswith(f"{prefix.lower()} "):
        signing.renderer.note("token-has-prefix", prefix=prefix)
    _set(signing, "Authorization", f"{prefix} {token}".strip(), "auth.token")


def _add_token(signing: Signing, auth: OAuth2ClientCredentials | OAuth2Code, token: str | None) -> None:
    header = auth.header_name.strip() if isinstance(auth, OAuth2ClientCredentials) else "Authorization"
    prefix = auth.prefix.strip() if isinstance(auth, OAuth2ClientCredentials) else "Bearer"
    if token is None:
        signing.renderer.refuse("auth", "token-missing")
        return
    _set(signing, header or "Authorization", f"{prefix} {token}".strip(), "auth")


def _add_hmac(signing: Signing, auth: HmacAuth) -> None:
    renderer = signing.renderer
    secret = field_text(renderer, auth, "secret")
    header = renderer.text(auth.header, "auth.header").strip()
    if not _require(renderer, secret, "auth.secret") or not _require(renderer, header, "auth.header"):
        return
    message = _message(signing, auth.message)
    mac = hmac.new(secret.encode("utf-8", "replace"), message, getattr(hashlib, auth.algorithm)).digest()
    signature = mac.hex() if auth.encoding == "hex" else base64.b64encode(mac).decode()
    signing.signed = message.decode("utf-8", "replace")
    signing.derived.append(signature)
    if stamp := renderer.text(auth.timestamp_header, "auth.timestamp_header").strip():
        _set(signing, stamp, renderer.timestamp, "auth.timestamp_header")
    _set(signing, header, renderer.text(auth.prefix, "auth.prefix") + signature, "auth.header")


def _message(signing: Signing, template: str) -> bytes:
    """What is signed, in bytes: a body need not be text."""
    _authority, path, query = split_url(signing.url)
    request: dict[str, Callable[[], bytes]] = {
        "$method": lambda: signing.method.encode(),
        "$url": lambda: signing.url.encode("utf-8", "replace"),
        "$path": lambda: path.encode("utf-8", "replace"),
        "$query": lambda: query.encode("utf-8", "replace"),
        "$body": lambda: signing.body or b"",
    }
    built_in = {name: Value(name, "") for name in request}
    out = []
    for piece in signing.renderer.pieces(template, "auth.message", built_in):
        name = piece.value.name if piece.value else ""
        out.append(request[name]() if name in request else piece.text.encode("utf-8", "replace"))
    return b"".join(out)


def _add_aws(signing: Signing, auth: AwsSigV4Auth) -> None:
    renderer = signing.renderer
    plain = {name: renderer.text(getattr(auth, name), f"auth.{name}").strip() for name in ("access_key_id", "region", "service")}
    secret, session_token = (field_text(renderer, auth, name).strip() for name in ("secret_access_key", "session_token"))
    filled = [_require(renderer, text, f"auth.{name}") for name, text in plain.items()]
    if not _require(renderer, secret, "auth.secret_access_key") or not all(filled):
        return
    body = signing.body or b""
    for name, value in aws.dated_headers(body, dt.datetime.now(dt.UTC), session_token):
        _set(signing, name, value, "auth.session_token")
    signature = aws.sign(signing.method, signing.url, signing.headers, body, secret_access_key=secret, **plain)
    signing.signed = f"{signature.canonical_request}\n\n{signature.string_to_sign}"
    signing.derived.append(signature.authorization)
    replace_header(renderer, signing.headers, "Authorization", signature.authorization, "auth.access_key_id")
