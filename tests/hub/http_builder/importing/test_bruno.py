"""Bruno: the .bru text format, folders of files, and OpenCollection YAML."""

from __future__ import annotations

import pytest
import yaml

from hub.contracts.http import (
    ApiKeyAuth,
    BasicAuth,
    BearerAuth,
    BinaryBody,
    FormBody,
    GraphqlBody,
    JsonBody,
    MultipartBody,
    OAuth2ClientCredentials,
)
from hub.http_builder.importing import bruno, import_text
from hub.http_builder.importing.bru import parse_bru
from hub.http_builder.importing.results import ImportRefused

REQUEST = """
meta {
  name: Create order
  type: http
  seq: 2
  tags: [
    shop
    write
  ]
}

post {
  url: {{base url}}/orders/:id?dry=1
  body: json
  auth: bearer
}

params:query {
  dry: 1
  ~size: 5
}

params:path {
  id: 7
}

headers {
  @description('''
    Who asks
  ''')
  X-Trace: abc
  "odd:name": is allowed
}

auth:bearer {
  token: tok-1
}

body:json {
  {
    "text": "a } b"
  }
}

vars:pre-request {
  base url: https://x.example.com
}

vars:post-response {
  token: res.body.data.token
  odd: res.body.map(x => x)
}

assert {
  res.status: eq 201
  res.body.items[0].id: isDefined
  ~res.body.name: contains ann
  res.body.a: hasLength 3
}

script:pre-request {
  console.log("{");
}

settings {
  timeout: 5000
  followRedirects: false
}

docs {
  Makes an order.
}
"""


def test_a_request_file() -> None:
    result = import_text(REQUEST)
    (draft,) = result.drafts
    definition = draft.definition
    assert result.kind == "bruno"
    assert (draft.name, draft.description, draft.tags) == ("Create order", "Makes an order.", ("shop", "write"))
    assert (definition.method, definition.url) == ("POST", "{{base_url}}/orders/{{id}}")
    assert [(row.name, row.value, row.enabled) for row in definition.params] == [("dry", "1", True), ("size", "5", False)]
    assert [(row.name, row.value, row.description) for row in definition.headers] == [
        ("X-Trace", "abc", "Who asks"),
        ("odd:name", "is allowed", None),
    ]
    assert definition.body == JsonBody(text='{\n  "text": "a } b"\n}')
    assert (definition.auth, draft.secrets) == (BearerAuth(token="{{TOKEN}}"), {"TOKEN": "tok-1"})
    assert {row.name: row.value for row in definition.variables} == {"id": "7", "base_url": "https://x.example.com"}
    assert [(check.subject, check.path, check.comparison, check.expected, check.enabled) for check in definition.assertions] == [
        ("status", "", "equals", "201", True),
        ("body", "$.items[0].id", "exists", "", True),
        ("body", "$.name", "contains", "ann", False),
    ]
    assert [(taken.variable, taken.path, taken.secret) for taken in definition.extractions] == [("token", "$.data.token", True)]
    assert (definition.settings.timeout_seconds, definition.settings.follow_redirects) == (5.0, False)
    assert sorted(note.code for note in draft.notes) == ["assertion", "extraction", "scripts"]


def test_several_files_pasted_after_each_other() -> None:
    one = "meta {\n  name: %s\n}\n\nget {\n  url: https://x.example.com/%s\n}\n"
    result = import_text(one % ("A", "a") + "\n" + one % ("B", "b"))
    assert [(draft.name, draft.definition.url) for draft in result.drafts] == [
        ("A", "https://x.example.com/a"),
        ("B", "https://x.example.com/b"),
    ]


FILES = {
    "shop/bruno.json": '{"name": "Shop", "version": "1"}',
    "shop/collection.bru": (
        "headers {\n  X-Common: 1\n}\n\nauth {\n  mode: basic\n}\n\nauth:basic {\n  username: ann\n  password: p-1\n}\n"
    ),
    "shop/Orders/folder.bru": "meta {\n  name: All orders\n}\n\nvars:pre-request {\n  size: 5\n}\n",
    "shop/Orders/list.bru": "meta {\n  name: List\n}\n\nget {\n  url: {{host}}/orders?size={{size}}\n  auth: inherit\n}\n",
    "shop/environments/Live.bru": "vars {\n  host: https://x.example.com\n}\n\nvars:secret [\n  token\n]\n",
}


def test_a_folder_of_files_hands_on_headers_authentication_and_variables() -> None:
    result = bruno.read_files(FILES)
    (draft,) = result.drafts
    assert (draft.folder, draft.origin) == ("Shop/All orders", "bruno:Shop#All orders/List")
    assert [(row.name, row.value) for row in draft.definition.headers] == [("X-Common", "1")]
    assert draft.definition.auth == BasicAuth(username="ann", password="{{PASSWORD}}")
    assert {row.name: row.value for row in draft.definition.variables} == {"size": "5"}
    (live,) = result.environments
    assert (live.name, [(row.name, row.value) for row in live.variables], live.secrets) == (
        "Live",
        [("host", "https://x.example.com")],
        {"token": ""},
    )


def body_of(mode: str, blocks: str) -> object:
    text = f"meta {{\n  name: One\n}}\n\npost {{\n  url: https://x.example.com\n  body: {mode}\n}}\n\n{blocks}"
    return bruno.read(text).drafts[0].definition.body


def test_bodies() -> None:
    form = body_of("formUrlEncoded", "body:form-urlencoded {\n  a: 1\n  ~b: 2\n}\n")
    assert isinstance(form, FormBody)
    assert [(row.name, row.value, row.enabled) for row in form.fields] == [("a", "1", True), ("b", "2", False)]
    multipart = body_of("multipartForm", "body:multipart-form {\n  f: @file(a/b.png) @contentType(image/png)\n  t: x\n}\n")
    assert isinstance(multipart, MultipartBody)
    assert [(part.name, part.is_file, part.file_name, part.content_type, part.value) for part in multipart.parts] == [
        ("f", True, "b.png", "image/png", ""),
        ("t", False, None, None, "x"),
    ]
    assert body_of("graphql", "body:graphql {\n  { a }\n}\n\nbody:graphql:vars {\n  {}\n}\n") == GraphqlBody(
        query="{ a }", variables="{}"
    )
    file = "body:file {\n  file: @file(x.bin) @contentType(image/png)\n}\n"
    assert body_of("file", file) == BinaryBody(file_name="x.bin", content_type="image/png")


OPEN_COLLECTION = {
    "opencollection": "1.0.0",
    "info": {"name": "Shop"},
    "config": {"environments": [{"name": "Live", "variables": [{"name": "n", "value": {"type": "number", "data": "5"}}]}]},
    "request": {"auth": {"type": "apikey", "key": "X-Key", "value": "k-1", "placement": "header"}},
    "items": [
        {
            "info": {"name": "Orders", "type": "folder"},
            "items": [
                {"info": {"name": "List"}, "http": {"method": "GET", "url": "https://x.example.com/a", "auth": "inherit"}},
                {
                    "info": {"name": "Query"},
                    "graphql": {
                        "method": "POST",
                        "url": "https://x.example.com/g",
                        "body": {"query": "{ a }", "variables": "{}"},
                        "auth": {
                            "type": "oauth2",
                            "flow": "client_credentials",
                            "accessTokenUrl": "https://i/t",
                            "credentials": {"clientId": "c", "clientSecret": "s-1", "placement": "basic_auth_header"},
                        },
                    },
                },
            ],
        },
        {"info": {"name": "Chat", "type": "websocket"}},
    ],
}


def test_an_open_collection_in_one_file() -> None:
    result = import_text(yaml.safe_dump(OPEN_COLLECTION, sort_keys=False))
    first, second = result.drafts
    assert (first.folder, first.definition.auth, first.secrets) == (
        "Shop/Orders",
        ApiKeyAuth(name="X-Key", value="{{X_KEY}}"),
        {"X_KEY": "k-1"},
    )
    assert second.definition.body == GraphqlBody(query="{ a }", variables="{}")
    assert second.definition.auth == OAuth2ClientCredentials(
        token_url="https://i/t", client_id="c", client_secret="{{CLIENT_SECRET}}"
    )
    assert [(note.code, note.details) for note in result.notes] == [("other-protocol", {"name": "Chat"})]
    assert [(row.name, row.value) for row in result.environments[0].variables] == [("n", "5")]


def test_endless_pasted_files_are_refused_at_once() -> None:
    with pytest.raises(ImportRefused) as refused:
        bruno.read("meta {\n" * 5_001)
    assert refused.value.code == "too-many-requests"


def test_a_block_that_is_never_closed_is_told_with_its_line() -> None:
    with pytest.raises(ImportRefused) as refused:
        parse_bru("meta {\n  name: A\n}\n\nheaders {\n  a: b\n")
    assert (refused.value.code, refused.value.details) == ("bru-open", {"block": "headers", "line": 5})
