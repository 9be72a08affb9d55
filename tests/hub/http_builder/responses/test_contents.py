from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.http_builder.models import RequestRun
from hub.http_builder.responses.contents import Kind, file_name, make_visible, read_content
from hub.http_builder.responses.cookies import read_cookies
from hub.http_builder.responses.statuses import describe_status, tone_of_status

PNG = b"\x89PNG\r\n\x1a\n" + bytes(60)


def run_of(content_type: str, url: str = "https://api.example.com/orders", **headers: str) -> RequestRun:
    lines = [["Content-Type", content_type], *([name.replace("_", "-"), value] for name, value in headers.items())]
    return RequestRun(url=url, media_type=content_type.partition(";")[0].strip().lower() or None, response_headers=lines)


@pytest.mark.parametrize(
    ("content_type", "body", "kind", "text"),
    [
        ("application/json", b'{"a":1}', Kind.JSON, '{"a":1}'),
        ("application/problem+json; charset=utf-8", "é".encode(), Kind.JSON, "é"),
        ("text/plain", b' {"a":1} ', Kind.JSON, ' {"a":1} '),
        ("", b"<!DOCTYPE html><p>", Kind.HTML, "<!DOCTYPE html><p>"),
        ("application/octet-stream", b"plain words", Kind.TEXT, "plain words"),
        ("text/html; charset=iso-8859-1", b"\xe9", Kind.HTML, "é"),
        ("text/plain", b"\xff\xfea\x00", Kind.TEXT, "a"),
        ("text/plain", b"\xef\xbb\xbfa", Kind.TEXT, "a"),
        ("text/plain; charset=base64", b"YQ==", Kind.TEXT, "YQ=="),
        ("text/plain; charset=nonsense", b"a", Kind.TEXT, "a"),
        ("text/plain", b"a\xffb", Kind.TEXT, "a\ufffdb"),
        ("application/json", b'{"a":"\x00"}', Kind.JSON, '{"a":"\x00"}'),
        ("image/svg+xml", b"<svg onload=alert(1)>", Kind.XML, "<svg onload=alert(1)>"),
        ("image/png", b"<script>alert(1)</script>", Kind.TEXT, "<script>alert(1)</script>"),
        ("text/html", PNG, Kind.IMAGE, None),
        ("application/pdf", b"%PDF-1.7", Kind.BINARY, None),
        ("application/octet-stream", bytes(range(256)), Kind.BINARY, None),
        ("application/x-ndjson", b"{}\n{}", Kind.LINES, "{}\n{}"),
        ("text/event-stream", b"data: 1\n\n", Kind.EVENTS, "data: 1\n\n"),
        ("application/json", b"", Kind.EMPTY, None),
    ],
)
def test_a_body_is_what_it_is_not_what_it_claims(content_type: str, body: bytes, kind: Kind, text: str | None) -> None:
    content = read_content(run_of(content_type), body)
    assert (content.kind, content.text) == (kind, text)


@given(st.binary(max_size=300), st.text(max_size=40))
def test_any_bytes_with_any_header_are_something(body: bytes, content_type: str) -> None:
    run = run_of(content_type)
    content = read_content(run, body)
    assert content.kind in Kind
    assert file_name(run, content).isascii()


def test_characters_that_deceive_are_made_visible() -> None:
    assert make_visible("a\0b\x1b[31m\u202ec\u2066\ud800\n\t") == "a␀b␛[31m[U+202E]c[U+2066][U+D800]\n\t"


@pytest.mark.parametrize(
    ("url", "disposition", "name"),
    [
        ("https://x.example/files/report.pdf", "", "report.json"),
        ("https://x.example/", "", "answer.json"),
        ("https://x.example/", 'attachment; filename="../../etc/pa\\"sswd"', "pa-sswd.json"),
        ("https://x.example/", "attachment; filename*=UTF-8''na%C3%AFve.txt", "na-ve.json"),
        ("https://x.example/%0d%0aX: y", "", "X-y.json"),
    ],
)
def test_a_download_has_a_harmless_name(url: str, disposition: str, name: str) -> None:
    run = run_of("application/json", url, Content_Disposition=disposition)
    assert file_name(run, read_content(run, b"{}")) == name


def test_cookies_are_read_as_browsers_do() -> None:
    lines = [
        ["Set-Cookie", "sid=a=b; Path=/; HttpOnly; secure; SameSite=Lax; Max-Age=60"],
        ["set-cookie", "lonely"],
        ["X", "y=1"],
    ]
    sid, lonely = read_cookies(lines)
    assert (sid.name, sid.value, sid.path, sid.http_only, sid.secure) == ("sid", "a=b", "/", True, True)
    assert (sid.same_site, sid.expires) == ("Lax", "Max-Age 60")
    assert (lonely.name, lonely.value) == ("", "lonely")


#: https://www.iana.org/assignments/http-status-codes, 2025-09-15.
IANA = [
    *(100, 101, 102, 103, 104, *range(200, 209), 226, *range(300, 309), *range(400, 419), 421, 422, 423, 424, 425, 426, 428),
    *(429, 431, 451, *range(500, 509), 510, 511),
]


def test_every_registered_status_has_its_own_words(app: object, session: object) -> None:
    words = [describe_status(status) for status in IANA]
    assert all(words)
    assert len(set(words)) == len(IANA)
    assert describe_status(499) == "The server does not accept the request."
    assert describe_status(999) == ""
    assert [tone_of_status(status) for status in (204, 304, 404, 503, None)] == ["good", "info", "warn", "bad", ""]
