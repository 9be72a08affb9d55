"""Failures of what the code of Code nodes reads: values, names and functions that are not there."""

from __future__ import annotations

from collections.abc import Sequence

from hub.plugin_api import Cause
from plugins.analyzers.rules.looks import code as look
from plugins.analyzers.rules.looks import code_index, code_names, code_slips
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
        id="answer-kept-as-text",
        cause=Cause.BAD_RESPONSE_FORMAT,
        prior=0.9,
        rank=73,
        look=look.kept_as_text,
        when=(Pattern(kinds=_KINDS, message=look.READING),),
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
        id="code-made-text",
        cause=Cause.TYPE_MISMATCH,
        prior=0.85,
        rank=75,
        look=look.made_text,
        when=(Pattern(kinds=_KINDS, message=look.READING),),
        summary=text(
            "‘{node}’ makes a text of data whose fields are read further on.",
            "تحوّل العقدة ‘{node}’ إلى نص بياناتٍ تُقرأ حقولها لاحقًا.",
        ),
        fixes=(
            Fix(
                text("Keep the type: {field}", "أبقِ النوع: {field}"),
                text("The value then stays the list or object that it is.", "تبقى القيمة حينئذ القائمة أو الكائن الذي هي عليه."),
                make=found_edits,
                confidence=0.83,
            ),
            _CHECK_CODE,
        ),
    ),
    Rule(
        id="code-separator",
        cause=Cause.UNDEFINED_VALUE,
        prior=0.88,
        rank=74,
        look=code_index.separator,
        when=(Pattern(kinds=_KINDS, message=look.READING),),
        summary=text(
            "The code of ‘{node}’ cuts a text at a sign that the text does not have, so part {index} is missing.",
            "يقسم كود العقدة ‘{node}’ نصًّا عند علامة غير موجودة فيه، فيغيب الجزء {index}.",
        ),
        fixes=(
            Fix(
                text("Cut the text where its parts end", "اقسم النص حيث تنتهي أجزاؤه"),
                text(
                    "All of the texts in this execution have the same other separator.",
                    "لكل النصوص في هذا التنفيذ الفاصل الآخر نفسه.",
                ),
                make=found_edits,
                confidence=0.82,
            ),
            _CHECK_CODE,
        ),
    ),
    Rule(
        id="code-index",
        cause=Cause.INDEX_OUT_OF_RANGE,
        prior=0.85,
        rank=73,
        look=code_index.index,
        when=(Pattern(kinds=_KINDS, message=look.READING),),
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
        look=look.undefined,
        when=(Pattern(kinds=_KINDS, message=look.READING),),
        summary=text(
            "The code of ‘{node}’ reads ‘{property}’ of something that is not there.",
            "يقرأ كود العقدة ‘{node}’ الخاصية ‘{property}’ من شيء غير موجود.",
        ),
        fixes=(
            Fix(
                text("Read it from where the data has it", "اقرأها من موضعها في البيانات"),
                text(
                    "In the data of this execution the value lies elsewhere, or is there only for some entries. Data of "
                    "a webhook lies under ‘body’.",
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
        id="code-constant",
        cause=Cause.CODE_SYNTAX,
        prior=0.6,
        rank=70,
        look=code_names.constant,
        when=(Pattern(kinds=_KINDS, message=regex(r"^Assignment to constant variable")),),
        summary=text(
            "The code of ‘{node}’ gives the constant ‘{name}’ another value.", "كود العقدة ‘{node}’ يغيّر قيمة الثابت ‘{name}’."
        ),
        fixes=(
            Fix(
                text("Declare ‘{name}’ with let", "صرّح عن ‘{name}’ بـ let"),
                text("What is declared with const keeps its first value.", "ما يُصرَّح عنه بـ const يحتفظ بقيمته الأولى."),
                make=found_edits,
                confidence=0.85,
            ),
            _CHECK_CODE,
        ),
    ),
    Rule(
        id="code-unmade",
        cause=Cause.UNDEFINED_VALUE,
        prior=0.85,
        rank=71,
        look=code_names.unmade,
        when=(Pattern(kinds=_KINDS, message=regex(r"Cannot set propert(?:y|ies) of (?:undefined|null)|\(reading 'push'\)")),),
        summary=text(
            "The code of ‘{node}’ fills something that it has not made before: ‘{property}’ of undefined.",
            "كود العقدة ‘{node}’ يملأ شيئًا لم يُنشأ قبل: ‘{property}’ من قيمة غير معرّفة.",
        ),
        fixes=(
            Fix(
                text("Make it when it is first used", "أنشئه عند أول استخدام"),
                text("??= makes an empty one where there is none yet.", "تُنشئ ??= قيمة فارغة حيث لا توجد قيمة بعد."),
                make=found_edits,
                confidence=0.8,
            ),
            _CHECK_CODE,
        ),
    ),
    Rule(
        id="code-no-object",
        cause=Cause.UNDEFINED_VALUE,
        prior=0.8,
        rank=70,
        look=code_names.no_object,
        when=(
            Pattern(
                kinds=_KINDS,
                message=regex(
                    r"^Cannot convert undefined or null to object|^Cannot destructure property|^Cannot use 'in' operator"
                    r"|^Reduce of empty array|of (?:undefined|null)$"
                ),
            ),
        ),
        summary=text(
            "The code of ‘{node}’ takes apart something that is not there: {message}",
            "كود العقدة ‘{node}’ يفكّك شيئًا غير موجود: {message}",
        ),
        fixes=(
            Fix(
                text("Read {now}", "اقرأ {now}"),
                text("In the data of this execution the value lies there.", "تقع القيمة هناك في بيانات هذا التنفيذ."),
                make=found_edits,
                confidence=0.8,
            ),
            _CHECK_CODE,
        ),
    ),
    Rule(
        id="code-range",
        cause=Cause.INDEX_OUT_OF_RANGE,
        prior=0.75,
        rank=70,
        when=(
            Pattern(
                kinds=_KINDS,
                message=regex(
                    r"^Invalid (?:array|string|typed array) length|^Invalid count value|argument must be between|out of range"
                ),
            ),
        ),
        summary=text(
            "The code of ‘{node}’ uses a number beyond what is allowed: {message}",
            "كود العقدة ‘{node}’ يستخدم رقمًا خارج المسموح: {message}",
        ),
        fixes=(_CHECK_CODE,),
    ),
    Rule(
        id="code-date",
        cause=Cause.TYPE_MISMATCH,
        prior=0.8,
        rank=70,
        look=code_slips.date,
        when=(Pattern(kinds=_KINDS, message=regex(r"^Invalid time value|^Invalid (?:Date|DateTime|unit)|Invalid time zone")),),
        summary=text(
            "The code of ‘{node}’ reads as a date what is none: {message}",
            "كود العقدة ‘{node}’ يقرأ تاريخًا ما ليس بتاريخ: {message}",
        ),
        fixes=(
            Fix(
                text("Read the dates as {format}", "اقرأ التواريخ بصيغة {format}"),
                text("All dates of this execution fit this form, and no other.", "كل تواريخ هذا التنفيذ بهذه الصيغة وحدها."),
                make=found_edits,
                confidence=0.8,
            ),
            Fix(
                text("Say how the date is written", "حدّد طريقة كتابة التاريخ"),
                text(
                    "DateTime.fromFormat(value, 'dd/MM/yyyy') reads a date in a form of its own.",
                    "تقرأ DateTime.fromFormat(value, 'dd/MM/yyyy') التاريخ المكتوب بصيغة خاصة.",
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
        look=look.not_iterable,
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
        look=code_names.no_function,
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
        id="code-no-global-function",
        cause=Cause.UNKNOWN_FUNCTION,
        prior=0.7,
        rank=71,
        look=code_names.no_global_function,
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
    Rule(
        id="code-no-variable",
        cause=Cause.UNDEFINED_VALUE,
        prior=0.7,
        rank=70,
        look=code_names.no_variable,
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
