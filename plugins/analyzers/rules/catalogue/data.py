"""Failures of data: fields that are not there, types that do not fit, files and queries."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from hub.plugin_api import Cause, Quote
from plugins.analyzers.rules.case import Case, Path, walk_texts
from plugins.analyzers.rules.conversions import convertible, loose_edits, set_conversion
from plugins.analyzers.rules.fields import UNDEFINED, closest, dig, dotted, find_path, places
from plugins.analyzers.rules.patch import Edit
from plugins.analyzers.rules.rule import Finding, Fix, Pattern, Rule, found_edits, regex, text

_FIELD_MESSAGES = regex(
    r"(?:couldn't find the field|the field|field|no property named|has no json property called|the value in|property|column|key)"
    r"\s*[\"'‘“`]([^\"'’”`]+)[\"'’”`]|[\"'‘“`]([^\"'’”`]+)[\"'’”`] field is missing"
)
_MISSING_FIELD = regex(
    r"couldn't find the field|does not exist in any items|field is missing from|no property named|no json property called"
    r"|is not set$|is not present in any of items|(?:field|property|column|key) ['\"‘].*['\"’] (?:does not exist|doesn't exist|not found|is missing|could not be found)"
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


def _field(case: Case) -> Finding | None:
    """The field that the message names, led to the one that the items have."""
    shown = _FIELD_MESSAGES.search(case.error.message)
    wanted = (shown.group(1) or shown.group(2)) if shown else ""
    source = _source_with(case)
    if not wanted:
        return None
    meant, certainty = _meant(case, source, wanted)
    words = {"field": wanted, "meant": meant or "", "has": ", ".join(str(path[0]) for path, _ in places(source, 1))[:200]}
    quote = Quote(pointer="/input_items/0", quote=words["has"]) if words["has"] else None
    edits = _field_edits(case, wanted, meant) if meant else []
    return Finding(words=words, edits=edits, quotes=(quote,) if quote else (), certainty=certainty)


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

    found = find_path(source, wanted.rsplit(".", 1)[-1], fits)
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


def _condition(case: Case) -> Finding:
    shown = re.search(
        r"'([\s\S]*)' is an? (\w+) but was expecting an? (\w+)|Comparison type expects an? (\w+) but", case.error.message
    )
    wanted = (shown.group(3) or shown.group(4)) if shown else "?"
    value = shown.group(1) if shown else None
    values = [value] if value is not None else _condition_values(case)
    edits = loose_edits(case) if values and all(convertible(entry, wanted) for entry in values) else []
    return Finding(words={"value": (value or str(values[0]) if values else "?")[:80], "type": wanted}, edits=edits)


def _condition_values(case: Case) -> list[str]:
    """The values that the message does not show: those that the conditions' expressions give."""
    from plugins.analyzers.rules.fields import UNKNOWN
    from plugins.analyzers.rules.json_texts import expression_value
    from plugins.analyzers.rules.templates import placeholders

    values = []
    for path, value in case.texts():
        if path[-1] == "leftValue" and value.startswith("=") and len(placeholders(value)) == 1:
            found = expression_value(case, placeholders(value)[0].code)
            if found not in (UNDEFINED, None) and found is not UNKNOWN:
                values.append(str(found).lower() if isinstance(found, bool) else str(found))
    return values


def _assignment(case: Case) -> Finding:
    shown = re.search(r"'(.*)' expects an? (\w+) but we got '?([\s\S]*?)'? \[item", case.error.message)
    if not shown:
        return Finding(words={"field": "?", "type": "?", "value": "?"})
    field, wanted, value = shown.groups()
    edit = set_conversion(case, field, wanted, value)
    return Finding(words={"field": field, "type": wanted, "value": value[:80]}, edits=(edit,) if edit else ())


def _binary(case: Case) -> Finding:
    shown = _BINARY_NAME.search(case.words)
    wanted = (shown.group(1) or shown.group(2)) if shown else "data"
    keys = case.evidence.input_binary_keys
    words = {"field": wanted, "meant": ""}
    meant = keys[0] if len(keys) == 1 else closest(wanted, keys)
    if meant:
        edits = [
            Edit(str(case.name), path, meant)
            for path, value in _parameter_texts(case)
            if value == wanted and re.search(r"binary|inputDataField|dataPropertyName", str(path[-1]), re.IGNORECASE)
        ]
        return Finding(words={**words, "meant": meant}, edits=edits)
    download = _download(case)
    if download:
        return Finding(words={**words, "meant": "data"}, edits=(download,), certainty=0.9, facts={"download": True})
    return Finding(words=words)


def _download(case: Case) -> Edit | None:
    """The request just before, told to keep its answer as a file."""
    parents = case.parents.get(str(case.name), [])
    name = parents[0] if len(parents) == 1 else None
    if name is None or case.kind_of(name) != "httpRequest":
        return None
    path: Path = ("parameters", "options", "response", "response", "responseFormat")
    return Edit(name, path, "file")


def _date(case: Case) -> Finding:
    """A date whose order of day and month is certain, with the format that says so."""
    from plugins.analyzers.rules.json_texts import expression_value
    from plugins.analyzers.rules.templates import placeholders

    for key in ("date", "magnitude", "startDate"):
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
        if isinstance(value, str):
            return Finding(words={"value": shown[:80]})
    return Finding(words={"value": "?"})


def _sql(case: Case) -> Finding:
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


RULES: Sequence[Rule] = (
    Rule(
        id="field-not-in-items",
        cause=Cause.WRONG_FIELD_PATH,
        prior=0.95,
        rank=62,
        when=(Pattern(message=_MISSING_FIELD),),
        look=_field,
        unless=(Pattern(message=regex(r"binary|GraphQL|on type")), Pattern(kinds=frozenset(("code",)))),
        summary=text(
            "‘{node}’ wants the field ‘{field}’, but the items have: {has}",
            "تريد العقدة ‘{node}’ الحقل ‘{field}’، لكن العناصر تحوي: {has}",
        ),
        fixes=(
            Fix(
                text("Use ‘{meant}’", "استخدم ‘{meant}’"),
                text("This field of the input is the nearest to ‘{field}’.", "هذا الحقل من المدخلات هو الأقرب إلى ‘{field}’."),
                make=found_edits,
                confidence=0.85,
            ),
            Fix(
                text("Choose the field again", "اختر الحقل من جديد"),
                text("Compare the parameter with the fields of the node's input.", "قارن المعامل بحقول مدخلات العقدة."),
                confidence=0.5,
            ),
        ),
    ),
    Rule(
        id="condition-type",
        cause=Cause.TYPE_MISMATCH,
        prior=0.96,
        rank=62,
        when=(Pattern(message=regex(r"^Wrong type:|^Comparison type expects")),),
        look=_condition,
        summary=text(
            "A strict condition of ‘{node}’ wants {type}, but ‘{value}’ is of another type.",
            "يريد شرط صارم في العقدة ‘{node}’ النوع {type}، لكن ‘{value}’ من نوع آخر.",
        ),
        fixes=(
            Fix(
                text("Convert types where required", "حوّل الأنواع عند الحاجة"),
                text(
                    "The value can be read as {type}, so the condition then compares what was meant.",
                    "يمكن قراءة القيمة على أنها {type}، فيقارن الشرط ما قُصد.",
                ),
                make=found_edits,
                confidence=0.88,
            ),
            Fix(
                text("Convert the value or compare another way", "حوّل القيمة أو غيّر المقارنة"),
                text(
                    "The value cannot be read as {type}: correct it where it comes from, or choose a comparison for its type.",
                    "لا يمكن قراءة القيمة على أنها {type}: صحّحها من مصدرها أو اختر مقارنة تناسب نوعها.",
                ),
                confidence=0.5,
            ),
        ),
    ),
    Rule(
        id="assignment-type",
        cause=Cause.TYPE_MISMATCH,
        prior=0.96,
        rank=62,
        when=(Pattern(message=regex(r"^'.*' expects an? \w+ but we got")),),
        look=_assignment,
        summary=text(
            "The field ‘{field}’ of ‘{node}’ is to be {type}, but its value is ‘{value}’.",
            "يجب أن يكون الحقل ‘{field}’ في العقدة ‘{node}’ من النوع {type}، لكن قيمته ‘{value}’.",
        ),
        fixes=(
            Fix(
                text("Convert the value of ‘{field}’", "حوّل قيمة ‘{field}’"),
                text("The expression brings the value to the type that the field has.", "يحوّل التعبير القيمة إلى نوع الحقل."),
                make=found_edits,
                confidence=0.72,
            ),
            Fix(
                text("Choose the type that the data has", "اختر النوع الموافق للبيانات"),
                text(
                    "Change the field's type, or correct the value where it comes from.", "غيّر نوع الحقل أو صحّح القيمة من مصدرها."
                ),
                confidence=0.5,
            ),
        ),
    ),
    Rule(
        id="invalid-date",
        cause=Cause.TYPE_MISMATCH,
        prior=0.75,
        rank=60,
        look=_date,
        when=(
            Pattern(
                message=regex(
                    r"^Invalid date format|is not a valid (?:DateTime|date)|date input (?:cannot be parsed|format could not)|Unrecognized date input"
                )
            ),
        ),
        summary=text("‘{node}’ cannot read ‘{value}’ as a date.", "لا تستطيع العقدة ‘{node}’ قراءة ‘{value}’ تاريخًا."),
        fixes=(
            Fix(
                text("Read dates as {format}", "اقرأ التواريخ بصيغة {format}"),
                text("Only this order of day and month fits the value.", "هذا الترتيب لليوم والشهر وحده يناسب القيمة."),
                make=found_edits,
                confidence=0.8,
            ),
            Fix(
                text("Give the date in ISO form", "أعطِ التاريخ بصيغة ISO"),
                text(
                    "Use 2026-12-31, or say in ‘From Date Format’ how the text is written.",
                    "استخدم 2026-12-31، أو حدّد في ‘From Date Format’ طريقة كتابة النص.",
                ),
                confidence=0.5,
            ),
        ),
    ),
    Rule(
        id="missing-binary",
        cause=Cause.MISSING_BINARY,
        prior=0.97,
        rank=66,
        look=_binary,
        when=(
            Pattern(
                message=regex(
                    r"binary (?:file|field|data|property).*(?:none was found|not found|does not exist)|has no binary|No binary data exists|Could not find binary data"
                )
            ),
        ),
        summary=text(
            "‘{node}’ wants a file in ‘{field}’, but the item has none there.",
            "تريد العقدة ‘{node}’ ملفًّا في ‘{field}’، لكن العنصر لا يحوي ملفًّا هناك.",
        ),
        fixes=(
            Fix(
                text("Take the file from ‘{meant}’", "خذ الملف من ‘{meant}’"),
                text(
                    "There the file lies, or will lie once the request before keeps its answer as a file.",
                    "هناك يوجد الملف، أو سيوجد بعد أن تحفظ العقدة السابقة ردها ملفًّا.",
                ),
                make=found_edits,
                confidence=0.75,
            ),
            Fix(
                text("Bring the file to this node", "أوصل الملف إلى هذه العقدة"),
                text(
                    "Download or read the file right before, and use the name under which it is kept.",
                    "نزّل الملف أو اقرأه قبلها مباشرة، واستخدم الاسم المحفوظ به.",
                ),
                confidence=0.5,
            ),
        ),
    ),
    Rule(
        id="sql-syntax",
        cause=Cause.SQL_SYNTAX,
        prior=0.93,
        rank=62,
        look=_sql,
        when=(
            Pattern(
                words=regex(
                    r"syntax error at or near|error in your SQL syntax|Parse error on line \d+|SQLITE_ERROR|near \".*\": syntax error|unterminated quoted string|Incorrect syntax near"
                )
            ),
        ),
        unless=(Pattern(kinds=frozenset(("code", "httpRequest"))),),
        summary=text("The database cannot parse the query of ‘{node}’.", "لا تستطيع قاعدة البيانات فهم استعلام العقدة ‘{node}’."),
        fixes=(
            Fix(
                text("Correct the query to: {fixed}", "صحّح الاستعلام إلى: {fixed}"),
                text(
                    "A keyword was misspelt or stands without what belongs to it.", "كلمة مفتاحية مكتوبة خطأً أو ينقصها ما يتبعها."
                ),
                make=found_edits,
                confidence=0.7,
            ),
            Fix(
                text("Correct the query", "صحّح الاستعلام"),
                text(
                    "The message shows the place. Pass values as query parameters instead of pasting them into the text.",
                    "تُظهر الرسالة الموضع. مرّر القيم معاملات للاستعلام بدل لصقها في النص.",
                ),
                confidence=0.5,
            ),
        ),
    ),
    Rule(
        id="broken-document",
        cause=Cause.BAD_RESPONSE_FORMAT,
        prior=0.6,
        rank=50,
        when=(
            Pattern(
                message=regex(
                    r"^Unexpected close tag|^Invalid PDF structure|Non-whitespace before first tag|Unclosed root tag|Model output doesn't fit required format|not a valid (?:zip|xlsx) file|Unsupported file"
                )
            ),
        ),
        summary=text(
            "What ‘{node}’ was given is not in the format that it reads.", "ما وصل إلى العقدة ‘{node}’ ليس بالصيغة التي تقرؤها."
        ),
        fixes=(
            Fix(
                text("Look at the document itself", "انظر إلى المستند نفسه"),
                text(
                    "Often an error page was downloaded instead. Check its first lines and its source.",
                    "كثيرًا ما تُنزَّل صفحة خطأ بدلًا منه. افحص أسطره الأولى ومصدره.",
                ),
                confidence=0.5,
            ),
        ),
    ),
)
