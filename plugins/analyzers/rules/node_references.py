"""References to other nodes in expressions and code: ``$('Name').item.json.field``."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from plugins.analyzers.rules.case import Case, Json, Path
from plugins.analyzers.rules.fields import UNDEFINED, Keys, dig
from plugins.analyzers.rules.patch import Edit
from plugins.analyzers.rules.templates import is_template

_ACCESS = r"(?:\.item|\.first\(\)|\.last\(\)|\.all\(\)\[(?:0|\$itemIndex)\]|\.itemMatching\([^()]*\)|\.pairedItem\([^()]*\))"
_KEYS = re.compile(r"\??\.([A-Za-z_$][\w$]*)(?!\s*\()|\[\s*(?:'([^']*)'|\"([^\"]*)\"|(\d+))\s*\]")
_PATH = r"((?:\??\.[A-Za-z_$][\w$]*(?![\w$]*\s*\()|\[\s*(?:'[^']*'|\"[^\"]*\"|\d+)\s*\])*)"
_ANY = re.compile(r"\$\(\s*(['\"`])(.+?)\1\s*\)|\$(?:node|items)\s*[\[(]\s*(['\"`])(.+?)\3\s*[\])]")


@dataclass(frozen=True)
class Reference:
    """One reference to a node's data, up to the end of its path."""

    path: Path
    text: str
    start: int
    end: int
    keys: Keys
    keys_text: str
    access: str


def node_references(case: Case, name: str, node: Json | None = None) -> Iterator[Reference]:
    """The references to the data of a node in another node's parameters."""
    quoted = re.escape(name)
    pattern = re.compile(
        rf"\$\(\s*(['\"`]){quoted}\1\s*\)({_ACCESS})\.json{_PATH}|\$node(?:\[(['\"]){quoted}\4\]|\.{quoted}\b)()\.json{_PATH}"
    )
    for path, text in _code_texts(case, node):
        for found in pattern.finditer(text):
            keys_text = found.group(3) if found.group(1) else found.group(6)
            keys = tuple(
                int(index) if index else name_ or one or two for name_, one, two, index in _KEYS.findall(keys_text or "")
            )
            yield Reference(path, text, found.start(), found.end(), keys, keys_text or "", found.group(2) or "")


def replaced(case: Case, references: list[Reference], new: Callable[[Reference], str | None]) -> list[Edit] | None:
    """The edits that put something else in the place of each reference; None where one cannot be replaced."""
    texts: dict[Path, list[tuple[Reference, str]]] = {}
    for reference in references:
        replacement = new(reference)
        if replacement is None:
            return None
        texts.setdefault(reference.path, []).append((reference, replacement))
    edits = []
    for path, changes in texts.items():
        text = changes[0][0].text
        for reference, replacement in sorted(changes, key=lambda change: -change[0].start):
            text = text[: reference.start] + replacement + text[reference.end :]
        edits.append(Edit(str(case.name), path, text))
    return edits or None


def renamed(case: Case, old: str, new: str) -> list[Edit]:
    """The edits that lead every reference to a node, in all nodes, to another one."""
    edits = []
    for node in case.evidence.workflow["nodes"]:
        for path, text in _code_texts(case, node):
            changed = _ANY.sub(
                lambda found: found.group().replace(old, new) if old in (found.group(2), found.group(4)) else found.group(), text
            )
            changed = re.sub(rf"\$node\.{re.escape(old)}\b", lambda _found: f"$node[{json.dumps(new)}]", changed)
            if changed != text:
                edits.append(Edit(str(node.get("name")), path, changed))
    return edits


def named_nodes(case: Case) -> set[str]:
    """The names of all nodes that the failing node refers to."""
    return {found.group(2) or found.group(4) for _, text in _code_texts(case, None) for found in _ANY.finditer(text)}


def has_value(items: list[Json], keys: Keys) -> bool:
    """Whether the first item has a value at the path."""
    return bool(items) and dig(items[0], keys) not in (UNDEFINED, None)


def _code_texts(case: Case, node: Json | None) -> Iterator[tuple[Path, str]]:
    return ((path, text) for path, text in case.texts(node) if is_template(text) or path[-1] in ("jsCode", "functionCode"))
