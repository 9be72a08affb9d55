"""From a suggested patch to a changed workflow document: applied to the workflow as it is now, and checked.

A patch is made against redacted evidence. Here it is moved onto the real document: nodes are found by name, and every place
that the patch touches must still hold what the analyzer saw. What the patch then changes is judged by ``patch_policy``.
"""

from __future__ import annotations

import copy
import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jsonpatch
from jsonpointer import JsonPointerException

from hub.analyses.patch_policy import PatchRefused, check_policy
from hub.redaction import TOKEN

Json = dict[str, Any]

DOCUMENT_KEYS = ("name", "nodes", "connections", "settings")
_MOST_OPERATIONS = 50


@dataclass(frozen=True, slots=True)
class Change:
    """A patch on a real document: the operations as applied, the document after them, and the nodes that differ."""

    patch: tuple[Json, ...]
    document: Json
    changed_nodes: tuple[str, ...]
    #: Codes of what a person should know before they agree (``patch_policy``).
    cautions: tuple[str, ...]


def document_of(workflow: Json) -> Json:
    """A copy of the part of a workflow that a patch may change; nodes whole, with their credentials."""
    document = {key: copy.deepcopy(workflow.get(key)) for key in DOCUMENT_KEYS}
    return {**document, "settings": document["settings"] or {}, "connections": document["connections"] or {}}


def content_hash(workflow: Json) -> str:
    """Hex SHA-256 of the workflow's document, whatever the order of its keys."""
    return hashlib.sha256(canonical(document_of(workflow)).encode()).hexdigest()


def canonical(value: Any) -> str:
    """The one JSON text of a value."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def apply_change(patch: Sequence[Json], *, base: Json, current: Json) -> Change:
    """The patch, made against ``base`` (may be redacted), applied to ``current``; ``PatchRefused`` says why it can't be."""
    before = document_of(current)
    operations = rebase_patch(patch, base=base, current=before)
    try:
        after = jsonpatch.apply_patch(before, operations)
    except jsonpatch.JsonPatchTestFailed as error:
        raise PatchRefused("test-failed") from error
    except (jsonpatch.JsonPatchException, JsonPointerException, TypeError, KeyError, AttributeError, ValueError) as error:
        raise PatchRefused("does-not-apply", reason=str(error)[:200]) from error
    if canonical(after) == canonical(before):
        raise PatchRefused("no-change")
    judgement = check_policy(before, after)
    return Change(tuple(operations), after, judgement.changed_nodes, judgement.cautions)


def rebase_patch(patch: Sequence[Json], *, base: Json, current: Json) -> list[Json]:
    """The same operations with node positions of ``current``.

    Refused where a node is gone or a touched value is no longer what ``base`` shows. A value that redaction hid counts as
    unchanged where the visible parts around the token agree; a ``test`` on such a value has then been made and is dropped.
    """
    if not 0 < len(patch) <= _MOST_OPERATIONS:
        raise PatchRefused("malformed")
    places = _node_places(base, current)
    operations: list[Json] = []
    for operation in patch:
        if operation.get("op") not in ("add", "remove", "replace", "move", "copy", "test") or (
            not isinstance(operation.get("path"), str)
        ):
            raise PatchRefused("malformed")
        moved = dict(operation)
        for key in ("path", "from"):
            if key in operation:
                segments = _split(operation[key])
                target = _moved(segments, places)
                _check_unchanged(segments, target, operation["op"], base, current)
                moved[key] = _join(target)
        if not (moved["op"] == "test" and TOKEN.search(canonical(moved.get("value")))):
            operations.append(moved)
    return operations


def same_document(one: Json, other: Json) -> bool:
    """Whether two workflows hold the same name, nodes, connections and settings."""
    return canonical(document_of(one)) == canonical(document_of(other))


def matches_hidden(seen: Any, actual: Any) -> bool:
    """Equality, where a redaction token in ``seen`` stands for any text."""
    if isinstance(seen, str) and TOKEN.search(seen):
        pattern = ".+".join(re.escape(part) for part in TOKEN.split(seen))
        return isinstance(actual, str | int) and re.fullmatch(pattern, str(actual), re.DOTALL) is not None
    if isinstance(seen, dict) and isinstance(actual, dict):
        return seen.keys() == actual.keys() and all(matches_hidden(seen[key], actual[key]) for key in seen)
    if isinstance(seen, list) and isinstance(actual, list):
        return len(seen) == len(actual) and all(map(matches_hidden, seen, actual))
    return bool(seen == actual)


_ABSENT = object()


def _node_places(base: Json, current: Json) -> dict[int, int]:
    """Where each node of ``base`` stands in ``current``, by name."""
    now = {node.get("name"): index for index, node in enumerate(current["nodes"])}
    return {index: now[node["name"]] for index, node in enumerate(base["nodes"]) if node.get("name") in now}


def _moved(segments: list[str], places: dict[int, int]) -> list[str]:
    if len(segments) < 2 or segments[0] != "nodes" or not segments[1].isdigit():
        return segments
    index = int(segments[1])
    if index not in places:
        raise PatchRefused("node-gone")
    return ["nodes", str(places[index]), *segments[2:]]


def _check_unchanged(segments: list[str], target: list[str], kind: str, base: Json, current: Json) -> None:
    """The touched place holds what the analyzer saw; for an ``add`` into a list, the whole list does."""
    if kind == "add" and segments and (segments[-1] == "-" or segments[-1].isdigit()):
        if segments[:-1] == ["nodes"]:
            return
        segments, target = segments[:-1], target[:-1]
    seen, actual = _value_at(base, segments), _value_at(current, target)
    if seen is _ABSENT:
        # The place is new: made by this operation or an earlier one, so nobody else may have filled it meanwhile.
        if actual is not _ABSENT:
            raise PatchRefused("changed-since", path=_join(target))
    elif actual is _ABSENT or not matches_hidden(seen, actual):
        raise PatchRefused("changed-since", path=_join(target))


def _value_at(document: Any, segments: list[str]) -> Any:
    value = document
    for segment in segments:
        if isinstance(value, dict) and segment in value:
            value = value[segment]
        elif isinstance(value, list) and segment.isdigit() and int(segment) < len(value):
            value = value[int(segment)]
        else:
            return _ABSENT
    return value


def _split(pointer: str) -> list[str]:
    if not pointer.startswith("/"):
        raise PatchRefused("malformed")
    return [part.replace("~1", "/").replace("~0", "~") for part in pointer[1:].split("/")]


def _join(segments: list[str]) -> str:
    return "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in segments)
