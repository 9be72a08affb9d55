"""Slips whose error shows far from their cause: calls left out, values made empty further up, the order of branches."""

from __future__ import annotations

from collections.abc import Sequence

from hub.plugin_api import Cause
from plugins.analyzers.rules.looks import code as read
from plugins.analyzers.rules.looks import code_slips, order, upstream
from plugins.analyzers.rules.rule import Fix, Pattern, Rule, found_edits, regex, text

_CODE = frozenset(("code", "function", "functionItem"))
_CHECK = Fix(
    text("Open ‘{node}’ and look at its output", "افتح العقدة ‘{node}’ وانظر إلى مخرجاتها"),
    text("n8n shows beside the parameter what its expression gives.", "يُظهر n8n بجانب المعامل ما يعطيه تعبيره."),
    confidence=0.4,
)

RULES: Sequence[Rule] = (
    Rule(
        id="made-empty-before",
        cause=Cause.UNDEFINED_VALUE,
        prior=0.92,
        rank=78,
        look=upstream.made_empty,
        when=(Pattern(kinds=_CODE, message=read.READING),),
        summary=text(
            "An expression of ‘{node}’ failed and left the field ‘{field}’ empty, which is read further on.",
            "فشل تعبير في العقدة ‘{node}’ فترك الحقل ‘{field}’ فارغًا، وهو يُقرأ لاحقًا.",
        ),
        fixes=(
            Fix(
                text("Make ‘{field}’ of {now}", "اجعل ‘{field}’ من {now}"),
                text(
                    "With the data of this execution that gives a value for every item.",
                    "يعطي ذلك قيمة لكل عنصر من بيانات هذا التنفيذ.",
                ),
                make=found_edits,
                confidence=0.84,
            ),
            _CHECK,
        ),
    ),
    Rule(
        id="maker-switched-off",
        cause=Cause.UNDEFINED_VALUE,
        prior=0.92,
        rank=77,
        look=upstream.switched_off,
        when=(Pattern(kinds=_CODE, message=read.READING),),
        summary=text(
            "The field ‘{field}’ is missing because ‘{node}’, which makes it, is switched off.",
            "الحقل ‘{field}’ غائب لأن العقدة ‘{node}’ التي تُنشئه معطّلة.",
        ),
        fixes=(
            Fix(
                text("Compute it where it is read: {now}", "احسبه حيث يُقرأ: {now}"),
                text(
                    "The items have what ‘{node}’ would make it of; the node stays off.",
                    "تحوي العناصر ما كانت ‘{node}’ ستُنشئه منه، وتبقى العقدة معطّلة.",
                ),
                make=found_edits,
                confidence=0.75,
            ),
            Fix(
                text("Or switch ‘{node}’ on again", "أو فعّل العقدة ‘{node}’ من جديد"),
                text("Ask first why it was switched off.", "اسأل أولًا لماذا عُطّلت."),
                confidence=0.5,
            ),
        ),
    ),
    Rule(
        id="input-not-called",
        cause=Cause.UNDEFINED_VALUE,
        prior=0.94,
        rank=79,
        look=upstream.not_called,
        when=(
            Pattern(kinds=_CODE, message=regex(r"\(reading '|is not (?:a function|iterable)|^Cannot read")),
            Pattern(
                message=regex(
                    r"can't be used on (?:undefined|null) value|URL parameter|Invalid URL|is not a function"
                    r"|expects an? |is required|is not set|must be an? |cannot be empty|is empty|^Cannot read"
                )
            ),
        ),
        summary=text(
            "‘{node}’ calls a function of n8n in a way that gives nothing.",
            "تستدعي العقدة ‘{node}’ إحدى دوال n8n بطريقة لا تعطي شيئًا.",
        ),
        fixes=(
            Fix(
                text("Write {now}", "اكتب {now}"),
                text(
                    "Functions are called with brackets: $input.first().json, $input.all().",
                    "تُستدعى الدوال بقوسين: $input.first().json و$input.all().",
                ),
                make=found_edits,
                confidence=0.86,
            ),
            _CHECK,
        ),
    ),
    Rule(
        id="query-arguments",
        cause=Cause.TYPE_MISMATCH,
        prior=0.95,
        rank=68,
        look=upstream.wrong_query,
        when=(Pattern(message=regex(r"expected two arguments \(Object, string\)")),),
        summary=text(
            "‘{node}’ gives $jmespath the query first, but it takes the data first.",
            "تعطي العقدة ‘{node}’ الدالة $jmespath الاستعلام أولًا، لكنها تأخذ البيانات أولًا.",
        ),
        fixes=(
            Fix(
                text("Write {now}", "اكتب {now}"),
                text("First the data, then the query.", "البيانات أولًا ثم الاستعلام."),
                make=found_edits,
                confidence=0.88,
            ),
            _CHECK,
        ),
    ),
    Rule(
        id="duration-unit",
        cause=Cause.UNKNOWN_FUNCTION,
        prior=0.94,
        rank=76,
        look=upstream.duration_unit,
        when=(Pattern(message=regex(r"(?:as|in|to)[A-Z]\w+s is not a function")),),
        summary=text(
            "‘{node}’ asks a duration for a unit with a function that n8n's dates do not have.",
            "تطلب العقدة ‘{node}’ وحدة من مدة زمنية بدالة لا توجد في تواريخ n8n.",
        ),
        fixes=(
            Fix(
                text("Write {now}", "اكتب {now}"),
                text("as('days') gives the duration in that unit.", "تعطي as('days') المدة بتلك الوحدة."),
                make=found_edits,
                confidence=0.86,
            ),
            _CHECK,
        ),
    ),
    Rule(
        id="answer-not-awaited",
        cause=Cause.UNDEFINED_VALUE,
        prior=0.92,
        rank=76,
        look=code_slips.not_awaited,
        when=(Pattern(kinds=_CODE, message=regex(r"\(reading '|is not (?:a function|iterable)")),),
        summary=text(
            "The code of ‘{node}’ does not wait for the answer of its request.",
            "كود العقدة ‘{node}’ لا ينتظر رد طلبه.",
        ),
        fixes=(
            Fix(
                text("Wait for the answer with await", "انتظر الرد بـ await"),
                text("Without it the code reads from a promise, not from the answer.", "دونه يقرأ الكود من وعد لا من الرد."),
                make=found_edits,
                confidence=0.86,
            ),
            _CHECK,
        ),
    ),
    Rule(
        id="pattern-minds-case",
        cause=Cause.UNDEFINED_VALUE,
        prior=0.9,
        rank=74,
        look=code_slips.pattern,
        when=(Pattern(kinds=_CODE, message=regex(r"of null \(reading '(?:\d+|groups|index)'\)")),),
        summary=text(
            "A pattern in the code of ‘{node}’ does not find what some texts write in other letters (upper or lower case).",
            "نمط في كود العقدة ‘{node}’ لا يجد ما تكتبه بعض النصوص بحالة أحرف أخرى (كبيرة أو صغيرة).",
        ),
        fixes=(
            Fix(
                text("Let the pattern ignore case: {pattern}", "اجعل النمط يتجاهل حالة الأحرف: {pattern}"),
                text(
                    "Then it finds exactly one place in every text of this execution.",
                    "فيجد موضعًا واحدًا في كل نص من هذا التنفيذ.",
                ),
                make=found_edits,
                confidence=0.82,
            ),
            _CHECK,
        ),
    ),
    Rule(
        id="number-for-text",
        cause=Cause.TYPE_MISMATCH,
        prior=0.93,
        rank=67,
        look=upstream.number_as_text,
        when=(Pattern(message=regex(r"must be of type string\b[\s\S]*Received type number")),),
        unless=(Pattern(kinds=_CODE),),
        summary=text("‘{node}’ takes a text and was given the number {value}.", "تأخذ العقدة ‘{node}’ نصًّا وأُعطيت العدد {value}."),
        fixes=(
            Fix(
                text("Give it the number as a text", "أعطِها العدد نصًّا"),
                text("String() writes the same digits.", "تكتب String()‎ الأرقام نفسها."),
                make=found_edits,
                confidence=0.86,
            ),
            _CHECK,
        ),
    ),
    Rule(
        id="execution-order",
        cause=Cause.UNEXECUTED_NODE_REFERENCE,
        prior=0.96,
        rank=72,
        look=order.branches,
        when=(
            Pattern(context_types=frozenset(("no_execution_data", "no_node_execution_data"))),
            Pattern(message=regex(r"^Node '.*' hasn't been executed")),
        ),
        summary=text(
            "‘{node}’ ran before ‘{missing}’, which is on a branch above it: the workflow still has the old execution order.",
            "عملت العقدة ‘{node}’ قبل ‘{missing}’ الواقعة على فرع فوقها: ما زال سير العمل بترتيب التنفيذ القديم.",
        ),
        fixes=(
            Fix(
                text("Run one branch after the other", "شغّل الفروع واحدًا بعد الآخر"),
                text(
                    "With the execution order v1 the upper branch ends before the lower one starts.",
                    "بترتيب التنفيذ v1 ينتهي الفرع الأعلى قبل أن يبدأ الأدنى.",
                ),
                make=found_edits,
                confidence=0.8,
            ),
            _CHECK,
        ),
    ),
    Rule(
        id="inline-workflow",
        cause=Cause.INVALID_JSON_BODY,
        prior=0.95,
        rank=68,
        look=order.inline_workflow,
        when=(Pattern(message=regex(r"\bJSON\b")),),
        summary=text(
            "The workflow that is written into ‘{node}’ is no valid JSON: {message}",
            "سير العمل المكتوب داخل العقدة ‘{node}’ ليس JSON صالحًا: {message}",
        ),
        fixes=(
            Fix(
                text("Correct the JSON", "صحّح صيغة JSON"),
                text("This is a change of punctuation only.", "هذا تغيير في علامات الترقيم فقط."),
                make=found_edits,
                confidence=0.86,
            ),
            Fix(
                text("Check commas, quotes and brackets", "راجع الفواصل وعلامات الاقتباس والأقواس"),
                text("The error says where the text stops being JSON.", "يبيّن الخطأ أين يتوقف النص عن كونه JSON."),
                confidence=0.5,
            ),
        ),
    ),
)
