"""HAR recordings of browsers: every request once, without what browsers and protocols add."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from hub.contracts.http import (
    Body,
    FormBody,
    JsonBody,
    MultipartBody,
    MultipartPart,
    NoBody,
    Pair,
    RawBody,
    RequestDefinition,
    XmlBody,
)
from hub.http_builder.importing.documents import read_json
from hub.http_builder.importing.drafts import Drafts, method_of
from hub.http_builder.importing.results import ImportRefused, ImportResult
from hub.http_builder.importing.values import mapping, mappings, split_url, text

_LOOKS = re.compile(r'^\s*\{\s*"log"\s*:\s*\{')
#: Set by the client for each connection, or by browsers about themselves.
_DROPPED = frozenset(
    (
        "host",
        "connection",
        "content-length",
        "transfer-encoding",
        "accept-encoding",
        "keep-alive",
        "te",
        "upgrade",
        "proxy-connection",
        "upgrade-insecure-requests",
        "priority",
        "dnt",
        "if-none-match",
        "if-modified-since",
        "pragma",
        "cache-control",
    )
)
#: What a page loads beside the calls that it makes (Chrome's ``_resourceType``).
_ASSETS = frozenset(("stylesheet", "script", "image", "font", "media", "manifest", "texttrack", "ping", "preflight", "websocket"))


def recognises(text: str) -> bool:
    """Whether the text looks like a HAR file."""
    return bool(_LOOKS.match(text[:2_000]))


def read(text: str) -> ImportResult:
    """The requests of a recording; equal ones once, in the order of their first. Raises ``ImportRefused``."""
    log = mapping(mapping(read_json(text)).get("log"))
    if not isinstance(log.get("entries"), list):
        raise ImportRefused("not-har")
    drafts = Drafts("har", "", version=log.get("version"))
    seen: set[RequestDefinition] = set()
    assets = 0
    for entry in mappings(log["entries"]):
        if entry.get("_resourceType") in _ASSETS:
            assets += 1
            continue
        definition = _read_request(mapping(entry.get("request")), drafts)
        if definition is None or definition in seen:
            continue
        seen.add(definition)
        parts = urlsplit(definition.url)
        drafts.add(None, f"{definition.method} {parts.path or '/'}", definition, folders=(parts.netloc.rpartition("@")[2],))
    if assets:
        drafts.note("assets", count=assets)
    return drafts.result()


def _read_request(request: dict[str, Any], drafts: Drafts) -> RequestDefinition | None:
    url, method = text(request.get("url")), method_of(request.get("method"))
    if method is None or not url.lower().startswith(("http://", "https://")):
        drafts.note("unknown-method", method=text(request.get("method"), 20), path=url[:200])
        return None
    base, params = split_url(url)
    try:
        urlsplit(base)
    except ValueError:
        drafts.note("bad-url", url=base[:200])
        return None
    headers = tuple(_row(row) for row in mappings(request.get("headers")) if _is_kept(text(row.get("name"))))
    if not any(row.name.lower() == "cookie" for row in headers):
        cookies = "; ".join(f"{text(row.get('name'))}={text(row.get('value'))}" for row in mappings(request.get("cookies")))
        headers = (*headers, Pair(name="Cookie", value=cookies)) if cookies else headers
    body = _read_body(mapping(request.get("postData")))
    if not isinstance(body, NoBody | RawBody):
        headers = tuple(row for row in headers if row.name.lower() != "content-type" or _says_more(row.value, body))
    return RequestDefinition(method=method, url=base, params=tuple(params), headers=headers, body=body)


def _row(row: dict[str, Any]) -> Pair:
    return Pair(name=text(row.get("name")), value=text(row.get("value")))


def _is_kept(name: str) -> bool:
    lower = name.lower()
    return bool(name) and not name.startswith(":") and lower not in _DROPPED and not lower.startswith("sec-")


def _says_more(written: str, body: Body) -> bool:
    """Whether the header says something that the kind of body does not."""
    own = {"json": "application/json", "xml": "application/xml"}.get(body.kind)
    return own is not None and written.strip().lower() != own


def _read_body(data: dict[str, Any]) -> Body:
    words = text(data.get("text"))
    written = text(data.get("mimeType"), 200)
    kind = written.partition(";")[0].strip().lower()
    params = mappings(data.get("params"))
    if not words and not params:
        return NoBody()
    if kind == "application/x-www-form-urlencoded":
        return FormBody(fields=tuple(split_url(f"?{words}")[1] if words else [_row(row) for row in params]))
    if kind == "multipart/form-data" and params:
        return MultipartBody(parts=tuple(_part(row) for row in params))
    if kind.endswith(("/json", "+json")):
        return JsonBody(text=words)
    if kind.endswith(("/xml", "+xml")):
        return XmlBody(text=words)
    return RawBody(text=words, content_type=written or "text/plain")


def _part(row: dict[str, Any]) -> MultipartPart:
    file_name = text(row.get("fileName"), 255) or None
    return MultipartPart(
        name=text(row.get("name")),
        value="" if file_name else text(row.get("value")),
        is_file=file_name is not None,
        file_name=file_name,
        content_type=text(row.get("contentType"), 200) or None,
    )
