"""From a definition to what is sent: places, precedence, refusals, notes."""

from __future__ import annotations

from typing import Any

import pytest

from hub.contracts.http import (
    ApiKeyAuth,
    BasicAuth,
    BearerAuth,
    BinaryBody,
    GraphqlBody,
    JsonBody,
    MultipartBody,
    MultipartPart,
    OAuth2ClientCredentials,
    Pair,
    RawBody,
    RequestDefinition,
    XmlBody,
)
from hub.egress import check_url, may_reach
from hub.http_builder.rendering import (
    FileContent,
    Prepared,
    RenderError,
    Scope,
    Value,
    Values,
    find_names,
    find_unresolved,
    prepare,
    preview,
    preview_definition,
)


def make(url: str = "https://a.example/p", **parts: Any) -> RequestDefinition:
    return RequestDefinition(url=url, **parts)


def ready(definition: RequestDefinition, *values: Value, token: str | None = None) -> Prepared:
    return prepare(definition, Values(values), files={}, token=token)


def refusals(definition: RequestDefinition, *values: Value, token: str | None = None) -> list[tuple[str, str]]:
    with pytest.raises(RenderError) as raised:
        prepare(definition, Values(values), files={}, token=token)
    return [(problem.place, problem.code) for problem in raised.value.problems]


def notes(definition: RequestDefinition, *values: Value) -> dict[str, dict[str, Any]]:
    return {note.code: note.details for note in ready(definition, *values).notes}


# --- Variables -------------------------------------------------------------------------------------------------------


def test_the_narrowest_scope_wins() -> None:
    scoped = [Value("X", scope.value, scope=scope) for scope in (Scope.USER, Scope.REQUEST, Scope.ENVIRONMENT)]
    assert ready(make("https://a.example/{{X}}"), *scoped).wire.url == "https://a.example/request"
    assert ready(make("https://a.example/{{X}}"), scoped[0], scoped[2]).wire.url == "https://a.example/environment"
    own = make("https://a.example/{{X}}/{{Y}}", variables=(Pair(name="X", value="own"), Pair(name="Y", value="z", enabled=False)))
    assert ready(own, scoped[0], scoped[2], Value("Y", "stored")).wire.url == "https://a.example/own/stored"
    assert ready(own, scoped[1], Value("Y", "stored")).wire.url == "https://a.example/request/stored"


def test_names_and_what_is_missing() -> None:
    definition = make(
        "https://{{HOST}}/{{ spaced }}?x={{HOST}}",
        params=(Pair(name="p", value="{{OFF}}", enabled=False), Pair(name="{{N-1.x}}", value="={{ $json.id }}")),
        headers=(Pair(name="X", value="{{$timestamp}} {{not a name}} {{$nope}}"),),
        auth=BasicAuth(username="{{USER}}"),
    )
    assert find_names(definition) == {"HOST", "spaced", "N-1.x", "USER"}
    found = [(problem.place, problem.code, problem.details.get("name")) for problem in find_unresolved(definition, Values())]
    assert found == [
        ("url", "unresolved", "HOST"),
        ("url", "unresolved", "spaced"),
        ("params.1.name", "unresolved", "N-1.x"),
        ("params.1.value", "expression", None),
        ("headers.0.value", "unresolved", "$nope"),
        ("auth.username", "unresolved", "USER"),
    ]
    assert set(refusals(definition)) == {(place, code) for place, code, _name in found}


def test_a_header_keeps_what_is_no_placeholder() -> None:
    headers = (Pair(name="X", value="{{not a name}} {x} {{"), Pair(name="Y", value="=1"))
    assert ready(make(headers=headers)).wire.headers[-2:] == (("X", "{{not a name}} {x} {{"), ("Y", "=1"))


def test_built_in_values() -> None:
    headers = dict(ready(make(headers=(Pair(name="T", value="{{$timestamp}}"), Pair(name="U", value="{{$uuid}}")))).wire.headers)
    assert int(headers["T"]) > 1_700_000_000
    assert len(headers["U"]) == 36


# --- URLs ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("template", "value", "url"),
    [
        ("{{X}}", "https://b.example/v1?a=1", "https://b.example/v1?a=1"),
        ("{{X}}/users", "https://b.example/v1", "https://b.example/v1/users"),
        ("{{X}}/users", "b.example:8443/v1", "https://b.example:8443/v1/users"),
        ("{{X}}/users", "localhost:3000", "http://localhost:3000/users"),
        ("{{X}}?a=1", "https://b.example", "https://b.example/?a=1"),
        ("{{X}}://b.example/", "http", "http://b.example/"),
        ("https://{{X}}/p", "b.example:99", "https://b.example:99/p"),
        ("https://{{X}}.example/p", "shop-1", "https://shop-1.example/p"),
        ("https://a.example/{{X}}", "a/b c?d#e%f:g@é", "https://a.example/a%2Fb%20c%3Fd%23e%25f:g@%C3%A9"),
        ("https://a.example/?q={{X}}", "a&b=c d#", "https://a.example/?q=a%26b%3Dc+d%23"),
        ("a.example/p{{X}}", "", "https://a.example/p"),
        ("//a.example/p{{X}}", "", "https://a.example/p"),
        ("localhost:5678/p{{X}}", "", "http://localhost:5678/p"),
        ("127.0.0.1/p{{X}}", "", "http://127.0.0.1/p"),
        ("localhost.evil.example/{{X}}", "", "https://localhost.evil.example/"),
        ("  https://a.example/p{{X}}#frag?x=1 ", "", "https://a.example/p"),
        ("https://A.Example:443/p{{X}}", "", "https://a.example/p"),
        ("https://münchen.example/{{X}}", "", "https://xn--mnchen-3ya.example/"),
        ("https://a.example/a%2Fb/100%/[x]?f[]=1&g=%zz{{X}}", "", "https://a.example/a%2Fb/100%25/[x]?f[]=1&g=%25zz"),
    ],
)
def test_urls(template: str, value: str, url: str) -> None:
    assert ready(make(template), Value("X", value)).wire.url == url


@pytest.mark.parametrize(
    ("template", "value", "code"),
    [
        ("", "", "url-missing"),
        ("{{X}}", "", "url-missing"),
        ("https://{{X}}/p", "b.example/evil", "host-characters"),
        ("https://{{X}}/p", "user@b.example", "host-characters"),
        ("https://{{X}}.a.example/p", "evil.example#", "host-characters"),
        ("https://a.example{{X}}/p", "\\", "host-characters"),
        ("https://a.example/{{X}}/p", "..", "dot-segment"),
        ("https://a.example/.{{X}}/p", ".", "dot-segment"),
        ("https://a.example/%2e{{X}}/p", ".", "dot-segment"),
        ("https://a.example/{{X}}", "a\r\nb", "control-characters"),
        ("https://a.example/a\nb", "", "control-characters"),
        ("{{X}}://a.example", "javascript", "bad-url"),
        ("ftp://a.example/{{X}}", "", "bad-url"),
        ("https://u:p@a.example/{{X}}", "", "bad-url"),
        ("{{X}}", "file:///etc/passwd", "bad-url"),
        ("https://a.example:99999/{{X}}", "", "bad-url"),
        ("https://a.example/" + "x" * 9000, "", "bad-url"),
        ("https://[::1/{{X}}", "", "bad-url"),
    ],
)
def test_urls_that_are_refused(template: str, value: str, code: str) -> None:
    assert refusals(make(template), Value("X", value)) == [("url", code)]


def test_what_is_assumed_of_a_url_is_said() -> None:
    assert notes(make("a.example")) == {"scheme-assumed": {"scheme": "https"}}
    assert notes(make("https://a.example/{{X}}"), Value("X", "a/b")) == {"slash-encoded": {"name": "X"}}


def test_params_follow_the_query_of_the_url() -> None:
    rows = (Pair(name="b", value="2"), Pair(name="off", value="x", enabled=False), Pair(), Pair(name="b", value=""))
    assert ready(make("https://a.example/p?a=%20", params=rows)).wire.url == "https://a.example/p?a=%20&b=2&b="


# --- Headers and bodies ----------------------------------------------------------------------------------------------


def test_headers_keep_order_and_duplicates() -> None:
    rows = (Pair(name="X-B", value=" 1 "), Pair(name="X-A", value="2", enabled=False), Pair(name="x-b", value="3"), Pair())
    headers = ready(make(headers=rows)).wire.headers
    assert [header for header in headers if header[0].lower() == "x-b"] == [("X-B", "1"), ("x-b", "3")]
    assert ("Accept", "text/plain") in ready(make(headers=(Pair(name="Accept", value="text/plain"),))).wire.headers


def test_headers_that_are_no_headers() -> None:
    rows = (
        Pair(name="a b", value="1"),
        Pair(name="", value="1"),
        Pair(name="X", value="{{X}}"),
        Pair(name="Metadata-Flavor", value="Google"),
    )
    assert refusals(make(headers=rows), Value("X", "1\r\nY: 2")) == [
        ("headers.0.name", "header-name"),
        ("headers.1.name", "header-name"),
        ("headers.2.value", "header-line-break"),
        ("headers.3.name", "header-metadata"),
    ]


def test_headers_of_the_connection_are_left_out() -> None:
    rows = (Pair(name="Content-Length", value="3"), Pair(name="Host", value="a.example"), Pair(name="X", value="1"))
    prepared = ready(make(headers=rows))
    assert not {"content-length", "host"} & {name.lower() for name, _value in prepared.wire.headers}
    assert [note.details for note in prepared.notes if note.code == "header-left-out"] == [{"name": "Content-Length"}]


def test_a_content_type_of_ones_own_is_kept() -> None:
    headers = (Pair(name="content-type", value="application/vnd.api+json"),)
    wire = ready(make(method="POST", headers=headers, body=JsonBody(text="{}"))).wire
    assert [value for name, value in wire.headers if name.lower() == "content-type"] == ["application/vnd.api+json"]
    multipart = (Pair(name="Content-Type", value="multipart/mixed"),)
    wire = ready(make(method="POST", headers=multipart, body=MultipartBody(parts=(MultipartPart(name="a", value="1"),)))).wire
    boundary = dict(wire.headers)["Content-Type"].removeprefix("multipart/mixed; boundary=")
    assert wire.body is not None
    assert wire.body.startswith(f"--{boundary}\r\n".encode())


@pytest.mark.parametrize(
    ("value", "bare"),
    [
        ("3", b"3"),
        ("-1.50e3", b"-1.50e3"),
        ("12345678901234567890123", b"12345678901234567890123"),
        ("true", b"true"),
        ("null", b"null"),
        (' {"a": [1]} ', b'{"a": [1]}'),
        ('"quoted"', b'"quoted"'),
        ("007", b'"007"'),
        ("+49170", b'"+49170"'),
        ("NaN", b'"NaN"'),
        ("hello", b'"hello"'),
        ("", b'""'),
        ('1, "admin": true', b'"1, \\"admin\\": true"'),
    ],
)
def test_json_values_by_themselves(value: str, bare: bytes) -> None:
    assert ready(make(method="POST", body=JsonBody(text='{"v": {{X}}}')), Value("X", value)).wire.body == b'{"v": ' + bare + b"}"


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ('{"a": 1,\n "b": }', 2, 7),
        ('{"a": "{{LONG}}",\n "b" 1}', 2, 6),
        ("{{LONG}} x", 1, 10),
        ('{"a": 1', 1, 8),
        ('{"a": NaN}', 1, 7),
        ("[" * 100_000, 1, 1),
    ],
)
def test_json_that_is_none_is_sent_with_its_place(text: str, line: int, column: int) -> None:
    definition = make(method="POST", body=JsonBody(text=text))
    details = notes(definition, Value("LONG", "x\ny" * 50))["json-invalid"]
    assert (details["line"], details["column"]) == (line, column)
    assert ready(definition, Value("LONG", "x")).wire.body


def test_empty_bodies() -> None:
    wire = ready(make(method="POST", body=JsonBody(text=" \n"))).wire
    assert wire.body is None
    assert "Content-Type" not in dict(wire.headers)
    assert ready(make(body=RawBody(text=""))).wire.body == b""


def test_a_get_may_have_a_body() -> None:
    assert ready(make(body=JsonBody(text="{}"))).wire.body == b"{}"


def test_raw_and_xml() -> None:
    value = Value("X", '<b>&"]]>')
    assert ready(make(body=RawBody(text="{{X}}")), value).wire.body == b'<b>&"]]>'
    xml = ready(make(body=XmlBody(text="<a>{{X}}<![CDATA[{{X}}]]></a>")), value).wire
    assert xml.body == b'<a>&lt;b&gt;&amp;&quot;]]&gt;<![CDATA[<b>&"]]]]><![CDATA[>]]></a>'
    assert dict(xml.headers)["Content-Type"] == "application/xml"


def test_graphql_that_cannot_be_sent() -> None:
    assert refusals(make(method="POST", body=GraphqlBody(query="{a}", variables="{"))) == [("body.variables", "json-invalid")]
    assert refusals(make(method="POST", body=GraphqlBody(query="{a}", variables="[]"))) == [("body.variables", "json-no-object")]
    block = GraphqlBody(query='{ a(b: """x{{X}}""") }')
    assert refusals(make(method="POST", body=block), Value("X", '"')) == [("body.query", "graphql-quote")]
    assert ready(make(method="POST", body=block), Value("X", "two\nlines")).wire.body


def test_files_that_are_missing() -> None:
    parts = (MultipartPart(name="a", is_file=True), MultipartPart(name="b", is_file=True, file_id="gone"))
    assert refusals(make(method="POST", body=MultipartBody(parts=parts))) == [
        ("body.parts.0.file_id", "file-not-chosen"),
        ("body.parts.1.file_id", "file-missing"),
    ]
    assert refusals(make(method="POST", body=BinaryBody())) == [("body.file_id", "file-not-chosen")]
    big = {"1": FileContent("big", "image/png", b"x" * 10_000_001)}
    with pytest.raises(RenderError) as raised:
        prepare(make(method="POST", body=BinaryBody(file_id="1")), Values(), files=big)
    assert [problem.code for problem in raised.value.problems] == ["body-too-large"]


# --- Authentication and secrets --------------------------------------------------------------------------------------


def test_authentication_that_is_not_filled_in() -> None:
    assert refusals(make(auth=BasicAuth())) == [("auth.username", "auth-empty")]
    assert refusals(make(auth=BearerAuth(token="{{X}}")), Value("X", " ")) == [("auth.token", "auth-empty")]
    assert refusals(make(auth=ApiKeyAuth(place="query"))) == [("auth.name", "auth-empty"), ("auth.value", "auth-empty")]
    assert refusals(make(auth=BasicAuth(username="a:b"))) == [("auth.username", "username-colon")]
    assert refusals(make(auth=OAuth2ClientCredentials())) == [("auth", "token-missing")]


def test_api_keys() -> None:
    wire = ready(
        make("https://a.example/?a=1", params=(Pair(name="b", value="2"),), auth=ApiKeyAuth(name="k", value="v", place="query"))
    ).wire
    assert wire.url == "https://a.example/?a=1&b=2&k=v"
    assert ("X-Api-Key", "v") in ready(make(auth=ApiKeyAuth(name="X-Api-Key", value="v"))).wire.headers


def test_a_token_goes_where_the_service_wants_it() -> None:
    auth = OAuth2ClientCredentials(header_name="X-Shopify-Access-Token", prefix="")
    prepared = ready(make(auth=auth), token="shpat_1234567890")
    assert ("X-Shopify-Access-Token", "shpat_1234567890") in prepared.wire.headers
    assert prepared.wire.secret_hosts == (("shpat_1234567890", ("a.example",)),)
    assert "shpat" not in str(preview(prepared))


def test_authentication_replaces_a_header_written_by_hand() -> None:
    definition = make(headers=(Pair(name="authorization", value="mine"),), auth=BearerAuth(token="t"))
    assert [value for name, value in ready(definition).wire.headers if name.lower() == "authorization"] == ["Bearer t"]
    assert notes(definition)["header-replaced"] == {"name": "Authorization"}
    assert "token-has-prefix" in notes(make(auth=BearerAuth(token="Bearer t")))


def test_a_secret_goes_to_its_hosts_only() -> None:
    key = Value("KEY", "abcdefgh", True, ("api.example.com", "*.example.org", "b.example:8443"))
    headers = (Pair(name="X-Key", value="{{KEY}}"),)
    prepared = ready(make("https://api.example.com/", headers=headers), key)
    assert prepared.wire.secret_hosts == (("abcdefgh", key.hosts),)
    assert refusals(make("https://evil.example/", headers=headers), key) == [("headers.0.value", "secret-host")]
    assert refusals(make(headers=headers), Value("KEY", "abcdefgh", True)) == [("headers.0.value", "secret-unbound")]
    assert ready(make("https://evil.example/", headers=(Pair(name="X-Key", value="{{KEY}}", enabled=False),)), key)
    assert refusals(make("https://{{KEY}}.example.org/"), key) == [("url", "secret-in-host")]
    assert "secret-in-clear" in notes(make("http://api.example.com/", headers=headers), key)


@pytest.mark.parametrize(
    ("pattern", "url", "reaches"),
    [
        ("a.example", "https://a.example/", True),
        ("A.Example", "https://a.example:8443/", True),
        ("a.example", "https://b.a.example/", False),
        ("a.example", "https://xa.example/", False),
        ("a.example:443", "https://a.example/", True),
        ("a.example:443", "https://a.example:8443/", False),
        ("*.a.example", "https://b.a.example/", True),
        ("*.a.example", "https://c.b.a.example/", True),
        ("*.a.example", "https://a.example/", False),
        ("*.a.example", "https://xa.example/", False),
        ("*.a.example:8443", "https://b.a.example:8443/", True),
        ("[::1]:5678", "http://[::1]:5678/", True),
        ("[::1]", "http://[::1]:5678/", True),
        ("::1", "http://[::1]:5678/", True),
        ("*", "https://a.example/", False),
        ("", "https://a.example/", False),
    ],
)
def test_patterns_of_hosts(pattern: str, url: str, reaches: bool) -> None:
    assert may_reach([pattern], check_url(url)) is reaches


# --- Preview ---------------------------------------------------------------------------------------------------------


def test_the_preview_shows_what_is_sent_without_secrets() -> None:
    definition = make(
        "https://a.example/hook/{{KEY}}?k={{KEY}}",
        method="POST",
        headers=(Pair(name="X-Key", value="k={{KEY}}"),),
        body=JsonBody(text='{"key": "{{KEY}}"}'),
        auth=BasicAuth(username="me", password="{{PASSWORD}}"),
    )
    secrets = [Value("KEY", "a+b/c=d e", True, ("a.example",)), Value("PASSWORD", "pass", True, ("a.example",))]
    shown = preview(ready(definition, *secrets))
    assert shown.url == "https://a.example/hook/{{KEY}}?k={{KEY}}"
    assert shown.headers[0] == ("Host", "a.example")
    assert ("X-Key", "k={{KEY}}") in shown.headers
    assert ("Authorization", "Basic ••••••") in shown.headers
    assert ("Content-Length", str(len('{"key": "a+b/c=d e"}'))) in shown.headers
    assert (shown.body, shown.body_size) == ('{"key": "{{KEY}}"}', 20)


def test_the_preview_of_what_is_not_ready() -> None:
    auth = OAuth2ClientCredentials(token_url="https://{{TENANT}}.example/token", client_id="c", client_secret="s" * 8)
    definition = make("https://a.example/{{MISSING}}", auth=auth, body=RawBody(text="{{MISSING}}"))
    shown = preview_definition(definition, Values(), files={})
    assert shown.url == "https://a.example/{{MISSING}}"
    assert ("Authorization", "Bearer ••••••") in shown.headers
    assert "token-will-be-fetched" in [note.code for note in shown.notes]
    assert {(problem.place, problem.code) for problem in shown.problems} == {
        ("url", "unresolved"),
        ("body.text", "unresolved"),
        ("auth.token_url", "unresolved"),
    }


def test_the_preview_of_bodies_that_are_no_text() -> None:
    files = {"1": FileContent("x", "image/png", b"\x89PNG\0")}
    shown = preview(prepare(make(method="POST", body=BinaryBody(file_id="1")), Values(), files=files))
    assert (shown.body, shown.body_size) == (None, 5)
    long = preview(ready(make(method="POST", body=RawBody(text="x" * 200_000))))
    assert (len(long.body or ""), long.body_cut, long.body_size) == (100_000, True, 200_000)


def test_a_secret_in_clear_text_fields_is_masked_too() -> None:
    prepared = ready(make(auth=BearerAuth(token="literal-token-value")))
    assert "literal-token-value" not in str(preview(prepared))
    assert "literal-token-value" not in repr(prepared)
    whole_url = Value("HOOK", "https://hooks.example/services/T0/B0/xyz", True, ("hooks.example",))
    prepared = ready(make("{{HOOK}}"), whole_url)
    assert preview(prepared).url == "{{HOOK}}"
    assert prepared.mask.text("no such path: /services/T0/B0/xyz") == "no such path: {{HOOK}}"
