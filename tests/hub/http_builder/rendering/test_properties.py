"""What holds for every value: it cannot become a header, a line, a parameter, an element; and nothing raises but RenderError."""

from __future__ import annotations

import json
from email.parser import BytesParser
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit
from xml.etree import ElementTree

import graphql
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

import hub.contracts.http as contract
from hub.contracts.http import (
    ApiKeyAuth,
    Auth,
    BasicAuth,
    BearerAuth,
    Body,
    FormBody,
    GraphqlBody,
    JsonBody,
    MultipartBody,
    MultipartPart,
    Pair,
    RequestDefinition,
    XmlBody,
)
from hub.http_builder.rendering import (
    FileContent,
    Prepared,
    Problem,
    RenderError,
    Value,
    Values,
    find_names,
    find_unresolved,
    prepare,
    preview_definition,
)

NASTY = st.sampled_from(
    [
        "\r\nX-Evil: 1",
        "\n",
        "\0",
        "&admin=1",
        "?x=1#y",
        "/../..",
        "..",
        "%2e%2e",
        '", "admin": true, "x": "',
        '"',
        "\\",
        "{{OTHER}}",
        "{{ OTHER }}",
        "={{ $json.x }}",
        "</a><b/>",
        "]]>",
        "@evil.example",
        "evil.example/",
        ":99",
        " ",
        "é漢😀",
        "\u2028",
        "--boundary",
        '") { evil } #',
        "+",
        ";",
    ]
)
VALUES = st.lists(st.one_of(NASTY, st.text(max_size=8)), max_size=4).map("".join)


def sent(definition: RequestDefinition, text: str) -> Prepared | None:
    """What goes out with X standing for the text; None where it is refused."""
    try:
        return prepare(definition, Values([Value("X", text), Value("OTHER", "NEVER-SEEN")]), files={})
    except RenderError:
        return None


def baseline(definition: RequestDefinition) -> Prepared:
    prepared = sent(definition, "plain")
    assert prepared is not None
    return prepared


@given(VALUES)
def test_a_value_in_a_header_is_one_value(text: str) -> None:
    definition = RequestDefinition(
        url="https://a.example",
        headers=(Pair(name="X-One", value="a{{X}}b"), Pair(name="X-Two", value="2")),
        auth=BearerAuth(token="t{{X}}"),
    )
    prepared = sent(definition, text)
    broken = any((ord(letter) < 32 and letter != "\t") or letter == "\x7f" for letter in text)
    if prepared is None:
        assert broken
        return
    assert not broken
    assert [name for name, _value in prepared.wire.headers] == [name for name, _value in baseline(definition).wire.headers]
    assert not any(set("\r\n\0") & set(name + value) for name, value in prepared.wire.headers)
    assert ("X-One", f"a{text}b") in prepared.wire.headers


@given(VALUES)
def test_a_value_is_never_a_name_of_a_header_that_frames(text: str) -> None:
    prepared = sent(RequestDefinition(url="https://a.example", headers=(Pair(name="{{X}}", value="1"),)), text)
    if prepared:
        assert not any(name.lower() in ("host", "content-length", "transfer-encoding") for name, _value in prepared.wire.headers)


@given(VALUES)
def test_a_value_in_the_query_is_one_parameter(text: str) -> None:
    definition = RequestDefinition(
        url="https://a.example/p?own=1&q={{X}}&end=1",
        params=(Pair(name="{{X}}", value="{{X}}"), Pair(name="last", value="")),
        auth=ApiKeyAuth(name="key", value="k{{X}}", place="query"),
    )
    prepared = sent(definition, text)
    if prepared is None:
        assert any(ord(letter) < 32 or letter == "\x7f" for letter in text)
        return
    parts = urlsplit(prepared.wire.url)
    assert (parts.netloc, parts.path, parts.fragment) == ("a.example", "/p", "")
    found = parse_qsl(parts.query, keep_blank_values=True)
    assert found == [("own", "1"), ("q", text), ("end", "1"), (text, text), ("last", ""), ("key", f"k{text}")]


@given(VALUES)
def test_a_value_in_the_path_stays_in_its_segment(text: str) -> None:
    prepared = sent(RequestDefinition(url="https://a.example/one/{{X}}/three?x=1"), text)
    if prepared is None:
        return
    parts = urlsplit(prepared.wire.url)
    assert (parts.netloc, parts.query) == ("a.example", "x=1")
    segments = parts.path.split("/")
    assert (len(segments), segments[1], segments[3]) == (4, "one", "three")
    assert unquote(segments[2]) == text
    assert segments[2] not in (".", "..")


@given(VALUES)
def test_a_value_in_the_host_is_letters_of_a_host(text: str) -> None:
    prepared = sent(RequestDefinition(url="https://{{X}}.api.example/p"), text)
    if prepared is not None:
        assert urlsplit(prepared.wire.url).netloc.endswith(".api.example")
        assert urlsplit(prepared.wire.url).path == "/p"


@given(VALUES)
def test_a_value_in_json_is_one_value(text: str) -> None:
    definition = RequestDefinition(
        method="POST",
        url="https://a.example",
        body=JsonBody(text='{"in": "a{{X}}b", "{{X}}-key": 1, "bare": {{X}}, "end": true}'),
    )
    prepared = sent(definition, text)
    assert prepared is not None
    assert prepared.wire.body is not None
    found = json.loads(prepared.wire.body, object_pairs_hook=lambda pairs: pairs)
    assert [name for name, _value in found] == ["in", f"{text}-key", "bare", "end"]
    assert found[0][1] == f"a{text}b"
    assert found[2][1] == text or found[2][1] == json.loads(text, object_pairs_hook=lambda pairs: pairs)
    assert not [note for note in prepared.notes if note.code == "json-invalid"]


@given(VALUES)
def test_a_value_in_a_form_is_one_field(text: str) -> None:
    body = FormBody(fields=(Pair(name="{{X}}", value="{{X}}"), Pair(name="b", value="2")))
    prepared = sent(RequestDefinition(method="POST", url="https://a.example", body=body), text)
    assert prepared is not None
    assert prepared.wire.body is not None
    found = parse_qsl(prepared.wire.body.decode("ascii"), keep_blank_values=True)
    assert found == ([(text, text)] if text else [("", "")]) + [("b", "2")]


@given(VALUES)
def test_a_value_in_a_form_that_is_encoded_already_is_one_field(text: str) -> None:
    body = FormBody(fields=(Pair(name="a[b]", value="x y{{X}}%20"), Pair(name="b", value="2")), as_written=True)
    prepared = sent(RequestDefinition(method="POST", url="https://a.example", body=body), text)
    assert prepared is not None
    assert prepared.wire.body is not None
    assert prepared.wire.body.startswith(b"a[b]=x y")
    assert parse_qsl(prepared.wire.body.decode("ascii"), keep_blank_values=True) == [("a[b]", f"x y{text} "), ("b", "2")]


@given(VALUES)
def test_a_value_in_multipart_is_one_part(text: str) -> None:
    parts = (
        MultipartPart(name="n{{X}}", value="{{X}}"),
        MultipartPart(name="f", is_file=True, file_id="1", file_name="f{{X}}.txt"),
    )
    definition = RequestDefinition(method="POST", url="https://a.example", body=MultipartBody(parts=parts))
    files = {"1": FileContent("x.txt", "text/plain", b"content")}
    prepared = prepare(definition, Values([Value("X", text)]), files=files)
    assert prepared.wire.body is not None
    media_type = dict(prepared.wire.headers)["Content-Type"]
    message = BytesParser().parsebytes(f"Content-Type: {media_type}\r\n\r\n".encode() + prepared.wire.body)
    found = message.get_payload()
    assert len(found) == 2
    assert [part.get_payload(decode=True) for part in found] == [text.encode(), b"content"] or "\r" in text or "\n" in text
    assert [sorted(part.keys()) for part in found] == [["Content-Disposition"], ["Content-Disposition", "Content-Type"]]
    boundary = media_type.rpartition("=")[2]
    assert prepared.wire.body.count(f"--{boundary}".encode()) == 3


XML_LETTERS = st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff")


@given(st.one_of(NASTY.filter(lambda text: "\0" not in text), st.text(XML_LETTERS, max_size=20)))
def test_a_value_in_xml_is_text(text: str) -> None:
    body = XmlBody(text='<a b="{{X}}"><c>{{X}}</c><![CDATA[{{X}}]]><d/></a>')
    prepared = sent(RequestDefinition(method="POST", url="https://a.example", body=body), text)
    if prepared is None:
        return
    root = ElementTree.fromstring(prepared.wire.body or b"")
    assert [child.tag for child in root] == ["c", "d"]
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    assert root[0].text == (plain or None)
    assert root[0].tail == (plain or None)
    assert root.attrib["b"] == plain.replace("\n", " ").replace("\t", " ")


@given(VALUES)
def test_a_value_in_graphql_is_one_argument(text: str) -> None:
    # A control character is no letter of a GraphQL document.
    assume(not any(ord(letter) < 32 for letter in text))
    body = GraphqlBody(query='query { shop(in: "a{{X}}b", bare: {{X}}) { id } } # {{X}}', variables='{"v": "{{X}}"}')
    prepared = sent(RequestDefinition(method="POST", url="https://a.example", body=body), text)
    assert prepared is not None
    document = json.loads(prepared.wire.body or b"")
    assert document["variables"] == {"v": text}
    parsed = graphql.parse(document["query"])
    [definition] = parsed.definitions
    [shop] = definition.selection_set.selections
    assert [argument.name.value for argument in shop.arguments] == ["in", "bare"]
    assert shop.arguments[0].value.value == f"a{text}b"
    assert [selection.name.value for selection in shop.selection_set.selections] == ["id"]


@given(VALUES)
def test_replacement_is_single_pass(text: str) -> None:
    definition = RequestDefinition(
        method="POST",
        url="https://a.example/{{X}}?q={{X}}",
        headers=(Pair(name="X-A", value="{{X}}"),),
        body=JsonBody(text='"{{X}}"'),
        auth=BasicAuth(username="u", password="{{X}}"),
    )
    prepared = sent(definition, text)
    if prepared:
        assert "NEVER-SEEN" not in str((prepared.wire.url, prepared.wire.headers, prepared.wire.body))


# --- Random definitions ----------------------------------------------------------------------------------------------

TEXT = st.one_of(VALUES, st.sampled_from(["{{X}}", "{{MISSING}}", "a{{X}}b", "{{$uuid}}", "{{$body}}", "https://a.example"]))
PAIRS = st.lists(st.builds(Pair, name=TEXT, value=TEXT, enabled=st.booleans()), max_size=3).map(tuple)
FILE_IDS = st.sampled_from([None, "1", "2"])


def fields_of(model: Any) -> st.SearchStrategy[Any]:
    """Any member of a union of models, each text drawn from ``TEXT``."""
    members = [part["$ref"].rpartition("/")[2] for part in TypeAdapter(model).json_schema()["oneOf"]]
    strategies = []
    for name in members:
        member = getattr(contract, name)
        drawn: dict[str, st.SearchStrategy[Any]] = {}
        for field, info in member.model_fields.items():
            if info.annotation is str:
                drawn[field] = TEXT
            elif field in ("fields",):
                drawn[field] = PAIRS
            elif field == "parts":
                part = st.builds(MultipartPart, name=TEXT, value=TEXT, is_file=st.booleans(), file_id=FILE_IDS, file_name=TEXT)
                drawn[field] = st.lists(part, max_size=2).map(tuple)
            elif field in ("file_id", "operation_name"):
                drawn[field] = st.one_of(st.none(), TEXT)
            elif field in ("client_authentication", "place", "algorithm", "encoding"):
                drawn[field] = st.sampled_from(info.annotation.__args__)
        strategies.append(st.builds(member, **drawn))
    return st.one_of(strategies)


URLS = st.one_of(TEXT, TEXT.map(lambda text: f"https://a.example/{text}"), TEXT.map(lambda text: f"{{{{BASE}}}}{text}"))


@settings(max_examples=300)
@given(
    st.builds(
        RequestDefinition, url=URLS, params=PAIRS, headers=PAIRS, body=fields_of(Body), auth=fields_of(Auth), variables=PAIRS
    ),
    VALUES,
    st.sampled_from(["https://b.example/base", "b.example", "localhost:80", ""]),
    st.sampled_from([None, "token"]),
)
def test_any_definition_is_prepared_or_refused_with_reasons(
    definition: RequestDefinition, text: str, base: str, token: str | None
) -> None:
    values = Values([Value("X", text, True, ("a.example", "b.example")), Value("BASE", base)])
    files = {"1": FileContent("x", "text/plain", b"content")}
    shown = preview_definition(definition, values, files=files)
    unresolved = find_unresolved(definition, values)
    unknown = {str(problem.details["name"]) for problem in unresolved if problem.code == "unresolved"}
    assert {name for name in unknown if not name.startswith("$")} <= find_names(definition)
    reasons: tuple[Problem, ...] = ()
    try:
        prepared = prepare(definition, values, files=files, token=token)
    except RenderError as error:
        reasons = error.problems
        prepared = None
    if prepared is None:
        assert reasons
        assert all(problem.place and problem.code for problem in reasons)
        return
    assert prepared.wire.url.isascii()
    assert prepared.wire.url.startswith(("http://", "https://"))
    assert not [problem for problem in shown.problems if not problem.place.startswith("auth")]
