"""What a repair changes, for people: per node and parameter, line by line."""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from hub.analyses.patches import canonical

Json = dict[str, Any]
Kind = Literal["node", "new-node", "connections", "settings"]
_CONTEXT_LINES = 3


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a diff. ``mark`` is ``-`` (removed), ``+`` (added), a space (the same) or ``…`` (left out)."""

    mark: str
    text: str


@dataclass(frozen=True, slots=True)
class Difference:
    """One changed value. ``node`` names its node (None for settings); ``path`` the place inside of it, dotted."""

    kind: Kind
    node: str | None
    path: str
    lines: tuple[Line, ...]


def find_differences(before: Json, after: Json) -> tuple[Difference, ...]:
    """Everything that differs between two workflow documents, in the order of the nodes."""
    return tuple(_walk(before, after))


def change_digest(patch: Sequence[Json], base_version: str | None, base_hash: str) -> str:
    """Hex SHA-256 that binds an agreement to exactly this patch on exactly this base."""
    return hashlib.sha256(canonical([list(patch), base_version, base_hash]).encode()).hexdigest()


def _walk(before: Json, after: Json) -> Iterator[Difference]:
    old_nodes = {node["name"]: node for node in before["nodes"]}
    for node in after["nodes"]:
        old = old_nodes.get(node["name"])
        if old is None:
            yield Difference("new-node", node["name"], "", tuple(Line("+", line) for line in _text(node).split("\n")))
            continue
        for path, one, other in _leaves("", old, node):
            yield Difference("node", node["name"], path.removeprefix("parameters."), _lines(one, other))
    for name in sorted(before["connections"].keys() | after["connections"].keys()):
        one, other = before["connections"].get(name), after["connections"].get(name)
        if one != other:
            yield Difference("connections", name, "", _marked(_links(one), _links(other)))
    for path, one, other in _leaves("", before["settings"], after["settings"]):
        yield Difference("settings", None, path, _lines(one, other))


_ABSENT = object()


def _leaves(path: str, before: Any, after: Any) -> Iterator[tuple[str, Any, Any]]:
    """Changed values; lists of equal length are compared entry by entry, others as a whole."""
    if isinstance(before, dict) and isinstance(after, dict):
        pairs = [(key, before.get(key, _ABSENT), after.get(key, _ABSENT)) for key in [*before, *(set(after) - set(before))]]
        for key, one, other in sorted(pairs, key=lambda pair: list(after).index(pair[0]) if pair[0] in after else -1):
            yield from _leaves(f"{path}.{key}" if path else key, one, other)
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for index, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from _leaves(f"{path}[{index}]", one, other)
    elif before is _ABSENT or after is _ABSENT or canonical(before) != canonical(after):
        yield path, before, after


def _lines(before: Any, after: Any) -> tuple[Line, ...]:
    return _marked(
        [] if before is _ABSENT else _text(before).split("\n"),
        [] if after is _ABSENT else _text(after).split("\n"),
    )


def _marked(before: list[str], after: list[str]) -> tuple[Line, ...]:
    """The lines of both with marks; long runs that are the same are cut to some lines around each change."""
    lines: list[Line] = []
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    for number, group in enumerate(matcher.get_grouped_opcodes(_CONTEXT_LINES)):
        if number:
            lines.append(Line("…", ""))
        for tag, one_start, one_end, other_start, other_end in group:
            if tag == "equal":
                lines += [Line(" ", text) for text in before[one_start:one_end]]
            else:
                lines += [Line("-", text) for text in before[one_start:one_end]]
                lines += [Line("+", text) for text in after[other_start:other_end]]
    return tuple(lines)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)


def _links(kinds: Any) -> list[str]:
    """``output 0 → Name`` a line."""
    return [
        f"{kind} {output} → {link.get('node')} ({link.get('type', kind)} {link.get('index', 0)})"
        for kind, outputs in (kinds or {}).items()
        for output, links in enumerate(outputs or ())
        for link in links or ()
    ]
