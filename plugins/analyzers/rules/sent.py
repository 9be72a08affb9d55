"""What an HTTP request sent, compared with what the service's answer says about it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from hub.plugin_api import Quote
from plugins.analyzers.rules.case import Case, Path
from plugins.analyzers.rules.fields import UNDEFINED, closest, dig, find_path, render
from plugins.analyzers.rules.patch import Edit
from plugins.analyzers.rules.rule import Finding, regex
from plugins.analyzers.rules.templates import is_template, placeholders, rewrite

_NAME = r"([A-Za-z_][\w.\-]*)"
_NAMING_KEYS = frozenset(("field", "param", "parameter", "property", "attribute", "argument", "pointer", "loc", "path", "key"))
_GROUPING_KEYS = frozenset(("errors", "fields", "details", "violations", "validation_errors", "invalid_params"))
_SENTENCES = tuple(
    regex(pattern)
    for pattern in (
        rf"[\"'`‘“]{_NAME}[\"'`’”]",
        rf"(?:parameter|field|property|argument|attribute|param|column)s?\s*(?:named|called)?\s*:?\s*{_NAME}\b",
        rf"\b{_NAME}\s+(?:is|are|was|field is)\s+(?:a\s+)?(?:required|missing|mandatory|not present|invalid"
        rf"|undefined|empty|unknown)",
        rf"\b{_NAME}\s+(?:must|should|can't|cannot|may not|has to|needs to)\b",
        rf"(?:missing|requires?|unknown|unexpected|expected)\s*:?\s*{_NAME}",
    )
)
_NO_NAMES = frozenset(
    (
        *(
            "field",
            "fields",
            "parameter",
            "parameters",
            "property",
            "the",
            "a",
            "an",
            "is",
            "are",
            "was",
            "be",
            "value",
            "body",
            "request",
            "query",
        ),
        *(
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
            "one",
        ),
    )
)
_ONE_OF = regex(
    r"(?:one of|allowed(?: values)?(?: are)?|valid values(?: are)?|permitted values(?: are)?|expected one "
    r"of)\s*:?\s*[\[({]?([^\])}\n]+)"
)
_TYPES = regex(
    r"(?:must|should|has to|needs to|expected|expects|type|not of type|not a valid|invalid)\b[^.;\n]{0,25}?"
    r"\b(numbers?|integers?|int|numeric|floats?|decimal|strings?|text|booleans?|bool|arrays?|lists?)\b"
)
_TYPE_NAMES = {
    "n": "number",
    "i": "number",
    "f": "number",
    "d": "number",
    "s": "string",
    "t": "string",
    "b": "boolean",
    "a": "array",
    "l": "array",
}
_FORMATS = {
    "json": (regex(r"application/(?:[\w.]+\+)?json|\bjson\b"), "application/json"),
    "form-urlencoded": (
        regex(r"x-www-form-urlencoded|form[- ]url[- ]?encoded|urlencoded form"),
        "application/x-www-form-urlencoded",
    ),
    "multipart-form-data": (regex(r"multipart(?:/form-data)?"), "multipart/form-data"),
}


@dataclass(frozen=True)
class Sent:
    """One field of a request: where its name and its value stand in the node; ``json_text`` where both are in a JSON text."""

    name: str
    name_path: Path
    value_path: Path
    json_text: bool = False


def sent_fields(case: Case) -> list[Sent]:
    """The fields of body and query that the failing HTTP Request node sends."""
    found: list[Sent] = []
    for group in ("bodyParameters", "queryParameters"):
        entries = dig(case.parameters, (group, "parameters"))
        for index, entry in enumerate(entries if isinstance(entries, list) else ()):
            if isinstance(entry, dict) and isinstance(entry.get("name"), str):
                path: Path = ("parameters", group, "parameters", index)
                found.append(Sent(entry["name"], (*path, "name"), (*path, "value")))
    for key in ("jsonBody", "jsonQuery"):
        body = case.parameters.get(key)
        if isinstance(body, str):
            names = re.findall(r'"([^"\\{}]+)"\s*:', body)
            found += [Sent(name, ("parameters", key), ("parameters", key), json_text=True) for name in names]
    return found


def complained_names(case: Case) -> list[str]:
    """The names that the answer complains about, the surest first."""
    names = list(_named_by_keys(case.answer))
    for line in case.answer_text.splitlines() or [case.words]:
        for sentence in _SENTENCES:
            names += sentence.findall(line)
    cleaned = (re.split(r"[./\[]", name.strip("/."))[-1].rstrip("]") for name in names)
    return [name for name in dict.fromkeys(cleaned) if name and name.lower() not in _NO_NAMES]


def _named_by_keys(answer: Any) -> Iterator[str]:
    if isinstance(answer, list):
        for entry in answer:
            yield from _named_by_keys(entry)
    elif isinstance(answer, dict):
        for key, value in answer.items():
            if key.lower() in _NAMING_KEYS:
                last = value[-1] if isinstance(value, list) and value else value
                if isinstance(last, str):
                    yield last
            if key.lower() in _GROUPING_KEYS and isinstance(value, dict):
                yield from value
            yield from _named_by_keys(value)


def rejected_field(case: Case) -> Finding | None:
    """A field that the service misses or does not accept, with the edit that sends it as wanted."""
    if case.kind != "httpRequest":
        return None
    fields = sent_fields(case)
    by_name = {field.name: field for field in fields}
    names = complained_names(case)
    for name in names:
        edit = _other_value(case, by_name[name]) if name in by_name else _renamed(case, name, fields, names) or _added(case, name)
        if edit:
            words = {"field": name, "change": f"‘{_shown(edit)}’"}
            return Finding(words=words, edits=(edit,), quotes=(Quote(pointer="/error/messages/0", quote=name),))
    return Finding(words={"field": names[0]}) if names else None


def _shown(edit: Edit) -> str:
    return str(edit.value)[:80]


def _renamed(case: Case, wanted: str, fields: list[Sent], complained: list[str]) -> Edit | None:
    """The sent field that was meant to be the missing one, renamed."""
    allowed = [field.name for field in fields if field.name not in complained or _is_unknown(case, field.name)]
    name = closest(wanted, allowed)
    field = next((entry for entry in fields if entry.name == name), None)
    if field is None:
        return None
    if not field.json_text:
        return Edit(str(case.name), field.name_path, wanted)
    body = str(dig(case.node, field.name_path))
    if body.count(f'"{field.name}"') != 1:
        return None
    return Edit(str(case.name), field.name_path, body.replace(f'"{field.name}"', f'"{wanted}"'))


def _is_unknown(case: Case, name: str) -> bool:
    return bool(
        re.search(
            rf"(?:unknown|unexpected|unrecogni[sz]ed|not allowed|additional)[^.\n]*\b{re.escape(name)}\b",
            case.words,
            re.IGNORECASE,
        )
    )


def _added(case: Case, wanted: str) -> Edit | None:
    """A missing field that the input holds under the same name, added to the fields that are sent."""
    if not re.search(
        rf"(?:required|missing|blank|empty|provide|must have)[^\n]*\b{re.escape(wanted)}\b"
        rf"|\b{re.escape(wanted)}\b[^\n]*(?:required|missing|blank)",
        case.words,
        re.IGNORECASE,
    ):
        return None
    found = find_path(case.item, wanted, lambda value: isinstance(value, str | int | float) and value != "")
    group = "queryParameters" if re.search(r"query", case.words, re.IGNORECASE) else "bodyParameters"
    entries = dig(case.parameters, (group, "parameters"))
    if not found or str(found[0][-1]) != wanted or not isinstance(entries, list):
        return None
    value = {"name": wanted, "value": f"={{{{ $json{render(found[0])} }}}}"}
    return Edit(str(case.name), ("parameters", group, "parameters", len(entries)), value)


def _other_value(case: Case, field: Sent) -> Edit | None:
    """The value of a field that must be one of a few, brought to the one that was meant."""
    found = _ONE_OF.search(case.answer_text or case.words)
    value = dig(case.node, field.value_path)
    if not found or field.json_text or not isinstance(value, str):
        return None
    allowed = [entry.strip(" \"'`.") for entry in re.split(r",|\||\bor\b|\band\b", found.group(1)) if entry.strip(" \"'`.")]
    actual = str(_actual(case, field.name) if is_template(value) else value)
    meant = next((entry for entry in allowed if entry.lower() == actual.lower()), None) or closest(actual, allowed)
    if meant is None or meant == actual:
        return None
    if not is_template(value):
        return Edit(str(case.name), field.value_path, meant)
    change = "toLowerCase" if meant == actual.lower() else "toUpperCase" if meant == actual.upper() else None
    new = rewrite(value, lambda code: f" ({code.strip()}).{change}() ") if change else None
    return Edit(str(case.name), field.value_path, new) if new else None


def _actual(case: Case, name: str) -> Any:
    """The value that was sent under a name."""
    request = case.error.request or {}
    for part in (request.get("body"), request.get("qs")):
        if isinstance(part, dict) and name in part:
            return part[name]
    return UNDEFINED


def rejected_type(case: Case) -> Finding | None:
    """A field that the service wants in another type than was sent."""
    found = _TYPES.search(case.answer_text)
    if not found or case.kind != "httpRequest":
        return None
    wanted = _TYPE_NAMES[found.group(1)[0].lower()]
    field = next((entry for name in complained_names(case) for entry in sent_fields(case) if entry.name == name), None)
    if field is None:
        return None
    actual = _actual(case, field.name)
    if actual is UNDEFINED or _type_of(actual) == wanted:
        return None
    words = {"field": field.name, "type": wanted}
    edit = _converted(case, field, wanted) if _converts(actual, wanted) else None
    return Finding(words=words, edits=(edit,) if edit else ())


def _type_of(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    return (
        "number"
        if isinstance(value, int | float)
        else "string"
        if isinstance(value, str)
        else "array"
        if isinstance(value, list)
        else "object"
    )


def _converts(value: Any, wanted: str) -> bool:
    if wanted == "number":
        return bool(re.fullmatch(r"\s*-?\d+(?:\.\d+)?\s*", str(value)))
    if wanted == "boolean":
        return str(value).lower() in ("true", "false", "1", "0")
    return wanted == "array" or not isinstance(value, dict | list)


def _converted(case: Case, field: Sent, wanted: str) -> Edit | None:
    text = dig(case.node, field.value_path)
    if not isinstance(text, str):
        return None
    if field.json_text:
        new = _in_json_text(text, field.name, wanted)
    elif is_template(text) and len(placeholders(text)) == 1 and re.fullmatch(r"=\s*\{\{[\s\S]*\}\}\s*", text):
        new = rewrite(text, lambda code: f" {_conversion(code.strip(), wanted)} ")
    elif "{{" not in text:
        new = f"={{{{ {_conversion(json.dumps(text.removeprefix('=')), wanted)} }}}}"
    else:
        new = None
    return Edit(str(case.name), field.value_path, new) if new else None


def _conversion(code: str, wanted: str) -> str:
    if wanted == "number":
        return f"Number({code})"
    if wanted == "boolean":
        return f"['true', '1'].includes(String({code}).toLowerCase())"
    return f"[].concat({code})" if wanted == "array" else f"String({code})"


def _in_json_text(body: str, name: str, wanted: str) -> str | None:
    """The JSON text with the quotes around a number or boolean taken away."""
    pattern = re.compile(rf'("{re.escape(name)}"\s*:\s*)"([^"]*)"')
    found = pattern.search(body)
    if not found or wanted not in ("number", "boolean"):
        return None
    return body[: found.start()] + found.group(1) + found.group(2) + body[found.end() :]


def other_media_type(case: Case) -> Finding:
    """The format that a 415 asks for, and the edit that sends it."""
    current = str(case.parameters.get("contentType", "json"))
    named = [key for key, (pattern, _) in _FORMATS.items() if pattern.search(case.answer_text)]
    wanted = next((key for key in named if key != current), None)
    certainty = 1.0
    if wanted is None and current != "json":
        wanted, certainty = "json", 0.7
    header = _content_type_header(case)
    if wanted is None and header and current == "json":
        wanted = "json"
    if wanted is None or case.kind != "httpRequest":
        return Finding(words={"format": "?"})
    mime = _FORMATS[wanted][1]
    edits = (Edit(str(case.name), header, mime),) if header else _format_edits(case, current, wanted, mime)
    return Finding(words={"format": mime}, edits=edits, certainty=certainty)


def _content_type_header(case: Case) -> Path | None:
    entries = dig(case.parameters, ("headerParameters", "parameters"))
    for index, entry in enumerate(entries if isinstance(entries, list) else ()):
        if isinstance(entry, dict) and str(entry.get("name", "")).strip().lower() == "content-type":
            return ("parameters", "headerParameters", "parameters", index, "value")
    return None


def _format_edits(case: Case, current: str, wanted: str, mime: str) -> tuple[Edit, ...]:
    name = str(case.name)
    if current == "raw":
        return (Edit(name, ("parameters", "rawContentType"), mime),) if wanted == "json" else ()
    has_pairs = bool(dig(case.parameters, ("bodyParameters", "parameters")))
    if not has_pairs or case.parameters.get("specifyBody", "keypair") != "keypair":
        return ()
    return (Edit(name, ("parameters", "contentType"), wanted),)
