"""Authentication as Postman writes it; secrets stay the placeholders that they are in the definition."""

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


def write_auth(auth: Auth) -> dict[str, Any] | None:
    """Postman's object; None for a kind that Postman does not have."""
    match auth:
        case NoAuth():
            return {"type": "noauth"}
        case BasicAuth() | DigestAuth():
            return _rows(auth.type, username=auth.username, password=auth.password)
        case BearerAuth() if auth.prefix == "Bearer":
            return _rows("bearer", token=auth.token)
        case BearerAuth():
            return _rows("apikey", key="Authorization", value=f"{auth.prefix} {auth.token}", **{"in": "header"})
        case ApiKeyAuth():
            return _rows("apikey", key=auth.name, value=auth.value, **{"in": auth.place})
        case AwsSigV4Auth():
            return _rows(
                "awsv4",
                accessKey=auth.access_key_id,
                secretKey=auth.secret_access_key,
                sessionToken=auth.session_token,
                region=auth.region,
                service=auth.service,
            )
        case OAuth2ClientCredentials() | OAuth2Code():
            return _oauth2(auth)
        case _:
            return None


def _oauth2(auth: OAuth2ClientCredentials | OAuth2Code) -> dict[str, Any]:
    common = {
        "accessTokenUrl": auth.token_url,
        "clientId": auth.client_id,
        "clientSecret": auth.client_secret,
        "scope": auth.scope,
        "client_authentication": auth.client_authentication,
    }
    if isinstance(auth, OAuth2Code):
        return _rows("oauth2", grant_type="authorization_code_with_pkce", authUrl=auth.authorization_url, **common)
    return _rows("oauth2", grant_type="client_credentials", audience=auth.audience, headerPrefix=auth.prefix, **common)


def _rows(kind: str, **fields: str) -> dict[str, Any]:
    return {"type": kind, kind: [{"key": name, "value": value, "type": "string"} for name, value in fields.items()]}
