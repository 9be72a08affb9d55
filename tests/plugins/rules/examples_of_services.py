"""Failures and near misses of the rules over refused formats, addresses, locks and page links."""

from __future__ import annotations

from typing import Any

from hub.plugin_api import Evidence
from tests.plugins.rules.examples import URL, Hit, Miss
from tests.plugins.rules.failures import http, pairs

NEXT = ("parameters", "options", "pagination", "pagination", "nextURL")


def not_acceptable(body: Any, **headers: str) -> Evidence:
    return http((406, body), sendHeaders=True, headerParameters=pairs(**headers))


def too_long(message: str, **more: Any) -> Evidence:
    return http((414, {"message": message}), sendQuery=True, queryParameters=pairs(text="={{ $json.text }}"), **more)


def segment(value: str, name: str = "part", **more: Any) -> Evidence:
    url = f"=https://api.example/parts/{{{{ $json.{name} }}}}/stock"
    return http((404, {"message": "no route"}), url=url, items=[{name: value}], **more)


def missing(url: str) -> Evidence:
    return http((404, {"message": "no route"}), url=url, items=[{"id": 7}])


def next_page(link: str, text: str = "={{ $response.body.next }}", url: str = "https://api.example/v1/rooms") -> Evidence:
    paging = {"pagination": {"pagination": {"paginationMode": "responseContainsNextURL", "nextURL": text}}}
    return http(None, f"'{link}' is not a valid URL.", url=url, options=paging)


HITS = (
    Hit(
        "http-not-acceptable",
        lambda: not_acceptable({"acceptable": ["application/json"]}, Accept="application/xml"),
        ("parameters", "headerParameters", "parameters", 0, "value"),
        "application/json",
    ),
    Hit(
        "http-not-acceptable",
        lambda: not_acceptable({"message": "Only text/csv is produced here"}, **{"X-Branch": "1", "accept": "application/json"}),
        ("parameters", "headerParameters", "parameters", 1, "value"),
        "text/csv",
    ),
    Hit("http-not-acceptable", lambda: not_acceptable({"message": "Not acceptable"}, Accept="application/xml")),
    Hit("http-not-acceptable", lambda: not_acceptable({"message": "text/csv or application/pdf"}, Accept="application/xml")),
    Hit("http-address-too-long", lambda: too_long("Use POST with a JSON body"), ("parameters", "method"), "POST"),
    Hit(
        "http-address-too-long",
        lambda: too_long("Please send POST for long texts"),
        ("parameters", "bodyParameters"),
        pairs(text="={{ $json.text }}"),
    ),
    Hit("http-address-too-long", lambda: too_long("Request-URI too long")),
    Hit("http-address-too-long", lambda: too_long("Use POST with an urlencoded form")),
    Hit(
        "http-unencoded-segment",
        lambda: segment("AB/12"),
        URL,
        "=https://api.example/parts/{{ encodeURIComponent($json.part) }}/stock",
    ),
    Hit(
        "http-unencoded-segment",
        lambda: segment("what? now", "title"),
        URL,
        "=https://api.example/parts/{{ encodeURIComponent($json.title) }}/stock",
    ),
    Hit("http-double-slash", lambda: missing("https://api.example/v1//rooms"), URL, "https://api.example/v1/rooms"),
    Hit(
        "http-double-slash",
        lambda: missing("=https://api.example//rooms/{{ $json.id }}?next=a//b"),
        URL,
        "=https://api.example/rooms/{{ $json.id }}?next=a//b",
    ),
    Hit("http-busy", lambda: http((423, {"message": "The index is being rebuilt"})), ("retryOnFail",), True),
    Hit("http-busy", lambda: http((425, {"message": "Not ready, try again in 2 seconds"})), ("waitBetweenTries",), 2600),
    Hit("http-busy", lambda: http((423, {"message": "Import in progress"}), method="POST", url="https://api.example/orders")),
    Hit("http-busy", lambda: http((423, {"message": "Try again in 2 hours"}))),
    Hit("http-locked", lambda: http((423, {"message": "The document is locked by Lina"}))),
    Hit(
        "paging-relative-link",
        lambda: next_page("/v1/rooms?cursor=c2"),
        NEXT,
        "={{ 'https://api.example' + $response.body.next }}",
    ),
    Hit(
        "paging-relative-link",
        lambda: next_page("?page=2", "={{ $response.body.links.next }}"),
        NEXT,
        "={{ 'https://api.example/v1/rooms' + $response.body.links.next }}",
    ),
    Hit("paging-relative-link", lambda: next_page("c2")),
    Hit("paging-relative-link", lambda: next_page("/v1/rooms?cursor=c2", url="={{ $json.api }}/rooms")),
    Hit("paging-relative-link", lambda: next_page("//other.example/rooms")),
)

MISSES = (
    Miss("http-not-acceptable", lambda: not_acceptable({"message": "Content-Type must be JSON"}, Accept="application/xml")),
    Miss("http-address-too-long", lambda: http((413, {"message": "Use POST for long texts"}))),
    Miss("http-unencoded-segment", lambda: segment("C7")),
    Miss("http-unencoded-segment", lambda: segment("docs/v2", "path")),
    Miss("http-unencoded-segment", lambda: segment("docs/readme")),
    Miss(
        "http-unencoded-segment",
        lambda: http((404, {"message": "no"}), url="={{ $json.a }}", items=[{"a": "https://x.example/1"}]),
    ),
    Miss("http-double-slash", lambda: missing("https://api.example/v1/rooms?at=//x")),
    Miss("http-double-slash", lambda: missing("https://archive.example/web/https://x.example//a")),
    Miss("http-busy", lambda: http((423, {"message": "Account locked"}))),
    Miss("http-busy", lambda: http((409, {"message": "Already in progress"}))),
    Miss("http-locked", lambda: http((403, {"message": "The document is locked"}))),
    Miss("paging-relative-link", lambda: http(None, "'/rooms' is not a valid URL.", url="/rooms")),
)
