"""What is exported as a cURL command and imported again is the same request, in every shell."""

from __future__ import annotations

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from hub.contracts.http import BasicAuth, DigestAuth, JsonBody, NoAuth, Pair, RawBody, RequestDefinition, XmlBody
from hub.http_builder.exporting import FORMATS, export_request
from hub.http_builder.importing import import_text
from tests.hub.http_builder.exporting.strategies import AUTHS, BODIES, HEADERS, SETTINGS, texts

PAIRS = st.builds(Pair, name=st.sampled_from(["a", "name", "X y", "ä"]), value=st.one_of(texts(), st.just("{{PLAIN}}")))


def both_can_say(definition: RequestDefinition) -> bool:
    """What has one form only: no header that is a body's or a login's, no body of two kinds."""
    body, auth = definition.body, definition.auth
    if isinstance(auth, BasicAuth | DigestAuth) and (":" in auth.username or not auth.username):
        return False
    if isinstance(body, JsonBody):
        return bool(body.text.strip())
    if isinstance(body, RawBody):
        return bool(body.text) and bool(body.content_type)
    return not isinstance(body, XmlBody) or bool(body.text)


DEFINITIONS = st.builds(
    RequestDefinition,
    method=st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE"]),
    url=st.sampled_from(["https://x.example/", "https://x.example/a%20b/c", "https://x.example/{{PLAIN}}/d"]),
    params=st.lists(PAIRS, max_size=3).map(tuple),
    headers=st.lists(HEADERS, max_size=2, unique_by=lambda row: row.name).map(
        lambda rows: tuple(row for row in rows if row.value)
    ),
    body=BODIES.filter(lambda body: body.kind != "graphql"),
    auth=AUTHS.filter(lambda auth: getattr(auth, "place", "header") != "query"),
    settings=SETTINGS,
).filter(both_can_say)


@settings(max_examples=150, phases=[Phase.generate])
@given(definition=DEFINITIONS)
def test_bash_and_back(definition: RequestDefinition) -> None:
    exported = export_request(definition, name="x", kind="curl").text
    (draft,) = import_text(exported).drafts
    assert draft.definition == definition, exported
    assert draft.secrets == {}


@settings(max_examples=100, phases=[Phase.generate])
@given(text=texts(), kind=st.sampled_from(["curl-cmd", "curl-powershell"]))
def test_windows_quoting_and_back(text: str, kind: str) -> None:
    body = RawBody(text=f"<{text}>", content_type="text/plain")
    definition = RequestDefinition.model_validate({"method": "POST", "url": "https://x.example/", "body": body.model_dump()})
    (draft,) = import_text(export_request(definition, name="x", kind=kind).text).drafts
    assert draft.definition == definition


@pytest.mark.parametrize("kind", [known.kind for known in FORMATS])
def test_no_secret_is_written_down(kind: str) -> None:
    definition = RequestDefinition.model_validate(
        {
            "url": "https://x.example/",
            "headers": [{"name": "X-Api-Key", "value": "typed-but-not-saved"}],
            "auth": {"type": "basic", "username": "ada", "password": "typed-as-well"},
        }
    )
    result = export_request(definition, name="A request", kind=kind)
    assert "typed-but-not-saved" not in result.text
    assert "typed-as-well" not in result.text
    if kind not in ("n8n", "postman", "openapi"):  # these have places of their own for secrets
        needed = {note.details["name"] for note in result.notes if note.code == "variable-needed"}
        assert needed == {"X_API_KEY", "BASIC_PASSWORD"}


def test_plain_values_are_filled_in() -> None:
    definition = RequestDefinition(url="{{BASE}}/items", auth=NoAuth(), params=(Pair(name="q", value="{{Q}}"),))
    text = export_request(definition, name="x", kind="curl", values={"BASE": "https://x.example", "Q": "a b"}).text
    assert text == "curl 'https://x.example/items?q=a+b' \\\n  -L\n"
