"""What a service's answer complains about: names of fields with the words about each, from whatever shape the answer has."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from plugins.analyzers.rules.case import Case, walk_texts
from plugins.analyzers.rules.rule import regex

_NAME = r"([A-Za-z_$][\w.\-]*)"
#: Keys whose value names a field, by the formats that use them (RFC 9457, JSON:API, FastAPI, Zod, AJV, Stripe, Google, …).
_NAMING_KEYS = frozenset(
    (
        *("field", "fieldname", "param", "parameter", "property", "propertyname", "attribute", "argument", "target", "header"),
        *("pointer", "loc", "path", "key", "instancepath", "datapath", "missingproperty", "additionalproperty"),
    )
)
_TEXT_KEYS = frozenset(("message", "msg", "detail", "details", "description", "reason", "title", "error", "code", "type", "rule"))
_VALUES_KEYS = frozenset(
    ("allowed", "allowedvalues", "enum", "options", "choices", "permitted", "accepted", "validvalues", "values", "expected")
)
_GROUPING_KEYS = frozenset(
    ("errors", "error", "fields", "details", "violations", "validationerrors", "invalidparams", "messages")
)
#: Keys of an answer that are never names of fields.
_ENVELOPE = frozenset(
    (
        *("message", "error", "errors", "detail", "details", "title", "status", "statuscode", "code", "type", "msg", "reason"),
        *("description", "hint", "instance", "traceid", "requestid", "timestamp", "path", "documentationurl", "success", "ok"),
        *("url", "method", "help", "moreinfo", "category", "correlationid", "errorcode", "exception", "stack", "cause", "data"),
    )
)
_SENTENCES = tuple(
    regex(pattern)
    for pattern in (
        rf"[\"'`‘“]{_NAME}[\"'`’”]",
        rf"\b(?:parameter|field|property|argument|attribute|param|column|header|value (?:for|of))s?\b\s*(?:named\b"
        rf"|called\b|name\b)?\s*:?\s*"
        rf"{_NAME}",
        rf"\b{_NAME}\s+(?:is|are|was|field is)\s+(?:a\s+)?(?:required|missing|mandatory|not|invalid|undefined|empty|unknown)\b",
        rf"\b{_NAME}\s+(?:must|should|shall|can't|cannot|may not|has to|needs to|expects?)\b",
        rf"\b(?:missing|requires?|unknown|unexpected|expected|invalid|provide)\b\s*:?\s*{_NAME}",
        rf"(?:^|[;,\n])\s*{_NAME}\s*:\s*(?:expected|must|required|missing|invalid|should|not|field|value|can't|cannot|is)\b",
        rf"\bbody[./]{_NAME}",
    )
)
_NO_NAMES = frozenset(
    [
        "field",
        "fields",
        "parameter",
        "parameters",
        "attribute",
        "attributes",
        "argument",
        "arguments",
        "param",
        "params",
        "column",
        "property",
        "properties",
        "the",
        "a",
        "an",
        "is",
        "are",
        "was",
        "be",
        "value",
        "values",
        "body",
        "request",
        "query",
        "header",
        "headers",
        "required",
        "missing",
        "invalid",
        "not",
        "to",
        "of",
        "in",
        "for",
        "must",
        "it",
        "this",
        "that",
        "validation",
        "failed",
        "error",
        "errors",
        "one",
        "input",
        "string",
        "number",
        "integer",
        "boolean",
        "array",
        "object",
        "null",
        "undefined",
        "int",
        "float",
        "bool",
        "list",
        "text",
        "date",
        "type",
        "format",
        "json",
        "content",
        "data",
        "payload",
        "post",
        "put",
        "patch",
        "get",
        "delete",
        "your",
        "you",
        "please",
        "or",
        "and",
        "with",
        "by",
        "at",
        "least",
        "and/or",
        "true",
        "false",
        "be",
        "valid",
        "item",
        "items",
        "name:",
        "key",
    ]
)
_UNKNOWN = regex(
    r"unknown|unexpected|unrecogni[sz]ed|additional|not (?:allowed|permitted|supported)|does not exist|doesn't exist|no such"
    r"|cannot find|extra (?:field|input)|unsupported|not a valid (?:field|property|parameter)"
)
_MISSING = regex(
    r"required|missing|blank|empty|must be (?:present|provided|set|given)|must have|not (?:be null|provided|present|set|found)"
    r"|undefined|should be defined|need(?:s|ed)?\b|provide|can't be null|null value|expects? (?:a )?(?:field|parameter|property)"
)


@dataclass(frozen=True)
class Complaint:
    """One field that the service is not content with, and what it says about it."""

    name: str
    text: str
    #: ``body``, ``query`` or ``header`` where the answer says in which part of the request the field belongs.
    place: str | None = None
    #: The values that the service takes, where the answer lists them apart from its words.
    allowed: tuple[str, ...] = ()
    #: The sentences around: bounds and values may stand in the next one.
    around: str = ""
    #: The whole path in the body, where the answer gives more than a name: ``("lines", 0, "quantity")``.
    path: tuple[str | int, ...] = ()

    @property
    def is_unknown(self) -> bool:
        """Whether the service does not know a field of that name."""
        return bool(_UNKNOWN.search(self.text))

    @property
    def is_missing(self) -> bool:
        """Whether the service misses the field."""
        return bool(_MISSING.search(self.text)) and not self.is_unknown


def complaints(case: Case) -> list[Complaint]:
    """The complaints of the answer, those of its own structure before those of its sentences."""
    found = list(_structured(case.answer))
    named = {complaint.name for complaint in found}
    lines = case.answer_text.splitlines() or [case.words]
    found += [complaint for line in lines for complaint in _spoken(line) if complaint.name not in named]
    return list(dict.fromkeys(complaint for complaint in found if complaint.name.lower() not in _NO_NAMES))


def complained_names(case: Case) -> list[str]:
    """The names that the answer complains about, the surest first."""
    return list(dict.fromkeys(complaint.name for complaint in complaints(case)))


def _spoken(line: str) -> Iterator[Complaint]:
    for sentence in re.split(r"(?<=[.;!])\s+", line):
        names = dict.fromkeys(name for pattern in _SENTENCES for name in pattern.findall(sentence))
        for name in names:
            yield Complaint(_last(name), sentence, _place(sentence), (), line)


def _structured(answer: Any, grouped: bool = False) -> Iterator[Complaint]:
    if isinstance(answer, list):
        for entry in answer:
            yield from _structured(entry)
        return
    if not isinstance(answer, dict):
        return
    keys = {_plain(key): value for key, value in answer.items()}
    name = _named(keys)
    if name:
        yield Complaint(name, _text(answer), _place_of(keys), _allowed(keys), path=_steps(_name_of(keys)))
        if any(_plain(key) in ("invalidparams", "errors", "details") for key in answer):
            yield from _inside(answer)
        return
    for key, value in answer.items():
        if _plain(key) not in _ENVELOPE and _is_verdict(value, grouped):
            yield Complaint(
                _last(key), " ".join(text for _, text in walk_texts(value)), None, _allowed_in(value), path=_steps(key)
            )
    yield from _inside(answer)


def _inside(answer: dict[str, Any]) -> Iterator[Complaint]:
    for key, value in answer.items():
        if isinstance(value, dict | list):
            yield from _structured(value, grouped=_plain(key) in _GROUPING_KEYS)


def _named(keys: dict[str, Any]) -> str | None:
    """The field that an entry of the answer is about, without the path to it."""
    value = _name_of(keys)
    return _last(str(value[-1] if isinstance(value, list) else value)) if value else None


def _name_of(keys: dict[str, Any]) -> Any:
    """What names the field of an entry: a name, a pointer or a list of steps."""
    source = keys.get("source")
    inner = {_plain(key): value for key, value in source.items()} if isinstance(source, dict) else {}
    for key, value in (*inner.items(), *keys.items()):
        last = value[-1] if isinstance(value, list) and value else value
        # Many services repeat the path of the call: it is no field.
        if key in _NAMING_KEYS and isinstance(last, str) and not (key == "path" and last.startswith("/")) and _last(last):
            return value
    said = any(key in keys for key in ("reason", "message", "detail", "msg"))
    name = keys.get("name")
    return name if said and isinstance(name, str) and not name.endswith(("Error", "Exception")) else None


def _steps(name: Any) -> tuple[str | int, ...]:
    """The steps of ``lines[0].quantity``, ``/lines/0/quantity`` or ``["body", "lines", 0, "quantity"]``; none of a mere name."""
    parts = name if isinstance(name, list) else [part for part in re.split(r"[./\[\]]+", str(name or "").strip("$#")) if part]
    steps = tuple(int(part) if str(part).isdigit() else str(part).strip("'\"") for part in parts)
    steps = steps[1:] if steps and steps[0] in ("body", "query", "header", "headers") else steps
    return steps if len(steps) > 1 else ()


def _is_verdict(value: Any, grouped: bool) -> bool:
    """Whether a value is what a service says about the field that is its key."""
    texts = [value] if isinstance(value, str) else value if isinstance(value, list) and value else []
    if not texts:
        return False
    if isinstance(value, list) and all(isinstance(entry, dict) for entry in value):
        return grouped and all("message" in entry or "error" in entry or "code" in entry for entry in value)
    words = regex(r"required|blank|missing|invalid|must|should|can't|cannot|not |is too|expected|unknown|valid")
    return all(isinstance(entry, str) for entry in texts) and (grouped or any(words.search(entry) for entry in texts))


def _text(entry: dict[str, Any]) -> str:
    """The words of an entry, without what names the field."""
    return " ".join(text for path, text in walk_texts(entry) if _plain(str(path[-1])) not in _NAMING_KEYS)


def _allowed(keys: dict[str, Any]) -> tuple[str, ...]:
    for holder in (keys, *(value for key, value in keys.items() if key in ("ctx", "params", "meta", "context", "constraints"))):
        for key, value in holder.items() if isinstance(holder, dict) else ():
            if _plain(key) in _VALUES_KEYS and isinstance(value, list) and all(isinstance(entry, str | int) for entry in value):
                return tuple(str(entry) for entry in value)
    return ()


def _allowed_in(value: Any) -> tuple[str, ...]:
    first = value[0] if isinstance(value, list) and value else value
    return _allowed({_plain(key): entry for key, entry in first.items()}) if isinstance(first, dict) else ()


def _place_of(keys: dict[str, Any]) -> str | None:
    location = keys.get("loc") or keys.get("location") or keys.get("in")
    first = location[0] if isinstance(location, list) and location else location
    source = keys.get("source")
    if isinstance(source, dict) and "header" in source:
        return "header"
    if isinstance(source, dict) and "parameter" in source:
        return "query"
    return _place(str(first)) if first else None


def _place(text: str) -> str | None:
    found = re.search(r"\b(query|header|body)", text, re.IGNORECASE)
    return found.group(1).lower() if found else None


def _plain(key: str) -> str:
    return re.sub(r"[\s_\-]", "", key).lower()


def _last(name: str) -> str:
    """The last part of ``/data/attributes/title``, ``body.customer.email`` or ``$.email``."""
    return re.split(r"[./\[]", name.strip("/.$ "))[-1].rstrip("]").strip("'\"")
