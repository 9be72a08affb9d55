"""Repairs JSON that is typed into a parameter with expressions in it, by rendering it with the execution's data."""

from __future__ import annotations

import json
import re
from typing import Any

import json_repair

from plugins.analyzers.rules.case import Case
from plugins.analyzers.rules.fields import UNDEFINED, UNKNOWN
from plugins.analyzers.rules.templates import Placeholder, placeholders
from plugins.analyzers.rules.trace import Items, Trace

#: Characters that cannot stand in a JSON text that a person types, so that they mark places.
_MARK = "\ue000"


def repair_json_text(case: Case, text: str) -> str | None:
    """The parameter with the smallest change after which it renders to valid JSON; None where none is found."""
    template = text.removeprefix("=")
    found = placeholders(template)
    if not found:
        fixed = _repaired(template)
        return None if fixed is None else ("=" if text.startswith("=") else "") + fixed
    straight = _straightened(template)
    for candidate in (template, _repaired_around(template, found), straight):
        if candidate is None:
            continue
        if candidate != template and renders(case, candidate):
            return f"={candidate}"
        escaped = _escaped(case, candidate)
        if escaped is not None and escaped != template and renders(case, escaped):
            return f"={escaped}"
    return None


def _straightened(template: str) -> str:
    """The text around its placeholders in JSON's own signs: double quotes, ``true`` for ``True``, no comments, no last comma."""
    parts = re.split(r"(\{\{[\s\S]*?\}\})", template)
    quoted = '"' in "".join(parts[::2])
    for index in range(0, len(parts), 2):
        part = parts[index] if quoted else parts[index].replace("'", '"')
        part = re.sub(r"(?m)(?<![:\w\"])//.*$", "", part)
        for other, right in (("True", "true"), ("False", "false"), ("None", "null")):
            part = re.sub(rf"(?<=[:,\[\s]){other}(?=[\s,}}\]])", right, part)
        parts[index] = re.sub(r",(\s*[}\]])", r"\1", part)
    return "".join(parts)


def renders(case: Case, template: str) -> bool:
    """Whether the template gives valid JSON with this execution's data, as far as that is known."""
    rendered, last = [], 0
    for found in placeholders(template):
        rendered += [template[last : found.start - 2], _rendered(case, found.code, template, found)]
        last = found.end + 2
    return _is_json("".join([*rendered, template[last:]]))


def expression_value(case: Case, code: str) -> Any:
    """The value of an expression, UNKNOWN where it cannot be told."""
    trace = Trace(case, code)
    statements = trace.root.named_children
    value = trace.value(statements[0]) if len(statements) == 1 else UNKNOWN
    return UNKNOWN if isinstance(value, Items) else value


def _rendered(case: Case, code: str, template: str, place: Placeholder) -> str:
    """What n8n would put in the place."""
    wrapped = re.fullmatch(r"\s*JSON\.stringify\(([\s\S]*)\)(\.slice\(1, -1\))?\s*", code)
    value = expression_value(case, wrapped.group(1) if wrapped else code)
    inside = _inside_quotes(template, place)
    if value is UNKNOWN:
        return "x" if inside else "0"
    if wrapped:
        return json.dumps(None if value is UNDEFINED else value)[1:-1] if wrapped.group(2) else json.dumps(value)
    if value is UNDEFINED or value is None:
        return ""
    if isinstance(value, dict | list):
        return "[object Object]"  # so n8n writes lists and objects into a text
    return value if isinstance(value, str) else json.dumps(value)


def _escaped(case: Case, template: str) -> str | None:
    """Every placeholder whose text would break the JSON, wrapped in ``JSON.stringify``."""
    parts, last, changed = [], 0, False
    for found in placeholders(template):
        value = expression_value(case, found.code)
        code = found.code.strip()
        if not isinstance(value, str | dict | list) or "JSON.stringify" in code or "toJsonString" in code:
            continue
        before, after = template[: found.start - 2], template[found.end + 2 :]
        if not _inside_quotes(template, found):
            parts += [template[last : found.start - 2], f"{{{{ JSON.stringify({code}) }}}}"]
            last, changed = found.end + 2, True
        elif before.endswith('"') and after.startswith('"'):
            parts += [template[last : found.start - 3], f"{{{{ JSON.stringify({code}) }}}}"]
            last, changed = found.end + 3, True
        elif isinstance(value, str):
            parts += [template[last : found.start - 2], f"{{{{ JSON.stringify({code}).slice(1, -1) }}}}"]
            last, changed = found.end + 2, True
    return "".join([*parts, template[last:]]) if changed else None


def _inside_quotes(template: str, place: Placeholder) -> bool:
    """Whether the placeholder stands inside a JSON text."""
    before = re.sub(r"\{\{[\s\S]*?\}\}", "", template[: place.start - 2]).replace('\\"', "")
    return before.count('"') % 2 == 1


def _repaired_around(template: str, found: list[Placeholder]) -> str | None:
    """The template with its own slips (commas, quotes, brackets) repaired and its placeholders kept."""
    marked, last, kept = [], 0, []
    for index, place in enumerate(found):
        inside = _inside_quotes(template, place)
        mark = f"{_MARK}{index}{_MARK}"
        marked += [template[last : place.start - 2], mark if inside else f'"{mark}"']
        kept.append((mark if inside else f'"{mark}"', template[place.start - 2 : place.end + 2]))
        last = place.end + 2
    fixed = _repaired("".join([*marked, template[last:]]))
    if fixed is None:
        return None
    for mark, original in kept:
        if mark not in fixed:
            return None
        fixed = fixed.replace(mark, original, 1)
    return fixed


def _repaired(text: str) -> str | None:
    """Valid JSON close to the text: a trailing comma, single quotes, a missing comma or bracket."""
    if _is_json(text):
        return None
    value = json_repair.loads(text)
    if not isinstance(value, dict | list) or not value:
        return None
    fixed = json.dumps(value, ensure_ascii=False, indent=2 if "\n" in text else None)
    # A repair that drops words is no repair.
    words = set(re.findall(r"\w+", text))
    return fixed if words <= set(re.findall(r"\w+", fixed)) else None


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True
