"""A value that fits a JSON schema, made from its examples and defaults: small, and never in circles."""

from __future__ import annotations

import itertools
from typing import Any

from hub.http_builder.importing.references import References
from hub.http_builder.importing.values import mapping, sequence, text

_MAX_DEPTH = 8
#: Values in one sample; a schema with more loses its optional fields, then the rest.
_MAX_VALUES = 400
_MAX_PROPERTIES = 1_000
_STRINGS = {
    "date-time": "2026-01-01T00:00:00Z",
    "date": "2026-01-01",
    "time": "12:00:00Z",
    "duration": "P1D",
    "email": "user@example.com",
    "uuid": "00000000-0000-4000-8000-000000000000",
    "uri": "https://example.com",
    "url": "https://example.com",
    "hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "byte": "",
    "binary": "",
}
_MISSING: Any = object()


class Sampler:
    """Makes samples for the schemas of one document."""

    def __init__(self, references: References) -> None:
        self._references = references
        self._left = 0

    def sample(self, schema: Any) -> Any:
        """A value for the schema; None where nothing is known of it."""
        self._left = _MAX_VALUES
        value = self._sample(schema, ())
        return None if value is _MISSING else value

    def given(self, schema: Any) -> Any:
        """The value that the schema itself gives (example, default, constant, first of a list of words); None without one."""
        value = _given(self.merged(schema))
        return None if value is _MISSING else value

    def merged(self, schema: Any) -> dict[str, Any]:
        """The schema with the parts of ``allOf`` and the first real choice of ``oneOf`` and ``anyOf`` in it."""
        self._left = max(self._left, _MAX_VALUES)
        return self._merged(schema, 0)

    def _merged(self, schema: Any, depth: int) -> dict[str, Any]:
        self._left -= 1
        whole = self._references.resolve(schema)
        if depth > _MAX_DEPTH or self._left < 0:
            return whole
        parts = [self._merged(part, depth + 1) for part in sequence(whole.get("allOf"))[:50]]
        for word in ("oneOf", "anyOf"):
            choices = (self._references.resolve(choice) for choice in sequence(whole.get(word))[:50])
            choice = next((choice for choice in choices if choice.get("type") != "null"), None)
            if choice is not None:
                parts.append(self._merged(choice, depth + 1))
        if not parts:
            return whole
        merged: dict[str, Any] = {}
        for part in [*parts, {name: value for name, value in whole.items() if name not in ("allOf", "oneOf", "anyOf")}]:
            properties = {**mapping(merged.get("properties")), **mapping(part.get("properties"))}
            required = [*sequence(merged.get("required")), *sequence(part.get("required"))]
            merged = {**merged, **part, "properties": properties, "required": required}
        return merged

    def _sample(self, schema: Any, above: tuple[int, ...]) -> Any:
        self._left -= 1
        plain = self._references.resolve(schema)
        if self._left < 0 or len(above) > _MAX_DEPTH or id(plain) in above:
            return _MISSING
        merged = self._merged(schema, 0)
        if (given := _given(merged)) is not _MISSING:
            return given
        kind = kind_of(merged)
        if kind == "object":
            return self._object(merged, (*above, id(plain)))
        if kind == "array":
            item = self._sample(merged.get("items"), (*above, id(plain)))
            return [] if item is _MISSING else [item]
        return _scalar(kind, merged)

    def _object(self, schema: dict[str, Any], above: tuple[int, ...]) -> dict[str, Any]:
        values = {}
        for name, part in self.chosen(schema).items():
            value = self._sample(part, above)
            if value is not _MISSING:
                values[name] = value
        return values

    def chosen(self, schema: dict[str, Any]) -> dict[str, Any]:
        """The properties that a request should have: what is required or has an example, else all; never what is read-only."""
        properties = {
            name: part
            for name, part in itertools.islice(mapping(schema.get("properties")).items(), _MAX_PROPERTIES)
            if self._references.resolve(part).get("readOnly") is not True
        }
        required = self.required(schema)
        chosen = {name: part for name, part in properties.items() if name in required or mapping(part).get("example") is not None}
        return chosen or properties

    @staticmethod
    def required(schema: dict[str, Any]) -> set[str]:
        """Names of the properties that must be there."""
        return {name for name in sequence(schema.get("required")) if isinstance(name, str)}


def kind_of(schema: dict[str, Any]) -> str:
    """The JSON type that the schema is for; a list of types stands for its first that is not null."""
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = next((name for name in kind if name != "null"), "null")
    if isinstance(kind, str):
        return kind
    if mapping(schema.get("properties")) or "additionalProperties" in schema:
        return "object"
    return "array" if "items" in schema else "unknown"


def _given(schema: dict[str, Any]) -> Any:
    if "example" in schema:
        return schema["example"]
    if examples := sequence(schema.get("examples")):
        return examples[0]
    if "default" in schema and schema["default"] is not None:
        return schema["default"]
    if "const" in schema:
        return schema["const"]
    words = [word for word in sequence(schema.get("enum")) if word is not None]
    return words[0] if words else _MISSING


def _scalar(kind: str, schema: dict[str, Any]) -> Any:
    if kind == "string":
        return _STRINGS.get(text(schema.get("format")), "string")
    if kind in ("integer", "number"):
        least = schema.get("minimum")
        return least if isinstance(least, int | float) and not isinstance(least, bool) and abs(least) < 1e15 else 0
    return {"boolean": True, "null": None, "unknown": {}}.get(kind, _MISSING)
