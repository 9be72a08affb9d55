"""Bodies of requests in the parameters of n8n's HTTP Request node (from version 4 on), and back."""

from __future__ import annotations

import json
import re
from typing import Any, Protocol
from urllib.parse import parse_qsl

from hub.contracts.http import (
    BinaryBody,
    Body,
    FormBody,
    GraphqlBody,
    JsonBody,
    MultipartBody,
    MultipartPart,
    NoBody,
    Note,
    Pair,
    RawBody,
    XmlBody,
)
from hub.http_builder.n8n.expressions import Form, encode_text, find_names, from_n8n, split_expression
from hub.http_builder.rendering.placeholders import is_expression

Json = dict[str, Any]
#: The field of an n8n item that holds a file, where nothing else is said.
FILE_FIELD = "data"
FORM_TYPE = "application/x-www-form-urlencoded"
_LARGEST_INTEGER = 2**53 - 1
_GRAPHQL_KEYS = {"query", "variables", "operationName"}
_GRAPHQL = re.compile(r"\s*(?:#[^\n]*\s*)*(?:\{|query\b|mutation\b|subscription\b|fragment\b)")


class TextWriter(Protocol):
    """Makes a text of a definition n8n's, and notes the variables in it."""

    def __call__(self, text: str, form: Form = "text") -> str: ...


def default_type(body: Body) -> str | None:
    """The content type that n8n sends with the body where no header names one; None where it depends."""
    match body:
        case JsonBody() | GraphqlBody():
            return "application/json"
        case FormBody():
            return FORM_TYPE
        case MultipartBody():
            return "multipart/form-data"
        case XmlBody():
            return "application/xml"
        case RawBody() | BinaryBody():
            return body.content_type
    return None


# --- To n8n ----------------------------------------------------------------------------------------------------------


def write_body(body: Body, content_type: str | None, text: TextWriter) -> tuple[Json, list[Note]]:
    """The node's parameters for a body; ``content_type`` is a header's, ``text`` makes a text n8n's."""
    match body:
        case NoBody():
            return {}, []
        case JsonBody():
            return _write_json(body.text, content_type, text), []
        case GraphqlBody():
            return _write_json(graphql_text(body), content_type, text), []
        case FormBody():
            return _write_form([row for row in body.decoded().fields if row.enabled], text)
        case MultipartBody():
            return _write_multipart([part for part in body.parts if part.enabled], text)
        case BinaryBody():
            field = _file_field(body.file_id, body.file_name)
            return {"contentType": "binaryData", "inputDataFieldName": field}, [_file_note(field)]
    return _raw(text(content_type or default_type(body) or ""), text(body.text)), []


def graphql_text(body: GraphqlBody) -> str:
    """The JSON that carries a GraphQL request."""
    parts = [f'"query": {json.dumps(body.query, ensure_ascii=False)}']
    if body.variables.strip():
        parts.append(f'"variables": {body.variables.strip()}')
    if body.operation_name:
        parts.append(f'"operationName": {json.dumps(body.operation_name, ensure_ascii=False)}')
    return "{" + ", ".join(parts) + "}"


def _raw(content_type: str, body: str) -> Json:
    return {"contentType": "raw", "rawContentType": content_type, "body": body}


def _write_json(source: str, content_type: str | None, text: TextWriter) -> Json:
    """As JSON where n8n sends the same value; what its JavaScript would change or refuse goes as raw text."""
    if is_expression(source) or find_names(source) or _survives(source):
        return {"specifyBody": "json", "jsonBody": text(source, "json")}
    return _raw(text(content_type or "application/json"), text(source))


def _survives(source: str) -> bool:
    """Whether the JSON is an object or list whose numbers and keys JavaScript keeps."""

    def unique(pairs: list[tuple[str, Any]]) -> Json:
        if len({key for key, _ in pairs}) < len(pairs):
            raise ValueError("a key is there twice")
        return dict(pairs)

    def small(digits: str) -> int:
        if abs(int(digits)) > _LARGEST_INTEGER:
            raise ValueError("too large for JavaScript")
        return int(digits)

    try:
        value = json.loads(source, object_pairs_hook=unique, parse_int=small)
    except (ValueError, RecursionError):
        return False
    return isinstance(value, dict | list)


def _write_form(rows: list[Pair], text: TextWriter) -> tuple[Json, list[Note]]:
    """Key and value pairs; as raw text where a name is there twice, which n8n's pairs can't hold."""
    names = [row.name for row in rows]
    if len(set(names)) == len(names) or any(is_expression(row.name) or is_expression(row.value) for row in rows):
        pairs = [{"name": text(row.name), "value": text(row.value)} for row in rows]
        twice = sorted({name for name in names if names.count(name) > 1})
        notes = [Note(code="n8n-duplicate-field", details={"name": name}) for name in twice]
        return {"contentType": "form-urlencoded", "bodyParameters": {"parameters": pairs}}, notes
    encoded = "&".join(f"{encode_text(row.name)}={encode_text(row.value)}" for row in rows)
    return _raw(FORM_TYPE, text(encoded, "encoded")), []


def _write_multipart(parts: list[MultipartPart], text: TextWriter) -> tuple[Json, list[Note]]:
    rows: list[Json] = []
    notes: list[Note] = []
    for part in parts:
        if part.is_file:
            field = _file_field(part.file_id, part.file_name)
            rows.append({"parameterType": "formBinaryData", "name": text(part.name), "inputDataFieldName": field})
            notes.append(_file_note(field))
        else:
            rows.append({"name": text(part.name), "value": text(part.value)})
            if part.content_type:
                notes.append(Note(code="n8n-part-type", details={"name": part.name, "type": part.content_type}))
    return {"contentType": "multipart-form-data", "bodyParameters": {"parameters": rows}}, notes


def _file_field(file_id: str | None, file_name: str | None) -> str:
    """A file that is not chosen yet is named after the item's field that holds it: so it comes from n8n."""
    return file_name if file_name and not file_id else FILE_FIELD


def _file_note(field: str) -> Note:
    return Note(code="n8n-file-from-input", details={"field": field})


# --- From n8n --------------------------------------------------------------------------------------------------------


def read_body(parameters: Json) -> Body:
    """The body that the parameters (of version 4) describe."""
    if parameters.get("sendBody") is not True:
        return NoBody()
    kind = parameters.get("contentType", "json")
    specify = parameters.get("specifyBody", "keypair")
    if kind == "json" and specify == "json":
        return _read_json(from_n8n(as_text(parameters.get("jsonBody"))))
    if kind == "json":
        return _read_json(_json_of_pairs(read_rows(parameters.get("bodyParameters"))))
    if kind == "form-urlencoded":
        if specify == "string":
            return _read_form(from_n8n(as_text(parameters.get("body"))))
        return FormBody(fields=tuple(read_pairs(parameters.get("bodyParameters"))))
    if kind == "multipart-form-data":
        return MultipartBody(parts=tuple(_read_part(row) for row in read_rows(parameters.get("bodyParameters"))))
    if kind == "binaryData":
        return BinaryBody(file_name=as_text(parameters.get("inputDataFieldName")) or FILE_FIELD)
    return _read_raw(from_n8n(as_text(parameters.get("rawContentType"))), from_n8n(as_text(parameters.get("body"))))


def read_rows(collection: object) -> list[Json]:
    """The rows of a collection of key and value pairs, the empty ones left out."""
    rows = collection.get("parameters") if isinstance(collection, dict) else None
    return [row for row in rows or () if isinstance(row, dict) and row.get("name") not in (None, "")]


def read_pairs(collection: object) -> list[Pair]:
    """The rows as pairs."""
    return [Pair(name=from_n8n(as_text(row["name"])), value=from_n8n(as_text(row.get("value")))) for row in read_rows(collection)]


def as_text(value: Any) -> str:
    """A parameter's value as text: n8n keeps some as numbers or objects."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _read_json(text: str) -> Body:
    """GraphQL where it looks like it, JSON otherwise."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return JsonBody(text=text)
    if isinstance(value, dict) and "query" in value and set(value) <= _GRAPHQL_KEYS:
        query, variables, operation = value["query"], value.get("variables"), value.get("operationName")
        if isinstance(query, str) and _GRAPHQL.match(query) and isinstance(operation, str | None) and operation != "":
            shown = json.dumps(variables, ensure_ascii=False, indent=2) if "variables" in value else ""
            return GraphqlBody(query=query, variables=shown, operation_name=operation)
    return JsonBody(text=text)


def _json_of_pairs(rows: list[Json]) -> str:
    """The JSON that n8n makes of pairs: a dot in a name leads into an object, texts stay texts."""
    values: Json = {}
    computed: dict[str, str] = {}
    for row in rows:
        name, value = from_n8n(as_text(row["name"])), row.get("value")
        shown = from_n8n(value) if isinstance(value, str) else value
        if isinstance(shown, str) and is_expression(shown):
            mark = f"\0{len(computed)}\0"
            computed[json.dumps(mark)] = _computed_json(shown)
            shown = mark
        _put(values, name, shown)
    text = json.dumps(values, ensure_ascii=False, indent=2)
    for mark, code in computed.items():
        text = text.replace(mark, code)
    return f"={text}" if computed else text


def _put(values: Json, name: str, value: Any) -> None:
    steps = name.split(".") if re.fullmatch(r"[\w$-]+(\.[\w$-]+)+", name) else [name]
    holder = values
    for step in steps[:-1]:
        inner = holder.setdefault(step, {})
        if not isinstance(inner, dict):
            holder[step] = inner = {}
        holder = inner
    holder[steps[-1]] = value


def _computed_json(expression: str) -> str:
    """Code that gives the JSON of what an expression gives."""
    parts = [(is_code, text) for is_code, text in split_expression(expression[1:]) if is_code or text]
    if len(parts) == 1:
        return f"{{{{ JSON.stringify({parts[0][1].strip()} ?? null) }}}}"
    pieces = [text.strip() if is_code else json.dumps(text, ensure_ascii=False) for is_code, text in parts]
    return f"{{{{ JSON.stringify([{', '.join(pieces)}].join('')) }}}}"


def _read_part(row: Json) -> MultipartPart:
    name = from_n8n(as_text(row["name"]))
    if row.get("parameterType") == "formBinaryData":
        return MultipartPart(name=name, is_file=True, file_name=as_text(row.get("inputDataFieldName")) or FILE_FIELD)
    return MultipartPart(name=name, value=from_n8n(as_text(row.get("value"))))


def _read_form(text: str) -> Body:
    """Pairs where the text is a form as it stands, raw text where n8n computes it."""
    if is_expression(text):
        return RawBody(text=text, content_type=FORM_TYPE)
    return FormBody(fields=tuple(Pair(name=name, value=value) for name, value in parse_qsl(text, keep_blank_values=True)))


def _read_raw(content_type: str, text: str) -> Body:
    if content_type == "application/json":
        return JsonBody(text=text)
    if content_type == "application/xml":
        return XmlBody(text=text)
    if content_type == FORM_TYPE:
        return _read_form(text)
    return RawBody(text=text, content_type=content_type)
