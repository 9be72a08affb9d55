"""Insomnia exports, version 4 as a flat list and version 5 as a tree."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from hub.contracts.http import (
    ApiKeyAuth,
    AwsSigV4Auth,
    BasicAuth,
    BearerAuth,
    BinaryBody,
    FormBody,
    GraphqlBody,
    JsonBody,
    MultipartBody,
    OAuth2ClientCredentials,
    RequestDraft,
)
from hub.http_builder.importing import import_text, insomnia
from hub.http_builder.importing.results import ImportRefused


def make_4(*resources: dict[str, Any]) -> str:
    return json.dumps({"_type": "export", "__export_format": 4, "resources": list(resources)})


def read_one(**request: Any) -> RequestDraft:
    item = {"_id": "req_1", "_type": "request", "name": "One", "method": "POST", "url": "https://x.example.com", **request}
    (draft,) = import_text(make_4(item)).drafts
    return draft


VERSION_4 = make_4(
    {"_id": "wrk_1", "_type": "workspace", "name": "Shop"},
    {"_id": "fld_1", "_type": "request_group", "parentId": "wrk_1", "name": "Orders", "environment": {"size": 5}},
    {
        "_id": "req_2",
        "_type": "request",
        "parentId": "fld_1",
        "metaSortKey": 2,
        "name": "Get",
        "method": "GET",
        "url": "{{ _.base.url }}/orders/:id",
        "parameters": [{"name": "size", "value": "{{size}}"}, {"name": "off", "value": "1", "disabled": True}],
        "pathParameters": [{"name": "id", "value": "7"}],
        "headers": [{"name": "A", "value": "{% uuid 'v4' %}"}],
        "authentication": {"type": "bearer", "token": "tok-1", "prefix": "Bot"},
        "preRequestScript": "insomnia.x()",
    },
    {
        "_id": "req_1",
        "_type": "request",
        "parentId": "fld_1",
        "metaSortKey": 1,
        "name": "First",
        "method": "GET",
        "url": "https://x.example.com",
    },
    {"_id": "env_1", "_type": "environment", "parentId": "wrk_1", "data": {"base": {"url": "https://x.example.com"}}},
    {
        "_id": "env_2",
        "_type": "environment",
        "parentId": "env_1",
        "name": "Live",
        "data": {"base": {"url": "https://l.example.com"}, "api_key": "k-1"},
    },
    {"_id": "ws_1", "_type": "websocket_request", "parentId": "wrk_1", "name": "Live"},
)


def test_version_4_is_put_back_into_its_tree() -> None:
    result = import_text(VERSION_4)
    first, second = result.drafts
    assert result.kind == "insomnia"
    assert (first.name, second.name, second.folder, second.origin) == ("First", "Get", "Shop/Orders", "insomnia:wrk_1#req_2")
    definition = second.definition
    assert definition.url == "{{base.url}}/orders/{{id}}"
    assert [(row.name, row.value, row.enabled) for row in definition.params] == [("size", "{{size}}", True), ("off", "1", False)]
    assert {row.name: row.value for row in definition.variables} == {"id": "7", "base.url": "https://x.example.com", "size": "5"}
    assert (definition.auth, second.secrets) == (BearerAuth(token="{{TOKEN}}", prefix="Bot"), {"TOKEN": "tok-1"})
    assert [note.code for note in second.notes] == ["scripts", "template-tag"]
    (live,) = result.environments
    assert (live.name, [(row.name, row.value) for row in live.variables]) == ("Live", [("base.url", "https://l.example.com")])
    assert live.secrets == {"api_key": "k-1"}


VERSION_5 = {
    "type": "collection.insomnia.rest/5.0",
    "name": "Shop",
    "meta": {"id": "wrk_5"},
    "collection": [
        {
            "name": "Orders",
            "meta": {"id": "fld_5"},
            "headers": [{"name": "X-Common", "value": "1"}],
            "authentication": {"type": "basic", "username": "ann", "password": "p-1"},
            "children": [
                {
                    "name": "Create",
                    "meta": {"id": "req_5", "description": "Makes one"},
                    "method": "POST",
                    "url": "{{ host }}/orders",
                    "body": {"mimeType": "application/json", "text": '{"a": 1}'},
                    "headers": [{"name": "Content-Type", "value": "application/json"}],
                    "settings": {"followRedirects": "off"},
                }
            ],
        },
        {"name": "Socket", "url": "wss://x.example.com"},
    ],
    "environments": {
        "name": "Base",
        "data": {"host": "https://x.example.com"},
        "subEnvironments": [{"name": "Live", "data": {"host": "https://l"}}],
    },
}


@pytest.mark.parametrize("text", [yaml.safe_dump(VERSION_5, sort_keys=False), json.dumps(VERSION_5)], ids=["yaml", "json"])
def test_version_5_hands_on_what_folders_have(text: str) -> None:
    result = insomnia.read(text)
    (draft,) = result.drafts
    assert (draft.origin, draft.description, draft.folder) == ("insomnia:wrk_5#req_5", "Makes one", "Shop/Orders")
    assert draft.definition.auth == BasicAuth(username="ann", password="{{PASSWORD}}")
    assert draft.definition.body == JsonBody(text='{"a": 1}')
    assert [(row.name, row.value) for row in draft.definition.headers] == [("X-Common", "1")]
    assert {row.name: row.value for row in draft.definition.variables} == {"host": "https://x.example.com"}
    assert draft.definition.settings.follow_redirects is False
    assert [(note.code, note.details) for note in result.notes] == [("other-protocol", {"name": "Socket"})]
    assert [environment.name for environment in result.environments] == ["Live"]
    assert insomnia.recognises(text) or text.startswith("{")


def test_bodies() -> None:
    params = [{"name": "a", "value": "1"}, {"name": "f", "type": "file", "fileName": "/home/x.png"}]
    form = read_one(body={"mimeType": "application/x-www-form-urlencoded", "params": params[:1]}).definition.body
    assert isinstance(form, FormBody)
    multipart = read_one(body={"mimeType": "multipart/form-data", "params": params}).definition.body
    assert isinstance(multipart, MultipartBody)
    assert [(part.name, part.is_file, part.file_name) for part in multipart.parts] == [("a", False, None), ("f", True, "x.png")]
    graphql = {"mimeType": "application/graphql", "text": json.dumps({"query": "{ a }", "variables": {"b": 1}})}
    assert read_one(body=graphql).definition.body == GraphqlBody(query="{ a }", variables='{"b": 1}')
    binary = {"mimeType": "application/octet-stream", "fileName": "/home/x.bin"}
    assert read_one(body=binary).definition.body == BinaryBody(file_name="x.bin")


@pytest.mark.parametrize(
    ("auth", "expected"),
    [
        (
            {"type": "apikey", "key": "k", "value": "v-1", "addTo": "queryParams"},
            ApiKeyAuth(name="k", value="{{K}}", place="query"),
        ),
        (
            {"type": "iam", "accessKeyId": "AK", "secretAccessKey": "s-1", "region": "eu", "service": "s3"},
            AwsSigV4Auth(access_key_id="AK", secret_access_key="{{SECRET_ACCESS_KEY}}", region="eu", service="s3"),
        ),
        (
            {
                "type": "oauth2",
                "grantType": "client_credentials",
                "accessTokenUrl": "https://i/t",
                "clientSecret": "s-1",
                "credentialsInBody": True,
            },
            OAuth2ClientCredentials(token_url="https://i/t", client_secret="{{CLIENT_SECRET}}", client_authentication="body"),
        ),
    ],
)
def test_authentication(auth: dict[str, Any], expected: Any) -> None:
    assert read_one(authentication=auth).definition.auth == expected
    assert [note.code for note in read_one(authentication={"type": "hawk"}).notes] == ["unknown-auth"]


def test_other_versions_are_refused_and_circles_end() -> None:
    with pytest.raises(ImportRefused) as refused:
        insomnia.read('{"__export_format": 3, "resources": []}')
    assert refused.value.details == {"version": "3"}
    circle = [{"_id": f"fld_{n}", "_type": "request_group", "parentId": f"fld_{(n + 1) % 3}"} for n in range(3)]
    assert insomnia.read(make_4(*circle)).drafts == ()
    chain = [{"_id": f"f{n}", "_type": "request_group", "parentId": f"f{n - 1}" if n else "w"} for n in range(5_000)]
    with pytest.raises(ImportRefused) as refused:
        insomnia.read(make_4(*chain))
    assert refused.value.code == "too-deep"
