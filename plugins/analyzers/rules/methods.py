"""JavaScript's methods by the type of the value, and what is meant by names that other languages and n8n's expressions use."""

from __future__ import annotations

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


def meant_method(name: str, holder: object, holder_code: str) -> str | None:
    """The method that was meant by a name which the value does not have."""
    methods = _STATIC.get(holder_code) or _methods_of(holder)
    other = _OTHER_LANGUAGES.get(name)
    return other if other in methods else closest(name, methods, 75)


def plain_call(name: str, holder_code: str) -> str | None:
    """Plain JavaScript for ``value.name()`` where only n8n's expressions know that function."""
    form = _ONLY_IN_EXPRESSIONS.get(name)
    return form.replace("{}", holder_code) if form else None


def _methods_of(holder: object) -> tuple[str, ...]:
    if isinstance(holder, list):
        return _LIST
    if isinstance(holder, str):
        return TEXT
    if isinstance(holder, int | float):
        return _NUMBER
    return tuple(dict.fromkeys((*_LIST, *TEXT, *_NUMBER))) if holder is UNKNOWN else ()
