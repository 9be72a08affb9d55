"""Failures of Code nodes: syntax, what is returned, the mode, and what is read."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tree_sitter import Node

from hub.plugin_api import Cause, Quote
from plugins.analyzers.rules.case import Case
from plugins.analyzers.rules.fields import UNDEFINED, UNKNOWN, closest, dig
from plugins.analyzers.rules.javascript import is_code, repair_code, replace_range, source, walk
from plugins.analyzers.rules.patch import Edit
from plugins.analyzers.rules.references import Mend, failing_steps, mend_undefined, text_answer
from plugins.analyzers.rules.returns import repair_extra_keys, repair_json_property, repair_return, returned_values
from plugins.analyzers.rules.rule import Finding, Fix, Pattern, Rule, found_edits, regex, text
from plugins.analyzers.rules.trace import Step, Trace

_KINDS = frozenset(("code", "function", "functionItem"))
_READING = re.compile(
    r"Cannot read propert(?:y|ies) of (?:undefined|null) \(reading '([^']+)'\)|Cannot read property '([^']+)' of (?:undefined|null)"
)
_PARSE_RUNTIME = regex(r"is not valid JSON|in JSON at position|end of JSON input|Unexpected token .*(?:\.\.\.|\")")
_LIST_METHODS = (
    *(
        "map",
        "filter",
        "forEach",
        "reduce",
        "find",
        "findIndex",
        "some",
        "every",
        "includes",
        "indexOf",
        "join",
        "slice",
        "splice",
        "sort",
    ),
    *("reverse", "concat", "push", "pop", "shift", "unshift", "flat", "flatMap", "keys", "values", "entries", "at", "fill"),
)
_TEXT_METHODS = (
    *(
        "split",
        "trim",
        "trimStart",
        "trimEnd",
        "toLowerCase",
        "toUpperCase",
        "replace",
        "replaceAll",
        "startsWith",
        "endsWith",
        "includes",
    ),
    *(
        "indexOf",
        "substring",
        "slice",
        "charAt",
        "match",
        "matchAll",
        "padStart",
        "padEnd",
        "repeat",
        "concat",
        "at",
        "normalize",
        "localeCompare",
    ),
)
_NUMBER_METHODS = ("toFixed", "toString", "toPrecision", "toLocaleString")
_GLOBALS = (
    "$input",
    "$json",
    "$now",
    "$today",
    "$node",
    "$items",
    "items",
    "DateTime",
    "JSON",
    "Math",
    "Object",
    "Array",
    "Number",
    "String",
    "Date",
    "console",
    "parseInt",
    "parseFloat",
)


def _code(case: Case) -> tuple[str, str]:
    """The parameter that holds the JavaScript, and the JavaScript."""
    key = "functionCode" if "functionCode" in case.parameters else "jsCode"
    return key, str(case.parameters.get(key) or "")


def _edit(case: Case, code: str | None) -> tuple[Edit, ...]:
    return (Edit(str(case.name), ("parameters", _code(case)[0]), code),) if code else ()


def _syntax(case: Case) -> Finding | None:
    """Code that never ran; what fails while running carries the number of its line."""
    code = _code(case)[1]
    if case.error.line_number is not None and is_code(code):
        return None
    return Finding(edits=_edit(case, repair_code(code)))


def _json_parse(case: Case) -> list[tuple[Trace, Node, Node]]:
    """The calls of ``JSON.parse`` with their argument, those on the failing line."""
    trace = Trace(case, _code(case)[1])
    line = case.error.line_number
    found = []
    for node in walk(trace.root):
        function, arguments = node.child_by_field_name("function"), node.child_by_field_name("arguments")
        if (
            node.type == "call_expression"
            and function is not None
            and source(function) == "JSON.parse"
            and arguments is not None
            and arguments.named_children
        ):
            if line is None or node.start_point.row <= line - 1 <= node.end_point.row:
                found.append((trace, node, arguments.named_children[0]))
    return found


def _parsed_object(case: Case) -> Finding:
    calls = _json_parse(case)
    if len(calls) != 1:
        return Finding()
    trace, call, argument = calls[0]
    return Finding(edits=_edit(case, replace_range(trace.code, call.start_byte, call.end_byte, source(argument))))


def _fenced_json(case: Case) -> Finding:
    calls = _json_parse(case)
    if len(calls) != 1:
        return Finding()
    trace, call, argument = calls[0]
    new = rf"JSON.parse(String({source(argument)}).replace(/^\s*```(?:json)?\s*|\s*```\s*$/g, ''))"
    return Finding(edits=_edit(case, replace_range(trace.code, call.start_byte, call.end_byte, new)))


def _mode(case: Case) -> Finding:
    """The mode for which the code is written, or in each-item mode the read of one item instead of the first."""
    each_item = case.parameters.get("mode") == "runOnceForEachItem"
    code = _code(case)[1]
    only_one = each_item and not re.search(r"\.all\(\)|\bitems\b|\$input\.itemMatching", code)
    values = returned_values(code)
    if only_one and values and all(value.type == "object" for value in values):
        new = re.sub(r"\$input\.(?:first|last)\(\)", "$input.item", code)
        if new != code:
            return Finding(words={"mode": "Run Once for Each Item"}, edits=_edit(case, new))
    wanted = "runOnceForAllItems" if each_item else "runOnceForEachItem"
    label = "Run Once for All Items" if each_item else "Run Once for Each Item"
    return Finding(words={"mode": label}, edits=(Edit(str(case.name), ("parameters", "mode"), wanted),))


def _items_in_each_mode(case: Case) -> Finding | None:
    return _mode(case) if case.parameters.get("mode") == "runOnceForEachItem" else None


def _shape(case: Case) -> Finding:
    code = _code(case)[1]
    each_item = case.parameters.get("mode") == "runOnceForEachItem"
    if "json" in case.error.message and not each_item:
        return Finding(edits=_edit(case, repair_json_property(case, code)))
    if case.error.message.startswith("Invalid output format"):
        return Finding(edits=_edit(case, repair_extra_keys(code)))
    new = repair_return(case, code, each_item=each_item)
    if new is None and each_item and any(value.type in ("array", "call_expression") for value in returned_values(code)):
        return Finding(edits=(Edit(str(case.name), ("parameters", "mode"), "runOnceForAllItems"),), certainty=0.9)
    return Finding(edits=_edit(case, new if new != code else None))


def _read_of_undefined(case: Case) -> tuple[str, Mend | None, Step | None, Trace] | None:
    found = _READING.search(case.error.message)
    if not found:
        return None
    wanted = found.group(1) or found.group(2)
    first: tuple[str, Mend | None, Step | None, Trace] | None = None
    for trace, node in failing_steps(case, _code(case)[1], wanted, case.error.line_number):
        mend, step = mend_undefined(case, trace, node, wanted)
        if mend:
            return wanted, mend, step, trace
        first = first or (wanted, None, step, trace)
    return first or (wanted, None, None, Trace(case, _code(case)[1]))


def _undefined(case: Case) -> Finding | None:
    read = _read_of_undefined(case)
    if read is None:
        return None
    wanted, mend, step, trace = read
    words = {"property": wanted, "was": "", "now": ""}
    if mend and is_code(mend.code):
        quote = Quote(pointer="/workflow/nodes", quote=mend.was[:200])
        return Finding(
            words={**words, "was": mend.was, "now": mend.now},
            edits=_edit(case, mend.code),
            quotes=(quote,),
            certainty=max(mend.certainty, 0.75),
        )
    return Finding(words=words, edits=_edit(case, _guarded(case, trace, step)), certainty=0.95, facts={"guard": True})


def _guarded(case: Case, trace: Trace, step: Step | None) -> str | None:
    """``entry.client?.name`` where other entries of the list do have a client: then the field is optional, not misspelt."""
    if step is None or not isinstance(step.key, str) or step.node.parent is None or step.node.parent.type != "member_expression":
        return None
    others = (Trace(case, trace.code, pick).value(step.node) for pick in range(5))
    if all(value in (UNDEFINED, None) or value is UNKNOWN for value in others):
        return None
    place = step.node.end_byte
    return replace_range(trace.code, place, place, "?") if trace.code.encode()[place : place + 1] == b"." else None


def _kept_as_text(case: Case) -> Finding | None:
    """A request upstream that keeps its JSON answer as text, so that no field can be read from it."""
    read = _read_of_undefined(case)
    step = read[2] if read else None
    if read is None or step is None or read[1] is not None or not isinstance(step.key, str):
        return None
    found = text_answer(case, step.holder, step.key)
    if not found:
        return None
    name, edit = found
    return Finding(
        node=name,
        words={"field": step.key},
        edits=(edit,),
        quotes=(Quote(pointer=f"/node_data/{name}/outputs/0/0", quote=step.key),),
    )


def _index(case: Case) -> Finding | None:
    """A fixed index that lies behind the end of its list."""
    read = _read_of_undefined(case)
    step = read[2] if read else None
    if read is None or step is None or not isinstance(step.holder, list) or not isinstance(step.key, int):
        return None
    length = len(step.holder)
    edits: tuple[Edit, ...] = ()
    index = step.node.child_by_field_name("index")
    if length and step.key == length and index is not None and index.type == "number":
        edits = _edit(case, replace_range(read[3].code, index.start_byte, index.end_byte, str(length - 1)))
    return Finding(words={"index": str(step.key), "length": str(length)}, edits=edits)


def _not_iterable(case: Case) -> Finding | None:
    trace = Trace(case, _code(case)[1])
    line = case.error.line_number
    for node in walk(trace.root):
        right = (
            node.child_by_field_name("right")
            if node.type == "for_in_statement"
            else node.named_children[0]
            if node.type == "spread_element"
            else None
        )
        if (
            right is None
            or (line is not None and not node.start_point.row <= line - 1 <= node.end_point.row)
            or trace.value(right) is not UNDEFINED
        ):
            continue
        mend, _ = mend_undefined(case, trace, right, "map")
        words = {"property": "list", "was": mend.was if mend else source(right), "now": mend.now if mend else ""}
        return Finding(
            words=words, edits=_edit(case, mend.code) if mend else (), certainty=max(mend.certainty, 0.75) if mend else 0.9
        )
    return None


def _no_function(case: Case) -> Finding:
    found = re.search(r"([\w$.\[\]()'\"?]*?)\.?([A-Za-z_$][\w$]*) is not a function", case.error.message)
    name = found.group(2) if found else "?"
    code, line = _code(case)[1], case.error.line_number
    trace = Trace(case, code)
    for step in trace.steps():
        if str(step.key) != name or (line is not None and not step.node.start_point.row <= line - 1 <= step.node.end_point.row):
            continue
        prop = step.node.child_by_field_name("property")
        methods = _methods(step.holder)
        meant = closest(name, methods, 75)
        if meant and prop is not None:
            return Finding(
                words={"name": name, "meant": f"{meant}()"},
                edits=_edit(case, replace_range(code, prop.start_byte, prop.end_byte, meant)),
            )
        if isinstance(step.holder, int | float) and name in _TEXT_METHODS:
            wrapped = f"String({source(step.object)})"
            return Finding(
                words={"name": name, "meant": f"{wrapped}.{name}()"},
                edits=_edit(case, replace_range(code, step.object.start_byte, step.object.end_byte, wrapped)),
                certainty=0.95,
            )
    return Finding(words={"name": name, "meant": ""})


def _methods(holder: object) -> tuple[str, ...]:
    if isinstance(holder, list):
        return _LIST_METHODS
    if isinstance(holder, str):
        return _TEXT_METHODS
    if isinstance(holder, int | float):
        return _NUMBER_METHODS
    return tuple(dict.fromkeys((*_LIST_METHODS, *_TEXT_METHODS, *_NUMBER_METHODS))) if holder is UNKNOWN else ()


def _no_variable(case: Case) -> Finding:
    found = re.match(r"([A-Za-z_$][\w$]*) is not defined", case.error.message)
    name = found.group(1) if found else "?"
    code = _code(case)[1]
    trace = Trace(case, code)
    kinds = ("variable_declarator", "formal_parameters", "arrow_function", "function_declaration", "object_pattern")
    declared = [
        source(node)
        for node in walk(trace.root)
        if node.type in ("identifier", "shorthand_property_identifier_pattern")
        and node.parent is not None
        and node.parent.type in kinds
    ]
    meant = closest(name, [*(entry for entry in declared if entry != name), *_GLOBALS], 75)
    if not meant:
        in_input = dig(case.item, (name,)) is not UNDEFINED or dig(case.item, ("body", name)) is not UNDEFINED
        return Finding(words={"name": name, "meant": ""}, certainty=1.0 if in_input else 0.95)
    places = [node for node in walk(trace.root) if node.type == "identifier" and source(node) == name]
    for node in reversed(places):
        code = replace_range(code, node.start_byte, node.end_byte, meant)
    return Finding(words={"name": name, "meant": meant}, edits=_edit(case, code))


_CHECK_CODE = Fix(
    text("Correct the code", "صحّح الكود"), text("n8n's editor marks the place.", "يُظهر محرر n8n الموضع."), confidence=0.5
)
_SHAPE_MESSAGES = regex(
    r"Code doesn't return|A 'json' property isn't an object|^Invalid output format|doesn't return (?:a single|an) object|must return|needs to return"
)

RULES: Sequence[Rule] = (
    Rule(
        id="code-syntax",
        cause=Cause.CODE_SYNTAX,
        prior=0.96,
        rank=72,
        look=_syntax,
        when=(
            Pattern(
                kinds=_KINDS,
                words=regex(
                    r"SyntaxError|missing \) after argument list|has already been declared|await is only valid|Invalid or unexpected token|Unexpected (?:token|identifier|end of input|string|number)|Illegal return"
                ),
            ),
        ),
        unless=(Pattern(message=regex(r"is not valid JSON|in JSON at position|end of JSON input")),),
        summary=text(
            "The JavaScript of ‘{node}’ cannot be parsed: {message}", "تعذّر فهم كود JavaScript في العقدة ‘{node}’: {message}"
        ),
        fixes=(
            Fix(
                text("Repair the slip", "أصلح السهو"),
                text("This is the smallest change after which the code parses.", "هذا أصغر تغيير يجعل الكود مفهومًا."),
                make=found_edits,
                confidence=0.8,
            ),
            _CHECK_CODE,
        ),
    ),
    Rule(
        id="json-parse-object",
        cause=Cause.TYPE_MISMATCH,
        prior=0.85,
        rank=74,
        look=_parsed_object,
        when=(Pattern(kinds=_KINDS, message=regex(r"\[object Object\]\"? is not valid JSON|Unexpected token o in JSON")),),
        summary=text(
            "The code of ‘{node}’ parses as JSON what is an object already.",
            "كود العقدة ‘{node}’ يحلّل بصيغة JSON ما هو كائن أصلًا.",
        ),
        fixes=(
            Fix(
                text("Use the object as it is", "استخدم الكائن كما هو"),
                text(
                    "JSON.parse is for text; n8n has parsed this data before.",
                    "JSON.parse للنصوص؛ وقد حلّل n8n هذه البيانات من قبل.",
                ),
                make=found_edits,
                confidence=0.85,
            ),
            _CHECK_CODE,
        ),
    ),
    Rule(
        id="json-parse-fence",
        cause=Cause.BAD_RESPONSE_FORMAT,
        prior=0.8,
        rank=74,
        look=_fenced_json,
        when=(Pattern(kinds=_KINDS, message=regex(r"Unexpected token '?`|```")),),
        summary=text(
            "The text that ‘{node}’ parses is JSON inside a Markdown fence, as language models like to answer.",
            "النص الذي تحلّله العقدة ‘{node}’ هو JSON داخل إطار Markdown كما تجيب النماذج اللغوية عادة.",
        ),
        fixes=(
            Fix(
                text("Take the fence off before parsing", "أزل الإطار قبل التحليل"),
                text("The code removes ``` at both ends.", "يزيل الكود ``` من الطرفين."),
                make=found_edits,
                confidence=0.75,
            ),
            _CHECK_CODE,
        ),
    ),
    Rule(
        id="json-parse",
        cause=Cause.BAD_RESPONSE_FORMAT,
        prior=0.65,
        rank=73,
        when=(Pattern(kinds=_KINDS, message=_PARSE_RUNTIME, words=regex(r"SyntaxError|JSON")),),
        look=lambda case: Finding() if _json_parse(case) else None,
        summary=text(
            "The text that ‘{node}’ parses is not JSON: {message}", "النص الذي تحلّله العقدة ‘{node}’ ليس JSON: ‏{message}"
        ),
        fixes=(
            Fix(
                text("Look at the text first", "انظر إلى النص أولًا"),
                text(
                    "It may be empty, an error page or plain words: check its source.",
                    "قد يكون فارغًا أو صفحة خطأ أو كلامًا عاديًّا: تحقّق من مصدره.",
                ),
                confidence=0.5,
            ),
        ),
    ),
    Rule(
        id="code-mode",
        cause=Cause.CODE_WRONG_MODE,
        prior=0.97,
        rank=76,
        look=_mode,
        when=(
            Pattern(
                kinds=_KINDS,
                words=regex(r"only available in 'Run Once for (?:All Items|Each Item)' mode|Can't use \.\w+(?:\(\))? here"),
            ),
        ),
        summary=text("The code of ‘{node}’ is written for the other mode.", "كود العقدة ‘{node}’ مكتوب للنمط الآخر."),
        fixes=(
            Fix(
                text("Make code and mode fit: ‘{mode}’", "وفّق بين الكود والنمط: ‘{mode}’"),
                text("What the code reads is then there.", "عندئذ يتوفر ما يقرؤه الكود."),
                make=found_edits,
                confidence=0.85,
            ),
            _CHECK_CODE,
        ),
    ),
    Rule(
        id="code-mode-items",
        cause=Cause.CODE_WRONG_MODE,
        prior=0.9,
        rank=76,
        look=_items_in_each_mode,
        when=(Pattern(kinds=_KINDS, message=regex(r"^(?:items|\$items) is not defined")),),
        summary=text(
            "The code of ‘{node}’ reads all items, but it runs once for each item.",
            "يقرأ كود العقدة ‘{node}’ كل العناصر، لكنه يعمل مرة لكل عنصر.",
        ),
        fixes=(
            Fix(
                text("Set the mode to ‘{mode}’", "اضبط النمط على ‘{mode}’"),
                text("Then ‘items’ holds all items.", "عندئذ يحوي ‘items’ كل العناصر."),
                make=found_edits,
                confidence=0.85,
            ),
            _CHECK_CODE,
        ),
    ),
    Rule(
        id="code-shape",
        cause=Cause.CODE_RETURN_SHAPE,
        prior=0.97,
        rank=72,
        look=_shape,
        when=(Pattern(kinds=_KINDS, message=_SHAPE_MESSAGES),),
        summary=text(
            "What the code of ‘{node}’ returns is not what n8n takes as items.",
            "ما يعيده كود العقدة ‘{node}’ ليس بشكل العناصر التي يقبلها n8n.",
        ),
        fixes=(
            Fix(
                text("Return items", "أعد عناصر"),
                text(
                    "n8n wants a list of { json: { … } }; in ‘Run Once for Each Item’ mode one of them.",
                    "يريد n8n قائمة من { json: { … } }؛ وفي نمط ‘Run Once for Each Item’ عنصرًا واحدًا.",
                ),
                make=found_edits,
                confidence=0.83,
            ),
            Fix(
                text("Write the return anew", "أعد كتابة return"),
                text(
                    "For all items: return [{ json: { name: value } }]; for each item: return { json: { name: value } }.",
                    "لكل العناصر: return [{ json: { name: value } }]؛ ولكل عنصر: return { json: { name: value } }.",
                ),
                confidence=0.5,
            ),
        ),
    ),
    Rule(
        id="answer-kept-as-text",
        cause=Cause.BAD_RESPONSE_FORMAT,
        prior=0.9,
        rank=73,
        look=_kept_as_text,
        when=(Pattern(kinds=_KINDS, message=_READING),),
        summary=text(
            "‘{node}’ keeps a JSON answer as text, so the field ‘{field}’ cannot be read from it.",
            "تحتفظ العقدة ‘{node}’ برد JSON نصًّا، فلا يمكن قراءة الحقل ‘{field}’ منه.",
        ),
        fixes=(
            Fix(
                text("Let ‘{node}’ read its answer as JSON", "اجعل ‘{node}’ تقرأ ردها بصيغة JSON"),
                text("The nodes behind it expect the fields of the answer.", "تتوقع العقد التالية حقول الرد."),
                make=found_edits,
                confidence=0.85,
            ),
            Fix(
                text("Or parse the text", "أو حلّل النص"),
                text("In code: JSON.parse($input.first().json.data).", "في الكود: JSON.parse($input.first().json.data)."),
                confidence=0.4,
            ),
        ),
    ),
    Rule(
        id="code-index",
        cause=Cause.INDEX_OUT_OF_RANGE,
        prior=0.85,
        rank=73,
        look=_index,
        when=(Pattern(kinds=_KINDS, message=_READING),),
        summary=text(
            "The code of ‘{node}’ takes entry {index} of a list with {length}.",
            "يأخذ كود العقدة ‘{node}’ المدخل {index} من قائمة فيها {length}.",
        ),
        fixes=(
            Fix(
                text("Count from 0", "ابدأ العد من 0"),
                text("The last entry has the number length minus one.", "رقم آخر مدخل هو الطول ناقص واحد."),
                make=found_edits,
                confidence=0.6,
            ),
            Fix(
                text("Guard against missing entries", "احتط لغياب المدخلات"),
                text("Test the length first, or loop over what is there.", "اختبر الطول أولًا أو مرّ على الموجود."),
                confidence=0.5,
            ),
        ),
    ),
    Rule(
        id="code-undefined",
        cause=Cause.UNDEFINED_VALUE,
        prior=0.93,
        rank=70,
        look=_undefined,
        when=(Pattern(kinds=_KINDS, message=_READING),),
        summary=text(
            "The code of ‘{node}’ reads ‘{property}’ of something that is not there.",
            "يقرأ كود العقدة ‘{node}’ الخاصية ‘{property}’ من شيء غير موجود.",
        ),
        fixes=(
            Fix(
                text("Read it from where the data has it", "اقرأها من موضعها في البيانات"),
                text(
                    "In the data of this execution the value lies elsewhere, or is there only for some entries. Data of a webhook lies under ‘body’.",
                    "في بيانات هذا التنفيذ تقع القيمة في موضع آخر أو توجد لبعض المدخلات فقط. تقع بيانات الـ webhook تحت ‘body’.",
                ),
                make=found_edits,
                confidence=0.82,
            ),
            Fix(
                text("Check the path, and guard with ?.", "تحقّق من المسار واحتط بـ ?."),
                text(
                    "Compare the path with the node's input; where a field may be missing, say what is to happen then.",
                    "قارن المسار بمدخلات العقدة؛ وحيث قد يغيب الحقل فحدّد ما يحدث حينئذ.",
                ),
                confidence=0.5,
            ),
        ),
    ),
    Rule(
        id="code-not-iterable",
        cause=Cause.UNDEFINED_VALUE,
        prior=0.75,
        rank=70,
        look=_not_iterable,
        when=(Pattern(kinds=_KINDS, message=regex(r"is not iterable")),),
        summary=text(
            "The code of ‘{node}’ loops over {was}, which is not there.", "يمر كود العقدة ‘{node}’ على {was} وهو غير موجود."
        ),
        fixes=(
            Fix(
                text("Loop over {now}", "مرّ على {now}"),
                text("In the data of this execution the list lies there.", "تقع القائمة هناك في بيانات هذا التنفيذ."),
                make=found_edits,
                confidence=0.8,
            ),
            _CHECK_CODE,
        ),
    ),
    Rule(
        id="code-not-a-list",
        cause=Cause.TYPE_MISMATCH,
        prior=0.65,
        rank=69,
        when=(Pattern(kinds=_KINDS, message=regex(r"is not iterable")),),
        summary=text("The code of ‘{node}’ loops over something that is no list.", "يمر كود العقدة ‘{node}’ على شيء ليس قائمة."),
        fixes=(_CHECK_CODE,),
    ),
    Rule(
        id="code-no-function",
        cause=Cause.UNKNOWN_FUNCTION,
        prior=0.94,
        rank=70,
        look=_no_function,
        when=(Pattern(kinds=_KINDS, message=regex(r"is not a function")),),
        summary=text(
            "The code of ‘{node}’ calls ‘{name}’, which that value does not have.",
            "يستدعي كود العقدة ‘{node}’ الدالة ‘{name}’ غير الموجودة لتلك القيمة.",
        ),
        fixes=(
            Fix(
                text("Call {meant}", "استدعِ {meant}"),
                text("That function exists for the value's type.", "هذه الدالة موجودة لنوع القيمة."),
                make=found_edits,
                confidence=0.8,
            ),
            _CHECK_CODE,
        ),
    ),
    Rule(
        id="code-no-variable",
        cause=Cause.UNDEFINED_VALUE,
        prior=0.7,
        rank=70,
        look=_no_variable,
        when=(Pattern(kinds=_KINDS, message=regex(r"^[\w$]+ is not defined")),),
        summary=text(
            "The code of ‘{node}’ uses ‘{name}’, which is defined nowhere.",
            "يستخدم كود العقدة ‘{node}’ الاسم ‘{name}’ غير المعرّف.",
        ),
        fixes=(
            Fix(
                text("Use ‘{meant}’", "استخدم ‘{meant}’"),
                text("This name is defined and differs by a slip only.", "هذا الاسم معرّف ولا يختلف إلا بسهو."),
                make=found_edits,
                confidence=0.75,
            ),
            Fix(
                text("Define it, or read it from the data", "عرّفه أو اقرأه من البيانات"),
                text("Fields of the input are read as $json.name.", "تُقرأ حقول المدخلات هكذا: $json.name."),
                confidence=0.5,
            ),
        ),
    ),
)
