"""Looks closer at failures of data: fields that are not there, types that do not fit, files and queries."""

from __future__ import annotations

import re
from typing import Any

from hub.plugin_api import Quote
from plugins.analyzers.rules.carrying import with_files
from plugins.analyzers.rules.case import Case, Path, walk_texts
from plugins.analyzers.rules.conversions import (
    condition_conversions,
    convertible,
    date_format,
    loose_edits,
    set_conversion,
    values_in_items,
)
from plugins.analyzers.rules.fields import UNDEFINED, UNKNOWN, closest, dig, dotted, find_path, places, render, similarity
from plugins.analyzers.rules.json_texts import expression_value
from plugins.analyzers.rules.likeness import is_alike
from plugins.analyzers.rules.patch import Edit
from plugins.analyzers.rules.rule import Finding, regex
from plugins.analyzers.rules.templates import placeholders, rewrite

_FIELD_MESSAGES = regex(
    r"(?:couldn't find the field|the field|field|no property named|has no json property called|the value in|property|column|key)"
    r"\s*[\"'‘“`]([^\"'’”`]+)[\"'’”`]|[\"'‘“`]([^\"'’”`]+)[\"'’”`] field is missing"
)


_NUMERIC = frozenset(("sum", "average", "min", "max"))


_BINARY_NAME = regex(r"binary (?:file|field|data|property) ['\"‘]([^'\"’]+)['\"’]|in field ['\"]?(\w+)")


_SQL_WORDS = (
    *(
        "SELECT",
        "FROM",
        "WHERE",
        "INSERT",
        "INTO",
        "VALUES",
        "UPDATE",
        "DELETE",
        "JOIN",
        "LEFT",
        "RIGHT",
        "INNER",
        "OUTER",
        "GROUP",
        "ORDER",
    ),
    *(
        "LIMIT",
        "OFFSET",
        "HAVING",
        "UNION",
        "DISTINCT",
        "BETWEEN",
        "EXISTS",
        "RETURNING",
        "AS",
        "ON",
        "BY",
        "AND",
        "OR",
        "IN",
        "IS",
        "NOT",
        "NULL",
        "SET",
    ),
)


_DATE_FORMATS = ((r"\d{1,2}/\d{1,2}/\d{4}", "/"), (r"\d{1,2}\.\d{1,2}\.\d{4}", "."), (r"\d{1,2}-\d{1,2}-\d{4}", "-"))


_ANY_FILE = frozenset(("data", "file", "attachment", "attachment_0", "document", "binary", "upload"))
#: Nodes that give on what they are given, with its files.
_PASSING = frozenset(("if", "filter", "switch", "noOp", "limit", "sort", "wait"))


def field(case: Case) -> Finding | None:
    """The field that the message names, led to the one that the items have."""
    shown = _FIELD_MESSAGES.search(case.error.message)
    wanted = (shown.group(1) or shown.group(2)) if shown else ""
    source = _source_with(case)
    if not wanted:
        return None
    meant, certainty = _meant(case, source, wanted)
    words = {"field": wanted, "meant": meant or "", "has": ", ".join(str(path[0]) for path, _ in places(source, 1))[:200]}
    quote = Quote(pointer="/input_items/0", quote=words["has"]) if words["has"] else None
    # The XML node takes a field of the item itself, not one further down.
    edits = _field_edits(case, wanted, meant) if meant and not (case.kind == "xml" and "." in meant) else []
    return Finding(words=words, edits=edits, quotes=(quote,) if quote else (), certainty=certainty)


_SAME_NAME = 90
#: What a field with a question for a model is called.
_QUESTIONS = ("question", "prompt", "message", "query", "input", "text", "chatInput", "instruction")


def prompt(case: Case) -> Finding:
    """The field of the input that holds the question for a model, where exactly one text is called so."""
    meant = [path for path, value in places(case.item, 2) if isinstance(value, str) and path[0] != "headers"]
    meant = [path for path in meant if any(similarity(str(path[-1]), name) >= _SAME_NAME for name in _QUESTIONS)]
    if len(meant) != 1:
        return Finding(words={"field": ""})
    name, text = str(case.name), f"={{{{ $json{render(meant[0])} }}}}"
    edits = (Edit(name, ("parameters", "promptType"), "define"), Edit(name, ("parameters", "text"), text))
    return Finding(words={"field": dotted(meant[0])}, edits=edits)


def _source_with(case: Case) -> dict[str, Any]:
    """All fields that any of the input items has."""
    merged: dict[str, Any] = {}
    for item in case.evidence.input_items:
        merged = {**item, **merged}
    return merged


def _meant(case: Case, source: dict[str, Any], wanted: str) -> tuple[str | None, float]:
    needs_number = any(
        entry.get("field") == wanted and entry.get("aggregation") in _NUMERIC
        for entry in dig(case.parameters, ("fieldsToSummarize", "values")) or ()
        if isinstance(entry, dict)
    )

    def fits(value: Any) -> bool:
        return isinstance(value, int | float) and not isinstance(value, bool) if needs_number else value is not None

    found = find_path(source, wanted.rsplit(".", 1)[-1], fits, guess=(int, float))
    if found and (found[1] > 0.7 or needs_number):
        return dotted(found[0]), 1.0 if found[1] > 0.7 else 0.95
    textual = [
        path
        for path, value in places(source, 2)
        if isinstance(value, str) and "<" in value and ">" in value and path[0] != "headers"
    ]
    if case.kind in ("html", "xml") and len(textual) == 1:
        return dotted(textual[0]), 0.95
    return None, 1.0


def _field_edits(case: Case, wanted: str, meant: str) -> list[Edit]:
    edits = []
    for path, value in _parameter_texts(case):
        names = [name.strip() for name in value.split(",")]
        if wanted in names and "{{" not in value:
            edits.append(Edit(str(case.name), path, ",".join(meant if name == wanted else name for name in names)))
    return edits


def _parameter_texts(case: Case) -> list[tuple[Path, str]]:
    """The texts of the parameters, with the default values that only the version that ran holds."""
    own = list(case.texts())
    known = {path for path, _ in own}
    ran = walk_texts(case.evidence.resolved_parameters or {}, ("parameters",))
    skipped = ("mode", "operation", "resource", "type", "aggregation")
    return [(path, value) for path, value in own + [entry for entry in ran if entry[0] not in known] if path[-1] not in skipped]


def condition(case: Case) -> Finding:
    """A strict condition whose values can be read as the wanted type."""
    shown = re.search(
        r"'([\s\S]*)' is an? (\w+) but was expecting an? (\w+)|Comparison type expects an? (\w+) but", case.error.message
    )
    wanted = (shown.group(3) or shown.group(4)) if shown else "?"
    value = shown.group(1) if shown else None
    values = [value] if value is not None else _condition_values(case)
    loose = bool(values) and all(convertible(entry, wanted) for entry in [*values, *_others(case, values)])
    edits = loose_edits(case) if loose else condition_conversions(case, wanted, values)
    return Finding(words={"value": (value or str(values[0]) if values else "?")[:80], "type": wanted}, edits=edits)


def _others(case: Case, values: list[str]) -> list[str]:
    """What the expressions that gave one of the values give for the other items."""
    found = []
    for path, text in case.texts():
        if path[-1] in ("leftValue", "rightValue") and text.startswith("=") and len(placeholders(text)) == 1:
            given = values_in_items(case, placeholders(text)[0].code)
            found += [entry for entry in given if isinstance(entry, str)] if set(values) & set(map(str, given)) else []
    return found


def _condition_values(case: Case) -> list[str]:
    """The values that the message does not show: those that the conditions' expressions give."""
    values = []
    for path, value in case.texts():
        if path[-1] == "leftValue" and value.startswith("=") and len(placeholders(value)) == 1:
            found = expression_value(case, placeholders(value)[0].code)
            if found not in (UNDEFINED, None) and found is not UNKNOWN:
                values.append(str(found).lower() if isinstance(found, bool) else str(found))
    return values


def assignment(case: Case) -> Finding:
    """A field of an Edit Fields node whose value is of another type than the field."""
    shown = re.search(r"'(.*)' expects an? (\w+) but we got '?([\s\S]*?)'? \[item", case.error.message)
    if not shown:
        return Finding(words={"field": "?", "type": "?", "value": "?"})
    field, wanted, value = shown.groups()
    edit = set_conversion(case, field, wanted, value)
    return Finding(words={"field": field, "type": wanted, "value": value[:80]}, edits=(edit,) if edit else ())


def binary(case: Case) -> Finding:
    """The name under which the file lies, or the request that should have kept its answer as a file."""
    shown = _BINARY_NAME.search(case.words)
    wanted = (shown.group(1) or shown.group(2)) if shown else "data"
    keys = case.evidence.input_binary_keys
    words = {"field": wanted, "meant": ""}
    # A name that says nothing may stand for the only file; any other name has to be like it.
    alone = keys[0] if len(keys) == 1 and (wanted.lower() in _ANY_FILE or is_alike(wanted, keys[0])) else None
    meant = alone or next((key for key in [closest(wanted, keys)] if key and is_alike(wanted, key)), None)
    if meant:
        edits = [
            Edit(str(case.name), path, meant)
            for path, value in _parameter_texts(case)
            if value == wanted and re.search(r"binary|inputDataField|dataPropertyName", str(path[-1]), re.IGNORECASE)
        ]
        return Finding(words={**words, "meant": meant}, edits=edits)
    if keeper := _dropped_on_the_way(case, wanted):
        return Finding(words={**words, "meant": wanted}, edits=keeper, certainty=0.95)
    download = _download(case)
    if download:
        return Finding(words={**words, "meant": "data"}, edits=(download,), certainty=0.9, facts={"download": True})
    return Finding(words=words)


def _dropped_on_the_way(case: Case, wanted: str) -> list[Edit]:
    """The Edit Fields and Code nodes that made new items without the file, told to carry it along."""
    edits: list[Edit] = []
    name = str(case.name)
    while len(parents := case.parents.get(name, [])) == 1:
        name = parents[0]
        data, node = case.evidence.node_data.get(name), case.evidence.node(name) or {}
        if data and wanted in data.binary_keys:
            return edits
        kind, parameters = case.kind_of(name), node.get("parameters") or {}
        if kind == "set" and float(node.get("typeVersion") or 1) >= 3:
            edits.append(Edit(name, ("parameters", "includeOtherFields"), True))
            edits.append(Edit(name, ("parameters", "options", "stripBinary"), False))
        elif kind == "code":
            each = parameters.get("mode") == "runOnceForEachItem"
            before = [case.evidence.node_data.get(entry) for entry in case.parents.get(name, ())]
            single = len(before) == 1 and before[0] is not None and before[0].item_count == 1
            code = with_files(str(parameters.get("jsCode") or ""), each_item=each, single=single)
            if code is None:
                return []
            edits.append(Edit(name, ("parameters", "jsCode"), code))
        elif kind not in _PASSING:
            return []
    return []


def _download(case: Case) -> Edit | None:
    """The request just before, told to keep its answer as a file."""
    parents = case.parents.get(str(case.name), [])
    name = parents[0] if len(parents) == 1 else None
    if name is None or case.kind_of(name) != "httpRequest":
        return None
    path: Path = ("parameters", "options", "response", "response", "responseFormat")
    return Edit(name, path, "file")


def date(case: Case) -> Finding:
    """A date whose order of day and month is certain, with the format that says so."""
    for key in ("date", "magnitude", "startDate", "dateTime"):
        value = case.parameters.get(key)
        found = placeholders(value) if isinstance(value, str) else []
        shown = str(expression_value(case, found[0].code)) if len(found) == 1 else str(value)
        for pattern, separator in _DATE_FORMATS:
            if (
                re.fullmatch(pattern, shown)
                and case.kind == "dateTime"
                and (case.node.get("typeVersion") or 1) >= 2
                and case.parameters.get("operation") == "formatDate"
            ):
                first, second = (int(part) for part in shown.split(separator)[:2])
                order = ("dd", "MM") if first > 12 else ("MM", "dd") if second > 12 else None
                if order:
                    form = separator.join((*order, "yyyy"))
                    return Finding(
                        words={"value": shown, "format": form},
                        edits=(Edit(str(case.name), ("parameters", "options", "fromFormat"), form),),
                    )
        if isinstance(value, str) and case.kind in ("dateTime", "wait") and (made := _read_as(value, date_format(shown))):
            return Finding(
                words={"value": shown[:80], "format": made[0]}, edits=(Edit(str(case.name), ("parameters", key), made[1]),)
            )
        if isinstance(value, str):
            return Finding(words={"value": shown[:80]})
    return Finding(words={"value": "?"})


def _read_as(value: str, form: str | None) -> tuple[str, str] | None:
    """The format and the parameter with its one expression read as a date of that format."""
    if form is None or len(placeholders(value)) != 1:
        return None
    new = rewrite(value, lambda code: f" DateTime.fromFormat(String({code.strip()}), '{form}').toISO() ")
    return (form, new) if new else None


def sql(case: Case) -> Finding:
    """A keyword that was misspelt, or a comma or keyword too much."""
    query = case.parameters.get("query")
    if not isinstance(query, str):
        return Finding()
    known = {str(path[-1]).lower() for item in case.evidence.input_items for path, _ in places(item, 2)}
    wrong = []
    for found in re.finditer(
        r"(?<![\w.'\"$])[A-Za-z]{2,}(?![\w.'\"(])",
        re.sub(r"'[^']*'|\"[^\"]*\"|\{\{[\s\S]*?\}\}", lambda quoted: "0" * len(quoted.group()), query),
    ):
        word = found.group()
        meant = (
            None if word.upper() in _SQL_WORDS or word.lower() in known or word.lower().startswith("input") else _keyword(word)
        )
        if meant:
            wrong.append((found.start(), found.end(), meant if word.isupper() else meant.lower()))
    fixed = query
    if len(wrong) == 1:
        start, end, meant = wrong[0]
        fixed = query[:start] + meant + query[end:]
    elif not wrong:
        fixed = re.sub(r",(\s+FROM\b)", r"\1", query, flags=re.IGNORECASE)
        fixed = (
            re.sub(
                r"(?:,|\b(?:WHERE|AND|OR|ORDER BY|GROUP BY|HAVING|LIMIT|ON))\s*(;?)\s*$", r"\1", fixed, flags=re.IGNORECASE
            ).rstrip()
            if fixed == query
            else fixed
        )
    edits = (Edit(str(case.name), ("parameters", "query"), fixed),) if fixed != query else ()
    return Finding(words={"fixed": fixed[:160]}, edits=edits)


def _keyword(word: str) -> str | None:
    """The SQL keyword that was meant by a word: the same letters in another order, or one letter off."""
    same = [keyword for keyword in _SQL_WORDS if len(keyword) > 3 and sorted(keyword) == sorted(word.upper())]
    if len(same) == 1:
        return same[0]
    return closest(
        word.upper(), [keyword for keyword in _SQL_WORDS if len(keyword) > 4 and abs(len(keyword) - len(word)) <= 1], 83
    )
