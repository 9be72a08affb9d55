"""Bodies of a request as bytes."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Callable, Mapping
from urllib.parse import quote_plus, urlencode
from xml.sax.saxutils import escape

from urllib3 import encode_multipart_formdata  # nosemgrep: network-outside-the-guard (writes a format)
from urllib3.fields import RequestField  # nosemgrep: network-outside-the-guard

from hub.contracts.http import (
    BinaryBody,
    Body,
    FormBody,
    GraphqlBody,
    JsonBody,
    MultipartBody,
    MultipartPart,
    RawBody,
    XmlBody,
)
from hub.http_builder.rendering.headers import Headers, has_header
from hub.http_builder.rendering.json_texts import render_graphql, render_json
from hub.http_builder.rendering.renderer import Renderer
from hub.http_builder.rendering.values import FileContent

_CDATA = re.compile(r"<!\[CDATA\[|\]\]>")
_LINE_BREAK = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


def render_body(renderer: Renderer, body: Body, files: Mapping[str, FileContent], headers: Headers) -> bytes | None:
    """The body's bytes, None where there is none. Its content type is added to ``headers`` unless the person wrote one."""
    content: bytes | None = None
    media_type = ""
    match body:
        case JsonBody():
            content, media_type = _json(renderer, body.text), "application/json"
        case GraphqlBody():
            content, media_type = _graphql(renderer, body), "application/json"
        case FormBody():
            content, media_type = _form(renderer, body), "application/x-www-form-urlencoded"
        case MultipartBody():
            return _multipart(renderer, body, files, headers)
        case RawBody():
            content = _encode(renderer.text(body.text, "body.text"))
            media_type = renderer.text(body.content_type, "body.content_type")
        case XmlBody():
            content, media_type = _encode(_xml(renderer, body.text)), "application/xml"
        case BinaryBody():
            content = _file(renderer, body.file_id, files, "body.file_id")
            media_type = renderer.text(body.content_type, "body.content_type")
    if content is not None and media_type.strip() and not has_header(headers, "Content-Type"):
        if _LINE_BREAK.search(media_type):
            renderer.refuse("body.content_type", "header-line-break", name="Content-Type")
        else:
            headers.append(("Content-Type", media_type.strip()))
    return content


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "replace")


def _json(renderer: Renderer, template: str) -> bytes | None:
    """JSON as it is written. What is no JSON is sent too, with a note: some servers are tested with it."""
    if not template.strip():
        return None
    text, fault = render_json(renderer, template, "body.text")
    if fault:
        renderer.note("json-invalid", line=fault.line, column=fault.column, reason=fault.reason)
    return _encode(text)


def _graphql(renderer: Renderer, body: GraphqlBody) -> bytes:
    fields = [f'"query": {json.dumps(render_graphql(renderer, body.query, "body.query"), ensure_ascii=False)}']
    if body.variables.strip():
        variables, fault = render_json(renderer, body.variables, "body.variables")
        if fault:
            renderer.refuse("body.variables", "json-invalid", line=fault.line, column=fault.column, reason=fault.reason)
        elif not variables.strip().startswith("{"):
            renderer.refuse("body.variables", "json-no-object")
        fields.append(f'"variables": {variables.strip()}')
    name = renderer.text(body.operation_name or "", "body.operation_name").strip()
    if name:
        fields.append(f'"operationName": {json.dumps(name, ensure_ascii=False)}')
    return _encode("{" + ", ".join(fields) + "}")


def _form(renderer: Renderer, body: FormBody) -> bytes:
    encode = quote_plus if body.as_written else str
    pairs = []
    for index, row in enumerate(body.fields):
        if row.enabled and (row.name or row.value):
            place = f"body.fields.{index}"
            name, value = renderer.text(row.name, f"{place}.name", encode), renderer.text(row.value, f"{place}.value", encode)
            pairs.append((name, value))
    if body.as_written:
        return _encode("&".join(f"{name}={value}" for name, value in pairs))
    return urlencode(pairs, errors="replace").encode("ascii")


def _xml(renderer: Renderer, template: str) -> str:
    """XML in which a value is text: it cannot open an element or end an attribute, nor in a CDATA section end that."""
    out, in_cdata = [], False
    for piece in renderer.pieces(template, "body.text"):
        if piece.value is None:
            for mark in _CDATA.findall(piece.text):
                in_cdata = mark != "]]>"
            out.append(piece.text)
        elif in_cdata:
            out.append(piece.text.replace("]]>", "]]]]><![CDATA[>"))
        else:
            out.append(escape(piece.text, {'"': "&quot;", "'": "&apos;"}))
    return "".join(out)


def _file(renderer: Renderer, file_id: str | None, files: Mapping[str, FileContent], place: str) -> bytes | None:
    if not file_id:
        renderer.refuse(place, "file-not-chosen")
    elif file_id not in files:
        renderer.refuse(place, "file-missing")
    else:
        return files[file_id].content
    return None


def _multipart(renderer: Renderer, body: MultipartBody, files: Mapping[str, FileContent], headers: Headers) -> bytes:
    """RFC 7578: names and file names as UTF-8, quotes and line breaks in them percent-encoded as browsers do."""
    fields = [
        _part(renderer, part, f"body.parts.{index}", files)
        for index, part in enumerate(body.parts)
        if part.enabled and (part.name or part.value or part.is_file)
    ]
    boundary = _own_boundary(headers) or secrets.token_hex(16)
    content, media_type = encode_multipart_formdata(fields, boundary=boundary)
    for index, (name, value) in enumerate(headers):
        if name.lower() == "content-type" and value.lower().startswith("multipart/") and "boundary=" not in value.lower():
            headers[index] = (name, f"{value}; boundary={boundary}")
    if not has_header(headers, "Content-Type"):
        headers.append(("Content-Type", media_type))
    return content


def _own_boundary(headers: Headers) -> str | None:
    """The boundary that the person wrote in a content type; one that is not fit for a line of the body counts as none."""
    for name, value in headers:
        if name.lower() == "content-type":
            found = re.search(r"boundary=\"?([0-9A-Za-z'()+_,./:=?-]{1,70})", value, re.IGNORECASE)
            return found.group(1) if found else None
    return None


def _part(renderer: Renderer, part: MultipartPart, place: str, files: Mapping[str, FileContent]) -> RequestField:
    def text(template: str | None, field: str, clean: Callable[[str], str] = str) -> str:
        return renderer.text(template or "", f"{place}.{field}", clean)

    name = text(part.name, "name")
    media_type: str | None = text(part.content_type, "content_type").strip() or None
    if media_type and _LINE_BREAK.search(media_type):
        renderer.refuse(f"{place}.content_type", "header-line-break", name="Content-Type")
        media_type = None
    file_name = None
    if part.is_file:
        content = _file(renderer, part.file_id, files, f"{place}.file_id") or b""
        file = files.get(part.file_id or "")
        file_name = text(part.file_name, "file_name") or (file.name if file else "file")
        media_type = media_type or (file.media_type if file else None) or "application/octet-stream"
    else:
        content = _encode(text(part.value, "value"))
    field = RequestField(name.replace("\0", "%00"), content, filename=file_name.replace("\0", "%00") if file_name else None)
    field.make_multipart(content_type=media_type)
    return field
