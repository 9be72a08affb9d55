"""Rows, bodies and authentication as OpenCollection writes them."""

from __future__ import annotations

from typing import Any

from hub.contracts.http import (
    ApiKeyAuth,
    Auth,
    AwsSigV4Auth,
    BasicAuth,
    BearerAuth,
    BinaryBody,
    Body,
    DigestAuth,
    FormBody,
    GraphqlBody,
    JsonBody,
    MultipartBody,
    MultipartPart,
    NoAuth,
    NoBody,
    OAuth2ClientCredentials,
    OAuth2Code,
    Pair,
    RawBody,
    XmlBody,
)
from hub.http_builder.importing.values import description, mapping, mappings, text


def read_row(row: dict[str, Any]) -> Pair:
    """A header, parameter, field or variable."""
    return Pair(
        name=text(row.get("name")),
        value=text(row.get("value")),
        enabled=row.get("disabled") is not True and row.get("enabled") is not False,
        description=description(row.get("description"), 1000),
    )


def read_body(body: Any, *, is_graphql: bool) -> Body:
    """The body; of several the one that is selected."""
    if isinstance(body, list):
        choices = mappings(body)
        body = next((choice for choice in choices if choice.get("selected") is True), next(iter(choices), {})).get("body")
    body = mapping(body)
    kind, data = text(body.get("type") or body.get("mode")), body.get("data")
    if is_graphql or kind == "graphql":
        return GraphqlBody(query=text(body.get("query")), variables=text(body.get("variables")))
    if kind == "form-urlencoded":
        return FormBody(fields=tuple(read_row(row) for row in mappings(data)))
    if kind == "multipart-form":
        return MultipartBody(parts=tuple(part for row in mappings(data) for part in _read_part(row)))
    if kind == "file":
        files = mappings(data)
        chosen = next((file for file in files if file.get("selected") is not False), next(iter(files), {}))
        media = text(chosen.get("contentType"), 200) or "application/octet-stream"
        return BinaryBody(file_name=_file_name(chosen.get("filePath")), content_type=media)
    words = text(body.get(kind) if data is None and kind else data)
    if kind == "json":
        return JsonBody(text=words)
    if kind == "xml":
        return XmlBody(text=words)
    return RawBody(text=words) if kind in ("text", "sparql") else NoBody()


def _read_part(row: dict[str, Any]) -> list[MultipartPart]:
    common = read_row({**row, "value": row.get("value") if isinstance(row.get("value"), str) else ""}).model_dump()
    common["content_type"] = text(row.get("contentType"), 200) or None
    if row.get("type") != "file":
        return [MultipartPart(**common)]
    files = row["value"][:50] if isinstance(row.get("value"), list) else [row.get("value")]
    return [MultipartPart(**common | {"value": "", "is_file": True, "file_name": _file_name(file)}) for file in files or [None]]


def _file_name(path: Any) -> str | None:
    return text(path).replace("\\", "/").rpartition("/")[2][:255] or None


def read_auth(auth: dict[str, Any]) -> Auth | None:
    """The authentication; None for a kind that the hub does not have."""
    kind = text(auth.get("type"))
    if kind in ("", "none"):
        return NoAuth()
    field = {name: text(value) for name, value in auth.items()}.get
    if kind in ("basic", "digest"):
        login = {"username": field("username", ""), "password": field("password", "")}
        return BasicAuth(**login) if kind == "basic" else DigestAuth(**login)
    if kind == "bearer":
        return BearerAuth(token=field("token", ""))
    if kind == "apikey":
        place = "query" if field("placement") == "query" else "header"
        return ApiKeyAuth(name=field("key", ""), value=field("value", ""), place=place)
    if kind == "awsv4":
        return AwsSigV4Auth(
            access_key_id=field("accessKeyId", ""),
            secret_access_key=field("secretAccessKey", ""),
            session_token=field("sessionToken", ""),
            region=field("region", ""),
            service=field("service", ""),
        )
    return _read_oauth2(auth) if kind == "oauth2" else None


def _read_oauth2(auth: dict[str, Any]) -> Auth | None:
    credentials = mapping(auth.get("credentials"))
    client = {
        "token_url": text(auth.get("accessTokenUrl")),
        "client_id": text(credentials.get("clientId")),
        "client_secret": text(credentials.get("clientSecret")),
        "scope": text(auth.get("scope")),
        "client_authentication": "header" if credentials.get("placement") == "basic_auth_header" else "body",
    }
    flow = auth.get("flow")
    if flow == "client_credentials":
        return OAuth2ClientCredentials(**client)
    if flow == "authorization_code":
        return OAuth2Code(**client, authorization_url=text(auth.get("authorizationUrl")))
    return None
