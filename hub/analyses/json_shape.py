"""The types of JSON values, in words and in their own form."""

from __future__ import annotations

from typing import Any


def type_name(value: Any) -> str:
    """The JSON type in a word."""
    for kind, name in ((bool, "boolean"), (str, "text"), (int | float, "number"), (dict, "object"), (list | tuple, "list")):
        if isinstance(value, kind):
            return name
    return "null"


def shape(value: Any, depth: int = 5) -> Any:
    """The types of a JSON value in its own form; of a list the first entry and the count."""
    if isinstance(value, dict):
        return {key: shape(entry, depth - 1) for key, entry in value.items()} if depth else "object"
    if isinstance(value, list):
        return [shape(value[0], depth - 1), f"{len(value)} entries"] if value and depth else "list"
    return type_name(value)
