"""OpenAPI documents: valid by the standard's own schema, and read back as the same requests where both can say them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openapi_spec_validator import OpenAPIV31SpecValidator

from hub.contracts.catalog import HttpMethod
from hub.contracts.http import (
    ApiKeyAuth,
    Auth,
    AwsSigV4Auth,
    BasicAuth,
    BearerAuth,
    BinaryBody,
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
    RequestDefinition,
    RequestDraft,
    XmlBody,
)
from hub.http_builder.exporting import export_request
from hub.http_builder.exporting.openapi import write_document
from hub.http_builder.importing import import_text
from tests.hub.http_builder.exporting.test_postman import DRAFT, SECRETS

_TEXT = st.text(alphabet="abcäع {}\"'\\:/?&=#%\n", max_size=10)
_NAME = st.text(alphabet="abcxyz", min_size=1, max_size=6)
_WORDS = st.none() | st.text(alphabet="abc é", min_size=1, max_size=6).filter(lambda words: words == words.strip() and words)
_PAIRS = st.builds(Pair, name=_NAME, value=_TEXT, enabled=st.booleans(), description=_WORDS)
_ROWS = st.lists(_PAIRS, max_size=4, unique_by=lambda row: row.name).map(tuple)
_HEADERS = st.lists(_PAIRS, max_size=3, unique_by=lambda row: row.name.lower()).map(tuple)
_JSON = st.recursive(
    st.booleans() | st.integers() | st.text(alphabet="abc", max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAME, inner, max_size=3),
    max_leaves=6,
)
_PARTS = st.lists(
    st.builds(
        MultipartPart,
        name=_NAME,
        value=_TEXT,
        enabled=st.booleans(),
        description=_WORDS,
        content_type=st.sampled_from([None, "text/csv"]),
    )
    | st.builds(MultipartPart, name=_NAME, enabled=st.booleans(), is_file=st.just(True)),
    max_size=4,
    unique_by=lambda part: part.name,
).map(tuple)
_BODIES = st.one_of(
    st.just(NoBody()),
    _JSON.map(lambda value: JsonBody(text=json.dumps(value, ensure_ascii=False, indent=2))),
    st.builds(FormBody, fields=_ROWS),
    st.builds(MultipartBody, parts=_PARTS),
    st.builds(RawBody, text=_TEXT, content_type=st.sampled_from(["text/plain", "text/csv; charset=utf-8"])),
    st.builds(BinaryBody, content_type=st.sampled_from(["application/octet-stream", "image/png"])),
    st.builds(XmlBody, text=st.sampled_from(["", "<a>b</a>"])),
)
_AUTHS: st.SearchStrategy[Auth] = st.one_of(
    st.just(NoAuth()),
    st.just(BearerAuth(token="{{TOKEN}}")),
    st.builds(ApiKeyAuth, name=_NAME, value=st.just("{{SHOP_KEY}}"), place=st.sampled_from(["header", "query"])),
    st.just(BasicAuth(username="{{BASIC_USERNAME}}", password="{{BASIC_PASSWORD}}")),
    st.just(DigestAuth(username="{{DIGEST_USERNAME}}", password="{{DIGEST_PASSWORD}}")),
    st.builds(
        OAuth2ClientCredentials,
        token_url=st.just("https://id.example.com/t"),
        client_id=st.just("{{OAUTH2_CLIENT_ID}}"),
        client_secret=st.just("{{OAUTH2_CLIENT_SECRET}}"),
        scope=st.sampled_from(["", "read write"]),
    ),
    st.builds(
        OAuth2Code,
        authorization_url=st.just("https://id.example.com/a"),
        token_url=st.just("https://id.example.com/t"),
        client_id=st.just("{{OAUTH2_CLIENT_ID}}"),
        client_secret=st.just("{{OAUTH2_CLIENT_SECRET}}"),
    ),
)
_DEFINITIONS = st.builds(
    RequestDefinition,
    method=st.sampled_from(HttpMethod),
    url=st.sampled_from(
        [
            "https://x.example.com/a",
            "https://x.example.com/a/{{id}}/b.json",
            "https://{{region}}.example.com/v1/a",
            "http://127.0.0.1:8080/",
        ]
    ),
    params=_ROWS,
    headers=_HEADERS,
    body=_BODIES,
    auth=_AUTHS,
    variables=st.sampled_from([(), (Pair(name="id", value="7", description="Which"),), (Pair(name="region", value="eu"),)]),
)


def check(text: str) -> Any:
    document = json.loads(text)
    OpenAPIV31SpecValidator(document).validate()
    return document


@settings(max_examples=40)
@given(_DEFINITIONS)
def test_nothing_that_both_can_say_is_lost_on_the_way_to_openapi_and_back(definition: RequestDefinition) -> None:
    exported = write_document([RequestDraft(name="One", definition=definition, description="Words", folder="A/B")], "Shop")
    (draft,) = import_text(exported.text).drafts
    back = draft.definition
    assert (draft.name, draft.description, draft.folder) == ("One", "Words", "Shop/B")
    for name in ("method", "url", "params", "headers", "body", "auth"):
        assert getattr(back, name) == getattr(definition, name), name
    known = {row.name: row.value for row in back.variables if row.enabled}
    assert known == {row.name: row.value for row in definition.variables if f"{{{{{row.name}}}}}" in definition.url}
    assert exported.notes == ()


@pytest.mark.parametrize(
    "auth",
    [
        NoAuth(),
        BasicAuth(username="ann", password="{{PASSWORD}}"),
        BearerAuth(token="{{TOKEN}}"),
        BearerAuth(token="{{TOKEN}}", prefix="Bot"),
        ApiKeyAuth(name="X-Key", value="{{KEY}}", place="query"),
        OAuth2ClientCredentials(token_url="https://id.example.com/t", scope="a b"),
        OAuth2Code(token_url="https://id.example.com/t", authorization_url="https://id.example.com/a"),
    ],
)
def test_documents_are_valid(auth: Auth) -> None:
    bodies = [
        JsonBody(text='{"a": {{b}}}'),
        FormBody(fields=(Pair(name="a", value="1"), Pair(name="a", value="2"))),
        MultipartBody(parts=(MultipartPart(name="f", is_file=True, content_type="image/png"), MultipartPart(name="t"))),
        GraphqlBody(query="{ a }", variables="{{v}}"),
        XmlBody(text="<a/>"),
        BinaryBody(),
    ]
    drafts = [
        RequestDraft(
            name="Same name",
            definition=RequestDefinition(
                method=HttpMethod.POST,
                url=f"https://h{number % 2}.example.com/{number}/{{{{id}}}}",
                auth=auth,
                body=body,
                headers=(Pair(name="Content-Type", value="application/json"), Pair(name="X-A"), Pair(name="x-a")),
                params=(Pair(name="q", value="1"), Pair(name="q", value="2"), Pair(name="")),
            ),
        )
        for number, body in enumerate(bodies)
    ]
    document = check(write_document(drafts, "Shop").text)
    assert len(document["paths"]) == len(bodies)
    assert "servers" not in document


def test_a_whole_document() -> None:
    exported = write_document([DRAFT], "Shop", {"size": "5"})
    document = check(exported.text)
    assert document["servers"] == [{"url": "https://{region}.example.com", "variables": {"region": {"default": "eu"}}}]
    operation = document["paths"]["/orders/{id}"]["post"]
    assert [(row["in"], row["name"], row["required"], row.get("example")) for row in operation["parameters"]] == [
        ("path", "id", True, "7"),
        ("query", "size", True, "{{size}}"),
        ("query", "off", False, None),
    ]
    assert operation["security"] == [{"TOKEN": []}]
    assert document["components"]["securitySchemes"] == {"TOKEN": {"type": "apiKey", "in": "header", "name": "Authorization"}}
    assert not any(secret in exported.text for secret in SECRETS.values())


def test_what_openapi_cannot_say_is_told() -> None:
    same = RequestDraft(
        name="Again", definition=DRAFT.definition.model_copy(update={"url": "https://x.example.com/orders/{{other}}"})
    )
    aws = RequestDraft(name="Signed", definition=RequestDefinition(url="https://x.example.com/s", auth=AwsSigV4Auth()))
    exported = write_document([DRAFT, same, aws], "Shop")
    check(exported.text)
    assert [(note.code, note.details) for note in exported.notes] == [
        ("many-methods", {"count": 1, "name": "Again"}),
        ("auth-left-out", {"name": "Signed", "type": "aws-sigv4"}),
    ]


def test_the_registry_exports_one_request() -> None:
    document = check(export_request(DRAFT.definition, name="Create order", kind="openapi").text)
    assert document["info"]["title"] == "Create order"
