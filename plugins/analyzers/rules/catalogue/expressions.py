"""Failures of expressions: their syntax, the nodes and fields that they name, and item linking."""

from __future__ import annotations

from collections.abc import Sequence

from hub.plugin_api import Cause
from plugins.analyzers.rules.case import Json
from plugins.analyzers.rules.looks import expressions as look
from plugins.analyzers.rules.looks.data import child_input
from plugins.analyzers.rules.rule import Fix, Pattern, Rule, found_edits, regex, text

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
        look=look.missing_prefix,
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
        look=look.syntax,
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
        look=look.unknown_node,
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
        look=look.unexecuted,
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
        id="unconnected-node",
        cause=Cause.UNEXECUTED_NODE_REFERENCE,
        prior=0.85,
        rank=71,
        look=look.unconnected,
        when=(Pattern(context_types=frozenset(("paired_item_no_connection",))),),
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
        look=look.paired,
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
        look=look.lost_in_request,
        when=(Pattern(codes=frozenset(("400", "404", "409", "422", "ENOTFOUND"))),),
        **_LOST_TEXTS,
    ),
    Rule(
        id="field-missing",
        cause=Cause.WRONG_FIELD_PATH,
        prior=0.9,
        rank=64,
        look=look.lost_anywhere,
        when=(
            Pattern(
                message=regex(
                    r"can't be used on (?:undefined|null) value|URL parameter|Invalid URL|Invalid date|Wrong type"
                    r"|expects an? |is required|is not set|must be an? "
                    r"|cannot be empty|is empty"
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
        look=look.index,
        when=(
            Pattern(
                message=regex(
                    r"The ou?t?put -?\d+ is not allowed|has no branch with index|No data found for item-index|trying to "
                    r"access item \d+|but expression references item|Run \d+ of node .* not found|index out of (?:range"
                    r"|bounds)|Branch not found|Input \d+ doesn't exist"
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
        id="expression-function-type",
        cause=Cause.UNKNOWN_FUNCTION,
        prior=0.85,
        rank=62,
        look=look.function_type,
        when=(Pattern(message=regex(r"\(\) is only callable on types? ")),),
        summary=text(
            "An expression of ‘{node}’ calls {function}() on a value of another type than it is for ({type}).",
            "يستدعي أحد تعبيرات العقدة ‘{node}’ الدالة {function}()‎ على قيمة من غير النوع المناسب لها ({type}).",
        ),
        fixes=(
            Fix(
                text("Convert the value first", "حوّل القيمة أولًا"),
                text(
                    "The value can be read as {type}, so the function then works on it.",
                    "يمكن قراءة القيمة على أنها {type} فتعمل الدالة عليها.",
                ),
                make=found_edits,
                confidence=0.82,
            ),
            Fix(
                text("Use a function of that type", "استخدم دالة تناسب النوع"),
                text("Check the type of the value.", "تحقّق من نوع القيمة."),
                confidence=0.5,
            ),
        ),
    ),
    Rule(
        id="expression-conversion",
        cause=Cause.TYPE_MISMATCH,
        prior=0.85,
        rank=62,
        when=(
            Pattern(
                message=regex(
                    r"^cannot convert to |^Invalid input for '|^Parameter '.*' (?:must be|could not be)|argument must be of type"
                    r"|all array elements must be numbers|is not a number\. Please|isn't always the same type|is not an array"
                )
            ),
        ),
        summary=text(
            "A value of ‘{node}’ is of another type than is wanted: {message}",
            "إحدى قيم العقدة ‘{node}’ من نوع غير المطلوب: {message}",
        ),
        look=child_input,
        fixes=(
            Fix(
                text("Hand on the value alone", "مرّر القيمة وحدها"),
                text(
                    "Without the words beside it the expression gives the wanted type.",
                    "دون الكلمات المجاورة يعطي التعبير النوع المطلوب.",
                ),
                make=found_edits,
                confidence=0.85,
            ),
            Fix(
                text("Correct the value where it comes from", "صحّح القيمة من مصدرها"),
                text(
                    "Convert it, or point the parameter to the field that was meant.", "حوّلها أو وجّه المعامل إلى الحقل المقصود."
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
