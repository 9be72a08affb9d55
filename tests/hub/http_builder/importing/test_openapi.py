"""OpenAPI documents: what becomes of parameters, bodies, security and servers."""

from __future__ import annotations

import json
import tracemalloc
from typing import Any

import pytest
import yaml

from hub.contracts.http import (
    ApiKeyAuth,
    BasicAuth,
    BearerAuth,
    BinaryBody,
    DigestAuth,
    FormBody,
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
from hub.http_builder.importing import import_text, openapi
from hub.http_builder.importing.results import ImportRefused

_SCHEMES = {
    "basicAuth": {"type": "http", "scheme": "basic"},
    "bearerAuth": {"type": "http", "scheme": "Bearer"},
    "digestAuth": {"type": "http", "scheme": "digest"},
    "headerKey": {"type": "apiKey", "in": "header", "name": "X-Api-Key"},
    "queryKey": {"type": "apiKey", "in": "query", "name": "key"},
    "cookieKey": {"type": "apiKey", "in": "cookie", "name": "sid"},
    "machine": {
        "type": "oauth2",
        "flows": {"clientCredentials": {"tokenUrl": "/token", "scopes": {"read": "", "write": ""}}},
    },
    "person": {
        "type": "oauth2",
        "flows": {"authorizationCode": {"authorizationUrl": "https://id.example.com/go", "tokenUrl": "https://id.example.com/t"}},
    },
    "openId": {"type": "openIdConnect", "openIdConnectUrl": "https://id.example.com/.well-known"},
    "odd": {"type": "http", "scheme": "hoba"},
}


def make_document(operation: dict[str, Any] | None = None, *, path: str = "/pets", method: str = "post", **parts: Any) -> Any:
    return {
        "openapi": "3.1.0",
        "info": {"title": "Pets", "version": "1"},
        "servers": [{"url": "https://pets.example.com/v1/"}],
        "paths": {path: {method: {"operationId": "do", **(operation or {})}}},
        "components": {"securitySchemes": _SCHEMES},
        **parts,
    }


def read_one(operation: dict[str, Any] | None = None, **options: Any) -> RequestDraft:
    result = openapi.read(json.dumps(make_document(operation, **options)))
    assert len(result.drafts) == 1
    return result.drafts[0]


def body_of(schema: Any, *, kind: str = "application/json", **media: Any) -> Any:
    return read_one({"requestBody": {"content": {kind: {"schema": schema, **media}}}}).definition.body


def sample_of(schema: Any, **parts: Any) -> Any:
    body = read_one({"requestBody": {"content": {"application/json": {"schema": schema}}}}, **parts).definition.body
    assert isinstance(body, JsonBody)
    return json.loads(body.text)


def test_an_operation_becomes_a_request() -> None:
    draft = read_one(
        {
            "summary": "Feed a pet",
            "description": "Once a day.",
            "tags": ["Pets", "food"],
            "externalDocs": {"url": "https://docs.example.com/feed"},
            "parameters": [
                {
                    "name": "petId",
                    "in": "path",
                    "required": True,
                    "description": "Which",
                    "schema": {"type": "integer"},
                    "example": 7,
                },
                {"name": "dry", "in": "query", "required": True, "schema": {"type": "boolean", "default": False}},
                {"name": "note", "in": "query", "description": "Free text", "schema": {"type": "string"}},
                {"name": "X-Trace", "in": "header", "schema": {"type": "string", "example": "abc"}},
                {"name": "Accept", "in": "header", "schema": {"type": "string"}},
                {"name": "flavour", "in": "cookie", "required": True, "schema": {"enum": ["sweet"]}},
            ],
        },
        path="/pets/{petId}/feed",
    )
    definition = draft.definition
    assert (draft.name, draft.description, draft.folder, draft.tags) == ("Feed a pet", "Once a day.", "Pets/Pets", ("food",))
    assert draft.documentation == "https://docs.example.com/feed"
    assert draft.origin == "openapi:Pets#POST /pets/{petId}/feed"
    assert (definition.method, definition.url) == ("POST", "https://pets.example.com/v1/pets/{{petId}}/feed")
    assert [(row.name, row.value, row.enabled, row.description) for row in definition.variables] == [
        ("petId", "7", True, "Which")
    ]
    assert [(row.name, row.value, row.enabled) for row in definition.params] == [("dry", "false", True), ("note", "", False)]
    assert [(row.name, row.value, row.enabled) for row in definition.headers] == [
        ("X-Trace", "abc", False),
        ("Cookie", "{{COOKIE}}", True),
    ]
    assert [(check.subject, check.expected) for check in definition.assertions] == [("status", "2xx")]


@pytest.mark.parametrize(
    ("parameter", "rows"),
    [
        ({"example": ["a", "b"], "schema": {"type": "array"}}, [("p", "a"), ("p", "b")]),
        ({"example": ["a", "b"], "explode": False}, [("p", "a,b")]),
        ({"example": ["a", "b"], "style": "pipeDelimited", "explode": False}, [("p", "a|b")]),
        ({"example": {"x": 1}, "style": "deepObject"}, [("p[x]", "1")]),
        ({"example": {"x": 1}}, [("x", "1")]),
        ({"examples": {"one": {"value": 5}}}, [("p", "5")]),
        ({"content": {"application/json": {"example": {"x": 1}}}}, [("p", '{"x": 1}')]),
        ({"schema": {"type": "array", "items": {"enum": ["new", "old"]}}}, [("p", "new")]),
    ],
)
def test_styles_of_query_parameters(parameter: dict[str, Any], rows: list[tuple[str, str]]) -> None:
    definition = read_one({"parameters": [{"name": "p", "in": "query", **parameter}]}).definition
    assert [(row.name, row.value) for row in definition.params] == rows


def test_parameters_of_the_operation_go_before_those_of_the_path() -> None:
    document = make_document({"parameters": [{"name": "p", "in": "query", "required": True, "example": "own"}]})
    document["paths"]["/pets"]["parameters"] = [
        {"name": "p", "in": "query", "example": "path's"},
        {"$ref": "#/components/parameters/Page"},
    ]
    document["components"]["parameters"] = {"Page": {"name": "page", "in": "query", "schema": {"default": 1}}}
    definition = openapi.read(json.dumps(document)).drafts[0].definition
    assert [(row.name, row.value, row.enabled) for row in definition.params] == [("p", "own", True), ("page", "1", False)]


@pytest.mark.parametrize(
    ("schema", "sample"),
    [
        ({"type": "string"}, "string"),
        ({"type": "string", "format": "date-time"}, "2026-01-01T00:00:00Z"),
        ({"type": "integer", "minimum": 3}, 3),
        ({"type": ["null", "boolean"]}, True),
        ({"enum": [None, "a"]}, "a"),
        ({"const": 5}, 5),
        ({"examples": [{"a": 1}, {}]}, {"a": 1}),
        ({"type": "array", "items": {"type": "number"}}, [0]),
        ({"properties": {"a": {"type": "string"}, "b": {"type": "integer", "readOnly": True}}}, {"a": "string"}),
        ({"properties": {"a": {}, "b": {"type": "string"}}, "required": ["b"]}, {"b": "string"}),
        ({"properties": {"a": {"example": 1}, "b": {"type": "string"}, "c": {}}, "required": ["b"]}, {"a": 1, "b": "string"}),
        ({"allOf": [{"properties": {"a": {"const": 1}}}, {"properties": {"b": {"const": 2}}}]}, {"a": 1, "b": 2}),
        ({"oneOf": [{"type": "null"}, {"properties": {"a": {"const": 1}}}]}, {"a": 1}),
        ({"anyOf": [{"type": "integer"}, {"type": "string"}]}, 0),
    ],
)
def test_a_body_without_an_example_is_made_from_its_schema(schema: Any, sample: Any) -> None:
    assert sample_of(schema) == sample


def test_a_schema_that_holds_itself_ends() -> None:
    node = {"type": "object", "properties": {"name": {"type": "string"}, "next": {"$ref": "#/components/schemas/Node"}}}
    many = {"type": "object", "properties": {"all": {"type": "array", "items": {"$ref": "#/components/schemas/Node"}}}}
    loop = {"$ref": "#/components/schemas/Loop"}
    parts = {
        "components": {
            "schemas": {"Node": node, "Many": many, "Loop": loop, "All": {"allOf": [{"$ref": "#/components/schemas/All"}]}}
        }
    }
    assert sample_of({"$ref": "#/components/schemas/Node"}, **parts) == {"name": "string"}
    assert sample_of({"$ref": "#/components/schemas/Many"}, **parts) == {"all": [{"name": "string"}]}
    assert sample_of({"$ref": "#/components/schemas/Loop"}, **parts) == {}
    assert sample_of({"$ref": "#/components/schemas/All"}, **parts) == {}


def test_a_schema_that_multiplies_stays_small() -> None:
    schemas = {
        f"S{n}": {"type": "object", "properties": {f"p{k}": {"$ref": f"#/components/schemas/S{n + 1}"} for k in range(20)}}
        for n in range(20)
    }
    document = make_document(components={"schemas": schemas | {"All": {"allOf": [{"$ref": "#/components/schemas/All"}] * 50}}})
    body = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/S0"}}}}
    every = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/All"}}}}
    document["paths"] = {f"/{n}": {"post": {"requestBody": body if n % 2 else every}} for n in range(20)}
    tracemalloc.start()
    try:
        drafts = openapi.read(json.dumps(document)).drafts
        _now, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(drafts) == 20
    assert most < 100_000_000


def test_one_long_text_behind_many_references_is_refused() -> None:
    document = make_document(components={"examples": {"Long": {"value": "x" * 90_000}}})
    body = {"content": {"text/plain": {"examples": {"a": {"$ref": "#/components/examples/Long"}}}}}
    document["paths"] = {f"/{n}": {"post": {"requestBody": body}} for n in range(1_000)}
    with pytest.raises(ImportRefused) as refused:
        openapi.read(json.dumps(document))
    assert refused.value.code == "too-much"


def test_references_lead_nowhere_else() -> None:
    operation = {"requestBody": {"$ref": "https://evil.example.com/body.json"}, "parameters": [{"$ref": "file:///etc/passwd"}]}
    result = openapi.read(json.dumps(make_document(operation)))
    assert result.drafts[0].definition.body == NoBody()
    assert [(note.code, note.details["count"]) for note in result.notes] == [("remote-reference", 2)]


def test_json_pointers_are_decoded() -> None:
    document = make_document({"parameters": [{"$ref": "#/components/parameters/a~1b%20c"}]})
    document["components"]["parameters"] = {"a/b c": {"name": "found", "in": "query"}}
    assert [row.name for row in openapi.read(json.dumps(document)).drafts[0].definition.params] == ["found"]


def test_kinds_of_bodies() -> None:
    fields = {
        "type": "object",
        "properties": {"a": {"default": "1"}, "b": {"type": "array", "example": ["x", "y"]}},
        "required": ["a"],
    }
    form = body_of(fields, kind="application/x-www-form-urlencoded")
    assert isinstance(form, FormBody)
    assert [(row.name, row.value, row.enabled) for row in form.fields] == [("a", "1", True), ("b", "x", False), ("b", "y", False)]
    parts = {
        "properties": {
            "photo": {"type": "string", "format": "binary"},
            "more": {"type": "array", "items": {"type": "string", "contentMediaType": "image/png"}},
            "note": {"type": "string", "example": "hi"},
        },
        "required": ["photo"],
    }
    multipart = body_of(parts, kind="multipart/form-data", encoding={"photo": {"contentType": "image/png"}})
    assert isinstance(multipart, MultipartBody)
    assert [(part.name, part.is_file, part.value, part.enabled, part.content_type) for part in multipart.parts] == [
        ("photo", True, "", True, "image/png"),
        ("more", True, "", False, None),
        ("note", False, "hi", False, None),
    ]
    xml = body_of({"xml": {"name": "Pet"}, "properties": {"name": {"example": "A & B"}}}, kind="application/xml")
    assert xml == XmlBody(text="<Pet>\n  <name>A &amp; B</name>\n</Pet>\n")
    assert body_of({"type": "string"}, kind="text/csv", example="a,b") == RawBody(text="a,b", content_type="text/csv")
    assert body_of({"type": "string", "format": "binary"}, kind="image/png") == BinaryBody(content_type="image/png")
    assert body_of({}, kind="application/json", example={"a": "ä"}) == JsonBody(text='{\n  "a": "ä"\n}')


def test_json_goes_before_other_contents_and_keeps_its_own_type() -> None:
    content = {"application/xml": {}, "application/vnd.api+json": {"example": {}}, "text/plain": {}}
    definition = read_one({"requestBody": {"content": content}}).definition
    assert definition.body == JsonBody(text="{}")
    assert [(row.name, row.value) for row in definition.headers] == [("Content-Type", "application/vnd.api+json")]


@pytest.mark.parametrize(
    ("scheme", "auth"),
    [
        ("basicAuth", BasicAuth(username="{{BASIC_AUTH_USERNAME}}", password="{{BASIC_AUTH_PASSWORD}}")),
        ("bearerAuth", BearerAuth(token="{{BEARER_AUTH}}")),
        ("digestAuth", DigestAuth(username="{{DIGEST_AUTH_USERNAME}}", password="{{DIGEST_AUTH_PASSWORD}}")),
        ("headerKey", ApiKeyAuth(name="X-Api-Key", value="{{HEADER_KEY}}")),
        ("queryKey", ApiKeyAuth(name="key", value="{{QUERY_KEY}}", place="query")),
        (
            "machine",
            OAuth2ClientCredentials(
                token_url="https://pets.example.com/token",
                client_id="{{MACHINE_CLIENT_ID}}",
                client_secret="{{MACHINE_CLIENT_SECRET}}",
                scope="read",
            ),
        ),
        (
            "person",
            OAuth2Code(
                authorization_url="https://id.example.com/go",
                token_url="https://id.example.com/t",
                client_id="{{PERSON_CLIENT_ID}}",
                client_secret="{{PERSON_CLIENT_SECRET}}",
                scope="read",
            ),
        ),
        ("openId", BearerAuth(token="{{OPEN_ID}}")),
        ("odd", NoAuth()),
    ],
)
def test_security_schemes(scheme: str, auth: Any) -> None:
    draft = read_one({"security": [{scheme: ["read"]}]})
    assert draft.definition.auth == auth
    assert draft.secrets == {}
    assert [note.code for note in draft.notes] == (["unknown-security"] if scheme == "odd" else [])


def test_of_several_securities_the_first_that_can_be_expressed_is_taken() -> None:
    assert read_one({"security": [{"odd": []}, {"bearerAuth": []}]}).definition.auth == BearerAuth(token="{{BEARER_AUTH}}")
    assert read_one({"security": []}, security=[{"bearerAuth": []}]).definition.auth == NoAuth()
    assert read_one(security=[{"bearerAuth": []}]).definition.auth == BearerAuth(token="{{BEARER_AUTH}}")
    both = read_one({"security": [{"headerKey": [], "queryKey": [], "cookieKey": []}]}).definition
    assert both.auth == ApiKeyAuth(name="X-Api-Key", value="{{HEADER_KEY}}")
    assert [(row.name, row.value) for row in both.params] == [("key", "{{QUERY_KEY}}")]
    assert [(row.name, row.value) for row in both.headers] == [("Cookie", "sid={{COOKIE_KEY}}")]


@pytest.mark.parametrize(
    ("servers", "address", "url", "notes"),
    [
        (
            [{"url": "https://{region}.example.com", "variables": {"region": {"default": "eu"}}}],
            None,
            "https://{{region}}.example.com/pets",
            [],
        ),
        ([{"url": "/v2"}], "https://docs.example.com/api/openapi.json", "https://docs.example.com/v2/pets", []),
        ([{"url": "/v2"}], None, "{{BASE_URL}}/v2/pets", ["no-server"]),
        (None, None, "{{BASE_URL}}/pets", ["no-server"]),
        (
            [{"url": "https://a.example.com"}, {"url": "https://b.example.com"}],
            None,
            "https://a.example.com/pets",
            ["several-servers"],
        ),
    ],
)
def test_servers(servers: Any, address: str | None, url: str, notes: list[str]) -> None:
    result = openapi.read(json.dumps(make_document(servers=servers)), address=address)
    assert result.drafts[0].definition.url == url
    assert [note.code for note in result.notes] == notes


def test_deprecated_and_unsendable_operations_are_told() -> None:
    document = make_document({"deprecated": True})
    document["paths"]["/pets"]["trace"] = {}
    result = openapi.read(json.dumps(document))
    assert [note.code for note in result.drafts[0].notes] == ["deprecated"]
    assert result.drafts[0].tags == ("deprecated",)
    assert [(note.code, note.details["method"]) for note in result.notes] == [("unknown-method", "TRACE")]


def test_the_registry_knows_json_and_yaml_documents() -> None:
    document = make_document()
    assert import_text(json.dumps(document)).kind == "openapi"
    yaml_text = "# Pets\nopenapi: 3.0.3\ninfo: {title: Pets, version: '1'}\npaths:\n  /pets:\n    get: {summary: curl them}\n"
    result = import_text(yaml_text)
    assert (result.kind, result.drafts[0].name) == ("openapi", "curl them")
    sorted_keys = {
        "components": {"examples": {f"e{n}": {"value": "x" * 90} for n in range(999)}},
        **document,
        "x-more": ["y" * 9_000],
    }
    for text in (json.dumps(sorted_keys, sort_keys=True), yaml.safe_dump(sorted_keys)):
        assert import_text(text).kind == "openapi"


@pytest.mark.parametrize("text", ["openapi: 4.0.0\npaths: {}", '{"openapi": "3.0.0", "paths": []}', '{"swagger": null}'])
def test_other_versions_and_shapes_are_refused(text: str) -> None:
    with pytest.raises(ImportRefused) as refused:
        openapi.read(text)
    assert refused.value.code == "not-openapi"


SWAGGER = {
    "swagger": "2.0",
    "info": {"title": "Old"},
    "host": "old.example.com",
    "basePath": "/api",
    "schemes": ["http", "https"],
    "consumes": ["application/json"],
    "securityDefinitions": {
        "login": {"type": "basic"},
        "machine": {"type": "oauth2", "flow": "application", "tokenUrl": "https://old.example.com/token", "scopes": {}},
        "person": {
            "type": "oauth2",
            "flow": "accessCode",
            "tokenUrl": "https://old.example.com/token",
            "authorizationUrl": "https://old.example.com/go",
        },
    },
    "definitions": {
        "Pet": {"type": "object", "required": ["name"], "properties": {"name": {"type": "string", "example": "Rex"}}}
    },
    "paths": {
        "/pets": {
            "post": {
                "parameters": [{"in": "body", "name": "pet", "schema": {"$ref": "#/definitions/Pet"}}],
                "security": [{"login": []}],
            },
            "get": {
                "parameters": [
                    {"in": "query", "name": "ids", "type": "array", "collectionFormat": "multi", "default": ["1", "2"]},
                    {"in": "query", "name": "tags", "type": "array", "collectionFormat": "csv", "default": ["a", "b"]},
                    {"in": "query", "name": "kind", "type": "string", "enum": ["cat"], "required": True},
                ],
                "security": [{"machine": ["read"]}],
            },
        },
        "/photo": {
            "post": {
                "consumes": ["multipart/form-data"],
                "parameters": [
                    {"in": "formData", "name": "photo", "type": "file", "required": True},
                    {"in": "formData", "name": "title", "type": "string", "x-example": "Me"},
                ],
                "security": [{"person": ["write"]}],
            },
            "put": {"parameters": [{"in": "formData", "name": "title", "type": "string", "required": True}]},
        },
    },
}


def test_swagger_2_is_told_in_the_words_of_3() -> None:
    drafts = {draft.origin: draft.definition for draft in openapi.read(json.dumps(SWAGGER)).drafts}
    post = drafts["openapi:Old#POST /pets"]
    assert (post.url, post.body) == ("https://old.example.com/api/pets", JsonBody(text='{\n  "name": "Rex"\n}'))
    assert post.auth == BasicAuth(username="{{LOGIN_USERNAME}}", password="{{LOGIN_PASSWORD}}")
    get = drafts["openapi:Old#GET /pets"]
    assert [(row.name, row.value, row.enabled) for row in get.params] == [
        ("ids", "1", False),
        ("ids", "2", False),
        ("tags", "a,b", False),
        ("kind", "cat", True),
    ]
    assert isinstance(get.auth, OAuth2ClientCredentials)
    photo = drafts["openapi:Old#POST /photo"]
    assert isinstance(photo.body, MultipartBody)
    assert [(part.name, part.is_file, part.value, part.enabled) for part in photo.body.parts] == [
        ("photo", True, "", True),
        ("title", False, "Me", False),
    ]
    assert isinstance(photo.auth, OAuth2Code)
    assert isinstance(drafts["openapi:Old#PUT /photo"].body, FormBody)
