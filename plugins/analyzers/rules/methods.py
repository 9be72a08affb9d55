"""JavaScript's methods by the type of the value, and what is meant by names that other languages and n8n's expressions use."""

from __future__ import annotations

import json
import re

from plugins.analyzers.rules.fields import UNKNOWN, closest

_LIST = (
    *(
        "map",
        "filter",
        "forEach",
        "reduce",
        "find",
        "findIndex",
        "some",
        "every",
        "includes",
        "indexOf",
        "join",
        "slice",
        "splice",
        "sort",
    ),
    *("reverse", "concat", "push", "pop", "shift", "unshift", "flat", "flatMap", "keys", "values", "entries", "at", "fill"),
)
TEXT = (
    *(
        "split",
        "trim",
        "trimStart",
        "trimEnd",
        "toLowerCase",
        "toUpperCase",
        "replace",
        "replaceAll",
        "startsWith",
        "endsWith",
        "includes",
    ),
    *(
        "indexOf",
        "substring",
        "slice",
        "charAt",
        "match",
        "matchAll",
        "padStart",
        "padEnd",
        "repeat",
        "concat",
        "at",
        "normalize",
        "localeCompare",
    ),
)
_NUMBER = ("toFixed", "toString", "toPrecision", "toLocaleString")
_DATE = (
    *("toFormat", "toISO", "toISODate", "toISOTime", "toMillis", "toSeconds", "toJSDate", "toUTC", "toLocal", "toLocaleString"),
    *("plus", "minus", "diff", "diffNow", "startOf", "endOf", "setZone", "set", "hasSame", "toRelative", "toISOString"),
    *("getTime", "getFullYear", "getMonth", "getDate", "getDay", "getHours", "getMinutes", "getSeconds", "toLocaleDateString"),
)
#: What makes a value have a method that it lacks: by the method's owner, for the types that can be brought to it.
LIST_ONLY = frozenset(("map", "filter", "forEach", "reduce", "find", "findIndex", "some", "every", "flatMap", "sort", "push"))
_OLD_DATE = frozenset(("getTime", "getFullYear", "getMonth", "getDate", "getDay", "getHours", "getMinutes", "toISOString"))
_LUXON = frozenset(("toFormat", "toISODate", "toMillis", "plus", "minus", "diff", "startOf", "endOf", "setZone"))
_STATIC = {
    "Math": ("round", "floor", "ceil", "abs", "min", "max", "random", "pow", "sqrt", "trunc", "sign"),
    "Object": ("keys", "values", "entries", "assign", "fromEntries", "freeze"),
    "JSON": ("parse", "stringify"),
    "Array": ("isArray", "from", "of"),
    "Number": ("parseFloat", "parseInt", "isInteger", "isFinite", "isNaN"),
    "DateTime": ("now", "fromISO", "fromFormat", "fromMillis", "fromJSDate", "fromSeconds", "local", "utc"),
    "$input": ("all", "first", "last", "item"),
}
_OTHER_LANGUAGES = {
    **{
        "append": "push",
        "add": "push",
        "contains": "includes",
        "has": "includes",
        "where": "filter",
        "select": "map",
        "each": "forEach",
    },
    **{"strip": "trim", "upper": "toUpperCase", "lower": "toLowerCase", "uppercase": "toUpperCase", "lowercase": "toLowerCase"},
}
#: Functions of n8n's expressions that plain JavaScript does not have; ``{}`` is the value.
_ONLY_IN_EXPRESSIONS = {
    "toTitleCase": r"String({}).replace(/\b\w/g, (letter) => letter.toUpperCase())",
    "capitalize": "({}.charAt(0).toUpperCase() + {}.slice(1))",
    "toNumber": "Number({})",
    "toInt": "parseInt({}, 10)",
    "toFloat": "parseFloat({})",
    "round": "Math.round({})",
    "isEmpty": "({}.length === 0)",
    "isNotEmpty": "({}.length > 0)",
    "length": "{}.length",
    "size": "{}.length",
    "count": "{}.length",
    "first": "{}[0]",
    "last": "{}.at(-1)",
    "unique": "[...new Set({})]",
    "sum": "{}.reduce((sum, value) => sum + Number(value), 0)",
    "average": "({}.reduce((sum, value) => sum + Number(value), 0) / {}.length)",
    "max": "Math.max(...{})",
    "min": "Math.min(...{})",
    "toDateTime": "DateTime.fromISO({})",
    "toJsonString": "JSON.stringify({})",
}


def has_method(holder: object, name: str) -> bool:
    """Whether the value has the method, so that the failing call is another entry's."""
    return holder is not UNKNOWN and name in _methods_of(holder)


def meant_method(name: str, holder: object, holder_code: str) -> str | None:
    """The method that was meant by a name which the value does not have."""
    methods = _STATIC.get(holder_code) or _methods_of(holder)
    other = _OTHER_LANGUAGES.get(name)
    return other if other in methods else closest(name, methods, 75)


def plain_call(name: str, holder_code: str) -> str | None:
    """Plain JavaScript for ``value.name()`` where only n8n's expressions know that function."""
    form = _ONLY_IN_EXPRESSIONS.get(name)
    return form.replace("{}", holder_code) if form else None


def brought(name: str, holder: object, holder_code: str) -> str | None:
    """The code of the value converted to a type that has the method, where the value itself allows it."""
    if isinstance(holder, bool):
        return None
    if isinstance(holder, int | float) and name in TEXT:
        return f"String({holder_code})"
    if not isinstance(holder, str):
        return None
    if name in _NUMBER and re.fullmatch(r"\s*-?\d+(?:\.\d+)?\s*", holder):
        return f"Number({holder_code})"
    if name in LIST_ONLY and _is_list_text(holder):
        return f"JSON.parse({holder_code})"
    if name in LIST_ONLY and (separators := [sign for sign in ",;|\n" if sign in holder]) and len(separators) == 1:
        shown = "\\n" if separators[0] == "\n" else separators[0]
        return f"{holder_code}.split('{shown}').map((entry) => entry.trim())"
    if not re.match(r"\d{4}-\d{2}-\d{2}", holder):
        return None
    return f"new Date({holder_code})" if name in _OLD_DATE else f"DateTime.fromISO({holder_code})" if name in _LUXON else None


def _is_list_text(text: str) -> bool:
    try:
        return isinstance(json.loads(text), list)
    except ValueError:
        return False


def method_names() -> frozenset[str]:
    """The methods of lists, texts, dates and n8n's own objects."""
    own = frozenset(("all", "first", "last", "itemMatching"))
    return own | frozenset((*_LIST, *TEXT, *_NUMBER, *_DATE))


def _methods_of(holder: object) -> tuple[str, ...]:
    if isinstance(holder, list):
        return _LIST
    if isinstance(holder, str):
        return TEXT
    if isinstance(holder, int | float):
        return _NUMBER
    return tuple(dict.fromkeys((*_LIST, *TEXT, *_NUMBER, *_DATE))) if holder is UNKNOWN else ()
