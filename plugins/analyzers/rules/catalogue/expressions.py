"""Failures of expressions: their syntax, the nodes and fields that they name, and item linking."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from hub.plugin_api import Cause, Quote
from plugins.analyzers.rules.case import Case, Json, Path
from plugins.analyzers.rules.fields import closest, dig
from plugins.analyzers.rules.javascript import is_expression, repair_expression
from plugins.analyzers.rules.json_texts import renders, repair_json_text
from plugins.analyzers.rules.node_references import Reference, has_value, node_references, renamed, replaced
from plugins.analyzers.rules.patch import Edit
from plugins.analyzers.rules.references import Lost, lost_references
from plugins.analyzers.rules.rule import Finding, Fix, Pattern, Rule, found_edits, regex, text
from plugins.analyzers.rules.sent import complained_names
from plugins.analyzers.rules.templates import is_template, looks_like_template, placeholders, rewrite

_JSON_TEXTS = frozenset(("jsonBody", "jsonQuery", "jsonHeaders", "jsonOutput", "responseBody"))
_NOT_EVALUATED = frozenset(("jsCode", "pythonCode", "functionCode", "workflowJson", "html", "content"))
_HALF_OPEN = re.compile(r"\{\{([^{}]*)\}(?!\})|(?<!\{)\{([^{}]*)\}\}")


def _missing_prefix(case: Case) -> Finding | None:
    """A text with ``{{ }}`` but without ``=``, in the failing node or in one whose data it was given."""
    said = case.words + json.dumps(case.error.request or {}, ensure_ascii=False)
    own = [(path, value) for path, value in case.texts() if looks_like_template(value) and path[-1] not in _NOT_EVALUATED]
    shown = any(found.code.strip() and found.code.strip() in said for _, value in own for found in placeholders(value))
    if own and (shown or case.status in (400, 404, 422) or _is_about_json(case, own)):
        edits = [Edit(str(case.name), path, _prefixed(case, path, value)) for path, value in own]
        return _prefix_finding(case, str(case.name), own[0], edits, 1.0 if shown else 0.85)
    if "{{" not in said:
        return None
    for name in case.ancestors:
        node = case.evidence.node(name) or {}
        plain = [
            (path, value) for path, value in case.texts(node) if looks_like_template(value) and path[-1] not in _NOT_EVALUATED
        ]
        shown_there = [entry for entry in plain if any(found.code.strip() in said for found in placeholders(entry[1]))]
        if shown_there:
            return _prefix_finding(case, name, shown_there[0], [Edit(name, path, f"={value}") for path, value in plain], 0.9)
    return None


def _is_about_json(case: Case, own: list[tuple[Path, str]]) -> bool:
    return "JSON" in case.error.message and any(path[-1] in _JSON_TEXTS for path, _ in own)


def _prefixed(case: Case, path: Path, value: str) -> str:
    if path[-1] in _JSON_TEXTS and not renders(case, value):
        return repair_json_text(case, f"={value}") or f"={value}"
    return f"={value}"


def _prefix_finding(case: Case, name: str, entry: tuple[Path, str], edits: list[Edit], certainty: float) -> Finding:
    index = next((i for i, node in enumerate(case.evidence.workflow["nodes"]) if node.get("name") == name), 0)
    pointer = f"/workflow/nodes/{index}/" + "/".join(str(key) for key in entry[0])
    return Finding(
        node=name,
        words={"text": entry[1][:120]},
        edits=edits,
        quotes=(Quote(pointer=pointer, quote=entry[1][:300]),),
        certainty=certainty,
    )


def _syntax(case: Case) -> Finding:
    edits, broken = [], ""
    for path, value in case.texts():
        if not is_template(value) or path[-1] in _NOT_EVALUATED:
            continue
        closed = (
            _HALF_OPEN.sub(lambda found: "{{" + (found.group(1) or found.group(2) or "") + "}}", value)
            if value.count("{{") != value.count("}}")
            else value
        )
        wrong = [found.code for found in placeholders(closed) if not is_expression(found.code)]
        if not wrong and closed == value:
            continue
        broken = broken or (wrong[0].strip() if wrong else value)
        fixed = rewrite(closed, lambda code: code if is_expression(code) else repair_expression(code)) or closed
        if all(is_expression(found.code) for found in placeholders(fixed)):
            edits.append(Edit(str(case.name), path, fixed))
    return Finding(words={"expression": broken or "?", "fixed": str(edits[0].value)[:160] if edits else ""}, edits=edits)


def _unknown_node(case: Case) -> Finding:
    missing = case.error.node_cause or ""
    names = [str(node.get("name")) for node in case.evidence.workflow["nodes"] if node.get("name") != case.name]
    keys = [reference.keys for reference in node_references(case, missing)]
    holding = [name for name in case.ancestors if keys and all(has_value(case.output(name), path) for path in keys if path)]
    meant = (
        closest(missing, names, 82)
        or closest(missing, holding, 40)
        or (holding[0] if len(holding) == 1 else None)
        or closest(missing, names, 62)
    )
    if not meant:
        return Finding(words={"missing": missing})
    certainty = 1.0 if meant in holding or closest(missing, names, 82) else 0.8
    return Finding(words={"missing": missing, "meant": meant}, edits=renamed(case, missing, meant), certainty=certainty)


def _unexecuted(case: Case) -> Finding:
    missing = case.error.node_cause or ""
    inside_code = case.kind == "code"

    def elsewhere(reference: Reference) -> str | None:
        if has_value([case.item], reference.keys) and reference.keys:
            return ("$input.first().json" if inside_code and not _each_item(case) else "$json") + reference.keys_text
        for name in case.ancestors:
            if reference.keys and case.has_run(name) and has_value(case.output(name), reference.keys):
                access = "first()" if inside_code else "item"
                return f"$('{_quoted(name)}').{access}.json{reference.keys_text}"
        return None

    edits = replaced(case, list(node_references(case, missing)), elsewhere)
    return Finding(words={"missing": missing}, edits=edits or ())


def _each_item(case: Case) -> bool:
    return case.parameters.get("mode") == "runOnceForEachItem"


def _quoted(name: str) -> str:
    return name.replace("\\", "\\\\").replace("'", "\\'")


def _paired(case: Case) -> Finding:
    """Each ``.item`` of the failing node led to a place that needs no item linking."""
    edits: list[Edit] = []
    for name in dict.fromkeys([*case.ancestors, *case.evidence.node_data]):
        linked = [
            entry
            for entry in node_references(case, name)
            if ".item" in entry.access or ".pairedItem" in entry.access or not entry.access
        ]
        if not linked:
            continue
        made = replaced(case, linked, lambda reference, source=name: _unlinked(case, source, reference))  # type: ignore[misc]
        if made is None:
            return Finding(words={"cause": case.error.node_cause or "?"})
        edits += made
    return Finding(words={"cause": case.error.node_cause or "?"}, edits=_merged(edits))


def _merged(edits: list[Edit]) -> list[Edit]:
    """Nothing, where two nodes are named in one text: the second edit would undo the first."""
    return edits if len({edit.path for edit in edits}) == len(edits) else []


def _unlinked(case: Case, name: str, reference: Reference) -> str | None:
    items = case.output(name)
    data = case.evidence.node_data.get(name)
    values = [dig(item, reference.keys) for item in items]
    if data and items and (data.item_count == 1 or (reference.keys and all(value == values[0] for value in values))):
        return f"$('{_quoted(name)}').first().json{reference.keys_text}"
    if reference.keys and has_value([case.item], reference.keys):
        return f"$json{reference.keys_text}"
    if data and data.item_count == case.evidence.input_count > 0:
        return f"$('{_quoted(name)}').all()[$itemIndex].json{reference.keys_text}"
    return None


def _lost_in_request(case: Case) -> Finding | None:
    """References that gave nothing, in the part of the request that the answer can be about."""
    places = (
        {"url", "queryParameters", "jsonQuery"}
        if case.status == 404 or not case.status
        else {
            "url",
            "queryParameters",
            "jsonQuery",
            "bodyParameters",
            "jsonBody",
            "body",
            "headerParameters",
        }
    )
    named = complained_names(case) if case.status != 404 else []
    lost = [entry for entry in lost_references(case) if len(entry.path) > 1 and entry.path[1] in places]
    about = [entry for entry in lost if not named or _is_about(case, entry, named)]
    return _lost_finding(about) if any(entry.edit for entry in about) else None


def _is_about(case: Case, lost: Lost, named: list[str]) -> bool:
    """Whether the answer complains about the field that the reference was to fill."""
    holder = dig(case.node, lost.path[:-1])
    names = [str(holder.get("name"))] if isinstance(holder, dict) and "name" in holder else []
    if lost.path[-1] in _JSON_TEXTS:
        names += re.findall(r'"([^"]+)"\s*:\s*"?\s*\{\{[^}]*' + re.escape(lost.reference), str(dig(case.node, lost.path)))
    return any(closest(name + "\x00", named, 90) or name in named for name in names)


def _lost_anywhere(case: Case) -> Finding | None:
    lost = lost_references(case)
    if "Invalid URL" in case.error.message or "URL parameter" in case.error.message:
        lost = [entry for entry in lost if entry.path[1:2] == ("url",)]
    if "JSON" in case.error.message:
        lost = [entry for entry in lost if entry.path[-1] in _JSON_TEXTS]
    return _lost_finding(lost) if any(entry.edit for entry in lost) else None


def _lost_finding(lost: list[Lost]) -> Finding:
    mended = [entry for entry in lost if entry.edit]
    first = mended[0]
    # Two mends of one text would undo each other.
    edits = list({entry.path: entry.edit for entry in mended if entry.edit}.values())
    certainty = min(entry.certainty for entry in mended)
    return Finding(words={"reference": first.reference, "now": first.now}, edits=edits, certainty=max(certainty, 0.7))


def _index(case: Case) -> Finding:
    """A Switch output that is one too high, as numbers counted from 1 are."""
    shown = re.search(r"ou?t?put (-?\d+) is not allowed", case.error.message)
    bounds = re.search(r"between 0 and (\d+)", case.words)
    value = case.parameters.get("output")
    if not shown or not bounds or not isinstance(value, str) or int(shown.group(1)) != int(bounds.group(1)) + 1:
        return Finding()
    new = rewrite(value, lambda code: f" ({code.strip()}) - 1 ") if is_template(value) else None
    return Finding(edits=(Edit(str(case.name), ("parameters", "output"), new),) if new else (), certainty=0.95)


_LOST_TEXTS: Json = {
    "summary": text(
        "‘{node}’ reads {reference}, but the data has no such field.",
        "تقرأ العقدة ‘{node}’ الحقل {reference}، لكن البيانات لا تحوي هذا الحقل.",
    ),
    "fixes": (
        Fix(
            text("Read {now}", "اقرأ {now}"),
            text(
                "There the data of this execution has the field. Data of a webhook lies under ‘body’.",
                "هناك تحوي بيانات هذا التنفيذ الحقل. تقع بيانات الـ webhook تحت ‘body’.",
            ),
            make=found_edits,
            confidence=0.85,
        ),
        Fix(
            text("Pick the field again", "اختر الحقل من جديد"),
            text(
                "Open the node's input in n8n and drag the field into the parameter.",
                "افتح مدخلات العقدة في n8n واسحب الحقل إلى المعامل.",
            ),
            confidence=0.5,
        ),
    ),
}

RULES: Sequence[Rule] = (
    Rule(
        id="missing-prefix",
        cause=Cause.MISSING_EXPRESSION_PREFIX,
        prior=0.95,
        rank=80,
        look=_missing_prefix,
        when=(Pattern(),),
        unless=(
            Pattern(classes=frozenset(("WorkflowCrashedError", "ManualExecutionCancelledError"))),
            Pattern(kinds=frozenset(("code", "stopAndError"))),
        ),
        summary=text(
            "A parameter of ‘{node}’ holds an expression that n8n takes as plain text: {text}",
            "أحد معاملات العقدة ‘{node}’ يحوي تعبيرًا يعامله n8n نصًّا عاديًّا: {text}",
        ),
        fixes=(
            Fix(
                text("Mark it as an expression", "اجعله تعبيرًا"),
                text("An expression starts with ‘=’; then n8n fills in the value.", "يبدأ التعبير بعلامة ‘=’ فيملأ n8n القيمة."),
                make=found_edits,
                confidence=0.92,
            ),
            Fix(
                text("Switch the parameter to ‘Expression’", "حوّل المعامل إلى ‘Expression’"),
                text("The switch is beside the parameter's name.", "يوجد الزر بجانب اسم المعامل."),
                confidence=0.6,
            ),
        ),
    ),
    Rule(
        id="expression-syntax",
        cause=Cause.EXPRESSION_SYNTAX,
        prior=0.96,
        rank=70,
        look=_syntax,
        when=(Pattern(message=regex(r"^invalid syntax\b")),),
        summary=text(
            "An expression of ‘{node}’ cannot be parsed: {expression}", "تعذّر فهم أحد تعبيرات العقدة ‘{node}’: {expression}"
        ),
        fixes=(
            Fix(
                text("Correct it to {fixed}", "صحّحه إلى {fixed}"),
                text("This is the smallest change after which the expression parses.", "هذا أصغر تغيير يجعل التعبير مفهومًا."),
                make=found_edits,
                confidence=0.8,
            ),
            Fix(
                text("Correct the expression", "صحّح التعبير"),
                text("Look for a missing bracket, quote or operand.", "ابحث عن قوس أو علامة اقتباس أو حدّ ناقص."),
                confidence=0.5,
            ),
        ),
    ),
    Rule(
        id="unknown-node",
        cause=Cause.UNKNOWN_NODE_REFERENCE,
        prior=0.97,
        rank=70,
        look=_unknown_node,
        when=(
            Pattern(description_keys=frozenset(("nodeNotFound",))),
            Pattern(message=regex(r"Referenced node (?:doesn't|does not) exist")),
        ),
        summary=text(
            "‘{node}’ refers to a node ‘{missing}’ that does not exist.", "تشير العقدة ‘{node}’ إلى عقدة ‘{missing}’ غير موجودة."
        ),
        fixes=(
            Fix(
                text("Refer to ‘{meant}’", "أشِر إلى ‘{meant}’"),
                text(
                    "The node was probably renamed; this one is the nearest by name and has the data.",
                    "غالبًا أُعيدت تسمية العقدة؛ وهذه الأقرب اسمًا ولديها البيانات.",
                ),
                make=found_edits,
                confidence=0.87,
            ),
            Fix(
                text("Choose the node again", "اختر العقدة من جديد"),
                text("Put the name of an existing node into the expression.", "ضع في التعبير اسم عقدة موجودة."),
                confidence=0.5,
            ),
        ),
    ),
    Rule(
        id="unexecuted-node",
        cause=Cause.UNEXECUTED_NODE_REFERENCE,
        prior=0.96,
        rank=70,
        look=_unexecuted,
        when=(
            Pattern(context_types=frozenset(("no_execution_data", "no_node_execution_data"))),
            Pattern(message=regex(r"^Node '.*' hasn't been executed")),
        ),
        summary=text(
            "‘{node}’ reads from ‘{missing}’, which did not run in this execution.",
            "تقرأ العقدة ‘{node}’ من ‘{missing}’ التي لم تعمل في هذا التنفيذ.",
        ),
        fixes=(
            Fix(
                text("Read the value from data that is there", "اقرأ القيمة من البيانات المتاحة"),
                text("The same field comes from the branch that did run.", "الحقل نفسه يأتي من الفرع الذي عمل."),
                make=found_edits,
                confidence=0.82,
            ),
            Fix(
                text("Rewire, or ask whether it ran", "أعد التوصيل أو تحقّق هل عملت"),
                text(
                    "Connect the node before this one, or test $('{missing}').isExecuted before reading from it.",
                    "صِل العقدة قبل هذه، أو اختبر $('{missing}').isExecuted قبل القراءة منها.",
                ),
                confidence=0.5,
            ),
        ),
    ),
    Rule(
        id="paired-item",
        cause=Cause.PAIRED_ITEM,
        prior=0.96,
        rank=70,
        look=_paired,
        when=(
            Pattern(
                context_types=frozenset(
                    (
                        "paired_item_no_info",
                        "paired_item_no_connection",
                        "paired_item_multiple_matches",
                        "paired_item_invalid_info",
                        "paired_item_intermediate_nodes",
                    )
                )
            ),
            Pattern(message=regex(r"^Paired item data|^Multiple match(?:es|ing)|Can.t get data for expression|pairedItem")),
        ),
        summary=text(
            "‘{node}’ asks for the matching item, but the link between the items was lost at ‘{cause}’.",
            "تطلب العقدة ‘{node}’ العنصر المقابل، لكن الربط بين العناصر ضاع عند ‘{cause}’.",
        ),
        fixes=(
            Fix(
                text("Read without item linking", "اقرأ دون ربط العناصر"),
                text(
                    "The value is the same for all items, or it can be found by its position, so no link is needed.",
                    "القيمة واحدة لكل العناصر أو يمكن إيجادها بموضعها، فلا حاجة إلى الربط.",
                ),
                make=found_edits,
                confidence=0.8,
            ),
            Fix(
                text("Keep the link in ‘{cause}’", "حافظ على الربط في ‘{cause}’"),
                text(
                    "Let its code return ‘pairedItem’ with each item, or carry the needed field along.",
                    "اجعل كودها يعيد ‘pairedItem’ مع كل عنصر، أو مرّر الحقل المطلوب معه.",
                ),
                confidence=0.5,
            ),
        ),
    ),
    Rule(
        id="field-missing-in-request",
        cause=Cause.WRONG_FIELD_PATH,
        prior=0.9,
        rank=58,
        look=_lost_in_request,
        when=(Pattern(codes=frozenset(("400", "404", "409", "422", "ENOTFOUND"))),),
        **_LOST_TEXTS,
    ),
    Rule(
        id="field-missing",
        cause=Cause.WRONG_FIELD_PATH,
        prior=0.9,
        rank=64,
        look=_lost_anywhere,
        when=(
            Pattern(
                message=regex(
                    r"URL parameter|Invalid URL|not valid JSON|invalid JSON|Invalid date|Wrong type|expects an? |is required|is not set|must be an? |cannot be empty|is empty"
                )
            ),
        ),
        **_LOST_TEXTS,
    ),
    Rule(
        id="index-out-of-range",
        cause=Cause.INDEX_OUT_OF_RANGE,
        prior=0.95,
        rank=66,
        look=_index,
        when=(
            Pattern(
                message=regex(
                    r"The ou?t?put -?\d+ is not allowed|has no branch with index|No data found for item-index|trying to access item \d+|but expression references item|Run \d+ of node .* not found|index out of (?:range|bounds)|Branch not found|Input \d+ doesn't exist"
                )
            ),
        ),
        summary=text(
            "‘{node}’ asks for a number beyond what there is: {message}", "تطلب العقدة ‘{node}’ رقمًا يتجاوز الموجود: {message}"
        ),
        fixes=(
            Fix(
                text("Count from 0", "ابدأ العد من 0"),
                text("The value counts from 1, the outputs from 0.", "القيمة تبدأ العد من 1 والمخارج من 0."),
                make=found_edits,
                confidence=0.5,
            ),
            Fix(
                text("Check the number and what it counts", "تحقّق من الرقم وممّا يعدّه"),
                text(
                    "Outputs and items are counted from 0. Add the missing output, or guard against missing items.",
                    "تُعدّ المخارج والعناصر من 0. أضف المخرج الناقص أو احتط لغياب العناصر.",
                ),
                confidence=0.5,
            ),
        ),
    ),
    Rule(
        id="expression-function",
        cause=Cause.UNKNOWN_FUNCTION,
        prior=0.85,
        rank=52,
        when=(Pattern(message=regex(r"is not a function|Unknown function|function .* does not exist")),),
        unless=(Pattern(kinds=frozenset(("code", "function", "functionItem"))),),
        summary=text(
            "An expression of ‘{node}’ calls a function that the value does not have.",
            "يستدعي أحد تعبيرات العقدة ‘{node}’ دالة غير موجودة للقيمة.",
        ),
        fixes=(
            Fix(
                text("Use a function of that type", "استخدم دالة تناسب النوع"),
                text("Check the name's spelling and the type of the value.", "تحقّق من كتابة الاسم ومن نوع القيمة."),
                confidence=0.5,
            ),
        ),
    ),
)
