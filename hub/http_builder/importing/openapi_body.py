"""The body of an OpenAPI operation: from its example, or from a sample of its schema."""

from __future__ import annotations

import json
from typing import Any

from hub.contracts.http import (
    BinaryBody,
    Body,
    FormBody,
    JsonBody,
    MultipartBody,
    MultipartPart,
    NoBody,
    Note,
    Pair,
    RawBody,
    XmlBody,
)
from hub.http_builder.importing.references import References
from hub.http_builder.importing.samples import Sampler, kind_of
from hub.http_builder.importing.values import description, mapping, text
from hub.http_builder.importing.xml_samples import write_xml

MAX_BODY = 100_000
_FORM = "application/x-www-form-urlencoded"
_MULTIPART = "multipart/form-data"


class Bodies:
    """Makes the bodies of one document's operations."""

    def __init__(self, references: References, sampler: Sampler) -> None:
        self._references = references
        self._sampler = sampler

    def make(self, request_body: Any) -> tuple[Body, list[Pair], list[Note]]:
        """The body, the header that its content type needs, and notes."""
        content = mapping(self._references.resolve(request_body).get("content"))
        if not content:
            return NoBody(), [], []
        written = min(content, key=_rank)
        media = self._references.resolve(content[written])
        kind = written.partition(";")[0].strip().lower()
        schema = media.get("schema")
        if kind == _FORM:
            return FormBody(fields=tuple(self._fields(media, schema))), [], []
        if kind == _MULTIPART:
            return MultipartBody(parts=tuple(self._parts(media, schema))), [], []
        return self._text(written, kind, media)

    def _text(self, written: str, kind: str, media: dict[str, Any]) -> tuple[Body, list[Pair], list[Note]]:
        value = self._example(media)
        if value is None and "schema" in media:
            value = self._sampler.sample(media["schema"])
        header = [Pair(name="Content-Type", value=written[:200])]
        if is_json(kind) or kind == "*/*":
            body, notes = _bounded(_json_text(value))
            return JsonBody(text=body), header if kind not in ("application/json", "*/*") else [], notes
        if kind.endswith(("/xml", "+xml")):
            words = value if isinstance(value, str) else write_xml(self._sampler.merged(media.get("schema")), value)
            body, notes = _bounded(words)
            return XmlBody(text=body), header if kind != "application/xml" else [], notes
        if kind.startswith("text/") or (isinstance(value, str | dict | list) and _is_textual(kind)):
            body, notes = _bounded(text(value))
            return RawBody(text=body, content_type=written[:200]), [], notes
        return BinaryBody(content_type="application/octet-stream" if "*" in kind else written[:200]), [], []

    def _example(self, media: dict[str, Any]) -> Any:
        if media.get("example") is not None:
            return media["example"]
        for example in mapping(media.get("examples")).values():
            found = self._references.resolve(example)
            if found.get("value") is not None:
                return found["value"]
        return None

    def _properties(self, media: dict[str, Any], schema: Any) -> list[tuple[str, dict[str, Any], bool, Any]]:
        """Name, schema, whether it must be there, and value of each field."""
        merged = self._sampler.merged(schema)
        example = mapping(self._example(media)) or mapping(merged.get("example"))
        required = self._sampler.required(merged)
        fields = []
        for name, part in mapping(merged.get("properties")).items():
            plain = self._sampler.merged(part)
            if plain.get("readOnly") is True:
                continue
            value = example.get(name, self._sampler.given(part))
            fields.append((name, plain, name in required or name in example, value))
        return fields

    def _fields(self, media: dict[str, Any], schema: Any) -> list[Pair]:
        rows = []
        for name, part, needed, value in self._properties(media, schema):
            words = description(part.get("description"), 1000)
            rows += [Pair(name=key, value=word, enabled=needed, description=words) for key, word in _flat(name, value)]
        return rows

    def _parts(self, media: dict[str, Any], schema: Any) -> list[MultipartPart]:
        encoding = mapping(media.get("encoding"))
        rows = []
        for name, part, needed, value in self._properties(media, schema):
            rows.append(
                MultipartPart(
                    name=name,
                    value="" if self._is_file(part) else text(value, MAX_BODY),
                    enabled=needed,
                    description=description(part.get("description"), 1000),
                    is_file=self._is_file(part),
                    content_type=text(mapping(encoding.get(name)).get("contentType"), 200) or None,
                )
            )
        return rows

    def _is_file(self, schema: dict[str, Any]) -> bool:
        if kind_of(schema) == "array":
            schema = self._sampler.merged(schema.get("items"))
        media = text(schema.get("contentMediaType"))
        return schema.get("format") == "binary" or (
            bool(media) and "contentEncoding" not in schema and not media.startswith("text/")
        )


def is_json(kind: str) -> bool:
    """Whether a content type is JSON's or one on top of it."""
    return kind.endswith(("/json", "+json"))


def _rank(written: str) -> int:
    kind = written.partition(";")[0].strip().lower()
    if kind == "application/json":
        return 0
    if is_json(kind):
        return 1
    if kind in (_FORM, _MULTIPART):
        return 2
    if kind.endswith(("/xml", "+xml")):
        return 3
    return 4 if kind.startswith("text/") else 5


def _is_textual(kind: str) -> bool:
    return kind.endswith(("yaml", "javascript", "graphql", "csv", "sql"))


def _json_text(value: Any) -> str:
    """The value as JSON; an example that is written as a text of JSON (often with placeholders in it) as it stands."""
    if isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
        return value
    return "" if value is None else json.dumps(value, ensure_ascii=False, indent=2)


def _bounded(words: str) -> tuple[str, list[Note]]:
    if len(words) <= MAX_BODY:
        return words, []
    return "", [Note(code="long-example", details={"limit": MAX_BODY})]


def _flat(name: str, value: Any) -> list[tuple[str, str]]:
    """A form's rows for a value: lists repeat the name, objects put their keys in brackets."""
    if isinstance(value, dict) and value:
        return [(f"{name}[{key}]", text(item, MAX_BODY)) for key, item in list(value.items())[:50]]
    if isinstance(value, list) and value:
        return [(name, text(item, MAX_BODY)) for item in value[:50]]
    return [(name, "" if value in ([], {}) else text(value, MAX_BODY))]
