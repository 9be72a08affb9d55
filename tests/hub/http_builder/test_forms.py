from __future__ import annotations

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from hub.contracts.actor import Actor
from hub.contracts.http import (
    ApiKeyAuth,
    Assertion,
    AwsSigV4Auth,
    BasicAuth,
    BearerAuth,
    BinaryBody,
    Comparison,
    DigestAuth,
    Extraction,
    FormBody,
    GraphqlBody,
    HmacAuth,
    JsonBody,
    MultipartBody,
    MultipartPart,
    OAuth2ClientCredentials,
    OAuth2Code,
    Pair,
    RawBody,
    RequestDefinition,
    RequestDraft,
    RequestSettings,
    XmlBody,
)
from hub.errors import Invalid
from hub.http_builder.bodies import find_json_problem, format_json
from hub.http_builder.forms import BuilderForm, apply_action, make_draft, read_form, show_draft
from hub.http_builder.models import Variable
from hub.http_builder.query import join_url, merge_query, show_url, split_url
from hub.http_builder.secret_values import SecretChange

URL = "https://api.example.com/orders"


def posted(form: BuilderForm) -> MultiDict[str, str]:
    """What a browser sends of the page that is drawn from ``form``."""
    sent = MultiDict({name: text for name, text in form.values.items() if text or name not in ("follow_redirects", "verify_tls")})
    for table, rows in form.rows.items():
        for number, row in enumerate(rows):
            for column, text in row.items():
                sent[f"{table}.{number}.{column}"] = text
    return sent


def same_again(actor: Actor, definition: RequestDefinition) -> RequestDefinition:
    draft, _secrets = make_draft(read_form(actor, posted(show_draft(RequestDraft(name="x", definition=definition)))))
    return draft.definition


@pytest.mark.parametrize(
    "part",
    [
        {"headers": (Pair(name="A", value=" 1"), Pair(name="A", enabled=False, description="why"))},
        {"params": (Pair(name="q", value="a b&c"), Pair(name="off", value="1", enabled=False))},
        {"body": JsonBody(text='{\n "a": {{A}} }')},
        {"body": FormBody(fields=(Pair(name="a", value="1"), Pair(name="a", value="2")))},
        {"body": MultipartBody(parts=(MultipartPart(name="a", value="1"), MultipartPart(name="f", is_file=True, file_id="c1")))},
        {"body": RawBody(text="x", content_type="text/csv")},
        {"body": XmlBody(text="<a/>")},
        {"body": GraphqlBody(query="{ a }", variables='{"b": 1}', operation_name="Q")},
        {"body": BinaryBody(file_id="c1", file_name="a.png", content_type="image/png")},
        {"auth": BasicAuth(username="u", password="{{P}}")},
        {"auth": BearerAuth(token="={{ $json.token }}", prefix="Bot")},
        {"auth": ApiKeyAuth(name="X-K", value="{{K}}", place="query")},
        {"auth": OAuth2ClientCredentials(token_url="https://a.example/t", client_id="c", client_secret="{{S}}", audience="x")},
        {
            "auth": OAuth2Code(
                authorization_url="https://a.example/a", token_url="https://a.example/t", client_authentication="body"
            )
        },
        {"auth": DigestAuth(username="u", password="{{P}}")},
        {"auth": AwsSigV4Auth(access_key_id="A", secret_access_key="{{S}}", region="eu-west-1", service="s3")},
        {"auth": HmacAuth(secret="{{S}}", message="{{$timestamp}}.{{$body}}", encoding="base64", timestamp_header="X-T")},
        {"settings": RequestSettings(timeout_seconds=2.5, follow_redirects=False, max_redirects=0, verify_tls=False)},
        {"assertions": (Assertion(expected="2xx"), Assertion(subject="body", path="$.ok", comparison=Comparison.EXISTS))},
        {"extractions": (Extraction(variable="TOKEN", path="$.t", scope="user", secret=True, enabled=False),)},
        {"variables": (Pair(name="SHOP", value="maya"),)},
    ],
)
def test_the_page_sends_back_what_it_was_drawn_from(alice: Actor, part: dict[str, object]) -> None:
    definition = RequestDefinition(url=URL, **part)
    assert same_again(alice, definition) == definition


def test_a_typed_secret_is_sealed_and_never_drawn(alice: Actor, bob: Actor) -> None:
    form = read_form(alice, MultiDict({"auth_type": "bearer", "auth.bearer.token": "s3cret", "url": URL, **SETTINGS}))
    assert "s3cret" not in repr(form.values)
    assert make_draft(form)[0].definition.auth == BearerAuth(token="s3cret", prefix="")
    again = read_form(alice, posted(form))
    assert make_draft(again)[0].definition.auth == BearerAuth(token="s3cret", prefix="")
    assert make_draft(read_form(bob, posted(form)))[0].definition.auth == BearerAuth(token="", prefix="")


SETTINGS = {"timeout_seconds": "30", "max_redirects": "5"}
STORED = [Variable(name="TOKEN", hosts=["api.example.com"], is_secret=True)]


def bearer(actor: Actor, **changes: str) -> tuple[object, list[SecretChange]]:
    draft = RequestDraft(name="x", definition=RequestDefinition(url=URL, auth=BearerAuth(token="{{TOKEN}}")))
    sent = posted(show_draft(draft, STORED))
    for name, text in changes.items():
        sent[f"auth.bearer.token{name}"] = text
    made, secrets = make_draft(read_form(actor, sent))
    return made.definition.auth, secrets


def test_a_stored_secret_stays_is_replaced_and_is_removed(alice: Actor) -> None:
    kept = SecretChange("TOKEN", hosts=("api.example.com",))
    assert bearer(alice) == (BearerAuth(token="{{TOKEN}}"), [kept])
    assert bearer(alice, **{"": "new"}) == (BearerAuth(token="{{TOKEN}}"), [kept, SecretChange("TOKEN", "new")])
    assert bearer(alice, **{"": "{{OTHER}}"}) == (BearerAuth(token="{{OTHER}}"), [kept])
    assert bearer(alice, **{".clear": "1"}) == (BearerAuth(token=""), [kept])


def test_the_table_of_secrets_says_what_becomes_of_each(alice: Actor) -> None:
    rows = {
        "secrets.0.name": "A",
        "secrets.0.stored": "1",
        "secrets.0.hosts": "a.example, *.b.example",
        "secrets.1.name": "B",
        "secrets.1.value": "{{not a reference here}}",
        "secrets.2.name": "C",
        "secrets.2.stored": "1",
        "secrets.2.removed": "1",
    }
    _draft, secrets = make_draft(read_form(alice, MultiDict({"url": URL, **SETTINGS, **rows})))
    assert secrets == [
        SecretChange("A", hosts=("a.example", "*.b.example")),
        SecretChange("B", "{{not a reference here}}"),
        SecretChange("C", hosts=(), removed=True),
    ]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"timeout_seconds": "soon"}, "timeout_seconds"),
        ({"timeout_seconds": "nan"}, "timeout_seconds"),
        ({"timeout_seconds": "121"}, "timeout_seconds"),
        ({"max_redirects": "2.5"}, "max_redirects"),
        ({"method": "BREW"}, "method"),
        ({"body_kind": "soup"}, "body"),
        ({"auth_type": "hope"}, "auth"),
        ({"assertions.0.subject": "mood", "assertions.0.expected": "good"}, "assertions"),
    ],
)
def test_what_cannot_be_read_is_named_by_its_field(alice: Actor, changes: dict[str, str], field: str) -> None:
    with pytest.raises(Invalid) as caught:
        make_draft(read_form(alice, MultiDict({"url": URL, **SETTINGS, **changes})))
    assert list(caught.value.fields) == [field]


def test_rows_are_added_copied_and_dropped_without_script(alice: Actor) -> None:
    form = read_form(alice, MultiDict({"headers.a.name": "A", "headers.b.name": "B", "headers.c.name": " "}))
    apply_action(form, "copy:headers:a")
    apply_action(form, "drop:headers:b")
    apply_action(form, "add:headers")
    assert [row.get("name") for row in form.rows["headers"]] == ["A", "A", None]
    for nonsense in ("", "copy:nowhere:1", "drop:headers:zz", "format:name", "add:"):
        apply_action(form, nonsense)
    assert len(form.rows["headers"]) == 3


@pytest.mark.parametrize(
    ("url", "names"),
    [
        ("https://a.example/x?a=1&b=", ["a", "b"]),
        ("https://a.example/?q={{A B}}&x=%26#top", ["q", "x"]),
        ("https://a.example/?ل=م", ["ل"]),
        ("https://a.example/?a=b=c", ["a"]),
    ],
)
def test_a_query_is_taken_apart_and_put_together_the_same(url: str, names: list[str]) -> None:
    split = split_url(url)
    assert split is not None
    assert [row.name for row in split[1]] == names
    assert join_url(*split) == url


@pytest.mark.parametrize(
    "url", ["https://a.example/?flag", "https://a.example/?a=1+2", "https://a.example/?a=%2f", "={{ $json.url }}?a=1"]
)
def test_a_query_that_would_change_stays_as_it_is_written(url: str) -> None:
    assert split_url(url) is None
    assert merge_query(url, url, [Pair(name="b")]) == (url, (Pair(name="b"),))


@settings(max_examples=40)
@given(st.lists(st.builds(Pair, name=st.text(min_size=1), value=st.text(), enabled=st.booleans())))
def test_rows_survive_the_page_whatever_they_hold(rows: list[Pair]) -> None:
    url, shown = show_url("https://a.example/x", rows)
    assert merge_query(url, url, shown)[1] == tuple(rows)


def test_the_side_that_was_changed_counts() -> None:
    rows = [Pair(name="a", value="1", description="why"), Pair(name="off", enabled=False), Pair(name="b", value="2")]
    shown = "https://x.example/?a=1&b=2"
    changed = merge_query("https://x.example/?a=9&c=3", shown, rows)
    assert changed == ("https://x.example/", (rows[0].model_copy(update={"value": "9"}), rows[1], Pair(name="c", value="3")))
    assert merge_query(shown, shown, rows[:1]) == ("https://x.example/", (rows[0],))


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('{"a": }', (1, 7)),
        ('{\n  "a": 1,\n}', (3, 1)),
        ('{"a": {{A}}, "b": "{{B}}"}', None),
        ("", None),
        ("={{ 1 }", None),
        ("[[" * 9999, (1, 1)),
    ],
)
def test_wrong_json_is_told_by_line_and_column(text: str, place: tuple[int, int] | None) -> None:
    problem = find_json_problem(text)
    assert (problem and (problem.line, problem.column)) == place


def test_formatting_changes_nothing_but_spaces() -> None:
    text = '{"a":1.00,"a":[ ],"b":{},"c":[1e5,{"d":{{D}}}],"e":"{{E}}, [x]: \\" {"}'
    formatted = format_json(text)
    assert formatted.splitlines()[:4] == ["{", '  "a": 1.00,', '  "a": [],', '  "b": {},']
    assert re.sub(r"\s", "", formatted) == re.sub(r"\s", "", text)
    assert format_json(formatted) == formatted
    assert format_json("{oops") == "{oops"


@settings(max_examples=40)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_formatted_json_is_that_of_python(value: object) -> None:
    text = json.dumps(value)
    if "{{" not in text:
        assert format_json(text) == json.dumps(value, indent=2)
