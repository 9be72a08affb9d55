"""Finds the field that was meant: by its name, by its place in the data, and by what is read from it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from rapidfuzz import fuzz

from plugins.analyzers.rules.likeness import adds_only_words, fold, is_alike, is_envelope, is_of_its_holder

#: Stands for JavaScript's ``undefined``.
UNDEFINED: Any = type("Undefined", (), {"__repr__": lambda self: "undefined", "__bool__": lambda self: False})()
#: Stands for a value that cannot be known without running the code.
UNKNOWN: Any = type("Unknown", (), {"__repr__": lambda self: "unknown"})()

_IDENTIFIER = re.compile(r"^[A-Za-z_$][\w$]*$")
_LIST_MEMBERS = frozenset(
    (
        "map",
        "filter",
        "forEach",
        "reduce",
        "find",
        "findIndex",
        "some",
        "every",
        "join",
        "flatMap",
        "sort",
        "push",
        "flat",
        "concat",
    )
)
_TEXT_MEMBERS = frozenset(
    (
        "split",
        "trim",
        "toLowerCase",
        "toUpperCase",
        "replace",
        "replaceAll",
        "startsWith",
        "endsWith",
        "match",
        "substring",
        "padStart",
    )
)
_NUMBER_MEMBERS = frozenset(("toFixed", "toPrecision"))
#: What n8n's expressions add to each type.
_TEXT_EXTENSIONS = frozenset(
    [
        "hash",
        "removeMarkdown",
        "removeTags",
        "toDate",
        "toDateTime",
        "toBoolean",
        "toNumber",
        "toFloat",
        "toInt",
        "toSentenceCase",
        "toSnakeCase",
        "toTitleCase",
        "urlDecode",
        "urlEncode",
        "quote",
        "replaceSpecialChars",
        "isDomain",
        "isEmail",
        "isNumeric",
        "isUrl",
        "isEmpty",
        "isNotEmpty",
        "extractEmail",
        "extractDomain",
        "extractUrl",
        "parseJson",
        "base64Encode",
        "base64Decode",
        "toJsonString",
    ]
)
_LIST_EXTENSIONS = frozenset(
    [
        "removeDuplicates",
        "unique",
        "first",
        "last",
        "pluck",
        "randomItem",
        "sum",
        "min",
        "max",
        "average",
        "isEmpty",
        "isNotEmpty",
        "compact",
        "smartJoin",
        "chunk",
        "merge",
        "union",
        "difference",
        "intersection",
        "append",
        "toJsonString",
    ]
)
_NUMBER_EXTENSIONS = frozenset(
    ["ceil", "floor", "format", "round", "abs", "isInteger", "isEven", "isOdd", "toBoolean", "toInt", "toFloat", "toDateTime"]
)
_ALIKE = 72
_JOINED = 95

Keys = tuple[str | int, ...]


def similarity(left: str, right: str) -> float:
    """How alike two names are, 0..100; case, ``_`` and ``-`` do not count."""
    first, second = _plain(left), _plain(right)
    if not first or not second:
        return 0.0
    if first == second:
        return 100.0
    if first.rstrip("s") == second.rstrip("s"):
        return 96.0
    whole: float = fuzz.ratio(first, second)
    shorter, longer = sorted((first, second), key=len)
    is_part = len(shorter) >= 4 and (longer.endswith(shorter) or longer.startswith(shorter))
    return max(whole, 80.0) if is_part or _abbreviates(shorter, longer) else whole


def _abbreviates(short: str, long: str) -> bool:
    """Whether ``qty`` stands for ``quantity``: the same first letter, then only consonants, in their order."""
    if not 3 <= len(short) < len(long) or short[0] != long[0] or re.search(r"[aeiou]", short[1:]):
        return False
    rest = iter(long)
    return all(letter in rest for letter in short)


def closest(name: str, candidates: Iterable[str], least: float = _ALIKE) -> str | None:
    """The candidate most like the name; None where none is alike, or two are equally so."""
    scored = sorted(((similarity(name, other), other) for other in dict.fromkeys(candidates) if other != name), reverse=True)
    if not scored or scored[0][0] < least or (len(scored) > 1 and scored[0][0] - scored[1][0] < 2):
        return None
    return scored[0][1]


def supports(value: Any, member: str | None) -> bool:
    """Whether ``value.member`` would give something; without a member whether there is a value at all."""
    if value is UNDEFINED or value is None:
        return False
    if member is None or value is UNKNOWN:
        return True
    if isinstance(value, list):
        return (
            member in _LIST_MEMBERS | _LIST_EXTENSIONS
            or member in ("length", "slice", "includes", "indexOf", "at")
            or member.isdigit()
        )
    if isinstance(value, str):
        return member in _TEXT_MEMBERS | _TEXT_EXTENSIONS or member in (
            "length",
            "slice",
            "includes",
            "indexOf",
            "at",
            "toString",
        )
    if isinstance(value, dict):
        return member in value and value[member] is not None
    return member in _NUMBER_MEMBERS | _NUMBER_EXTENSIONS or member in ("toString",)


def places(value: Any, depth: int = 3, path: Keys = ()) -> Iterator[tuple[Keys, Any]]:
    """Every named place inside a JSON value, the shallow ones first; of a list only the first entry is looked into."""
    level: list[tuple[Keys, Any]] = [(path, value)]
    for _ in range(depth):
        following: list[tuple[Keys, Any]] = []
        for here, inside in level:
            if isinstance(inside, dict):
                following += [((*here, key), entry) for key, entry in inside.items()]
        yield from following
        level = following


def find_path(
    value: Any, name: str, accepts: Callable[[Any], bool], depth: int = 3, *, guess: type | tuple[type, ...] = (dict, list)
) -> tuple[Keys, float] | None:
    """The place below ``value`` that was most likely meant by ``name``, with how certain that is (0..1).

    A place counts where it has the name in one of its spellings (see :mod:`likeness`), or (less certain) where it is the only
    one of a type to ``guess`` whose name may stand for it. Fitting what is read from it is never enough.
    """
    ranked: list[tuple[float, int, Keys]] = []
    fitting: list[Keys] = []
    for path, found in places(value, depth):
        if not accepts(found) or _is_technical(path):
            continue
        # ``userId`` may stand for ``user.id``.
        joined = similarity("".join(str(key) for key in path[-2:]), name) if len(path) > 1 else 0.0
        likeness = max(similarity(str(path[-1]), name), joined if joined > _JOINED else 0.0)
        if likeness >= _ALIKE and _is_meant(path, name):
            ranked.append((likeness - 3 * len(path), len(path), path))
        elif guess and len(path) == 1 and isinstance(found, guess) and _may_stand_for(name, str(path[-1])):
            fitting.append(path)
    if ranked:
        ranked.sort(key=lambda entry: (-entry[0], entry[1]))
        if len(ranked) > 1 and ranked[0][0] == ranked[1][0]:
            return None
        return ranked[0][2], 0.95 if ranked[0][0] >= 90 else 0.8
    return (fitting[0], 0.6) if len(fitting) == 1 else None


def _is_meant(path: Keys, name: str) -> bool:
    """Whether the place has the very name (``userId`` is ``user.id``), and is not another object's name or id."""
    last = str(path[-1])
    if len(path) > 1 and similarity("".join(str(key) for key in path[-2:]), name) > _JOINED:
        return True
    return is_alike(name, last) and (not is_of_its_holder(last) or all(is_envelope(key) for key in path[:-1]))


def _may_stand_for(name: str, other: str) -> bool:
    """Whether an object of the one name may be what the other means: ``address``, ``shippingAddress``."""
    return is_alike(name, other) or adds_only_words(*sorted((name, other), key=len))


def _is_technical(path: Keys) -> bool:
    """What n8n's webhook adds to each payload is not what a field's name means."""
    return bool(path) and path[0] == "headers"


def render(path: Keys) -> str:
    """The path as JavaScript: ``.body['first name'][0]``."""
    parts = []
    for key in path:
        if isinstance(key, int):
            parts.append(f"[{key}]")
        elif _IDENTIFIER.match(key):
            parts.append(f".{key}")
        else:
            escaped = key.replace("\\", "\\\\").replace("'", "\\'")
            parts.append(f"['{escaped}']")
    return "".join(parts)


def dotted(path: Keys) -> str:
    """The path as n8n's field parameters take it: ``body.rows``."""
    return ".".join(str(key) for key in path)


def dig(value: Any, path: Iterable[str | int]) -> Any:
    """The value at a path, UNDEFINED where there is none."""
    for key in path:
        if isinstance(value, dict) and isinstance(key, str):
            value = value.get(key, UNDEFINED)
        elif isinstance(value, list) and str(key).isdigit():
            value = value[int(key)] if int(key) < len(value) else UNDEFINED
        else:
            return UNDEFINED
    return value


def _plain(name: str) -> str:
    return re.sub(r"[\s_\-.]", "", fold(name))
