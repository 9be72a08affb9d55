"""JSON and YAML documents of strangers: read with bounds on size, depth and aliases, to plain values with texts as keys."""

from __future__ import annotations

import json
from typing import Any

from hub import yaml_documents
from hub.http_builder.importing.results import ImportRefused
from hub.storable import load_json
from hub.yaml_documents import MAX_DEPTH, YamlRefused

MAX_JSON_BYTES = 20_000_000


def read_document(text: str) -> Any:
    """The value of a JSON or YAML document; a text that begins like JSON is JSON.

    Raises ``ImportRefused``: too large, too deep, too many values behind aliases, or neither of the two.
    """
    text = text.removeprefix("\ufeff")
    return read_json(text) if text.lstrip()[:1] in ("{", "[") and not _is_flow_yaml(text) else read_yaml(text)


def read_json(text: str) -> Any:
    """The value of a JSON document. Raises ``ImportRefused``."""
    if len(text) > MAX_JSON_BYTES or (not text.isascii() and len(text.encode("utf-8", "replace")) > MAX_JSON_BYTES):
        raise ImportRefused("too-large", kind="JSON", limit=MAX_JSON_BYTES)
    try:
        value = load_json(text)
    except json.JSONDecodeError as error:
        raise ImportRefused("not-json", line=error.lineno, column=error.colno, reason=error.msg) from error
    except (ValueError, RecursionError) as error:  # a number of thousands of digits; brackets without end
        raise ImportRefused("too-deep", limit=MAX_DEPTH) from error
    _check_depth(value)
    return value


def read_yaml(text: str) -> Any:
    """The value of one YAML document, by YAML 1.2's rules. Raises ``ImportRefused``."""
    try:
        return yaml_documents.read_yaml(text)
    except YamlRefused as refused:
        raise ImportRefused(refused.code, **refused.details) from refused


def _is_flow_yaml(text: str) -> bool:
    """Whether what begins with a brace is YAML all the same: ``{a: 1}``, ``{{ template }}``."""
    start = text.lstrip()[1:].lstrip()[:1]
    return text.lstrip()[:1] == "{" and start not in ('"', "}")


def _check_depth(value: Any) -> None:
    level = [value]
    for _depth in range(MAX_DEPTH):
        branches = [value for value in level if isinstance(value, dict | list)]
        if not branches:
            return
        level = [child for branch in branches for child in (branch.values() if isinstance(branch, dict) else branch)]
    raise ImportRefused("too-deep", limit=MAX_DEPTH)
