"""Brings values to the shape that a service wants: spelling, lists as text, fields inside lists, the body below a key."""

from __future__ import annotations

import json
import re
from typing import Any

from plugins.analyzers.rules.case import Case
from plugins.analyzers.rules.complaints import Complaint
from plugins.analyzers.rules.fields import UNDEFINED, UNKNOWN, dig
from plugins.analyzers.rules.javascript import parse, source
from plugins.analyzers.rules.json_texts import expression_value
from plugins.analyzers.rules.patch import Edit
from plugins.analyzers.rules.rule import regex
from plugins.analyzers.rules.sent import Sent, actual_value, value_code, with_code, with_value
from plugins.analyzers.rules.templates import placeholders

_UPPER = regex(r"upper[- ]?case|in capitals|capital letters|gro(?:ß|ss)buchstaben|majuscules|mayúsculas")
_LOWER = regex(r"lower[- ]?case|small letters|kleinbuchstaben|minuscules|minúsculas")
#: Rules for passwords: one letter of the kind is enough.
_CONTAINS = regex(r"contain|include|at least|one (?:upper|lower)|or (?:upper|lower)|and (?:upper|lower)|password")
_COMMAS = regex(r"comma[- ]?(?:separated|delimited)|separated by commas?|kommagetrennt|csv list")
_ROOT = (
    regex(r"param(?:eter)? is missing or the value is empty(?: or invalid)?:\s*[:\"'`]?(\w+)"),
    regex(r"must be an? (?:JSON )?object with (?:the|an?) (?:property|key|field|member)\s*[\"'`‘“](\w+)"),
    regex(r"(?:wrapped|nested|enclosed) (?:in|under|inside|within|below)[^\"'`‘“.\n]{0,30}[\"'`‘“](\w+)"),
    regex(r"missing (?:the )?(?:root|top[- ]level) (?:key|element|property|member|object|node)\s*:?\s*[\"'`‘“]?(\w+)"),
    regex(r"missing [\"'`‘“](\w+)[\"'`’”] (?:member|key|property|object) at (?:the )?(?:document'?s? )?(?:top|root)"),
)
_MAY_LACK = regex(
    r"\bomit|leave (?:it |the field )?out|left out|be absent|\boptional\b|(?:if|when) (?:present|provided|given|set)"
)
_CHAIN = re.compile(r"\$json((?:\.[A-Za-z_$][\w$]*)+)")


def in_case(case: Case, complaint: Complaint, field: Sent) -> Edit | None:
    """The value in capitals or in small letters, where the service wants it so."""
    value = actual_value(case, field)
    upper, lower = bool(_UPPER.search(complaint.text)), bool(_LOWER.search(complaint.text))
    if not isinstance(value, str) or upper == lower or _CONTAINS.search(complaint.text):
        return None
    new = value.upper() if upper else value.lower()
    form = "toUpperCase" if upper else "toLowerCase"
    if new == value:
        return None
    code = value_code(case, field)
    return with_code(case, field, lambda code: f"String({code}).{form}()") if code else with_value(case, field, new)


def wants_commas(complaint: Complaint) -> bool:
    """Whether the service wants one text with commas."""
    return bool(_COMMAS.search(complaint.text))


def with_commas(case: Case, complaint: Complaint, field: Sent) -> Edit | None:
    """A list as one text with commas, where the service wants it so."""
    value = actual_value(case, field)
    if not wants_commas(complaint) or not isinstance(value, list):
        return None
    if not all(isinstance(entry, str | int | float) for entry in value):
        return None
    return with_code(case, field, lambda code: f"[].concat({code}).join(',')")


def dotted_key(case: Case, field: Sent) -> Edit | None:
    """``$json['ship.city']`` for ``$json.ship.city``, where the item has the one and not the other."""
    code = value_code(case, field)
    changed = _CHAIN.sub(lambda found: _as_key(found.group(1), case.item) or found.group(), code) if code else code
    return with_code(case, field, lambda _: str(changed)) if changed != code else None


def _as_key(chain: str, item: dict[str, Any]) -> str | None:
    names = chain.strip(".").split(".")
    if names[0] in item:
        return None
    for length in range(len(names), 1, -1):
        key = ".".join(names[:length])
        if key in item:
            return f"$json[{json.dumps(key)}]".replace('"', "'") + "".join(f".{name}" for name in names[length:])
    return None


def kept_fallback(case: Case, field: Sent) -> Edit | None:
    """``a?.b ?? 0`` for ``a.b ?? 0``, whose fallback is never reached because ``a`` is null."""
    code = value_code(case, field)
    found = re.match(r"\$json((?:\.[A-Za-z_$][\w$]*){2,})\s*(?:\?\?|\|\|)", code) if code else None
    if code is None or found is None:
        return None
    names = found.group(1).strip(".").split(".")
    holder = dig(case.item, tuple(names[:-1]))
    if holder is not None and holder is not UNDEFINED:
        return None
    chain = f"$json.{names[0]}" + "".join(f"?.{name}" for name in names[1:])
    return with_code(case, field, lambda _: chain + str(code)[found.end(1) :])


def left_out(case: Case, complaint: Complaint, field: Sent) -> Edit | None:
    """A field that is sent as null, not sent then, where the service says that it may be left out."""
    value = actual_value(case, field)
    if value is not None or field.place != "body" or field.style not in ("pair", "code"):
        return None
    if not _MAY_LACK.search(f"{complaint.text}\n{complaint.around}"):
        return None
    return with_code(case, field, lambda code: f"{code} ?? undefined") if "??" not in (value_code(case, field) or "??") else None


def inner_values(case: Case, field: Sent, path: tuple[str | int, ...]) -> tuple[str, list[Any]] | None:
    """The name of the field at the path inside a sent list or object, and its values in all entries."""
    value = actual_value(case, field)
    steps = path[1:]
    if isinstance(value, list) and len(steps) == 2 and isinstance(steps[0], int):
        entries, name = value, steps[1]
    elif isinstance(value, dict) and len(steps) == 1:
        entries, name = [value], steps[0]
    else:
        return None
    if not entries or not all(isinstance(entry, dict) for entry in entries):
        return None
    key = next((key for key in entries[0] if key.lower() == str(name).lower()), None)
    return (key, [entry.get(key) for entry in entries]) if key else None


def with_inner(case: Case, field: Sent, name: str, form: str) -> Edit | None:
    """The sent list or object, with one field of each entry converted by ``form`` (its ``{}`` is the value)."""
    if not re.fullmatch(r"[A-Za-z_$][\w$]*", name):
        return None
    if isinstance(actual_value(case, field), list):
        changed = f"({{ ...entry, {name}: {form.replace('{}', f'entry.{name}')} }})"
        return with_code(case, field, lambda code: f"[].concat({code}).map((entry) => {changed})")
    return with_code(case, field, lambda code: f"({{ ...{code}, {name}: {form.replace('{}', f'({code}).{name}')} }})")


def missing_root(case: Case) -> str | None:
    """The key below which the service wants the whole body."""
    found = next((match for pattern in _ROOT if (match := pattern.search(case.words))), None)
    return found.group(1) if found else None


def below_root(case: Case, key: str) -> list[Edit] | None:
    """The edits that send the whole body below the key."""
    body = (case.error.request or {}).get("body")
    # A value of that name is a field to add, not a level.
    if (
        isinstance(case.item.get(key), str | int | float)
        or (isinstance(body, dict | str) and key in body)
        or not case.parameters.get("sendBody")
    ):
        return None
    name, text = str(case.name), case.parameters.get("jsonBody")
    if case.parameters.get("specifyBody") == "json" and isinstance(text, str):
        new = _wrapped(case, text, key)
        return [Edit(name, ("parameters", "jsonBody"), new)] if new else None
    entries = dig(case.parameters, ("bodyParameters", "parameters"))
    if case.parameters.get("contentType", "json") != "json" or not isinstance(entries, list) or not entries:
        return None
    fields = [_property(entry) for entry in entries]
    if not all(fields):
        return None
    body = f"={{{{ {{ {key}: {{ {', '.join(str(field) for field in fields)} }} }} }}}}"
    return [Edit(name, ("parameters", "specifyBody"), "json"), Edit(name, ("parameters", "jsonBody"), body)]


def _wrapped(case: Case, text: str, key: str) -> str | None:
    if re.match(r"=?\s*\{\{[\s\S]*\}\}\s*$", text) and len(placeholders(text)) == 1:
        code = placeholders(text)[0].code.strip()
        inner = re.fullmatch(r"JSON\.stringify\(([\s\S]*)\)", code)
        if inner and _is_one_value(inner.group(1)):
            return f"={{{{ JSON.stringify({{ {key}: {inner.group(1).strip()} }}) }}}}"
        value = expression_value(case, code)
        whole = isinstance(value, dict | list) or (value is UNKNOWN and code.startswith("{"))
        return f"={{{{ {{ {key}: {code} }} }}}}" if whole and _is_one_value(code) else None
    bare = text.removeprefix("=")
    if not re.match(r"\s*(?:\{(?!\{)|\[)", bare):
        return None
    return ("=" if text.startswith("=") else "") + f'{{"{key}": {bare.strip()} }}'


def _is_one_value(code: str) -> bool:
    """Whether the code is one complete value, not the arguments of a call."""
    root = parse(f"({code})").root_node
    inner = (
        root.named_children[0].named_children if len(root.named_children) == 1 and root.named_children[0].named_children else []
    )
    kinds = [child.named_children[0].type for child in inner if child.named_children]
    return not root.has_error and "sequence_expression" not in kinds and bool(source(root))


def _property(entry: Any) -> str | None:
    """``guest: $json.guest`` of one name and value pair."""
    if not isinstance(entry, dict) or not re.fullmatch(r"[A-Za-z_$][\w$]*", str(entry.get("name", ""))):
        return None
    value = entry.get("value")
    if not isinstance(value, str):
        return f"{entry['name']}: {json.dumps(value)}"
    if not value.startswith("="):
        return f"{entry['name']}: {json.dumps(value, ensure_ascii=False)}"
    whole = re.fullmatch(r"=\s*\{\{((?:(?!\}\})[\s\S])*)\}\}\s*", value)
    return f"{entry['name']}: {whole.group(1).strip()}" if whole else None
