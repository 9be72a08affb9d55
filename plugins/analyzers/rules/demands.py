"""Brings a request to what the service's answer demands of it: names, values, bounds and types of single fields."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from typing import Any

from hub.plugin_api import Quote
from plugins.analyzers.rules import shapes
from plugins.analyzers.rules.case import Case
from plugins.analyzers.rules.complaints import Complaint, complaints
from plugins.analyzers.rules.conversions import common_date_format, values_in_items
from plugins.analyzers.rules.fields import UNDEFINED, UNKNOWN, closest, find_path, render, similarity
from plugins.analyzers.rules.likeness import adds_only_words, is_alike
from plugins.analyzers.rules.patch import Edit
from plugins.analyzers.rules.rule import Finding, regex
from plugins.analyzers.rules.sent import Sent, actual_value, added, renamed, sent_fields, value_code, with_code, with_value

_ONE_OF = regex(
    r"(?:one of|allowed(?: values)?(?: are)?|valid (?:values|options|choices)(?: are)?|permitted values(?: are)?|accepted values"
    r"(?: are)?|supported values(?: are)?|(?:expected|must be|should be)(?: one of(?: the following)?"
    r"| either| in)?|either|choose from)"
    r"\s*:?\s*[\[({]?([^\])}\n.]+)"
)
#: Words that no value of a list has, but sentences do.
_PROSE = regex(r"\b(?:an?|the|got|than|of|is|be|type|characters|received|given|string|number|integer)\b")
_TYPES = regex(
    r"(?:must|should|has to|needs to|expected|expects|type|not of type|not a valid|not an?|invalid|valid)\b[^.;\n]{0,25}?"
    r"\b(numbers?|integers?|int|numeric|floats?|decimal|strings?|text|booleans?|bool|arrays?|lists?|objects?|dict(?:ionary)?)\b"
)
#: The types of the languages that services are written in: System.Int32, java.lang.Boolean, float64.
_NATIVE_TYPES = regex(
    r"(?:converted to|convert to|deseriali[sz]e|unmarshal|cannot parse|into|of type)\b[^;\n]{0,60}?(?<![A-Za-z])"
    r"(int(?:eger)?(?:8|16|32|64)?|long|double|float(?:32|64)?|(?:big)?decimal|bool(?:ean)?)\b"
)
_TYPE_NAMES = (
    *(("num", "number"), ("int", "number"), ("flo", "number"), ("dec", "number"), ("str", "string"), ("tex", "string")),
    *(("lon", "number"), ("dou", "number"), ("big", "number")),
    *(("boo", "boolean"), ("arr", "array"), ("lis", "array"), ("obj", "object"), ("dic", "object")),
)
_AT_MOST = regex(r"(?:less than or equal to|at most|maximum(?: value)?(?: is| of)?|max(?:imum)?\.?|up to|not exceed|<="
    r"|≤|between \d+ and"
                 r"|exceeds?(?: the)?(?: maximum)?(?: of)?|no (?:more|greater) than|not be (?:greater|more"
                     r"|larger) than)\s*:?=?\s*(\d+)")  # fmt: skip
_AT_LEAST = regex(r"(?:greater than or equal to|at least|minimum(?: value)?(?: is| of)?|>=|≥|not be less than)\s*:?=?\s*(\d+)")
_ISO_DATE = regex(r"YYYY-MM-DD|ISO[ -]?8601|ISO date|RFC ?3339|full-date|\\d\{4\}-|date format|valid date|invalid date|date-time")
_KNOWN_NAMES = regex(
    r"(?:known|allowed|valid|permitted|supported|available|accepted) (?:fields|parameters|properties"
    r"|attributes|keys|names|columns)"
    r"(?: are| include)?\s*:?\s*([^\n.]+)"
)
#: Fields that only say how much is answered at once: another number changes no meaning.
_PAGING = re.compile(
    r"^(?:limit|per_?page|page_?size|page_?limit|max_?(?:results|items|records|count)|count|top|take"
    r"|first|size|rows|results|batch_?size"
    r"|page\[?size\]?|page)$",
    re.IGNORECASE,
)
_LONG_NAME = 8
#: Code that is one fixed value: any other may give the next item another one.
_LITERAL = re.compile(r"\s*(?:'[^']*'|\"[^\"]*\"|-?\d+(?:\.\d+)?|true|false|null)\s*")
#: Ways of writing one and the same word: what JavaScript does, and Python's form of it.
_SPELLINGS: tuple[tuple[str, Callable[[str], str]], ...] = (
    ("String({}).toLowerCase()", str.lower),
    ("String({}).toUpperCase()", str.upper),
    ("String({}).trim()", str.strip),
    ("String({}).trim().toLowerCase()", lambda text: text.strip().lower()),
    ("String({}).trim().toUpperCase()", lambda text: text.strip().upper()),
    ("String({}).trim().toLowerCase().replace(/[\\s-]+/g, '_')", lambda text: re.sub(r"[\s-]+", "_", text.strip().lower())),
    ("String({}).trim().toUpperCase().replace(/[\\s-]+/g, '_')", lambda text: re.sub(r"[\s-]+", "_", text.strip().upper())),
    ("String({}).trim().toLowerCase().replace(/[\\s_]+/g, '-')", lambda text: re.sub(r"[\s_]+", "-", text.strip().lower())),
)


def rejected_field(case: Case) -> Finding | None:
    """A field that the service misses or does not accept, with the edits that send it as wanted."""
    if case.kind != "httpRequest":
        return None
    root = shapes.missing_root(case)
    if root and (edits := shapes.below_root(case, root)):
        return Finding(words={"field": root, "change": f"‘{_shown(edits[-1])}’"}, edits=edits)
    said, fields = complaints(case), sent_fields(case)
    for complaint in said:
        field = _sent_as(fields, complaint)
        if field is None and not complaint.is_missing:
            field = _in_other_case(fields, complaint.name)  # a sentence begins with a capital
        edits = _other_value(case, complaint, field) if field else _under_its_name(case, complaint, said, fields)
        if edits:
            words = {"field": complaint.name, "change": f"‘{_shown(edits[-1])}’"}
            return Finding(words=words, edits=edits, quotes=(Quote(pointer="/error/messages/0", quote=complaint.name),))
    return Finding(words={"field": said[0].name}) if said else None


def _sent_as(fields: list[Sent], complaint: Complaint) -> Sent | None:
    return next(
        (
            field
            for field in fields
            if field.name == complaint.name or (field.place == "header" and field.name.lower() == complaint.name.lower())
        ),
        None,
    )


def _shown(edit: Edit) -> str:
    return (edit.value if isinstance(edit.value, str) else json.dumps(edit.value, ensure_ascii=False))[:80]


def _under_its_name(case: Case, complaint: Complaint, said: list[Complaint], fields: list[Sent]) -> list[Edit] | None:
    """A field that the service misses: the sent one that was meant, renamed, or one more that the data has."""
    if complaint.is_unknown:
        return None
    complained = {entry.name for entry in said if not entry.is_unknown}
    candidates = [field for field in fields if field.name not in complained and complaint.place in (None, field.place)]
    meant = closest(complaint.name, [field.name for field in candidates])
    unknown = [field for field in candidates if any(entry.is_unknown and entry.name == field.name for entry in said)]
    missing = {entry.name for entry in said if entry.is_missing}
    field = next((entry for entry in candidates if entry.name == meant), None)
    if field is None and len(unknown) == 1 and missing == {complaint.name}:
        field = unknown[0]
    if field:
        if not _may_be_renamed(field, complaint.name, unknown, fields):
            return None
        edit = renamed(case, field, complaint.name)
        return [edit] if edit else None
    return _added(case, complaint) if complaint.is_missing else None


def _may_be_renamed(field: Sent, wanted: str, unknown: Sequence[Sent], fields: Sequence[Sent]) -> bool:
    """Whether a sent field is the wanted one: refused under its name, or of a like name that no other field shares."""
    if any(entry.name == wanted and entry.place == field.place for entry in fields):
        return False
    if field in unknown or is_alike(wanted, field.name):
        return True
    if len(field.name) >= _LONG_NAME and wanted.lower().startswith(field.name.lower()):
        return True  # X-Api-Vers
    return adds_only_words(field.name, wanted) or adds_only_words(wanted, field.name)


def _added(case: Case, complaint: Complaint) -> list[Edit] | None:
    """A missing field that the input holds under the same name, added to the fields that are sent."""
    found = find_path(case.item, complaint.name, lambda value: isinstance(value, str | int | float | list) and value != "")
    if not found or similarity(str(found[0][-1]), complaint.name) < 100:
        return None
    return added(case, complaint.name, f"$json{render(found[0])}", complaint.place)


def _other_value(case: Case, complaint: Complaint, field: Sent) -> list[Edit] | None:
    """The field's value brought to what the service takes."""
    if complaint.is_unknown and (wanted := _proposed_name(complaint)):
        if any(entry.name == wanted and entry.place == field.place for entry in sent_fields(case)):
            return None  # it is sent already: the other one is too much
        edit = renamed(case, field, wanted)
        return [edit] if edit else None
    edit = shapes.dotted_key(case, field) or shapes.kept_fallback(case, field) or shapes.in_case(case, complaint, field)
    edit = edit or shapes.with_commas(case, complaint, field) or shapes.left_out(case, complaint, field)
    edit = (
        edit or _one_of(case, complaint, field) or _within_bounds(case, complaint, field) or _as_iso_date(case, complaint, field)
    )
    return [edit] if edit else None


def _proposed_name(complaint: Complaint) -> str | None:
    """The name that the service proposes for one that it does not know."""
    hint = re.search(r"did you mean:?\s*[\"'`‘“]?([\w.\-]+)", complaint.text, re.IGNORECASE)
    if hint:
        return hint.group(1)
    listed = _KNOWN_NAMES.search(f"{complaint.text}\n{complaint.around}")
    known = list(complaint.allowed) or (re.findall(r"[A-Za-z_][\w.\-]*", listed.group(1)) if listed else [])
    return closest(complaint.name, known)


def _allowed_values(complaint: Complaint) -> list[str]:
    if complaint.allowed:
        return list(complaint.allowed)
    for found in (*_ONE_OF.finditer(complaint.text), *_ONE_OF.finditer(complaint.around)):
        parts = re.split(r",|\||/|\bor\b|\band\b", found.group(1))
        values = [part.strip(" \"'`‘’“”.") for part in parts if part.strip(" \"'`‘’“”.")]
        if len(values) > 1 and all(len(value) <= 40 and value.count(" ") < 3 and not _PROSE.search(value) for value in values):
            return values
    return []


def _one_of(case: Case, complaint: Complaint, field: Sent) -> Edit | None:
    """The value that was meant, of the few that the service takes."""
    allowed, value = _allowed_values(complaint), actual_value(case, field)
    if not allowed or not isinstance(value, str) or value in allowed:
        return None
    code = value_code(case, field)
    if code is not None and not _LITERAL.fullmatch(code):
        return _respelt(case, field, value, allowed)
    meant = (
        next((entry for entry in allowed if similarity(entry, value) == 100), None)
        or closest(value, allowed)
        or _begun(value, allowed)
    )
    return with_value(case, field, meant) if meant else None


def _respelt(case: Case, field: Sent, value: str, allowed: Sequence[str]) -> Edit | None:
    for form, spell in _SPELLINGS:
        # The other values must stay as they are: the next item may hold one of them.
        if spell(value) in allowed and all(spell(entry) == entry for entry in allowed):
            return with_code(case, field, lambda code, form=form: form.format(code))  # type: ignore[misc]
    return None


def _begun(value: str, allowed: Sequence[str]) -> str | None:
    """``asc`` for ``ascending``."""
    found = [entry for entry in allowed if len(entry) >= 3 and value.lower().startswith(entry.lower())]
    return found[0] if len(found) == 1 else None


def _as_iso_date(case: Case, complaint: Complaint, field: Sent) -> Edit | None:
    """A date whose order of day and month is certain, in the form that nearly every service takes."""
    value = actual_value(case, field)
    form = common_date_format([value, *_in_all_items(case, field)])
    if form is None or not _ISO_DATE.search(f"{complaint.text}\n{complaint.around}"):
        return None
    made = "toISO" if "HH" in form else "toISODate"
    return with_code(case, field, lambda code: f"DateTime.fromFormat(String({code}), '{form}').{made}()")


def _within_bounds(case: Case, complaint: Complaint, field: Sent) -> Edit | None:
    """A page size above the service's maximum, or a page below the first, brought to the bound."""
    said = f"{complaint.text}\n{complaint.around}"
    most, least = _AT_MOST.search(said), _AT_LEAST.search(said)
    value = str(actual_value(case, field))
    if not _PAGING.match(field.name) or not re.fullmatch(r"-?\d+", value) or not (most or least):
        return None
    if most and int(value) > int(most.group(1)):
        bound, limiter = int(most.group(1)), "Math.min"
    elif least and int(value) < int(least.group(1)):
        bound, limiter = int(least.group(1)), "Math.max"
    else:
        return None
    code = value_code(case, field)
    if code is not None and not _LITERAL.fullmatch(code):
        return with_code(case, field, lambda code: f"{limiter}({code}, {bound})")
    return with_value(case, field, str(bound) if field.style == "pair" else bound)


def rejected_type(case: Case) -> Finding | None:
    """A field that the service wants in another type than was sent."""
    if case.kind != "httpRequest":
        return None
    fields = sent_fields(case)
    for complaint in complaints(case):
        shown = _TYPES.search(complaint.text) or _NATIVE_TYPES.search(complaint.text)
        if not shown or _allowed_values(complaint) or shapes.wants_commas(complaint):
            continue
        wanted = next(name for start, name in _TYPE_NAMES if shown.group(1).lower().startswith(start))
        field = _sent_as(fields, complaint) or _in_other_case(fields, complaint.name)
        inner = _inner_converted(case, fields, complaint, wanted)
        if inner:
            return Finding(words={"field": complaint.name, "type": wanted}, edits=(inner,))
        value = actual_value(case, field) if field else UNKNOWN
        if field is None or value in (UNDEFINED, UNKNOWN) or type_of(value) == wanted:
            continue
        edit = _converted(case, field, value, wanted) or shapes.left_out(case, complaint, field)
        return Finding(words={"field": field.name, "type": wanted}, edits=(edit,) if edit else ())
    return None


def _in_other_case(fields: list[Sent], name: str) -> Sent | None:
    """The field that a service names in its own spelling: ``IsExpress`` for ``isExpress``."""
    return next((field for field in fields if field.name.lower() == name.lower()), None)


def _inner_converted(case: Case, fields: list[Sent], complaint: Complaint, wanted: str) -> Edit | None:
    """The edit that converts a field inside of a sent list or object, where all of its values allow it."""
    root = _in_other_case(fields, str(complaint.path[0])) if complaint.path else None
    found = shapes.inner_values(case, root, complaint.path) if root else None
    if root is None or found is None:
        return None
    wrong = [value for value in found[1] if type_of(value) != wanted]
    forms = {_conversion(value, wanted)[0] for value in wrong}
    form = forms.pop() if len(forms) == 1 else None
    return shapes.with_inner(case, root, found[0], form) if form else None


def type_of(value: Any) -> str:
    """The JSON type of a value."""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    return "string" if isinstance(value, str) else "array" if isinstance(value, list) else "object"


def _converted(case: Case, field: Sent, value: Any, wanted: str) -> Edit | None:
    form, result = _conversion(value, wanted)
    if form is None or not all(_suits(entry, wanted, form) for entry in _in_all_items(case, field)):
        return None
    return with_code(case, field, lambda code: form.replace("{}", code)) or with_value(case, field, result)


def _in_all_items(case: Case, field: Sent) -> list[Any]:
    """What the field's expression gives for each of the recorded items."""
    code = value_code(case, field)
    return values_in_items(case, code) if code is not None else []


def _suits(value: Any, wanted: str, form: str) -> bool:
    """Whether the conversion that one value needs keeps this one too."""
    if type_of(value) == wanted:
        return "split(" not in form or wanted != "array"
    own = _conversion(value, wanted)[0]
    return own == form or ("split(" in form and own == "[].concat({})" and isinstance(value, str) and bool(value.strip()))


def _conversion(value: Any, wanted: str) -> tuple[str | None, Any]:
    """The JavaScript that converts the value (``{}``), and what it gives; None where the value allows no conversion."""
    text = str(value).strip()
    if wanted == "number" and re.fullmatch(r"-?\d+(?:\.\d+)?", text):
        return "Number({})", json.loads(text) if not re.match(r"-?0\d", text) else float(text)
    if wanted == "boolean" and text.lower() in ("true", "false", "1", "0"):
        return "['true', '1'].includes(String({}).toLowerCase())", text.lower() in ("true", "1")
    if wanted == "string" and not isinstance(value, dict | list | None):
        return "String({})", json.dumps(value) if not isinstance(value, str) else value
    if wanted in ("array", "object") and isinstance(value, str) and (parsed := _parsed(value, wanted)) is not None:
        return "JSON.parse({})", parsed
    if wanted == "array" and isinstance(value, str) and "," in value:
        parts = [part.strip() for part in value.split(",")]
        return "String({}).split(',').map((entry) => entry.trim())", parts
    return ("[].concat({})", [value]) if wanted == "array" else (None, None)


def _parsed(text: str, wanted: str) -> Any:
    try:
        value = json.loads(text)
    except ValueError:
        return None
    return value if type_of(value) == wanted else None
