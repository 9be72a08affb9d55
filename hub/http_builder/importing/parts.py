"""Parts of a request out of their texts, so that what the hub sends is byte for byte what the text says."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import quote, quote_plus, unquote_plus

from hub.contracts.http import PLACEHOLDER, Body, FormBody, JsonBody, Pair, RawBody, XmlBody

FORM = "application/x-www-form-urlencoded"
_MAX_ROWS = 200
#: What a URL may hold as it is; the hub encodes everything else before it sends.
_OF_URLS = "!$&'()*+,;=:@-._~/?%{}"
#: What is no name of a field but the beginning of JSON or XML.
_FIELD_NAME = re.compile(r'[^\s"<{]+')
_STRAY_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")


def split_query(url: str) -> tuple[str, tuple[Pair, ...]]:
    """The URL without its query, and that as rows; the URL as it is where the hub would write another query out of them."""
    head, mark, query = url.partition("?")
    rows = _rows_of(query, _tidy) if mark else None
    return (head, rows) if rows else (url, ())


def split_form(text: str) -> tuple[Pair, ...] | None:
    """The fields of an encoded form; None where the hub would write another text out of them."""
    return _rows_of(text, str) if text else ()


def encode_text(text: str) -> str:
    """The text as it stands in a query or a form, a space as ``+``; placeholders stay."""
    pieces, position = [], 0
    for found in PLACEHOLDER.finditer(text):
        pieces += [quote_plus(text[position : found.start()], errors="replace"), found.group()]
        position = found.end()
    return "".join([*pieces, quote_plus(text[position:], errors="replace")])


def read_body(text: str, content_type: str) -> tuple[Body, bool]:
    """The body that a text of this content type is, and whether the hub adds just this content type to it by itself."""
    media_type = content_type.partition(";")[0].strip().lower()
    if text.strip() and (media_type == "application/json" or media_type.endswith("+json")):
        return JsonBody(text=text), content_type == "application/json"
    if media_type == FORM:
        fields = split_form(text)
        if fields is not None:
            return FormBody(fields=fields), content_type == FORM
        fields = _rows_as_written(text)
        if fields is not None:
            return FormBody(fields=fields, as_written=True), content_type == FORM
    if text and (media_type in ("application/xml", "text/xml") or media_type.endswith("+xml")):
        return XmlBody(text=text), content_type == "application/xml"
    return RawBody(text=text, content_type=content_type), True


def _rows_of(query: str, as_sent: Callable[[str], str]) -> tuple[Pair, ...] | None:
    rows = []
    parts = query.split("&", _MAX_ROWS)
    if len(parts) > _MAX_ROWS:
        return None
    for part in parts:
        name, equals, value = part.partition("=")
        try:
            row = Pair(name=unquote_plus(name, errors="strict"), value=unquote_plus(value, errors="strict"))
        except UnicodeDecodeError:
            return None
        same = f"{encode_text(row.name)}={encode_text(row.value)}" == as_sent(part)
        if not equals or not same or not (row.name or row.value) or row.value.startswith("="):
            return None
        rows.append(row)
    return tuple(rows)


def _rows_as_written(text: str) -> tuple[Pair, ...] | None:
    """Fields that are sent letter for letter; None for text that is no fields, such as JSON that is sent as a form."""
    parts = [part.partition("=") for part in text.split("&", _MAX_ROWS)]
    if len(parts) > _MAX_ROWS:
        return None
    if any(not _FIELD_NAME.fullmatch(name) or not equals or value.startswith("=") for name, equals, value in parts):
        return None
    return tuple(Pair(name=name, value=value) for name, _equals, value in parts)


def _tidy(text: str) -> str:
    return quote(_STRAY_PERCENT.sub("%25", text), safe=_OF_URLS, errors="replace")
