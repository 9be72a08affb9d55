"""What goes out is what ``requests`` sends for the same input."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
import requests

from hub.contracts.http import (
    BasicAuth,
    BearerAuth,
    BinaryBody,
    FormBody,
    GraphqlBody,
    JsonBody,
    MultipartBody,
    MultipartPart,
    Pair,
    RawBody,
    RequestDefinition,
)
from hub.http_builder.rendering import FileContent, Values, prepare

PAIRS = [
    ("a", "1"),
    ("a", "2"),
    ("sp ace", "v al"),
    ("unicode-é", "漢字 😀"),
    ("reserved", ":/?#[]@!$&'()*+,;="),
    ("percent", "50%25"),
    ("empty", ""),
    ("quote\"'", "<>`{}|\\^~-._"),
]
ROWS = tuple(Pair(name=name, value=value) for name, value in PAIRS)


def ours(**parts: Any) -> Any:
    return prepare(RequestDefinition(**{"url": "https://api.example.com/p", **parts}), Values(), files=FILES).wire


def theirs(method: str = "GET", url: str = "https://api.example.com/p", **parts: Any) -> requests.PreparedRequest:
    return requests.Request(method, url, **parts).prepare()


FILES = {"1": FileContent("café.txt", "text/plain", b"\x00binary\r\n\xff"), "2": FileContent('a"b\n.bin', "image/png", b"png")}


@pytest.mark.parametrize(
    "url",
    [
        "https://api.example.com/p",
        "https://api.example.com",
        "https://api.example.com/p?own=1&x=%20y%2F",
        "https://api.example.com:8443/p/%7Euser/a b/é?q=a b&é=1",
        "http://api.example.com/?",
    ],
)
def test_params_and_url(url: str) -> None:
    prepared = theirs(url=url, params=PAIRS).url
    assert prepared is not None
    # requests writes ~ for %7E; what a person wrote stays here as it is.
    assert ours(url=url, params=ROWS).url.replace("%7E", "~") == prepared


def test_form() -> None:
    prepared = theirs("POST", data=PAIRS)
    wire = ours(method="POST", body=FormBody(fields=ROWS))
    assert wire.body.decode() == prepared.body
    assert dict(wire.headers)["Content-Type"] == prepared.headers["Content-Type"]


def test_multipart() -> None:
    boundary = "0123456789abcdef"
    parts = (
        MultipartPart(name="text-é", value="värde\r\n2"),
        MultipartPart(name="typed", value="{}", content_type="application/json"),
        MultipartPart(name="file", is_file=True, file_id="1"),
        MultipartPart(name="image", is_file=True, file_id="2", file_name="other.png", content_type="image/x-png"),
    )
    media_type = f"multipart/form-data; boundary={boundary}"
    wire = ours(method="POST", headers=(Pair(name="content-type", value=media_type),), body=MultipartBody(parts=parts))
    prepared = theirs(
        "POST",
        files=[
            ("text-é", (None, "värde\r\n2")),
            ("typed", (None, "{}", "application/json")),
            ("file", ("café.txt", io.BytesIO(FILES["1"].content), "text/plain")),
            ("image", ("other.png", io.BytesIO(b"png"), "image/x-png")),
        ],
    )
    assert isinstance(prepared.body, bytes)
    drawn = prepared.headers["Content-Type"].rpartition("=")[2]
    assert wire.body == prepared.body.replace(drawn.encode(), boundary.encode())
    assert [value for name, value in wire.headers if name.lower() == "content-type"] == [media_type]


def test_json() -> None:
    value = {"a": [1, 2.5, None, True], "é": '"\\/'}
    prepared = theirs("POST", json=value)
    wire = ours(method="POST", body=JsonBody(text=json.dumps(value)))
    assert wire.body == prepared.body
    assert dict(wire.headers)["Content-Type"] == prepared.headers["Content-Type"]


def test_basic() -> None:
    prepared = theirs(auth=("user", "pass: word"))
    wire = ours(auth=BasicAuth(username="user", password="pass: word"))
    assert dict(wire.headers)["Authorization"] == prepared.headers["Authorization"]
    assert dict(ours(auth=BasicAuth(username="é", password="")).headers)["Authorization"] == "Basic w6k6"


def test_bearer() -> None:
    assert dict(ours(auth=BearerAuth(token="abc")).headers)["Authorization"] == "Bearer abc"
    assert dict(ours(auth=BearerAuth(token="abc", prefix="Bot")).headers)["Authorization"] == "Bot abc"
    assert dict(ours(auth=BearerAuth(token="abc", prefix="")).headers)["Authorization"] == "abc"


def test_raw_and_binary() -> None:
    assert ours(method="PUT", body=RawBody(text="héllo\n")).body == theirs("PUT", data="héllo\n".encode()).body
    wire = ours(method="PUT", body=BinaryBody(file_id="1", content_type="image/gif"))
    assert (wire.body, dict(wire.headers)["Content-Type"]) == (FILES["1"].content, "image/gif")


def test_graphql() -> None:
    body = GraphqlBody(query="query Q($a: Int) { a(a: $a) }", variables='{"a": 1}', operation_name="Q")
    value = {"query": "query Q($a: Int) { a(a: $a) }", "variables": {"a": 1}, "operationName": "Q"}
    assert ours(method="POST", body=body).body == theirs("POST", json=value).body
    assert json.loads(ours(method="POST", body=GraphqlBody(query="{ a }")).body) == {"query": "{ a }"}
