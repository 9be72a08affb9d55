"""Postman collections: nothing that both sides can express is lost on the way there and back, and no secret is written."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from hub.contracts.catalog import HttpMethod
from hub.contracts.http import (
    ApiKeyAuth,
    AwsSigV4Auth,
    BasicAuth,
    BearerAuth,
    BinaryBody,
    DigestAuth,
    FormBody,
    GraphqlBody,
    HmacAuth,
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
    RequestSettings,
    XmlBody,
)
from hub.http_builder.exporting import export_request
from hub.http_builder.exporting.postman import write_collection
from hub.http_builder.importing import import_text, postman

_TEXT = st.text(alphabet="abcäع {}\"'\\:/?&=#%\n", max_size=12)
_NAME = st.text(alphabet="abcXYZ-_", min_size=1, max_size=8)
_WORDS = st.none() | st.text(alphabet="abc é", min_size=1, max_size=6).filter(lambda words: words == words.strip() and words)
_PAIRS = st.builds(Pair, name=_NAME, value=_TEXT, enabled=st.booleans(), description=_WORDS)
_ROWS = st.lists(_PAIRS, max_size=4).map(tuple)
_SECRET = st.sampled_from(["{{TOKEN}}", "{{PASSWORD}}"])
_PARTS = st.lists(
    st.builds(MultipartPart, name=_NAME, value=_TEXT, enabled=st.booleans(), content_type=st.sampled_from([None, "text/csv"]))
    | st.builds(MultipartPart, name=_NAME, is_file=st.just(True), file_name=st.sampled_from([None, "a.png"])),
    max_size=4,
).map(tuple)
_BODIES = st.one_of(
    st.just(NoBody()),
    st.builds(JsonBody, text=_TEXT),
    st.builds(XmlBody, text=_TEXT),
    st.builds(
        RawBody, text=_TEXT, content_type=st.sampled_from(["text/plain", "text/html", "text/csv", "application/javascript"])
    ),
    st.builds(FormBody, fields=_ROWS),
    st.builds(MultipartBody, parts=_PARTS),
    st.builds(GraphqlBody, query=_TEXT, variables=_TEXT, operation_name=st.none() | _NAME),
    st.builds(
        BinaryBody,
        file_name=st.none() | st.just("a.bin"),
        content_type=st.sampled_from(["application/octet-stream", "image/png"]),
    ),
)
_AUTHS = st.one_of(
    st.just(NoAuth()),
    st.builds(BasicAuth, username=_NAME, password=_SECRET),
    st.builds(DigestAuth, username=_NAME, password=_SECRET),
    st.builds(BearerAuth, token=_SECRET),
    st.builds(ApiKeyAuth, name=_NAME, value=_SECRET, place=st.sampled_from(["header", "query"])),
    st.builds(AwsSigV4Auth, access_key_id=_NAME, secret_access_key=_SECRET, region=_NAME, service=_NAME),
    st.builds(
        OAuth2ClientCredentials,
        token_url=st.just("https://id.example.com/t"),
        client_id=_NAME,
        client_secret=_SECRET,
        scope=_NAME,
        audience=_NAME,
        client_authentication=st.sampled_from(["header", "body"]),
    ),
    st.builds(
        OAuth2Code,
        authorization_url=st.just("https://id.example.com/a"),
        token_url=st.just("https://id.example.com/t"),
        client_id=_NAME,
        client_secret=_SECRET,
    ),
)
_DEFINITIONS = st.builds(
    RequestDefinition,
    method=st.sampled_from(HttpMethod),
    url=st.sampled_from(
        ["https://x.example.com", "https://x.example.com/a/{{id}}/b", "{{host}}/a", "http://127.0.0.1:8080/a%20b/"]
    ),
    params=_ROWS,
    headers=_ROWS,
    body=_BODIES,
    auth=_AUTHS,
    settings=st.builds(
        RequestSettings, follow_redirects=st.booleans(), verify_tls=st.booleans(), max_redirects=st.integers(0, 20)
    ),
    variables=st.sampled_from(
        [(), (Pair(name="id", value="7", description="Which"),), (Pair(name="host", value="https://x.example.com"),)]
    ),
)


def used_variables(definition: RequestDefinition) -> dict[str, Pair]:
    return {row.name: row for row in definition.variables if f"{{{{{row.name}}}}}" in definition.url}


@settings(max_examples=60)
@given(_DEFINITIONS)
def test_nothing_is_lost_on_the_way_to_postman_and_back(definition: RequestDefinition) -> None:
    exported = write_collection([RequestDraft(name="One", definition=definition, description="Words", folder="A/B")], "Shop")
    (draft,) = import_text(exported.text).drafts
    back = draft.definition
    assert (draft.name, draft.description, draft.folder) == ("One", "Words", "Shop/A/B")
    for name in ("method", "url", "params", "headers", "body", "auth", "settings"):
        assert getattr(back, name) == getattr(definition, name), name
    assert used_variables(back) == used_variables(definition)


SECRETS = {"TOKEN": "tok-1-secret", "PIN": "1234-secret"}
DRAFT = RequestDraft(
    name="Create order",
    definition=RequestDefinition(
        method=HttpMethod.POST,
        url="https://{{region}}.example.com/orders/{{id}}?dry=1",
        params=(Pair(name="size", value="{{size}}"), Pair(name="off", enabled=False)),
        body=JsonBody(text='{"pin": "{{PIN}}", "id": "{{id}}"}'),
        auth=BearerAuth(token="{{TOKEN}}", prefix="Bot"),
        variables=(Pair(name="region", value="eu"), Pair(name="id", value="7")),
    ),
    secrets=SECRETS,
)


def test_secrets_are_empty_variables_and_plain_ones_have_their_values() -> None:
    exported = write_collection([DRAFT], "Shop", {"size": "5"})
    document = json.loads(exported.text)
    variables = {row["key"]: (row["type"], row["value"]) for row in document["variable"]}
    assert variables == {
        "region": ("string", "eu"),
        "id": ("string", "7"),
        "size": ("string", "5"),
        "PIN": ("secret", ""),
        "TOKEN": ("secret", ""),
    }
    assert not any(secret in exported.text for secret in SECRETS.values())
    assert exported.file_name == "shop.postman_collection.json"
    url = document["item"][0]["request"]["url"]
    assert url["raw"] == "https://{{region}}.example.com/orders/{{id}}?dry=1&size={{size}}"
    assert document["item"][0]["request"]["auth"]["apikey"][1] == {"key": "value", "value": "Bot {{TOKEN}}", "type": "string"}


def test_folders_are_shared_and_what_cannot_be_said_is_told() -> None:
    hmac = DRAFT.definition.model_copy(
        update={"auth": HmacAuth(secret="{{TOKEN}}"), "variables": (Pair(name="region", value="us"),)}
    )
    drafts = [DRAFT.model_copy(update={"folder": "A/B"}), RequestDraft(name="Signed", definition=hmac, folder="A/B")]
    exported = write_collection(drafts, "Shop")
    (folder,) = json.loads(exported.text)["item"]
    assert [item["name"] for item in folder["item"][0]["item"]] == ["Create order", "Signed"]
    assert [(note.code, note.details) for note in exported.notes] == [
        ("not-expressed", {"name": "Signed", "what": "region=us"}),
        ("auth-left-out", {"name": "Signed", "type": "hmac"}),
    ]
    assert [draft.folder for draft in postman.read(exported.text).drafts] == ["Shop/A/B"] * 2


def test_the_registry_exports_one_request() -> None:
    exported = export_request(DRAFT.definition, name="Create order", kind="postman", values={"size": "5"})
    document: Any = json.loads(exported.text)
    assert (document["info"]["name"], document["item"][0]["name"]) == ("Create order", "Create order")
    assert exported.media_type == "application/json"
