"""The fields that an HTTP Request node sends, however they are typed, and edits of their names and values."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from plugins.analyzers.rules.case import Case, Path
from plugins.analyzers.rules.fields import UNDEFINED, UNKNOWN, dig
from plugins.analyzers.rules.javascript import parse, source, walk
from plugins.analyzers.rules.json_texts import expression_value
from plugins.analyzers.rules.patch import Edit
from plugins.analyzers.rules.templates import Placeholder, is_template, placeholders

#: The lists of name and value pairs: in which part of the request each is sent.
PAIR_GROUPS = (
    ("bodyParameters", "parameters", "body"),
    ("bodyParametersUi", "parameter", "body"),
    ("queryParameters", "parameters", "query"),
    ("queryParametersUi", "parameter", "query"),
    ("headerParameters", "parameters", "header"),
    ("headerParametersUi", "parameter", "header"),
)
_TEXTS = (
    *(("jsonBody", "body"), ("bodyParametersJson", "body"), ("body", "body"), ("jsonQuery", "query")),
    *(("queryParametersJson", "query"), ("jsonHeaders", "header"), ("headerParametersJson", "header")),
)


@dataclass(frozen=True)
class Sent:
    """One field of a request. Name and value are whole parameters (pairs), or stretches of one text."""

    name: str
    #: ``body``, ``query`` or ``header``.
    place: str
    path: Path
    #: ``pair``, ``json`` (typed JSON), ``code`` (an object in an expression) or ``url``.
    style: str
    name_span: tuple[int, int] = (0, 0)
    #: Empty for a list or an object that is typed out.
    value_span: tuple[int, int] = (0, 0)


def sent_fields(case: Case) -> list[Sent]:
    """The fields of body, query and headers that the failing HTTP Request node sends."""
    found = list(_pairs(case))
    for key, place in _TEXTS:
        text = case.parameters.get(key)
        if isinstance(text, str):
            path: Path = ("parameters", key)
            found += list(_in_code(text, path, place) if _is_one_expression(text) else _in_json(text, path, place))
    url = case.parameters.get("url")
    return [*found, *_in_url(url)] if isinstance(url, str) else found


def _pairs(case: Case) -> Iterator[Sent]:
    for group, inner, place in PAIR_GROUPS:
        entries = dig(case.parameters, (group, inner))
        for index, entry in enumerate(entries if isinstance(entries, list) else ()):
            if isinstance(entry, dict) and isinstance(entry.get("name"), str):
                yield Sent(entry["name"], place, ("parameters", group, inner, index), "pair")


def _in_json(text: str, path: Path, place: str) -> Iterator[Sent]:
    masked = _masked(text)
    for found in re.finditer(r'"([^"\\]+)"\s*:\s*', masked):
        value = re.compile(r'"(?:[^"\\]|\\.)*"|[^\s,\]}\[{]+').match(masked, found.end())
        yield Sent(found.group(1), place, path, "json", found.span(1), value.span() if value else (0, 0))


def _in_code(text: str, path: Path, place: str) -> Iterator[Sent]:
    code = placeholders(text)[0]
    for node in walk(parse(f"({code.code})").root_node):
        key, value = node.child_by_field_name("key"), node.child_by_field_name("value")
        if node.type != "pair" or key is None or value is None or key.type not in ("property_identifier", "string"):
            continue
        offset = code.start - 1
        quoted = 1 if key.type == "string" else 0
        spans = [
            (_chars(code.code, entry.start_byte) + offset, _chars(code.code, entry.end_byte) + offset) for entry in (key, value)
        ]
        name_span = (spans[0][0] + quoted, spans[0][1] - quoted)
        yield Sent(source(key).strip("'\""), place, path, "code", name_span, spans[1])


def _chars(code: str, place: int) -> int:
    """Characters before a byte of the code in its brackets."""
    return len(f"({code})".encode()[:place].decode(errors="ignore"))


def _in_url(url: str) -> Iterator[Sent]:
    masked = _masked(url)
    for found in re.finditer(r"[?&]([\w.\-\[\]]+)=([^&#\s]*)", masked):
        yield Sent(found.group(1), "query", ("parameters", "url"), "url", found.span(1), found.span(2))


def _masked(text: str) -> str:
    """The text with its placeholders filled with zeros, so that no sign inside of them counts."""
    return re.sub(r"\{\{[\s\S]*?\}\}", lambda found: "0" * len(found.group()), text)


def _is_one_expression(text: str) -> bool:
    return is_template(text) and bool(re.fullmatch(r"=\s*\{\{[\s\S]*\}\}\s*", text)) and len(placeholders(text)) == 1


def renamed(case: Case, field: Sent, name: str) -> Edit | None:
    """The edit that sends the field under another name."""
    if field.style == "pair":
        return Edit(str(case.name), (*field.path, "name"), name)
    if field.style == "code" and not re.fullmatch(r"[A-Za-z_$][\w$]*", name):
        if not re.fullmatch(r"[\w$.\-]+", name):
            return None
        text = str(dig(case.node, field.path))
        name = name if text[field.name_span[0] - 1] in "'\"" else f"'{name}'"
    return _spliced(case, field, field.name_span, name)


def value_text(case: Case, field: Sent) -> str:
    """The value as it is typed."""
    if field.style == "pair":
        value = dig(case.node, (*field.path, "value"))
        return value if isinstance(value, str) else ""
    return str(dig(case.node, field.path))[slice(*field.value_span)]


def actual_value(case: Case, field: Sent) -> Any:
    """The value that was sent, as far as it is known."""
    request = case.error.request or {}
    for part in (request.get("body"), request.get("qs")):
        found = _inside(part, field.name) if field.place != "header" else UNDEFINED
        if found is not UNDEFINED:
            return found
    text = value_text(case, field)
    code = value_code(case, field)
    if code is not None:
        return expression_value(case, code)
    if field.style == "json":
        try:
            return json.loads(text)
        except ValueError:
            return UNKNOWN
    return UNKNOWN if "{{" in text else text.removeprefix("=") if field.style == "pair" else text


def _inside(value: Any, name: str) -> Any:
    if isinstance(value, dict):
        if name in value:
            return value[name]
        return next((found for entry in value.values() if (found := _inside(entry, name)) is not UNDEFINED), UNDEFINED)
    return UNDEFINED


def value_code(case: Case, field: Sent) -> str | None:
    """The code that gives the value, where the value is one expression and nothing else."""
    text = value_text(case, field).strip()
    if field.style == "code":
        return text
    bare = text.strip('"') if field.style == "json" else text.removeprefix("=")
    found: list[Placeholder] = placeholders(bare)
    return found[0].code.strip() if len(found) == 1 and re.fullmatch(r"\s*\{\{[\s\S]*\}\}\s*", bare) else None


def with_value(case: Case, field: Sent, value: Any) -> Edit | None:
    """The edit that sends a fixed value."""
    if field.style == "pair":
        text = value if isinstance(value, str) else f"={{{{ {json.dumps(value)} }}}}"
        return Edit(str(case.name), (*field.path, "value"), text)
    text = quote(str(value)) if field.style == "url" else json.dumps(value, ensure_ascii=False)
    return _spliced(case, field, field.value_span, text) if field.value_span[1] else None


def with_code(case: Case, field: Sent, change: Callable[[str], str]) -> Edit | None:
    """The edit that sends what the changed code gives; None where the value is not one expression."""
    code = value_code(case, field)
    if code is None:
        return None
    new = change(code)
    if field.style == "pair":
        return Edit(str(case.name), (*field.path, "value"), f"={{{{ {new} }}}}")
    text = new if field.style == "code" else f"{{{{ {new} }}}}" if field.style == "url" else f"{{{{ JSON.stringify({new}) }}}}"
    return _spliced(case, field, field.value_span, text)


def _spliced(case: Case, field: Sent, span: tuple[int, int], new: str) -> Edit:
    text = str(dig(case.node, field.path))
    return Edit(str(case.name), field.path, text[: span[0]] + new + text[span[1] :])


def added(case: Case, name: str, code: str, place: str | None) -> list[Edit] | None:
    """The edits that send one more field, whose value is what the code gives."""
    node, value = str(case.name), f"={{{{ {code} }}}}"
    method = str(case.parameters.get("method") or case.parameters.get("requestMethod") or "GET").upper()
    where = place or ("body" if method in ("POST", "PUT", "PATCH") else "query")
    for group, inner, part in PAIR_GROUPS:
        entries = dig(case.parameters, (group, inner))
        if part == where and isinstance(entries, list):
            return [Edit(node, ("parameters", group, inner, len(entries)), {"name": name, "value": value})]
    for key, part in _TEXTS:
        text = case.parameters.get(key)
        if part == where and isinstance(text, str):
            return _added_to_text(node, key, text, name, code)
    if float(case.node.get("typeVersion") or 1) < 3 or where == "header":
        return None
    switch, group = ("sendBody", "bodyParameters") if where == "body" else ("sendQuery", "queryParameters")
    pairs = {"parameters": [{"name": name, "value": value}]}
    return [Edit(node, ("parameters", switch), True), Edit(node, ("parameters", group), pairs)]


def _added_to_text(node: str, key: str, text: str, name: str, code: str) -> list[Edit] | None:
    start = re.match(r"=?\s*\{(?!\{)", text)
    if start is None or not re.search(r'"\s*:', text):
        return None
    template = text if text.startswith("=") else f"={text}"
    place = start.end() + len(template) - len(text)
    new = f'{template[:place]} "{name}": {{{{ JSON.stringify({code}) }}}},{template[place:]}'
    return [Edit(node, ("parameters", key), new)]
