"""Which fields an expression of n8n reads, and whether they are anywhere in the data. By pattern: enough to name a field."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

Json = dict[str, Any]

_STEPS = r"""((?:\s*\.\s*[A-Za-z_$][\w$]*(?!\w)|\[\s*(?:'[^']*'|"[^"]*"|\d+)\s*\])*)(\s*\()?"""
_OWN = re.compile(r"""\$(?:json|input\.(?:item|first\(\)|last\(\))\.json)(?![\w$])""" + _STEPS)
_OTHER = re.compile(
    r"""\$(?:\(\s*['"`]([^'"`]+)['"`]\s*\)\s*\.\s*(?:item|first\(\)|last\(\))|node\[\s*['"]([^'"]+)['"]\s*\])\s*\.\s*json(?![\w$])"""
    + _STEPS
)
_STEP = re.compile(r"""\.\s*([A-Za-z_$][\w$]*)|\[\s*(?:'([^']*)'|"([^"]*)"|(\d+))\s*\]""")
#: The author expects that there may be nothing.
_GUARD = re.compile(r"\?|\|\||&&|\btry\b|isEmpty|isNotEmpty|\bin\b|hasOwn|hasField|ifEmpty|typeof|isExecuted")
_OBJECT_METHODS = frozenset(
    {
        *("hasOwnProperty", "toString", "valueOf", "toLocaleString", "keys", "values", "isEmpty", "isNotEmpty", "hasField"),
        *("merge", "removeField", "compact", "urlEncode", "removeFieldsContaining", "keepFieldsContaining", "toJsonString"),
    }
)


def is_expression(text: Any) -> bool:
    """Whether a parameter's value is computed by n8n."""
    return isinstance(text, str) and text.startswith("=") and "{{" in text


def has_guard(text: str) -> bool:
    """Whether the expression deals with values that are not there."""
    return _GUARD.search(text) is not None


def find_missing(text: str, inputs: Sequence[Json], items_of: Callable[[str], list[Json] | None]) -> str | None:
    """The first path that the expression reads and that no item has: ``body.email``. None where every path is somewhere.

    ``inputs`` are the node's own items, ``items_of`` gives another node's. An expression that reads no data and calls
    something answers the empty text: what it gives is no matter of data.
    """
    reads = list(_reads(text))
    for node, steps, called in reads:
        items = inputs if node is None else items_of(node)
        if not items or not (steps or called):
            continue
        if steps and all(_is_missing(item, steps, None) for item in items):
            return ".".join(steps)
        if called and all(_is_missing(item, steps, called) for item in items):
            return ".".join([*steps, called])
    return "" if not reads and "$" not in text and "(" in text else None


def _reads(text: str) -> Iterator[tuple[str | None, list[str], str | None]]:
    """(node or None, steps of the path, name of the method called on it) of each read."""
    found = [(None, match[1], match[2]) for match in _OWN.finditer(text)]
    others = [(match[1] or match[2], match[3], match[4]) for match in _OTHER.finditer(text)]
    for node, path, call in [*found, *others]:
        steps = [next(part for part in match.groups() if part is not None) for match in _STEP.finditer(path or "")]
        called = steps.pop() if call and steps else None
        yield node, steps, called


def _is_missing(item: Any, steps: Sequence[str], called: str | None) -> bool:
    value = item
    for step in steps:
        if isinstance(value, dict) and step in value:
            value = value[step]
        elif isinstance(value, list) and step.isdigit():
            if int(step) >= len(value):
                return True
            value = value[int(step)]
        elif isinstance(value, list | str) and step == "length":
            value = len(value)
        else:
            return True
    if called is None:
        return False
    return value is None or (isinstance(value, dict) and called not in value and called not in _OBJECT_METHODS)
