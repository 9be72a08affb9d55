"""Conversions between types: whether a value allows one, and the change of the node that makes it."""

from __future__ import annotations

import json
import re

from plugins.analyzers.rules.case import Case
from plugins.analyzers.rules.fields import dig
from plugins.analyzers.rules.json_texts import expression_value
from plugins.analyzers.rules.patch import Edit
from plugins.analyzers.rules.templates import is_template, placeholders, rewrite

_NUMBER = re.compile(r"\s*-?\d+(?:\.\d+)?\s*")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}.*|\d{10,13}")
_YES, _NO = ("true", "yes", "y", "on", "1", "نعم"), ("false", "no", "n", "off", "0", "لا")


def convertible(value: str, wanted: str) -> bool:
    """Whether n8n's loose comparison reads the value as the wanted type."""
    if wanted == "number":
        return bool(_NUMBER.fullmatch(value))
    if wanted == "boolean":
        return value.strip().lower() in ("true", "false", "1", "0")
    if wanted in ("dateTime", "date"):
        return bool(_DATE.fullmatch(value.strip()))
    if wanted in ("array", "object"):
        return _is_json(value, list if wanted == "array" else dict)
    return wanted == "string"


def loose_edits(case: Case) -> list[Edit]:
    """‘Convert types where required’ in an IF, Filter or Switch node; each of its versions keeps it elsewhere."""
    name, version = str(case.name), float(case.node.get("typeVersion") or 1)
    edits = []
    if isinstance(dig(case.parameters, ("conditions", "options")), dict):
        edits.append(Edit(name, ("parameters", "conditions", "options", "typeValidation"), "loose"))
    rules = dig(case.parameters, ("rules", "values"))
    for index, rule in enumerate(rules if isinstance(rules, list) else ()):
        if isinstance(dig(rule, ("conditions", "options")), dict):
            edits.append(Edit(name, ("parameters", "rules", "values", index, "conditions", "options", "typeValidation"), "loose"))
    since = 3.1 if case.kind == "switch" else 2.1
    if not edits or version < 2:
        return []
    place = ("parameters", "looseTypeValidation") if version >= since else ("parameters", "options", "looseTypeValidation")
    return [*edits, Edit(name, place, True)]


#: How dates are written, each with Luxon's word for it; day and month told apart by a day above 12.
_DATE_FORMS = (("/", r"(\d{1,2})/(\d{1,2})/\d{4}"), (".", r"(\d{1,2})\.(\d{1,2})\.\d{4}"), ("-", r"(\d{1,2})-(\d{1,2})-\d{4}"))


def date_format(value: str) -> str | None:
    """Luxon's format of a date whose order of day and month is certain; None for any other text."""
    for separator, pattern in _DATE_FORMS:
        found = re.fullmatch(pattern + r"(?:[ T](\d{1,2}:\d{2})(:\d{2})?)?", value.strip())
        if not found:
            continue
        first, second = int(found.group(1)), int(found.group(2))
        order = ("d", "M") if first > 12 >= second else ("M", "d") if second > 12 >= first else None
        # A dot is written by those only who write the day first.
        order = order or (("d", "M") if separator == "." and first <= 31 and second <= 12 else None)
        time = (" HH:mm" if found.group(3) else "") + (":ss" if found.group(4) else "")
        return separator.join((*order, "yyyy")) + time if order else None
    return None


def condition_conversions(case: Case, wanted: str, values: list[str]) -> list[Edit]:
    """The left or right sides of conditions that gave a value of another type, with a conversion that the value allows."""
    edits = []
    for path, text in case.texts():
        if path[-1] not in ("leftValue", "rightValue") or not is_template(text) or len(placeholders(text)) != 1:
            continue
        shown = expression_value(case, placeholders(text)[0].code)
        make = _conversion_of(str(shown), wanted) if isinstance(shown, str) and shown in values else None
        new = _converted(text, make) if make else None
        if new:
            edits.append(Edit(str(case.name), path, new))
    return edits


def _conversion_of(value: str, wanted: str) -> str | None:
    if wanted in ("dateTime", "date"):
        form = date_format(value)
        return f"DateTime.fromFormat(String({{}}), '{form}')" if form else None
    return _conversion(wanted, value) if wanted != "array" or "," in value else None


def set_conversion(case: Case, field: str, wanted: str, value: str) -> Edit | None:
    """The assignment of an Edit Fields node whose value is brought to its type; where it cannot be, its type to the value."""
    assignments = dig(case.parameters, ("assignments", "assignments"))
    for index, entry in enumerate(assignments if isinstance(assignments, list) else ()):
        if not isinstance(entry, dict) or entry.get("name") != field:
            continue
        path = ("parameters", "assignments", "assignments", index)
        given = entry.get("value")
        if not isinstance(given, str) or value in ("", "undefined", "null"):
            return None
        if is_template(given) and given[1:].strip() != given[1:] and re.fullmatch(r"\s*\{\{[^{}]*\}\}\s*", given[1:]):
            # n8n makes a text of what has as little as a space beside its braces.
            return Edit(str(case.name), (*path, "value"), "=" + given[1:].strip())
        make = _conversion(wanted, value)
        if make is None:
            # "INV-7" is no number whatever is done to it: then the type is what is wrong.
            is_code = bool(re.fullmatch(r"[A-Za-z][\w./-]*\d[\w./-]*", value)) if wanted == "number" else wanted == "object"
            is_code = is_code and "[object Object]" not in value
            return Edit(str(case.name), (*path, "type"), "string") if is_code else None
        new = _converted(given, make)
        return Edit(str(case.name), (*path, "value"), new) if new else None
    return None


def _converted(given: str, make: str) -> str | None:
    """The value with the conversion put around it; None for a text with more in it than one expression."""
    if not is_template(given):
        return f"={{{{ {make.format(json.dumps(given.removeprefix('=')))} }}}}"
    if len(placeholders(given)) == 1 and re.fullmatch(r"=\s*\{\{[\s\S]*\}\}\s*", given):
        return rewrite(given, lambda code: f" {make.format(code.strip())} ")
    return None


def _conversion(wanted: str, value: str) -> str | None:
    """A template of JavaScript (``{}`` is the value) that gives the wanted type, None where the value allows none."""
    if wanted == "number":
        return _to_number(value.strip())
    if wanted == "boolean" and value.strip().lower() in (*_YES, *_NO):
        return "['true', 'yes', 'y', 'on', '1', 'نعم'].includes(String({}).trim().toLowerCase())"
    if wanted == "array" and not _is_json(value, dict):
        return "String({}).split(',').map((entry) => entry.trim())" if "," in value else "[].concat({})"
    return "String({})" if wanted == "string" else None


def _to_number(value: str) -> str | None:
    bare = re.sub(r"[^\d.,\-]", "", value)
    if len(re.sub(r"[\s\d.,\-]", "", value)) > 4 or not re.search(r"\d", bare):
        return None
    if re.fullmatch(r"-?\d{1,3}(?:\.\d{3})*,\d+|-?\d+,\d{1,2}", bare):  # 1.234,50 and 12,5
        return "Number(String({}).replace(/[^\\d,-]/g, '').replace(',', '.'))"
    if re.fullmatch(r"-?\d{1,3}(?:,\d{3})+(?:\.\d+)?|-?\d+(?:\.\d+)?", bare):  # 1,234.50 and 12.5 with a unit
        return "Number(String({}).replace(/[^\\d.-]/g, ''))"
    return None


def _is_json(value: str, kind: type) -> bool:
    try:
        return isinstance(json.loads(value), kind)
    except ValueError:
        return False


def same_date_format(values: list[str]) -> str | None:
    """Luxon's format that all of the dates have, where one of them tells the order of day and month; else None."""
    forms = {form for value in values if (form := date_format(value))}
    if len(forms) != 1:
        return None
    form = forms.pop()
    sign = next(sign for sign in "/.-" if sign in form)
    place = form.split(" ")[0].split(sign).index("M")
    for value in values:
        parts = value.strip().split(" ")[0].split(sign)
        if len(parts) != 3 or not all(part.isdigit() for part in parts) or int(parts[place]) > 12:
            return None
        if "T" in value or value.count(":") != form.count(":"):
            return None
    return form
