"""Authentication as OpenAPI's security schemes: how it is done, never with what."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hub.contracts.http import (
    ApiKeyAuth,
    Auth,
    BasicAuth,
    BearerAuth,
    DigestAuth,
    NoAuth,
    OAuth2ClientCredentials,
    OAuth2Code,
)
from hub.http_builder.rendering.placeholders import names_in


@dataclass(frozen=True, slots=True)
class Scheme:
    """A scheme by its name; without a scheme nobody signs in."""

    name: str = ""
    scheme: dict[str, Any] = field(default_factory=dict)
    scopes: tuple[str, ...] = ()


def write_security(auth: Auth) -> Scheme | None:
    """The scheme, named after the variable of its secret; None for a kind that OpenAPI does not have."""
    match auth:
        case NoAuth():
            return Scheme()
        case BasicAuth():
            return Scheme("basic", {"type": "http", "scheme": "basic"})
        case DigestAuth():
            return Scheme("digest", {"type": "http", "scheme": "digest"})
        case BearerAuth() if auth.prefix == "Bearer":
            return Scheme(_named(auth.token, "bearer"), {"type": "http", "scheme": "bearer"})
        case BearerAuth():
            return Scheme(_named(auth.token, "token"), {"type": "apiKey", "in": "header", "name": "Authorization"})
        case ApiKeyAuth() if auth.name:
            return Scheme(_named(auth.value, "key"), {"type": "apiKey", "in": auth.place, "name": auth.name})
        case OAuth2ClientCredentials() | OAuth2Code():
            return _oauth2(auth)
        case _:
            return None


def _named(secret: str, default: str) -> str:
    return next(iter(names_in(secret)), default)


def _oauth2(auth: OAuth2ClientCredentials | OAuth2Code) -> Scheme:
    scopes = tuple(dict.fromkeys(auth.scope.split()))
    flow: dict[str, Any] = {"tokenUrl": auth.token_url, "scopes": dict.fromkeys(scopes, "")}
    if isinstance(auth, OAuth2Code):
        flow["authorizationUrl"] = auth.authorization_url
    name = "authorizationCode" if isinstance(auth, OAuth2Code) else "clientCredentials"
    return Scheme("oauth2", {"type": "oauth2", "flows": {name: flow}}, scopes)
