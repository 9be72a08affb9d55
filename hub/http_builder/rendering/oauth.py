"""OAuth 2.0 (RFC 6749) with a token endpoint: what is asked, and what its answers mean. Knows no database."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, quote_plus, urlencode

from hub.columns import utc_now
from hub.contracts.exchange import Exchange, ExchangeLimits, WireRequest
from hub.contracts.http import OAuth2ClientCredentials, OAuth2Code, RequestDefinition
from hub.egress import EgressError, Target, may_reach
from hub.http_builder.rendering.authentication import field_text
from hub.http_builder.rendering.masking import Mask
from hub.http_builder.rendering.problems import RenderError
from hub.http_builder.rendering.renderer import Renderer
from hub.http_builder.rendering.sending import Send
from hub.http_builder.rendering.urls import render_url
from hub.http_builder.rendering.values import Values

_LIMITS = ExchangeLimits(seconds=15.0, max_bytes=200_000, follow_redirects=False)
_LONGEST_DESCRIPTION = 300


class TokenError(Exception):
    """No token: ``code`` and ``details`` are for ``describe_token_error``; nothing in them is a secret.

    ``refused`` (``error``, ``description``), ``no-token``, ``status`` (``status``), ``unreachable`` (an egress ``code``),
    ``sign-in-needed``, ``state``, ``expired``.
    """

    def __init__(self, code: str, **details: str | int) -> None:
        self.code = code
        self.details = details
        super().__init__(f"{code} {details}" if details else code)


@dataclass(frozen=True, slots=True)
class Token:
    """What a token endpoint gave. ``expires_at`` is None where it does not say."""

    access_token: str = field(repr=False)
    refresh_token: str | None = field(default=None, repr=False)
    expires_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class Client:
    """An OAuth client with its values filled in, for one host that its tokens go to."""

    kind: str
    token_url: str
    client_id: str
    client_secret: str = field(repr=False)
    scope: str
    audience: str
    authorization_url: str
    in_header: bool
    #: Host (with its port, unless it is the scheme's own) of the request that the token is for.
    audience_host: str
    secret_hosts: tuple[tuple[str, tuple[str, ...]], ...] = field(default=(), repr=False)

    @property
    def fingerprint(self) -> str:
        """Tells which tokens are interchangeable. The host is in it: no token goes where it was not made for."""
        parts = (self.kind, self.token_url, self.client_id, self.scope, self.audience, self.audience_host)
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def client_of(definition: RequestDefinition, values: Values) -> Client:
    """The client of a request with OAuth2. ``RenderError`` for what is missing, or a secret that is bound to other hosts.

    The token goes to the request's host, so the client's secrets must be allowed there as well as at the token endpoint.
    """
    auth = definition.auth
    if not isinstance(auth, OAuth2ClientCredentials | OAuth2Code):
        raise TypeError("the request has no OAuth2 authentication")
    renderer = Renderer(values.with_variables_of(definition))
    # Apart, because what stands in the URL does not go to the token endpoint.
    of_url = Renderer(values.with_variables_of(definition))
    _url, target = render_url(of_url, definition.url, [])
    token_url, endpoint = render_url(renderer, auth.token_url, [], "auth.token_url")
    authorization_url = ""
    if isinstance(auth, OAuth2Code):
        authorization_url, _target = render_url(renderer, auth.authorization_url, [], "auth.authorization_url")
    client_id = renderer.text(auth.client_id, "auth.client_id").strip()
    if not client_id:
        renderer.refuse("auth.client_id", "auth-empty")
    secret = field_text(renderer, auth, "client_secret").strip()
    if not secret and isinstance(auth, OAuth2ClientCredentials):
        renderer.refuse("auth.client_secret", "auth-empty")
    scope = renderer.text(auth.scope, "auth.scope").strip()
    audience = renderer.text(auth.audience, "auth.audience").strip() if isinstance(auth, OAuth2ClientCredentials) else ""
    if target is None:
        renderer.problems += of_url.problems
    for place in (endpoint, target):
        if place is not None:
            _check_hosts(renderer, place)
    if renderer.problems or target is None or endpoint is None:
        raise RenderError(tuple(renderer.problems))
    return Client(
        kind=auth.type,
        token_url=token_url,
        client_id=client_id,
        client_secret=secret,
        scope=scope,
        audience=audience,
        authorization_url=authorization_url,
        in_header=auth.client_authentication == "header",
        audience_host=target.authority,
        secret_hosts=(
            *((value.text, value.hosts) for value in renderer.used),
            *((own, (endpoint.authority,)) for own in renderer.own_secrets),
        ),
    )


def _check_hosts(renderer: Renderer, target: Target) -> None:
    for value, place in renderer.used.items():
        if not may_reach(value.hosts, target):
            code = "secret-host" if value.hosts else "secret-unbound"
            renderer.refuse(place, code, name=value.name, host=target.authority, allowed=", ".join(value.hosts))


# --- Grants --------------------------------------------------------------------------------------------------------


def client_credentials_grant(client: Client) -> dict[str, str]:
    """RFC 6749 4.4; ``audience`` is what Auth0 and others want besides."""
    asked = {"scope": client.scope, "audience": client.audience}
    return {"grant_type": "client_credentials"} | {name: text for name, text in asked.items() if text}


def refresh_grant(refresh_token: str) -> dict[str, str]:
    """RFC 6749 6."""
    return {"grant_type": "refresh_token", "refresh_token": refresh_token}


def code_grant(code: str, redirect_uri: str, verifier: str) -> dict[str, str]:
    """RFC 6749 4.1.3 with RFC 7636 4.5."""
    return {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri, "code_verifier": verifier}


def authorization_address(client: Client, *, redirect_uri: str, state: str, verifier: str) -> str:
    """Where the person signs in (RFC 6749 4.1.1, RFC 7636 4.3 with S256)."""
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    parameters = {
        "response_type": "code",
        "client_id": client.client_id,
        "redirect_uri": redirect_uri,
        "state": state,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
        **({"scope": client.scope} if client.scope else {}),
    }
    mark = "&" if "?" in client.authorization_url else "?"
    return f"{client.authorization_url}{mark}{urlencode(parameters)}"


# --- The token endpoint --------------------------------------------------------------------------------------------


def fetch_token(client: Client, grant: Mapping[str, str], send: Send) -> Token:
    """Ask the token endpoint. ``TokenError`` says what it answered instead, in words that hold no secret."""
    form = dict(grant)
    headers = [("Accept", "application/json"), ("Content-Type", "application/x-www-form-urlencoded")]
    if client.in_header and client.client_secret:
        # RFC 6749 2.3.1: both are form-encoded before they become Basic credentials.
        login = f"{quote_plus(client.client_id)}:{quote_plus(client.client_secret)}"
        headers.append(("Authorization", f"Basic {base64.b64encode(login.encode()).decode()}"))
    else:
        form["client_id"] = client.client_id
        if client.client_secret:
            form["client_secret"] = client.client_secret
    hidden = [client.client_secret, *(grant.get(name, "") for name in ("refresh_token", "code", "code_verifier"))]
    wire = WireRequest(
        method="POST",
        url=client.token_url,
        headers=tuple(headers),
        body=urlencode(form).encode(),
        secrets=tuple(secret for secret in hidden if secret),
        secret_hosts=client.secret_hosts,
    )
    try:
        exchange = send(wire, _LIMITS)
    except EgressError as error:
        details = {name: value for name, value in error.details.items() if isinstance(value, str | int)}
        raise TokenError("unreachable", **{**details, "egress": error.code}) from error
    return _read_token(exchange, Mask(("", secret) for secret in hidden))


def _read_token(exchange: Exchange, mask: Mask) -> Token:
    answer = _fields(exchange)
    if answer.get("error"):
        # Slack puts ``ok: false, error: "invalid_code"``, GitHub answers errors with 200.
        error = answer["error"] if isinstance(answer["error"], str) else answer["error"].get("code", "")
        description = str(answer.get("error_description") or "")
        raise TokenError("refused", error=mask.text(str(error))[:100], description=mask.text(description)[:_LONGEST_DESCRIPTION])
    if not 200 <= exchange.status < 300:
        raise TokenError("status", status=exchange.status)
    token = answer.get("access_token")
    if not isinstance(token, str) or not token:
        raise TokenError("no-token")
    refresh = answer.get("refresh_token")
    return Token(token, refresh if isinstance(refresh, str) and refresh else None, _expiry(answer.get("expires_in")))


def _fields(exchange: Exchange) -> dict[str, Any]:
    """The answer's fields: JSON, or a form as GitHub writes it for those who don't ask for JSON."""
    text = exchange.body.decode("utf-8", "replace")
    try:
        answer = json.loads(text)
    except (ValueError, RecursionError):
        answer = dict(parse_qsl(text)) if "access_token=" in text or "error=" in text else None
    if not isinstance(answer, dict):
        return {}
    if isinstance(answer.get("error"), dict | str | None):
        return answer
    return {**answer, "error": str(answer["error"])}


def _expiry(seconds: Any) -> dt.datetime | None:
    try:
        count = int(seconds)
        return utc_now() + dt.timedelta(seconds=count) if count > 0 else None
    except (TypeError, ValueError, OverflowError):
        return None
