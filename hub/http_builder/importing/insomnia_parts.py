"""Rows, bodies and authentication as Insomnia writes them, in both versions."""

from __future__ import annotations

import json
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
    """A header, parameter or field."""
    return Pair(
        name=text(row.get("name")),
        value=text(row.get("value")),
        enabled=row.get("disabled") is not True,
        description=description(row.get("description"), 1000),
    )


def read_body(body: dict[str, Any], headers: list[Pair]) -> tuple[Body, list[Pair]]:
    """The body, and the headers without a content type that the body says itself."""
    written = text(body.get("mimeType"), 200)
    kind = written.partition(";")[0].strip().lower()
    words = text(body.get("text"))
    rest = [row for row in headers if row.name.lower() != "content-type"]
    if kind == "application/x-www-form-urlencoded":
        return FormBody(fields=tuple(read_row(row) for row in mappings(body.get("params")))), rest
    if kind == "multipart/form-data":
        return MultipartBody(parts=tuple(_read_part(row) for row in mappings(body.get("params")))), rest
    if kind == "application/graphql":
        return _read_graphql(words), rest
    if kind == "application/octet-stream" and not words:
        name = text(body.get("fileName")).replace("\\", "/").rpartition("/")[2][:255]
        own = next((row.value for row in headers if row.name.lower() == "content-type" and row.enabled), written)
        return BinaryBody(file_name=name or None, content_type=own[:200]), rest
    if kind.endswith(("/json", "+json")):
        return JsonBody(text=words), rest if kind == "application/json" else headers
    if kind.endswith(("/xml", "+xml")):
        return XmlBody(text=words), rest if kind == "application/xml" else headers
    return (RawBody(text=words, content_type=written or "text/plain"), rest) if words else (NoBody(), headers)


def _read_part(row: dict[str, Any]) -> MultipartPart:
    is_file = row.get("type") == "file"
    name = text(row.get("fileName")).replace("\\", "/").rpartition("/")[2][:255]
    common = read_row(row).model_dump() | ({"value": ""} if is_file else {})
    return MultipartPart(**common, is_file=is_file, file_name=name or None)


def _read_graphql(words: str) -> GraphqlBody:
    try:
        written = mapping(json.loads(words))
    except (ValueError, RecursionError):
        return GraphqlBody(query=words)
    return GraphqlBody(
        query=text(written.get("query")),
        variables=text(written.get("variables")),
        operation_name=text(written.get("operationName"), 200) or None,
    )


def read_auth(auth: dict[str, Any]) -> Auth | None:
    """The authentication; None for a kind that the hub does not have."""
    kind = text(auth.get("type"))
    if kind in ("", "none") or auth.get("disabled") is True:
        return NoAuth()
    field = {name: text(value) for name, value in auth.items()}.get
    if kind in ("basic", "digest"):
        login = {"username": field("username", ""), "password": field("password", "")}
        return BasicAuth(**login) if kind == "basic" else DigestAuth(**login)
    if kind == "bearer":
        return BearerAuth(token=field("token", ""), prefix=field("prefix") or "Bearer")
    if kind == "apikey":
        place = "query" if field("addTo") == "queryParams" else "header"
        return None if field("addTo") == "cookie" else ApiKeyAuth(name=field("key", ""), value=field("value", ""), place=place)
    if kind == "iam":
        return AwsSigV4Auth(
            access_key_id=field("accessKeyId", ""),
            secret_access_key=field("secretAccessKey", ""),
            session_token=field("sessionToken", ""),
            region=field("region", ""),
            service=field("service", ""),
        )
    return _read_oauth2(auth, field) if kind == "oauth2" else None


def _read_oauth2(auth: dict[str, Any], field: Any) -> Auth | None:
    client = {
        "token_url": field("accessTokenUrl", ""),
        "client_id": field("clientId", ""),
        "client_secret": field("clientSecret", ""),
        "scope": field("scope", ""),
        "client_authentication": "body" if auth.get("credentialsInBody") is True else "header",
    }
    if field("grantType") == "client_credentials":
        return OAuth2ClientCredentials(**client, audience=field("audience", ""), prefix=field("tokenPrefix") or "Bearer")
    if field("grantType", "authorization_code") == "authorization_code":
        return OAuth2Code(**client, authorization_url=field("authorizationUrl", ""))
    return None
