"""Postman collections of both versions: folders, inheritance, bodies, variables and environments."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hub.contracts.http import (
    ApiKeyAuth,
    AwsSigV4Auth,
    BasicAuth,
    BearerAuth,
    BinaryBody,
    DigestAuth,
    FormBody,
    GraphqlBody,
    JsonBody,
    MultipartBody,
    NoAuth,
    NoBody,
    OAuth2ClientCredentials,
    OAuth2Code,
    RawBody,
    RequestDraft,
    XmlBody,
)
from hub.http_builder.importing import import_text, postman
from hub.http_builder.importing.results import ImportRefused

_SCHEMA = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"


def make_collection(*items: Any, **parts: Any) -> str:
    return json.dumps({"info": {"name": "Shop", "_postman_id": "c1", "schema": _SCHEMA}, "item": list(items), **parts})


def read_one(request: Any, *, item: dict[str, Any] | None = None, **parts: Any) -> RequestDraft:
    result = postman.read(make_collection({"name": "One", "request": request, **(item or {})}, **parts))
    assert len(result.drafts) == 1
    return result.drafts[0]


def rows(pairs: list[tuple[str, Any]]) -> list[dict[str, Any]]:
    return [{"key": key, "value": value} for key, value in pairs]


def test_a_collection_with_folders_that_hand_on_what_they_have() -> None:
    inner = {
        "name": "Orders / open",
        "auth": {"type": "basic", "basic": rows([("username", "ann"), ("password", "pass-in-folder")])},
        "variable": [{"key": "size", "value": "5"}],
        "item": [
            {
                "id": "i1",
                "name": "List",
                "request": {"method": "get", "url": "{{host}}/orders?size={{size}}"},
                "event": [{"listen": "test"}],
            },
            {"name": "Own", "request": {"url": "https://x.example.com", "auth": {"type": "noauth"}}},
        ],
    }
    bearer = {"type": "bearer", "bearer": rows([("token", "token-of-the-collection")])}
    variables = [
        {"key": "host", "value": "https://{{name}}.example.com"},
        {"key": "name", "value": "shop"},
        {"key": "unused", "value": "1"},
    ]
    text = make_collection(inner, {"name": "Top", "request": "https://x.example.com/top"}, auth=bearer, variable=variables)
    result = import_text(text)
    first, own, top = result.drafts
    assert result.kind == "postman"
    assert (first.name, first.folder, first.origin) == ("List", "Shop/Orders - open", "postman:c1#i1")
    assert first.definition.auth == BasicAuth(username="ann", password="{{PASSWORD}}")
    assert first.secrets == {"PASSWORD": "pass-in-folder"}
    assert first.definition.url == "{{host}}/orders"
    assert [(row.name, row.value) for row in first.definition.params] == [("size", "{{size}}")]
    assert {row.name: row.value for row in first.definition.variables} == {"host": "https://shop.example.com", "size": "5"}
    assert [note.code for note in first.notes] == ["scripts"]
    assert own.definition.auth == NoAuth()
    assert top.definition.auth == BearerAuth(token="{{TOKEN}}")
    assert (top.secrets, top.folder, top.origin) == ({"TOKEN": "token-of-the-collection"}, "Shop", "postman:c1#Top")


@pytest.mark.parametrize(
    ("auth", "expected", "secrets"),
    [
        (
            {"type": "basic", "basic": {"username": "u", "password": "p4ss"}},
            BasicAuth(username="u", password="{{PASSWORD}}"),
            {"PASSWORD": "p4ss"},
        ),
        ({"type": "digest", "digest": rows([("username", "u")])}, DigestAuth(username="u"), {}),
        (
            {"type": "apikey", "apikey": rows([("key", "X-Key"), ("value", "k-1"), ("in", "header")])},
            ApiKeyAuth(name="X-Key", value="{{X_KEY}}"),
            {"X_KEY": "k-1"},
        ),
        (
            {"type": "apikey", "apikey": rows([("key", "key"), ("value", "{{mine}}"), ("in", "query")])},
            ApiKeyAuth(name="key", value="{{mine}}", place="query"),
            {},
        ),
        (
            {"type": "awsv4", "awsv4": rows([("accessKey", "AK"), ("secretKey", "SK"), ("region", "eu"), ("service", "s3")])},
            AwsSigV4Auth(access_key_id="AK", secret_access_key="{{SECRET_ACCESS_KEY}}", region="eu", service="s3"),
            {"SECRET_ACCESS_KEY": "SK"},
        ),
        (
            {
                "type": "oauth2",
                "oauth2": rows(
                    [
                        ("grant_type", "client_credentials"),
                        ("accessTokenUrl", "https://i/t"),
                        ("clientId", "c"),
                        ("clientSecret", "s"),
                    ]
                ),
            },
            OAuth2ClientCredentials(token_url="https://i/t", client_id="c", client_secret="{{CLIENT_SECRET}}"),
            {"CLIENT_SECRET": "s"},
        ),
        (
            {
                "type": "oauth2",
                "oauth2": rows([("accessTokenUrl", "https://i/t"), ("authUrl", "https://i/a"), ("clientId", "c")]),
            },
            OAuth2Code(token_url="https://i/t", authorization_url="https://i/a", client_id="c"),
            {},
        ),
        (
            {"type": "oauth2", "oauth2": rows([("accessToken", "at-1"), ("headerPrefix", "Bot ")])},
            BearerAuth(token="{{TOKEN}}", prefix="Bot"),
            {"TOKEN": "at-1"},
        ),
    ],
)
def test_authentication_of_both_versions(auth: Any, expected: Any, secrets: dict[str, str]) -> None:
    draft = read_one({"url": "https://x.example.com", "auth": auth})
    assert draft.definition.auth == expected
    assert draft.secrets == secrets


def test_an_unknown_authentication_is_told() -> None:
    draft = read_one({"url": "https://x.example.com", "auth": {"type": "hawk", "hawk": []}})
    assert [(note.code, note.details) for note in draft.notes] == [("unknown-auth", {"type": "hawk"})]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (None, NoBody()),
        ({"mode": "raw", "raw": '{"a": {{b}}}', "options": {"raw": {"language": "json"}}}, JsonBody(text='{"a": {{b}}}')),
        ({"mode": "raw", "raw": "<a/>", "options": {"raw": {"language": "xml"}}}, XmlBody(text="<a/>")),
        ({"mode": "raw", "raw": "hi"}, RawBody(text="hi")),
        ({"mode": "raw", "raw": "hi", "disabled": True}, NoBody()),
        ({"mode": "file", "file": {"src": "/home/ann/photo.png"}}, BinaryBody(file_name="photo.png")),
        (
            {"mode": "graphql", "graphql": {"query": "{ a }", "variables": '{"b": 1}', "operationName": "Q"}},
            GraphqlBody(query="{ a }", variables='{"b": 1}', operation_name="Q"),
        ),
    ],
)
def test_bodies(body: Any, expected: Any) -> None:
    assert read_one({"url": "https://x.example.com", "method": "POST", "body": body}).definition.body == expected


def test_forms_keep_disabled_rows_files_and_descriptions() -> None:
    fields = [{"key": "a", "value": "1", "disabled": True, "description": {"content": "First"}}, {"key": "a", "value": None}]
    form = read_one({"url": "https://x.example.com", "body": {"mode": "urlencoded", "urlencoded": fields}}).definition.body
    assert isinstance(form, FormBody)
    assert [(row.name, row.value, row.enabled, row.description) for row in form.fields] == [
        ("a", "1", False, "First"),
        ("a", "", True, None),
    ]
    parts = [
        {"key": "f", "type": "file", "src": ["/a/b.txt", "C:\\c.txt"], "contentType": "text/plain"},
        {"key": "t", "value": "x"},
    ]
    multipart = read_one({"url": "https://x.example.com", "body": {"mode": "formdata", "formdata": parts}}).definition.body
    assert isinstance(multipart, MultipartBody)
    assert [(part.name, part.is_file, part.file_name, part.value) for part in multipart.parts] == [
        ("f", True, "b.txt", ""),
        ("f", True, "c.txt", ""),
        ("t", False, None, "x"),
    ]


def test_urls_in_parts_with_path_variables() -> None:
    url = {
        "protocol": "https",
        "host": ["api", "example", "com"],
        "port": "8443",
        "path": ["users", ":user-id", {"value": "x"}],
        "query": [{"key": "q", "value": "1", "disabled": True}],
        "variable": [{"key": "user-id", "value": "7", "description": "Who"}],
    }
    definition = read_one({"url": url}).definition
    assert definition.url == "https://api.example.com:8443/users/{{user-id}}/x"
    assert [(row.name, row.value, row.enabled) for row in definition.params] == [("q", "1", False)]
    assert [(row.name, row.value, row.description) for row in definition.variables] == [("user-id", "7", "Who")]
    assert read_one({"url": "http://localhost:3000/a"}).definition.url == "http://localhost:3000/a"


def test_secrets_in_headers_variables_and_bodies_go_apart() -> None:
    draft = read_one(
        {
            "url": "https://x.example.com/{{api token}}",
            "header": [
                {"key": "X-Auth-Token", "value": "h-1"},
                {"key": "Cookie", "value": "sid=c-1"},
                {"key": "A", "value": "b"},
            ],
            "body": {"mode": "raw", "raw": '{"password": "b-1", "name": "ann"}', "options": {"raw": {"language": "json"}}},
        },
        variable=[{"key": "api token", "value": "v-1", "type": "secret"}],
    )
    assert draft.definition.auth == ApiKeyAuth(name="X-Auth-Token", value="{{X_AUTH_TOKEN}}")
    assert draft.secrets == {"api_token": "v-1", "X_AUTH_TOKEN": "h-1", "COOKIE": "sid=c-1", "PASSWORD": "b-1"}
    stored = draft.definition.model_dump_json()
    assert not any(secret in stored for secret in draft.secrets.values())


def test_header_text_of_version_2_0_and_settings() -> None:
    behavior = {"followRedirects": False, "strictSSL": False, "maxRedirects": 2}
    definition = read_one(
        {"url": "https://x.example.com", "header": "A: 1\nB: 2"}, item={"protocolProfileBehavior": behavior}
    ).definition
    assert [(row.name, row.value) for row in definition.headers] == [("A", "1"), ("B", "2")]
    assert (definition.settings.follow_redirects, definition.settings.verify_tls, definition.settings.max_redirects) == (
        False,
        False,
        2,
    )


def test_an_environment_brings_its_variables() -> None:
    values = [
        {"key": "host", "value": "https://x.example.com", "enabled": True},
        {"key": "off", "value": "1", "enabled": False},
        {"key": "pin", "value": "9", "type": "secret", "enabled": True},
    ]
    result = import_text(json.dumps({"name": "Staging", "values": values, "_postman_variable_scope": "environment"}))
    (environment,) = result.environments
    assert (result.drafts, environment.name) == ((), "Staging")
    assert [(row.name, row.value) for row in environment.variables] == [("host", "https://x.example.com")]
    assert environment.secrets == {"pin": "9"}


@pytest.mark.parametrize(
    ("text", "code"), [('{"requests": [], "order": []}', "postman-1"), ('{"info": {}}', "not-postman"), ("[]", "not-postman")]
)
def test_other_documents_are_refused(text: str, code: str) -> None:
    with pytest.raises(ImportRefused) as refused:
        postman.read(text)
    assert refused.value.code == code


def test_a_method_that_is_not_sent_is_told() -> None:
    result = postman.read(make_collection({"name": "Purge", "request": {"method": "PURGE", "url": "https://x.example.com"}}))
    assert result.drafts == ()
    assert [(note.code, note.details) for note in result.notes] == [("unknown-method", {"method": "PURGE", "path": "Purge"})]


def test_variables_that_name_each_other_grow_to_a_bound() -> None:
    variables = [{"key": f"v{n}", "value": f"{{{{v{n + 1}}}}}" * 20} for n in range(20)]
    draft = read_one({"url": "https://x.example.com/{{v0}}"}, variable=variables)
    assert sum(len(row.value) for row in draft.definition.variables) < 20_000
