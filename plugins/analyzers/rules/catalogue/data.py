"""Failures of data: fields that are not there, types that do not fit, files and queries."""

from __future__ import annotations

from collections.abc import Sequence

from hub.plugin_api import Cause
from plugins.analyzers.rules.looks import data as look
from plugins.analyzers.rules.looks.instance import model_name
from plugins.analyzers.rules.rule import Fix, Pattern, Rule, found_edits, regex, text

_MISSING_FIELD = regex(
    r"couldn't find the field|does not exist in any items|field is missing from|no property named|no json property called"
    r"|is not set$|is not present in any of items|(?:field|property|column|key) ['\"‘].*['\"’] (?:does "
    r"not exist|doesn't exist|not found|is missing|could not be found)"
)

RULES: Sequence[Rule] = (
    Rule(
        id="model-unknown",
        cause=Cause.NOT_FOUND,
        prior=0.93,
        rank=90,
        look=model_name,
        when=(Pattern(words=regex(r"model[:\s].*(?:does not exist|not found)")),),
        summary=text(
            "‘{node}’ asks for a model that the service does not know.",
            "تطلب العقدة ‘{node}’ نموذجًا لا تعرفه الخدمة.",
        ),
        fixes=(
            Fix(
                text("Ask for ‘{meant}’", "اطلب ‘{meant}’"),
                text("Another node of this workflow names it so.", "هكذا تسميه عقدة أخرى في سير العمل هذا."),
                make=found_edits,
                confidence=0.85,
            ),
            Fix(
                text("Choose the model again", "اختر النموذج من جديد"),
                text("The key may also lack access to that model.", "وقد لا يملك المفتاح صلاحية هذا النموذج."),
                confidence=0.5,
            ),
        ),
    ),
    Rule(
        id="prompt-missing",
        cause=Cause.WRONG_FIELD_PATH,
        prior=0.85,
        rank=64,
        look=look.prompt,
        when=(Pattern(message=regex(r"^No prompt specified"), words=regex(r"No prompt specified|chatInput")),),
        summary=text(
            "‘{node}’ takes its question from the field ‘chatInput’, which the input does not have.",
            "تأخذ العقدة ‘{node}’ السؤال من الحقل ‘chatInput’ وهو غير موجود في المدخلات.",
        ),
        fixes=(
            Fix(
                text("Take the question from ‘{field}’", "خذ السؤال من ‘{field}’"),
                text("This field of the input holds it.", "هذا الحقل من المدخلات يحويه."),
                make=found_edits,
                confidence=0.85,
            ),
            Fix(
                text("Define the prompt", "حدّد نص السؤال"),
                text(
                    "Set ‘Source for Prompt’ to ‘Define below’ and put the field of the question there.",
                    "اضبط ‘Source for Prompt’ على ‘Define below’ وضع هناك حقل السؤال.",
                ),
                confidence=0.5,
            ),
        ),
    ),
    Rule(
        id="field-not-in-items",
        cause=Cause.WRONG_FIELD_PATH,
        prior=0.95,
        rank=62,
        when=(Pattern(message=_MISSING_FIELD),),
        look=look.field,
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
        look=look.condition,
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
        look=look.assignment,
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
        look=look.date,
        when=(
            Pattern(
                message=regex(
                    r"^Invalid date format|is not a valid (?:DateTime|date)|date input (?:cannot be parsed|format could "
                    r"not)|Unrecognized date input"
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
        look=look.binary,
        when=(
            Pattern(
                message=regex(
                    r"binary (?:file|field|data|property).*(?:none was found|not found|does not exist)|has no binary|No "
                    r"binary data exists|Could not find binary data"
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
        look=look.sql,
        when=(
            Pattern(
                words=regex(
                    r"syntax error at or near|error in your SQL syntax|Parse error on line \d+|SQLITE_ERROR|near \".*\": "
                    r"syntax error|unterminated quoted string|Incorrect syntax near"
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
                    r"^Unexpected close tag|^Invalid PDF structure|Non-whitespace before first tag|Unclosed root tag"
                    r"|Model output doesn't fit required format|not a valid (?:zip|xlsx) file|Unsupported file"
                    r"|Feed not recognized|is not in (?:JSON|XML|ICS) format|Unsupported archive format"
                    r"|Text data outside of root node"
                    r"|Unable to parse (?:XML|the file)|Invalid XML|Malformed"
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
