"""Conversions between types: whether a value allows one, and the change of the node that makes it."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Sequence
from typing import Any

from plugins.analyzers.rules.case import Case
from plugins.analyzers.rules.fields import UNDEFINED, UNKNOWN, dig
from plugins.analyzers.rules.json_texts import expression_value
from plugins.analyzers.rules.numerals import number_reading
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
        given = values_in_items(case, placeholders(text)[0].code)
        make = _conversion_of(given, wanted) if isinstance(shown, str) and shown in values else None
        new = _converted(text, make) if make else None
        if new:
            edits.append(Edit(str(case.name), path, new))
    return edits


def values_in_items(case: Case, code: str) -> list[Any]:
    """What an expression gives for each of the recorded items: a conversion has to suit them all."""
    found = []
    for item in case.evidence.input_items:
        other = copy.copy(case)
        other.__dict__["item"] = item
        found.append(expression_value(other, code))
    return [value for value in found if value is not UNKNOWN and value is not UNDEFINED and value is not None]


def _conversion_of(values: Sequence[Any], wanted: str) -> str | None:
    if wanted in ("dateTime", "date"):
        form = common_date_format(values)
        return f"DateTime.fromFormat(String({{}}), '{form}')" if form else None
    return _conversion(wanted, values) if wanted != "array" or any("," in str(value) for value in values) else None


def common_date_format(values: Sequence[Any]) -> str | None:
    """The format in which all of the dates are written, where one of them tells the day from the month."""
    forms = {form for value in values if isinstance(value, str) and (form := date_format(value))}
    form = forms.pop() if len(forms) == 1 else None
    if form is None or not all(isinstance(value, str) and _is_of_format(value.strip(), form) for value in values):
        return None
    return form


def _is_of_format(value: str, form: str) -> bool:
    parts = {"d": r"(?:0?[1-9]|[12]\d|3[01])", "M": r"(?:0?[1-9]|1[0-2])", "yyyy": r"\d{4}", "HH": r"\d{2}", "mm": r"\d{2}"}
    parts["ss"] = r"\d{2}"
    pattern = re.sub(r"[A-Za-z]+|[./]", lambda found: parts.get(found.group(), re.escape(found.group())), form)
    return bool(re.fullmatch(pattern, value))


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
        if bare := bare_expression(case, given, wanted):
            return Edit(str(case.name), (*path, "value"), bare)
        codes = placeholders(given)
        known = values_in_items(case, codes[0].code) if is_template(given) and len(codes) == 1 else []
        make = _conversion(wanted, known if value in known else [*known, value])
        if make is None:
            # "INV-7" is no number whatever is done to it: then the type is what is wrong.
            is_code = bool(re.fullmatch(r"[A-Za-z][\w./-]*\d[\w./-]*", value)) if wanted == "number" else wanted == "object"
            is_code = is_code and "[object Object]" not in value
            return Edit(str(case.name), (*path, "type"), "string") if is_code else None
        new = _converted(given, make)
        return Edit(str(case.name), (*path, "value"), new) if new else None
    return None


def bare_expression(case: Case, given: str, wanted: str) -> str | None:
    """``={{ $json.pieces }} pcs`` without the words beside it, where the expression alone has the wanted type."""
    found = placeholders(given) if is_template(given) else []
    kinds: dict[str, tuple[type, ...]] = {"number": (int, float), "boolean": (bool,), "array": (list,), "object": (dict,)}
    value = expression_value(case, found[0].code) if len(found) == 1 else None
    if not isinstance(value, kinds.get(wanted, ())) or (wanted == "number" and isinstance(value, bool)):
        return None
    rest = given[1 : found[0].start - 2] + given[found[0].end + 2 :]
    return f"={{{{{found[0].code}}}}}" if rest and not re.search(r"\d", rest) else None


def _converted(given: str, make: str) -> str | None:
    """The value with the conversion put around it; None for a text with more in it than one expression."""
    if not is_template(given):
        return f"={{{{ {make.format(json.dumps(given.removeprefix('=')))} }}}}"
    if len(placeholders(given)) == 1 and re.fullmatch(r"=\s*\{\{[\s\S]*\}\}\s*", given):
        return rewrite(given, lambda code: f" {make.format(code.strip())} ")
    return None


def _conversion(wanted: str, values: Sequence[Any]) -> str | None:
    """JavaScript (``{}`` is the value) that gives the wanted type for each of the values; None where one would be lost."""
    texts = [value for value in values if isinstance(value, str)]
    if wanted == "number":
        return number_reading(values)
    if wanted == "boolean":
        known = all(str(value).strip().lower() in (*_YES, *_NO) for value in values)
        return "['true', 'yes', 'y', 'on', '1', 'نعم'].includes(String({}).trim().toLowerCase())" if known else None
    if wanted == "array" and texts and len(texts) == len(values):
        return _list_reading(texts)
    return "String({})" if wanted == "string" and not any(isinstance(value, dict | list) for value in values) else None


def _list_reading(texts: Sequence[str]) -> str | None:
    """How texts are made lists; none for what is JSON or quoted, is cut at another sign, or is empty."""
    if any(not text.strip() or text.strip()[0] in "[{" or re.search(r'[;|\n"]', text) for text in texts):
        return None
    return "String({}).split(',').map((entry) => entry.trim())" if any("," in text for text in texts) else "[].concat({})"


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
