"""XML text for a sample value, with the names that the schema's ``xml`` objects give."""

from __future__ import annotations

import re
from typing import Any
from xml.sax.saxutils import escape

from hub.http_builder.importing.values import mapping, text

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")


def write_xml(schema: dict[str, Any], value: Any) -> str:
    """An element for the value; empty where there is no value."""
    return "" if value is None else _element(_name(schema, "root"), value, schema, 0)


def _name(schema: dict[str, Any], default: str) -> str:
    name = text(mapping(schema.get("xml")).get("name"), 100)
    return next((word for word in (name, default) if _NAME.fullmatch(word)), "item")


def _element(name: str, value: Any, schema: dict[str, Any], depth: int) -> str:
    indent = "  " * depth
    if isinstance(value, dict):
        properties = mapping(schema.get("properties"))
        parts = [(key, item, mapping(properties.get(key))) for key, item in value.items()]
        inner = "".join(_element(_name(part, key), item, part, depth + 1) for key, item, part in parts)
        return f"{indent}<{name}>\n{inner}{indent}</{name}>\n" if inner else f"{indent}<{name}/>\n"
    if isinstance(value, list):
        items = mapping(schema.get("items"))
        return "".join(_element(name, item, items, depth) for item in value)
    return f"{indent}<{name}>{escape(text(value))}</{name}>\n"
