"""HAR recordings: each request once, without the browser's own headers, with secrets apart."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hub.contracts.http import BearerAuth, FormBody, JsonBody, MultipartBody, RawBody
from hub.http_builder.importing import har, import_text
from hub.http_builder.importing.results import ImportRefused, ImportResult


def read(*requests: dict[str, Any], **entry: Any) -> ImportResult:
    entries = [{"request": {"method": "GET", "url": "https://x.example.com/a", **request}, **entry} for request in requests]
    return import_text(json.dumps({"log": {"version": "1.2", "entries": entries}}))


def header(name: str, value: str) -> dict[str, str]:
    return {"name": name, "value": value}


def test_a_request_without_what_browsers_add() -> None:
    headers = [
        header(":authority", "x.example.com"),
        header("Host", "x.example.com"),
        header("Sec-Fetch-Mode", "cors"),
        header("Authorization", "Bearer tok-123"),
        header("Cookie", "sid=c-1"),
        header("Accept", "application/json"),
    ]
    result = read({"url": "https://x.example.com/a%20b?q=1&q=%C3%A4#top", "headers": headers})
    (draft,) = result.drafts
    assert result.kind == "har"
    assert (draft.name, draft.folder, draft.origin) == ("GET /a%20b", "x.example.com", None)
    assert draft.definition.url == "https://x.example.com/a%20b"
    assert [(row.name, row.value) for row in draft.definition.params] == [("q", "1"), ("q", "ä")]
    assert [(row.name, row.value) for row in draft.definition.headers] == [
        ("Cookie", "{{COOKIE}}"),
        ("Accept", "application/json"),
    ]
    assert draft.definition.auth == BearerAuth(token="{{TOKEN}}")
    assert draft.secrets == {"TOKEN": "tok-123", "COOKIE": "sid=c-1"}


def test_equal_requests_come_once_and_assets_not_at_all() -> None:
    assert len(read({}, {"url": "https://x.example.com/b"}, {}).drafts) == 2
    result = har.read(
        json.dumps({"log": {"entries": [{"_resourceType": "image", "request": {"method": "GET", "url": "https://x/i.png"}}]}})
    )
    assert result.drafts == ()
    assert [(note.code, note.details) for note in result.notes] == [("assets", {"count": 1})]


def test_cookies_that_stand_in_their_own_list() -> None:
    (draft,) = read({"cookies": [header("a", "1"), header("b", "2")]}).drafts
    assert draft.secrets == {"COOKIE": "a=1; b=2"}


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"mimeType": "application/json; charset=utf-8", "text": '{"a": 1}'}, JsonBody(text='{"a": 1}')),
        ({"mimeType": "text/csv", "text": "a,b"}, RawBody(text="a,b", content_type="text/csv")),
    ],
)
def test_texts(data: dict[str, str], expected: object) -> None:
    assert read({"method": "POST", "postData": data}).drafts[0].definition.body == expected


def test_forms() -> None:
    form = read(
        {"method": "POST", "postData": {"mimeType": "application/x-www-form-urlencoded", "text": "a=1+2&password=p-1"}}
    ).drafts[0]
    assert isinstance(form.definition.body, FormBody)
    assert [(row.name, row.value) for row in form.definition.body.fields] == [("a", "1 2"), ("password", "{{PASSWORD}}")]
    params = [header("a", "1"), {"name": "f", "fileName": "x.png", "contentType": "image/png"}]
    multipart = (
        read({"method": "POST", "postData": {"mimeType": "multipart/form-data; boundary=x", "params": params}})
        .drafts[0]
        .definition
    )
    assert isinstance(multipart.body, MultipartBody)
    assert [(part.name, part.is_file, part.file_name) for part in multipart.body.parts] == [
        ("a", False, None),
        ("f", True, "x.png"),
    ]


def test_what_is_no_recording_is_refused() -> None:
    with pytest.raises(ImportRefused) as refused:
        har.read('{"log": {}}')
    assert refused.value.code == "not-har"
    assert [note.code for note in read({"url": "ws://x.example.com"}, {}).notes] == ["unknown-method"]
