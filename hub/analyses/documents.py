"""Reads what people hand in: one failed execution as JSON, with its workflow or alone."""

from __future__ import annotations

import json
from typing import Any

from hub.errors import HubError
from hub.storable import load_json

MAX_DOCUMENT_BYTES = 10_000_000
MAX_DEPTH = 100


class UnreadableDocument(HubError):
    """The document is no failed execution. ``code`` and ``details`` let a page say it in the reader's language."""

    status = 422
    title = "Invalid input"

    def __init__(self, code: str, message: str, **details: Any) -> None:
        super().__init__(message)
        self.code = code
        self.details = details


def parse_document(raw: bytes | str) -> Any:
    """The JSON value in ``raw``; ``UnreadableDocument`` where it is empty, too large, no UTF-8 or no JSON."""
    size = len(raw)
    if size > MAX_DOCUMENT_BYTES:
        megabytes = MAX_DOCUMENT_BYTES // 1_000_000
        raise UnreadableDocument("too-large", f"The input is larger than {megabytes} MB.", megabytes=megabytes)
    try:
        text = raw.decode("utf-8-sig") if isinstance(raw, bytes) else raw.removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise UnreadableDocument("not-text", "The input is not UTF-8 text.") from error
    if not text.strip():
        raise UnreadableDocument("empty", "The input is empty; a JSON document with a failed execution is expected.")
    try:
        return load_json(text)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise UnreadableDocument("not-json", f"The input is not JSON: {error.msg} ({place}).", place=place) from error
    except RecursionError as error:
        raise UnreadableDocument("too-deep", "The input is nested too deeply.") from error


def split_document(payload: Any) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """(execution, workflow or None) of ``{"execution", "workflow"}`` or of a bare execution, as the public API gives them.

    ``UnreadableDocument`` where the shape is another or nested deeper than ``MAX_DEPTH``.
    """
    if not isinstance(payload, dict):
        raise UnreadableDocument("not-object", 'A JSON object is expected: an execution, or {"execution", "workflow"}.')
    if _is_deeper_than(payload, MAX_DEPTH):
        raise UnreadableDocument("too-deep", f"The input is nested deeper than {MAX_DEPTH} levels.")
    execution = payload.get("execution", payload)
    workflow = payload.get("workflow") if "execution" in payload else None
    if not isinstance(execution, dict):
        raise UnreadableDocument("no-execution", '"execution" must be an object, as n8n\'s public API gives it.')
    if isinstance(execution.get("data"), str):
        raise UnreadableDocument("database-form", '"data" is text: export the execution through n8n\'s public API.')
    if workflow is not None and not _is_workflow(workflow):
        raise UnreadableDocument("no-workflow", '"workflow" must be an object with "nodes" and "connections".')
    if workflow is None and not _is_workflow(execution.get("workflowData")):
        raise UnreadableDocument("no-workflow", 'There is no workflow: neither "workflow" nor "workflowData" holds nodes.')
    if "status" not in execution and "data" not in execution:
        raise UnreadableDocument("no-execution", 'This is no execution: it has neither "status" nor "data".')
    return execution, workflow


def _is_workflow(value: Any) -> bool:
    if not isinstance(value, dict) or not isinstance(value.get("nodes"), list):
        return False
    nodes_are_named = all(isinstance(node, dict) and isinstance(node.get("name"), str) for node in value["nodes"])
    return nodes_are_named and isinstance(value.get("connections", {}), dict)


def _is_deeper_than(value: Any, limit: int) -> bool:
    """Whether objects and lists stand in one another more than ``limit`` times; without recursion, because input may lie."""
    level = [value]
    for _ in range(limit):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return False
    return True
