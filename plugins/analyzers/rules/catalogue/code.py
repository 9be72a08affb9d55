"""Failures of Code nodes: syntax, what is parsed, the mode, and what is returned."""

from __future__ import annotations

from collections.abc import Sequence

from hub.plugin_api import Cause
from plugins.analyzers.rules.looks import code as look
from plugins.analyzers.rules.rule import Fix, Pattern, Rule, found_edits, regex, text

_KINDS = frozenset(("code", "function", "functionItem"))

_PARSE_RUNTIME = regex(r"is not valid JSON|in JSON at position|end of JSON input|Unexpected token .*(?:\.\.\.|\")")

_CHECK_CODE = Fix(
    text("Correct the code", "صحّح الكود"), text("n8n's editor marks the place.", "يُظهر محرر n8n الموضع."), confidence=0.5
)

_SHAPE_MESSAGES = regex(
    r"Code doesn't return|A 'json' property isn't an object|^Invalid output format|doesn't return (?:a "
    r"single|an) object|must return|needs to return"
)

RULES: Sequence[Rule] = (
    Rule(
        id="code-syntax",
        cause=Cause.CODE_SYNTAX,
        prior=0.96,
        rank=72,
        look=look.syntax,
        when=(
            Pattern(
                kinds=_KINDS,
                words=regex(
                    r"SyntaxError|missing \) after argument list|has already been declared|Missing initializer"
                    r"|await is only valid|Invalid or unexpected token|Unexpected (?:token|identifier|end of input|string|number)"
                    r"|Illegal return|Cannot use import statement"
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
        look=look.parsed_object,
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
        look=look.fenced_json,
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
        look=look.unparsed_text,
        summary=text(
            "The text that ‘{node}’ parses is not JSON: {message}", "النص الذي تحلّله العقدة ‘{node}’ ليس JSON: ‏{message}"
        ),
        fixes=(
            Fix(
                text("Take the JSON out of the text", "استخرج JSON من النص"),
                text(
                    "With this change all of the texts of this execution can be parsed.",
                    "بهذا التغيير يمكن تحليل كل النصوص في هذا التنفيذ.",
                ),
                make=found_edits,
                confidence=0.78,
            ),
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
        look=look.mode,
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
        look=look.items_in_each_mode,
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
        id="code-mode-item",
        cause=Cause.CODE_WRONG_MODE,
        prior=0.85,
        rank=76,
        look=look.item_in_all_mode,
        when=(Pattern(kinds=_KINDS, message=regex(r"^(?:item|\$itemIndex) is not defined")),),
        summary=text(
            "The code of ‘{node}’ reads one item, but it runs once for all items.",
            "يقرأ كود العقدة ‘{node}’ عنصرًا واحدًا، لكنه يعمل مرة لكل العناصر معًا.",
        ),
        fixes=(
            Fix(
                text("Set the mode to ‘{mode}’", "اضبط النمط على ‘{mode}’"),
                text("Then the code runs for one item at a time.", "عندئذ يعمل الكود لعنصر واحد في كل مرة."),
                make=found_edits,
                confidence=0.85,
            ),
            _CHECK_CODE,
        ),
    ),
    Rule(
        id="sort-code",
        cause=Cause.CODE_RETURN_SHAPE,
        prior=0.9,
        rank=72,
        look=look.sort_code,
        when=(Pattern(message=regex(r"^Sort code doesn't return")),),
        summary=text("The comparison of ‘{node}’ gives nothing back.", "مقارنة العقدة ‘{node}’ لا تعيد شيئًا."),
        fixes=(
            Fix(
                text("Return the comparison", "أعد نتيجة المقارنة"),
                text(
                    "A number below, at or above zero says which item comes first.",
                    "عدد أقل من الصفر أو يساويه أو أكبر منه يحدد أي العنصرين أولًا.",
                ),
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
        look=look.shape,
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
)
