"""Authentication as Postman writes it."""

from __future__ import annotations

from typing import Any

from hub.contracts.http import (
    ApiKeyAuth,
    Auth,
    AwsSigV4Auth,
    BasicAuth,
    BearerAuth,
    DigestAuth,
    NoAuth,
    OAuth2ClientCredentials,
    OAuth2Code,
)
from hub.http_builder.importing.values import mapping, mappings, text


def read_auth(auth: dict[str, Any]) -> Auth | None:
    """The authentication; None for a kind that the hub does not have. Version 2.0 has objects where 2.1 has lists of rows."""
    kind = text(auth.get("type"))
    if kind in ("", "noauth"):
        return NoAuth()
    written = auth.get(kind)
    rows = (
        {text(row.get("key")): row.get("value") for row in mappings(written)} if isinstance(written, list) else mapping(written)
    )
    field = {name: text(value) for name, value in rows.items()}.get
    if kind in ("basic", "digest"):
        login = {"username": field("username", ""), "password": field("password", "")}
        return BasicAuth(**login) if kind == "basic" else DigestAuth(**login)
    if kind == "bearer":
        return BearerAuth(token=field("token", ""))
    if kind == "apikey":
        return ApiKeyAuth(name=field("key", ""), value=field("value", ""), place="query" if field("in") == "query" else "header")
    if kind == "awsv4":
        return AwsSigV4Auth(
            access_key_id=field("accessKey", ""),
            secret_access_key=field("secretKey", ""),
            session_token=field("sessionToken", ""),
            region=field("region", ""),
            service=field("service", ""),
        )
    return _read_oauth2(field) if kind == "oauth2" else None


def _read_oauth2(field: Any) -> Auth:
    grant = field("grant_type", "authorization_code")
    client = {
        "token_url": field("accessTokenUrl", ""),
        "client_id": field("clientId", ""),
        "client_secret": field("clientSecret", ""),
        "scope": field("scope", ""),
        "client_authentication": "body" if field("client_authentication") == "body" else "header",
    }
    if grant == "client_credentials" and client["token_url"]:
        return OAuth2ClientCredentials(**client, audience=field("audience", ""), prefix=field("headerPrefix", "Bearer").strip())
    if grant.startswith("authorization_code") and client["token_url"]:
        return OAuth2Code(**client, authorization_url=field("authUrl", ""))
    return BearerAuth(token=field("accessToken", ""), prefix=field("headerPrefix", "Bearer").strip())
