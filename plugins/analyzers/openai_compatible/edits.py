"""Edits by the names of nodes, compiled to RFC 6902 with tests, so that a patch fails as a whole on another workflow."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Sequence
from typing import Any

from hub.plugin_api import REDACTION_TOKEN
from plugins.analyzers.openai_compatible.answer import AnsweredEdit

#: Keys of a node that an edit may begin with. The hub judges the change itself once more.
_OPEN = frozenset(("parameters", "retryOnFail", "maxTries", "waitBetweenTries", "alwaysOutputData", "executeOnce", "typeVersion"))
_PART = re.compile(r"([^.\[\]]+)|\[(\d+|\"[^\"]*\"|'[^']*')\]")
_ABSENT = object()

Json = dict[str, Any]


class EditRefused(Exception):
    """An edit does not fit the workflow that the model was shown."""


def compile_edits(workflow: Json, edits: Sequence[AnsweredEdit]) -> tuple[Json, ...]:
    """The patch on ``workflow``; ``EditRefused`` where one edit does not hold: edits belong together."""
    nodes = copy.deepcopy(workflow["nodes"])
    names = [node.get("name") for node in nodes]
    operations: list[Json] = []
    for edit in edits:
        if names.count(edit.node) != 1:
            raise EditRefused(f"there is no single node {edit.node!r}")
        index = names.index(edit.node)
        operations += _operations(nodes[index], edit, f"/nodes/{index}")
    tests = [{"op": "test", "path": f"/nodes/{names.index(name)}/name", "value": name} for name in _distinct(edits)]
    return (*tests, *operations) if operations else ()


def _distinct(edits: Sequence[AnsweredEdit]) -> list[str]:
    return list(dict.fromkeys(edit.node for edit in edits))


def _operations(node: Json, edit: AnsweredEdit, pointer: str) -> list[Json]:
    """The operations of one edit; also made in ``node``, so that the next edit sees them."""
    path = _split(edit.path)
    if not path or path[0] not in _OPEN:
        raise EditRefused(f"{edit.path!r} is not open to changes")
    if len(path) == 1 and path[0] == "parameters":
        raise EditRefused("all parameters at once")
    holder: Any = node
    for step, key in enumerate(path[:-1]):
        following = _child(holder, key)
        if following is _ABSENT:
            if edit.op != "add" or not isinstance(holder, dict):
                raise EditRefused(f"there is no {edit.path!r}")
            value = _new_value(edit)
            for missing in reversed(path[step + 1 :]):
                value = {missing: value}
            holder[key] = value
            return [{"op": "add", "path": f"{pointer}/{_escape(key)}", "value": value}]
        holder, pointer = following, f"{pointer}/{_escape(key)}"
    return _last_operations(holder, path[-1], edit, pointer)


def _last_operations(holder: Any, key: str, edit: AnsweredEdit, pointer: str) -> list[Json]:
    old = _child(holder, key)
    place = f"{pointer}/{_escape(key)}"
    if edit.op == "add":
        value = _new_value(edit)
        if isinstance(holder, list) and key in ("-", str(len(holder))):
            place = f"{pointer}/{len(holder)}"
            holder.append(value)
        elif isinstance(holder, dict) and old is _ABSENT:
            holder[key] = value
        else:
            raise EditRefused(f"{edit.path!r} is taken")
        return [{"op": "add", "path": place, "value": value}]
    if old is _ABSENT or not _is_said(old, edit.old_value_json):
        raise EditRefused(f"{edit.path!r} holds another value")
    test = {"op": "test", "path": place, "value": copy.deepcopy(old)}
    position: Any = int(key) if isinstance(holder, list) else key
    if edit.op == "remove":
        del holder[position]
        return [test, {"op": "remove", "path": place}]
    holder[position] = _new_value(edit)
    if _canonical(holder[position]) == _canonical(old):
        raise EditRefused("it changes nothing")
    return [test, {"op": "replace", "path": place, "value": holder[position]}]


def _new_value(edit: AnsweredEdit) -> Any:
    value = _loads(edit.new_value_json)
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    except ValueError:
        raise EditRefused("the new value is no JSON") from None
    if REDACTION_TOKEN.search(text):
        raise EditRefused("the new value names something that was taken out")
    return value


def _loads(text: str) -> Any:
    """The value of a JSON text; a text that is no JSON is meant as it stands (models forget the quotes)."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _is_said(old: Any, said: str) -> bool:
    return said == old or _canonical(_loads(said)) == _canonical(old)


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def _split(path: str) -> list[str]:
    """The steps of ``/parameters/url``, or of ``parameters.options["a b"][0]``, which models write as often."""
    if path.startswith("/"):
        return [part.replace("~1", "/").replace("~0", "~") for part in path[1:].split("/")]
    return [plain or bracket.strip("\"'") for plain, bracket in _PART.findall(path)]


def _child(holder: Any, key: str) -> Any:
    if isinstance(holder, dict):
        return holder.get(key, _ABSENT)
    if isinstance(holder, list) and key.isdecimal() and int(key) < len(holder):
        return holder[int(key)]
    return _ABSENT


def _escape(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")
