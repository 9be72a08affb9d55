"""Keeps evidence small: long texts, long lists and deep trees are cut, and far nodes lose their items first."""

from __future__ import annotations

import json
from typing import Any

#: Characters of one text, entries of one list, keys of one object, levels of one tree.
_TEXT, _ENTRIES, MOST_KEYS, _DEPTH = 500, 20, 60, 12
#: Bytes of everything but the workflow.
_MOST_BYTES = 120_000

Json = dict[str, Any]


def cut(value: Any, depth: int = _DEPTH) -> Any:
    """The JSON value without what goes beyond the bounds; lists of scalars and objects keep their beginning.

    Texts stay whole here: they are cut after redaction, so that no secret is cut in two and half of it stays.
    """
    if isinstance(value, list):
        return [cut(entry, depth - 1) for entry in value[:_ENTRIES]] if depth else []
    if isinstance(value, dict):
        return {key: cut(entry, depth - 1) for key, entry in list(value.items())[:MOST_KEYS]} if depth else {}
    return value


def fit(picture: Json) -> Json:
    """The redacted picture with its texts cut and, where it is still too large, with fewer items."""
    small = {key: value if key == "workflow" else _shorten(value, _bound(key)) for key, value in picture.items()}
    # Compared only to tell whether something was lost.
    lost = any(small[key] != picture[key] for key in ("input_items", "node_data", "error"))
    for shrink in (_drop_outputs, _drop_inputs, _drop_answers):
        if _size(small) <= _MOST_BYTES:
            break
        small, lost = shrink(small), True
    if lost and "truncated" not in small["limits"]:
        small["limits"] = [*small["limits"], "truncated"]
    return small


def _bound(key: str) -> int:
    return 4000 if key in ("error", "resolved_parameters", "child", "exchange") else _TEXT


def _shorten(value: Any, bound: int) -> Any:
    if isinstance(value, str):
        return value if len(value) <= bound else value[: bound - 1] + "…"
    if isinstance(value, list | tuple):
        return type(value)(_shorten(entry, bound) for entry in value)
    if isinstance(value, dict):
        return {key: _shorten(entry, bound) for key, entry in value.items()}
    return value


def _size(picture: Json) -> int:
    return len(json.dumps({key: value for key, value in picture.items() if key != "workflow"}, default=str))


def _drop_outputs(picture: Json) -> Json:
    """Keep one item an output."""
    nodes = {name: {**data, "outputs": [branch[:1] for branch in data["outputs"]]} for name, data in picture["node_data"].items()}
    return {**picture, "node_data": nodes, "input_items": picture["input_items"][:2]}


def _drop_inputs(picture: Json) -> Json:
    """Keep no output but the counts, and of the input one item with short texts."""
    nodes = {name: {**data, "outputs": [[] for _ in data["outputs"]]} for name, data in picture["node_data"].items()}
    return {**picture, "node_data": nodes, "input_items": _shorten(picture["input_items"][:1], 100)}


def _drop_answers(picture: Json) -> Json:
    """Keep neither the request nor the answer, and short texts everywhere."""
    error = {**picture["error"], "request": None, "response": None}
    return {**picture, "error": _shorten(error, 1000), "resolved_parameters": None, "input_items": []}
