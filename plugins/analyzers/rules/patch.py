"""Edits of nodes, compiled to RFC 6902 patches that fail as a whole where the workflow is no longer the one that was judged."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hub.plugin_api import REDACTION_TOKEN, Evidence
from plugins.analyzers.rules.case import Path, walk_texts

#: What no rule may touch: identity, credentials, and the switches that only hide an error.
_FORBIDDEN = frozenset(
    ("credentials", "id", "webhookId", "name", "type", "typeVersion", "onError", "continueOnFail", "alwaysOutputData", "disabled")
)
_MISSING = object()


#: In the place of a node's name: the workflow itself, of which one setting may be changed.
WORKFLOW = ""
#: The settings that may be given another value; none is added.
_SETTINGS: frozenset[Path] = frozenset({("settings", "executionTimeout"), ("settings", "executionOrder")})


@dataclass(frozen=True)
class Edit:
    """One value to set in a node; ``path`` starts inside the node: ``("parameters", "url")``."""

    node: str
    path: Path
    value: Any


def compile_patch(evidence: Evidence, edits: Sequence[Edit]) -> tuple[dict[str, Any], ...] | None:
    """The patch, or None where it would change nothing, touch what it must not, or write a redacted value."""
    operations: list[dict[str, Any]] = []
    nodes = copy.deepcopy(evidence.workflow["nodes"])
    for edit in edits:
        if edit.node == WORKFLOW:
            operations += _setting(evidence, edit)
            continue
        index = next((i for i, node in enumerate(nodes) if node.get("name") == edit.node), None)
        if index is None or not _allowed(nodes[index], edit):
            return None
        made = _operations(nodes[index], edit, f"/nodes/{index}")
        if made is None:
            return None
        operations += made
    if not operations:
        return None
    tests = {edit.node: _index_of(nodes, edit.node) for edit in edits if edit.node != WORKFLOW}
    return (*({"op": "test", "path": f"/nodes/{i}/name", "value": name} for name, i in tests.items()), *operations)


def _setting(evidence: Evidence, edit: Edit) -> list[dict[str, Any]]:
    if edit.path not in _SETTINGS:
        return []
    old = evidence.workflow["settings"].get(edit.path[1])
    if old is None or old == edit.value:
        return []
    pointer = "/" + "/".join(str(key) for key in edit.path)
    return [{"op": "test", "path": pointer, "value": old}, {"op": "replace", "path": pointer, "value": edit.value}]


def _index_of(nodes: list[dict[str, Any]], name: str) -> int:
    return next(i for i, node in enumerate(nodes) if node.get("name") == name)


def _allowed(node: dict[str, Any], edit: Edit) -> bool:
    if not edit.path or edit.path[0] in _FORBIDDEN:
        return False
    if edit.path[-1] == "path" and str(node.get("type", "")).lower().endswith("webhook"):
        return False
    return not any(REDACTION_TOKEN.search(text) for _, text in walk_texts(edit.value))


def _operations(node: dict[str, Any], edit: Edit, pointer: str) -> list[dict[str, Any]] | None:
    """The operations of one edit; also made in ``node``, so that a later edit sees the earlier one."""
    holder: Any = node
    for step, key in enumerate(edit.path[:-1]):
        following = _child(holder, key)
        if following is _MISSING:
            if not _takes(holder, key):
                return None
            value: Any = edit.value
            for missing in reversed(edit.path[step + 1 :]):
                value = {missing: value}
            holder[key] = value
            return [{"op": "add", "path": f"{pointer}/{_escape(key)}", "value": value}]
        holder, pointer = following, f"{pointer}/{_escape(key)}"
    key, pointer = edit.path[-1], f"{pointer}/{_escape(edit.path[-1])}"
    old = _child(holder, key)
    if old is _MISSING:
        if not _takes(holder, key):
            return None
        if isinstance(holder, list):
            holder.append(edit.value)
        else:
            holder[key] = edit.value
        return [{"op": "add", "path": pointer, "value": edit.value}]
    if old == edit.value and type(old) is type(edit.value):
        return []
    if any(REDACTION_TOKEN.search(text) for _, text in walk_texts(old)):
        return None
    holder[key] = edit.value
    return [{"op": "test", "path": pointer, "value": old}, {"op": "replace", "path": pointer, "value": edit.value}]


def _child(holder: Any, key: str | int) -> Any:
    if isinstance(holder, dict):
        return holder.get(key, _MISSING) if isinstance(key, str) else _MISSING
    if isinstance(holder, list) and isinstance(key, int) and key < len(holder):
        return holder[key]
    return _MISSING


def _takes(holder: Any, key: str | int) -> bool:
    """Whether something can be added there; a workflow from a file may hold a text where n8n has an object."""
    return isinstance(key, str) if isinstance(holder, dict) else isinstance(holder, list) and isinstance(key, int)


def _escape(key: str | int) -> str:
    return str(key).replace("~", "~0").replace("/", "~1")
