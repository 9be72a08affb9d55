"""The body's part of the builder's form, and JSON text that may hold placeholders where JSON allows none."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hub.contracts.http import (
    BinaryBody,
    Body,
    FormBody,
    GraphqlBody,
    JsonBody,
    MultipartBody,
    Pair,
    RawBody,
    XmlBody,
)

#: Fields of the form that hold JSON.
JSON_FIELDS = ("body.json", "body.graphql.variables")
_PIECE = re.compile(r'"(?:[^"\\]|\\.)*"|\{\{.*?\}\}|[{}\[\]:,]|[^\s{}\[\]:,"]+', re.DOTALL)


@dataclass(frozen=True, slots=True)
class JsonProblem:
    """Where JSON text is wrong; both numbers count from 1."""

    line: int
    column: int
    reason: str


def show_body(body: Body) -> dict[str, str]:
    """The fields of the form for a body; tables apart."""
    values: dict[str, str] = {"body_kind": body.kind}
    if isinstance(body, JsonBody | RawBody | XmlBody):
        values[f"body.{body.kind}"] = body.text
    if isinstance(body, RawBody):
        values["body.raw.content_type"] = body.content_type
    if isinstance(body, FormBody) and body.as_written:
        values["body.form.as_written"] = "on"
    if isinstance(body, GraphqlBody):
        values["body.graphql"] = body.query
        values["body.graphql.variables"] = body.variables
        values["body.graphql.operation_name"] = body.operation_name or ""
    if isinstance(body, BinaryBody):
        values["body.binary.file_id"] = body.file_id or ""
        values["body.binary.file_name"] = body.file_name or ""
        values["body.binary.content_type"] = body.content_type
    return values


def body_rows(body: Body, table: str) -> Sequence[Pair]:
    """The rows of the form's table ``form`` or ``multipart`` for a body."""
    if table == "form":
        return body.fields if isinstance(body, FormBody) else ()
    return body.parts if isinstance(body, MultipartBody) else ()


def read_body(values: Mapping[str, str], rows: Mapping[str, Sequence[Mapping[str, str]]]) -> dict[str, Any]:
    """The chosen kind of body as data for the contract."""
    kind = values.get("body_kind") or "none"
    if kind == "form":
        as_written = "body.form.as_written" in values
        return {"kind": kind, "fields": [_field(row) for row in rows["form"]], "as_written": as_written}
    if kind == "multipart":
        return {"kind": kind, "parts": [_part(row) for row in rows["multipart"]]}
    if kind == "graphql":
        operation = values.get("body.graphql.operation_name", "").strip() or None
        texts = {"query": values.get("body.graphql", ""), "variables": values.get("body.graphql.variables", "")}
        return {"kind": kind, **texts, "operation_name": operation}
    if kind == "binary":
        return {
            "kind": kind,
            "file_id": values.get("body.binary.file_id") or None,
            "file_name": values.get("body.binary.file_name") or None,
            "content_type": values.get("body.binary.content_type", "").strip() or "application/octet-stream",
        }
    if kind == "raw":
        content_type = values.get("body.raw.content_type", "").strip() or "text/plain"
        return {"kind": kind, "text": values.get("body.raw", ""), "content_type": content_type}
    return {"kind": kind} if kind == "none" else {"kind": kind, "text": values.get(f"body.{kind}", "")}


def find_json_problem(text: str) -> JsonProblem | None:
    """What keeps the text from being JSON, placeholders standing for any value; None for empty text and for an expression."""
    if not text.strip() or text.lstrip().startswith("="):
        return None
    sample = re.sub(r"\{\{.*?\}\}", lambda found: "1" * len(found[0]), text)
    try:
        json.loads(sample)
    except json.JSONDecodeError as error:
        return JsonProblem(error.lineno, error.colno, error.msg)
    except (ValueError, RecursionError):
        return JsonProblem(1, 1, "too long a number, or nested too deep")
    return None


def format_json(text: str) -> str:
    """JSON text indented by two; every number, text and placeholder stays as it is written. Text that is no JSON stays too."""
    if not text.strip() or text.lstrip().startswith("=") or find_json_problem(text):
        return text
    lines: list[str] = []
    depth, line, before = 0, "", ""
    for piece in _PIECE.findall(text):
        if piece in ("}", "]"):
            depth -= 1
            if before not in ("{", "["):
                lines.append(line)
                line = "  " * depth
            line += piece
        else:
            if before in ("{", "[", ","):
                lines.append(line)
                line = "  " * depth
            line += ": " if piece == ":" else piece
            depth += piece in ("{", "[")
        before = piece
    return "\n".join([*lines, line])


def _field(row: Mapping[str, str]) -> dict[str, Any]:
    return {
        "name": row.get("name", "").strip(),
        "value": row.get("value", ""),
        "enabled": "enabled" in row,
        "description": row.get("description") or None,
    }


def _part(row: Mapping[str, str]) -> dict[str, Any]:
    texts = {name: row.get(name) or None for name in ("file_id", "file_name", "content_type")}
    return {**_field(row), **texts, "is_file": "is_file" in row}
